"""CardEncryptor: the vendor's wire format, strict fields, and nonces that are used once."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgspay.encryption import CardEncryptor, decrypt_field, encrypt_field
from dgspay.errors import ConfigError
from dgspay.models.cards import EncryptedCard, EncryptedPin

VECTORS = json.loads((Path(__file__).parents[0] / "vectors" / "card.json").read_text())

KEY = VECTORS["cards"][0]["key"]
NUMBER = "4111111111111111"
CARD: dict[str, Any] = {
    "number": NUMBER,
    "expiry_month": 12,
    "expiry_year": 2028,
    "cvv": "123",
}


@pytest.fixture
def encryptor() -> CardEncryptor:
    return CardEncryptor(KEY)


def opened(value: EncryptedCard | EncryptedPin, key: str = KEY) -> list[str]:
    """Decrypt what stands in a value, as DGS-Pay would."""
    *ciphertexts, nonce = value.to_wire().values()
    return [decrypt_field(text, key=key, nonce=nonce) for text in ciphertexts]


def shown_by_the_library(error: BaseException) -> str:
    """What a crash reporter shows of an error: its message, and the locals of our frames."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [frame for frame in report.stack if "/dgspay/" in frame.filename]
    assert frames
    return "\n".join([str(error), *(f"{frame.name}: {frame.locals}" for frame in frames)])


# --- the wire format ----------------------------------------------------------------------


@pytest.mark.acceptance(39, "known-answer")
@pytest.mark.parametrize("vector", VECTORS["fields"], ids=lambda v: v["name"])
def test_a_field_is_encrypted_and_decrypted_to_the_known_answer(vector: dict[str, str]) -> None:
    sealed = encrypt_field(vector["plaintext"], key=vector["key"], nonce=vector["nonce"])
    assert sealed == vector["ciphertext"]
    plaintext = decrypt_field(vector["ciphertext"], key=vector["key"], nonce=vector["nonce"])
    assert plaintext == vector["plaintext"]


@pytest.mark.acceptance(39, "known-answer")
@pytest.mark.parametrize("vector", VECTORS["cards"], ids=lambda v: v["name"])
def test_a_card_is_encrypted_to_the_known_fields(vector: dict[str, Any]) -> None:
    card = CardEncryptor(vector["key"]).encrypt_card(**vector["card"], nonce=vector["nonce"])
    assert card.to_wire() == vector["wire"]


@pytest.mark.acceptance(39, "known-answer")
@pytest.mark.parametrize("vector", VECTORS["pins"], ids=lambda v: v["name"])
def test_a_pin_is_encrypted_to_the_known_fields(vector: dict[str, Any]) -> None:
    pin = CardEncryptor(vector["key"]).encrypt_pin(vector["pin"], nonce=vector["nonce"])
    assert pin.to_wire() == vector["wire"]


def test_a_card_opens_to_what_was_typed(encryptor: CardEncryptor) -> None:
    card = encryptor.encrypt_card(
        number="5531-8866 5214 2950", expiry_month="3", expiry_year=29, cvv="012"
    )
    assert opened(card) == ["5531886652142950", "03", "2029", "012"]
    assert opened(encryptor.encrypt_pin("0042")) == ["0042"]


@pytest.mark.parametrize(
    ("given_month", "wire"), [(1, "01"), (12, "12"), ("1", "01"), ("01", "01"), ("12", "12")]
)
def test_months_have_two_digits_on_the_wire(
    encryptor: CardEncryptor, given_month: int | str, wire: str
) -> None:
    assert opened(encryptor.encrypt_card(**{**CARD, "expiry_month": given_month}))[1] == wire


@pytest.mark.parametrize(
    ("given_year", "wire"),
    [
        (2028, "2028"),
        ("2028", "2028"),
        (28, "2028"),
        ("28", "2028"),
        ("07", "2007"),
        (2099, "2099"),
    ],
)
def test_years_have_four_digits_on_the_wire(
    encryptor: CardEncryptor, given_year: int | str, wire: str
) -> None:
    assert opened(encryptor.encrypt_card(**{**CARD, "expiry_year": given_year}))[2] == wire


def test_a_date_in_the_past_is_for_the_issuer_to_refuse(encryptor: CardEncryptor) -> None:
    assert opened(encryptor.encrypt_card(**{**CARD, "expiry_year": 2001}))[2] == "2001"


def with_check_digit(body: str) -> str:
    """Complete a number by the definition of Luhn, digit by digit."""
    total = 0
    for position, digit in enumerate(reversed(body)):
        doubled = int(digit) * (2 if position % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return body + str(-total % 10)


@given(st.text("0123456789", min_size=11, max_size=18).map(with_check_digit))
def test_every_number_with_its_check_digit_passes_and_no_other_last_digit(number: str) -> None:
    encryptor = CardEncryptor(KEY)
    assert opened(encryptor.encrypt_card(**{**CARD, "number": number}))[0] == number
    for digit in set("0123456789") - {number[-1]}:
        with pytest.raises(ValueError, match="check digit"):
            encryptor.encrypt_card(**{**CARD, "number": number[:-1] + digit})


# --- row 36: keys and nonces --------------------------------------------------------------

BAD_KEYS: dict[str, object] = {
    "31 bytes": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
    "33 bytes": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g",
    "16 bytes": "AAECAwQFBgcICQoLDA0ODw==",
    "hex": "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    "url-safe alphabet": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH-_=",
    "the guide's placeholder": "YOUR_ENCRYPTION_KEY_FROM_DASHBOARD",
    "junk": "not a key at all, but quite long, really!!!",
    "padding in the middle": "AAECAwQFBgcICQoLDA0=DxAREhMUFRYXGBkaGxwdHh8=",
    "too much padding": KEY + "=",
    "full-width letters": "\uff21" * 43 + "=",
    "empty": "",
    "none": None,
    "bytes": bytes(32),
}


@pytest.mark.acceptance(36, "odd-encryption-key")
@pytest.mark.parametrize("fault", BAD_KEYS)
def test_a_bad_key_is_refused_and_not_shown(fault: str) -> None:
    key: Any = BAD_KEYS[fault]
    builds: list[Callable[[], object]] = [
        lambda: CardEncryptor(key),
        lambda: encrypt_field("1", key=key, nonce="abc123def456"),
    ]
    for build in builds:
        with pytest.raises(ConfigError, match="not base64 of 32 bytes") as caught:
            build()
        assert not key or str(key) not in str(caught.value)


@pytest.mark.acceptance(36, "odd-encryption-key")
@pytest.mark.parametrize(
    "key", [KEY, KEY.rstrip("="), f"  {KEY}\n", f"{KEY[:20]}\r\n{KEY[20:]}"], ids=repr
)
def test_a_key_as_people_paste_it_is_accepted(key: str) -> None:
    assert opened(CardEncryptor(key).encrypt_pin("1234")) == ["1234"]


def test_an_unknown_alphabet_is_refused() -> None:
    alphabet: Any = "HEX"
    with pytest.raises(ConfigError, match="alphabet must be"):
        CardEncryptor(KEY, alphabet)


BAD_NONCES: dict[str, object] = {
    "empty": "",
    "11 characters": "abc123def45",
    "13 characters": "abc123def4567",
    "24 hex characters": "abc123def456abc123def456",
    "non-ASCII": "abc123def45\u0661",
    "non-ASCII of 12 bytes": "abc123def4\u00e9",
    "bytes": b"abc123def456",
    "a number": 123456789012,
}


@pytest.mark.acceptance(36, "odd-encryption-key")
@pytest.mark.parametrize("fault", BAD_NONCES)
def test_a_bad_nonce_is_refused_and_not_shown(encryptor: CardEncryptor, fault: str) -> None:
    nonce: Any = BAD_NONCES[fault]
    builds: list[Callable[[], object]] = [
        lambda: encryptor.encrypt_card(**CARD, nonce=nonce),
        lambda: encryptor.encrypt_pin("1234", nonce=nonce),
        lambda: encrypt_field("1234", key=KEY, nonce=nonce),
        lambda: decrypt_field("7n0dbdlBD0SfjAvhr1FJlbderws=", key=KEY, nonce=nonce),
    ]
    for build in builds:
        with pytest.raises(ValueError, match=r"^nonce ") as caught:
            build()
        assert not nonce or str(nonce) not in str(caught.value)


@pytest.mark.parametrize(
    ("alphabet", "characters"),
    [
        ("hex", "0123456789abcdef"),
        ("alphanumeric", "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ],
)
def test_fresh_nonces_have_twelve_characters_of_the_alphabet(
    alphabet: Any, characters: str
) -> None:
    encryptor = CardEncryptor(KEY, alphabet)
    nonces = [encryptor.encrypt_card(**CARD).card_nonce for _ in range(300)]
    nonces += [encryptor.encrypt_pin("1234").auth_pin_nonce for _ in range(300)]
    assert len(set(nonces)) == 600
    assert {len(nonce) for nonce in nonces} == {12}
    # 7,200 characters: that one of at most 62 never comes up happens once in 10**49 runs.
    assert set("".join(nonces)) == set(characters)


# --- row 37: what a card may say ----------------------------------------------------------

BAD_CARDS: dict[str, tuple[str, object]] = {
    "full-width digits": ("number", "\uff14\uff11" + NUMBER[2:]),
    "Arabic digits": ("number", "\u0664" + NUMBER[1:]),
    "superscript digits": ("number", "\u00b2" + NUMBER[1:]),
    "letters": ("number", "4111x11111111111"),
    "a newline": ("number", NUMBER + "\n"),
    "half a surrogate pair": ("number", NUMBER + "\ud800"),
    "a failing Luhn digit": ("number", NUMBER[:-1] + "2"),
    "the guide's sample number": ("number", "4532123456789010"),
    "11 digits": ("number", "41111111111"),
    "20 digits": ("number", "41111111111111111112"),
    "empty number": ("number", ""),
    "separators only": ("number", " - - "),
    "number as int": ("number", 4111111111111111),
    "no number": ("number", None),
    "month 13": ("expiry_month", 13),
    "month 13 as text": ("expiry_month", "13"),
    "month 0": ("expiry_month", 0),
    "month 00": ("expiry_month", "00"),
    "month 012": ("expiry_month", "012"),
    "negative month": ("expiry_month", -1),
    "month True": ("expiry_month", True),
    "month as float": ("expiry_month", 1.0),
    "month as list": ("expiry_month", [1]),
    "month in Arabic digits": ("expiry_month", "\u0661"),
    "year 1999": ("expiry_year", 1999),
    "year 2100": ("expiry_year", 2100),
    "year of three digits": ("expiry_year", "202"),
    "year of five digits": ("expiry_year", "02028"),
    "year of 10,000 digits": ("expiry_year", 10**10_000),
    "year as bool": ("expiry_year", True),
    "no year": ("expiry_year", None),
    "CVV of 2 digits": ("cvv", "12"),
    "CVV of 5 digits": ("cvv", "12345"),
    "CVV as int": ("cvv", 123),
    "CVV with a space": ("cvv", "12 "),
    "CVV in full-width digits": ("cvv", "\uff11\uff12\uff13"),
    "no CVV": ("cvv", None),
}


@pytest.mark.acceptance(37, "odd-card-digits")
@pytest.mark.parametrize("fault", BAD_CARDS)
def test_a_bad_card_is_refused_without_its_digits(encryptor: CardEncryptor, fault: str) -> None:
    field, value = BAD_CARDS[fault]
    with pytest.raises(ValueError, match=f"^{field} ") as caught:
        encryptor.encrypt_card(**{**CARD, field: value})
    message = str(caught.value)
    assert NUMBER[:6] not in message
    if isinstance(value, str) and len(value.strip(" -")) > 2:
        assert value not in message


@pytest.mark.acceptance(37, "odd-card-digits")
@pytest.mark.parametrize(
    "pin",
    ["123", "1234567", "12a4", "\u0661\u0662\u0663\u0664", "1234\n", "", 1234, None],
    ids=repr,
)
def test_a_bad_pin_is_refused_without_its_digits(encryptor: CardEncryptor, pin: Any) -> None:
    with pytest.raises(ValueError, match=r"^pin must be text of 4 to 6 digits") as caught:
        encryptor.encrypt_pin(pin)
    assert not pin or len(str(pin)) < 3 or str(pin) not in str(caught.value)


@pytest.mark.parametrize("pin", ["1234", "12345", "123456"])
def test_pins_of_four_to_six_digits(encryptor: CardEncryptor, pin: str) -> None:
    assert opened(encryptor.encrypt_pin(pin)) == [pin]


@pytest.mark.acceptance(37, "odd-card-digits")
@pytest.mark.parametrize("vector", VECTORS["bad_cards"], ids=lambda v: v["name"])
def test_the_browsers_bad_cards_are_refused_here_too(
    encryptor: CardEncryptor, vector: dict[str, str]
) -> None:
    card = {**VECTORS["cards"][0]["card"], vector["field"]: vector["value"]}
    with pytest.raises(ValueError, match=f"^{vector['field']} "):
        encryptor.encrypt_card(**card)


@pytest.mark.acceptance(36, "odd-encryption-key", 37, "odd-card-digits")
def test_the_browsers_bad_keys_nonces_and_pins_are_refused_here_too(
    encryptor: CardEncryptor,
) -> None:
    for key in VECTORS["bad_keys"]:
        with pytest.raises(ConfigError):
            CardEncryptor(key)
    for nonce in VECTORS["bad_nonces"]:
        with pytest.raises(ValueError, match=r"^nonce "):
            encryptor.encrypt_pin("1234", nonce=nonce)
    for pin in VECTORS["bad_pins"]:
        with pytest.raises(ValueError, match=r"^pin "):
            encryptor.encrypt_pin(pin)


# --- row 38: a nonce is used once ---------------------------------------------------------


@pytest.mark.acceptance(38, "nonce-reuse")
def test_a_nonce_is_refused_the_second_time(encryptor: CardEncryptor) -> None:
    encryptor.encrypt_card(**CARD, nonce="abc123def456")
    encryptor.encrypt_pin("1234", nonce="abc123def457")
    encryptions: list[Callable[[], object]] = [
        lambda: encryptor.encrypt_card(**CARD, nonce="abc123def456"),
        lambda: encryptor.encrypt_pin("1234", nonce="abc123def457"),
    ]
    for encrypt in encryptions:
        with pytest.raises(ValueError, match="used before by this encryptor"):
            encrypt()


@pytest.mark.acceptance(38, "nonce-reuse")
def test_a_pin_is_refused_under_its_cards_nonce(encryptor: CardEncryptor) -> None:
    card = encryptor.encrypt_card(**CARD)
    with pytest.raises(ValueError, match="used for a card before: a PIN needs") as caught:
        encryptor.encrypt_pin("1234", nonce=card.card_nonce)
    assert card.card_nonce not in str(caught.value)
    pin = encryptor.encrypt_pin("1234")
    with pytest.raises(ValueError, match="used for a PIN before: a card needs"):
        encryptor.encrypt_card(**CARD, nonce=pin.auth_pin_nonce)


@pytest.mark.acceptance(38, "nonce-reuse")
def test_a_fresh_nonce_that_was_used_before_is_drawn_again(
    encryptor: CardEncryptor, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter([bytes(6), bytes(6), b"\1" * 6])
    monkeypatch.setattr("dgspay.encryption.os.urandom", lambda _: next(drawn))
    assert encryptor.encrypt_card(**CARD).card_nonce == "000000000000"
    assert encryptor.encrypt_card(**CARD).card_nonce == "010101010101"


def test_a_refused_card_does_not_use_up_its_nonce(encryptor: CardEncryptor) -> None:
    with pytest.raises(ValueError, match="cvv"):
        encryptor.encrypt_card(**{**CARD, "cvv": "1"}, nonce="abc123def456")
    assert encryptor.encrypt_card(**CARD, nonce="abc123def456").card_nonce == "abc123def456"


@pytest.mark.acceptance(38, "nonce-reuse")
def test_of_many_threads_one_gets_a_nonce(encryptor: CardEncryptor) -> None:
    start = threading.Barrier(8)
    won: list[str] = []

    def race() -> None:
        start.wait()
        for turn in range(200):
            try:
                won.append(encryptor.encrypt_pin("1234", nonce=f"{turn:012}").auth_pin_nonce)
            except ValueError:
                continue

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [f"{turn:012}" for turn in range(200)]


# --- nothing secret is shown --------------------------------------------------------------


def test_the_encryptor_shows_nothing_and_cannot_be_pickled(encryptor: CardEncryptor) -> None:
    assert f"{encryptor} {encryptor!r}" == "CardEncryptor(***) CardEncryptor(***)"
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(encryptor)
    assert not hasattr(encryptor, "__dict__")


SECRETS = ["4111111111111111", "4111-1111-1111-1111", "987", "4711", KEY, "abc123def456"]

CRASHES: dict[str, Callable[[CardEncryptor], object]] = {
    "month": lambda e: e.encrypt_card(
        number="4111-1111-1111-1111", expiry_month=13, expiry_year=2028, cvv="987"
    ),
    "Luhn": lambda e: e.encrypt_card(
        number="4111-1111-1111-1111"[:-1] + "3", expiry_month=1, expiry_year=28, cvv="987"
    ),
    "card nonce": lambda e: e.encrypt_card(
        number="4111-1111-1111-1111",
        expiry_month=1,
        expiry_year=28,
        cvv="987",
        nonce="abc123def456" * 2,
    ),
    "reused nonce": lambda e: [
        e.encrypt_card(
            number="4111-1111-1111-1111",
            expiry_month=1,
            expiry_year=28,
            cvv="987",
            nonce="abc123def456",
        )
        for _ in range(2)
    ],
    "PIN": lambda e: e.encrypt_pin("4711" * 2),
    "PIN nonce": lambda e: e.encrypt_pin("4711", nonce="abc123def4567"),
    "key": lambda e: CardEncryptor(KEY + "!"),
    "field": lambda e: encrypt_field("4711", key=KEY, nonce="abc123def4567"),
    "half a surrogate pair": lambda e: encrypt_field("4711\ud800", key=KEY, nonce="abc123def456"),
    "decryption": lambda e: decrypt_field("4711" * 8, key=KEY, nonce="abc123def456"),
}


@pytest.mark.acceptance(37, "odd-card-digits")
@pytest.mark.parametrize("crash", CRASHES)
def test_a_crash_report_with_locals_shows_no_secret(encryptor: CardEncryptor, crash: str) -> None:
    with pytest.raises((ValueError, ConfigError)) as caught:
        CRASHES[crash](encryptor)
    assert caught.value.__context__ is None
    shown = shown_by_the_library(caught.value)
    assert not [secret for secret in SECRETS if secret in shown]


def test_importing_the_module_loads_no_cryptography() -> None:
    program = (
        "import sys, dgspay.encryption\n"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in "
        "('cryptography', 'httpx', 'anyio', 'cattrs')))\n"
        f"dgspay.encryption.CardEncryptor({KEY!r})\n"
        "print('cryptography' in sys.modules, 'httpx' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\nTrue False\n"

"""EncryptedCard and EncryptedPin: frozen, checked, and without a printable form."""

from __future__ import annotations

import copy
import io
import logging
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from dgspay.models.cards import EncryptedCard, EncryptedPin

CARD = {
    "card_encrypted_number": "63oda1oMNeWjs//G2Dtw7hF5YVpWFUu4wUlBIDo4pjc=",
    "card_encrypted_expiry_month": "7n3Y4sC0bAetrjHFpM2zPYIQ",
    "card_encrypted_expiry_year": "7X8cYT+LT1yGAqIUbz+39JIX9ug=",
    "card_encrypted_cvv": "7n0d73RO7SL4Im0W9t46jt8Qhg==",
    "card_nonce": "abc123def456",
}
PIN = {"auth_pin_encrypted": "7n0dbdlBD0SfjAvhr1FJlbderws=", "auth_pin_nonce": "abc123def457"}

MALFORMED_CIPHERTEXTS = {
    "empty": "",
    "not base64": "!!!!" + "A" * 24,
    "url-safe alphabet": "7n0d73RO7SL4Im0W9t46jt8Qh-==",
    "no padding": "7n0d73RO7SL4Im0W9t46jt8Qhg",
    "a newline": "7n0d73RO7SL4Im0W9t46jt8Qhg==\n",
    "full-width letters": "\uff21" * 24,
    "plain card number": "4111111111111111",
    "shorter than a tag": "QUJDREVGR0hJSktM",
    "far too long": "QUJD" * 100,
}
MALFORMED_NONCES = {
    "empty": "",
    "11 characters": "abc123def45",
    "13 characters": "abc123def4567",
    "24 hex characters": "abc123def456abc123def456",
    "non-ASCII": "abc123def45\u0661",
    "a space": "abc123 ef456",
    "a control character": "abc123def45\n",
}


def shown_by_the_library(error: BaseException) -> str:
    """What a crash reporter shows of an error: its message, and the locals of our frames."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [frame for frame in report.stack if "/dgspay/" in frame.filename]
    assert frames
    return "\n".join([str(error), *(f"{frame.name}: {frame.locals}" for frame in frames)])


def test_attributes_read_back_as_plain_text() -> None:
    card = EncryptedCard(**CARD)
    pin = EncryptedPin(**PIN)
    for field, text in CARD.items():
        assert getattr(card, field) == text
        assert type(getattr(card, field)) is str
    for field, text in PIN.items():
        assert getattr(pin, field) == text
    assert card.to_wire() == CARD
    assert pin.to_wire() == PIN


def test_from_mapping_takes_what_a_browser_posted() -> None:
    posted: dict[str, object] = {**CARD, "order": 12}
    assert EncryptedCard.from_mapping(posted) == EncryptedCard(**CARD)
    assert EncryptedPin.from_mapping(PIN) == EncryptedPin(**PIN)


@pytest.mark.parametrize("posted", [None, [], "x", 12, b"{}"])
def test_from_mapping_refuses_what_is_no_object(posted: Any) -> None:
    with pytest.raises(ValueError, match="EncryptedCard needs a JSON object"):
        EncryptedCard.from_mapping(posted)


@pytest.mark.parametrize("field", CARD)
@pytest.mark.parametrize("value", [None, 12, True, ["x"], {}, b"abc123def456"])
def test_from_mapping_names_the_field_that_is_not_text(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{field} is missing"):
        EncryptedCard.from_mapping({**CARD, field: value})


@pytest.mark.parametrize("field", CARD)
def test_from_mapping_names_the_field_that_is_missing(field: str) -> None:
    with pytest.raises(ValueError, match=f"^{field} is missing"):
        EncryptedCard.from_mapping({name: text for name, text in CARD.items() if name != field})


@pytest.mark.parametrize("field", [name for name in CARD if name != "card_nonce"])
@pytest.mark.parametrize("fault", MALFORMED_CIPHERTEXTS)
def test_a_malformed_ciphertext_is_refused_and_not_shown(field: str, fault: str) -> None:
    value = MALFORMED_CIPHERTEXTS[fault]
    with pytest.raises(ValueError, match=f"^{field} ") as caught:
        EncryptedCard(**{**CARD, field: value})
    if value:
        assert value not in str(caught.value)


@pytest.mark.acceptance(36, "odd-encryption-key")
@pytest.mark.parametrize("fault", MALFORMED_NONCES)
def test_a_malformed_nonce_is_refused_and_not_shown(fault: str) -> None:
    value = MALFORMED_NONCES[fault]
    builds: list[Callable[[], object]] = [
        lambda: EncryptedCard(**{**CARD, "card_nonce": value}),
        lambda: EncryptedPin(**{**PIN, "auth_pin_nonce": value}),
    ]
    for build in builds:
        with pytest.raises(ValueError, match="_nonce ") as caught:
            build()
        if value:
            assert value not in str(caught.value)


@pytest.mark.acceptance(36, "odd-encryption-key")
def test_a_nonce_of_24_characters_is_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match="the guide's text says 24 hex characters") as caught:
        EncryptedCard(**{**CARD, "card_nonce": "00112233445566778899aabb"})
    assert "00112233" not in str(caught.value)


SHOWN: dict[str, Callable[[object], str]] = {
    "repr": repr,
    "str": str,
    "format": lambda value: f"{value:>40}",
    "percent": lambda value: "%s %r" % (value, value),  # noqa: UP031 - a form users write
    "in a list": lambda value: repr([value]),
}


@pytest.mark.parametrize("form", SHOWN)
@pytest.mark.parametrize("value", [EncryptedCard(**CARD), EncryptedPin(**PIN)], ids=repr)
def test_no_form_of_printing_shows_a_field(form: str, value: EncryptedCard | EncryptedPin) -> None:
    shown = SHOWN[form](value)
    assert f"{type(value).__name__}(***)" in shown
    for text in value.to_wire().values():
        assert text not in shown


def test_a_log_record_does_not_show_a_field() -> None:
    stream = io.StringIO()
    logger = logging.Logger("shop")  # noqa: LOG001 - a logger of its own, not the root's child
    logger.addHandler(logging.StreamHandler(stream))
    logger.error("charging %s", EncryptedCard(**CARD))
    assert stream.getvalue() == "charging EncryptedCard(***)\n"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_neither_can_be_pickled(protocol: int) -> None:
    for value in (EncryptedCard(**CARD), EncryptedPin(**PIN)):
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(value, protocol)


def test_a_copy_is_the_value_itself() -> None:
    card = EncryptedCard(**CARD)
    assert copy.copy(card) is card
    assert copy.deepcopy({"card": card})["card"] is card


def test_no_field_of_a_card_can_be_set_or_deleted() -> None:
    card: Any = EncryptedCard(**CARD)
    changes: list[Callable[[], object]] = [
        lambda: setattr(card, "card_nonce", "x"),
        lambda: setattr(card, "extra", "x"),
        lambda: delattr(card, "card_nonce"),
    ]
    for change in changes:
        with pytest.raises(AttributeError):
            change()
    assert not hasattr(card, "__dict__")


def test_equality_is_by_kind_and_fields() -> None:
    assert EncryptedCard(**CARD) == EncryptedCard(**CARD)
    assert hash(EncryptedCard(**CARD)) == hash(EncryptedCard(**CARD))
    assert EncryptedCard(**CARD) != EncryptedCard(**{**CARD, "card_nonce": "abc123def457"})
    assert EncryptedCard(**CARD) != EncryptedPin(**PIN)
    assert EncryptedCard(**CARD) != CARD


def test_fields_of_a_pin_are_given_by_name_only() -> None:
    build: Any = EncryptedPin
    with pytest.raises(TypeError):
        build(PIN["auth_pin_encrypted"], PIN["auth_pin_nonce"])


@pytest.mark.parametrize("field", CARD)
def test_a_crash_report_with_locals_shows_no_field(field: str) -> None:
    posted = {**CARD, field: "not-this-one!"}
    builds: list[Callable[[], object]] = [
        lambda: EncryptedCard.from_mapping(posted),
        lambda: EncryptedCard(**posted),
    ]
    for build in builds:
        with pytest.raises(ValueError, match=field) as caught:
            build()
        shown = shown_by_the_library(caught.value)
        assert not [text for text in posted.values() if text in shown]


def test_importing_the_module_loads_no_cryptography() -> None:
    import subprocess
    import sys

    program = (
        "import sys, dgspay.models.cards\n"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in "
        "('cryptography', 'httpx', 'anyio', 'cattrs')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"

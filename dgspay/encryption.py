"""Encrypts card and PIN fields for DGS-Pay, where the payer's own device runs Python.

Who may use it (guide, "Card Data Encryption", rules marked mandatory): a card is encrypted
in the payer's browser or app and never on a merchant's server, not even for a moment. So on
a server this module is for sandbox tests with test cards, and otherwise for software that is
itself the payer's device: a kiosk, a till, a desktop app. A web shop uses
`dgspay.browser` and receives an `EncryptedCard`; with this module it would see raw card
numbers, and that breaks the vendor's rules and puts the whole server in scope of PCI DSS.

What the shared nonce gives away: the wire format encrypts number, month, year and CVV under
one nonce, and AES-GCM with equal nonces has equal key-stream. An observer of the four
ciphertexts can xor them, and since a year begins with "20" and a month is one of twelve, gets
the CVV, the month and the first digits of the number without the key. The format is the
vendor's and cannot be changed here. Treat `card_encrypted_*` like the card itself: never log
it, never store it, send it once. The key is symmetric, too: what a page needs in order to
encrypt is enough to decrypt.

    encryptor = CardEncryptor(key)
    card = encryptor.encrypt_card(
        number="4111 1111 1111 1111", expiry_month=12, expiry_year=2028, cvv="123"
    )
    charge = dgs.charges.card(card=card, ...)
    charge = dgs.charges.authorize_pin(charge.dgs_reference, pin=encryptor.encrypt_pin("1234"))
"""

from __future__ import annotations

import os
import re
import secrets
import string
from binascii import a2b_base64, b2a_base64, hexlify
from typing import TYPE_CHECKING, Literal, NoReturn, final, get_args

from dgspay.errors import ConfigError
from dgspay.forks import undivided
from dgspay.models.cards import NONCE_CHARACTERS, EncryptedCard, EncryptedPin, check_nonce
from dgspay.secret import MASK, Secret, sealed_text

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = [
    "CardEncryptor",
    "EncryptedCard",
    "EncryptedPin",
    "NonceAlphabet",
    "decrypt_field",
    "encrypt_field",
]

NonceAlphabet = Literal["hex", "alphanumeric"]
"""Alphabets of nonces: `hex` is the vendor's (48 bits), `alphanumeric` has 71 bits."""

_Purpose = Literal["card", "PIN"]

# 32 bytes are 43 base64 characters, whether or not the padding was copied with them.
_KEY = re.compile(r"([A-Za-z0-9+/]{43})=?", re.ASCII)

# Month and year as people and programs write them, each with its form on the wire.
_MONTHS: dict[int | str, bytes] = {
    spelling: b"%02d" % month
    for month in range(1, 13)
    for spelling in (month, str(month), f"{month:02}")
}
_YEARS: dict[int | str, bytes] = {
    spelling: b"%d" % year
    for year in range(2000, 2100)
    for spelling in (year, str(year), year % 100, str(year % 100), f"{year % 100:02}")
}

_CARD_NUMBER_LENGTHS = range(12, 20)
_CVV_LENGTHS = range(3, 5)
# ISO 9564 allows 4 to 12 digits; Visa and Mastercard issue 4 to 6, the upstream asks for 4.
_PIN_LENGTHS = range(4, 7)

# Every second digit doubled, its own two digits added up: 7 becomes 14 becomes 5.
_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")

_ALPHANUMERIC = string.ascii_letters + string.digits


@final
class CardEncryptor:
    """Encrypts cards and PINs under one merchant key; every nonce is used once.

    It may be shared between threads. It remembers the nonces it used (about 200 bytes for
    each card), so that none is ever used twice by it.

    Args:
        key: The encryption key of the merchant portal, Settings -> API Settings: base64 of 32
            bytes. Test and live have different keys.
        alphabet: What nonces are made of. `hex` is certain to be accepted, because it is what
            the vendor's own code makes. `alphanumeric` has more entropy and is accepted
            upstream; that DGS-Pay accepts it is assumed.

    Raises:
        ConfigError: when the key is not base64 of 32 bytes, or the alphabet is unknown. The
            key is not shown.
    """

    __slots__ = ("_alphabet", "_encrypt", "_used")

    def __init__(self, key: str, alphabet: NonceAlphabet = "hex") -> None:
        held = sealed_text(key)
        del key
        if alphabet not in get_args(NonceAlphabet):
            raise ConfigError("alphabet must be 'hex' or 'alphanumeric'")
        self._encrypt = _aes(held).encrypt
        self._alphabet: NonceAlphabet = alphabet
        # By their hashes: a nonce is as good as card data, and would be shown with the keys.
        self._used: dict[int, list[_Purpose]] = {}

    def encrypt_card(
        self,
        *,
        number: str,
        expiry_month: int | str,
        expiry_year: int | str,
        cvv: str,
        nonce: str | None = None,
    ) -> EncryptedCard:
        """Encrypt a card's four fields under one fresh nonce.

        Args:
            number: 12 to 19 ASCII digits with a valid check digit; spaces and hyphens between
                them are fine.
            expiry_month: 1 to 12, or text such as "03".
            expiry_year: 2028, or text; two digits as printed on the card mean 20xx. A date
                in the past is not refused: whether a card has expired is its issuer's to say.
            cvv: 3 or 4 digits.
            nonce: 12 ASCII characters, for tests that need the same bytes again. Leave it out
                otherwise.

        Raises:
            ValueError: naming the field that is wrong and never showing what it holds; also
                for a nonce that was used before.
        """
        wanted = None if nonce is None else sealed_text(nonce)
        try:
            fault = _card_fault(number, expiry_month, expiry_year, cvv)
            if fault is not None:
                raise ValueError(fault)
            iv, encrypt = self._claim(wanted, "card"), self._encrypt
            # b2a_base64 ends every field with a newline, which is how the value holds them.
            return EncryptedCard.trusted(
                b2a_base64(encrypt(iv, _digits(number).encode(), None))
                + b2a_base64(encrypt(iv, _MONTHS[expiry_month], None))
                + b2a_base64(encrypt(iv, _YEARS[expiry_year], None))
                + b2a_base64(encrypt(iv, cvv.encode(), None))
                + iv
            )
        finally:
            # A traceback that shows locals must not find them here.
            del number, expiry_month, expiry_year, cvv, nonce

    def encrypt_pin(self, pin: str, *, nonce: str | None = None) -> EncryptedPin:
        """Encrypt a card's PIN under a fresh nonce of its own.

        Args:
            pin: 4 to 6 ASCII digits, as text.
            nonce: 12 ASCII characters, for tests that need the same bytes again. Leave it out
                otherwise.

        Raises:
            ValueError: when the PIN is not 4 to 6 digits, which are not shown; also for a
                nonce that was used before, above all by the card this PIN belongs to.
        """
        wanted = None if nonce is None else sealed_text(nonce)
        try:
            if not _is_digits(pin, _PIN_LENGTHS):
                raise ValueError("pin must be text of 4 to 6 digits (0 to 9)")
            iv = self._claim(wanted, "PIN")
            return EncryptedPin.trusted(b2a_base64(self._encrypt(iv, pin.encode(), None)) + iv)
        finally:
            # A traceback that shows locals must not find them here.
            del pin, nonce

    def _claim(self, wanted: Secret | None, purpose: _Purpose) -> bytes:
        """Take a nonce for this one use, the caller's or a fresh one, as the bytes it is."""
        # A list of its own for each use: setdefault is atomic, and hands back this very list
        # to the one caller who got the nonce.
        claim: list[_Purpose] = [purpose]
        if wanted is None:
            while True:
                fresh = _fresh_nonce(self._alphabet)
                if self._used.setdefault(hash(fresh), claim) is claim:
                    return fresh
        check_nonce("nonce", wanted)
        holder = self._used.setdefault(hash(wanted.reveal().encode()), claim)
        if holder is not claim:
            raise ValueError(_reuse(holder[0], purpose))
        return wanted.reveal().encode()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({MASK})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a CardEncryptor cannot be pickled: it holds the encryption key")


def encrypt_field(plaintext: str, *, key: str, nonce: str) -> str:
    """Encrypt one field as the wire format has it, without looking at what it says.

    It is the bare format, for known-answer tests: it checks neither the field nor that the
    nonce is fresh. For payments use `CardEncryptor`.

    Raises:
        ConfigError: when the key is not base64 of 32 bytes.
        ValueError: when the nonce is not 12 ASCII characters, or the plaintext has half a
            surrogate pair, which no bytes stand for.
    """
    field, held_key, held_nonce = sealed_text(plaintext), sealed_text(key), sealed_text(nonce)
    del plaintext, key, nonce
    check_nonce("nonce", held_nonce)
    aes = _aes(held_key)
    try:
        return b2a_base64(
            aes.encrypt(held_nonce.reveal().encode(), field.reveal().encode(), None),
            newline=False,
        ).decode()
    except UnicodeEncodeError:
        pass
    # Raised here, because that error holds the plaintext and would be this one's context.
    raise ValueError("the plaintext is not valid text: it has half a surrogate pair")


def decrypt_field(ciphertext: str, *, key: str, nonce: str) -> str:
    """Decrypt one field: for tests, and for a stand-in of DGS-Pay such as the emulator.

    Raises:
        ConfigError: when the key is not base64 of 32 bytes.
        ValueError: when the nonce is not 12 ASCII characters, or the field is not base64 or
            was not encrypted under this key and nonce.
    """
    with undivided:
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - loads when first used

    held, held_key, held_nonce = sealed_text(ciphertext), sealed_text(key), sealed_text(nonce)
    del ciphertext, key, nonce
    check_nonce("nonce", held_nonce)
    aes = _aes(held_key)
    try:
        return aes.decrypt(
            held_nonce.reveal().encode(),
            a2b_base64(held.reveal(), strict_mode=True),
            None,
        ).decode()
    except (InvalidTag, ValueError):  # bad base64 and bad UTF-8 are ValueErrors
        pass
    raise ValueError("the field is not base64, or was not encrypted under this key and nonce")


def _aes(key: Secret) -> AESGCM:
    with undivided:
        from cryptography.hazmat.primitives.ciphers.aead import (  # noqa: PLC0415 - loads when used
            AESGCM,
        )

    if _KEY.fullmatch("".join(key.reveal().split())) is None:
        raise ConfigError(
            "the encryption key is not base64 of 32 bytes (44 characters); copy it from the "
            "merchant portal, Settings -> API Settings: test and live have different keys"
        )
    return AESGCM(a2b_base64("".join(key.reveal().split()).rstrip("=") + "="))


def _fresh_nonce(alphabet: NonceAlphabet) -> bytes:
    if alphabet == "hex":
        return hexlify(os.urandom(NONCE_CHARACTERS // 2))
    return "".join(secrets.choice(_ALPHANUMERIC) for _ in range(NONCE_CHARACTERS)).encode()


def _reuse(earlier: str, purpose: str) -> str:
    if earlier != purpose:
        return (
            f"nonce was used for a {earlier} before: a {purpose} needs a nonce of its own, or "
            "its digits can be read off the two ciphertexts"
        )
    return "nonce was used before by this encryptor: a nonce is used once"


# --- what a card may say ------------------------------------------------------------------
# The checks return the broken rule and never raise, so that no frame of theirs, with a card
# in its locals, is ever part of a traceback.


def _card_fault(number: object, month: object, year: object, cvv: object) -> str | None:
    digits = _digits(number) if isinstance(number, str) else ""
    if not _is_digits(digits, _CARD_NUMBER_LENGTHS):
        return "number must be text of 12 to 19 digits (0 to 9), spaces and hyphens allowed"
    if not _luhn_holds(digits):
        return "number is mistyped: its check digit does not fit (Luhn)"
    if not _is_listed(month, _MONTHS):
        return "expiry_month must be 1 to 12"
    if not _is_listed(year, _YEARS):
        return "expiry_year must be 2000 to 2099, or its last two digits"
    if not _is_digits(cvv, _CVV_LENGTHS):
        return "cvv must be text of 3 or 4 digits (0 to 9)"
    return None


def _digits(number: str) -> str:
    """The number without the separators people type."""
    return number.replace(" ", "").replace("-", "")


def _is_digits(value: object, lengths: range) -> bool:
    # isdigit alone takes full-width and Arabic digits, which would be encrypted as they are.
    return isinstance(value, str) and value.isascii() and value.isdigit() and len(value) in lengths


def _is_listed(value: object, spellings: dict[int | str, bytes]) -> bool:
    # By exact type, because True and 1.0 are found under 1.
    return (type(value) is int or type(value) is str) and value in spellings


def _luhn_holds(number: str) -> bool:
    digits = number.encode()
    summands = digits[-1::-2] + digits[-2::-2].translate(_DOUBLED)
    return (sum(summands) - ord("0") * len(summands)) % 10 == 0

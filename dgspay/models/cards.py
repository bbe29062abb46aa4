"""Encrypted card and PIN fields as the API takes them, in values without a printable form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar, NoReturn, Self, final

from dgspay.secret import MASK, Secret, sealed_text

NONCE_CHARACTERS = 12
"""The nonce's 12 ASCII characters are the initialisation vector, byte for byte."""

# AES-GCM adds a tag of 16 bytes, so one encrypted character is 17 bytes: 24 base64 characters.
MIN_CIPHERTEXT_CHARACTERS = 24
MAX_CIPHERTEXT_CHARACTERS = 88

_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", re.ASCII)
_PRINTABLE_ASCII = re.compile(r"[!-~]+", re.ASCII)


class _Encrypted:
    """Base of both values: frozen fields that are never shown.

    The ciphertexts are as good as the card itself. The wire format encrypts four fields
    under one nonce, and what that reveals is described in `dgspay.encryption`.
    """

    __slots__ = ("_wire",)

    _FIELDS: ClassVar[tuple[str, ...]]
    _NONCE: ClassVar[str]

    # All values in one holder, line by line: none of them can contain a newline.
    _wire: Secret

    def __init__(self, values: Mapping[str, Secret]) -> None:
        for field in self._FIELDS:
            if field == self._NONCE:
                check_nonce(field, values[field])
            else:
                _check_ciphertext(field, values[field])
        wire = Secret("\n".join(values[field].reveal() for field in self._FIELDS))
        _set_wire(self, wire)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, object]) -> Self:
        """Build one from the parsed JSON a browser posted; fields of other names are ignored.

        Raises:
            ValueError: naming the first field that is missing or malformed, never its value.
        """
        is_mapping = isinstance(mapping, Mapping)
        # Not `dict(mapping)`: what else the page posted is none of our business.
        values = (
            {field: sealed_text(mapping.get(field)) for field in cls._FIELDS} if is_mapping else {}
        )
        del mapping  # so that a traceback with locals does not show it
        if not is_mapping:
            raise ValueError(f"{cls.__name__} needs a JSON object with {', '.join(cls._FIELDS)}")
        built = cls.__new__(cls)
        _Encrypted.__init__(built, values)
        return built

    @classmethod
    def trusted(cls, lines: bytes) -> Self:
        """Wrap values the encryptor has just made: a line each, in the order of the attributes.

        Nothing is checked.
        """
        built = cls.__new__(cls)
        _set_wire(built, Secret(lines.decode()))
        return built

    def _value(self, position: int) -> str:
        return self._wire.reveal().split("\n")[position]

    def to_wire(self) -> dict[str, str]:
        """Return the fields of the request body. Treat the result like the card itself."""
        return dict(zip(self._FIELDS, self._wire.reveal().split("\n"), strict=True))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Encrypted) or type(other) is not type(self):
            return NotImplemented
        return self._wire == other._wire

    def __hash__(self) -> int:
        return hash((type(self), self._wire))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({MASK})"

    def __str__(self) -> str:
        return repr(self)

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be deleted")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} cannot be pickled: it is as good as the card")


# The one way past the frozen __setattr__.
_set_wire = _Encrypted.__dict__["_wire"].__set__


@final
class EncryptedCard(_Encrypted):
    """A card, encrypted for DGS-Pay (guide, "Card Data Encryption").

    It comes from the payer's browser (`from_mapping`) or from `CardEncryptor.encrypt_card`.
    It has no printable form, cannot be pickled, and must not be stored: what it holds is
    to be treated like the card number itself.

    Attributes:
        card_encrypted_number: Base64 ciphertext with its tag.
        card_encrypted_expiry_month: Base64 ciphertext with its tag.
        card_encrypted_expiry_year: Base64 ciphertext with its tag.
        card_encrypted_cvv: Base64 ciphertext with its tag.
        card_nonce: The 12 ASCII characters all four were encrypted under.

    Raises:
        ValueError: naming the field that is not base64, or a nonce that is not 12 ASCII
            characters; the message never shows the value.
    """

    __slots__ = ()

    _FIELDS = (
        "card_encrypted_number",
        "card_encrypted_expiry_month",
        "card_encrypted_expiry_year",
        "card_encrypted_cvv",
        "card_nonce",
    )
    _NONCE = "card_nonce"

    def __init__(
        self,
        *,
        card_encrypted_number: str,
        card_encrypted_expiry_month: str,
        card_encrypted_expiry_year: str,
        card_encrypted_cvv: str,
        card_nonce: str,
    ) -> None:
        values = {
            "card_encrypted_number": sealed_text(card_encrypted_number),
            "card_encrypted_expiry_month": sealed_text(card_encrypted_expiry_month),
            "card_encrypted_expiry_year": sealed_text(card_encrypted_expiry_year),
            "card_encrypted_cvv": sealed_text(card_encrypted_cvv),
            "card_nonce": sealed_text(card_nonce),
        }
        # A traceback that shows locals must not find them here.
        del card_encrypted_number, card_encrypted_expiry_month, card_encrypted_expiry_year
        del card_encrypted_cvv, card_nonce
        super().__init__(values)

    @property
    def card_encrypted_number(self) -> str:
        """Base64 ciphertext of the card number."""
        return self._value(0)

    @property
    def card_encrypted_expiry_month(self) -> str:
        """Base64 ciphertext of the month of expiry."""
        return self._value(1)

    @property
    def card_encrypted_expiry_year(self) -> str:
        """Base64 ciphertext of the year of expiry."""
        return self._value(2)

    @property
    def card_encrypted_cvv(self) -> str:
        """Base64 ciphertext of the CVV."""
        return self._value(3)

    @property
    def card_nonce(self) -> str:
        """The 12 ASCII characters all four fields were encrypted under."""
        return self._value(4)


@final
class EncryptedPin(_Encrypted):
    """A card's PIN, encrypted for DGS-Pay (guide, "Payment Authorization").

    Attributes:
        auth_pin_encrypted: Base64 ciphertext with its tag.
        auth_pin_nonce: The 12 ASCII characters it was encrypted under, never a card's.

    Raises:
        ValueError: naming the field that is not base64, or a nonce that is not 12 ASCII
            characters; the message never shows the value.
    """

    __slots__ = ()

    _FIELDS = ("auth_pin_encrypted", "auth_pin_nonce")
    _NONCE = "auth_pin_nonce"

    def __init__(self, *, auth_pin_encrypted: str, auth_pin_nonce: str) -> None:
        values = {
            "auth_pin_encrypted": sealed_text(auth_pin_encrypted),
            "auth_pin_nonce": sealed_text(auth_pin_nonce),
        }
        # A traceback that shows locals must not find them here.
        del auth_pin_encrypted, auth_pin_nonce
        super().__init__(values)

    @property
    def auth_pin_encrypted(self) -> str:
        """Base64 ciphertext of the PIN."""
        return self._value(0)

    @property
    def auth_pin_nonce(self) -> str:
        """The 12 ASCII characters the PIN was encrypted under."""
        return self._value(1)


def check_nonce(field: str, nonce: Secret) -> None:
    """Check that a nonce is 12 printable ASCII characters.

    Raises:
        ValueError: naming `field`; for 24 characters it says where they come from.
    """
    length = len(nonce.reveal())
    if length == 2 * NONCE_CHARACTERS:
        # The guide's prose says "12 bytes, 24 hex characters"; its code makes 12 characters
        # and uses their 12 ASCII bytes as they are. 24 would be a vector of 24 bytes.
        raise ValueError(
            f"{field} has 24 characters and must have {NONCE_CHARACTERS}: the guide's text says "
            "24 hex characters, but its code makes 12 and uses them as the 12 bytes of the IV"
        )
    if length != NONCE_CHARACTERS or not _PRINTABLE_ASCII.fullmatch(nonce.reveal()):
        raise ValueError(
            f"{field} is missing or is not exactly {NONCE_CHARACTERS} printable ASCII characters"
        )


def _check_ciphertext(field: str, ciphertext: Secret) -> None:
    fits = MIN_CIPHERTEXT_CHARACTERS <= len(ciphertext.reveal()) <= MAX_CIPHERTEXT_CHARACTERS
    if not fits or not _BASE64.fullmatch(ciphertext.reveal()):
        raise ValueError(
            f"{field} is missing or is not the base64 text of an encrypted field: "
            f"{MIN_CIPHERTEXT_CHARACTERS} to {MAX_CIPHERTEXT_CHARACTERS} ASCII characters, "
            "padded, without spaces"
        )

"""Text that must never be printed: its holder, and masks for text it may have slipped into."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, final

MASK = "***"

# Field names of the vendor's API whose values are secret or as good as card data.
SECRET_FIELDS = frozenset(
    {
        "card_encrypted_number",
        "card_encrypted_expiry_month",
        "card_encrypted_expiry_year",
        "card_encrypted_cvv",
        "card_nonce",
        "auth_pin_encrypted",
        "auth_pin_nonce",
        "auth_otp",
        "x-dgs-api-key",
        "authorization",
        "api_key",
        "pin",
        "otp",
        "cvv",
    }
)

_FEWEST_CARD_DIGITS = 13

# A key of the vendor's, or a run of digits long enough to be a card number.
_SECRET_LOOKING = re.compile(r"\bsk_[A-Za-z0-9_-]+|(?<!\d)(?:\d[ -]?){12,18}\d(?!\d)")

_SHORTEST_CARD = 10**12

# What is shorter may be a part of something harmless.
_SHORTEST_ANYWHERE = 12


@final
class Secret:
    """A string without a printable form; `reveal()` is the one way to its text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text. Use it in the expression that needs it and keep it in no variable."""
        return self._text

    def __eq__(self, other: object) -> bool:
        """Compare in constant time."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(
            self._text.encode("utf-8", "surrogatepass"),
            other._text.encode("utf-8", "surrogatepass"),
        )

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __reduce__(self) -> NoReturn:
        msg = "a secret cannot be pickled"
        raise TypeError(msg)


def masked(value: Any, secrets: Iterable[Secret] = ()) -> Any:
    """Return parsed JSON with secret fields, the given secrets and card-like numbers masked."""
    hidden = tuple(secrets)
    if isinstance(value, Mapping):  # metadata may be any
        return {
            key: (
                MASK
                if str(key).lower() in SECRET_FIELDS and item is not None
                else masked(item, hidden)
            )
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [masked(item, hidden) for item in value]
    if isinstance(value, str):
        return masked_text(value, hidden)
    if type(value) is int and (
        value >= _SHORTEST_CARD or any(secret.reveal() == str(value) for secret in hidden)
    ):
        return MASK
    return value


def masked_text(text: str, secrets: Iterable[Secret] = ()) -> str:
    """Return text with the given secrets, API keys and card-like numbers masked."""
    for secret in secrets:
        text = _without(text, secret)
    # Shorter than the shortest card number: most texts are, and need no search.
    if len(text) < _FEWEST_CARD_DIGITS and "sk_" not in text:
        return text
    return _SECRET_LOOKING.sub(MASK, text)


def _without(text: str, secret: Secret) -> str:
    if len(secret.reveal()) < _SHORTEST_ANYWHERE:
        # An OTP such as 123456 must not eat into a reference such as dgs_123456789.
        return re.sub(rf"(?<!\w){re.escape(secret.reveal())}(?!\w)", MASK, text)
    # JSON within JSON, as PHP writes it, has a backslash before each slash.
    text = text.replace(secret.reveal().replace("/", "\\/"), MASK)
    return text.replace(secret.reveal(), MASK)

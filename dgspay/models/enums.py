"""Open enums: the words the guide knows, and any other kept exactly as it came."""

from __future__ import annotations

import enum
from typing import Literal, Self

from dgspay.secret import masked_text


class OpenEnum(enum.StrEnum):
    """A text enum that accepts words it has never seen.

    An unknown word becomes a member whose `value` is the word as it came and whose
    `is_known` is False. It equals that text and nothing else. A member equals each of the vendor's
    words for it: a payment that is `PaymentStatus.SUCCESSFUL` is `"successful"` and `"success"`.
    Members of two enums are never equal: that a call was accepted (`CallStatus`) is not that
    something was paid (`PaymentStatus`).

    In sets and as keys use members, not words: two words of one member have two hashes.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        known = cls._synonyms().get(value)
        if known is None and (word := value.strip().casefold()) in cls._in_any_spelling():
            known = word
        if known is not None:
            return cls(known)
        member = str.__new__(cls, value)
        member._name_ = "UNRECOGNIZED"
        member._value_ = value
        return member

    @classmethod
    def _synonyms(cls) -> dict[str, str]:
        """Other words of the vendor's for the same thing."""
        return {}

    @classmethod
    def _in_any_spelling(cls) -> frozenset[str]:
        """Words that mean the same in capitals or with space around them."""
        return frozenset()

    def __eq__(self, other: object) -> bool:
        """Return whether it is the same word, or another of the vendor's for the same thing."""
        if isinstance(other, OpenEnum) and type(other) is not type(self):
            return False
        if str.__eq__(self, other) is True:
            return True
        return isinstance(other, str) and self._synonyms().get(str.__str__(other)) == self._value_

    def __ne__(self, other: object) -> bool:
        return not self == other

    # Of a word and its synonym only one has this hash: compare, and look nothing up by text.
    __hash__ = str.__hash__

    def __str__(self) -> str:
        """The word; one the guide does not list as `masked_text` shows it."""
        return self._value_ if self.is_known else masked_text(self._value_)

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}.{self._name_}: {masked_text(self._value_)!r}>"

    @property
    def is_known(self) -> bool:
        """Return whether the guide lists this word."""
        return self._name_ != "UNRECOGNIZED"


class CallStatus(OpenEnum):
    """Field `status` on top of an answer: how DGS-Pay took the call, not whether anything was paid.

    The guide ("Status vs Error Code"): `success` is the API's, "does not mean the payment
    succeeded"; `pending` and `failed` there are the payment's. No member equals one of
    `PaymentStatus`. Whether it is paid, `is_paid` says, and the webhook.
    """

    ACCEPTED = "success"
    PENDING = "pending"
    FAILED = "failed"


class PaymentStatus(OpenEnum):
    """Status of a payment, a disbursement or a conversion.

    The vendor has three vocabularies for it: `successful` in charges, `success` in the
    transaction list, `payment.success` in events. They are one here.

    "FAILED" and "Pending" are known words in another spelling. "SUCCESSFUL" is kept as it came: it
    counts as paid only in the guide's own spelling.
    """

    PENDING = "pending"
    SUCCESSFUL = "successful"
    FAILED = "failed"

    @classmethod
    def _synonyms(cls) -> dict[str, str]:
        return {"success": "successful"}

    @classmethod
    def _in_any_spelling(cls) -> frozenset[str]:
        return frozenset({"pending", "failed"})


PaymentStatusWord = Literal["pending", "success", "successful", "failed"]
"""The words of `PaymentStatus`, as an argument may be given."""


class PaymentMethod(OpenEnum):
    """Means of payment (guide, `payment_type` and `payment_method_type`)."""

    CARD = "card"
    MOBILE_MONEY = "mobile_money"
    USSD = "ussd"
    BANK_TRANSFER = "bank_transfer"


PaymentMethodWord = Literal["card", "mobile_money", "ussd", "bank_transfer"]
"""The words of `PaymentMethod`, as an argument may be given."""


class AmountType(OpenEnum):
    """Party that sets the amount of a payment link: the merchant or the payer."""

    FIXED = "fixed"
    FLEXIBLE = "flexible"


AmountTypeWord = Literal["fixed", "flexible"]
"""The words of `AmountType`, as an argument may be given."""


class LinkStatus(OpenEnum):
    """Status of a payment link. The guide shows `active` only; the others are assumed."""

    ACTIVE = "active"
    ARCHIVED = "archived"
    EXPIRED = "expired"
    COMPLETED = "completed"


class DestinationType(OpenEnum):
    """Kind of destination of a disbursement; also the kind of a provider in the bank list."""

    BANK = "bank"
    MOBILE_MONEY = "mobile_money"


class ConversionStatus(OpenEnum):
    """Status of a currency conversion. The guide shows `processing` only."""

    PROCESSING = "processing"
    SUCCESSFUL = "successful"
    FAILED = "failed"

    @classmethod
    def _synonyms(cls) -> dict[str, str]:
        return {"success": "successful"}

    @classmethod
    def _in_any_spelling(cls) -> frozenset[str]:
        return frozenset({"processing", "failed"})

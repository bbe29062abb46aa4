"""The one rule for "paid": how a payment stands by everything an answer or an event says of it.

It is paid where each status of the payment says so in the guide's own spelling and nothing says
otherwise: no status at any level in any spelling, no open next action, no error code, no reason
of a failure, no decline of the issuer. It has failed where all that is said says failed.
What contradicts itself, or uses a word the guide does not have, is neither: it is not known.

On top of an answer `status: success` says only that the call was taken (guide, "Status vs Error
Code"); `pending` and `failed` speak of the payment there, too. Within a record (a row of a list,
`data` of a look-up, an event) `status` is the payment's own.

That an answer is about the payment that was asked for is checked where it is read.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class Standing(enum.StrEnum):
    """How a payment, a transfer or a conversion stands, by all that was said of it."""

    PAID = "paid"
    """It succeeded, and nothing says otherwise."""
    FAILED = "failed"
    """It failed, and nothing says otherwise."""
    PENDING = "pending"
    """It is under way: a webhook or a look-up will say how it ends."""
    UNKNOWN = "unknown"
    """Nothing is said, the guide does not have the word, or the answer contradicts itself."""


class Statement(NamedTuple):
    """One thing an answer says of how the payment stands.

    Attributes:
        field: Where it says so.
        means: What that means by itself.
        claim: What it means beside others: a success counts in the guide's own spelling only.
        word: The word in the spelling to compare it by; empty where there is none.
        is_envelope: Whether it is the `status` on top of an answer.
    """

    field: str
    means: Standing
    claim: Standing
    word: str = ""
    is_envelope: bool = False

    def __str__(self) -> str:
        """The statement in words; a word the guide does not have is not repeated."""
        if self.claim is Standing.UNKNOWN:
            return f"{self.field} is a word the guide does not have"
        return f"{self.field} is {self.word!r}" if self.word else f"there is {_BESIDE[self.field]}"


_BESIDE = {
    "next_action_type": "a next action",
    "next_action": "a next action",
    "next_action_redirect_url": "a next action",
    "error_code": "an error code",
    "fail_reason": "a reason why it failed",
    "issuer_response_type": "a decline of the issuer",
}

# The guide's words, in the spelling it has.
_MEANINGS = {
    "successful": Standing.PAID,
    "success": Standing.PAID,
    "failed": Standing.FAILED,
    "pending": Standing.PENDING,
    "processing": Standing.PENDING,
    "queued": Standing.PENDING,
}

PAYMENT_STATUSES = (
    "transaction_status",
    "conversion_status",
    "payment_status",
    "charge_status",
    "transfer_status",
    "disbursement_status",
)
"""Fields that speak of the payment wherever they stand. `settlement_status` does not: money that
was collected may be settled to the merchant later."""

RECORDS = (
    "data",
    "transaction",
    "payment",
    "charge",
    "transfer",
    "disbursement",
    "conversion",
)
"""Where an answer may hold the payment as an object of its own."""

_NEXT_ACTIONS = ("next_action_type", "next_action", "next_action_redirect_url")
_STATUSES = frozenset(PAYMENT_STATUSES)
_SPEAKING = (*PAYMENT_STATUSES, "status", *_BESIDE, *RECORDS)
_DECLINES = frozenset({"declined", "failed", "rejected", "refused", "denied", "error"})
_DEEPEST = 4


# What is longer is no word and no code, and to spell all of it otherwise takes its time.
_LONGEST_WORD = 1_000


def normalized(word: object) -> str:
    """Return a word in the spelling to compare it by: "FAILED " is "failed"."""
    if not isinstance(word, str):
        return ""
    return word.strip().casefold() if len(word) <= _LONGEST_WORD else word


def is_said(value: object) -> bool:
    """Whether a field says anything: not absent, null, false, blank or empty."""
    return bool(value.strip()) if isinstance(value, str) else bool(value)


def is_error_code(value: object) -> bool:
    """Whether it is an error code; zeros of any count and form say that all is well."""
    if isinstance(value, bool):
        return False
    if not isinstance(value, str | int):
        return is_said(value)
    text = str(value)
    return len(text) > _LONGEST_WORD or bool(text.strip("0 "))


def all_said(extra: Mapping[str, Any], **fields: object) -> Mapping[str, Any]:
    """Return what a model holds as the fields of the answer it came from."""
    return {**extra, **{name: value for name, value in fields.items() if value is not None}}


def statements(
    said: Mapping[str, Any], *, is_record: bool = False, depth: int = 1
) -> list[Statement]:
    """Return all that an answer, an event or a record says of how the payment stands.

    Args:
        said: Its fields as they came.
        is_record: Whether it is the payment itself, so that `status` is the payment's own.
        depth: How deep it lies in the answer.
    """
    found = []
    # Most answers have one or two of these fields, and every payout's answer is looked at.
    for field in [name for name in _SPEAKING if name in said]:
        value = said[field]
        if field == "status":
            statement = _of_status(field, value)
            if statement is not None and not is_record:
                # On top of an answer a success says only that the call was taken.
                is_taken = statement.means is Standing.PAID
                statement = None if is_taken else statement._replace(is_envelope=True)
        elif field in RECORDS:
            if depth < _DEEPEST and isinstance(value, Mapping):
                found += statements(value, is_record=True, depth=depth + 1)
            continue
        else:
            statement = _of_status(field, value) if field in _STATUSES else _beside(field, value)
        if statement is not None:
            found.append(statement)
    return found


def statement_of_event(name: str) -> Statement:
    """Return what the name of an event says, such as `payment.success`."""
    ended = Standing.PAID if name.endswith(".success") else Standing.FAILED
    return Statement("event", ended, ended, name)


def _of_status(field: str, value: object) -> Statement | None:
    if value is None:
        return None
    word = normalized(value)
    means = _MEANINGS.get(word, Standing.UNKNOWN)
    is_inexact = means is Standing.PAID and value != word
    return Statement(field, means, Standing.UNKNOWN if is_inexact else means, word)


def _beside(field: str, value: object) -> Statement | None:
    """Return what a field says that is no status: where it is filled, it is no success."""
    if field == "error_code":
        says = is_error_code(value)
    elif field == "issuer_response_type":
        says = normalized(value) in _DECLINES
    else:
        says = is_said(value)
    means = Standing.PENDING if field in _NEXT_ACTIONS else Standing.FAILED
    return Statement(field, means, means) if says else None


def standing_of(said: Iterable[Statement]) -> Standing:
    """Return how the payment stands by all of these."""
    claims = {statement.claim for statement in said}
    return claims.pop() if len(claims) == 1 else Standing.UNKNOWN


def contradiction_in(said: Iterable[Statement]) -> str | None:
    """Say which two things cannot both be true; None where nothing contradicts."""
    first: Statement | None = None
    for statement in said:
        if first is None:
            first = statement
        elif statement.claim is not first.claim:
            return f"{first} and {statement}"
    return None

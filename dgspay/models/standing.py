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
from collections.abc import Iterable, Iterator, Mapping
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
        word: The word in the spelling to compare it by; empty where there is none.
        is_exact: Whether it has the guide's own spelling.
        is_envelope: Whether it is the `status` on top of an answer.
    """

    field: str
    means: Standing
    word: str = ""
    is_exact: bool = False
    is_envelope: bool = False

    @property
    def claim(self) -> Standing:
        """What it means beside others: a success counts in the guide's own spelling only."""
        return Standing.UNKNOWN if self.means is Standing.PAID and not self.is_exact else self.means

    def __str__(self) -> str:
        """The statement in words; a word the guide does not have is not repeated."""
        if self.claim is Standing.UNKNOWN:
            return f"{self.field} is a word the guide does not have"
        return f"{self.field} is {self.word!r}" if self.word else f"there is {_BESIDE[self.field]}"


_BESIDE = {
    "next_action": "a next action",
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
_DECLINES = frozenset({"declined", "failed", "rejected", "refused", "denied", "error"})
_DEEPEST = 4


def normalized(word: object) -> str:
    """Return a word in the spelling to compare it by: "FAILED " is "failed"."""
    return word.strip().casefold() if isinstance(word, str) else ""


def is_said(value: object) -> bool:
    """Whether a field says anything: not absent, null, false, blank or empty."""
    return bool(value.strip()) if isinstance(value, str) else bool(value)


def is_error_code(value: object) -> bool:
    """Whether it is an error code; zeros of any count and form say that all is well."""
    if isinstance(value, bool):
        return False
    return bool(str(value).strip("0 ")) if isinstance(value, str | int) else is_said(value)


def all_said(extra: Mapping[str, Any], **fields: object) -> Mapping[str, Any]:
    """Return what a model holds as the fields of the answer it came from."""
    return {**extra, **{name: value for name, value in fields.items() if value is not None}}


def statements(
    said: Mapping[str, Any], *, is_record: bool = False, depth: int = 1
) -> Iterator[Statement]:
    """Yield all that an answer, an event or a record says of how the payment stands.

    Args:
        said: Its fields as they came.
        is_record: Whether it is the payment itself, so that `status` is the payment's own.
        depth: How deep it lies in the answer.
    """
    for field in PAYMENT_STATUSES:
        yield from _status(field, said.get(field))
    for statement in _status("status", said.get("status")):
        if is_record:
            yield statement
        elif statement.means is not Standing.PAID:
            yield statement._replace(is_envelope=True)
    if any(is_said(said.get(field)) for field in _NEXT_ACTIONS):
        yield Statement("next_action", Standing.PENDING)
    if is_error_code(said.get("error_code")):
        yield Statement("error_code", Standing.FAILED)
    if is_said(said.get("fail_reason")):
        yield Statement("fail_reason", Standing.FAILED)
    if normalized(said.get("issuer_response_type")) in _DECLINES:
        yield Statement("issuer_response_type", Standing.FAILED)
    if depth < _DEEPEST:
        for name in RECORDS:
            if isinstance(record := said.get(name), Mapping):
                yield from statements(record, is_record=True, depth=depth + 1)


def _status(field: str, value: object) -> Iterator[Statement]:
    if value is not None:
        word = normalized(value)
        means = _MEANINGS.get(word, Standing.UNKNOWN)
        yield Statement(field, means, word, is_exact=value == word)


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

"""The one rule for "paid": how a payment stands by everything an answer or an event says of it.

It is paid where each status of the payment says so in the guide's own spelling and nothing says
otherwise: no status at any level in any spelling, no open next action, no error code, no reason
of a failure, no decline of the issuer, no other reference. It has failed where a status says so,
and all that is said says failed. What contradicts itself, or uses a word the guide does not have,
is neither: it is not known.

Names of fields are compared like words: `transactionStatus` is `transaction_status`.

On top of an answer `status: success` says only that the call was taken (guide, "Status vs Error
Code"); `pending` and `failed` are about the payment there, too. Within a record (a row of a list,
`data` of a look-up, an event) `status` is the payment's own; within any other object it is that
object's, and only what can be about nothing but a payment counts there.

That an answer is about the payment that was asked for is checked where it is read.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

__all__ = ["Standing", "contradiction_in", "standing_of", "statement_of_event", "statements"]


class Standing(enum.StrEnum):
    """The standing of a payment, a transfer or a conversion, by all that was reported."""

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
        if self.field in _BESIDE:
            return f"there is {_BESIDE[self.field]}"
        if self.claim is Standing.UNKNOWN:
            return f"{self.field} is a word the guide does not have"
        return f"{self.field} is {self.word!r}"


_BESIDE = {
    "next_action_type": "a next action",
    "next_action": "a next action",
    "next_action_redirect_url": "a next action",
    "error_code": "an error code",
    "error": "an error",
    "errors": "an error",
    "fail_reason": "a reason why it failed",
    "failure_reason": "a reason why it failed",
    "issuer_response_type": "a decline of the issuer",
    "issuer_response": "a decline of the issuer",
    "success": "no success",
    "dgs_reference": "another reference",
    "more": "more than an answer about one payment has",
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
"""Fields that report the payment's status wherever they stand. `settlement_status` does not: money
that was collected may be settled to the merchant later."""

RECORDS = (
    "data",
    "transaction",
    "payment",
    "charge",
    "transfer",
    "disbursement",
    "conversion",
    "transactions",
    "payments",
    "charges",
    "transfers",
    "disbursements",
    "conversions",
    "result",
    "response",
)
"""Fields in which an answer may hold the payment as an object, or several in an array."""

# Fields about something else, in whatever words: the merchant's own, or earlier tries.
_ASIDE = (
    "metadata",
    "meta",
    "customer",
    "recipient",
    "payment_link",
    "link",
    "recent_charges",
    "settlement",
    "refund",
    "refunds",
    "history",
    "attempts",
)

_NEXT_ACTIONS = ("next_action_type", "next_action", "next_action_redirect_url")
_STATUSES = frozenset(PAYMENT_STATUSES)
_RECORDS = frozenset(RECORDS)
_SPEAKING = (*PAYMENT_STATUSES, "status", *_BESIDE, *RECORDS)
_IN_ANY_OBJECT = frozenset(
    {*PAYMENT_STATUSES, *_NEXT_ACTIONS, "error_code", "fail_reason", "issuer_response_type"}
)
# What is longer is no word and no code, and to spell all of it otherwise takes its time.
_LONGEST_WORD = 1_000
_LONGEST_NAME = 100
_DECLINES = ("declin", "fail", "reject", "refus", "denied", "error")
# More than JSON may be nested; a model made by hand may hold anything.
_DEEPEST = 100
# More than any answer about one payment has: whether something in the rest says otherwise is then
# not known, and the walk through it does not hold up an event loop.
_MOST_VALUES = 5_000
_TOO_MUCH = "more"
_FEW = 10


def _plain(name: str) -> str:
    return "".join([char for char in name.casefold() if char.isalnum()])


_FIELDS = {_plain(name): (rank, name) for rank, name in enumerate((*_SPEAKING, *_ASIDE))}


@functools.lru_cache(maxsize=1024)
def _field(name: str) -> tuple[int, str] | None:
    """Return the field that is meant and its rank among all, where it is one of them."""
    return _FIELDS.get(_plain(name)) if len(name) <= _LONGEST_NAME else None


# Asked first, for it is much faster than whether something is a mapping.
_SIMPLE = frozenset({str, int, bool, Decimal, type(None)})
_NESTED = (Mapping, list, tuple)


class _Part(enum.Enum):
    """Kind of an object within an answer."""

    TOP = "the answer"
    RECORD = "the payment"
    OTHER = "something of it"


def normalized(word: object) -> str:
    """Return a word in the spelling to compare it by: "FAILED " is "failed"."""
    if not isinstance(word, str):
        return ""
    return word.strip().casefold() if len(word) <= _LONGEST_WORD else word


def is_said(value: object) -> bool:
    """Return whether a field says anything: not absent, null, false, blank or empty."""
    return bool(value.strip()) if isinstance(value, str) else bool(value)


def is_error_code(value: object) -> bool:
    """Return whether it is an error code; zeros of any count and form say that all is well."""
    if isinstance(value, bool):
        return False
    if not isinstance(value, str | int):
        return is_said(value)
    text = str(value)
    return len(text) > _LONGEST_WORD or bool(text.strip("0 "))


def all_said(extra: Mapping[str, Any], **fields: object) -> Mapping[str, Any]:
    """Return what a model holds as the fields of the answer it came from."""
    return {**extra, **{name: value for name, value in fields.items() if value is not None}}


def statements(said: Mapping[str, Any], *, is_record: bool = False) -> list[Statement]:
    """Return all that an answer, an event or a record says of how the payment stands.

    Args:
        said: Its fields as they came.
        is_record: Whether it is the payment itself, so that `status` is the payment's own.
    """
    walk = _Walk()
    walk.read(said, _Part.RECORD if is_record else _Part.TOP)
    if len(walk.references) > 1:
        walk.found.append(Statement("dgs_reference", Standing.UNKNOWN, Standing.UNKNOWN))
    if walk.left <= 0:
        walk.found.append(Statement(_TOO_MUCH, Standing.UNKNOWN, Standing.UNKNOWN))
    return walk.found


class _Walk:
    """The way through an answer, and what was found on it."""

    def __init__(self) -> None:
        self.found: list[Statement] = []
        self.references: set[str] = set()
        self.left = _MOST_VALUES
        self._depth = 0

    def read(self, said: Mapping[str, Any], part: _Part) -> None:
        """Find what an object says, and those within it."""
        self.left -= len(said)
        if self.left <= 0:
            return
        speaking = []
        # Most answers have one or two of these fields, and every payout's answer is looked at.
        for name, value in said.items():
            known = _field(name) if isinstance(name, str) else None
            if known is not None:
                speaking.append((*known, value))
            elif type(value) not in _SIMPLE and isinstance(value, _NESTED):
                self._enter(value, _Part.OTHER)
        speaking.sort(key=_rank)
        for _, field, value in speaking:
            if field in _ASIDE:
                continue
            if field in _RECORDS:
                # An object is expected here; one of the guide's words alone is its status.
                if normalized(value) in _MEANINGS:
                    self._note(_of_status(field, value))
                self._enter(value, _Part.RECORD)
            elif field == "dgs_reference":
                if part is not _Part.OTHER:
                    self.references |= _names(value)
            elif part is not _Part.OTHER or field in _IN_ANY_OBJECT:
                self._note(_of_field(field, value, part))

    def _note(self, statement: Statement | None) -> None:
        if statement is not None:
            self.found.append(statement)

    def _enter(self, value: object, part: _Part) -> None:
        """Read an object, or those in an array."""
        self.left -= 1
        if self._depth >= _DEEPEST or self.left <= 0:
            return
        self._depth += 1
        if isinstance(value, Mapping):
            self.read(value, part)
        elif isinstance(value, list | tuple):
            for item in value:
                if self.left <= 0:
                    break
                self._enter(item, part)
        self._depth -= 1


def _rank(speaking: tuple[int, str, Any]) -> int:
    return speaking[0]


def _names(value: object) -> set[str]:
    name = str(value).strip() if isinstance(value, str | int) else ""
    return {name.casefold()} if name else set()


def _of_field(field: str, value: object, part: _Part) -> Statement | None:
    if field in _STATUSES:
        return _of_status(field, value)
    if field != "status":
        return _beside(field, value)
    statement = _of_status(field, value)
    if statement is None or part is _Part.RECORD:
        return statement
    # On top of an answer a success says only that the call was taken.
    return None if statement.means is Standing.PAID else statement._replace(is_envelope=True)


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
    elif field in ("issuer_response_type", "issuer_response"):
        says = _is_decline(value)
    elif field == "success":
        says = value is False or normalized(value) == "false"
    else:
        says = is_said(value)
    means = Standing.PENDING if field in _NEXT_ACTIONS else Standing.FAILED
    return Statement(field, means, means) if says else None


def _is_decline(value: object) -> bool:
    words = value[:_FEW] if isinstance(value, list | tuple) else [value]
    words = [word.get("type") if isinstance(word, Mapping) else word for word in words]
    return any(stem in normalized(word)[:_LONGEST_WORD] for word in words for stem in _DECLINES)


def standing_of(said: Iterable[Statement]) -> Standing:
    """Return how the payment stands by all of these."""
    said = [*said]
    claims = {statement.claim for statement in said}
    if len(claims) != 1:
        return Standing.UNKNOWN
    standing = claims.pop()
    # A reason or a code alone may be about an attempt that another has followed.
    is_shown = standing is not Standing.FAILED or any(statement.word for statement in said)
    return standing if is_shown else Standing.UNKNOWN


def contradiction_in(said: Iterable[Statement]) -> str | None:
    """Name the two statements that cannot both be true; None where nothing contradicts."""
    first: Statement | None = None
    for statement in said:
        if first is None:
            first = statement
        elif statement.claim is not first.claim:
            return f"{first} and {statement}"
    return None

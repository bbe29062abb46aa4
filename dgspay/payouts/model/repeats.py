"""Payments that look as if they had been made before: which rows, when, and in which batch."""

from __future__ import annotations

import datetime as dt
import enum
from typing import TYPE_CHECKING

import attrs

from dgspay.payouts.model.payout import State

if TYPE_CHECKING:
    from dgspay.payouts.model.batch import Batch


class Kind(enum.StrEnum):
    """In what two rows are alike."""

    REFERENCE = "reference"
    """They have one reference within one period, whatever they pay to whom."""
    PAYMENT = "payment"
    """They pay the same sum to the same account, whatever they are called."""


@attrs.frozen(kw_only=True)
class Overlap:
    """Payouts of this batch that another has paid, or may have paid.

    Attributes:
        kind: In what the rows are alike.
        batch: The other batch.
        period: Its period.
        count: How many rows of this batch.
        first_sent: Unix time at which the first of the other's rows was sent.
        last_sent: Unix time at which the last was.
        references: Some of the rows of this batch, by their references.
    """

    kind: Kind
    batch: str
    period: str | None
    count: int
    first_sent: float
    last_sent: float
    references: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Rival:
    """A row that was sent, and that looks like one that is to be sent.

    Attributes:
        id: What the ledger keeps it under.
        kind: In what the two are alike.
        batch: Its batch.
        reference: Its reference.
        amount: Its amount, in RWF.
        state: Where it stands.
        sent_at: Unix time.
        pay_again: Why it was paid although it looked paid itself.
        contradiction: What was said of it that cannot be true together.
    """

    id: int
    kind: Kind
    batch: str
    reference: str
    amount: int
    state: State
    sent_at: float
    pay_again: str | None = None
    contradiction: str | None = None

    def __str__(self) -> str:
        """Reason why the other row is not sent, for a person."""
        alike = (
            "its reference was used"
            if self.kind is Kind.REFERENCE
            else "the same sum went to the same account"
        )
        clash = "" if self.contradiction is None else f", and yet: {self.contradiction}"
        return (
            f"{alike} by {self.reference} of batch {self.batch}, {self.amount:,} RWF, sent on "
            f"{day_of(self.sent_at)} and {self.state} now{clash}"
        )


def words_of(overlap: Overlap, batch: Batch, now: float) -> str:
    """Return the message about what another batch has paid of a batch, and what to do.

    Args:
        overlap: What it has paid.
        batch: The batch that is to be paid.
        now: Unix time.
    """
    days = days_of(overlap.first_sent, overlap.last_sent)
    rows = "one row" if overlap.count == 1 else f"{overlap.count:,} rows"
    names = ", ".join(overlap.references)
    names += ", ..." if overlap.count > len(overlap.references) else ""
    by_name = "allow each by name that is to be paid again (--allow-duplicate REFERENCE)"
    message = f"batch {overlap.batch!r} has paid, or may have paid, {rows} with the same "
    if overlap.kind is Kind.PAYMENT:
        return (
            f"{message}amount and account on {days}, under other references or in another period: "
            f"{names}. Remove the rows that were paid from the sheet, or {by_name}"
        )
    message = f"{message}reference on {days}: {names}."
    if overlap.count == batch.count:
        return f"{message} {period_advice(batch, now)}, or {by_name}"
    return f"{message} Remove the rows that were paid from the sheet, or {by_name}"


def left_out_words(words: str) -> str:
    """Return the message that a batch goes on without the rows that another batch has paid."""
    return f"{words}. They are left out"


def period_advice(batch: Batch, now: float) -> str:
    """Return the advice how the same rows are paid for another month."""
    today = dt.datetime.fromtimestamp(now).astimezone()
    period = f"{today:%Y-%m}"
    if batch.period == period:
        return "For the pay of another month give its --period"
    return f"For the pay of {today:%B} give --period {period}"


def day_of(timestamp: float) -> str:
    """Return the day of a Unix time, here, as a person writes it."""
    day = dt.datetime.fromtimestamp(timestamp).astimezone()
    return f"{day.day} {day:%B %Y}"


def days_of(first: float, last: float) -> str:
    """Return one day, or the first and the last of several."""
    begin, end = day_of(first), day_of(last)
    return begin if begin == end else f"{begin} to {end}"

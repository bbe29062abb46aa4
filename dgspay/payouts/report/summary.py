"""Results of a batch: sums, reasons, a timeline, and every row as CSV or JSON."""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, TextIO

import attrs

from dgspay.clock import KIGALI
from dgspay.csv_safety import safe_cell
from dgspay.models.json_codec import dump_json
from dgspay.money import to_json_number
from dgspay.payouts.ledger import Counts, Ledger
from dgspay.payouts.model.batch import Batch
from dgspay.payouts.model.payout import UNSENT, Record, State
from dgspay.payouts.model.transitions import is_word_of_a_person

_PAGE = 1000
_MAX_REASONS = 50
_LONGEST_REASON = 160

ROW_COLUMNS = (
    "number",
    "reference",
    "amount",
    "bank_key",
    "account_number",
    "branch",
    "msisdn",
    "network",
    "country",
    "name",
    "narration",
)
"""Columns of what was asked for, as a sheet of payouts names them: a report can be read as one.

Without `pay_again`: what was paid on purpose once more must not be so a third time by a report.
"""

PAYSLIP_COLUMNS = (
    "reference",
    "name",
    "paid_through",
    "account",
    "amount",
    "fee",
    "arrived",
    "paid_on",
    "narration",
    "dgs_reference",
)

BOM = "\ufeff"
"""Mark at the beginning of a CSV file, without which Excel takes UTF-8 for something else."""

COLUMNS = (
    *ROW_COLUMNS,
    "state",
    "fee",
    "dgs_reference",
    "reason",
    "contradiction",
    "attempts",
    "sent_at",
    "settled_at",
)


@attrs.define
class Moment:
    """Counts, by status, of the payouts that were sent in one second.

    Attributes:
        good: Confirmed or accepted.
        failed: Failed.
        doubtful: In doubt or held.
    """

    good: int = 0
    failed: int = 0
    doubtful: int = 0

    def count(self, state: State) -> None:
        """Count one payout."""
        match state:
            case State.CONFIRMED | State.ACCEPTED:
                self.good += 1
            case State.FAILED:
                self.failed += 1
            case _:
                self.doubtful += 1

    def add(self, other: Moment) -> None:
        """Take another moment in."""
        self.good += other.good
        self.failed += other.failed
        self.doubtful += other.doubtful

    @property
    def total(self) -> int:
        """All of them."""
        return self.good + self.failed + self.doubtful


@attrs.define
class Report:
    """The sums of a batch.

    Attributes:
        batch: The batch.
        counts: How many payouts are in each state, and their amounts in RWF.
        fees: What DGS-Pay has named as fees of the confirmed ones, in RWF.
        without_fee: Confirmed payouts whose fee it did not name.
        reasons: How often each reason stands at a failed payout; the rest under "other".
        moments: By Unix second, what was sent then.
        contradicted: Settled payouts that two sources have said different things of; those that
            are not settled are among the ones in doubt.
        by_a_person: Payouts that are settled by the word of a person.
        narrations: What their narrations are: that of all, or the first two that differ.
    """

    batch: Batch
    counts: Counts
    fees: Decimal = Decimal(0)
    without_fee: int = 0
    reasons: Counter[str] = attrs.field(factory=Counter)
    moments: dict[int, Moment] = attrs.field(factory=dict)
    contradicted: list[Record] = attrs.field(factory=list)
    by_a_person: int = 0
    narrations: set[str | None] = attrs.field(factory=set)

    def note(self, record: Record) -> None:
        """Take one payout in."""
        if record.state is State.CONFIRMED:
            self.without_fee += record.fee is None
            self.fees += Decimal(record.fee or 0)
        if record.state is State.FAILED:
            reason = (record.reason or "no reason given")[:_LONGEST_REASON]
            known = reason in self.reasons or len(self.reasons) < _MAX_REASONS
            self.reasons[reason if known else "other"] += 1
        settled = record.state in (State.CONFIRMED, State.FAILED)
        if record.contradiction and settled:
            self.contradicted.append(record)
        self.by_a_person += is_word_of_a_person(record)
        if len(self.narrations) < 2:
            self.narrations.add(record.payout.narration)
        if record.sent_at is not None and record.state not in UNSENT:
            self.moments.setdefault(int(record.sent_at), Moment()).count(record.state)

    def seconds_of_a_part(self, bars: int) -> int:
        """Return how many seconds a part of the timeline stands for."""
        return (max(self.moments) - min(self.moments)) // bars + 1 if self.moments else 1

    def timeline(self, bars: int) -> list[Moment]:
        """Return what was sent in equal parts of the time from the first to the last."""
        if not self.moments:
            return []
        first, last = min(self.moments), max(self.moments)
        width = self.seconds_of_a_part(bars)
        parts = [Moment() for _ in range((last - first) // width + 1)]
        for second, moment in self.moments.items():
            parts[(second - first) // width].add(moment)
        return parts


def all_records(
    ledger: Ledger, name: str, states: Sequence[State] = tuple(State)
) -> Iterator[Record]:
    """Walk through a batch page by page, so that a million rows need no memory."""
    after = 0
    while page := ledger.page(name, after=after, limit=_PAGE, states=states):
        yield from page
        after = page[-1].payout.number


def report_on(ledger: Ledger, batch: Batch) -> Report:
    """Add a batch up."""
    report = Report(batch=batch, counts=ledger.counts(batch.name))
    for record in all_records(ledger, batch.name):
        report.note(record)
    return report


def as_row(record: Record) -> dict[str, Any]:
    """Return a payout under the names of `COLUMNS`; times are UTC, as ISO 8601 writes them."""
    payout = record.payout
    to_bank = payout.bank_key is not None
    values = {**payout._asdict(), **attrs.asdict(record, recurse=False)}
    values |= {
        "account_number": payout.account if to_bank else None,
        "msisdn": None if to_bank else payout.account,
        "state": record.state.value,
        "fee": None if record.fee is None else Decimal(record.fee),
        "sent_at": _moment(record.sent_at),
        "settled_at": _moment(record.settled_at),
    }
    return {column: values[column] for column in COLUMNS}


def _moment(unix: float | None) -> str | None:
    if unix is None:
        return None
    moment = dt.datetime.fromtimestamp(unix, dt.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write_csv(ledger: Ledger, batch: Batch, file: TextIO) -> None:
    """Write every payout as a line; open the file with `newline=""`.

    It begins with the mark by which a spreadsheet knows UTF-8. Its columns are those of a sheet of
    payouts, and what became of each.

    No cell acts as a formula when a spreadsheet opens the file: text that could be one has an
    apostrophe in front. What is nothing but digits, with a sign or not, is written as it is,
    such as +250788123456; import such columns as text, or the spreadsheet drops the sign.
    """
    _write_lines(
        file, COLUMNS, (as_row(record).values() for record in all_records(ledger, batch.name))
    )


def write_payslips(ledger: Ledger, batch: Batch, file: TextIO) -> None:
    """Write a line for each payout that was paid, for the mails that tell people of it.

    Open the file with `newline=""`. The day is that in Kigali. Where DGS-Pay has not named the fee,
    it is not known what arrived, and both cells are empty.
    """
    _write_lines(
        file,
        PAYSLIP_COLUMNS,
        map(payslip_row, all_records(ledger, batch.name, (State.CONFIRMED,))),
    )


def payslip_row(record: Record) -> tuple[object, ...]:
    """Return a payout that was paid under the names of `PAYSLIP_COLUMNS`."""
    payout = record.payout
    fee = None if record.fee is None else Decimal(record.fee)
    paid_at = (
        None if record.settled_at is None else dt.datetime.fromtimestamp(record.settled_at, KIGALI)
    )
    return (
        payout.reference,
        payout.name,
        payout.bank_key or payout.network,
        payout.account,
        payout.amount,
        fee,
        None if fee is None else payout.amount - fee,
        None if paid_at is None else paid_at.date(),
        payout.narration,
        record.dgs_reference,
    )


def _write_lines(file: TextIO, columns: Sequence[str], lines: Iterable[Iterable[object]]) -> None:
    file.write(BOM)
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    for values in lines:
        writer.writerow([cell(value) for value in values])


def write_json(ledger: Ledger, batch: Batch, file: TextIO) -> None:
    """Write the sums and every payout as one JSON object; amounts are exact numbers."""
    report = report_on(ledger, batch)
    head = {
        **_heading(batch),
        "count": batch.count,
        "total": batch.total,
        "fees": report.fees,
        "states": {
            state.value: {
                "count": report.counts.count(state),
                "amount": report.counts.amount(state),
            }
            for state in State
        },
        "failures": dict(report.reasons),
        "audit_log": [attrs.asdict(line) for line in ledger.audit_log(batch.name)],
    }
    file.write(dump_json(head).decode().removesuffix("}") + ',"payouts":[')
    separator = "\n"
    for record in all_records(ledger, batch.name):
        file.write(separator + dump_json(as_row(record)).decode())
        separator = ",\n"
    file.write("\n]}\n")


def json_head(batch: Batch) -> str:
    """Return what a JSON report of a batch begins with."""
    return dump_json(_heading(batch)).decode().removesuffix("}")


def _heading(batch: Batch) -> dict[str, str]:
    return {
        "batch": batch.name,
        "environment": batch.terms.environment,
        "account_number": batch.terms.account_number,
    }


def cell(value: object) -> str:
    """Return a value as a cell that no spreadsheet takes for a formula; see `write_csv`."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return to_json_number(value)
    return safe_cell(str(value))

"""Results of a batch: sums, reasons, a timeline, and every row as CSV or JSON."""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, TextIO

import attrs

from dgspay.csv_safety import safe_cell
from dgspay.models.json_codec import dump_json
from dgspay.money import to_json_number
from dgspay.payouts.ledger import Counts, Ledger
from dgspay.payouts.model.batch import Batch
from dgspay.payouts.model.payout import UNSENT, Record, State

_PAGE = 1000
_MAX_REASONS = 50
_LONGEST_REASON = 160
_MAX_CONTRADICTED = 1000

COLUMNS = (
    "number",
    "reference",
    "amount",
    "account",
    "bank_key",
    "branch",
    "network",
    "name",
    "narration",
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
        contradicted: Settled payouts that two sources have said different things of, at most a
            thousand; those that are not settled are among the ones in doubt.
    """

    batch: Batch
    counts: Counts
    fees: Decimal = Decimal(0)
    without_fee: int = 0
    reasons: Counter[str] = attrs.field(factory=Counter)
    moments: dict[int, Moment] = attrs.field(factory=dict)
    contradicted: list[Record] = attrs.field(factory=list)

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
        if record.contradiction and settled and len(self.contradicted) < _MAX_CONTRADICTED:
            self.contradicted.append(record)
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
    values = {**payout._asdict(), **attrs.asdict(record, recurse=False)}
    values |= {
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

    No cell acts as a formula when a spreadsheet opens the file: text that could be one has an
    apostrophe in front. What is nothing but digits, with a sign or not, is written as it is,
    such as +250788123456; import such columns as text, or the spreadsheet drops the sign.
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for record in all_records(ledger, batch.name):
        writer.writerow([_cell(value) for value in as_row(record).values()])


def write_json(ledger: Ledger, batch: Batch, file: TextIO) -> None:
    """Write the sums and every payout as one JSON object; amounts are exact numbers."""
    report = report_on(ledger, batch)
    head = {
        "batch": batch.name,
        "environment": batch.terms.environment,
        "account_number": batch.terms.account_number,
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


def _cell(value: object) -> str:
    """Return a value as a cell that no spreadsheet takes for a formula; see `write_csv`."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return to_json_number(value)
    return safe_cell(str(value))

"""Status and report of a batch, from the ledger alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import attrs

from dgspay.errors import ConfigError
from dgspay.payouts.errors import UnknownBatchError
from dgspay.payouts.ledger import Counts, Ledger
from dgspay.payouts.model.audit_log import AuditLine
from dgspay.payouts.model.batch import CHUNK_ROWS, Batch, chunk_ranges
from dgspay.payouts.model.payout import Record, State
from dgspay.payouts.report.files import write_report
from dgspay.payouts.report.html import write_page
from dgspay.payouts.report.summary import (
    Report,
    report_on,
    write_csv,
    write_json,
    write_payslips,
)
from dgspay.payouts.run.engines import ChunkRef

DOUBTS_SHOWN = 50
"""Rows in doubt that a status names; the report has them all."""


def _page_of_now(ledger: Ledger, batch: Batch, file: TextIO) -> None:
    write_page(ledger, batch, file, now=dt.datetime.now().astimezone())


_FORMS: dict[str, Callable[[Ledger, Batch, TextIO], None]] = {
    "html": _page_of_now,
    "csv": write_csv,
    "json": write_json,
    "payslips": write_payslips,
}

REPORT_FORMS = tuple(_FORMS)
"""Formats of a report; the suffix of a file chooses."""


@attrs.frozen(kw_only=True)
class Status:
    """Status of a batch at this moment.

    Attributes:
        batch: The batch; `batch.paused` says why it is paused, by itself or by a person.
        counts: How many payouts are in each state, and their sums in RWF.
        in_doubt: The first of those that are in doubt or held, `DOUBTS_SHOWN` at most; the
            `reason` of each says why, a contradiction included.
        blocked: The first of those that were not sent because they look paid, as many.
        failed: The first of those that failed, as many; the `reason` of each says why.
    """

    batch: Batch
    counts: Counts
    in_doubt: tuple[Record, ...] = ()
    blocked: tuple[Record, ...] = ()
    failed: tuple[Record, ...] = ()


def require_batch(ledger: Ledger, name: str) -> Batch:
    """Return a batch.

    Raises:
        UnknownBatchError: there is none of this name.
    """
    batch = ledger.batch(name)
    if batch is None:
        known = ", ".join(known.name for known in ledger.batches()) or "none"
        raise UnknownBatchError(f"the ledger has no batch {name!r}; it has: {known}")
    return batch


def find_row(ledger: Ledger, batch: str, reference: str) -> Record:
    """Return a payout by the caller's own reference.

    Raises:
        UnknownBatchError: the ledger has no such batch, or the batch no such row.
    """
    record = ledger.find(require_batch(ledger, batch).name, reference)
    if record is None:
        raise UnknownBatchError(f"batch {batch} has no row {reference!r}")
    return record


def chunks_of(ledger: Ledger, batch: str, size: int = CHUNK_ROWS) -> list[ChunkRef]:
    """Cut a batch into chunks, always the same ones for the same size.

    Raises:
        UnknownBatchError: the ledger has no such batch.
    """
    ranges = chunk_ranges(require_batch(ledger, batch).count, size)
    return [
        ChunkRef(batch=batch, index=index, first=first, last=last)
        for index, (first, last) in enumerate(ranges)
    ]


def status_of(ledger: Ledger, batch: str) -> Status:
    """Return the status of a batch.

    Raises:
        UnknownBatchError: the ledger has no such batch.
    """
    found = require_batch(ledger, batch)
    doubts = ledger.page(batch, after=0, limit=DOUBTS_SHOWN, states=(State.HELD, State.IN_DOUBT))
    failed = ledger.page(batch, after=0, limit=DOUBTS_SHOWN, states=(State.FAILED,))
    blocked = ledger.page(batch, after=0, limit=DOUBTS_SHOWN, states=(State.BLOCKED,))
    return Status(
        batch=found,
        counts=ledger.counts(batch),
        in_doubt=tuple(doubts),
        blocked=tuple(blocked),
        failed=tuple(failed),
    )


def all_batches(ledger: Ledger) -> list[Status]:
    """Return where each batch stands, without its rows."""
    return [Status(batch=batch, counts=ledger.counts(batch.name)) for batch in ledger.batches()]


def audit_log_of(ledger: Ledger, batch: str | None) -> list[AuditLine]:
    """Return the audit log of a batch, or of the whole ledger."""
    lines: list[AuditLine] = []
    while page := ledger.audit_log(batch, after=lines[-1].number if lines else 0):
        lines.extend(page)
    return lines


def report_of(
    ledger: Ledger, batch: str, to: str | Path | TextIO | None, form: str | None
) -> Report:
    """Add a batch up, and write it where it is wanted; see `AsyncPayouts.report`."""
    found = require_batch(ledger, batch)
    if to is not None:
        write = _writer(to, form)
        if isinstance(to, str | Path):
            write_report(Path(to), ledger, found, write)
        else:
            write(ledger, found, to)
    return report_on(ledger, found)


def _writer(to: str | Path | TextIO, form: str | None) -> Callable[[Ledger, Batch, TextIO], None]:
    chosen = form or (Path(to).suffix.removeprefix(".") if isinstance(to, str | Path) else "html")
    if chosen not in _FORMS:
        raise ConfigError(f"a report is one of {', '.join(_FORMS)}; not {chosen or 'nothing'!r}")
    return _FORMS[chosen]

"""A sheet given back: with what is wrong with its rows, or with what became of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from dgspay.errors import ConfigError
from dgspay.payouts.errors import BatchChangedError, RowFault
from dgspay.payouts.ledger import Ledger
from dgspay.payouts.model.batch import Batch
from dgspay.payouts.model.payout import Record, State
from dgspay.payouts.report.summary import all_records
from dgspay.payouts.sheet.file import SheetFile
from dgspay.payouts.sheet.reader import file_digest, open_rows, read_original
from dgspay.payouts.sheet.summary import SheetSummary
from dgspay.payouts.sheet.workbooks.marked import Marks, write_marked, write_rows

_FAULTS = ("What is wrong", "Perhaps")
_RESULTS = ("Result", "DGS-Pay reference", "Fee (RWF)", "Why")
_IN_WORDS = {
    State.NEW: "not sent",
    State.IN_DOUBT: "not known yet: do not pay it again",
    State.HELD: "not known: do not pay it again",
    State.ACCEPTED: "accepted, not settled yet",
    State.CONFIRMED: "paid",
    State.FAILED: "failed, not paid",
    State.BLOCKED: "not sent: it looks paid before",
    State.CANCELLED: "cancelled, not sent",
}


def mark_faults(
    file: SheetFile, sheet: SheetSummary, to: Path, mapping: Mapping[str, str] | None = None
) -> int:
    """Write a sheet once more, with a column that says what is wrong with each row.

    Args:
        file: The sheet.
        sheet: What `check_rows` found in it.
        to: The workbook to write (.xlsx), which must not be there.
        mapping: Other headings and what they mean.

    Returns:
        The rows that are marked.

    Raises:
        ConfigError: it is there, or the extra `excel` is not installed.
        OSError: it cannot be written.
    """
    original = read_original(file, mapping)
    texts: defaultdict[int, list[str]] = defaultdict(list)
    proposals: defaultdict[int, list[str]] = defaultdict(list)
    for fault in sheet.faults:
        texts[fault.line].append(_with_heading(fault))
        if fault.proposal is not None:
            proposals[fault.line].append(f"{fault.heading or fault.column}: {fault.proposal}")
    for duplicate in sheet.duplicates:
        texts[duplicate.line].append(
            f"it pays the same amount to the same account as line {duplicate.first_line}"
        )
    beside = {line: ("; ".join(told), "; ".join(proposals[line])) for line, told in texts.items()}
    write_marked(original, Marks(_FAULTS, beside), to)
    return len(beside)


def mark_results(
    ledger: Ledger,
    batch: Batch,
    file: SheetFile,
    to: Path,
    mapping: Mapping[str, str] | None = None,
    *,
    only_failed: bool = False,
) -> int:
    """Write the sheet of a batch once more, with columns that say what became of each row.

    Args:
        ledger: Knows what became of them.
        batch: The batch.
        file: The sheet it was read from.
        to: The workbook to write (.xlsx), which must not be there.
        mapping: Other headings and what they mean, as when it was paid.
        only_failed: Write only the rows that failed, to be corrected and paid as another batch;
            nothing is written where none has.

    Returns:
        The rows that are marked.

    Raises:
        BatchChangedError: it is not the sheet of the batch, or the mapping is another one.
        ConfigError: the workbook is there, or the extra `excel` is not installed.
        OSError: it cannot be written.
    """
    if file_digest(file) != batch.digest:
        raise BatchChangedError(
            f"{file.path} is not the sheet that batch {batch.name!r} was read from, or was changed "
            "since. Nothing was written"
        )
    records = _records_by_line(ledger, batch, file, mapping)
    if only_failed:
        records = {line: each for line, each in records.items() if each.state is State.FAILED}
        if not records:
            return 0
    marks = Marks(_RESULTS, {line: _result_of(record) for line, record in records.items()})
    original = read_original(file, mapping)
    if only_failed:
        write_rows(original, marks, records.keys(), to)
    else:
        write_marked(original, marks, to)
    return len(records)


def _records_by_line(
    ledger: Ledger, batch: Batch, file: SheetFile, mapping: Mapping[str, str] | None
) -> dict[int, Record]:
    found = {}
    with open_rows(file, mapping) as rows:
        records = all_records(ledger, batch.name)
        for line, payout in rows:
            record = next(records, None)
            if record is None or record.payout != payout:
                raise BatchChangedError(
                    f"batch {batch.name!r} was paid with another --map or --bank: line {line} "
                    "reads otherwise now. Nothing was written"
                )
            found[line] = record
    if len(found) != batch.count:
        raise ConfigError(f"batch {batch.name!r} has other rows. Nothing was written")
    return found


def _result_of(record: Record) -> tuple[str, str, Decimal | str, str]:
    why = record.contradiction or record.reason or ""
    fee = Decimal(record.fee) if record.fee else ""
    return _IN_WORDS[record.state], record.dgs_reference or "", fee, why


def _with_heading(fault: RowFault) -> str:
    is_known = fault.heading is None or fault.heading == fault.column
    return fault.message if is_known else f"{fault.heading}: {fault.message}"

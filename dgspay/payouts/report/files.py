"""Files that reports are written to: nothing but an earlier report is ever overwritten."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from dgspay.errors import ConfigError
from dgspay.payouts.ledger import Ledger
from dgspay.payouts.model.batch import Batch
from dgspay.payouts.model.payout import State
from dgspay.payouts.report.html import GENERATOR
from dgspay.payouts.report.summary import (
    BOM,
    COLUMNS,
    PAYSLIP_COLUMNS,
    ROW_COLUMNS,
    all_records,
    as_row,
    cell,
    json_head,
    payslip_row,
)
from dgspay.payouts.sheet.reader import digests_in

_BEGINNING = 4096


def write_report(
    path: Path, ledger: Ledger, batch: Batch, write: Callable[[Ledger, Batch, TextIO], None]
) -> None:
    """Write a report to a file, whole or not at all.

    Args:
        path: The file; one that is there is replaced where it is an earlier report.
        ledger: Remembers.
        batch: The batch.
        write: Writes the report.

    Raises:
        ConfigError: there is a file that is no report of this batch, or a sheet of the ledger's.
        OSError: it cannot be written.
    """
    if path.exists():
        _require_report(path, ledger, batch)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("x", encoding="utf-8", newline="") as file:
            write(ledger, batch, file)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _require_report(path: Path, ledger: Ledger, batch: Batch) -> None:
    if path.is_file():
        if {each.digest for each in ledger.batches()}.intersection(digests_in(path)):
            raise ConfigError(
                f"{path} is a sheet that a batch was read from, and it is needed to go on. Nothing "
                "was written. Give the report another name"
            )
        if _is_report(path, ledger, batch):
            return
    raise ConfigError(
        f"{path} is there, and is no report of batch {batch.name!r} as dgspay writes it: nothing "
        "was written. Give the report another name"
    )


def _is_report(path: Path, ledger: Ledger, batch: Batch) -> bool:
    """Return whether nothing is in a file that the ledger does not have as well."""
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        beginning = file.read(_BEGINNING)
    generator = f'<meta name="generator" content="{GENERATOR}">'
    if generator in beginning or beginning.startswith(json_head(batch)):
        return True
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        if file.read(1) != BOM:
            return False
        try:
            return _has_only_our_rows(csv.reader(file), ledger, batch)
        except csv.Error:
            return False


def _has_only_our_rows(lines: Iterator[list[str]], ledger: Ledger, batch: Batch) -> bool:
    """Return whether a CSV asks for what the batch does: one that was edited is a sheet now."""
    match tuple(next(lines, ())):
        case columns if columns == COLUMNS:
            return [line[: len(ROW_COLUMNS)] for line in lines] == [*_rows(ledger, batch)]
        case columns if columns == PAYSLIP_COLUMNS:
            paid = all_records(ledger, batch.name, (State.CONFIRMED,))
            ours = {tuple(map(cell, payslip_row(record))) for record in paid}
            return all(tuple(line) in ours for line in lines)
        case _:
            return False


def _rows(ledger: Ledger, batch: Batch) -> Iterator[list[str]]:
    for record in all_records(ledger, batch.name):
        row = as_row(record)
        yield [cell(row[column]) for column in ROW_COLUMNS]

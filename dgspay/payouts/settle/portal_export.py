"""Ends of payouts from an export of the merchant portal, to settle many that are held at once."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

import attrs

from dgspay.errors import ConfigError
from dgspay.payouts.ledger import Ledger
from dgspay.payouts.model.payout import UNSETTLED, Record, State
from dgspay.payouts.status import require_batch

EXPORT_COLUMNS = ("reference", "dgs_reference", "status", "amount")
"""What is read of an export; `status`, and one of the references, must be there."""

_ENDS = {"successful": True, "failed": False}
_DELIMITERS = ",;\t"


@attrs.frozen(kw_only=True)
class ExportedEnd:
    """How a payout that is not settled ended, by a line of an export.

    Attributes:
        line: The line of the file.
        record: What the ledger knows of the payout.
        paid: Whether the recipient was paid.
    """

    line: int
    record: Record
    paid: bool


@attrs.frozen(kw_only=True)
class ExportedEnds:
    """What an export says about a batch.

    Attributes:
        ends: Of payouts that are not settled.
        left: Why other lines of this batch settle nothing, each with its line.
        others: Lines about no payout of the batch, or about one that is settled the same way.
    """

    ends: tuple[ExportedEnd, ...] = ()
    left: tuple[str, ...] = ()
    others: int = 0


def read_ends(
    ledger: Ledger, batch: str, path: Path, mapping: Mapping[str, str] | None = None
) -> ExportedEnds:
    """Compare an export with a batch; nothing is changed.

    Args:
        ledger: Remembers.
        batch: Name of the batch.
        path: A CSV file in UTF-8.
        mapping: Other headings and which of `EXPORT_COLUMNS` they mean.

    Raises:
        UnknownBatchError: the ledger has no such batch.
        ConfigError: the file cannot be read, or lacks a column.
    """
    name = require_batch(ledger, batch).name
    ends: dict[int, ExportedEnd] = {}
    left, others = [], 0
    contradicted: set[int] = set()
    for line, cells in _lines(path, mapping or {}):
        record = _record_of(ledger, name, cells)
        said = _ENDS.get(cells.get("status", "").casefold())
        if record is None or _is_known(record, said=said):
            others += 1
            continue
        number, words = record.payout.number, f"line {line}, {record.payout.reference}"
        if said is None:
            left.append(f"{words}: {cells.get('status') or 'without a status'}, and not ended")
        elif not _is_amount(cells.get("amount"), record.payout.amount):
            left.append(f"{words}: it says {cells['amount']}, and the payout is of another amount")
        elif record.state not in UNSETTLED:
            left.append(f"{words}: it says {cells['status']}, and the payout is {record.state}")
        elif number in ends and ends[number].paid is not said:
            left.append(f"{words}: line {ends[number].line} says otherwise")
            contradicted.add(number)
        else:
            ends[number] = ExportedEnd(line=line, record=record, paid=said)
    certain = (end for number, end in ends.items() if number not in contradicted)
    return ExportedEnds(ends=tuple(certain), left=tuple(left), others=others)


def _is_known(record: Record, *, said: bool | None) -> bool:
    """Return whether a payout is settled, and a line says nothing else about it."""
    if record.state in UNSETTLED:
        return False
    return said is None or said is (record.state is State.CONFIRMED)


def _record_of(ledger: Ledger, batch: str, cells: Mapping[str, str]) -> Record | None:
    """Return the payout a line is about; DGS-Pay's name for it comes first."""
    owner = (
        ledger.find_by_dgs_reference(cells["dgs_reference"]) if cells.get("dgs_reference") else None
    )
    if owner is not None:
        return ledger.record(*owner) if owner[0] == batch else None
    return ledger.find(batch, cells["reference"]) if cells.get("reference") else None


def _is_amount(text: str | None, amount: int) -> bool:
    if not text:
        return True
    try:
        return Decimal(text) == amount
    except InvalidOperation:
        return False


def _lines(path: Path, mapping: Mapping[str, str]) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter=max(_DELIMITERS, key=first.count), strict=True)
            columns = _columns(next(reader, []), mapping)
            for cells in reader:
                named = zip(columns, cells, strict=False)
                yield reader.line_num, {name: cell.strip() for name, cell in named if name}
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path} is no CSV in UTF-8: {error}. Nothing was changed") from None


def _columns(headings: Sequence[str], mapping: Mapping[str, str]) -> list[str]:
    for heading, column in mapping.items():
        if column not in EXPORT_COLUMNS or heading not in headings:
            raise ConfigError(
                f"--map {heading}={column}: the export must have that heading, and the column be "
                f"one of {', '.join(EXPORT_COLUMNS)}"
            )
    names = [mapping.get(heading, heading.strip().casefold()) for heading in headings]
    found = [name if name in EXPORT_COLUMNS else "" for name in names]
    if "status" not in found or not {"reference", "dgs_reference"} & {*found}:
        raise ConfigError(
            "the export needs a column status (successful, failed) and a column reference or "
            "dgs_reference: name its own headings with --map. Nothing was changed"
        )
    twice = [name for name in EXPORT_COLUMNS if found.count(name) > 1]
    if twice:
        raise ConfigError(f"more than one column of the export means {', '.join(twice)}")
    return found

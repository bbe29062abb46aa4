"""Reader of sheets, frames and plain mappings: payouts, or faults with line numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs

from dgspay.errors import ConfigError
from dgspay.payouts.errors import RowFault
from dgspay.payouts.model.payout import Payout
from dgspay.payouts.sheet.cells import shown
from dgspay.payouts.sheet.file import SheetFile, file_of
from dgspay.payouts.sheet.footers import Footers
from dgspay.payouts.sheet.headings import (
    Headings,
    check_mapping,
    looks_like_payee,
    proposed_mapping,
    require_columns,
    require_mapped,
    title_words,
)
from dgspay.payouts.sheet.mappings import rows_of_program
from dgspay.payouts.sheet.notes import Notes
from dgspay.payouts.sheet.proposals import proposal_of
from dgspay.payouts.sheet.row import read_row
from dgspay.payouts.sheet.rows import Rows
from dgspay.payouts.sheet.table import Table
from dgspay.payouts.sheet.text_file import open_text_table
from dgspay.payouts.sheet.words import folded
from dgspay.payouts.sheet.workbooks.marked import Original
from dgspay.payouts.sheet.workbooks.reader import (
    is_workbook,
    sheet_digests,
    workbook_digest,
    workbook_table,
)

RowSource = str | Path | SheetFile | Iterable[Mapping[str, Any]] | Any
"""A CSV file or a workbook, an iterable of mappings, or a frame of pandas or polars."""

_HIDDEN = "the row is hidden in the workbook, by a filter perhaps: show it, or delete it"


@contextmanager
def open_rows(source: RowSource, mapping: Mapping[str, str] | None = None) -> Iterator[Rows]:
    """Open a source of rows.

    Args:
        source: A path to a CSV file or a workbook (.xlsx, .xls, .ods), a `SheetFile`, an iterable
            of mappings, or a frame of pandas or polars.
        mapping: Other headings and what they mean, such as `{"Telephone": "msisdn"}`.

    Raises:
        HeadingsError: it has no columns of the names that are needed.
        ConfigError: when the file cannot be read, has no heading line, or the mapping names a
            column that does not exist.
    """
    names = check_mapping(mapping or {})
    file = file_of(source)
    if file is None:
        yield rows_of_program(source, names)
        return
    with _open_table(file, names) as table:
        where = "" if table.headings.line == 1 else f" (line {table.headings.line})"
        require_columns(table.headings, names, where)
        require_mapped(names, table.headings.names)
        reading = _Reading(table, names, {folded(name): key for name, key in file.banks.items()})
        yield Rows(table.headings.ignored, reading.rows(), table.digest, reading.remarks)


@contextmanager
def _open_table(file: SheetFile, mapping: Mapping[str, str]) -> Iterator[Table]:
    if is_workbook(file.path):
        yield workbook_table(file, mapping)
        return
    if file.sheet is not None:
        raise ConfigError(f"{file.path} is no workbook, and has no sheet {file.sheet!r}")
    with open_text_table(file.path, mapping) as table:
        yield table


def file_digest(source: str | Path | SheetFile) -> str:
    """Return what `Rows.digest` of a file is, without reading what its rows mean.

    Raises:
        ConfigError: when it cannot be read.
    """
    file = source if isinstance(source, SheetFile) else SheetFile(source)
    if is_workbook(file.path):
        return workbook_digest(file)
    try:
        with file.path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(f"{file.path} cannot be read: {error.strerror}") from None


def digests_in(path: Path) -> list[str]:
    """Return the digest of a file, or of each sheet of a workbook that can be read.

    Raises:
        ConfigError: when the file cannot be read.
    """
    return [*sheet_digests(path)] if is_workbook(path) else [file_digest(path)]


def read_original(file: SheetFile, mapping: Mapping[str, str] | None = None) -> Original:
    """Read a file's cells to write them once more.

    Raises:
        ConfigError: as for `open_rows`.
    """
    with _open_table(file, check_mapping(mapping or {})) as table:
        rows = [(line, cells) for line, cells in table.rows if not isinstance(cells, RowFault)]
        return Original(
            path=file.path,
            sheet=table.sheet,
            headings=table.headings,
            rows=[*table.above, (table.headings.line, table.headings.names), *rows],
        )


class _Reading:
    """The rows of one table on their way to payouts."""

    def __init__(self, table: Table, mapping: Mapping[str, str], banks: Mapping[str, str]) -> None:
        self._table = table
        self._banks = banks
        self._mapping = mapping
        self._notes = Notes()
        columns = enumerate(table.headings.columns)
        self._wanted = [(place, column) for place, column in columns if column is not None]
        self._footers = Footers(table.headings.names)

    def rows(self) -> Iterator[tuple[int, Payout | RowFault]]:
        """Give each row as a payout or as its faults; what is no payee is left out."""
        number = 0
        is_good = True
        for line, above in self._table.above:
            if looks_like_payee(above):
                is_good = False
                yield line, RowFault(line, None, "it looks like a payee above the headings")
        for line, cells in self._table.rows:
            if isinstance(cells, RowFault):
                is_good = False
                yield line, cells
                continue
            row = self._row_of(cells)
            found = [*read_row(number + 1, line, row)]
            payout = found[0][1]
            if isinstance(payout, Payout):
                against = self._footers.paid(payout)
                if line in self._table.hidden:
                    against = _HIDDEN
                if against is None:
                    self._notes.look(line, payout, has_network="network" in row)
                    number += 1
                    yield line, payout
                    continue
                found = [(line, RowFault(line, None, against))]
            elif self._footers.leave_out(line, cells, row):
                continue
            is_good = False
            yield from ((line, _with_cell(fault, row, self._table.headings)) for _, fault in found)
        if is_good:
            yield from ((fault.line, fault) for fault in self._footers.wrong_totals())

    def _row_of(self, cells: Sequence[Any]) -> dict[str, Any]:
        if self._table.sheet is None and not self._banks:
            wanted = self._wanted
            return {column: text for place, column in wanted if (text := cells[place].strip())}
        row: dict[str, Any] = {}
        for place, column in self._wanted:
            cell = cells[place]
            value = cell.strip() if isinstance(cell, str) else cell
            if value is None or value == "":
                continue
            is_number = isinstance(value, int | Decimal)
            row[column] = shown(value) if is_number and column == "narration" else value
        if self._banks and isinstance(bank := row.get("bank_key"), str):
            row["bank_key"] = self._banks.get(folded(bank), bank)
        return row

    def remarks(self) -> list[str]:
        """Return what a person should know of how the table was read."""
        headings = self._table.headings
        titles = title_words(self._table.above)
        proposed, _ = proposed_mapping(headings.names, self._mapping)
        return [
            *self._table.remarks,
            *([] if titles is None else [titles]),
            *self._footers.remarks(),
            *self._notes.remarks(),
            *(
                f"the heading {name!r} looks like {column}, and is not read as it"
                for name, column in proposed.items()
            ),
        ]


def _with_cell(
    fault: Payout | RowFault, row: Mapping[str, Any], headings: Headings
) -> Payout | RowFault:
    """Return a fault with what stands in its cell, and whom it is about."""
    if isinstance(fault, Payout):
        return fault
    value = row.get(fault.column or "")
    return attrs.evolve(
        fault,
        heading=headings.name_of(fault.column),
        value=shown(value) or None,
        payee=shown(row.get("name")) or shown(row.get("reference")) or None,
        proposal=proposal_of(fault.column, value),
    )

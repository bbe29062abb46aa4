"""Writer of workbooks: a sheet as it was read, with columns beside its rows."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile, is_zipfile

import attrs

from dgspay.errors import ConfigError
from dgspay.payouts.sheet.cells import BadCell
from dgspay.payouts.sheet.headings import Headings
from dgspay.payouts.sheet.workbooks.reader import INSTALL

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

_LONGEST = 32_767  # of a cell, by Excel
_COLOUR = "FFF2CC"
_WIDEST = 60
_NARROWEST = 12


@attrs.frozen
class Original:
    """A sheet as it was read.

    Attributes:
        path: Its file.
        sheet: Its name in the workbook; None where the file is no workbook.
        headings: Its headings.
        rows: All its rows that hold anything, titles and headings included, each with its line.
    """

    path: Path
    sheet: str | None
    headings: Headings
    rows: Sequence[tuple[int, Sequence[Any]]]


@attrs.frozen
class Marks:
    """What is written beside the rows of a sheet.

    Attributes:
        titles: The headings of the new columns.
        beside: Their cells, by the line of the row.
    """

    titles: Sequence[str]
    beside: Mapping[int, Sequence[str | Decimal]]


def write_marked(original: Original, marks: Marks, to: Path) -> None:
    """Write a sheet once more, with its marks; an .xlsx keeps its formats and its other sheets.

    Args:
        original: The sheet.
        marks: What is written beside its rows.
        to: The workbook to write, which must not be there.

    Raises:
        ConfigError: it is there, is called otherwise than .xlsx, or the extra is not installed.
        OSError: it cannot be written.
    """
    openpyxl = _openpyxl(to)
    if original.sheet is not None and _is_xlsx(original.path):
        book = openpyxl.load_workbook(original.path)
        table = book[original.sheet]
    else:
        book = openpyxl.Workbook()
        table = book.active
        _write_rows(table, original.rows)
    first = _first_free(table, original.headings.line, marks.titles)
    _write_marks(table, original.headings.line, first, marks)
    _save(book, to)


def write_rows(original: Original, marks: Marks, lines: Collection[int], to: Path) -> None:
    """Write some rows of a sheet under its headings, as a sheet of their own, with their marks.

    Args:
        original: The sheet.
        marks: What is written beside its rows.
        lines: Which rows.
        to: The workbook to write, which must not be there.

    Raises:
        ConfigError, OSError: as for `write_marked`.
    """
    openpyxl = _openpyxl(to)
    book = openpyxl.Workbook()
    table = book.active
    chosen = [cells for line, cells in original.rows if line in lines]
    _write_rows(table, enumerate([original.headings.names, *chosen], 1))
    moved = {
        place: marks.beside[line]
        for place, line in enumerate((line for line, _ in original.rows if line in lines), 2)
    }
    first = _first_free(table, 1, marks.titles)
    _write_marks(table, 1, first, attrs.evolve(marks, beside=moved))
    _save(book, to)


def _openpyxl(to: Path) -> Any:
    if to.suffix.lower() != ".xlsx":
        raise ConfigError(f"{to} must end with .xlsx: it is written as a workbook")
    if to.exists():
        raise ConfigError(f"{to} is there already, and is not written over; give another name")
    try:
        import openpyxl  # noqa: PLC0415 - an extra
    except ImportError:
        raise ConfigError(
            f"what writes workbooks is not installed. Install it with: {INSTALL}"
        ) from None
    return openpyxl


def _is_xlsx(path: Path) -> bool:
    if not is_zipfile(path):
        return False
    with ZipFile(path) as archive:
        return "[Content_Types].xml" in archive.namelist()


def _write_rows(table: Worksheet, rows: Iterable[tuple[int, Sequence[Any]]]) -> None:
    for line, cells in rows:
        for column, value in enumerate(cells, 1):
            _write(table, line, column, value)


def _write(table: Worksheet, line: int, column: int, value: Any) -> None:
    """Write a value: a number as a number, and all else as text that no spreadsheet runs."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        table.cell(line, column, value)
        return
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # noqa: PLC0415 - an extra

    text = value.shown if isinstance(value, BadCell) else str(value or "")
    if not text:
        return
    cell = table.cell(line, column, ILLEGAL_CHARACTERS_RE.sub("\ufffd", text)[:_LONGEST])
    cell.data_type = "s"
    # Or a spreadsheet drops the zeros in front when somebody edits the cell.
    cell.number_format = "@"


def _first_free(table: Worksheet, line: int, titles: Sequence[str]) -> int:
    """Return the column for the marks: that of older ones, or the first free one."""
    for column in range(1, table.max_column + 1):
        if table.cell(line, column).value == titles[0]:
            for row in table.iter_rows(min_row=line, min_col=column):
                for cell in row[: len(titles)]:
                    cell.value = None
            return column
    return int(table.max_column) + 1


def _write_marks(table: Worksheet, heading_line: int, first: int, marks: Marks) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill  # noqa: PLC0415 - an extra
    from openpyxl.utils import get_column_letter  # noqa: PLC0415 - an extra

    fill = PatternFill("solid", fgColor=_COLOUR)
    for line, texts in {heading_line: marks.titles, **marks.beside}.items():
        for column, text in enumerate(texts, first):
            _write(table, line, column, text)
            cell = table.cell(line, column)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            if line == heading_line:
                cell.font = Font(bold=True)
            elif any(texts):
                cell.fill = fill
    for place, title in enumerate(marks.titles):
        longest = max([len(title), *(len(str(texts[place])) for texts in marks.beside.values())])
        width = min(max(longest + 2, _NARROWEST), _WIDEST)
        table.column_dimensions[get_column_letter(first + place)].width = width


def _save(book: Any, to: Path) -> None:
    written = io.BytesIO()
    book.save(written)
    # Never over what has come there meanwhile.
    with to.open("xb") as file:
        file.write(written.getvalue())

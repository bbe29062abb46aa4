"""Reader of workbooks: one sheet's cells, as values that a row may have or as what is odd."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from zipfile import BadZipFile, ZipFile

import attrs

from dgspay.errors import ConfigError
from dgspay.payouts.sheet.cells import BadCell, shown
from dgspay.payouts.sheet.file import SheetFile
from dgspay.payouts.sheet.headings import SEARCHED_LINES, Headings, Lines
from dgspay.payouts.sheet.table import Table
from dgspay.payouts.sheet.workbooks.ods import OdsSurveyor
from dgspay.payouts.sheet.workbooks.survey import Survey
from dgspay.payouts.sheet.workbooks.xls import XlsSurveyor
from dgspay.payouts.sheet.workbooks.xlsx import XlsxSurveyor

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

INSTALL = "pip install 'dgspay[excel]'"
"""What makes workbooks readable."""

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LARGEST = 256 * 1024 * 1024
_LARGEST_UNPACKED = 2 * 1024 * 1024 * 1024
_EXACT_BELOW = 10**15
_DATE = "is a date, and no text or number; enter it as text"
_TRUTH = "is TRUE or FALSE, and no text or number"
_MERGED = "is merged with a cell above it; unmerge them, and write the value in each"
_LOST_DIGITS = (
    "is a number of more than 15 digits, and a spreadsheet keeps 15 and puts zeros in place of the "
    "others; make the column text there, and enter it again"
)


class _Surveyor(Protocol):
    def survey(self, sheet: str) -> Survey:
        """Survey a sheet, by its name."""
        ...


@attrs.frozen
class Sheet:
    """One sheet of a workbook.

    Attributes:
        name: Its name.
        rows: Its rows that hold anything, each with its line, all as long as the longest.
        hidden_rows: Lines that are not shown.
        hidden_columns: Columns that are not shown, from 0.
    """

    name: str
    rows: Sequence[tuple[int, Sequence[Any]]]
    hidden_rows: frozenset[int]
    hidden_columns: frozenset[int]


def is_workbook(path: Path) -> bool:
    """Return whether a file is a workbook, whatever its name says.

    Raises:
        ConfigError: when it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(len(_OLE)).startswith((_ZIP, _OLE))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None


def workbook_table(file: SheetFile, mapping: Mapping[str, str]) -> Table:
    """Read a sheet of a workbook, its headings found.

    Args:
        file: The workbook, and which sheet of it.
        mapping: Other headings and what they mean; see `check_mapping`.

    Raises:
        ConfigError: it cannot be read, the sheet is not there, or is not chosen among several.
    """
    sheet = read_sheet(file)
    first = Lines([*sheet.rows[:SEARCHED_LINES]])
    headings = first.heading(mapping) or first.likeliest(mapping)
    return Table(
        headings=headings,
        rows=((line, cells) for line, cells in sheet.rows if line > headings.line),
        digest=lambda: _digest_of(sheet),
        above=first.above(headings.line),
        remarks=_hidden_words(sheet, headings),
        sheet=sheet.name,
        hidden=sheet.hidden_rows,
    )


def workbook_digest(file: SheetFile) -> str:
    """Return the SHA-256 of a sheet's cells: saved again, they are the same.

    Raises:
        ConfigError: as for `workbook_table`.
    """
    return _digest_of(read_sheet(file))


def sheet_digests(path: Path) -> Iterator[str]:
    """Give the digest of each sheet of a workbook that can be read."""
    try:
        names = _Workbook(path).names
    except ConfigError:
        return
    for name in names:
        try:
            yield workbook_digest(SheetFile(path, sheet=name))
        except ConfigError:
            continue


def read_sheet(file: SheetFile) -> Sheet:
    """Read the chosen sheet of a workbook, or the only one that holds anything.

    Raises:
        ConfigError: as for `workbook_table`.
    """
    workbook = _Workbook(file.path)
    name, survey = workbook.choose(file.sheet)
    survey.require_readable()
    cells, merged = workbook.cells(name)
    odd = {**dict.fromkeys(merged, _MERGED), **survey.odd}
    rows = [
        (row + 1, [_cell(value, odd.get((row, column))) for column, value in enumerate(values)])
        for row, values in enumerate(cells)
    ]
    return Sheet(
        name=name,
        rows=[(line, values) for line, values in rows if any(map(shown, values))],
        hidden_rows=frozenset(row + 1 for row in survey.hidden_rows),
        hidden_columns=frozenset(survey.hidden_columns),
    )


class _Workbook:
    """A workbook in memory, so that what is surveyed is what is read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        calamine = self._calamine = _calamine(path)
        try:
            if path.stat().st_size > _LARGEST:
                raise self._unreadable("it is larger than 256 MiB")
            data = path.read_bytes()
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
        try:
            self._surveyor = self._surveyor_of(data)
            self._values: CalamineWorkbook = calamine.load_workbook(io.BytesIO(data))
        except ConfigError:
            raise
        except calamine.PasswordError:
            raise self._unreadable("a password protects it; save a copy without") from None
        except Exception as error:  # noqa: BLE001 - of three libraries, about a file of anybody's
            raise self._unreadable(f"it is damaged, or no workbook ({error})") from None

    def _surveyor_of(self, data: bytes) -> _Surveyor:
        if data.startswith(_OLE):
            if "EncryptedPackage".encode("utf-16-le") in data:
                raise self._unreadable("a password protects it; save a copy without")
            return XlsSurveyor(data)
        try:
            archive = ZipFile(io.BytesIO(data))
        except BadZipFile:
            raise self._unreadable("it is damaged, or no workbook") from None
        names = archive.namelist()
        if sum(part.file_size for part in archive.infolist()) > _LARGEST_UNPACKED:
            raise self._unreadable("it unpacks to more than 2 GiB")
        if "content.xml" in names:
            return OdsSurveyor(archive)
        if any(name.endswith("workbook.bin") for name in names):
            raise self._unreadable("it is of the binary kind; save it as .xlsx")
        return XlsxSurveyor(archive)

    @property
    def names(self) -> list[str]:
        """The sheets that are shown."""
        return [
            sheet.name
            for sheet in self._values.sheets_metadata
            if sheet.visible == self._calamine.SheetVisibleEnum.Visible
            and sheet.typ == self._calamine.SheetTypeEnum.WorkSheet
        ]

    def choose(self, wanted: str | None) -> tuple[str, Survey]:
        """Return the sheet that is wanted; without a wish, the only one that holds anything."""
        if wanted is not None:
            alike = [
                sheet.name
                for sheet in self._values.sheets_metadata
                if sheet.name.strip().casefold() == wanted.strip().casefold()
            ]
            if not alike:
                has = ", ".join(map(repr, self.names))
                raise ConfigError(f"{self._path} has no sheet {wanted!r}; it has {has}")
            return alike[0], self._survey(alike[0])
        filled = [
            (name, survey) for name in self.names if not (survey := self._survey(name)).is_empty
        ]
        if not filled:
            raise ConfigError(f"{self._path} has no heading line: no sheet of it holds anything")
        if len(filled) > 1:
            has = ", ".join(repr(name) for name, _ in filled)
            raise ConfigError(
                f"{self._path} has {len(filled)} sheets that hold something, {has}: choose one "
                "with --sheet NAME (in Python, SheetFile(path, sheet=...))"
            )
        return filled[0]

    def _survey(self, sheet: str) -> Survey:
        try:
            return self._surveyor.survey(sheet)
        except ConfigError:
            raise
        except Exception as error:  # noqa: BLE001 - of a file of anybody's
            raise self._unreadable(f"its sheet {sheet!r} is damaged ({error})") from None

    def cells(self, sheet: str) -> tuple[list[list[Any]], list[tuple[int, int]]]:
        """Return the values of a sheet, and the cells that are merged with one above them."""
        try:
            table = self._values.get_sheet_by_name(sheet)
            values = table.to_python(skip_empty_area=False)
            merged = table.merged_cell_ranges or []
        except Exception as error:  # noqa: BLE001 - of a file of anybody's
            raise self._unreadable(f"its sheet {sheet!r} is damaged ({error})") from None
        height = len(values)
        covered = [
            (row, column)
            for (top, left), (bottom, right) in merged
            for row in range(top + 1, min(bottom + 1, height))
            for column in range(left, right + 1)
        ]
        return values, covered

    def _unreadable(self, reason: str) -> ConfigError:
        return ConfigError(f"{self._path} cannot be read: {reason}")


def _calamine(path: Path) -> Any:
    try:
        import python_calamine  # noqa: PLC0415 - an extra
        import xlrd  # noqa: F401, PLC0415 - of the same extra
    except ImportError:
        raise ConfigError(
            f"{path} is a workbook, and what reads workbooks is not installed. Install it with: "
            f"{INSTALL}; or save the sheet as 'CSV UTF-8'"
        ) from None
    return python_calamine


def _cell(value: Any, odd: str | None) -> Any:
    """Return a cell's value as a row may have it."""
    if odd is not None:
        return BadCell(_shown_number(value), odd)
    match value:
        case "" | None:
            return None
        case bool():
            return BadCell(str(value).upper(), _TRUTH)
        case int() | float():
            return _number(value)
        case dt.datetime() | dt.date() | dt.time() | dt.timedelta():
            return BadCell(str(value), _DATE)
        case _:
            return value


def _number(value: float) -> int | Decimal | BadCell:
    """Return a number with the 15 digits that a spreadsheet keeps, and shows."""
    if abs(value) >= _EXACT_BELOW:
        return BadCell(_shown_number(value), _LOST_DIGITS)
    exact = Decimal(format(value, ".15g"))
    return int(exact) if exact == exact.to_integral_value() else exact


def _shown_number(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() else f"{value:.15g}"
    return str(value)


def _digest_of(sheet: Sheet) -> str:
    sha256 = hashlib.sha256()
    for _, cells in sheet.rows:
        told = [(type(cell).__name__, shown(cell)) for cell in cells]
        while told and not told[-1][1]:
            told.pop()
        sha256.update(repr(told).encode("utf-8", "surrogatepass"))
    return sha256.hexdigest()


def _hidden_words(sheet: Sheet, headings: Headings) -> list[str]:
    hidden = [
        repr(name)
        for place, (name, column) in enumerate(zip(headings.names, headings.columns, strict=True))
        if column is not None and place in sheet.hidden_columns
    ]
    return [f"hidden in the workbook, and read all the same: {', '.join(hidden)}"] if hidden else []

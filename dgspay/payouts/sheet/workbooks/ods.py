"""Survey of .ods: what OpenDocument says of cells and rows beside their values."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from zipfile import ZipFile

from dgspay.payouts.sheet.workbooks.number_formats import PERCENTAGE
from dgspay.payouts.sheet.workbooks.survey import FORMULA_ERROR, Survey

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_EXTENDED = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"
_CELLS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")
_MOST_REPEATED = 1 << 20
_HOME_CURRENCIES = (None, "RWF", "FRW")


class OdsSurveyor:
    """Surveys the sheets of one workbook.

    Raises:
        KeyError, ParseError: a part of it is missing, or is no XML.
    """

    def __init__(self, archive: ZipFile) -> None:
        self._found: dict[str, Survey] = {}
        with archive.open("content.xml") as part:
            sheet = Survey()
            row = column = row_width = 0
            cells: list[tuple[int, int, ET.Element]] = []
            for event, element in ET.iterparse(part, ("start", "end")):  # noqa: S314
                tag = element.tag
                if event == "start":
                    if tag == f"{_TABLE}table":
                        sheet = self._found[element.get(f"{_TABLE}name") or ""] = Survey()
                        row = column = 0
                    elif tag == f"{_TABLE}table-row":
                        row_width, cells = 0, []
                elif tag in _CELLS:
                    width = _repeated(element, "columns")
                    if element.get(f"{_OFFICE}value-type") or len(element):
                        cells.append((row_width, width, element))
                    row_width += width
                elif tag == f"{_TABLE}table-column":
                    width = _repeated(element, "columns")
                    if _is_hidden(element):
                        sheet.hidden_columns.update(range(column, column + min(width, 1024)))
                    column += width
                elif tag == f"{_TABLE}table-row":
                    row = _close_row(sheet, row, element, cells)
                    element.clear()

    def survey(self, sheet: str) -> Survey:
        """Survey a sheet, by its name."""
        return self._found[sheet]


def _close_row(
    sheet: Survey,
    row: int,
    element: ET.Element,
    cells: list[tuple[int, int, ET.Element]],
) -> int:
    """Note a row and its cells; return the number of the next row."""
    height = _repeated(element, "rows")
    if not cells:
        return row + height
    for first, width, _ in cells:
        sheet.fill(row, first)
        sheet.fill(row + height - 1, first + width - 1)
    sheet.require_readable()
    rows = range(row, row + height)
    if _is_hidden(element):
        sheet.hidden_rows.update(rows)
    for first, width, cell in cells:
        if (reason := _why_odd(cell)) is not None:
            for column in range(first, first + width):
                sheet.odd.update(((each, column), reason) for each in rows)
    return row + height


def _why_odd(cell: ET.Element) -> str | None:
    if cell.get(f"{_EXTENDED}value-type") == "error":
        return FORMULA_ERROR
    match cell.get(f"{_OFFICE}value-type"):
        case "percentage":
            return PERCENTAGE
        case "currency" if cell.get(f"{_OFFICE}currency") not in _HOME_CURRENCIES:
            return "is in another currency; payouts are in RWF"
        case _:
            return None


def _repeated(element: ET.Element, what: str) -> int:
    return min(int(element.get(f"{_TABLE}number-{what}-repeated") or 1), _MOST_REPEATED)


def _is_hidden(element: ET.Element) -> bool:
    return element.get(f"{_TABLE}visibility") in ("collapse", "filter")

"""Survey of .xlsx and .xlsm: what Office Open XML says of cells and rows beside their values."""

from __future__ import annotations

import posixpath
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import IO
from zipfile import ZipFile

from dgspay.payouts.sheet.workbooks.number_formats import (
    PERCENT_FORMATS,
    PERCENTAGE,
    why_misleading,
)
from dgspay.payouts.sheet.workbooks.survey import FORMULA_ERROR, NOT_CALCULATED, Survey

_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_RELATION = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"


class XlsxSurveyor:
    """Surveys the sheets of one workbook.

    Raises:
        KeyError, ParseError: a part of it is missing, or is no XML.
    """

    def __init__(self, archive: ZipFile) -> None:
        self._archive = archive
        workbook = next(
            target
            for kind, target in _relations(archive, "_rels/.rels", "").values()
            if kind == "officeDocument"
        )
        folder, name = posixpath.split(workbook)
        related = _relations(archive, f"{folder}/_rels/{name}.rels".lstrip("/"), folder)
        root = ET.fromstring(archive.read(workbook))  # noqa: S314 - expat bounds entities
        self._parts = {
            sheet.get("name"): related[sheet.get(_RELATION) or sheet.get(_STRICT_RELATION) or ""][1]
            for sheet in root.iter()
            if _local(sheet.tag) == "sheet"
        }
        styles = [target for kind, target in related.values() if kind == "styles"]
        self._misleading = _misleading_styles(archive, styles[0]) if styles else {}

    def survey(self, sheet: str) -> Survey:
        """Survey a sheet, by its name."""
        found = Survey()
        with self._archive.open(self._parts[sheet]) as part:
            self._walk(part, found)
        return found

    def _walk(self, part: IO[bytes], found: Survey) -> None:
        row, column = -1, -1
        for event, element in ET.iterparse(part, ("start", "end")):  # noqa: S314
            tag = _local(element.tag)
            if event == "start":
                if tag == "row":
                    row, column = int(element.get("r") or row + 2) - 1, -1
                    if _is_true(element.get("hidden")):
                        found.hidden_rows.add(row)
            elif tag == "c":
                column = _column_of(element.get("r"), column + 1)
                self._look(element, row, column, found)
                element.clear()
            elif tag == "col" and _is_true(element.get("hidden")):
                first, last = int(element.get("min") or 0), int(element.get("max") or 0)
                found.hidden_columns.update(range(first - 1, min(last, 16384)))
            elif tag == "row":
                element.clear()

    def _look(self, cell: ET.Element, row: int, column: int, found: Survey) -> None:
        parts = {_local(part.tag): part for part in cell}
        if not parts.keys() & {"v", "f", "is"}:
            return
        found.fill(row, column)
        kind, style = cell.get("t", "n"), int(cell.get("s") or 0)
        value = parts.get("v")
        if kind == "e":
            found.odd[row, column] = FORMULA_ERROR
        elif "f" in parts and kind != "str" and (value is None or not value.text):
            found.odd[row, column] = NOT_CALCULATED
        elif kind == "n" and style in self._misleading:
            found.odd[row, column] = self._misleading[style]


def _misleading_styles(archive: ZipFile, part: str) -> dict[int, str]:
    """Return the cell styles that show another number than the cell holds."""
    root = ET.fromstring(archive.read(part))  # noqa: S314 - expat bounds entities
    codes = dict.fromkeys(PERCENT_FORMATS, PERCENTAGE)
    for element in root.iter():
        if _local(element.tag) == "numFmt" and (number := element.get("numFmtId")):
            reason = why_misleading(element.get("formatCode") or "")
            if reason is not None:
                codes[int(number)] = reason
    styles = next((each for each in root if _local(each.tag) == "cellXfs"), ())
    formats = [int(style.get("numFmtId") or 0) for style in styles]
    return {index: codes[number] for index, number in enumerate(formats) if number in codes}


def _relations(archive: ZipFile, part: str, folder: str) -> dict[str, tuple[str, str]]:
    """Return the kind and the path of each part that a part refers to, by its name there."""
    root = ET.fromstring(archive.read(part))  # noqa: S314 - expat bounds entities

    def relations() -> Iterator[tuple[str, tuple[str, str]]]:
        for each in root:
            kind = posixpath.basename(each.get("Type") or "")
            target = posixpath.join("/", folder, each.get("Target") or "")
            yield each.get("Id") or "", (kind, posixpath.normpath(target).lstrip("/"))

    return dict(relations())


def _column_of(reference: str | None, otherwise: int) -> int:
    """Return the column of a cell such as `AB12`, from 0."""
    if reference is None:
        return otherwise
    column = 0
    for letter in reference.rstrip("0123456789"):
        column = column * 26 + ord(letter) - ord("A") + 1
    return column - 1


def _is_true(value: str | None) -> bool:
    return value in ("1", "true")


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]

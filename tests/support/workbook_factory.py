"""Workbooks for the tests, written by the libraries that write each kind."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Rows = Sequence[Sequence[Any]]

ERROR = object()
"""A cell whose formula has failed."""


class Percent(float):
    """A number that is shown as a percentage."""


def write_workbook(path: Path, sheets: Mapping[str, Rows] | Rows) -> Path:
    """Write a workbook of the kind that the suffix names."""
    named = sheets if isinstance(sheets, Mapping) else {"Sheet": sheets}
    {".xlsx": _xlsx, ".xls": _xls, ".ods": _ods}[path.suffix](path, named)
    return path


def _xlsx(path: Path, sheets: Mapping[str, Rows]) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        table = book.create_sheet(name)
        for line, cells in enumerate(rows, 1):
            for column, value in enumerate(cells, 1):
                cell = table.cell(line, column)
                if value is ERROR:
                    cell.value, cell.data_type = "#REF!", "e"
                    continue
                cell.value = value
                if isinstance(value, Percent):
                    cell.number_format = "0%"
    book.save(path)


def _xls(path: Path, sheets: Mapping[str, Rows]) -> None:
    import xlwt

    book = xlwt.Workbook()
    percent = xlwt.easyxf(num_format_str="0%")
    day = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    for name, rows in sheets.items():
        table = book.add_sheet(name)
        for line, cells in enumerate(rows):
            for column, value in enumerate(cells):
                if value is ERROR:
                    table.row(line).set_cell_error(column, "#REF!")
                elif isinstance(value, Percent):
                    table.write(line, column, float(value), percent)
                elif isinstance(value, dt.date):
                    table.write(line, column, value, day)
                elif value is not None:
                    table.write(line, column, value)
    book.save(str(path))


def _ods(path: Path, sheets: Mapping[str, Rows]) -> None:
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    book = OpenDocumentSpreadsheet()
    for name, rows in sheets.items():
        table = Table(name=name)
        book.spreadsheet.addElement(table)
        for cells in rows:
            row = TableRow()
            table.addElement(row)
            for value in cells:
                cell = TableCell(**_of_ods(value))
                if value is not None:
                    cell.addElement(P(text="#REF!" if value is ERROR else str(value)))
                row.addElement(cell)
    book.save(str(path))


def _of_ods(value: Any) -> dict[str, str]:
    match value:
        case None:
            return {}
        case bool():
            return {"valuetype": "boolean", "booleanvalue": str(value).lower()}
        case Percent():
            return {"valuetype": "percentage", "value": str(float(value))}
        case int() | float():
            return {"valuetype": "float", "value": repr(value)}
        case dt.date():
            return {"valuetype": "date", "datevalue": value.isoformat()}
        case _:
            return {"valuetype": "string"}

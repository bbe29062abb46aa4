"""Survey of .xls: what the old format of Excel says of cells and rows beside their values."""

from __future__ import annotations

import io
from typing import Any

from dgspay.payouts.sheet.workbooks.number_formats import why_misleading
from dgspay.payouts.sheet.workbooks.survey import FORMULA_ERROR, Survey


class XlsSurveyor:
    """Surveys the sheets of one workbook.

    Raises:
        XLRDError: it is none.
    """

    def __init__(self, data: bytes) -> None:
        import xlrd  # noqa: PLC0415 - an extra

        self._error, self._number = xlrd.XL_CELL_ERROR, xlrd.XL_CELL_NUMBER
        # Its warnings are about things that no value depends on.
        self._book: Any = xlrd.open_workbook(
            file_contents=data, formatting_info=True, logfile=io.StringIO()
        )

    def survey(self, sheet: str) -> Survey:
        """Survey a sheet, by its name."""
        found = Survey()
        table = self._book.sheet_by_name(sheet)
        found.hidden_rows.update(
            number for number, info in table.rowinfo_map.items() if info.hidden
        )
        found.hidden_columns.update(
            number for number, info in table.colinfo_map.items() if info.hidden
        )
        for row in range(table.nrows):
            for column, cell in enumerate(table.row(row)):
                if cell.value == "":
                    continue
                found.fill(row, column)
                if cell.ctype == self._error:
                    found.odd[row, column] = FORMULA_ERROR
                elif cell.ctype == self._number and (reason := self._why_misleading(cell)):
                    found.odd[row, column] = reason
        return found

    def _why_misleading(self, cell: Any) -> str | None:
        style = self._book.xf_list[cell.xf_index]
        return why_misleading(self._book.format_map[style.format_key].format_str)

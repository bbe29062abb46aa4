"""Survey of a workbook: what of its cells and rows is otherwise than their values say.

The library that reads the values gives neither formats nor what is hidden, gives an error as an
empty cell, and takes memory for the whole rectangle from the first cell to the last.
"""

from __future__ import annotations

import attrs

from dgspay.errors import ConfigError

MOST_CELLS = 10_000_000
"""Cells between the first and the last of a sheet: more would not go into memory."""

FORMULA_ERROR = "is the error of a formula; mend the formula, or enter the value"
NOT_CALCULATED = "is a formula that has no result yet; open the workbook, and save it once"


@attrs.define
class Survey:
    """What was found of one sheet. Rows and columns count from 0.

    Attributes:
        odd: Why a cell is not to be taken for the value it has.
        hidden_rows: Rows that are not shown.
        hidden_columns: Columns that are not shown.
    """

    odd: dict[tuple[int, int], str] = attrs.field(factory=dict)
    hidden_rows: set[int] = attrs.field(factory=set)
    hidden_columns: set[int] = attrs.field(factory=set)
    _rows: tuple[int, int] | None = None
    _columns: tuple[int, int] | None = None

    def fill(self, row: int, column: int) -> None:
        """Count a cell that holds something."""
        self._rows = _stretched(self._rows, row)
        self._columns = _stretched(self._columns, column)

    @property
    def is_empty(self) -> bool:
        """Whether no cell holds anything."""
        return self._rows is None

    def require_readable(self) -> None:
        """Refuse a sheet that would not go into memory.

        Raises:
            ConfigError: naming its far cell.
        """
        if self._rows is None or self._columns is None:
            return
        (top, bottom), (left, right) = self._rows, self._columns
        if (bottom - top + 1) * (right - left + 1) > MOST_CELLS:
            raise ConfigError(
                f"the sheet reaches to row {bottom + 1:,} and column {right + 1:,}: delete the "
                "rows and columns beyond the last payee, and save it once more"
            )


def _stretched(span: tuple[int, int] | None, place: int) -> tuple[int, int]:
    return (place, place) if span is None else (min(span[0], place), max(span[1], place))

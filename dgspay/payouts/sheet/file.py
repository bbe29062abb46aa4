"""A sheet as a file: its path, its place in a workbook, and what its bank names stand for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs


@attrs.frozen
class SheetFile:
    """A file of payouts, with what a path alone cannot say. It stands wherever a path may.

        payouts.run(SheetFile("salaries.xlsx", sheet="November"), mapping={"Net pay": "amount"})

    Attributes:
        path: A CSV file, or a workbook: .xlsx, .xls or .ods.
        sheet: The sheet of the workbook; needed where more than one has something in it.
        banks: What a bank is called in the sheet, and the key that DGS-Pay lists it under.
    """

    path: Path = attrs.field(converter=Path)
    sheet: str | None = None
    banks: Mapping[str, str] = attrs.field(factory=dict)


def file_of(source: Any) -> SheetFile | None:
    """Return the file that a source of rows is; None where the rows come from a program."""
    if isinstance(source, SheetFile):
        return source
    return SheetFile(source) if isinstance(source, str | Path) else None

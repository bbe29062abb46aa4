"""Table of a file: its headings, and its rows before anything is known of what they mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import attrs

from dgspay.payouts.errors import RowFault
from dgspay.payouts.sheet.headings import Headings


@attrs.frozen
class Table:
    """What a file holds.

    Attributes:
        headings: Its headings, with the line they stand on.
        rows: Each row below them with its line: as many cells as there are headings, or why it
            cannot be read.
        digest: Gives the SHA-256 of what was read, right after the last row.
        above: What stands above the headings.
        remarks: What a person should know of how it was read.
        sheet: The name it has in its workbook; None where the file is none.
        hidden: Lines that a person does not see in it.
    """

    headings: Headings
    rows: Iterator[tuple[int, Sequence[Any] | RowFault]]
    digest: Callable[[], str]
    above: Sequence[tuple[int, Sequence[Any]]] = ()
    remarks: Sequence[str] = ()
    sheet: str | None = None
    hidden: AbstractSet[int] = frozenset()

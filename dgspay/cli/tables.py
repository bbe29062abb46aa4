"""Tables of text: headings once, rows page by page as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Generic, TypeVar

import attrs
from rich.cells import cell_len
from rich.table import Table

from dgspay.cli.terminal import console, figure, shown, visible

T = TypeVar("T")

_GAP = 2
_LEAST_PROSE = 10


@attrs.frozen
class Column(Generic[T]):
    """A column of a table.

    Attributes:
        heading: Above it.
        cell: Makes the text for a row, with nothing in it that could steer a terminal.
        right: Whether it is aligned to the right, as amounts are.
        prose: Whether it may be broken into lines when the terminal is too narrow.
    """

    heading: str
    cell: Callable[[T], str]
    right: bool = False
    prose: bool = False


def print_table(columns: Sequence[Column[T]], rows: Iterable[T]) -> None:
    """Print rows as one table."""
    print_pages(columns, [rows])


def print_pages(columns: Sequence[Column[T]], pages: Iterable[Iterable[T]]) -> int:
    """Print each page when it comes, under one line of headings; return how many rows came.

    The first page decides how wide the columns are. A cell that does not fit goes on below
    and is never cut off, so that a reference can always be copied.
    """
    out = console()
    widths: list[int] = []
    printed = 0
    for page in pages:
        rows = [[column.cell(row) for column in columns] for row in page]
        first = not widths
        if first:
            lines = [[column.heading for column in columns], *rows]
            widths = [max(map(cell_len, cells)) for cells in zip(*lines, strict=True)]
            widths = _fitted(columns, widths, out.width)
        if rows or first:
            out.print(_table(columns, widths, rows, headings=first))
        printed += len(rows)
    return printed


def print_facts(record: Mapping[str, Any], currency: str | None) -> None:
    """Print what is known of one thing, a line for each field that has a value.

    Args:
        record: The fields by name.
        currency: The currency of its amounts.
    """
    facts = {
        name: figure(value, currency) if isinstance(value, Decimal) else shown(value)
        for name, value in record.items()
        if value is not None and value != []
    }
    if not facts:
        return
    grid = Table.grid(padding=(0, _GAP, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in facts.items():
        grid.add_row(visible(name.replace("_", " ")), value)
    console().print(grid)


def _fitted(columns: Sequence[Column[T]], widths: Sequence[int], available: int) -> list[int]:
    """Take what is missing in width from the columns that may be broken into lines."""
    missing = sum(widths) + _GAP * (len(widths) - 1) - available
    fitted = []
    for column, width in zip(columns, widths, strict=True):
        given = max(0, min(missing, width - _LEAST_PROSE)) if column.prose else 0
        missing -= given
        fitted.append(width - given)
    return fitted


def _table(
    columns: Sequence[Column[T]], widths: Sequence[int], rows: list[list[str]], *, headings: bool
) -> Table:
    table = Table(
        box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold", show_header=headings
    )
    for column, width in zip(columns, widths, strict=True):
        table.add_column(
            column.heading,
            justify="right" if column.right else "left",
            width=width,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*row)
    return table

"""Rows under way from a source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import attrs

from dgspay.payouts.errors import RowFault
from dgspay.payouts.model.payout import Payout


@attrs.define
class Rows:
    """Rows under way from a source. Iterate once; what else it has is right after the last row.

    Attributes:
        ignored: Headings that mean nothing here.
    """

    ignored: Sequence[str]
    _rows: Iterator[tuple[int, Payout | RowFault]]
    _digest: Callable[[], str]
    _remarks: Callable[[], Sequence[str]]

    def __iter__(self) -> Iterator[tuple[int, Payout | RowFault]]:
        """Give out the line and what became of it; a bad row gives every one of its faults."""
        return self._rows

    @property
    def digest(self) -> str:
        """SHA-256 of the file's bytes, of a workbook's cells, or of the rows of a program."""
        return self._digest()

    @property
    def remarks(self) -> Sequence[str]:
        """What a person should know: rows left out, networks taken from prefixes."""
        return self._remarks()

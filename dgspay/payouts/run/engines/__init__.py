"""Engines: who decides which process works on which chunk, and nothing about money.

An engine may hand a chunk out twice, or to a worker while another one still has it: the ledger
puts a row in doubt for one of them only. An engine is a file of its own with two methods.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import attrs

from dgspay.payouts.run.chunk_runner import Stop


@attrs.frozen(kw_only=True)
class ChunkRef:
    """A chunk by its names, small enough for any queue.

    Attributes:
        batch: Name of the batch.
        index: Number of the chunk in it, from 0.
        first: Its first row.
        last: Its last row, included.
    """

    batch: str
    index: int
    first: int
    last: int


PayChunk = Callable[[ChunkRef], Awaitable[object]]
"""Pays one chunk; see `dgspay.payouts.ChunkPayer`."""


class Engine(Protocol):
    """Hands out chunks."""

    async def submit(self, chunks: Sequence[ChunkRef]) -> None:
        """Put chunks out to be worked on. One that is queued already is not queued again."""
        ...

    async def work(self, pay: PayChunk, stop: Stop, *, until_idle: bool) -> None:
        """Work on chunks, from whatever process submitted them.

        Args:
            pay: Pays one chunk.
            stop: When to take up no more.
            until_idle: Whether to return when there is nothing left to do.
        """
        ...

"""The engine of a single process: a list."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from dgspay.payouts.run.chunk_runner import Stop
from dgspay.payouts.run.engines import ChunkRef, PayChunk


class LocalEngine:
    """Hands this process the chunks it submitted, in order."""

    def __init__(self) -> None:
        self._waiting: deque[ChunkRef] = deque()

    async def submit(self, chunks: Sequence[ChunkRef]) -> None:
        """Put chunks out to be worked on."""
        self._waiting.extend(chunk for chunk in chunks if chunk not in self._waiting)

    async def work(self, pay: PayChunk, stop: Stop, *, until_idle: bool = True) -> None:
        """Pay what was submitted. Others cannot submit more, so it ends when that is done."""
        while self._waiting and not stop:
            await pay(self._waiting.popleft())

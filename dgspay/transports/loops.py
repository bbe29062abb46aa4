"""What a transport keeps for each event loop it is used in, and nothing longer than that loop."""

from __future__ import annotations

import asyncio
import os
import sys
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Generic, TypeVar

import attrs

from dgspay.forks import new_lock

T = TypeVar("T")
LoopT = TypeVar("LoopT")


def running_loop() -> object:
    """Return the event loop this runs in: asyncio's, or what stands for a run of trio's.

    Raises:
        RuntimeError: when there is none.
    """
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    if task is not None:
        return task.get_loop()
    trio = sys.modules.get("trio")
    if trio is None:
        raise RuntimeError("no event loop is running")
    token: object = trio.lowlevel.current_trio_token()
    return token


@attrs.frozen(eq=False)
class _Kept(Generic[T]):
    value: T
    keeper: AsyncGenerator[None]
    process: int


class PerLoop(Generic[LoopT, T]):
    """One of a kind for each event loop, closed with its owner or when the loop ends.

    A loop ends the generators that were left in it (`loop.shutdown_asyncgens`, and trio does so
    too), while it can still close connections. So what was left open leaves nothing behind. What a
    forked child finds here is its parent's, and is neither used nor closed.

    Args:
        make: Makes it, in a loop.
        close: Closes it, in the same.
    """

    def __init__(self, make: Callable[[LoopT], T], close: Callable[[T], Awaitable[None]]) -> None:
        self._make = make
        self._close = close
        self._lock = new_lock()
        self._kept: dict[LoopT, _Kept[T]] = {}

    def get(self, loop: LoopT) -> T | None:
        """Return the one of a loop, if it has been made."""
        kept = self._kept.get(loop)
        return kept.value if kept is not None and kept.process == os.getpid() else None

    async def open(self, loop: LoopT) -> T:
        """Make the one of the loop this runs in. It does not suspend."""
        value = self._make(loop)
        keeper = _keeper(value, self._close, weakref.ref(self), loop)
        await anext(keeper)
        with self._lock:
            for ended in [known for known in self._kept if _is_over(known)]:
                del self._kept[ended]
            self._kept[loop] = _Kept(value, keeper, os.getpid())
        return value

    async def aclose(self, loop: LoopT) -> None:
        """Close the one of the loop this runs in."""
        kept = self._kept.get(loop)
        if kept is not None:
            self.forget(loop, kept.value)
            if kept.process == os.getpid():
                await kept.keeper.aclose()

    def forget(self, loop: LoopT, value: T) -> None:
        """Keep it no longer; another of the same loop is kept."""
        with self._lock:
            kept = self._kept.get(loop)
            if kept is not None and kept.value is value:
                del self._kept[loop]


async def _keeper(
    value: T,
    close: Callable[[T], Awaitable[None]],
    owner: weakref.ref[PerLoop[LoopT, T]],
    loop: LoopT,
) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        if (known := owner()) is not None:
            known.forget(loop, value)
        await close(value)


def _is_over(loop: object) -> bool:
    """Say whether a loop was closed without ending what was left in it, as by hand."""
    return isinstance(loop, asyncio.AbstractEventLoop) and loop.is_closed()

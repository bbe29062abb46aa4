"""Scripts that other threads run, and those who wait for them: a cancellation ends that alone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

import anyio.to_thread

from dgspay.checkout.store.protocol import Script

T = TypeVar("T")


class Asked(Generic[T]):
    """A script that was asked for, and what waits for its answer.

    Args:
        make: Makes the script.
        loop: The event loop of asyncio that waits; None where a thread does, or trio.
    """

    def __init__(
        self, make: Callable[[], Script[T]], loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        self.make = make
        self.loop = loop
        self._future: Future[T] | asyncio.Future[T]
        self._future = Future() if loop is None else loop.create_future()

    def result(self) -> T:
        """Block until there is an answer, and return it."""
        return self._future.result()

    async def wait(self) -> T:
        """Return the answer, in any event loop of asyncio, or trio."""
        if isinstance(self._future, asyncio.Future):
            return await self._future
        return await anyio.to_thread.run_sync(self._future.result, abandon_on_cancel=True)

    def settle(self, result: T | None, error: BaseException | None) -> None:
        """Give the answer, in the loop that waits for it."""
        if self._future.cancelled():
            return
        if error is None:
            self._future.set_result(result)  # type: ignore[arg-type]
        else:
            self._future.set_exception(error)


Answer = tuple[Asked[Any], Any, BaseException | None]
"""A script that was asked for, what it has returned, and what it has raised."""


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop of asyncio that runs, or None in trio."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def hand_over(answers: Iterable[Answer]) -> None:
    """Give answers to those who wait for them, from another thread.

    An event loop is woken once for all of its answers: each time is a system call, after which two
    threads compete for the interpreter.
    """
    of_loops: dict[asyncio.AbstractEventLoop, list[Answer]] = {}
    for answer in answers:
        loop = answer[0].loop
        if loop is None:
            _settle((answer,))
        else:
            of_loops.setdefault(loop, []).append(answer)
    for loop, those in of_loops.items():
        with contextlib.suppress(RuntimeError):  # it is closed: nothing waits any more
            loop.call_soon_threadsafe(_settle, those)


def _settle(answers: Iterable[Answer]) -> None:
    for asked, result, error in answers:
        asked.settle(result, error)

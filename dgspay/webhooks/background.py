"""Work that goes on after the answer was given, on asyncio and on trio."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable

import anyio

from dgspay.webhooks.answers import Answer


class Background:
    """Deliveries in progress, each in a task of its own that no request can cancel."""

    def __init__(self) -> None:
        self._running: set[anyio.Event] = set()
        # The event loop itself remembers a task only weakly.
        self._tasks: set[asyncio.Task[None]] = set()

    async def run_within(
        self, seconds: float, work: Callable[[], Awaitable[Answer]]
    ) -> Answer | None:
        """Start the work; return its answer, or None when it takes longer than that.

        The work goes on in both cases, also when the caller is cancelled.
        """
        finished = anyio.Event()
        given: list[Answer] = []

        async def run() -> None:
            try:
                given.append(await work())
            finally:
                self._running.discard(finished)
                finished.set()

        self._running.add(finished)
        self._start(run)
        with anyio.move_on_after(seconds):
            await finished.wait()
        return given[0] if given else None

    async def drain(self) -> None:
        """Wait until nothing is in progress any more."""
        while self._running:
            await next(iter(self._running)).wait()

    def _start(self, run: Callable[[], Awaitable[None]]) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            import trio  # noqa: PLC0415 - only there, and then it is loaded already

            # As asyncio does it by itself: the work sees the request's context variables.
            trio.lowlevel.spawn_system_task(run, context=contextvars.copy_context())
            return
        task = loop.create_task(_as_coroutine(run))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _as_coroutine(run: Callable[[], Awaitable[None]]) -> None:
    await run()

"""Work that goes on after the answer was given, on asyncio and on trio."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Awaitable, Callable

import anyio
import attrs

from dgspay.webhooks.cancellation import running_asyncio_loop
from dgspay.webhooks.responses import WebhookResponse

logger = logging.getLogger("dgspay.webhooks")


@attrs.define(eq=False)
class _Outcome:
    """The result of one piece of work, and whether its caller still waits for it."""

    finished: anyio.Event = attrs.field(factory=anyio.Event)
    is_awaited: bool = True
    answer: WebhookResponse | None = None
    stop: BaseException | None = None


class Background:
    """Deliveries in progress, each in a task of its own that no request can cancel."""

    def __init__(self) -> None:
        self._running: set[anyio.Event] = set()
        # The event loop itself remembers a task only weakly.
        self._tasks: set[asyncio.Task[None]] = set()

    async def run_within(
        self, seconds: float, work: Callable[[], Awaitable[WebhookResponse]]
    ) -> WebhookResponse | None:
        """Start the work; return its answer, or None when it takes longer than that.

        The work goes on in both cases, also when the caller is cancelled. What it raises is
        raised here, as long as this method still waits for it.
        """
        given = _Outcome()

        async def run() -> None:
            try:
                given.answer = await work()
            except anyio.get_cancelled_exc_class():
                raise
            except BaseException as stop:
                # Any exception that leaves a system task of trio ends the program.
                if given.is_awaited:
                    given.stop = stop
                elif not _belongs_to_the_loop(stop):
                    logger.critical(
                        "a webhook was answered before its handling raised this", exc_info=stop
                    )
                else:
                    raise
            finally:
                self._running.discard(given.finished)
                given.finished.set()

        self._running.add(given.finished)
        self.start(run)
        try:
            with anyio.move_on_after(seconds):
                await given.finished.wait()
        finally:
            given.is_awaited = False
        if given.stop is not None:
            raise given.stop
        return given.answer

    async def drain(self) -> None:
        """Wait until nothing is in progress any more."""
        while self._running:
            await next(iter(self._running)).wait()

    def start(self, run: Callable[[], Awaitable[None]]) -> None:
        """Start a task that is not awaited, not even by `drain`."""
        loop = running_asyncio_loop()
        if loop is None:
            import trio  # noqa: PLC0415 - only there, and then it is loaded already

            # As asyncio does it by itself: the work sees the request's context variables.
            trio.lowlevel.spawn_system_task(run, context=contextvars.copy_context())
            return
        task = loop.create_task(_as_coroutine(run))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _as_coroutine(run: Callable[[], Awaitable[None]]) -> None:
    await run()


def _belongs_to_the_loop(stop: BaseException) -> bool:
    """Return whether asyncio ends the program with it, as for any task. Trio never does."""
    return isinstance(stop, KeyboardInterrupt | SystemExit) and running_asyncio_loop() is not None

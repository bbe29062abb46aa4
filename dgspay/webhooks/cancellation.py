"""Steps of a delivery that the end of the program must not break off, on asyncio and on trio.

An event loop of asyncio that ends cancels every task, each that stands under a shield too. A
step is therefore seen through here, and the cancellation raised again when the delivery is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from threading import Thread
from typing import TypeVar

import anyio
import anyio.to_thread

T = TypeVar("T")


class HandlerStoppedError(Exception):
    """A handler raised a BaseException of its own accord: it was not cancelled from outside."""


class Uninterrupted:
    """Steps that finish in spite of a cancellation, for one delivery in a task of its own."""

    def __init__(self) -> None:
        self._cancellation: asyncio.CancelledError | None = None

    def raise_cancellation(self) -> None:
        """Raise the cancellation that came meanwhile, if one did."""
        if self._cancellation is not None:
            raise self._cancellation

    async def finish(self, step: Callable[[], Awaitable[T]]) -> T:
        """Await a step that may be repeated; on asyncio a cancellation begins it anew."""
        while True:
            asked = _cancel_requests()
            with anyio.CancelScope(shield=True):
                try:
                    return await step()
                except asyncio.CancelledError as cancellation:
                    if not self._keep(cancellation, asked):
                        raise

    async def in_thread(self, function: Callable[[], T]) -> T:
        """Run a function in a worker thread; once it has begun, wait for it in any case."""
        outcome: Future[T] = Future()
        asked = _cancel_requests()
        try:
            await anyio.to_thread.run_sync(_settle, outcome, function)
        except asyncio.CancelledError as cancellation:
            # `cancel` succeeds only where no thread has taken it up, and none will then.
            if outcome.cancel() or not self._keep(cancellation, asked):
                raise
            await self.finish(_waiting_for(outcome))
        return outcome.result()

    def _keep(self, cancellation: asyncio.CancelledError, asked: int) -> bool:
        """Keep a cancellation for later, if the task was really asked to stop since."""
        task = asyncio.current_task() if running_asyncio_loop() is not None else None
        if task is None or task.cancelling() <= asked:
            return False
        # Answered for now, or whatever counts the requests next would stop at this one.
        while task.cancelling() > asked:
            task.uncancel()
        self._cancellation = cancellation
        return True


def running_asyncio_loop() -> asyncio.AbstractEventLoop | None:
    """Return asyncio's loop, or None on trio."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def is_in_event_loop() -> bool:
    """Return whether an event loop, of asyncio or trio, runs in this thread."""
    try:
        anyio.get_cancelled_exc_class()
    except RuntimeError:
        return False
    return True


def in_own_thread(function: Callable[[], T]) -> T:
    """Run a function in a thread of its own, where no event loop runs.

    Once it has begun it is waited for: what interrupts the wait is raised when it is through.
    """
    outcome: Future[T] = Future()
    try:
        Thread(target=_settle, args=(outcome, function), name="dgspay-webhook").start()
        return outcome.result()
    except BaseException:
        # An interrupt may come while `start` still waits for the thread. `cancel` succeeds only
        # where the thread has not taken the function up, and it never will then.
        if not outcome.cancel():
            wait_for([outcome])
        raise


async def call_handler(handling: Callable[[], Awaitable[None]]) -> None:
    """Await a handler; what it raises of its own accord becomes an Exception.

    Raises:
        HandlerStoppedError: for a CancelledError without a cancellation, and for every other
            BaseException that does not end the program.
    """
    asked = _cancel_requests()
    try:
        await handling()
    except Exception:
        raise
    except BaseException as stop:
        if _leaves(stop) & {KeyboardInterrupt, SystemExit, GeneratorExit} or _is_cancelled(
            stop, asked
        ):
            raise
        raise HandlerStoppedError(f"the handler raised {type(stop).__name__}") from stop


def call_handler_in_thread(handling: Callable[[], None]) -> None:
    """Call a handler in a worker thread, where no signal and no cancellation ever arrives.

    Raises:
        HandlerStoppedError: for every BaseException, SystemExit too: it is the handler's own.
    """
    try:
        handling()
    except Exception:
        raise
    except BaseException as stop:
        raise HandlerStoppedError(f"the handler raised {type(stop).__name__}") from stop


def _settle(outcome: Future[T], function: Callable[[], T]) -> None:
    if not outcome.set_running_or_notify_cancel():
        return
    try:
        outcome.set_result(function())
    except BaseException as failure:  # noqa: BLE001 - raised again where it is waited for
        outcome.set_exception(failure)


def _waiting_for(outcome: Future[T]) -> Callable[[], Awaitable[object]]:
    """Make a wait of asyncio's that can be broken off without touching what is waited for."""
    loop, finished = asyncio.get_running_loop(), asyncio.Event()
    outcome.add_done_callback(lambda _: loop.call_soon_threadsafe(finished.set))
    return finished.wait


def _cancel_requests() -> int:
    task = asyncio.current_task() if running_asyncio_loop() is not None else None
    return 0 if task is None else task.cancelling()


def _is_cancelled(stop: BaseException, asked: int) -> bool:
    if anyio.get_cancelled_exc_class() not in _leaves(stop):
        return False
    return running_asyncio_loop() is None or _cancel_requests() > asked


def _leaves(stop: BaseException) -> set[type[BaseException]]:
    if not isinstance(stop, BaseExceptionGroup):
        return {type(stop)}
    return {kind for nested in stop.exceptions for kind in _leaves(nested)}

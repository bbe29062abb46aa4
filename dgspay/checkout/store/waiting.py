"""Waiting for a script that another thread runs: a cancellation ends the waiting alone."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

import anyio.to_thread

T = TypeVar("T")


async def wait_for(asked: Future[T]) -> T:
    """Return what a script that was asked for returns, in any event loop of asyncio, or trio."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # trio
        return await anyio.to_thread.run_sync(asked.result, abandon_on_cancel=True)
    waiting: asyncio.Future[T] = loop.create_future()
    asked.add_done_callback(partial(_hand_over, loop, waiting))
    return await waiting


def _hand_over(
    loop: asyncio.AbstractEventLoop, waiting: asyncio.Future[T], asked: Future[T]
) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: nothing waits any more
        loop.call_soon_threadsafe(_resolve, waiting, asked)


def _resolve(waiting: asyncio.Future[T], asked: Future[T]) -> None:
    if waiting.cancelled():
        return
    error = asked.exception()
    if error is None:
        waiting.set_result(asked.result())
    else:
        waiting.set_exception(error)

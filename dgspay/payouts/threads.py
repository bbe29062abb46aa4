"""Threads for what asks the ledger, which must not hold up the event loop."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

import anyio.to_thread

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function in a worker thread, and return what it returns.

    A cancelled caller waits for it all the same: it may be in the midst of a transaction.
    """
    return await anyio.to_thread.run_sync(partial(function, *args, **kwargs))

"""A lock of the ledger, acquired and released without holding up the event loop."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, asynccontextmanager

import anyio

from dgspay.payouts.threads import in_thread


class _Holding:
    """A lock that is acquired in one thread and released in another.

    A cancelled task does not wait for its thread: what that acquires afterwards is released there.
    """

    def __init__(self, lock: AbstractContextManager[None]) -> None:
        self._lock = lock
        self._guard = threading.Lock()
        self._is_held = False
        self._is_over = False

    def acquire(self) -> None:
        self._lock.__enter__()
        with self._guard:
            self._is_held = True
            too_late = self._is_over
        if too_late:
            self.release()

    def release(self) -> None:
        with self._guard:
            self._is_over = True
            was_held, self._is_held = self._is_held, False
        if was_held:
            self._lock.__exit__(None, None, None)


@asynccontextmanager
async def held(lock: AbstractContextManager[None]) -> AsyncGenerator[None]:
    """Hold a lock that may have to ask a server, and release it whatever happens.

    Raises:
        BatchBusyError, LedgerError: as the lock does.
    """
    holding = _Holding(lock)
    try:
        await in_thread(holding.acquire)
        yield
    finally:
        with anyio.CancelScope(shield=True):
            await in_thread(holding.release)

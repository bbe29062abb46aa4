"""Renewal of the lease of an event while its handler runs, safe from clocks that are set.

A lease is renewed for what is left of it by this machine's monotonic clock, and no longer: one
that its handler outlives does end.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import anyio

from dgspay.webhooks.inbox import AsyncRenewableInbox, Claim, RenewableInbox, watching

logger = logging.getLogger("dgspay.webhooks")

_FAILED = "the lease of %s could not be renewed"
_RENEWALS_WHILE_WATCHED = 4


class _Lease:
    """The remaining time of a lease."""

    def __init__(self, inbox: RenewableInbox | AsyncRenewableInbox, lease: float) -> None:
        self.pause = watching(inbox.patience, lease) / _RENEWALS_WHILE_WATCHED
        self._over = time.monotonic() + lease

    def left(self) -> float:
        return self._over - time.monotonic()


@contextmanager
def renewing(inbox: RenewableInbox, claim: Claim, lease: float) -> Iterator[None]:
    """Renew a lease in a thread until the block is left."""
    stopped, held = threading.Event(), _Lease(inbox, lease)

    def run() -> None:
        while not stopped.wait(held.pause) and (left := held.left()) > 0:
            try:
                inbox.renew(claim, lease=left)
            except Exception:  # the inbox is the user's choice, and its driver has its own errors
                logger.warning(_FAILED, claim.key, exc_info=True)

    # It must not keep a program alive whose database does not answer.
    thread = threading.Thread(target=run, name="dgspay-webhook-lease", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        logger.warning("no thread can be started: the lease of %s is not renewed", claim.key)
    try:
        yield
    finally:
        stopped.set()


@asynccontextmanager
async def renewing_async(
    inbox: AsyncRenewableInbox,
    claim: Claim,
    lease: float,
    start: Callable[[Callable[[], Awaitable[None]]], None],
) -> AsyncIterator[None]:
    """Renew a lease in a task until the block is left.

    Args:
        inbox: Where it stands.
        claim: Whose lease it is.
        lease: How many seconds it still has.
        start: Starts a task. It is not waited for: a cancellation that came in such a wait would
            fall on an event that was handled.
    """
    stopped, held = anyio.Event(), _Lease(inbox, lease)

    async def run() -> None:
        while held.left() > 0:
            with anyio.move_on_after(held.pause):
                await stopped.wait()
                return
            try:
                await inbox.renew(claim, lease=max(0.0, held.left()))
            except Exception:  # the inbox is the user's choice, and its driver has its own errors
                logger.warning(_FAILED, claim.key, exc_info=True)

    start(run)
    try:
        yield
    finally:
        stopped.set()

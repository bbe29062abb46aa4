"""The transport on httpx for `DGSPay`: its base, and the one with connections of its own."""

from __future__ import annotations

import os
from abc import abstractmethod
from typing import TYPE_CHECKING

from dgspay.core.messages import Request, Response, Timeout, TransportFailure
from dgspay.forks import new_lock, undivided
from dgspay.transports.blocking_deadline import DeadlinePassedError, deadline
from dgspay.transports.errors import client_closed, deadline_passed
from dgspay.transports.httpx.base import BaseHttpxTransport, noted, raised_for
from dgspay.transports.httpx.connector import Connector
from dgspay.transports.httpx.progress import Progress
from dgspay.transports.httpx.thread_pool import ThreadPool

if TYPE_CHECKING:
    from dgspay.transports.httpx.asynchronous import AsyncHttpxTransport


class BlockingHttpxTransport(BaseHttpxTransport[Response]):
    """Sends the requests of `DGSPay`; made by `HttpxTransport`, which says with what."""

    is_async = False

    def send(self, request: Request, timeout: Timeout) -> Response:
        """Send the request and return the answer; see `dgspay.transports.base`."""
        progress = Progress()
        failure: BaseException
        with deadline.until(timeout.total):
            try:
                return noted(self._exchange(request, timeout, progress), progress)
            except TransportFailure as error:
                failure = raised_for(error, progress)
            except DeadlinePassedError:
                late = deadline_passed(sent=not progress.is_unsent)
                failure = raised_for(late, progress)
            except Exception as error:  # noqa: BLE001 - as in `AsyncHttpxTransport.send`
                failure = raised_for(error, progress)
                if isinstance(failure, TransportFailure) and failure.sent and deadline.left() <= 0:
                    failure = raised_for(deadline_passed(sent=True), progress)
        raise failure

    @abstractmethod
    def _exchange(self, request: Request, timeout: Timeout, progress: Progress) -> Response: ...

    def to_async(self) -> AsyncHttpxTransport | None:
        """Return one for `AsyncDGSPay` with the same certificates, proxy and limit.

        None where this one was given a client of your own: what that does is not ours to repeat.
        """
        return None

    def close(self) -> None:
        """Close the connections, if they are its own."""


class OwnBlocking(BlockingHttpxTransport):
    """One with a pool per process, shared by its threads.

    Args:
        connector: Opens the connections.
        limit: How many there may be at a time.
    """

    waits_on_sockets = True
    """Which a client of a user's own need not do: it may be one of an application in process."""

    def __init__(self, connector: Connector, limit: int) -> None:
        self._connector = connector
        self._limit = limit
        self._lock = new_lock()
        self._pool: ThreadPool | None = None
        self._pid = 0
        self._closed = False

    def _exchange(self, request: Request, timeout: Timeout, progress: Progress) -> Response:
        if self._closed:
            raise client_closed()
        pool = self._pool
        if pool is None or self._pid != os.getpid():
            pool = self._make()
        return pool.send(request, timeout, progress)

    def check_url(self, url: str) -> None:
        """See that connections to a URL can be made."""
        self._connector.check_url(url)

    def to_async(self) -> AsyncHttpxTransport:
        """Return one for `AsyncDGSPay` with the same certificates, proxy and limit."""
        with undivided:
            from dgspay.transports.httpx.asynchronous import OwnAsync  # noqa: PLC0415 - asyncio

        return OwnAsync(self._connector, self._limit)

    def _make(self) -> ThreadPool:
        with self._lock:
            if self._pool is None or self._pid != os.getpid():
                with undivided:
                    self._pool = ThreadPool(self._connector, self._limit)
                self._pid = os.getpid()
            return self._pool

    def close(self) -> None:
        """Close the connections."""
        self._closed = True
        if self._pool is not None and self._pid == os.getpid():
            self._pool.close()

"""The connections a transport owns, each lent to one request at a time.

Who lends a connection counts it: a request that fails or is cancelled costs its connection and
nothing else, whatever state it left it in. The one used last is lent first, so that a caller
with one request at a time has one connection, and no request looks at more than a few.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Generic, TypeVar

import anyio

from dgspay.core.messages import Request, Response, Timeout
from dgspay.forks import new_lock
from dgspay.interruption import interruption_in
from dgspay.transports.blocking_deadline import BoundBackend, deadline
from dgspay.transports.errors import deadline_passed, pool_timeout
from dgspay.transports.httpx.asyncio_streams import AsyncioBackend
from dgspay.transports.httpx.coalescing_streams import BlockingGatheringBackend, GatheringBackend
from dgspay.transports.httpx.connector import Connector, Origin
from dgspay.transports.httpx.leftovers import has_leftover
from dgspay.transports.httpx.messages import Incoming, split_url, to_httpcore
from dgspay.transports.httpx.progress import Progress
from dgspay.transports.httpx.slots import Slots, Turn
from dgspay.transports.network_layer import (
    AsyncBackend,
    AsyncConnection,
    Connection,
    HasState,
    NetworkLayer,
    OutgoingRequest,
)
from dgspay.transports.proxies import KEEP_ALIVE

ConnectionT = TypeVar("ConnectionT", bound=HasState)


class IdleConnections(Generic[ConnectionT]):
    """The connections nobody uses, the one used last on top.

    Args:
        limit: How many connections there may be in all, lent ones included.
        clock: Seconds that never run backwards.
    """

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._idle: list[tuple[float, Origin, ConnectionT]] = []

    def take(self, origin: Origin, lent: int) -> tuple[ConnectionT | None, list[ConnectionT]]:
        """Return a usable connection to a server, if there is one, and others to close.

        Args:
            origin: The server.
            lent: How many are in use, with the one that is asked for.
        """
        closing: list[ConnectionT] = []
        for position in range(len(self._idle) - 1, -1, -1):
            if self._idle[position][1] == origin:
                connection = self._idle.pop(position)[2]
                if not connection.has_expired():
                    return connection, closing
                closing.append(connection)
        if self._idle and lent + len(self._idle) > self._limit:
            closing.append(self._idle.pop(0)[2])
        return None, closing

    def put_back(self, origin: Origin, connection: ConnectionT) -> list[ConnectionT]:
        """Accept a connection, and return those to close: it, or one idle for too long."""
        if not connection.is_idle() or has_leftover(connection):
            return [connection]
        now = self._clock()
        self._idle.append((now, origin, connection))
        if self._idle[0][0] < now - KEEP_ALIVE:
            return [self._idle.pop(0)[2]]
        return []

    def clear(self) -> list[ConnectionT]:
        """Give all of them away, to be closed."""
        closing = [connection for _, _, connection in self._idle]
        self._idle.clear()
        return closing


class LoopPool:
    """The connections of one event loop.

    Args:
        routes: How they are opened.
        limit: How many there may be at a time.
    """

    def __init__(self, routes: Connector, limit: int) -> None:
        core = routes.library.core
        self._routes = routes
        self._core = core
        self._backend = GatheringBackend(_backend(core), core)
        self._limit = limit
        self._shelf: IdleConnections[AsyncConnection] = IdleConnections(limit)
        self._slots = anyio.Semaphore(limit, fast_acquire=True)
        self._closed = False

    async def send(self, request: Request, timeout: Timeout, progress: Progress) -> Response:
        """Send one request on a connection of its own and read the answer.

        Raises:
            TransportFailure: when no connection became free, or the deadline passed.
            Exception: whatever the network layer raises.
        """
        origin, target = split_url(request.url)
        outgoing = to_httpcore(self._core, request, origin, target, timeout)
        with anyio.move_on_after(timeout.total):
            await self._acquire(timeout.pool, progress)
            try:
                return await self._lend(origin, outgoing, progress)
            finally:
                self._slots.release()
        raise deadline_passed(sent=progress.may_have_left)

    async def _acquire(self, patience: float, progress: Progress) -> None:
        try:
            self._slots.acquire_nowait()
            progress.pool_wait = 0.0
        except anyio.WouldBlock:
            progress.begin_wait()
            try:
                with anyio.move_on_after(patience) as wait:
                    await self._slots.acquire()
            finally:
                progress.end_wait()
            if wait.cancelled_caught:
                raise pool_timeout() from None

    async def _lend(
        self, origin: Origin, outgoing: OutgoingRequest, progress: Progress
    ) -> Response:
        connection, closing = self._shelf.take(origin, self._limit - self._slots.value)
        if connection is None:
            with progress.connecting():
                connection = await self._routes.open_async(origin, self._backend)
            outgoing.extensions["trace"] = progress.note_async
        else:
            progress.may_have_left = True
        fit = False
        try:
            await _close_all(closing)
            answer = await _exchange(connection, outgoing)
            fit = True
            return answer
        finally:
            # What was interrupted is not used again, whatever it says of itself: a lock of
            # httpcore's may have stayed locked.
            closing = self._shelf.put_back(origin, connection) if fit else [connection]
            if self._closed:
                closing += self._shelf.clear()
            await _close_all(closing)

    async def aclose(self) -> None:
        """Close what is not in use; what is in use is closed when it comes back."""
        self._closed = True
        await _close_all(self._shelf.clear())


def _backend(core: NetworkLayer) -> AsyncBackend:
    """Return what opens connections in the event loop this runs in."""
    try:
        on_asyncio = asyncio.current_task() is not None
    except RuntimeError:
        on_asyncio = False
    return AsyncioBackend(core) if on_asyncio else core.TrioBackend()


async def _exchange(connection: AsyncConnection, outgoing: OutgoingRequest) -> Response:
    response = await connection.handle_async_request(outgoing)
    incoming = Incoming(response)
    async with contextlib.aclosing(aiter(response.stream)) as chunks:
        async for chunk in chunks:
            incoming.body.add(chunk)
    await response.aclose()
    return incoming.response()


async def _close_all(connections: list[AsyncConnection]) -> None:
    if not connections:
        return
    with anyio.CancelScope(shield=True):
        for connection in connections:
            interruption = None
            try:
                await connection.aclose()
            except Exception as error:  # noqa: BLE001
                # That a broken connection cannot be closed properly changes nothing any more.
                interruption = interruption_in(error)
            if interruption is not None:
                raise interruption


class ThreadPool:
    """The connections of one process for blocking code, shared by its threads.

    Args:
        routes: How they are opened.
        limit: How many there may be at a time.
    """

    def __init__(self, routes: Connector, limit: int) -> None:
        core = routes.library.core
        self._routes = routes
        self._core = core
        self._backend = BlockingGatheringBackend(BoundBackend(core.SyncBackend()), core)
        self._shelf: IdleConnections[Connection] = IdleConnections(limit)
        self._slots = Slots(limit)
        self._lock = new_lock()
        self._closed = False

    def send(self, request: Request, timeout: Timeout, progress: Progress) -> Response:
        """Send one request on a connection of its own and read the answer; see `LoopPool`."""
        origin, target = split_url(request.url)
        outgoing = to_httpcore(self._core, request, origin, target, timeout)
        turn = Turn()
        try:
            progress.begin_wait()
            found = self._slots.acquire(turn, min(timeout.pool, max(deadline.left(), 0.0)))
            progress.end_wait()
            if not found:
                raise pool_timeout()
            return self._lend(origin, outgoing, progress)
        finally:
            try:
                self._slots.release(turn)
            except BaseException:  # a handler of a signal has interrupted it
                self._slots.release(turn)
                raise

    def _lend(self, origin: Origin, outgoing: OutgoingRequest, progress: Progress) -> Response:
        with self._lock:
            connection, closing = self._shelf.take(origin, self._slots.taken)
        if connection is None:
            with progress.connecting():
                connection = self._routes.open(origin, self._backend)
            outgoing.extensions["trace"] = progress.note
        else:
            progress.may_have_left = True
        fit = False
        try:
            _close_all_blocking(closing)
            response = connection.handle_request(outgoing)
            incoming = Incoming(response)
            for chunk in response.stream:
                incoming.body.add(chunk)
                deadline.check()
            response.close()
            answer = incoming.response()
            fit = True
            return answer
        finally:
            with self._lock:
                closing = self._shelf.put_back(origin, connection) if fit else [connection]
                if self._closed:
                    closing += self._shelf.clear()
            _close_all_blocking(closing)

    def close(self) -> None:
        """Close what is not in use; what is in use is closed when it comes back."""
        with self._lock:
            self._closed = True
            closing = self._shelf.clear()
        _close_all_blocking(closing)


def _close_all_blocking(connections: list[Connection]) -> None:
    for position, connection in enumerate(connections):
        interruption = None
        try:
            connection.close()
        except Exception as error:  # noqa: BLE001 - as in `_close_all`
            interruption = interruption_in(error)
        if interruption is not None:
            _close_all_blocking(connections[position:])
            raise interruption

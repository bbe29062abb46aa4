"""The connections of one event loop; see `pool`."""

from __future__ import annotations

import asyncio
import contextlib

import anyio
import anyio.to_thread

from dgspay.core.messages import Request, Response, Timeout
from dgspay.interruption import interruption_in
from dgspay.transports.errors import deadline_passed, pool_timeout
from dgspay.transports.httpx.asyncio_streams import AsyncioBackend
from dgspay.transports.httpx.coalescing_streams import GatheringBackend
from dgspay.transports.httpx.connector import Connector, Origin
from dgspay.transports.httpx.messages import Incoming, split_url, to_httpcore
from dgspay.transports.httpx.pool import IdleConnections
from dgspay.transports.httpx.progress import Progress
from dgspay.transports.network_layer import (
    AsyncBackend,
    AsyncConnection,
    NetworkLayer,
    OutgoingRequest,
)


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
                connection = await self._open(origin)
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

    async def _open(self, origin: Origin) -> AsyncConnection:
        if self._routes.must_read_certificates(origin):
            # In a thread of its own: those of the program may all be waiting for this call.
            await anyio.to_thread.run_sync(
                self._routes.read_certificates, limiter=anyio.CapacityLimiter(1)
            )
        return self._routes.open_async(origin, self._backend)

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

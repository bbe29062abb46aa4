"""The transport on httpx for `AsyncDGSPay`: with connections of its own, or a user's client."""

from __future__ import annotations

import functools
import weakref
from abc import abstractmethod
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from dgspay.core.messages import Request, Response, Timeout
from dgspay.forks import undivided
from dgspay.transports.errors import client_closed, unusable
from dgspay.transports.httpx import user_client
from dgspay.transports.httpx.base import BaseHttpxTransport, ClientOfOneProcess, noted, raised_for
from dgspay.transports.httpx.connector import Connector
from dgspay.transports.httpx.loop_pool import LoopPool
from dgspay.transports.httpx.progress import Progress
from dgspay.transports.interim import watch
from dgspay.transports.loops import PerLoop, running_loop

if TYPE_CHECKING:
    import httpx


class AsyncHttpxTransport(BaseHttpxTransport[Coroutine[Any, Any, Response]]):
    """Sends the requests of `AsyncDGSPay`; made by `HttpxTransport`, which says with what."""

    is_async = True

    async def send(self, request: Request, timeout: Timeout) -> Response:
        """Send the request and return the answer; see `dgspay.transports.base`."""
        progress = Progress()
        try:
            return noted(await self._exchange(request, timeout, progress), progress)
        except Exception as error:  # noqa: BLE001
            # Whatever the library raises, bytes may have left; the user must be told so, and its
            # own exception may show headers. Cancellation is no Exception and passes.
            failure = raised_for(error, progress)
        raise failure

    @abstractmethod
    def _exchange(
        self, request: Request, timeout: Timeout, progress: Progress
    ) -> Coroutine[Any, Any, Response]: ...

    async def aclose(self) -> None:
        """Close the connections of this event loop, if they are its own."""


class OwnAsync(AsyncHttpxTransport):
    """One with a pool per event loop and process; connections cannot cross either border.

    Args:
        connector: Opens them.
        limit: How many there may be at a time in a pool.
    """

    def __init__(self, connector: Connector, limit: int) -> None:
        self._connector = connector
        self._pools: PerLoop[object, LoopPool] = PerLoop(
            functools.partial(_pool, connector, limit), _close
        )
        self._closed = False

    def _exchange(
        self, request: Request, timeout: Timeout, progress: Progress
    ) -> Coroutine[Any, Any, Response]:
        if self._closed:
            raise client_closed()
        loop = running_loop()
        pool = self._pools.get(loop)
        if pool is None:
            return self._open_and_send(loop, request, timeout, progress)
        return pool.send(request, timeout, progress)

    def check_url(self, url: str) -> None:
        """See that connections to a URL can be made."""
        self._connector.check_url(url)

    async def _open_and_send(
        self, loop: object, request: Request, timeout: Timeout, progress: Progress
    ) -> Response:
        pool = await self._pools.open(loop)
        return await pool.send(request, timeout, progress)

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        self._closed = True
        await self._pools.aclose(running_loop())


def _pool(connector: Connector, limit: int, _: object) -> LoopPool:
    with undivided:  # anyio imports what it needs in this kind of loop
        return LoopPool(connector, limit)


async def _close(pool: LoopPool) -> None:
    await pool.aclose()


class BorrowedAsync(AsyncHttpxTransport):
    """One through a user's `AsyncClient`, in the event loop it was first used in."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        watch(client)
        self._client = ClientOfOneProcess(client)
        self._loop: weakref.ref[object] | None = None  # which is compared and nothing else

    def _exchange(
        self, request: Request, timeout: Timeout, progress: Progress
    ) -> Coroutine[Any, Any, Response]:
        client = self._client.checked()
        loop = running_loop()
        if self._loop is None:
            self._loop = weakref.ref(loop)
        elif self._loop() is not loop:
            raise unusable("the httpx client belongs to another event loop")
        return user_client.send_async(client, request, timeout, progress)

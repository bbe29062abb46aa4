"""The default transport, on httpx or httpx2: one class for both clients, and for both libraries."""

from __future__ import annotations

import functools
import os
import weakref
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

from dgspay.core.messages import Request, Response, Timeout, TransportFailure
from dgspay.errors import ConfigError
from dgspay.forks import new_lock, undivided
from dgspay.interruption import interruption_in
from dgspay.transports.base import MAX_CONNECTIONS
from dgspay.transports.blocking_deadline import DeadlinePassedError, bound, deadline
from dgspay.transports.certificates import Verify
from dgspay.transports.checks import check_nothing_beside, checked_limit
from dgspay.transports.errors import deadline_passed, failure_of, unsent, unusable
from dgspay.transports.httpx import user_client
from dgspay.transports.httpx.connector import Connector
from dgspay.transports.httpx.library import Library, LibraryName, is_async_client
from dgspay.transports.httpx.pool import LoopPool, ThreadPool
from dgspay.transports.httpx.progress import Progress
from dgspay.transports.interim import watch
from dgspay.transports.loops import PerLoop, running_loop

if TYPE_CHECKING:
    import httpx
    import httpx2

_DEFAULTS = {
    "library": "httpx",
    "verify": True,
    "trust_env": False,
    "proxy": None,
    "max_connections": MAX_CONNECTIONS,
}

AnswerT = TypeVar("AnswerT")
"""What `send` returns: a Response, or a coroutine that returns one."""


class HttpxTransport(Generic[AnswerT]):
    """Sends requests with httpx or httpx2.

    `HttpxTransport()` is for `AsyncDGSPay` and `HttpxTransport.blocking()` for `DGSPay`. Both
    own their connections, per event loop and per process, so that a client may be used in
    several; each is lent to one request at a time, which costs the same however many there are
    and survives any cancellation. They speak through the library's own network layer.

    Given an `AsyncClient` or `Client` of your own, that client is used as it is, event hooks and
    all, and is yours to close. Only its sockets learn to count interim answers, and those of a
    blocking one to end at the deadline of a call; where it has a transport of its own making, they
    cannot. Before each call of ours, its idle connections on which a server has sent more than
    its answers are closed, for httpx would take the rest for the answer to the next request; your
    own requests through it are not spared that.

    Args:
        client: Your own client of httpx or httpx2. It decides which of the two clients this
            transport is for.
        library: `httpx`, or `httpx2` (extra `httpx2`), where no client is given.
        verify: Certificates to trust: the path of a file or folder of them, or an SSLContext,
            which may hold a client's certificate. Leave it on.
        trust_env: Whether proxy variables and `SSL_CERT_FILE` are obeyed.
        proxy: URL of a proxy to go through.
        max_connections: How many connections there may be at a time. A request waits for a
            free one as long as `Timeout.pool` says, and is not sent when there was none.

    Raises:
        ConfigError: an argument is wrong, or the library is not installed. What shows only when
            a connection is made (a file the environment names is gone, the library for a SOCKS
            proxy is not installed) is one of the call, which was not sent.
    """

    @overload
    def __init__(
        self: HttpxTransport[Coroutine[Any, Any, Response]],
        client: None = None,
        *,
        library: LibraryName = "httpx",
        verify: Verify = True,
        trust_env: bool = False,
        proxy: str | None = None,
        max_connections: int = MAX_CONNECTIONS,
    ) -> None: ...

    @overload
    def __init__(
        self: HttpxTransport[Coroutine[Any, Any, Response]],
        client: httpx.AsyncClient | httpx2.AsyncClient,
    ) -> None: ...

    @overload
    def __init__(self: HttpxTransport[Response], client: httpx.Client | httpx2.Client) -> None: ...

    def __init__(
        self,
        client: Any = None,
        *,
        library: LibraryName = "httpx",
        verify: Verify = True,
        trust_env: bool = False,
        proxy: str | None = None,
        max_connections: int = MAX_CONNECTIONS,
    ) -> None:
        self._source: _OwnAsync | _OwnBlocking | _BorrowedAsync | _BorrowedBlocking
        if client is None:
            self.is_async = True
            routes = _routes(library, verify=verify, trust_env=trust_env, proxy=proxy)
            self._source = _OwnAsync(routes, checked_limit(max_connections))
            return
        self.is_async = is_async_client(client)
        options = {
            "library": library,
            "verify": verify,
            "trust_env": trust_env,
            "proxy": proxy,
            "max_connections": max_connections,
        }
        check_nothing_beside("client", options, _DEFAULTS)
        if client.is_closed:
            raise ConfigError("client is closed already: make a new one")
        if self.is_async:
            watch(client)
            self._source = _BorrowedAsync(client)
        else:
            bound(client)
            self._source = _BorrowedBlocking(client)

    @classmethod
    def blocking(
        cls,
        *,
        library: LibraryName = "httpx",
        verify: Verify = True,
        trust_env: bool = False,
        proxy: str | None = None,
        max_connections: int = MAX_CONNECTIONS,
    ) -> HttpxTransport[Response]:
        """Return a transport for `DGSPay` that owns its connections; see the class."""
        transport: HttpxTransport[Response] = HttpxTransport.__new__(HttpxTransport)
        routes = _routes(library, verify=verify, trust_env=trust_env, proxy=proxy)
        transport._source = _OwnBlocking(routes, checked_limit(max_connections))
        transport.is_async = False
        return transport

    def send(self, request: Request, timeout: Timeout) -> AnswerT:
        """Send the request and return the answer; see `dgspay.transports.base`."""
        source = self._source
        if isinstance(source, _OwnAsync | _BorrowedAsync):
            return cast("AnswerT", _send_async(source, request, timeout))
        return cast("AnswerT", _send_blocking(source, request, timeout))

    def to_async(self) -> HttpxTransport[Coroutine[Any, Any, Response]] | None:
        """Return one for `AsyncDGSPay` with the same certificates, proxy and limit.

        None where this one was given a client of your own: what that does is not ours to repeat.
        """
        if not isinstance(self._source, _OwnBlocking):
            return None
        twin: HttpxTransport[Coroutine[Any, Any, Response]] = HttpxTransport.__new__(HttpxTransport)
        twin._source = self._source.to_async()
        twin.is_async = True
        return twin

    async def aclose(self) -> None:
        """Close the connections of this event loop, if they are ours."""
        if isinstance(self._source, _OwnAsync):
            await self._source.aclose()

    def close(self) -> None:
        """Close the connections, if they are ours."""
        if isinstance(self._source, _OwnBlocking):
            self._source.close()


def _routes(library: str, **options: Any) -> Connector:
    return Connector(Library.named(library), **options)


async def _send_async(
    source: _OwnAsync | _BorrowedAsync, request: Request, timeout: Timeout
) -> Response:
    progress = Progress()
    try:
        return await source.send(request, timeout, progress)
    except TransportFailure:
        raise
    except Exception as error:  # noqa: BLE001
        # Whatever the library raises, bytes may have left; the user must be told so, and its own
        # exception may show headers. Cancellation is no Exception and passes.
        failure = _raised_for(error, progress)
    raise failure


def _send_blocking(
    source: _OwnBlocking | _BorrowedBlocking, request: Request, timeout: Timeout
) -> Response:
    progress = Progress()
    failure: BaseException
    with deadline.until(timeout.total):
        try:
            return source.send(request, timeout, progress)
        except TransportFailure:
            raise
        except DeadlinePassedError:
            failure = deadline_passed(sent=not progress.is_unsent)
        except Exception as error:  # noqa: BLE001 - as in _send_async
            failure = _raised_for(error, progress)
            if isinstance(failure, TransportFailure) and failure.sent and deadline.left() <= 0:
                failure = deadline_passed(sent=True)
    raise failure


def _raised_for(error: Exception, progress: Progress) -> BaseException:
    """Return what a handler of a signal has raised, or else what the failure means."""
    interruption = interruption_in(error)
    if interruption is not None:
        return interruption
    return unsent(error) if progress.is_unsent else failure_of(error)


# --- whose connections -----------------------------------------------------------------------


class _OwnAsync:
    """A pool per event loop and process; connections cannot cross either border."""

    def __init__(self, routes: Connector, limit: int) -> None:
        self._routes = routes
        self._limit = limit
        self._pools: PerLoop[LoopPool] = PerLoop(functools.partial(_pool, routes, limit), _close)
        self._closed = False

    def send(
        self, request: Request, timeout: Timeout, progress: Progress
    ) -> Coroutine[Any, Any, Response]:
        if self._closed:
            raise unusable("the client is closed")
        loop = running_loop()
        pool = self._pools.get(loop)
        if pool is None:
            return self._open_and_send(loop, request, timeout, progress)
        return pool.send(request, timeout, progress)

    async def _open_and_send(
        self, loop: Any, request: Request, timeout: Timeout, progress: Progress
    ) -> Response:
        pool = await self._pools.open(loop)
        return await pool.send(request, timeout, progress)

    async def aclose(self) -> None:
        self._closed = True
        await self._pools.aclose(running_loop())


def _pool(routes: Connector, limit: int, _: Any) -> LoopPool:
    with undivided:  # anyio imports what it needs in this kind of loop
        return LoopPool(routes, limit)


async def _close(pool: LoopPool) -> None:
    await pool.aclose()


class _OwnBlocking:
    """A pool per process, shared by its threads."""

    def __init__(self, routes: Connector, limit: int) -> None:
        self._routes = routes
        self._limit = limit
        self._lock = new_lock()
        self._pool: ThreadPool | None = None
        self._pid = 0
        self._closed = False

    def send(self, request: Request, timeout: Timeout, progress: Progress) -> Response:
        if self._closed:
            raise unusable("the client is closed")
        pool = self._pool
        if pool is None or self._pid != os.getpid():
            pool = self._make()
        return pool.send(request, timeout, progress)

    def to_async(self) -> _OwnAsync:
        return _OwnAsync(self._routes, self._limit)

    def _make(self) -> ThreadPool:
        with self._lock:
            if self._pool is None or self._pid != os.getpid():
                with undivided:
                    self._pool = ThreadPool(self._routes, self._limit)
                self._pid = os.getpid()
            return self._pool

    def close(self) -> None:
        self._closed = True
        if self._pool is not None and self._pid == os.getpid():
            self._pool.close()


class _Borrowed:
    """The user's own client, in the process it was given in."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._pid = os.getpid()

    def check(self) -> None:
        if self._client.is_closed:
            raise unusable("the httpx client is closed")
        if os.getpid() != self._pid:
            raise unusable("the httpx client was made before a fork; make one in each process")


class _BorrowedAsync(_Borrowed):
    """An `AsyncClient`, in the event loop it was first used in."""

    _loop: weakref.ref[Any] | None = None  # which is compared and nothing else

    def send(
        self, request: Request, timeout: Timeout, progress: Progress
    ) -> Coroutine[Any, Any, Response]:
        self.check()
        loop = running_loop()
        if self._loop is None:
            self._loop = weakref.ref(loop)
        elif self._loop() is not loop:
            raise unusable("the httpx client belongs to another event loop")
        return user_client.send_async(self._client, request, timeout, progress)


class _BorrowedBlocking(_Borrowed):
    """A `Client`."""

    def send(self, request: Request, timeout: Timeout, progress: Progress) -> Response:
        self.check()
        return user_client.send_blocking(self._client, request, timeout, progress)

"""The default transport, on httpx or httpx2, for both clients: what a program makes."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Generic, cast, overload

from dgspay import _lazy
from dgspay.core.messages import Request, Response, Timeout
from dgspay.errors import ConfigError
from dgspay.forks import undivided
from dgspay.transports.base import MAX_CONNECTIONS
from dgspay.transports.certificates import Verify
from dgspay.transports.checks import check_nothing_beside, checked_limit
from dgspay.transports.httpx.base import AnswerT, BaseHttpxTransport
from dgspay.transports.httpx.blocking import (
    BlockingHttpxTransport,
    OwnBlocking,
)
from dgspay.transports.httpx.connector import Connector
from dgspay.transports.httpx.library import Library, LibraryName, is_async_client

if TYPE_CHECKING:
    import httpx
    import httpx2

    from dgspay.transports.httpx.asynchronous import AsyncHttpxTransport, BorrowedAsync
    from dgspay.transports.httpx.borrowed_blocking import BorrowedBlocking

__all__ = ["AsyncHttpxTransport", "BlockingHttpxTransport", "HttpxTransport"]

# A blocking program does not load asyncio.
__getattr__ = _lazy.attach(__name__, {"asynchronous": "AsyncHttpxTransport"})

_DEFAULTS = {
    "library": "httpx",
    "verify": True,
    "trust_env": False,
    "proxy": None,
    "max_connections": MAX_CONNECTIONS,
}


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
        ConfigError: an argument is wrong, or a library is not installed. What the environment
            names is looked at when the client is made. What shows only when a connection is made
            is an error of the call, which was not sent.
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
        self: HttpxTransport[Any],
        client: object = None,
        *,
        library: LibraryName = "httpx",
        verify: Verify = True,
        trust_env: bool = False,
        proxy: str | None = None,
        max_connections: int = MAX_CONNECTIONS,
    ) -> None:
        self._transport: BaseHttpxTransport[AnswerT]
        if client is None:
            with undivided:
                from dgspay.transports.httpx.asynchronous import OwnAsync  # noqa: PLC0415 - asyncio

            connector = Connector(
                Library.named(library), verify=verify, trust_env=trust_env, proxy=proxy
            )
            self._transport = OwnAsync(connector, checked_limit(max_connections))
        else:
            options = {
                "library": library,
                "verify": verify,
                "trust_env": trust_env,
                "proxy": proxy,
                "max_connections": max_connections,
            }
            self._transport = _through(client, options)
        self.is_async = self._transport.is_async

    @staticmethod
    def blocking(
        *,
        library: LibraryName = "httpx",
        verify: Verify = True,
        trust_env: bool = False,
        proxy: str | None = None,
        max_connections: int = MAX_CONNECTIONS,
    ) -> BlockingHttpxTransport:
        """Return a transport for `DGSPay` that owns its connections; see the class."""
        connector = Connector(
            Library.named(library), verify=verify, trust_env=trust_env, proxy=proxy
        )
        return OwnBlocking(connector, checked_limit(max_connections))

    def send(self, request: Request, timeout: Timeout) -> AnswerT:
        """Send the request and return the answer; see `dgspay.transports.base`."""
        return self._transport.send(request, timeout)

    def check_url(self, url: str) -> None:
        """See that connections to a URL can be made; a client does so when it is made.

        Raises:
            TransportFailure: what the environment names bars them.
        """
        self._transport.check_url(url)

    async def aclose(self) -> None:
        """Close the connections of this event loop, if ours; see `dgspay.transports.base`."""
        if self.is_async:
            await cast("AsyncHttpxTransport", self._transport).aclose()

    def close(self) -> None:
        """Close the connections, if they are ours; see `dgspay.transports.base`."""
        if isinstance(self._transport, BlockingHttpxTransport):
            self._transport.close()


def _through(client: Any, options: Mapping[str, object]) -> BorrowedAsync | BorrowedBlocking:
    """Return a transport through a user's client, beside which no option has an effect."""
    is_async = is_async_client(client)
    check_nothing_beside("client", options, _DEFAULTS)
    if client.is_closed:
        raise ConfigError("client is closed already: make a new one")
    with undivided:
        if is_async:
            from dgspay.transports.httpx.asynchronous import BorrowedAsync  # noqa: PLC0415 - asyncio

            return BorrowedAsync(client)
        from dgspay.transports.httpx.borrowed_blocking import BorrowedBlocking  # noqa: PLC0415

        return BorrowedBlocking(client)

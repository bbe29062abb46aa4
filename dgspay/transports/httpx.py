"""The default transport, on httpx: one class for both clients, chosen by the client it holds."""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Coroutine, Iterable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Generic, TypeVar, cast, overload

import anyio
import httpx
from anyio.lowlevel import EventLoopToken, RunVar, current_token

from dgspay.core.operation import Request, Response, Timeout, TransportFailure
from dgspay.transports.base import MAX_BODY_BYTES
from dgspay.transports.deadline import bound, deadline

ClientT = TypeVar("ClientT", httpx.AsyncClient, httpx.Client)

# What these raise happens before the first byte of the request leaves.
_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)

_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (httpx.ConnectTimeout, "the connection could not be opened in time"),
    (httpx.PoolTimeout, "no connection of the pool became free in time"),
    (httpx.ReadTimeout, "no answer came in time"),
    (httpx.WriteTimeout, "the request could not be written in time"),
    (httpx.ProxyError, "the proxy refused the connection"),
    (httpx.ConnectError, "the connection could not be opened"),
    (httpx.RemoteProtocolError, "the connection ended before a whole answer had come"),
    (httpx.ReadError, "the connection broke before a whole answer had come"),
    (httpx.WriteError, "the connection broke while the request was being written"),
)


class HttpxTransport(Generic[ClientT]):
    """Sends requests with httpx.

    `HttpxTransport()` is for `AsyncDGSPay` and `HttpxTransport.blocking()` for `DGSPay`; both
    keep a pool per event loop and per process, so that a client may be used in several. Given
    an `httpx.AsyncClient` or `httpx.Client` of your own, that client is used as it is, event
    hooks and all, and is yours to close. Only the sockets of a blocking one learn to end at the
    deadline of a call; where it has a transport of its own making, they cannot.

    Args:
        client: Your own client. It decides which of the two clients this transport is for.
        verify: Certificates to trust, as httpx takes them. Leave it on.
        trust_env: Whether proxy variables and `SSL_CERT_FILE` are obeyed.
        proxy: URL of a proxy to go through.
    """

    @overload
    def __init__(
        self: HttpxTransport[httpx.AsyncClient],
        client: None = None,
        *,
        verify: ssl.SSLContext | bool = True,
        trust_env: bool = False,
        proxy: str | None = None,
    ) -> None: ...

    @overload
    def __init__(self, client: ClientT) -> None: ...

    def __init__(
        self,
        client: httpx.AsyncClient | httpx.Client | None = None,
        *,
        verify: ssl.SSLContext | bool = True,
        trust_env: bool = False,
        proxy: str | None = None,
    ) -> None:
        options = {"verify": verify, "trust_env": trust_env, "proxy": proxy}
        self._clients: _BorrowedClient | _LoopClients | _ProcessClient
        if client is not None:
            self._clients = _BorrowedClient(client)
            if isinstance(client, httpx.Client):
                bound(client)
        else:
            self._clients = _LoopClients(options)
        self.is_async = not isinstance(client, httpx.Client)

    @classmethod
    def blocking(
        cls,
        *,
        verify: ssl.SSLContext | bool = True,
        trust_env: bool = False,
        proxy: str | None = None,
    ) -> HttpxTransport[httpx.Client]:
        """Return a transport for `DGSPay` that makes its own pool."""
        options = {"verify": verify, "trust_env": trust_env, "proxy": proxy}
        transport: HttpxTransport[httpx.Client] = HttpxTransport.__new__(HttpxTransport)
        transport._clients = _ProcessClient(options)
        transport.is_async = False
        return transport

    @overload
    def send(
        self: HttpxTransport[httpx.AsyncClient], request: Request, timeout: Timeout
    ) -> Coroutine[Any, Any, Response]: ...

    @overload
    def send(
        self: HttpxTransport[httpx.Client], request: Request, timeout: Timeout
    ) -> Response: ...

    def send(self, request: Request, timeout: Timeout) -> Response | Coroutine[Any, Any, Response]:
        """Send the request and return the answer; see `dgspay.transports.base`."""
        if self.is_async:
            return self._send_async(request, timeout)
        return self._send_blocking(request, timeout)

    async def _send_async(self, request: Request, timeout: Timeout) -> Response:
        client = cast("httpx.AsyncClient", self._clients.get())
        failure = None
        progress = _Progress()
        with anyio.move_on_after(timeout.total) as scope:
            try:
                outgoing = _to_httpx(request, timeout)
                outgoing.extensions["trace"] = progress.note
                response = await client.send(
                    outgoing, stream=True, auth=None, follow_redirects=False
                )
                try:
                    body = _Body(response)
                    if not body.is_complete:
                        async for chunk in response.aiter_raw():
                            body.add(chunk)
                finally:
                    await response.aclose()
                return body.response()
            except TransportFailure:
                raise
            except Exception as error:  # noqa: BLE001
                # Whatever the library raises, bytes may have left; the user must be told so, and
                # its own exception may show headers. Cancellation is no Exception and passes.
                failure = _failure(error)
        if failure is None or scope.cancelled_caught:
            failure = _never_connected() if progress.is_connecting else _deadline_passed()
        raise failure

    def _send_blocking(self, request: Request, timeout: Timeout) -> Response:
        client = cast("httpx.Client", self._clients.get())
        with deadline.until(timeout.total):
            try:
                response = client.send(
                    _to_httpx(request, timeout), stream=True, auth=None, follow_redirects=False
                )
                try:
                    body = _Body(response)
                    if not body.is_complete:
                        for chunk in response.iter_raw():
                            body.add(chunk)
                            if deadline.left() <= 0:
                                raise _deadline_passed()
                finally:
                    response.close()
                return body.response()
            except TransportFailure:
                raise
            except Exception as error:  # noqa: BLE001 - as in _send_async
                failure = _failure(error)
                if isinstance(error, httpx.ReadTimeout) and deadline.left() <= 0:
                    failure = _deadline_passed()
        raise failure

    async def aclose(self) -> None:
        """Close the pool of this event loop, if it is ours."""
        if isinstance(self._clients, _LoopClients):
            await self._clients.aclose()

    def close(self) -> None:
        """Close the pool, if it is ours."""
        if isinstance(self._clients, _ProcessClient):
            self._clients.close()


# --- which client ---------------------------------------------------------------------------


class _BorrowedClient:
    """The user's own client, in the event loop and process it was first used in."""

    def __init__(self, client: httpx.AsyncClient | httpx.Client) -> None:
        self._client = client
        self._pid = os.getpid()
        self._loop: EventLoopToken | None = None

    def get(self) -> httpx.AsyncClient | httpx.Client:
        if self._client.is_closed:
            raise _unusable("the httpx client is closed")
        if os.getpid() != self._pid:
            raise _unusable("the httpx client was made before a fork; make one in each process")
        if isinstance(self._client, httpx.AsyncClient):
            loop = current_token()
            if self._loop is None:
                self._loop = loop
            elif self._loop != loop:
                raise _unusable("the httpx client belongs to another event loop")
        return self._client


class _LoopClients:
    """An async client per event loop and process; connections cannot cross either border."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._client: RunVar[tuple[int, httpx.AsyncClient]] = RunVar("dgspay httpx client")
        self._closed = False

    def get(self) -> httpx.AsyncClient:
        if self._closed:
            raise _unusable("the client is closed")
        pid, client = self._client.get((0, None))
        if client is None or pid != os.getpid():
            client = httpx.AsyncClient(cookies=_no_cookies(), **self._options)
            self._client.set((os.getpid(), client))
        return client

    async def aclose(self) -> None:
        self._closed = True
        pid, client = self._client.get((0, None))
        if client is not None and pid == os.getpid():
            await client.aclose()


class _ProcessClient:
    """A blocking client per process, shared by its threads."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._client: httpx.Client | None = None
        self._pid = 0
        self._closed = False

    def get(self) -> httpx.Client:
        if self._closed:
            raise _unusable("the client is closed")
        client = self._client
        if client is not None and self._pid == os.getpid():
            return client
        with self._lock:
            if self._client is None or self._pid != os.getpid():
                self._client = bound(httpx.Client(cookies=_no_cookies(), **self._options))
                self._pid = os.getpid()
            return self._client

    def close(self) -> None:
        self._closed = True
        if self._client is not None and self._pid == os.getpid():
            self._client.close()


def _no_cookies() -> CookieJar:
    return CookieJar(policy=DefaultCookiePolicy(allowed_domains=()))


def _unusable(reason: str) -> TransportFailure:
    return TransportFailure(reason, sent=False, permanent=True)


# --- to and from httpx ------------------------------------------------------------------------


def _to_httpx(request: Request, timeout: Timeout) -> httpx.Request:
    """Build the request itself, so that nothing of a client's defaults is mixed in."""
    return httpx.Request(
        request.method,
        request.url,
        headers=dict(request.headers),
        content=request.body,
        extensions={
            "timeout": {
                "connect": timeout.connect,
                "write": timeout.write,
                "read": timeout.read,
                "pool": timeout.pool,
            }
        },
    )


class _Body:
    """The body of an answer as it is read: never unpacked, never over the cap."""

    def __init__(self, response: httpx.Response) -> None:
        encoding = response.headers.get("content-encoding", "identity")
        if encoding.strip().lower() not in ("", "identity"):
            raise TransportFailure(
                "the answer is compressed although that was not asked for", sent=True
            )
        self._response = response
        self._chunks: list[bytes] = []
        self._size = 0
        # A mocked answer, or one that an event hook has read, comes with its body.
        self.is_complete = response.is_stream_consumed
        if self.is_complete:
            self.add(response.content)

    def add(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > MAX_BODY_BYTES:
            raise TransportFailure(f"the answer is over {MAX_BODY_BYTES} bytes", sent=True)
        self._chunks.append(chunk)

    def response(self) -> Response:
        headers = {name.lower(): value for name, value in self._response.headers.items()}
        return Response(self._response.status_code, headers, b"".join(self._chunks))


def _failure(error: Exception) -> TransportFailure:
    if any(isinstance(link, ssl.SSLCertVerificationError) for link in _chain(error)):
        return TransportFailure(
            "the server's certificate does not verify (check base_url and verify=)",
            sent=False,
            permanent=True,
        )
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return TransportFailure(reason + _detail(error), sent=not isinstance(error, _NOT_SENT))
    return TransportFailure(
        f"the request failed ({type(error).__name__})", sent=not isinstance(error, _NOT_SENT)
    )


def _detail(error: Exception) -> str:
    """Add the operating system's own words, which hold nothing of the request."""
    for link in _chain(error):
        if isinstance(link, OSError) and isinstance(link.strerror, str):
            return f" ({link.strerror})"
    return ""


def _chain(error: BaseException) -> Iterable[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        if isinstance(link, BaseExceptionGroup):
            yield from link.exceptions
        link = link.__cause__ or link.__context__


class _Progress:
    """How far a request has come, so that a deadline can say whether a byte may have left."""

    def __init__(self) -> None:
        self.is_connecting = False

    async def note(self, event: str, _: Any) -> None:
        if event == "connection.connect_tcp.started":
            self.is_connecting = True
        elif event.endswith("send_request_headers.started"):
            self.is_connecting = False


def _never_connected() -> TransportFailure:
    return TransportFailure("the connection was not open when the deadline passed", sent=False)


def _deadline_passed() -> TransportFailure:
    return TransportFailure("the whole answer had not come when the deadline passed", sent=True)

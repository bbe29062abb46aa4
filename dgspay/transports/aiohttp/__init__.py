"""The transport on aiohttp, for programs on asyncio that make many calls at once."""

from __future__ import annotations

try:
    import aiohttp
    from aiohttp import ClientHandlerType
except ImportError:
    raise ImportError(
        "AiohttpTransport needs aiohttp 3.13.4 or newer: pip install 'dgspay[aiohttp]'"
    ) from None

import asyncio
import sys
import time
from collections.abc import Collection
from typing import overload

from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import StreamWriter
from aiohttp.payload import Payload
from yarl import URL

from dgspay.core.messages import Request, Response, Timeout, TransportFailure
from dgspay.errors import ConfigError
from dgspay.interruption import interruption_in
from dgspay.transports.aiohttp.sessions import (
    PROXIES,
    BorrowedSession,
    LoopSessions,
    OpenSession,
    Options,
)
from dgspay.transports.base import MAX_CONNECTIONS
from dgspay.transports.body import Body
from dgspay.transports.certificates import Verify, checked_verify
from dgspay.transports.checks import (
    check_nothing_beside,
    checked_flag,
    checked_limit,
    checked_proxy,
)
from dgspay.transports.errors import (
    deadline_passed,
    detail,
    is_about_a_certificate,
    pool_timeout,
    too_many_interim_answers,
    unverified,
)
from dgspay.transports.interim import TooManyInterimAnswersError

# What is handed over at a time, so that a write can be seen to stall.
_PIECE = 65_536

# A proxy on the way may add headers of some length; aiohttp takes 128 of them.
_HEADER_LINE = 32_768

_DEFAULTS = {
    "verify": True,
    "trust_env": False,
    "proxy": None,
    "max_connections": MAX_CONNECTIONS,
}

# The headers that are aiohttp's business: where a request goes, and where its body ends.
_FRAMING = {"host", "content-length", "transfer-encoding"}


class AiohttpTransport:
    """Sends requests with aiohttp. It is for `AsyncDGSPay` on asyncio; on trio, use httpx.

    `AiohttpTransport()` keeps a session per event loop, so that a client may be used in several,
    and in forked processes. Each is closed with the client, or when its loop ends.

    Given an `aiohttp.ClientSession` of your own, its connections, proxy and certificates are
    used, and it is yours to close. Its base headers, cookies, credentials and middlewares are
    not mixed into our requests, and its `raise_for_status` is not obeyed. What aiohttp offers
    no way around: its traces see our requests, API key included; its connector's limit holds,
    and the wait for it is a part of connecting; and its cookie jar keeps what the server sets (and
    is not sent back).

    Args:
        session: Your own session.
        verify: Certificates to trust: those of certifi, or the path of a file or folder of them,
            or an SSLContext, which may hold a client's certificate. Leave it on.
        trust_env: Whether proxy variables and `SSL_CERT_FILE` are obeyed. `.netrc` never is.
        proxy: URL of an HTTP proxy to go through.
        max_connections: How many calls may be under way at once in an event loop; others wait,
            at most for `Timeout.pool`.

    Raises:
        ConfigError: an argument is wrong. What the environment names is looked at when the client
            is made. What shows only when a connection is made is an error of the call, which was
            not sent.
    """

    is_async = True

    @overload
    def __init__(self, session: aiohttp.ClientSession) -> None: ...

    @overload
    def __init__(
        self,
        session: None = None,
        *,
        verify: Verify = True,
        trust_env: bool = False,
        proxy: str | None = None,
        max_connections: int = MAX_CONNECTIONS,
    ) -> None: ...

    def __init__(
        self,
        session: aiohttp.ClientSession | None = None,
        *,
        verify: Verify = True,
        trust_env: bool = False,
        proxy: str | None = None,
        max_connections: int = MAX_CONNECTIONS,
    ) -> None:
        self._timeouts = (0.0, 0.0, aiohttp.ClientTimeout())
        self._sessions: BorrowedSession | LoopSessions
        self._is_borrowed = session is not None
        if session is not None:
            options = {
                "verify": verify,
                "trust_env": trust_env,
                "proxy": proxy,
                "max_connections": max_connections,
            }
            check_nothing_beside("session", options, _DEFAULTS)
            self._sessions = BorrowedSession(_checked(session))
            return
        self._sessions = LoopSessions(
            Options(
                checked_verify(verify),
                checked_flag(trust_env, name="trust_env"),
                None if proxy is None else checked_proxy(proxy, kinds=PROXIES),
                checked_limit(max_connections),
            )
        )

    async def send(self, request: Request, timeout: Timeout) -> Response:
        """Send the request and return the answer; see `dgspay.transports.base`."""
        attempt = _Attempt(list(request.headers) if self._is_borrowed else None)
        failure: BaseException
        try:
            opened = await self._sessions.get(_asyncio_loop())
            opened.under_way += 1
            try:
                answer = await self._send_on(opened, request, timeout, attempt)
                answer.pool_wait = attempt.pool_wait
                return answer
            finally:
                await opened.end_call()
        except TransportFailure as error:
            failure = error
        except asyncio.CancelledError:
            # Closing a session cancels what waits in it, which no one asked of this task.
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            failure = TransportFailure("the session was closed meanwhile", sent=attempt.was_sent)
        except Exception as error:  # noqa: BLE001
            # Whatever the library raises, bytes may have left; the user must be told so, and
            # its own exception may show headers.
            failure = _interruption_or_failure(error, sent=attempt.was_sent)
        if isinstance(failure, TransportFailure):
            failure.pool_wait = attempt.pool_wait
        raise failure

    def check_url(self, url: str) -> None:
        """See that connections to a URL can be made; a client does so when it is made.

        Raises:
            TransportFailure: what the environment names bars them.
        """
        self._sessions.check_url(URL(url, encoded=True))

    async def _send_on(
        self, opened: OpenSession, request: Request, timeout: Timeout, attempt: _Attempt
    ) -> Response:
        with opened.deadlines.within(timeout.total):
            if opened.slots is None:
                return await self._exchange(opened.session, request, timeout, attempt)
            await _take(opened.slots, timeout.pool, attempt)
            try:
                return await self._exchange(opened.session, request, timeout, attempt)
            finally:
                opened.slots.release()

    async def _exchange(
        self, session: aiohttp.ClientSession, request: Request, timeout: Timeout, attempt: _Attempt
    ) -> Response:
        url = URL(request.url, encoded=True)  # byte for byte what it is
        response = await session.request(
            request.method,
            url,
            data=_body(request.reveal_body(), timeout),
            headers=request.reveal_headers(),
            allow_redirects=False,
            raise_for_status=False,
            auto_decompress=False,
            max_line_size=_HEADER_LINE,
            max_field_size=_HEADER_LINE,
            timeout=self._client_timeout(timeout),
            middlewares=(attempt,),
            **await self._sessions.route(url),
        )
        try:
            body = await _read(response)
            return Response(response.status, _headers(response), body)
        finally:
            if not response.closed:
                response.close()

    def _client_timeout(self, timeout: Timeout) -> aiohttp.ClientTimeout:
        """Return aiohttp's form of it, which is the same for nearly all calls."""
        connect, read, known = self._timeouts
        # A borrowed session counts the wait for one of its connections as a part of connecting.
        wanted = timeout.connect + timeout.pool if self._is_borrowed else timeout.connect
        if connect != wanted or read != timeout.read:
            known = aiohttp.ClientTimeout(
                connect=wanted, sock_connect=timeout.connect, sock_read=timeout.read
            )
            self._timeouts = (wanted, timeout.read, known)
        return known

    async def aclose(self) -> None:
        """Close the session of this event loop, if it is ours; see `dgspay.transports.base`."""
        await self._sessions.aclose(_asyncio_loop())


def _checked(session: aiohttp.ClientSession) -> aiohttp.ClientSession:
    if not isinstance(session, aiohttp.ClientSession):
        kind = type(session).__name__  # type: ignore[unreachable]
        raise ConfigError(f"session must be a ClientSession of aiohttp, not {kind}")
    if session.closed:
        raise ConfigError("session is closed already: make a new one")
    return session


def _asyncio_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


async def _take(slots: asyncio.Semaphore, limit: float, attempt: _Attempt) -> None:
    """Wait for a slot; a call that has one is counted until it is over."""
    if not slots.locked():
        await slots.acquire()
        attempt.pool_wait = 0.0
        return
    began = time.monotonic()
    try:
        async with asyncio.timeout(limit):
            await slots.acquire()
            return
    except TimeoutError:
        pass
    finally:
        attempt.pool_wait = time.monotonic() - began
    raise pool_timeout()


# --- one attempt ------------------------------------------------------------------------------


class _Attempt:
    """A middleware of aiohttp's around one exchange: it knows what left, and lets nothing repeat.

    aiohttp itself sends a DELETE or a GET again where a kept connection turns out dead. That is
    for our own retry table to decide, so no error that aiohttp would repeat gets past here.
    """

    __slots__ = ("_ours", "_request", "pool_wait")

    def __init__(self, ours: Collection[str] | None) -> None:
        self.pool_wait: float | None = None
        self._ours = ours
        self._request: aiohttp.ClientRequest | None = None

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: ClientHandlerType
    ) -> aiohttp.ClientResponse:
        self._request = request
        if self._ours is not None:
            _keep_only(self._ours, request)
        try:
            return await handler(request)
        except Exception as error:  # noqa: BLE001 - as in send
            failure = _interruption_or_failure(error, sent=self.was_sent)
        raise failure

    @property
    def was_sent(self) -> bool:
        """Whether a byte may have left.

        aiohttp sets the request's `response` in the very step in which it begins to write.
        """
        return self._request is not None and getattr(self._request, "response", True) is not None


def _keep_only(ours: Collection[str], request: aiohttp.ClientRequest) -> None:
    """Take out of a request what a user's session adds to each: headers, cookies, credentials."""
    kept = _FRAMING | {name.lower() for name in ours}
    for name in {name for name in request.headers if name.lower() not in kept}:
        del request.headers[name]
    request.headers["Host"] = request.url.host_port_subcomponent or ""


def _body(body: bytes | None, timeout: Timeout) -> bytes | _TimedBody | None:
    return body if body is None or len(body) <= _PIECE else _TimedBody(body, timeout.write)


class _TimedBody(Payload):
    """A long body, written in pieces that the other side must take in time.

    aiohttp has no such limit, and its limit for reading begins when all is written.
    """

    def __init__(self, body: bytes, limit: float) -> None:
        super().__init__(body)
        self._size = len(body)
        self._limit = limit

    async def write(self, writer: AbstractStreamWriter) -> None:
        transport = writer.transport if isinstance(writer, StreamWriter) else None
        try:
            for start in range(0, len(self._value), _PIECE):
                async with asyncio.timeout(self._limit):
                    await writer.write(self._value[start : start + _PIECE])
                    await writer.drain()
        except TimeoutError:
            raise _WriteTimeoutError from None
        finally:
            # What is left over would be sent even after the connection is closed, if ever taken.
            if sys.exception() is not None and transport is not None:
                transport.abort()

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return str(self._value, encoding, errors)


class _WriteTimeoutError(TimeoutError):
    """The other side has taken nothing for too long."""


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = Body(response.headers.get("Content-Encoding", ""))
    while piece := await response.content.readany():
        body.add(piece)
    return body.whole()


def _headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    headers: dict[str, str] = {}
    for mixed, padded in response.headers.items():
        name, value = mixed.lower(), padded.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


# --- what its errors mean -----------------------------------------------------------------------

# The first kind that fits says what happened.
_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (aiohttp.ConnectionTimeoutError, "the connection could not be opened in time"),
    (aiohttp.SocketTimeoutError, "no answer came in time"),
    (_WriteTimeoutError, "the request could not be written in time"),
    (aiohttp.ClientProxyConnectionError, "the connection to the proxy could not be opened"),
    (aiohttp.ClientConnectorError, "the connection could not be opened"),
    (aiohttp.ClientResponseError, "the answer is not HTTP as it should be"),
    (aiohttp.ServerDisconnectedError, "the connection ended before a whole answer had come"),
    (aiohttp.ClientPayloadError, "the connection ended before a whole answer had come"),
    (aiohttp.ClientConnectionError, "the connection broke before a whole answer had come"),
)


def _interruption_or_failure(error: Exception, *, sent: bool) -> BaseException:
    interruption = interruption_in(error)
    return _failure(error, sent=sent) if interruption is None else interruption


def _failure(error: Exception, *, sent: bool) -> TransportFailure:
    if isinstance(error, TransportFailure):
        return error
    if isinstance(error, TooManyInterimAnswersError):
        return too_many_interim_answers(sent=sent)
    if not sent and is_about_a_certificate(error):
        return unverified()
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return TransportFailure(
            f"the proxy refused the connection (HTTP {error.status})", sent=sent
        )
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return TransportFailure(reason + _detail(error), sent=sent)
    if isinstance(error, TimeoutError):
        return deadline_passed(sent=sent)
    return TransportFailure(f"the request failed ({type(error).__name__})", sent=sent)


def _detail(error: BaseException | None) -> str:
    """Return the operating system's own words; aiohttp's may hold the URL."""
    while isinstance(error, aiohttp.ClientError):
        error = error.__cause__
    return detail(error) if isinstance(error, Exception) else ""

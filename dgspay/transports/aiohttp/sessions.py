"""Which aiohttp session a request goes through: one of ours per event loop, or the user's own."""

from __future__ import annotations

import asyncio
import functools
import os
import select
import ssl
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypedDict

import aiohttp
import attrs
import certifi
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.connector import Connection
from yarl import URL

from dgspay.core.messages import TransportFailure
from dgspay.forks import renew_in_child, undivided
from dgspay.transports import certificates
from dgspay.transports.aiohttp.deadlines import Deadlines
from dgspay.transports.errors import client_closed, unusable
from dgspay.transports.interim import InterimAnswers, TooManyInterimAnswersError
from dgspay.transports.loops import PerLoop
from dgspay.transports.proxies import KEEP_ALIVE, environment_proxy

PROXIES = ("http", "https")
"""The kinds of proxies aiohttp knows."""

# Turns of the loop until an aborted socket is closed, under TLS in TLS.
_TURNS_OF_AN_ABORT = 3

# Turns of the loop until what is in a socket has been read and acted upon, TLS included.
_TURNS = 20


@attrs.frozen(repr=False)
class Options:
    """How the sessions of our own are made; see `AiohttpTransport`."""

    verify: ssl.SSLContext | bool | Path
    trust_env: bool
    proxy: str | None
    max_connections: int


@attrs.define(eq=False, repr=False)
class OpenSession:
    """A session in its event loop.

    Attributes:
        loop: The only event loop it can be used in.
        session: The session.
        slots: One for each call that may be under way; None where the session counts itself.
        deadlines: Ends the calls whose time is over.
        under_way: How many calls are.
        is_ending: Whether the last of them is to close it.
    """

    loop: asyncio.AbstractEventLoop
    session: aiohttp.ClientSession
    slots: asyncio.Semaphore | None
    deadlines: Deadlines
    under_way: int = 0
    is_ending: bool = False

    async def end_call(self) -> None:
        """Count a call that is over; the last one closes what is to end."""
        self.under_way -= 1
        if self.is_ending:
            await _close(self)


class Route(TypedDict, total=False):
    """How a URL is reached, as arguments of a request of aiohttp's."""

    proxy: str
    ssl: ssl.SSLContext


class BorrowedSession:
    """The user's own session, in the event loop it was made for."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._opened: OpenSession | None = None

    async def get(self, loop: asyncio.AbstractEventLoop | None) -> OpenSession:
        """Return the session, if it can be used here."""
        if loop is None:
            raise _not_asyncio()
        if self._session.closed:
            raise unusable("the aiohttp session is closed")
        # The public property of the same name warns of its own end.
        if self._session._loop is not loop:  # noqa: SLF001
            raise unusable("the aiohttp session belongs to another event loop")
        if self._opened is None:
            watch(self._session.connector)
            self._opened = OpenSession(loop, self._session, None, Deadlines(loop))
        _drop_unfit(self._session.connector)
        return self._opened

    async def route(self, url: URL) -> Route:
        """Return nothing: proxy and certificates are the session's own affair."""
        return {}

    def check_url(self, url: URL) -> None:
        """See nothing to it: that is the session's own affair."""

    async def aclose(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Leave it open: its owner closes it."""


class LoopSessions:
    """A session per event loop and process."""

    def __init__(self, options: Options) -> None:
        self._routes = _Routes(options)
        make = functools.partial(_open, options.max_connections)
        self._sessions: PerLoop[asyncio.AbstractEventLoop, OpenSession] = PerLoop(make, _close)
        self._closed = False

    async def get(self, loop: asyncio.AbstractEventLoop | None) -> OpenSession:
        """Return the session of this loop; make it at its first use."""
        if self._closed:
            raise client_closed()
        if loop is None:
            raise _not_asyncio()
        found = self._sessions.get(loop)
        if found is None or found.session.closed:
            return await self._sessions.open(loop)
        return found

    async def route(self, url: URL) -> Route:
        """Return through which proxy and under which certificates a URL is reached."""
        return await self._routes.to(url)

    def check_url(self, url: URL) -> None:
        """See that the environment names nothing by which a URL cannot be reached."""
        self._routes.check(url)

    async def aclose(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Close the session of this loop, and open no more."""
        self._closed = True
        if loop is not None:
            await self._sessions.aclose(loop)


def _not_asyncio() -> TransportFailure:
    """Say that there is no event loop aiohttp could work in."""
    return unusable("AiohttpTransport is for asyncio; use HttpxTransport on trio")


def _open(max_connections: int, loop: asyncio.AbstractEventLoop) -> OpenSession:
    with undivided:  # aiohttp imports some of what it needs only now
        return _opened(max_connections, loop)


def _opened(max_connections: int, loop: asyncio.AbstractEventLoop) -> OpenSession:
    session = aiohttp.ClientSession(
        # The slots count the calls under way, so that waiting for one has a limit of its own.
        connector=_Connector(limit=0, keepalive_timeout=KEEP_ALIVE),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )
    return OpenSession(loop, session, asyncio.Semaphore(max_connections), Deadlines(loop))


async def _close(opened: OpenSession) -> None:
    """Close a session, or have the last call that is under way do so: it may be a payment."""
    if opened.under_way:
        opened.is_ending = True
        return
    opened.deadlines.close()
    await opened.session.close()
    for _ in range(_TURNS_OF_AN_ABORT):
        await asyncio.sleep(0)


class CountingHandler(ResponseHandler):
    """A connection whose interim answers are counted before they are parsed."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._interim = InterimAnswers()

    def set_response_params(self, **options: Any) -> None:
        """Begin with a request."""
        self._interim.begin()
        super().set_response_params(**options)

    def data_received(self, data: bytes) -> None:
        """Count before anything is parsed, for that is done in one go."""
        try:
            self._interim.check(data)
        except TooManyInterimAnswersError as error:
            self.set_exception(error)
            if self.transport is not None:
                self.transport.abort()
        else:
            super().data_received(data)


def watch(connector: aiohttp.BaseConnector | None) -> None:
    """Have the interim answers counted on the connections a connector will make.

    aiohttp has no setting for it. A connector that makes connections of another kind is left
    alone.
    """
    factory = getattr(connector, "_factory", None)
    if isinstance(factory, functools.partial) and factory.func is ResponseHandler:
        made = functools.partial(CountingHandler, *factory.args, **factory.keywords)
        connector._factory = made  # type: ignore[union-attr]  # noqa: SLF001


class _Connector(aiohttp.TCPConnector):
    """A pool that looks at an idle connection before a payment is written to it.

    What the server said since the loop last looked, its goodbye above all, is still in the
    socket. aiohttp would write to such a connection, and nobody could tell what became of it.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        watch(self)
        self._used: weakref.WeakSet[ResponseHandler] = weakref.WeakSet()

    async def connect(self, *args: Any, **more: Any) -> Connection:
        connection = await super().connect(*args, **more)
        # A new one is used whatever came: a server that hangs up on everybody would otherwise be
        # called again and again.
        while not (
            _is_quiet(connection)
            or connection.protocol not in self._used
            or await _becomes_quiet(connection)
        ):
            connection.close()
            connection = await super().connect(*args, **more)
        if connection.protocol is not None:
            self._used.add(connection.protocol)
        return connection

    def _release(
        self, key: ConnectionKey, protocol: ResponseHandler, *, should_close: bool = False
    ) -> None:
        """Abort what is not kept: TLS would wait for the server's goodbye when the loop ends."""
        should_close = should_close or protocol.should_close
        if should_close:
            protocol.abort()
        super()._release(key, protocol, should_close=should_close)


def _is_open(connection: Connection) -> bool:
    """Say whether a connection is open, and nothing beyond its last answer was read from it."""
    protocol = connection.protocol
    if connection.closed or protocol is None or protocol.should_close:
        return False
    if _has_begun_an_answer(protocol):
        protocol.force_close()
        return False
    return True


def _drop_unfit(connector: aiohttp.BaseConnector | None) -> None:
    """Give up the idle connections of a user's connector on which something has come.

    An answer that nobody asked for would be taken for the next one, and a goodbye would be read
    only when the request is out.
    """
    for idle in list(getattr(connector, "_conns", {}).values()):
        for protocol, _ in list(idle):
            if (
                protocol.should_close
                or _has_begun_an_answer(protocol)
                or _has_news(protocol.transport)
            ):
                protocol.abort()


def _has_begun_an_answer(protocol: ResponseHandler) -> bool:
    """Say whether the parser has a part of an answer, which aiohttp itself does not look for.

    A parser says so when it is told that nothing more will come. Each request has its own, so
    the old one is not needed any more.
    """
    parser = protocol._parser  # noqa: SLF001
    try:
        return parser is not None and parser.feed_eof() is not None
    except Exception:  # noqa: BLE001 - of as many kinds as there are ways to break off
        return True


def _is_quiet(connection: Connection) -> bool:
    """Say whether a connection is open, and nothing has come in on it."""
    return _is_open(connection) and not _has_news(connection.transport)


async def _becomes_quiet(connection: Connection) -> bool:
    """Let the loop read what has come in, and say whether the connection is open and quiet then.

    What came unasked is no ground to close it (a ticket of TLS, say), but where it is an answer,
    aiohttp would take it for the one to the next request.
    """
    try:
        for _ in range(_TURNS):
            if _is_quiet(connection):
                return True
            if not _is_open(connection):
                return False
            await asyncio.sleep(0)
    except BaseException:  # cancelled: nobody else knows of this connection
        connection.close()
        raise
    return False


def _has_news(transport: asyncio.Transport | None) -> bool:
    """Say whether something has come in that the loop has not read."""
    sock = None if transport is None else transport.get_extra_info("socket")
    if sock is None or not hasattr(select, "poll"):
        return False
    watcher = select.poll()
    watcher.register(sock, select.POLLIN)
    return bool(watcher.poll(0))


class _Routes:
    """What a request needs beside its own content: proxy and certificates, found out once."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._known: dict[tuple[str, str | None, int | None], Route] = {}
        renew_in_child(self)

    def renew_in_child(self) -> None:
        """Use no certificates of the parent's: another thread may have been in the midst of it."""
        self._known.clear()

    async def to(self, url: URL) -> Route:
        known = self._known.get(_origin(url))
        if known is not None:
            return known
        if not self._needs_tls(url):
            return self._find_once(url)
        # It reads certificates. In a thread of its own: those of the program may all be waiting
        # for this call.
        thread = ThreadPoolExecutor(1)
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(thread, self._find_once, url)
        finally:
            thread.shutdown(wait=False)

    def _find_once(self, url: URL) -> Route:
        with undivided:
            route = self._known.get(_origin(url))
            if route is None:
                route = self._known[_origin(url)] = self._find(url)
            return route

    def check(self, url: URL) -> None:
        """See that the environment names nothing by which a URL cannot be reached.

        Raises:
            TransportFailure: naming it.
        """
        if self._options.trust_env:
            self._proxy_to(url)
            if url.scheme == "https":
                certificates.check_environment(self._options.verify)

    def _proxy_to(self, url: URL) -> str | None:
        proxy = self._options.proxy
        if proxy is None and self._options.trust_env:
            # aiohttp would do so at every call, and would send the password .netrc has.
            proxy = environment_proxy(url.scheme, url.raw_host or "", url.port, kinds=PROXIES)
        return proxy

    def _find(self, url: URL) -> Route:
        route: Route = {}
        proxy = self._proxy_to(url)
        if proxy is not None:
            route["proxy"] = proxy
        if self._needs_tls(url):
            route["ssl"] = _tls_context(self._options)
        return route

    def _needs_tls(self, url: URL) -> bool:
        return url.scheme == "https" or (self._proxy_to(url) or "").startswith("https:")


def _origin(url: URL) -> tuple[str, str | None, int | None]:
    return (url.scheme, url.raw_host, url.port)


def _tls_context(options: Options) -> ssl.SSLContext:
    """Make what HttpxTransport uses by default: the certificates of certifi.

    OpenSSL's own default would obey SSL_CERT_FILE unasked.
    """
    if isinstance(options.verify, ssl.SSLContext):
        return options.verify
    context = certificates.read(lambda: _made_context(options), trust_env=options.trust_env)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _made_context(options: Options) -> ssl.SSLContext:
    if isinstance(options.verify, Path):
        return certificates.context_of(options.verify)
    if not options.verify:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if options.trust_env and (file := os.environ.get("SSL_CERT_FILE")):
        return ssl.create_default_context(cafile=file)
    if options.trust_env and (folder := os.environ.get("SSL_CERT_DIR")):
        return ssl.create_default_context(capath=folder)
    return ssl.create_default_context(cafile=certifi.where())

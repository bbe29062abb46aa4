"""The interim answers (1xx) before an answer: a few are skipped, a flood of them is an error.

No library counts them. Each is as short as 25 bytes, and thousands that came in one piece are
read in one go, in which no other task of the event loop has its turn.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable
from typing import TYPE_CHECKING

from dgspay.transports.network_layer import AsyncStream, AsyncUnixBackend, SocketOption

if TYPE_CHECKING:
    import httpx  # whose API is that of httpx2 as well

MAX_INTERIM_ANSWERS = 100
"""A server that says every second that it is still busy is within that for as long as a call."""

# What begins an answer; the digit tells an interim one.
_STATUS_LINE = re.compile(rb"\nHTTP/[0-9]\.[0-9] ([0-9])")
_BEGINNING = b"\n"  # as if a line had ended before the first one
# Most answers begin so, and are looked at no further.
_USUAL = (b"HTTP/1.1 2", b"HTTP/1.1 4", b"HTTP/1.1 5")
_LENGTH = len(b"\nHTTP/1.1 1")

READ_UP_TO = 8_192
"""What is read at a time. It may hold thousands of chunks of a byte each, which keep a processor
busy for a while: the event loop must have its turns in between, and the deadline must be seen."""


class TooManyInterimAnswersError(Exception):
    """The server sends interim answers, and no answer."""


class InterimAnswers:
    """Counts the interim answers to one request after another on a connection."""

    __slots__ = ("_count", "_is_over", "_tail")

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Note that a request goes out."""
        self._is_over = False
        self._count = 0
        self._tail = _BEGINNING

    def check(self, piece: bytes) -> None:
        """Count in what came.

        Raises:
            TooManyInterimAnswersError: when that are more than any server sends.
        """
        if self._is_over:
            return
        if self._tail is _BEGINNING and piece.startswith(_USUAL):
            self._is_over = True
            return
        text = self._tail + piece
        for line in _STATUS_LINE.finditer(text):
            if line[1] != b"1":
                self._is_over = True
                return
            self._count += 1
            if self._count > MAX_INTERIM_ANSWERS:
                raise TooManyInterimAnswersError
        # A line may be cut anywhere, and none is counted twice.
        self._tail = text[1 - _LENGTH :]


def watch(client: httpx.AsyncClient) -> None:
    """Have the interim answers to a user's own `AsyncClient` counted, and little read at a time.

    httpx passes no network backend on to its pools, so it is put where httpx keeps it.
    """
    transports = [client._transport, *client._mounts.values()]  # noqa: SLF001
    for transport in transports:
        pool = getattr(transport, "_pool", None)
        backend = getattr(pool, "_network_backend", None)
        if pool is not None and backend is not None and not isinstance(backend, WatchedBackend):
            pool._network_backend = WatchedBackend(backend)  # noqa: SLF001


class WatchedBackend:
    """A network backend of httpcore's or httpcore2's whose interim answers are counted."""

    def __init__(self, backend: AsyncUnixBackend) -> None:
        self._backend = backend

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> WatchedStream:
        """Open a connection."""
        return WatchedStream(
            await self._backend.connect_tcp(host, port, timeout, local_address, socket_options)
        )

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> WatchedStream:
        """Open a connection to a socket in the file system."""
        return WatchedStream(await self._backend.connect_unix_socket(path, timeout, socket_options))

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._backend.sleep(seconds)


class WatchedStream:
    """An open connection whose interim answers are counted."""

    def __init__(self, stream: AsyncStream) -> None:
        self._stream = stream
        self._interim = InterimAnswers()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what there is."""
        piece = await self._stream.read(min(max_bytes, READ_UP_TO), timeout)
        self._interim.check(piece)
        return piece

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of it."""
        self._interim.begin()
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        """Close it."""
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> WatchedStream:
        """Go over to TLS."""
        return WatchedStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> object:
        """Tell what the connection itself would."""
        return self._stream.get_extra_info(info)

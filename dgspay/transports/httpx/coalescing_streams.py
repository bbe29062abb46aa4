"""Network streams for httpcore that send the head and the body of a request in one piece."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterable

from dgspay.transports.httpx.leftovers import is_unread
from dgspay.transports.interim import READ_UP_TO, InterimAnswers
from dgspay.transports.network_layer import (
    AsyncBackend,
    AsyncStream,
    Backend,
    NetworkLayer,
    SocketOption,
    Stream,
)

# More than that is written as it comes.
_GATHER_UP_TO = 65_536


class GatheringBackend:
    """A network backend for httpcore's async connections.

    httpcore writes head and body apart: two system calls, two packets and two turns of the
    event loop for a request of a few hundred bytes.

    Args:
        backend: The backend that opens the connections.
        core: httpcore or httpcore2.
    """

    def __init__(self, backend: AsyncBackend, core: NetworkLayer) -> None:
        self._backend = backend
        self._core = core

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> GatheringStream:
        """Open a connection."""
        stream = await self._backend.connect_tcp(host, port, timeout, local_address, socket_options)
        return GatheringStream(stream, self._core)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._backend.sleep(seconds)


class GatheringStream:
    """An open connection that holds back what is written until an answer is read."""

    def __init__(self, stream: AsyncStream, core: NetworkLayer) -> None:
        self._stream = stream
        self._core = core
        self._held = b""
        self._timeout: float | None = None
        self._interim = InterimAnswers()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Write what was held back, and read what there is."""
        if self._held:
            await self._flush()
        piece = await self._stream.read(min(max_bytes, READ_UP_TO), timeout)
        self._interim.check(piece)
        return piece

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Hold it back, or write it when it is much."""
        self._held += buffer
        del buffer
        self._timeout = timeout
        self._interim.begin()
        if len(self._held) > _GATHER_UP_TO:
            await self._flush()

    async def _flush(self) -> None:
        # A server may answer and close before it has read everything: its answer counts.
        with contextlib.suppress(self._core.WriteError):
            await self._stream.write(self._take(), self._timeout)

    def _take(self) -> bytes:
        # In no local variable, for a traceback may show them: it holds the API key.
        try:
            return self._held
        finally:
            self._held = b""

    async def aclose(self) -> None:
        """Close it; what was held back is not sent."""
        self._held = b""
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> GatheringStream:
        """Go over to TLS."""
        try:
            tls = await self._stream.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            # httpcore leaves the socket of a cancelled handshake to the garbage collector.
            await self._stream.aclose()
            raise
        return GatheringStream(tls, self._core)

    def get_extra_info(self, info: str) -> object:
        """Tell what the connection itself would, and whether its TLS holds something unread."""
        if info == "is_readable":
            return self._stream.get_extra_info(info) or is_unread(self._stream)
        return self._stream.get_extra_info(info)


class BlockingGatheringBackend:
    """The same for httpcore's blocking connections."""

    def __init__(self, backend: Backend, core: NetworkLayer) -> None:
        self._backend = backend
        self._core = core

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> BlockingGatheringStream:
        """Open a connection."""
        stream = self._backend.connect_tcp(host, port, timeout, local_address, socket_options)
        return BlockingGatheringStream(stream, self._core)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._backend.sleep(seconds)


class BlockingGatheringStream:
    """As `GatheringStream`, blocking."""

    def __init__(self, stream: Stream, core: NetworkLayer) -> None:
        self._stream = stream
        self._core = core
        self._held = b""
        self._timeout: float | None = None

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Write what was held back, and read what there is."""
        if self._held:
            self._flush()
        return self._stream.read(min(max_bytes, READ_UP_TO), timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Hold it back, or write it when it is much."""
        self._held += buffer
        del buffer
        self._timeout = timeout
        if len(self._held) > _GATHER_UP_TO:
            self._flush()

    def _flush(self) -> None:
        with contextlib.suppress(self._core.WriteError):  # as in `GatheringStream`
            self._stream.write(self._take(), self._timeout)

    def _take(self) -> bytes:
        try:
            return self._held  # as in `GatheringStream`
        finally:
            self._held = b""

    def close(self) -> None:
        """Close it; what was held back is not sent."""
        self._held = b""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> BlockingGatheringStream:
        """Go over to TLS."""
        tls = self._stream.start_tls(ssl_context, server_hostname, timeout)
        return BlockingGatheringStream(tls, self._core)

    def get_extra_info(self, info: str) -> object:
        """Tell what the connection itself would, and whether its TLS holds something unread."""
        if info == "is_readable":
            return self._stream.get_extra_info(info) or is_unread(self._stream)
        return self._stream.get_extra_info(info)

"""What is used of httpcore and of httpcore2, in types: the network layers of httpx and httpx2."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Callable, Iterable, MutableMapping
from typing import Any, Protocol, TypeAlias

SocketOption: TypeAlias = tuple[Any, ...]
"""The arguments of a call of `socket.setsockopt`."""


class HasInfo(Protocol):
    """What can be asked of an open connection, whichever way it is read."""

    def get_extra_info(self, info: str) -> Any:
        """Return what is known under a name, or None."""
        ...


class Stream(HasInfo, Protocol):
    """An open connection for blocking code."""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what there is, or wait for it; nothing at all at the end."""
        ...

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of it."""
        ...

    def close(self) -> None:
        """Close it."""
        ...

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> Stream:
        """Go over to TLS."""
        ...


class AsyncStream(HasInfo, Protocol):
    """The same for an event loop."""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what there is, or wait for it; nothing at all at the end."""
        ...

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of it."""
        ...

    async def aclose(self) -> None:
        """Close it."""
        ...

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> AsyncStream:
        """Go over to TLS."""
        ...


class Backend(Protocol):
    """Opens connections for blocking code."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> Stream:
        """Open a connection."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class UnixBackend(Backend, Protocol):
    """Opens connections to sockets in the file system too."""

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> Stream:
        """Open a connection."""
        ...


class AsyncBackend(Protocol):
    """Opens connections for an event loop."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> AsyncStream:
        """Open a connection."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class AsyncUnixBackend(AsyncBackend, Protocol):
    """Opens connections to sockets in the file system too."""

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> AsyncStream:
        """Open a connection."""
        ...


class OutgoingRequest(Protocol):
    """A request as it goes out."""

    extensions: MutableMapping[str, Any]


class HasHead(Protocol):
    """An answer whose body is still to be read."""

    status: int
    headers: list[tuple[bytes, bytes]]


class IncomingResponse(HasHead, Protocol):
    """An answer for blocking code."""

    stream: Iterable[bytes]

    def close(self) -> None:
        """Be done with it."""
        ...


class AsyncChunks(Protocol):
    """The body of an answer, piece by piece."""

    def __aiter__(self) -> AsyncGenerator[bytes]: ...


class AsyncIncomingResponse(HasHead, Protocol):
    """An answer in an event loop."""

    stream: AsyncChunks

    async def aclose(self) -> None:
        """Be done with it."""
        ...


class HasState(Protocol):
    """What a connection says of itself."""

    def has_expired(self) -> bool:
        """Whether it is too old, or the server has closed it."""
        ...

    def is_idle(self) -> bool:
        """Whether it is open and has no request."""
        ...


class Connection(HasState, Protocol):
    """A connection that speaks HTTP, for blocking code."""

    def handle_request(self, request: OutgoingRequest) -> IncomingResponse:
        """Send a request and read the head of its answer."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


class AsyncConnection(HasState, Protocol):
    """The same for an event loop."""

    async def handle_async_request(self, request: OutgoingRequest) -> AsyncIncomingResponse:
        """Send a request and read the head of its answer."""
        ...

    async def aclose(self) -> None:
        """Close it."""
        ...


class NetworkLayer(Protocol):
    """The module itself."""

    URL: Callable[..., object]
    Origin: Callable[..., object]
    Request: Callable[..., OutgoingRequest]
    SyncBackend: Callable[[], UnixBackend]
    TrioBackend: Callable[[], AsyncBackend]
    ConnectError: type[Exception]
    ConnectTimeout: type[Exception]
    ReadError: type[Exception]
    ReadTimeout: type[Exception]
    WriteError: type[Exception]
    WriteTimeout: type[Exception]

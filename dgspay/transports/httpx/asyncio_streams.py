"""Network streams for httpcore on asyncio itself, with as few turns of the loop as it takes.

httpcore's own, on anyio, yield to the event loop before every read and write and set up a
cancel scope for each; a call of a few hundred bytes spends half of its time on that.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import ssl
from collections.abc import Iterable, Iterator
from typing import Any

from dgspay.transports.asyncio_lookups import look_up_async
from dgspay.transports.asyncio_race import connect_async
from dgspay.transports.network_layer import NetworkLayer, SocketOption
from dgspay.transports.race import NEXT_ADDRESS_AFTER

# What may wait to be read before the other side is held up.
_HIGH_WATER = 262_144

# The event loop of Windows cannot watch a socket that it has not connected itself.
_PROACTOR: tuple[type, ...] = tuple(
    kind for kind in [getattr(asyncio, "ProactorEventLoop", None)] if kind is not None
)


class AsyncioBackend:
    """A network backend for httpcore's async connections, for asyncio only.

    Args:
        core: httpcore or httpcore2, whose exceptions are raised.
    """

    def __init__(self, core: NetworkLayer) -> None:
        self._core = core

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> AsyncioStream:
        """Open a connection, over IPv6 or IPv4, whichever answers first."""
        with _connect_errors(self._core):
            async with asyncio.timeout(timeout):
                stream = await self._opened(host, port, local_address)
        for option in socket_options or ():
            stream.get_extra_info("socket").setsockopt(*option)
        return stream

    async def _opened(self, host: str, port: int, local_address: str | None) -> AsyncioStream:
        loop = asyncio.get_running_loop()
        if isinstance(loop, _PROACTOR):
            _, stream = await loop.create_connection(
                lambda: AsyncioStream(self._core),
                host,
                port,
                happy_eyeballs_delay=NEXT_ADDRESS_AFTER,
            )
            return stream
        sock = await connect_async(await look_up_async(host, port), local_address)
        try:
            _, stream = await loop.create_connection(lambda: AsyncioStream(self._core), sock=sock)
        except BaseException:
            sock.close()
            raise
        return stream

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class AsyncioStream(asyncio.Protocol):
    """One connection: what the event loop says of it, and what httpcore asks of it."""

    def __init__(self, core: NetworkLayer) -> None:
        self._core = core
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._received = bytearray()
        self._is_paused = False
        self._is_over = False
        self._is_lost = False
        self._fault: Exception | None = None
        self._can_write = True
        self._waiting: asyncio.Future[None] | None = None

    # --- told by the event loop ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hold the transport."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Keep what came, and hold the other side up when it is much."""
        self._received += data
        if len(self._received) > _HIGH_WATER and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """Nothing more will come."""
        self._is_over = True
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed or broken."""
        self._is_over = self._is_lost = True
        self._fault = exc
        self._wake()

    def pause_writing(self) -> None:
        """The other side takes no more for now."""
        self._can_write = False

    def resume_writing(self) -> None:
        """It does again."""
        self._can_write = True
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def _wait(self, timeout: float | None, too_late: type[Exception]) -> None:
        waiting = self._waiting = self._loop.create_future()
        timer = None
        if timeout is not None:
            timer = self._loop.call_later(timeout, _fail, waiting, too_late)
        try:
            await waiting
        finally:
            self._waiting = None
            if timer is not None:
                timer.cancel()

    # --- asked by httpcore ---

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what there is, or wait for it; nothing at all at the end."""
        while not self._received:
            if self._fault is not None:
                raise self._core.ReadError(str(self._fault)) from self._fault
            if self._is_over:
                return b""
            await self._wait(timeout, self._core.ReadTimeout)
        if len(self._received) > max_bytes:
            await asyncio.sleep(0)  # or who reads on and on would never be cancelled
        piece = bytes(memoryview(self._received)[:max_bytes])
        del self._received[:max_bytes]
        if self._is_paused and len(self._received) <= _HIGH_WATER:
            self._is_paused = False
            self._transport.resume_reading()
        return piece

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of it."""
        if self._is_over or self._transport.is_closing():
            raise self._core.WriteError("the connection is closed")
        self._transport.write(buffer)
        del buffer  # it holds the API key, and a traceback may show local variables
        while not self._can_write:
            if self._is_over:
                raise self._core.WriteError("the connection broke")
            await self._wait(timeout, self._core.WriteTimeout)

    async def aclose(self) -> None:
        """Close it at once, also where it is closing but waits for the other side to read on."""
        if self._is_lost:
            return
        self._transport.abort()
        # The socket is closed in the next turn of the loop, which may be its last.
        await asyncio.sleep(0)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> AsyncioStream:
        """Go over to TLS."""
        if self._received:
            # It came in plain text: a proxy must not put words into the mouth of the server.
            raise self._core.ConnectError("something came before TLS had begun")
        with _connect_errors(self._core):
            async with asyncio.timeout(timeout):
                secured = await self._loop.start_tls(
                    self._transport, self, ssl_context, server_hostname=server_hostname
                )
        if secured is None:
            raise self._core.ConnectError("the connection ended during the TLS handshake")
        self._transport = secured
        return self

    def get_extra_info(self, info: str) -> Any:
        """Answer what httpcore asks of a connection."""
        if info == "is_readable":
            return self._is_over or bool(self._received) or _is_readable(self._transport)
        name = {"client_addr": "sockname", "server_addr": "peername"}.get(info, info)
        return self._transport.get_extra_info(name)


def _fail(waiting: asyncio.Future[None], kind: type[Exception]) -> None:
    if not waiting.done():
        waiting.set_exception(kind())


@contextlib.contextmanager
def _connect_errors(core: NetworkLayer) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise core.ConnectTimeout(str(error)) from error
    except (OSError, UnicodeError) as error:  # UnicodeError: a host name that cannot be encoded
        raise core.ConnectError(str(error)) from error


def _is_readable(transport: asyncio.BaseTransport) -> bool:
    """Ask the system, for the event loop may not have had its turn since the server hung up."""
    descriptor = transport.get_extra_info("socket").fileno()
    if descriptor < 0:
        return True
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([descriptor], [], [], 0)[0])
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))

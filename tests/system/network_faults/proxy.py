"""A proxy between a client and a real server that breaks what passes through it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Literal, Self

import attrs

from tests.support.certificate_authority import AUTHORITY
from tests.support.raw_server import HEAD_END
from tests.system.network_faults.proxy_faults import NOTHING, Fault, Way
from tests.system.network_faults.proxy_messages import NO_TUNNEL, OPENED, NoTunnel, length_of

Route = Literal["plain", "tls", "tunnel"]
"""How a client comes to the proxy: over http, https, or https through a tunnel."""

ROUTES: tuple[Route, ...] = ("plain", "tls", "tunnel")

_PIECE = 65536
_LINGER_ZERO = struct.pack("ii", 1, 0)


class Line:
    """One connection of a client and the proxy's own connection to the server behind it."""

    def __init__(
        self,
        client: asyncio.StreamWriter,
        server: asyncio.StreamWriter,
        faults: FaultProxy | _Faultless,
    ) -> None:
        self._client = client
        self._server = server
        self._faults = faults
        # A transport of TLS does not know its socket any more once it is closed.
        self._sockets = [writer.get_extra_info("socket") for writer in (client, server)]

    async def deliver_copy(self, message: bytes) -> None:
        """Send a request to the server over another connection, and wait for its answer."""
        await self._faults.deliver(message)

    async def carry(self, reader: asyncio.StreamReader, way: Way) -> None:
        """Read one side to its end and write it to the other, as the fault of the moment has it."""
        wire = Wire(self, self._server if way == "request" else self._client)
        known, passed = NOTHING, 0
        while piece := await reader.read(_PIECE):
            fault = self._faults.fault
            if fault is not known:
                known, passed = fault, 0
                await wire.let_go()
            await (fault if fault.way == way else NOTHING).carry(piece, passed, wire)
            passed += len(piece)
        await wire.let_go()
        fault = self._faults.fault
        await (fault if fault.way == way else NOTHING).end(wire)

    def close(self) -> None:
        """Close both sides, what was written before included."""
        self._client.close()
        self._server.close()

    def reset(self) -> None:
        """Close the client's side with a TCP reset, and the server's side at once."""
        for sock in self._sockets:
            with contextlib.suppress(OSError):  # it is closed already
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        for writer in (self._client, self._server):
            writer.transport.abort()


@attrs.frozen
class Wire:
    """The writing end of one direction, in the hands of a fault.

    Attributes:
        held: What has come of a message that is not whole yet.
    """

    line: Line
    writer: asyncio.StreamWriter
    held: bytearray = attrs.field(factory=bytearray)

    async def let_go(self) -> None:
        """Send what was held back."""
        if self.held:
            held = bytes(self.held)
            self.held.clear()
            await self.send(held)

    async def send(self, piece: bytes) -> None:
        """Write, and wait until it was taken."""
        if self.writer.is_closing():
            raise ConnectionResetError
        self.writer.write(piece)
        await self.writer.drain()

    def end(self) -> None:
        """Say that nothing more comes this way; the other way stays open, where there is no TLS."""
        if not self.writer.can_write_eof():
            self.line.close()
            return
        with contextlib.suppress(OSError):  # it is closed already
            self.writer.write_eof()


_Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


class _Faultless:
    """What is between a client and the proxy that it asked for a tunnel: nothing goes wrong."""

    fault = NOTHING

    async def deliver(self, message: bytes) -> None:
        raise AssertionError


@functools.cache
def _server_context() -> ssl.SSLContext:
    return AUTHORITY.server_context("127.0.0.1")


class FaultProxy:
    """Listens on free ports of loopback and carries every connection to a server's port.

    Attributes:
        port: Where it listens for http; https and requests for tunnels have ports of their own.
        fault: What goes wrong at this moment; may be set from any thread. Bytes are counted
            from the moment it is set, in each connection and direction.
        accepted: How many connections it has taken.
    """

    def __init__(self, server_port: int) -> None:
        self.fault: Fault = NOTHING
        self.accepted = 0
        self._server_port = server_port
        self._lines: set[Line] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._listening: list[asyncio.Server] = []
        # Bound and never listening: while the proxy is down, its ports stay reserved.
        self._guards = {route: _bound(0) for route in ROUTES}
        self._ports: dict[Route, int] = {
            route: guard.getsockname()[1] for route, guard in self._guards.items()
        }
        self.port: int = self._ports["plain"]

    @property
    def url(self) -> str:
        """The base URL of the API behind it."""
        return self.url_by("plain")

    def url_by(self, route: Route) -> str:
        """Return the base URL of the API behind it, by a route."""
        if route == "plain":
            return f"http://127.0.0.1:{self.port}/generation/v2"
        return f"https://127.0.0.1:{self._ports['tls']}/generation/v2"

    @property
    def proxy_url(self) -> str:
        """The URL of the proxy that a tunnel is asked of."""
        return f"http://127.0.0.1:{self._ports['tunnel']}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._listen)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._call(self._stop)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        assert not self._thread.is_alive()
        self._loop.close()
        for guard in self._guards.values():
            guard.close()

    # --- from any thread ------------------------------------------------------------------

    def go_down(self) -> None:
        """Refuse new connections and reset those that are open."""
        self._call(self._hang_up)

    def come_up(self) -> None:
        """Take connections again, on the same port."""
        self._call(self._listen)

    def drop(self, how: Literal["close", "reset"] = "close") -> None:
        """End the connections that are open, and take new ones."""

        async def drop() -> None:
            for line in tuple(self._lines):
                line.close() if how == "close" else line.reset()

        self._call(drop)

    def _call(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        asyncio.run_coroutine_threadsafe(work(), self._loop).result(10)

    # --- in the proxy's own loop ----------------------------------------------------------

    async def _listen(self) -> None:
        if self._listening:
            return
        serving = {"plain": self._serve, "tls": self._serve, "tunnel": self._tunnel}
        for route, port in self._ports.items():
            self._listening.append(
                await asyncio.start_server(
                    self._within_a_task(serving[route]),
                    sock=_bound(port),
                    backlog=512,
                    ssl=_server_context() if route == "tls" else None,
                )
            )

    async def _hang_up(self) -> None:
        while self._listening:
            self._listening.pop().close()
        for line in tuple(self._lines):
            line.reset()

    async def _stop(self) -> None:
        await self._hang_up()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # Closed transports are let go one turn of the loop later.
        await asyncio.sleep(0)

    def _within_a_task(self, serve: _Serve) -> _Serve:
        async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            await serve(reader, writer)

        return served

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        await self._carry(self, self._server_port, reader, writer)

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Be the proxy that a tunnel is asked of."""
        try:
            await reader.readuntil(HEAD_END)
        except (asyncio.IncompleteReadError, OSError):
            writer.close()
            return
        fault = self.fault
        if isinstance(fault, NoTunnel):
            await self._refuse(fault, reader, writer)
            return
        writer.write(OPENED)
        await self._carry(_Faultless(), self._ports["tls"], reader, writer)

    async def _refuse(
        self, fault: NoTunnel, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        line = Line(writer, writer, self)
        self._lines.add(line)
        try:
            writer.write(NO_TUNNEL[fault.kind])
            await writer.drain()
            if fault.end_with == "silence":
                await reader.read(-1)
            if fault.end_with == "reset":
                line.reset()
        except OSError:
            pass  # the client does not wait for the end
        finally:
            self._lines.discard(line)
            line.close()

    async def deliver(self, message: bytes) -> None:
        """Send a request to the server over a connection of its own, and wait for its answer."""
        behind, onward = await asyncio.open_connection("127.0.0.1", self._server_port)
        try:
            onward.write(message)
            answer = b""
            while length_of(answer) is None and (piece := await behind.read(_PIECE)):
                answer += piece
        finally:
            onward.close()

    async def _carry(
        self,
        faults: FaultProxy | _Faultless,
        port: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        try:
            behind, onward = await asyncio.open_connection("127.0.0.1", port)
        except BaseException:
            writer.close()
            raise
        line = Line(writer, onward, faults)
        self._lines.add(line)
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(line.carry(reader, "request"))
                ways.create_task(line.carry(behind, "answer"))
        except* OSError:
            # A side that breaks off, or a fault that does: that is what a proxy of faults is for.
            pass
        finally:
            self._lines.discard(line)
            line.close()


def _bound(port: int) -> socket.socket:
    """Return a socket on loopback that shares its port with other sockets of this proxy."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(("127.0.0.1", port))
    return sock

"""A proxy between a client and a real server that breaks what passes through it, as told."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Literal, Self

import attrs

from tests.system.network_faults.proxy_faults import NOTHING, Fault, Way

_PIECE = 65536
_LINGER_ZERO = struct.pack("ii", 1, 0)


class Line:
    """One connection of a client and the proxy's own connection to the server behind it."""

    def __init__(
        self, client: asyncio.StreamWriter, server: asyncio.StreamWriter, faults: FaultProxy
    ) -> None:
        self._client = client
        self._server = server
        self._faults = faults

    async def carry(self, reader: asyncio.StreamReader, way: Way) -> None:
        """Read one side to its end and write it to the other, as the fault of the moment has it."""
        wire = Wire(self, self._server if way == "request" else self._client)
        known, passed = NOTHING, 0
        while piece := await reader.read(_PIECE):
            fault = self._faults.fault
            if fault is not known:
                known, passed = fault, 0
            await (fault if fault.way == way else NOTHING).carry(piece, passed, wire)
            passed += len(piece)
        fault = self._faults.fault
        await (fault if fault.way == way else NOTHING).end(wire)

    def close(self) -> None:
        """Close both sides, what was written before included."""
        self._client.close()
        self._server.close()

    def reset(self) -> None:
        """Close the client's side with a TCP reset, and the server's side at once."""
        for writer in (self._client, self._server):
            with contextlib.suppress(OSError):  # it is closed already
                writer.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO
                )
            writer.transport.abort()


@attrs.frozen
class Wire:
    """The writing end of one direction, in the hands of a fault."""

    line: Line
    writer: asyncio.StreamWriter

    async def send(self, piece: bytes) -> None:
        """Write, and wait until it was taken."""
        self.writer.write(piece)
        await self.writer.drain()

    def end(self) -> None:
        """Say that nothing more comes this way; the other way stays open."""
        with contextlib.suppress(OSError):  # it is closed already
            self.writer.write_eof()


class FaultProxy:
    """Listens on a free port of loopback and carries every connection to a server's port.

    Attributes:
        port: Where it listens.
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
        self._listening: asyncio.Server | None = None
        # Bound and never listening: while the proxy is down, nobody else gets its port.
        self._guard = _bound(0)
        self.port: int = self._guard.getsockname()[1]

    @property
    def url(self) -> str:
        """The base URL of the API behind it."""
        return f"http://127.0.0.1:{self.port}/generation/v2"

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
        self._guard.close()

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
        if self._listening is None:
            self._listening = await asyncio.start_server(
                self._serve, sock=_bound(self.port), backlog=512
            )

    async def _hang_up(self) -> None:
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        for line in tuple(self._lines):
            line.reset()

    async def _stop(self) -> None:
        await self._hang_up()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # Closed transports are let go one turn of the loop later.
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.accepted += 1
        try:
            behind, onward = await asyncio.open_connection("127.0.0.1", self._server_port)
        except BaseException:
            writer.close()
            raise
        line = Line(writer, onward, self)
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

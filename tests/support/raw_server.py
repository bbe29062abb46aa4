"""A server on a raw socket whose script reads, answers, drips, stalls or resets."""

from __future__ import annotations

import contextlib
import fcntl
import json
import select
import socket
import ssl
import struct
import sys
import termios
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import attrs

HEAD_END = b"\r\n\r\n"


@attrs.frozen
class Received:
    """One request as it stood on the wire. Header names are in small letters, but in `head`."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    head: bytes

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key == name.lower()]
        assert len(values) <= 1, f"{name} stands twice"
        return values[0] if values else None

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    """One accepted connection, in the hands of the script."""

    def __init__(self, sock: socket.socket, server: RawServer) -> None:
        self.sock = sock
        self.server = server
        self._buffer = b""

    def read_request(self) -> Received | None:
        """Read one request to its end, or give None where the client hung up."""
        while HEAD_END not in self._buffer:
            if not self._fill():
                return None
        head, _, self._buffer = self._buffer.partition(HEAD_END)
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        pairs = [line.partition(":") for line in lines]
        headers = [(name.lower(), value.strip()) for name, _, value in pairs]
        length = int(dict(headers).get("content-length", "0"))
        while len(self._buffer) < length:
            if not self._fill():
                return None
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        received = Received(method, target, headers, body, head)
        self.server.requests.append(received)
        return received

    def _fill(self) -> bool:
        piece = self.sock.recv(65536)
        self._buffer += piece
        return bool(piece)

    def write(self, piece: bytes) -> None:
        self.sock.sendall(piece)

    def drip(self, pieces: bytes, *, every: float = 0.02) -> None:
        """Send single bytes, far apart."""
        for position in range(len(pieces)):
            self.write(pieces[position : position + 1])
            if self.server.stopping.wait(every):
                return

    def read_slowly(self, *, every: float = 0.1) -> None:
        """Take a part of the request now and then, to the end of the test."""
        while not self.server.stopping.wait(every) and self.sock.recv(100_000):
            pass

    def stall(self) -> None:
        """Do nothing until the client hangs up or the test is over."""
        while not self.server.stopping.is_set():
            readable, _, _ = select.select([self.sock], [], [], 0.02)
            if readable and not self.sock.recv(65536):
                return

    def hold(self) -> None:
        """Read nothing and send nothing until the test is over."""
        self.server.stopping.wait()

    def until_received(self) -> None:
        """Wait until what was written, or a shutdown, has come to the client's side.

        Even on loopback a busy kernel hands it over only later; Linux says when it has.
        """
        while sys.platform == "linux" and self._on_its_way():
            self.server.stopping.wait(0.001)

    def _on_its_way(self) -> int:
        answer = fcntl.ioctl(self.sock, termios.TIOCOUTQ, bytes(4))
        return int.from_bytes(answer, sys.byteorder)

    def reset(self) -> None:
        """Close with a TCP reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


Script = Callable[[Connection], None]


class RawServer:
    """Listens on a free port of loopback and runs the script for every connection."""

    def __init__(
        self,
        script: Script,
        *,
        tls: ssl.SSLContext | None = None,
        receive_buffer: int | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.script = script
        self.tls = tls
        self.requests: list[Received] = []
        self.accepted = 0
        self.stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self._host = host
        self._listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        if receive_buffer is not None:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((host, port))
        self._listener.listen(512)
        self.port: int = self._listener.getsockname()[1]

    @property
    def authority(self) -> str:
        return f"[{self._host}]:{self.port}" if ":" in self._host else f"{self._host}:{self.port}"

    @property
    def url(self) -> str:
        scheme = "http" if self.tls is None else "https"
        return f"{scheme}://{self.authority}/generation/v2"

    def requests_read(self, count: int) -> list[Received]:
        """All requests, once the threads have read so many of what the clients have written."""
        until = time.monotonic() + 60
        while len(self.requests) < count and time.monotonic() < until:
            self.stopping.wait(0.005)
        return list(self.requests)

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stopping.set()
        # Wakes the accepting thread, which a mere close would leave waiting.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._sockets:
            with contextlib.suppress(OSError):  # the script or the client has closed it
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()
        for sock in self._sockets:
            sock.close()

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            self._sockets.append(sock)
            self._start(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        try:
            if self.tls is not None:
                sock = self.tls.wrap_socket(sock, server_side=True)
                self._sockets.append(sock)
            self.script(Connection(sock, self))
            sock.close()
        except OSError:
            # The client is allowed to break off: that is what most of these tests are about.
            sock.close()


def free_port() -> int:
    """Return a port of loopback that nothing listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
    return port


def http(body: bytes | dict[str, Any], status: str = "200 OK", *more: str) -> bytes:
    """Write an answer with its length."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [
        f"HTTP/1.1 {status}",
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
        *more,
    ]
    return "\r\n".join(lines).encode() + HEAD_END + content


def answering(answer: bytes) -> Script:
    """Script: give every request of a connection the same answer."""

    def script(connection: Connection) -> None:
        while connection.read_request() is not None:
            connection.write(answer)

    return script

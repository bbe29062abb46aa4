"""A wire to PostgreSQL that is cut at an exact word, or falls silent as a network does."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

SOCKET = ".s.PGSQL.5432"


class CutWire:
    """Relays connections to a server.

    Args:
        url: The server's; of a PostgreSQL on a unix socket, with the socket's folder as `host`.
        folder: Where the relay's own socket is; a free port of this machine if left out.
    """

    def __init__(self, url: str, folder: Path | None = None) -> None:
        self._server: str | tuple[str, int]
        if folder is None:
            parts = urlsplit(url)
            assert parts.hostname is not None
            assert parts.port is not None
            self._server = parts.hostname, parts.port
            self._family = socket.AF_INET
            self._listener = socket.create_server(("127.0.0.1", 0))
            port = self._listener.getsockname()[1]
            self.url = url.replace(f"{parts.hostname}:{parts.port}", f"127.0.0.1:{port}")
        else:
            (host,) = parse_qs(urlsplit(url).query)["host"]
            self._server = f"{host}/{SOCKET}"
            self._family = socket.AF_UNIX
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(f"{folder}/{SOCKET}")
            self._listener.listen()
            self.url = url.replace(host, str(folder))
        self.cuts = 0
        self._cut_after: bytes | None = None
        self._flowing = threading.Event()
        self._flowing.set()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def cut_after(self, words: bytes) -> None:
        """Pass the next message with these words on to the server, and lose the answer."""
        self._cut_after = words

    def fall_silent(self) -> None:
        """Stop passing anything on, silently: no connection is closed."""
        self._flowing.clear()

    def flow_again(self) -> None:
        """Let through what is waiting, and what comes."""
        self._flowing.set()

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._flowing.set()
        for end in (self._listener, *self._open):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        for thread in self._threads:
            thread.join()

    def _start(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(self._family)
                server.connect(self._server)
                self._open += [client, server]
                self._start(self._relay, client, server, True)
                self._start(self._relay, server, client, False)

    def _relay(self, source: socket.socket, target: socket.socket, from_client: bool) -> None:
        with suppress(OSError):
            while received := source.recv(65536):
                self._flowing.wait()
                words = self._cut_after
                if from_client and words is not None and words in received:
                    self._cut_after = None
                    self._cut(source, target, received)
                    return
                target.sendall(received)
            # A machine that lost power sends no notice that it has closed anything.
            self._flowing.wait()
            target.shutdown(socket.SHUT_WR)

    def _cut(self, client: socket.socket, server: socket.socket, received: bytes) -> None:
        client.shutdown(socket.SHUT_RDWR)
        self.cuts += 1
        server.sendall(received)

"""A server that hangs up while the program is looking elsewhere."""

from __future__ import annotations

import socket
import threading

from tests.support.raw_server import Connection, http

GOOD = http({"status": "success"})


class ClosingWhenTold:
    """Script: answer once and close on demand, as a server does with a connection that was idle."""

    def __init__(self) -> None:
        self._told = threading.Event()
        self._closed = threading.Event()

    def __call__(self, connection: Connection) -> None:
        if connection.read_request() is not None:
            connection.write(GOOD)
            while not self._told.wait(0.01):
                if connection.server.stopping.is_set():
                    return
            connection.sock.shutdown(socket.SHUT_RDWR)
            connection.until_received()
            self._closed.set()

    def close(self) -> None:
        """Close, and block the event loop in the meantime, as a busy program does."""
        self._told.set()
        assert self._closed.wait(60)
        self._told.clear()
        self._closed.clear()

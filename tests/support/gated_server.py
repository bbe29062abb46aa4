"""A server that holds every answer back until its gate is opened."""

from __future__ import annotations

import threading

from tests.support.raw_server import Connection, http

GOOD = http({"status": "success", "dgs_reference": "dgs_1", "balances": []})


class Gate:
    """A server's script that holds every request until it is opened."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.waiting = 0
        self._lock = threading.Lock()

    def __call__(self, connection: Connection) -> None:
        while connection.read_request() is not None:
            with self._lock:
                self.waiting += 1
            while not self.opened.wait(0.1):
                if connection.server.stopping.is_set():
                    return
            connection.write(GOOD)

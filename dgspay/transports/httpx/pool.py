"""The connections a transport owns, each lent to one request at a time.

Who lends a connection counts it: a request that fails or is cancelled costs its connection and
nothing else, whatever state it left it in. The one used last is lent first, so that a caller
with one request at a time has one connection, and no request looks at more than a few.
`thread_pool` lends them to threads, `loop_pool` to the tasks of an event loop.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

from dgspay.transports.httpx.connector import Origin
from dgspay.transports.httpx.leftovers import has_leftover
from dgspay.transports.network_layer import HasState
from dgspay.transports.proxies import KEEP_ALIVE

ConnectionT = TypeVar("ConnectionT", bound=HasState)


class IdleConnections(Generic[ConnectionT]):
    """The connections nobody uses, the one used last on top.

    Args:
        limit: How many connections there may be in all, lent ones included.
        clock: Seconds that never run backwards.
    """

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._idle: list[tuple[float, Origin, ConnectionT]] = []

    def take(self, origin: Origin, lent: int) -> tuple[ConnectionT | None, list[ConnectionT]]:
        """Return a usable connection to a server, if there is one, and others to close.

        Args:
            origin: The server.
            lent: How many are in use, with the one that is asked for.
        """
        closing: list[ConnectionT] = []
        for position in range(len(self._idle) - 1, -1, -1):
            if self._idle[position][1] == origin:
                connection = self._idle.pop(position)[2]
                if not connection.has_expired():
                    return connection, closing
                closing.append(connection)
        if self._idle and lent + len(self._idle) > self._limit:
            closing.append(self._idle.pop(0)[2])
        return None, closing

    def put_back(self, origin: Origin, connection: ConnectionT) -> list[ConnectionT]:
        """Accept a connection, and return those to close: it, or one idle for too long."""
        if not connection.is_idle() or has_leftover(connection):
            return [connection]
        now = self._clock()
        self._idle.append((now, origin, connection))
        if self._idle[0][0] < now - KEEP_ALIVE:
            return [self._idle.pop(0)[2]]
        return []

    def clear(self) -> list[ConnectionT]:
        """Give all of them away, to be closed."""
        closing = [connection for _, _, connection in self._idle]
        self._idle.clear()
        return closing

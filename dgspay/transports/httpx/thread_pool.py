"""The connections of one process for blocking code; see `pool`."""

from __future__ import annotations

from dgspay.core.messages import Request, Response, Timeout
from dgspay.forks import new_lock
from dgspay.interruption import interruption_in
from dgspay.transports.blocking_deadline import BoundBackend, deadline
from dgspay.transports.errors import pool_timeout
from dgspay.transports.httpx.coalescing_streams import BlockingGatheringBackend
from dgspay.transports.httpx.connector import Connector, Origin
from dgspay.transports.httpx.messages import Incoming, split_url, to_httpcore
from dgspay.transports.httpx.pool import IdleConnections
from dgspay.transports.httpx.progress import Progress
from dgspay.transports.httpx.slots import Slots, Turn
from dgspay.transports.network_layer import Connection, OutgoingRequest


class ThreadPool:
    """The connections of one process for blocking code, shared by its threads.

    Args:
        routes: How they are opened.
        limit: How many there may be at a time.
    """

    def __init__(self, routes: Connector, limit: int) -> None:
        core = routes.library.core
        self._routes = routes
        self._core = core
        self._backend = BlockingGatheringBackend(BoundBackend(core.SyncBackend()), core)
        self._shelf: IdleConnections[Connection] = IdleConnections(limit)
        self._slots = Slots(limit)
        self._lock = new_lock()
        self._closed = False

    def send(self, request: Request, timeout: Timeout, progress: Progress) -> Response:
        """Send one request on a connection of its own and read the answer; see `LoopPool`."""
        origin, target = split_url(request.url)
        outgoing = to_httpcore(self._core, request, origin, target, timeout)
        turn = Turn()
        try:
            progress.begin_wait()
            found = self._slots.acquire(turn, min(timeout.pool, max(deadline.left(), 0.0)))
            progress.end_wait()
            if not found:
                raise pool_timeout()
            return self._lend(origin, outgoing, progress)
        finally:
            try:
                self._slots.release(turn)
            except BaseException:  # a handler of a signal has interrupted it
                self._slots.release(turn)
                raise

    def _lend(self, origin: Origin, outgoing: OutgoingRequest, progress: Progress) -> Response:
        with self._lock:
            connection, closing = self._shelf.take(origin, self._slots.taken)
        if connection is None:
            with progress.connecting():
                connection = self._routes.open(origin, self._backend)
            outgoing.extensions["trace"] = progress.note
        else:
            progress.may_have_left = True
        fit = False
        try:
            _close_all_blocking(closing)
            response = connection.handle_request(outgoing)
            incoming = Incoming(response)
            for chunk in response.stream:
                incoming.body.add(chunk)
                deadline.check()
            response.close()
            answer = incoming.response()
            fit = True
            return answer
        finally:
            with self._lock:
                closing = self._shelf.put_back(origin, connection) if fit else [connection]
                if self._closed:
                    closing += self._shelf.clear()
            _close_all_blocking(closing)

    def close(self) -> None:
        """Close what is not in use; what is in use is closed when it comes back."""
        with self._lock:
            self._closed = True
            closing = self._shelf.clear()
        _close_all_blocking(closing)


def _close_all_blocking(connections: list[Connection]) -> None:
    for position, connection in enumerate(connections):
        interruption = None
        try:
            connection.close()
        except Exception as error:  # noqa: BLE001 - as in `loop_pool`
            interruption = interruption_in(error)
        if interruption is not None:
            _close_all_blocking(connections[position:])
            raise interruption

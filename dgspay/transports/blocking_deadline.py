"""The total deadline of a blocking exchange, which httpx itself has no setting for."""

from __future__ import annotations

import errno
import os
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dgspay.forks import in_handshake
from dgspay.interruption import interruption_in
from dgspay.transports.interim import InterimAnswers
from dgspay.transports.lookups import look_up
from dgspay.transports.network_layer import HasInfo, SocketOption, Stream, UnixBackend
from dgspay.transports.race import connect

if TYPE_CHECKING:
    import httpx  # whose API is that of httpx2 as well

# What is written at a time, so that the deadline is looked at in between.
_PIECE = 65_536


class DeadlinePassedError(Exception):
    """The exchange of this thread has taken its time."""


class Deadline(threading.local):
    """When the exchange of this thread must be over."""

    end: float | None = None

    @contextmanager
    def until(self, total: float | None) -> Iterator[None]:
        """Set it to `total` seconds from now, for the time of a `with`.

        An event hook of a user's client may make another call meanwhile, so what was set before
        holds again afterwards.
        """
        before = self.end
        self.end = None if total is None else time.monotonic() + total
        try:
            yield
        finally:
            self.end = before

    def left(self) -> float:
        """Return the seconds that are left."""
        return float("inf") if self.end is None else self.end - time.monotonic()

    def clamp(self, timeout: float | None) -> float | None:
        """Shorten a socket's timeout to what is left. Zero would mean: do not block at all."""
        left = max(self.left(), 0.000_001)
        if timeout is None:
            return None if self.end is None else left
        return min(timeout, left)

    def check(self) -> None:
        """Raise DeadlinePassedError when nothing is left."""
        if self.left() <= 0:
            raise DeadlinePassedError


deadline = Deadline()
"""The one of this thread."""


def bound(client: httpx.Client) -> None:
    """Make every socket operation of a user's `Client` end at the deadline of the call it is for.

    A read timeout starts anew with every byte, so a server that drips headers could hold a
    thread for hours, and httpx has no setting for it: its pools take a network backend, but
    httpx does not pass one on. So it is put where httpx keeps it.
    """
    transports = [client._transport, *client._mounts.values()]  # noqa: SLF001
    for transport in transports:
        pool = getattr(transport, "_pool", None)
        backend = getattr(pool, "_network_backend", None)
        if pool is not None and backend is not None and not isinstance(backend, BoundBackend):
            pool._network_backend = BoundBackend(backend)  # noqa: SLF001


class BoundBackend:
    """A network backend of httpcore's or httpcore2's that keeps the deadline."""

    def __init__(self, backend: UnixBackend) -> None:
        self._backend = backend

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> BoundStream:
        """Open a connection to the first address of a host that answers."""
        limit = deadline.clamp(timeout)
        # Where it is not the library's own backend that connects, the host is its affair.
        if type(self._backend).__name__ != "SyncBackend":
            more = (local_address, socket_options)
            return BoundStream(self._backend.connect_tcp(host, port, limit, *more))
        network = sys.modules[type(self._backend).__module__.partition(".")[0]]
        failure: BaseException
        try:
            sock = _connected(host, port, limit, local_address, socket_options or ())
        except Exception as error:  # noqa: BLE001
            failure = _interruption_or(error)
        else:
            streams = sys.modules[f"{network.__name__}._backends.sync"]
            return BoundStream(streams.SyncStream(sock))
        if isinstance(failure, TimeoutError) and interruption_in(failure) is None:
            raise network.ConnectTimeout(str(failure)) from failure
        if isinstance(failure, OSError | UnicodeError) and interruption_in(failure) is None:
            raise network.ConnectError(str(failure)) from failure
        raise failure

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> BoundStream:
        """Open a connection to a socket in the file system."""
        stream = self._backend.connect_unix_socket(path, deadline.clamp(timeout), socket_options)
        return BoundStream(stream)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._backend.sleep(seconds)


def _connected(
    host: str,
    port: int,
    timeout: float | None,
    local_address: str | None,
    options: Iterable[SocketOption],
) -> socket.socket:
    """Return a socket that is connected to a host, within one time for look-up and connection."""
    began = time.monotonic()
    addresses = look_up(host, port, timeout)
    left = None if timeout is None else max(timeout - (time.monotonic() - began), 0)
    sock = connect(addresses, left, local_address)
    for option in ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), *options):
        sock.setsockopt(*option)
    return sock


class BoundStream:
    """An open connection that keeps the deadline, and whose interim answers are counted."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._interim = InterimAnswers()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what there is."""
        # A socket that always has something to read never times out, however short the time.
        deadline.check()
        try:
            piece = self._stream.read(max_bytes, deadline.clamp(timeout))
        except Exception as error:  # noqa: BLE001
            raised = _interruption_or(error)
        else:
            self._interim.check(piece)
            return piece
        raise raised

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of it."""
        self._interim.begin()
        # In pieces, for the timeout starts anew with every byte the other side takes.
        for start in range(0, len(buffer), _PIECE):
            deadline.check()
            try:
                self._stream.write(buffer[start : start + _PIECE], deadline.clamp(timeout))
                continue
            except Exception as error:  # noqa: BLE001
                raised = _interruption_or(error)
            raise raised

    def close(self) -> None:
        """Close it."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> BoundStream:
        """Go over to TLS."""
        try:
            with in_handshake:
                tls = self._stream.start_tls(ssl_context, server_hostname, deadline.clamp(timeout))
        except Exception as error:  # noqa: BLE001
            raised: BaseException = _interruption_or(error)
        else:
            if not _has_no_tls(tls):
                return BoundStream(tls)
            tls.close()
            raised = ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        raise raised

    def get_extra_info(self, info: str) -> object:
        """Tell what the connection itself would."""
        return self._stream.get_extra_info(info)


def _has_no_tls(stream: HasInfo) -> bool:
    """Say whether Python took a connection that was reset for one that is not made yet.

    It returns without TLS then, and would go on in plain text.
    """
    is_the_librarys_own = type(stream).__name__ == "SyncStream"
    return is_the_librarys_own and stream.get_extra_info("ssl_object") is None


def _interruption_or(error: Exception) -> BaseException:
    """Return what a handler of a signal has raised, before a library says it was the network."""
    interruption = interruption_in(error)
    return error if interruption is None else interruption

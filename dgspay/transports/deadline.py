"""The total deadline of a blocking exchange, which httpx itself has no setting for."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

# What is written at a time, so that the deadline is looked at in between.
_PIECE = 65_536


class Deadline(threading.local):
    """When the exchange of this thread must be over."""

    end: float | None = None

    def until(self, total: float | None) -> Deadline:
        """Set it to `total` seconds from now; use the result in a `with`."""
        self.end = None if total is None else time.monotonic() + total
        return self

    def left(self) -> float:
        """Return the seconds that are left."""
        return float("inf") if self.end is None else self.end - time.monotonic()

    def clamp(self, timeout: float | None) -> float | None:
        """Shorten a socket's timeout to what is left. Zero would mean: do not block at all."""
        left = max(self.left(), 0.000_001)
        if timeout is None:
            return None if self.end is None else left
        return min(timeout, left)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self.end = None


deadline = Deadline()
"""The one of this thread."""


def bound(client: httpx.Client) -> httpx.Client:
    """Make every socket operation of a client end at the deadline of the call it is for.

    A read timeout starts anew with every byte, so a server that drips headers could hold a
    thread for hours, and httpx has no setting for it: its pools take a network backend, but
    httpx does not pass one on.
    """
    transports = [client._transport, *client._mounts.values()]  # noqa: SLF001
    for transport in transports:
        pool = getattr(transport, "_pool", None)
        backend = getattr(pool, "_network_backend", None)
        if pool is not None and backend is not None and not isinstance(backend, _Backend):
            pool._network_backend = _Backend(backend)  # noqa: SLF001
    return client


class _Backend(httpcore.NetworkBackend):
    def __init__(self, backend: httpcore.NetworkBackend) -> None:
        self._backend = backend

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._backend.connect_tcp(
            host, port, deadline.clamp(timeout), local_address, socket_options
        )
        return _Stream(stream)

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        stream = self._backend.connect_unix_socket(path, deadline.clamp(timeout), socket_options)
        return _Stream(stream)

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        # A socket that always has something to read never times out, however short the time.
        if deadline.left() <= 0:
            raise httpcore.ReadTimeout
        return self._stream.read(max_bytes, deadline.clamp(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # In pieces, for the timeout starts anew with every byte the other side takes.
        for start in range(0, len(buffer), _PIECE):
            if deadline.left() <= 0:
                raise httpcore.WriteTimeout
            self._stream.write(buffer[start : start + _PIECE], deadline.clamp(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        tls = self._stream.start_tls(ssl_context, server_hostname, deadline.clamp(timeout))
        return _Stream(tls)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

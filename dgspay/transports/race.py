"""Connect to the first address of a host that answers (Happy Eyeballs, RFC 8305).

An address that does not answer, behind a broken IPv6 route say, must not cost the time in which
another would have.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import time
from collections import deque
from typing import Self

from dgspay.interruption import interruption_in
from dgspay.transports.lookups import Address

# Seconds until the next address is tried beside the one before.
NEXT_ADDRESS_AFTER = 0.25

# Of a socket that does not block.
_ON_ITS_WAY = {0, errno.EINPROGRESS, errno.EWOULDBLOCK}


class Race:
    """The sockets that are being connected to the addresses of a host, for the time of a `with`.

    Attributes:
        running: Those of which nothing is known yet.
    """

    def __init__(self, addresses: list[Address], local_address: str | None) -> None:
        self.running: list[socket.socket] = []
        self._left = deque(addresses)
        self._local_address = local_address
        self._error = OSError("the host has no address")

    def begin(self) -> None:
        """Try the next address, and those after it that cannot even be tried."""
        while self._left:
            family, address = self._left.popleft()
            try:
                sock = self._socket(family)
            except OSError as error:
                if interruption_in(error) is not None:
                    raise
                self._error = error
                continue
            self.running.append(sock)
            code = sock.connect_ex(address)
            if code in _ON_ITS_WAY:
                return
            self._drop(sock, code)
        if not self.running:
            raise self._error

    def _socket(self, family: int) -> socket.socket:
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(0)
            if self._local_address is not None:
                sock.bind((self._local_address, 0))
        except BaseException:
            sock.close()
            raise
        return sock

    @property
    def has_more(self) -> bool:
        """Whether there is another address to try."""
        return bool(self._left)

    def is_won_by(self, sock: socket.socket) -> bool:
        """Say whether a socket about which something is known is connected; if not, drop it."""
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code == 0:
            self.running.remove(sock)
            return True
        self._drop(sock, code)
        return False

    def _drop(self, sock: socket.socket, code: int) -> None:
        self._error = OSError(code, os.strerror(code))
        self.running.remove(sock)
        sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close those that have not won."""
        while self.running:
            self.running.pop().close()


def connect(
    addresses: list[Address], timeout: float | None, local_address: str | None = None
) -> socket.socket:
    """Return a socket that is connected to one of the addresses.

    Raises:
        TimeoutError: when none has answered in time.
        OSError: when all have refused.
    """
    end = float("inf") if timeout is None else time.monotonic() + timeout
    with Race(addresses, local_address) as race:
        while True:
            race.begin()
            next_at = time.monotonic() + NEXT_ADDRESS_AFTER if race.has_more else float("inf")
            known = _first_known(race.running, min(end, next_at))
            if known is not None and race.is_won_by(known):
                return known
            if time.monotonic() >= end:
                raise TimeoutError("none of the addresses of the host has answered in time")


def _first_known(running: list[socket.socket], until: float) -> socket.socket | None:
    with selectors.DefaultSelector() as selector:
        for sock in running:
            selector.register(sock, selectors.EVENT_WRITE)
        left = None if until == float("inf") else max(until - time.monotonic(), 0)
        for key, _ in selector.select(left):
            known: socket.socket = key.fileobj  # type: ignore[assignment]
            return known
    return None

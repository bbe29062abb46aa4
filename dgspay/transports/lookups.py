"""Look up the addresses of a host, and wait no longer for them than is allowed.

`socket.getaddrinfo` knows no timeout, and a name server that does not answer holds it for ten
seconds or thirty. So it is called in a thread of its own, which ends by itself some time and
holds no program up; what asks for the same host meanwhile waits for the same answer.
"""

from __future__ import annotations

import contextlib
import encodings.idna  # noqa: F401 - or the first look-up imports it, in a thread
import ipaddress
import os
import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

Address = tuple[int, Any]
"""The family of a socket and what it is connected to."""

# Names that may be looked up at a time. A client asks for one or two.
_AT_A_TIME = 64


class LookUp:
    """One look-up.

    Attributes:
        is_over: Whether its result is known.
        waiting: What is called when it is over, in another thread. Who adds to it looks at
            `is_over` after that.
    """

    def __init__(self, host: str, port: int) -> None:
        self.asked = (host, port)
        self.found: list[Address] = []
        self.error: Exception | None = None
        self.is_over = False
        self.waiting: deque[Callable[[], object]] = deque()

    def start(self) -> None:
        """Run it in a thread of its own."""
        try:
            threading.Thread(target=self.run, name="dgspay-look-up", daemon=True).start()
        except RuntimeError:  # the interpreter is about to exit, and begins no more threads
            self.run()

    def run(self) -> None:
        """Ask the system, and call those who wait."""
        try:
            self.found = _look_up(*self.asked)
        except Exception as error:  # noqa: BLE001 - raised to those who wait
            self.error = error
        self.is_over = True
        _forget(self)
        for call in list(self.waiting):
            with contextlib.suppress(RuntimeError):  # an event loop that is closed
                call()

    def result(self) -> list[Address]:
        """Return the addresses, or raise why there are none."""
        if self.error is not None:
            raise self.error
        return self.found


# Changed in one step each, for a lock would be in the way of handlers of signals and of forks.
_under_way: dict[tuple[str, int], LookUp] = {}

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_under_way.clear)  # their threads are not in the child


def look_up(host: str, port: int, timeout: float | None) -> list[Address]:
    """Return the addresses of a host, in the order in which to try them.

    Raises:
        TimeoutError: when they were not known in time.
        OSError: there are none, or too many names are being looked up.
        UnicodeError: for a name that can be none.
    """
    pending = begin(host, port)
    over = threading.Lock()
    over.acquire()
    pending.waiting.append(over.release)
    if pending.is_over:
        return pending.result()
    if not over.acquire(timeout=-1 if timeout is None else min(timeout, threading.TIMEOUT_MAX)):
        raise TimeoutError("the name of the host was not looked up in time")
    return pending.result()


def begin(host: str, port: int) -> LookUp:
    """Return the look-up of a host that is under way, or begin one.

    That of an address is over at once.

    Raises:
        OSError: too many names are being looked up.
    """
    if _is_address(host):
        known = LookUp(host, port)
        known.run()
        return known
    if len(_under_way) >= _AT_A_TIME and (host, port) not in _under_way:
        raise OSError("too many names are being looked up")
    own = LookUp(host, port)
    try:
        known = _under_way.setdefault(own.asked, own)
        if known is own:
            own.start()
    except BaseException:  # a handler of a signal has interrupted it
        _forget(own)
        raise
    return known


def _forget(one: LookUp) -> None:
    if _under_way.get(one.asked) is one:
        _under_way.pop(one.asked, None)


def _look_up(host: str, port: int) -> list[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return _interleaved([(int(family), address) for family, _, _, _, address in found])


def _interleaved(addresses: list[Address]) -> list[Address]:
    """Have the families take turns, beginning with the one the system has put first.

    RFC 8305, section 4: a network whose IPv6 is broken has usually lost all of it.
    """
    families = {family: deque[Address]() for family, _ in addresses}
    for address in addresses:
        families[address[0]].append(address)
    ordered: list[Address] = []
    while len(ordered) < len(addresses):
        ordered += [queue.popleft() for queue in families.values() if queue]
    return ordered


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True

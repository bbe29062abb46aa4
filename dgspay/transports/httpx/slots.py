"""Slots for threads, first come, first served."""

from __future__ import annotations

import threading
from collections import deque

from dgspay.forks import new_lock

__all__ = ["Slots"]


class Turn:
    """The place of one call in the queue, and then its slot."""

    __slots__ = ("called",)

    def __init__(self) -> None:
        self.called: threading.Lock | None = None
        """What it waits for, where it has to."""


class Slots:
    """So many that may do something at a time.

    A handler of a signal may raise between any two steps of what follows. So it is not the course
    of the program that says who has a slot but a set, each change of it is one step, and
    `release` may be called again where it was interrupted.

    Args:
        limit: How many there are.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = new_lock()
        self._holding: set[Turn] = set()
        self._waiting: deque[Turn] = deque()

    @property
    def taken(self) -> int:
        """How many are in use."""
        return len(self._holding)

    def acquire(self, turn: Turn, timeout: float) -> bool:
        """Wait for a slot, for so many seconds; say whether there was one.

        `release` must follow in any case, also where this raises.
        """
        with self._lock:
            if not self._waiting and len(self._holding) < self._limit:
                self._holding.add(turn)
                return True
            turn.called = threading.Lock()
            turn.called.acquire()
            self._waiting.append(turn)
        if turn.called.acquire(timeout=min(timeout, threading.TIMEOUT_MAX)):
            return True
        # It may have been called in the very moment in which it gave up.
        return turn in self._holding

    def release(self, turn: Turn) -> None:
        """Leave the slot, or the queue, and call those whose turn it is."""
        with self._lock:
            self._holding.discard(turn)
            if turn.called is not None and turn in self._waiting:
                self._waiting.remove(turn)
            self._call()

    def _call(self) -> None:
        while self._waiting:
            turn = self._waiting[0]
            # Where this was interrupted, the first has its slot already and must still be called.
            if turn not in self._holding and len(self._holding) >= self._limit:
                return
            self._holding.add(turn)
            if turn.called is not None and turn.called.locked():
                turn.called.release()
            self._waiting.popleft()

"""Fork safety: locks that a child finds free, and work that a fork waits for.

A child has the memory of its parent and one of its threads. A lock that another thread held stays
locked in it for ever, and a module that another thread was importing is never finished.
"""

from __future__ import annotations

import logging  # noqa: F401 - see below
import os
import threading
import weakref
from typing import Any, Protocol

undivided = threading.RLock()
"""Held while something is made that a child cannot do without: a fork waits until it is released.

For work that ends soon by itself: an import, the reading of certificates."""

_locks: weakref.WeakSet[Any] = weakref.WeakSet()


def new_lock() -> threading.Lock:
    """Make a lock that is free in a forked child, whatever held it in the parent."""
    lock = threading.Lock()
    _locks.add(lock)
    return lock


def new_rlock() -> threading.RLock:
    """Make one that a thread may acquire several times."""
    lock = threading.RLock()
    _locks.add(lock)
    return lock


class Renewed(Protocol):
    """Something that another thread serves, which a child does not have."""

    def renew_in_child(self) -> None:
        """Reset for the child. No lock need be held: the child has one thread."""
        ...


_renewed: weakref.WeakSet[Renewed] = weakref.WeakSet()


def renew_in_child(owner: Renewed) -> None:
    """Call an object's `renew_in_child` in every forked child, as long as the object lives."""
    _renewed.add(owner)


class Gate:
    """Gate that keeps forks out while threads are within, many at a time.

    For libraries that have locks of their own. A thread that is within does not enter again.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition(new_lock())
        self._within: set[int] = set()
        self._is_shut = False

    def enter(self) -> None:
        """Go in, once the fork that is being made is over."""
        with self._changed:
            while self._is_shut:
                self._changed.wait(_PATIENCE)
            self._within.add(threading.get_ident())

    def leave(self) -> None:
        """Go out, if within."""
        with self._changed:
            self._within.discard(threading.get_ident())
            if self._is_shut:
                self._changed.notify_all()

    def __enter__(self) -> None:
        self.enter()

    def __exit__(self, *_: object) -> None:
        self.leave()

    def shut(self) -> None:
        """Close the gate, and wait for the threads within to leave."""
        with self._changed:
            self._is_shut = True
            self._changed.wait_for(self._is_empty, _PATIENCE)

    def _is_empty(self) -> bool:
        return not self._within - {threading.get_ident()}

    def open(self) -> None:
        """Open the gate again."""
        with self._changed:
            self._is_shut = False
            self._changed.notify_all()

    def open_in_child(self) -> None:
        """Open the gate in a child, which has one thread only."""
        self._within &= {threading.get_ident()}
        self._is_shut = False


at_sqlite = Gate()
"""Gate around the use of SQLite: its locks are those of the whole process."""

in_handshake = Gate()
"""Where threads are that begin TLS: OpenSSL has locks of the whole process, and others in each
context, and a child that finds one locked hangs even where it makes a context of its own."""

# How long a fork waits for what is undivided. It must not wait for ever where another part of the
# program keeps the two apart by a lock of its own.
_PATIENCE = 10.0


class _Wait(threading.local):
    """Whether the fork of this thread has waited to the end."""

    is_over = False


_wait = _Wait()


def _before() -> None:
    _wait.is_over = undivided.acquire(timeout=_PATIENCE)
    at_sqlite.shut()
    in_handshake.shut()


def _after_in_parent() -> None:
    in_handshake.open()
    at_sqlite.open()
    if _wait.is_over:
        undivided.release()


def _in_child() -> None:
    if _wait.is_over:
        undivided.release()
    else:
        undivided._at_fork_reinit()  # type: ignore[attr-defined]  # noqa: SLF001 - as below
    for lock in list(_locks):
        lock._at_fork_reinit()  # noqa: SLF001 - as the standard library renews its own
    in_handshake.open_in_child()
    at_sqlite.open_in_child()
    for owner in list(_renewed):
        owner.renew_in_child()


# What is registered last is called first: `logging` has a lock that an import may ask for, and a
# fork that held it already would wait for that import for nothing. So it is imported above.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_in_child)

"""What a fork must not cut in two: locks that its child finds free, and work that it waits for.

A child has the memory of its parent and one of its threads. A lock that another thread held stays
locked in it for ever, and a module that another thread was importing is never finished.
"""

from __future__ import annotations

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


class Renewed(Protocol):
    """Something that another thread serves, which a child does not have."""

    def renew_in_child(self) -> None:
        """Come to terms with that. No lock need be held: the child has one thread."""
        ...


_renewed: weakref.WeakSet[Renewed] = weakref.WeakSet()


def renew_in_child(owner: Renewed) -> None:
    """Have an object told that it lives in a forked child, for as long as it lives."""
    _renewed.add(owner)


def _in_child() -> None:
    for lock in list(_locks):
        lock._at_fork_reinit()  # noqa: SLF001 - as the standard library's own locks are renewed
    for owner in list(_renewed):
        owner.renew_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=undivided.acquire,
        after_in_parent=undivided.release,
        after_in_child=undivided.release,
    )
    os.register_at_fork(after_in_child=_in_child)

"""Notification of subscribers that something has changed, without saying what."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from dgspay.forks import new_lock


class ChangeFeed:
    """Feed that calls its watchers after every change. They must be quick and not raise."""

    def __init__(self) -> None:
        self.epoch = 0
        self._watchers: set[Callable[[], object]] = set()
        self._lock = new_lock()

    def changed(self) -> None:
        """Notify every watcher."""
        if not self._watchers:
            return
        with self._lock:
            watchers = tuple(self._watchers)
        for watcher in watchers:
            watcher()

    def end(self) -> None:
        """End every watch: the server stops."""
        self.epoch += 1
        self.changed()

    @contextmanager
    def watched_by(self, watcher: Callable[[], object]) -> Generator[None]:
        """Call a function after every change, inside the block."""
        with self._lock:
            self._watchers.add(watcher)
        try:
            yield
        finally:
            with self._lock:
                self._watchers.discard(watcher)

"""Where the emulator's time comes from: the system, or a test that turns the hands itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """A source of time that can say how long to really wait for a moment."""

    def time(self) -> float:
        """Return the time in seconds since 1970 (UTC)."""
        ...

    def seconds_until(self, moment: float) -> float | None:
        """Return the real seconds until a moment; None when only a signal will tell."""
        ...

    def subscribe(self, moved: Callable[[], object]) -> None:
        """Ask to be called when the time jumps."""
        ...

    def advance(self, seconds: float) -> None:
        """Move the time on; what has become due happens before this returns.

        Raises:
            ValueError: when `seconds` is negative or no number.
        """
        ...


class _Jumping:
    """What clocks have in common that can be moved on by hand."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._subscribers: list[Callable[[], object]] = []
        self._lock = threading.Lock()

    def subscribe(self, moved: Callable[[], object]) -> None:
        """Ask to be called after each `advance`."""
        self._subscribers.append(moved)

    def advance(self, seconds: float) -> None:
        """Move the time on; what has become due happens before this returns.

        Raises:
            ValueError: when `seconds` is negative or no number.
        """
        if not 0 <= seconds < float("inf"):
            raise ValueError("time only moves forward: seconds must not be negative")
        with self._lock:
            self._ahead += seconds
        for moved in tuple(self._subscribers):
            moved()


class SystemClock(_Jumping):
    """The time of this machine, and what `advance` was told on top."""

    def time(self) -> float:
        """Return the time in seconds since 1970 (UTC)."""
        return time.time() + self._ahead

    def seconds_until(self, moment: float) -> float | None:
        """Return the real seconds until a moment, 0 when it has passed."""
        return max(0.0, moment - self.time())


class VirtualClock(_Jumping):
    """A clock that stands still until `advance` is called, for tests.

    Args:
        start: The first moment; 3 April 2026, 10:00 UTC when not given. A naive datetime
            is taken as UTC.
    """

    def __init__(self, start: datetime | None = None) -> None:
        super().__init__()
        start = start or datetime(2026, 4, 3, 10, 0, tzinfo=UTC)
        self._start = (start if start.tzinfo else start.replace(tzinfo=UTC)).timestamp()

    def time(self) -> float:
        """Return the time in seconds since 1970 (UTC)."""
        return self._start + self._ahead

    def seconds_until(self, moment: float) -> float | None:
        """Return 0 for a moment that has come, None for one that `advance` must bring."""
        return 0.0 if moment <= self.time() else None


def api_text(moment: float) -> str:
    """Write a moment as the API does, `YYYY-MM-DD HH:MM:SS`; the emulator's zone is UTC."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S")


def event_text(moment: float) -> str:
    """Write a moment as payment events do, ISO 8601 with `Z`."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

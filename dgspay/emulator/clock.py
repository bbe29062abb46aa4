"""Clocks of the emulator: the system's, and one that a test moves on."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from dgspay.forks import new_lock

# The last second of the year 9999, the last that the API can write.
_LAST_MOMENT = 253_402_300_799.0
# The longest wait; the caller checks again afterwards.
_LONGEST_WAIT = 86_400.0

NextDue = Callable[[], float | None]
"""Returns the moment of the next thing that is due, or None when there is nothing to come."""


class EmulatorClock(Protocol):
    """A source of time that can say how long to really wait for a moment."""

    def time(self) -> float:
        """Return the time in seconds since 1970 (UTC)."""
        ...

    def seconds_until(self, moment: float) -> float | None:
        """Return the real seconds until a moment; None if only `advance` moves it.

        Where that is very long, it may be less: then ask again.
        """
        ...

    def subscribe(self, moved: Callable[[], object], next_due: NextDue | None = None) -> None:
        """Ask to be called when the time jumps.

        Args:
            moved: What to call.
            next_due: Says where a jump must halt on its way, seconds since 1970.
        """
        ...

    def advance(self, seconds: float) -> None:
        """Move the time on; what has become due happens before this returns.

        Raises:
            ValueError: when `seconds` is negative or no number.
        """
        ...


class JumpingClock:
    """Base of the clocks that can be moved on by hand."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._subscribers: list[tuple[Callable[[], object], NextDue | None]] = []
        self._lock = new_lock()

    @property
    def ahead(self) -> float:
        """Seconds by which it was moved on by hand."""
        return self._ahead

    def resume(self, ahead: float) -> None:
        """Restore the lead of an earlier clock, without settling anything on the way."""
        with self._lock:
            self._ahead = ahead

    def time(self) -> float:
        """Return the time in seconds since 1970 (UTC)."""
        raise NotImplementedError

    def subscribe(self, moved: Callable[[], object], next_due: NextDue | None = None) -> None:
        """Ask to be called after each step of `advance`, which halts at what is due."""
        self._subscribers.append((moved, next_due))

    def advance(self, seconds: float) -> None:
        """Move the time on; what has become due happens before this returns.

        The time halts wherever something is due, so that it happens at its own moment, and so
        does all that follows from it within the same stretch.

        Raises:
            ValueError: when `seconds` is negative or no number.
        """
        if not 0 <= seconds < float("inf"):
            raise ValueError("time only moves forward: seconds must not be negative")
        left = seconds
        while (step := self._step(left)) < left:
            self._move(step)
            left -= step
        self._move(left)

    def _step(self, left: float) -> float:
        """Return the seconds to the next thing that is due on the way, or all that are left."""
        now = self.time()
        moments = [due for _, ask in self._subscribers if ask and (due := ask()) is not None]
        # What is due already is being dealt with, or waits for something else than time.
        return min((due - now for due in moments if now < due < now + left), default=left)

    def _move(self, seconds: float) -> None:
        with self._lock:
            self._ahead += seconds
        for moved, _ in tuple(self._subscribers):
            moved()


class SystemClock(JumpingClock):
    """The time of this machine plus what `advance` has added."""

    def time(self) -> float:
        """Return the time in seconds since 1970 (UTC)."""
        return time.time() + self._ahead

    def seconds_until(self, moment: float) -> float | None:
        """Return the real seconds until a moment, 0 when it has passed, a day at most."""
        return min(max(0.0, moment - self.time()), _LONGEST_WAIT)


class VirtualClock(JumpingClock):
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
    return datetime.fromtimestamp(min(moment, _LAST_MOMENT), UTC).strftime("%Y-%m-%d %H:%M:%S")


def event_text(moment: float) -> str:
    """Write a moment as payment events do, ISO 8601 with `Z`."""
    return datetime.fromtimestamp(min(moment, _LAST_MOMENT), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

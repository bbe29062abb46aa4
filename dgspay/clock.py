"""The clock that calls and payouts read, passed in so that a test can set it."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """The two readings of time that are needed; the `time` module has both."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        ...

    def time(self) -> float:
        """Unix time."""
        ...

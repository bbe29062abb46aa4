"""The clock that calls and payouts read, passed in so that a test can set it; and Kigali's time."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Protocol

KIGALI = timezone(timedelta(hours=2), "Africa/Kigali")
"""Rwanda's time all year round; without a database of time zones, which some systems lack."""


class Clock(Protocol):
    """The two readings of time that are needed; the `time` module has both."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        ...

    def time(self) -> float:
        """Unix time."""
        ...

"""The clock that calls and payouts read, passed in so that a test can set it; and Kigali's time.

`PROCESS_CLOCK` is the clock of a client's calls, whose pauses a test may skip.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


class ProcessClock:
    """The clock of this process: where pauses are skipped, it goes on as if they had passed.

    Attributes:
        monotonic: Returns seconds that never run backwards.
    """

    def __init__(self) -> None:
        # As it stands: a call reads it often.
        self.monotonic: Callable[[], float] = time.monotonic
        self._lock = threading.Lock()
        self._blocks = 0
        self._skipped = 0.0

    def time(self) -> float:
        """Unix time."""
        return time.time()

    def to_wait(self, seconds: float) -> float:
        """Return how many seconds of a pause are to be waited: none where pauses are skipped."""
        if not self._blocks:
            return seconds
        with self._lock:
            self._skipped += seconds
        return 0.0

    @contextmanager
    def skipping(self) -> Iterator[None]:
        """Skip every pause while the block runs, in all threads of the process."""
        with self._lock:
            self._blocks += 1
            # What was skipped stays so after the block: seconds never run backwards.
            self.monotonic = self._later
        try:
            yield
        finally:
            with self._lock:
                self._blocks -= 1

    def _later(self) -> float:
        return time.monotonic() + self._skipped


PROCESS_CLOCK = ProcessClock()

"""Size of the next take of payouts: as few as keep the workers busy."""

from __future__ import annotations

import math
from collections.abc import Callable


class TakeSize:
    """Number of payouts to take at once, so that hardly one is taken and does not leave.

    What is taken up is on disk as being sent, and what of it has not left when the machine dies
    is held all the same. So as many are taken up as workers wait for, and ahead of them no more
    than what leaves within a few hundredths of a second: none where payouts are slow, and enough
    that no worker waits for a commit where they are fast.

    Args:
        monotonic: Seconds that never run backwards.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._rate = 0.0
        self._left = 0
        self._counted_at = monotonic()
        self._ahead = _SECONDS_AHEAD
        self.low = 0
        """So few may be ready before more are wanted."""

    def leave(self, count: int = 1) -> None:
        """Count payouts that leave."""
        self._left += count

    def took(self, seconds: float) -> None:
        """Note how long a take took to be written: on a slow disk the next is longer."""
        self._ahead = min(max(_SECONDS_AHEAD, 2 * seconds), _MOST_SECONDS_AHEAD)

    def wanted(self, *, idle: int, ready: int) -> int:
        """Return how many to take up now; 0 where what is ready will do for a while.

        Args:
            idle: Workers that wait for a payout.
            ready: Payouts that are taken up and wait for a worker.
        """
        ahead = min(int(self._rate_now() * self._ahead), _LARGEST_PORTION)
        self.low = ahead // 2
        if ready > self.low:
            return 0
        return min(idle + ahead - ready, _LARGEST_PORTION)

    def _rate_now(self) -> float:
        """Return how many leave in a second, of late."""
        now = self._monotonic()
        elapsed = now - self._counted_at
        if elapsed > 0:
            fading = math.exp(-elapsed / _SECONDS_REMEMBERED)
            self._rate = self._rate * fading + self._left / elapsed * (1 - fading)
            self._left, self._counted_at = 0, now
        return self._rate


_SECONDS_AHEAD = 0.02
_MOST_SECONDS_AHEAD = 0.5
_SECONDS_REMEMBERED = 0.25
_LARGEST_PORTION = 4000

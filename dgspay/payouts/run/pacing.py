"""Pace of a run, its rate limiter, and the rule by which it stops by itself."""

from __future__ import annotations

import math
from collections.abc import Callable

import anyio
import attrs

from dgspay import errors
from dgspay.payouts.model.transitions import Evidence, Learned


@attrs.frozen(kw_only=True)
class Pace:
    """Pace of a process.

    Attributes:
        concurrency: Payouts in flight at once.
        per_second: Payouts begun in a second at most, in this process; None for no limit.
    """

    concurrency: int = attrs.field(default=32, validator=attrs.validators.ge(1))
    per_second: float | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.gt(0))
    )


class RateLimiter:
    """Gives out the moments at which something may begin, one after the other."""

    def __init__(self, pace: Pace, monotonic: Callable[[], float]) -> None:
        self._interval = None if pace.per_second is None else 1.0 / pace.per_second
        self._monotonic = monotonic
        self._next = 0.0
        self._queue = anyio.Lock()

    async def wait(self, wanted: Callable[[], bool]) -> None:
        """Wait for the next turn; at once where it is not wanted any more."""
        if self._interval is None:
            return
        # In a queue, so that a stop reaches the first waiter, and then the others at once.
        async with self._queue:
            while wanted():
                pause = self._next - self._monotonic()
                if pause <= 0:
                    self._next = max(self._next, self._monotonic()) + self._interval
                    return
                await anyio.sleep(min(pause, _LONGEST_SLEEP))


_LONGEST_SLEEP = 0.25


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


@attrs.frozen(kw_only=True)
class Limits:
    """Conditions under which a run stops by itself.

    Attributes:
        lost_in_a_row: Lost answers, one after the other, that are no accident any more.
        unsent_in_a_row: Payouts, one after the other, that DGS-Pay did not act on.
        refused_in_a_row: Refusals for the same reason, one after the other: more likely something
            is wrong with all rows than with each of so many.
    """

    lost_in_a_row: int = attrs.field(default=10, validator=attrs.validators.ge(1))
    unsent_in_a_row: int = attrs.field(default=10, validator=attrs.validators.ge(1))
    refused_in_a_row: int = attrs.field(default=10, validator=attrs.validators.ge(1))


class StopRule:
    """Looks at how payouts end, and says when to stop."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lost = 0
        self._unsent = 0
        self._refused = 0
        self._refused_for: str | None = None

    def look(self, evidence: Evidence, error: errors.DGSPayError | None) -> str | None:
        """Take one result in; say why to pause, or None to go on."""
        learned = evidence.learned
        self._lost = self._lost + 1 if learned is Learned.LOST else 0
        self._unsent = self._unsent + 1 if learned is Learned.NOT_SENT else 0
        if learned is not Learned.REFUSED:
            self._refused = 0
        elif evidence.reason == self._refused_for:
            self._refused += 1
        else:
            self._refused, self._refused_for = 1, evidence.reason
        match error:
            case errors.AuthenticationError():
                return "DGS-Pay refuses the API key, or this machine's IP address (code 91)"
            case errors.InsufficientFundsError():
                return "the wallet does not hold enough"
            case errors.RateLimitError():
                return "DGS-Pay asks for a slower pace (429)"
        if self._lost >= self._limits.lost_in_a_row:
            return f"the answers of {self._lost} payouts in a row were lost"
        if self._unsent >= self._limits.unsent_in_a_row:
            return f"{self._unsent} payouts in a row could not be sent: {_why(evidence)}"
        if self._refused >= self._limits.refused_in_a_row:
            return f"{self._refused} payouts in a row were refused alike: {_why(evidence)}"
        return None


def _why(evidence: Evidence) -> str:
    """Return a reason to stand within a sentence."""
    return (evidence.reason or "no reason was given").rstrip(".")

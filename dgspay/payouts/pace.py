"""How fast a run goes, and when it stops by itself: values, and the one thing that counts."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import attrs

from dgspay import errors
from dgspay.payouts.evidence import Evidence, Finding


@attrs.frozen(kw_only=True)
class Pace:
    """How fast a process pays.

    Attributes:
        concurrency: Payouts in flight at once.
        per_second: Payouts begun in a second at most, in this process; None for no limit.
    """

    concurrency: int = attrs.field(default=32, validator=attrs.validators.ge(1))
    per_second: float | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.gt(0))
    )


class Turns:
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
        # In a queue, so that a stop is heard after one interval and not after everybody's.
        async with self._queue:
            if not wanted():
                return
            pause = self._next - self._monotonic()
            if pause > 0:
                await anyio.sleep(pause)
            self._next = max(self._next, self._monotonic()) + self._interval


class Portions:
    """How many payouts to take up at once: what goes out in a tenth of a second.

    Each portion is one commit, and what of it was not sent when the machine dies is held. So it
    follows the rate: small where payouts are slow, and large where commits would be the brake.

    Args:
        pace: How fast the run may go.
        monotonic: Seconds that never run backwards.
    """

    def __init__(self, pace: Pace, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._least = pace.concurrency
        self._most = max(_LARGEST_PORTION, pace.concurrency)
        if pace.per_second is not None:
            self._most = max(1, int(pace.per_second * _SECONDS_IN_PORTION_AT_A_PACE))
            self._least = min(self._least, self._most)
        self._size = self._least
        self._began = monotonic()

    def next(self) -> int:
        """Return the size of the next portion; the one before it has gone out."""
        now = self._monotonic()
        took, self._began = max(now - self._began, 1e-6), now
        fitting = int(self._size * _SECONDS_IN_PORTION / took)
        self._size = max(self._least, min(fitting, 2 * self._size, self._most))
        return self._size


_SECONDS_IN_PORTION = 0.1
_SECONDS_IN_PORTION_AT_A_PACE = 2.0
_LARGEST_PORTION = 4000


@attrs.frozen(kw_only=True)
class Limits:
    """When a run stops by itself.

    Attributes:
        lost_in_a_row: Lost answers, one after the other, that are no accident any more.
        unsent_in_a_row: Payouts, one after the other, that DGS-Pay did not act on.
        refused_in_a_row: Refusals for the same reason, one after the other: more likely something
            is wrong with all rows than with each of so many.
    """

    lost_in_a_row: int = attrs.field(default=10, validator=attrs.validators.ge(1))
    unsent_in_a_row: int = attrs.field(default=10, validator=attrs.validators.ge(1))
    refused_in_a_row: int = attrs.field(default=10, validator=attrs.validators.ge(1))


class Watch:
    """Looks at how payouts end, and says when to stop."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lost = 0
        self._unsent = 0
        self._refused = 0
        self._refused_for: str | None = None

    def look(self, evidence: Evidence, error: errors.DGSPayError | None) -> str | None:
        """Take one result in; say why to pause, or None to go on."""
        finding = evidence.finding
        self._lost = self._lost + 1 if finding is Finding.LOST else 0
        self._unsent = self._unsent + 1 if finding is Finding.NOT_SENT else 0
        if finding is not Finding.REFUSED:
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

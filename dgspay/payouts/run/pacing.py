"""Pace of a run, and the rate limiter that keeps it."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import attrs


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

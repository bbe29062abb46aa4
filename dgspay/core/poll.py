"""Polling until a payment settles: look-ups with growing pauses, as a generator."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

import attrs

from dgspay.core.messages import Sleep, Steps
from dgspay.core.operation import Operation
from dgspay.errors import (
    CredentialError,
    DGSPayError,
    NotFoundError,
    Outcome,
    RateLimitError,
    ServerError,
    TransportError,
    WaitTimeoutError,
)

if TYPE_CHECKING:
    from dgspay.core.call import CallRunner

T = TypeVar("T")

_GROWTH = 1.5
_LONGEST_PAUSE = 10.0

# The look-up at the very end of the time still gets this many seconds for itself.
_SHORTEST_LOOK = 1.0

# For so many seconds a payment that was just made may not be found yet.
_NOT_YET = 10.0


@attrs.frozen(kw_only=True)
class Poll(Generic[T]):
    """Repeat a look-up until its result is settled or the time is up.

    Attributes:
        look_up: The operation to repeat.
        is_settled: Whether its result is final.
        contradiction: What in its result contradicts what else, where anything does.
        timeout: Seconds to wait in all.
        interval: Seconds of the first pause; each is half as long again, up to 10.
    """

    look_up: Operation[T]
    is_settled: Callable[[T], bool]
    contradiction: Callable[[T], str | None]
    timeout: float
    interval: float

    def steps(self, runner: CallRunner) -> Steps[T]:
        """Run the flow; see `Runnable`."""
        clock = runner.clock
        # Looking again is what this flow does anyway, and needs none of the retry budget.
        once = attrs.evolve(runner.retry, attempts=1)
        began = clock.monotonic()
        end = began + self.timeout
        pause = self.interval
        last: T | None = None
        failure: DGSPayError | None = None
        looks = 0
        while True:
            left = end - clock.monotonic()
            looks += 1
            try:
                reply = yield from runner.call(
                    self.look_up,
                    deadline=min(runner.deadline, max(left, _SHORTEST_LOOK)),
                    retry=once,
                )
            except NotFoundError as error:
                if last is not None or clock.monotonic() - began >= _NOT_YET:
                    raise
                failure = error
            except DGSPayError as error:
                if not _is_passing(error):
                    raise
                failure = error
            else:
                last, failure = reply.value, None
                if self.is_settled(last):
                    return last
            left = end - clock.monotonic()
            if left <= 0:
                break
            # The last pause is cut short, so that the time is used to its end.
            asked = getattr(failure, "retry_after", None) or 0.0
            yield Sleep(min(max(pause * (0.75 + 0.5 * runner.random()), asked), left))
            pause = min(pause * _GROWTH, _LONGEST_PAUSE)
        raise self._timed_out(last, failure, looks)

    def _timed_out(
        self, last: T | None, failure: DGSPayError | None, looks: int
    ) -> WaitTimeoutError:
        contradiction = None if last is None else self.contradiction(last)
        if failure is not None:
            seen = "the last look-up failed"
        elif contradiction is not None:
            seen = f"it was still not known how the payment stands: {contradiction}"
        else:
            seen = "it was still not settled"
        error = WaitTimeoutError(
            f"After {self.timeout:g} seconds {seen}. The payment may still succeed or fail: "
            "wait for its webhook or call wait again; do not charge again before that.",
            last=last,
            operation=self.look_up.name,
            attempts=looks,
        )
        error.__cause__ = failure
        return error


def _is_passing(error: DGSPayError) -> bool:
    """Return whether a failed look-up says nothing about the payment: the next may succeed."""
    if isinstance(error, TransportError):
        return not error.permanent
    passing = ServerError | RateLimitError | CredentialError
    return error.outcome is Outcome.UNKNOWN or isinstance(error, passing)

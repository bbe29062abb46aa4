"""The total deadlines of the calls in one event loop, on one timer for all of them.

`asyncio.timeout` sets a timer for every call and takes it back when the answer is there, a
thirtieth of all that a call costs. Calls begin with the same deadline of many seconds, so the
timer of one is nearly always early enough for those that follow.
"""

from __future__ import annotations

import asyncio
from types import TracebackType

# What a timer of the loop may be early by (uvloop counts in milliseconds).
_EARLY = 0.001


class Deadlines:
    """The calls of one event loop that must be over in time."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._watched: set[Deadline] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = float("inf")

    def within(self, seconds: float | None) -> Deadline:
        """Return a `with` that ends after so many seconds in a TimeoutError; None is no limit."""
        end = float("inf") if seconds is None else self._loop.time() + seconds
        return Deadline(self, end)

    def watch(self, deadline: Deadline) -> None:
        """End it when its time has come."""
        self._watched.add(deadline)
        if deadline.end < self._rings_at:
            self._ring_at(deadline.end)

    def forget(self, deadline: Deadline) -> None:
        """Leave it alone. The timer stays: it costs less to let it ring for nobody."""
        self._watched.discard(deadline)

    def close(self) -> None:
        """Leave no timer behind in the loop, unless there is still something to end."""
        if self._timer is not None and not self._watched:
            self._timer.cancel()
            self._timer, self._rings_at = None, float("inf")

    def _ring_at(self, moment: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings_at = moment
        self._timer = self._loop.call_at(moment, self._ring)

    def _ring(self) -> None:
        self._timer, self._rings_at = None, float("inf")
        now = self._loop.time() + _EARLY
        for deadline in [watched for watched in self._watched if watched.end <= now]:
            self._watched.discard(deadline)
            deadline.pass_by()
        next_one = min((watched.end for watched in self._watched), default=float("inf"))
        if next_one < float("inf"):
            self._ring_at(next_one)


class Deadline:
    """One call that must be over in time. It is cancelled as `asyncio.timeout` would cancel it.

    Attributes:
        end: When, by the clock of the event loop.
    """

    __slots__ = ("_cancelling", "_deadlines", "_has_passed", "_task", "end")

    def __init__(self, deadlines: Deadlines, end: float) -> None:
        self._deadlines = deadlines
        self._has_passed = False
        self.end = end

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a deadline is for a task")
        self._task, self._cancelling = task, task.cancelling()
        self._deadlines.watch(self)

    def pass_by(self) -> None:
        """Cancel what is under way."""
        self._has_passed = True
        self._task.cancel()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._deadlines.forget(self)
        if not self._has_passed:
            return
        # Somebody else may have cancelled the task as well, and then it stays cancelled.
        others = self._task.uncancel() > self._cancelling
        if kind is asyncio.CancelledError and not others:
            raise TimeoutError from error

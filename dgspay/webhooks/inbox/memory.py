"""An inbox in memory: for tests, and for a single process that may forget when it stops."""

from __future__ import annotations

import time
from collections.abc import Callable

import attrs

from dgspay.forks import new_lock
from dgspay.webhooks.inbox.keys import wider_keys
from dgspay.webhooks.inbox.protocol import Claim, Refusal, new_claim

_WEEK = 7 * 24 * 3600.0


@attrs.define
class _Entry:
    token: str
    leased_until: float


class MemoryInbox:
    """Remembers for as long as the process lives. Two processes do not see each other.

    Args:
        keep: Seconds for which a handled event is remembered, so that memory stays bounded.
        clock: Seconds on a clock that never goes back.
    """

    def __init__(self, *, keep: float = _WEEK, clock: Callable[[], float] = time.monotonic) -> None:
        self._keep = keep
        self._clock = clock
        self._lock = new_lock()
        self._claimed: dict[str, _Entry] = {}
        # In the order in which they were done, the oldest first.
        self._done: dict[str, float] = {}

    def claim(self, key: str, *, lease: float, group: str = "") -> Claim | Refusal:
        """Claim an event and its group for `lease` seconds, unless done or claimed elsewhere."""
        with self._lock:
            now = self._clock()
            self._forget_before(now - self._keep)
            keys = (key, *wider_keys(key))
            if any(each in self._done for each in keys):
                return Refusal.DONE
            held = (self._claimed.get(each) for each in (*keys, group))
            if any(each is not None and each.leased_until > now for each in held):
                return Refusal.BUSY
            claim = new_claim(key, group)
            for record in claim.records:
                self._claimed[record] = _Entry(claim.token, now + lease)
            return claim

    def done(self, claim: Claim) -> None:
        """Remember that the event was handled."""
        with self._lock:
            self._release(claim)
            self._claimed.pop(claim.key, None)
            self._done[claim.key] = self._clock()

    def release(self, claim: Claim) -> None:
        """Release the event, unless it is done or claimed elsewhere by now."""
        with self._lock:
            self._release(claim)

    def _release(self, claim: Claim) -> None:
        for record in claim.records:
            held = self._claimed.get(record)
            if held is not None and held.token == claim.token:
                del self._claimed[record]

    def _forget_before(self, moment: float) -> None:
        while self._done:
            key, done_at = next(iter(self._done.items()))
            if done_at >= moment:
                return
            del self._done[key]

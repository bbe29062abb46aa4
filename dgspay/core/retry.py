"""Retries: the decision table, the policy's numbers and the retry budget, as values.

======================  =======  ============================  ============================
what an attempt was     READ     CHARGE (ONCE: never trusted)  PAYOUT
======================  =======  ============================  ============================
not sent                again    again                         again
certificate refused     stop     stop                          stop
unknown                 again    only if idempotency trusted   only if idempotency trusted
429                     again    again                         again
99                      again    again, unless turned off      again, unless turned off
93, own key             stop     again, this request is in     again, this request is in
93, later attempt       stop     again, an earlier one is in   again, an earlier one is in
93, caller's key        stop     stop                          stop
4xx without a code      stop     only if idempotency trusted   only if idempotency trusted
`failed` and no more    stop     stop                          stop
other codes             stop     stop                          stop
======================  =======  ============================  ============================

"Again" means the same key and the same bytes: a key is never replaced. "Own key" is one that the
client has just drawn at random, so that 93 can only be about this very request, which a balancer,
say, has sent on twice; a "later attempt" is one that follows another which may have reached
DGS-Pay with this key. Attempts, the deadline and the retry budget bound all of it.
"""

from __future__ import annotations

import enum

import attrs

from dgspay.core.assessment import Verdict
from dgspay.core.operation import Repeat
from dgspay.forks import new_lock


class Step(enum.Enum):
    """The decision after an attempt."""

    STOP = "stop"
    AGAIN = "again"
    IF_TRUSTED = "if trusted"


_STOP_ALWAYS = dict.fromkeys(Repeat, Step.STOP)
_AGAIN_ALWAYS = dict.fromkeys(Repeat, Step.AGAIN)
_TRUSTED_WRITES = {
    Repeat.CHARGE: Step.IF_TRUSTED,
    Repeat.PAYOUT: Step.IF_TRUSTED,
    Repeat.NEVER_AFTER_UNKNOWN: Step.STOP,
}

_TABLE: dict[Verdict, dict[Repeat, Step]] = {
    Verdict.NOT_SENT: _AGAIN_ALWAYS,
    Verdict.NOT_SENT_FOR_GOOD: _STOP_ALWAYS,
    Verdict.UNKNOWN: {Repeat.READ: Step.AGAIN, **_TRUSTED_WRITES},
    Verdict.UNREADABLE: _STOP_ALWAYS,
    Verdict.RATE_LIMITED: _AGAIN_ALWAYS,
    Verdict.SAFE_TO_RETRY: _AGAIN_ALWAYS,
    Verdict.REJECTED: _STOP_ALWAYS,
    Verdict.REJECTED_BY_STATUS: {Repeat.READ: Step.STOP, **_TRUSTED_WRITES},
    Verdict.UNCONFIRMED: _STOP_ALWAYS,
}

# After these an attempt may have been carried out all the same.
_LEAVES_DOUBT = frozenset({Verdict.UNKNOWN, Verdict.SAFE_TO_RETRY, Verdict.REJECTED_BY_STATUS})


@attrs.define
class History:
    """Facts from earlier attempts of one call that the next decision needs.

    Attributes:
        own_key: Whether the client drew the key, so that only this call can be using it.
        reached: Whether an earlier attempt with this key may have reached DGS-Pay.
        unknown: Whether an earlier attempt may have been carried out.
        accepted: Whether DGS-Pay has said that this call already uses this key.
    """

    own_key: bool
    reached: bool = False
    unknown: bool = False
    accepted: bool = False

    def note(self, verdict: Verdict) -> None:
        """Remember an attempt that is going to be followed by another."""
        if verdict is not Verdict.NOT_SENT:
            self.reached = True
        if verdict is Verdict.KEY_CONFLICT:
            self.accepted = True
        if verdict in _LEAVES_DOUBT:
            self.unknown = True


def decide(
    verdict: Verdict,
    repeat: Repeat,
    history: History,
    *,
    trusted: bool,
    retry_99: bool = True,
) -> Step:
    """Look up the table: what to do after an attempt, were there no bounds."""
    if verdict is Verdict.KEY_CONFLICT:
        return _decide_conflict(repeat, history)
    if verdict is Verdict.SAFE_TO_RETRY and not retry_99 and repeat is not Repeat.READ:
        return Step.STOP
    step = _TABLE[verdict][repeat]
    if step is Step.IF_TRUSTED:
        return Step.AGAIN if trusted else Step.STOP
    return step


def _decide_conflict(repeat: Repeat, history: History) -> Step:
    # A read has no key that could be in conflict.
    if repeat is not Repeat.READ and (history.own_key or history.reached):
        return Step.AGAIN
    return Step.STOP


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """Number and timing of retries, where a retry is safe.

    Attributes:
        attempts: Attempts in all, the first included.
        initial_delay: Upper bound of the first pause, in seconds; it doubles each time.
        max_delay: Upper bound of any pause, in seconds. A pause is drawn evenly between 0 and
            its bound (full jitter), so that clients do not come back in step.
        trust_idempotency: Repeat charges and payouts after an unknown outcome, with the same
            key and the same bytes. Only where DGS-Pay has confirmed to you that it honours
            idempotency keys: if it does not, this can pay twice.
        retry_99: Repeat a call that moves money after code 99, with its key and bytes. The guide
            calls that "safe to retry after a short delay", and this is the one thing that is
            done on its word alone. With False, a 99 is an unknown outcome at once. Reads are
            repeated either way.
        budget: Retries the client may spend before it must earn new ones; an outage is then
            not multiplied by every client's retries.
        budget_refill: Amount that each success adds to the budget.
    """

    attempts: int = attrs.field(default=3, validator=attrs.validators.ge(1))
    initial_delay: float = attrs.field(default=0.5, validator=attrs.validators.ge(0))
    max_delay: float = attrs.field(default=8.0, validator=attrs.validators.ge(0))
    trust_idempotency: bool = attrs.field(
        default=False, validator=attrs.validators.instance_of(bool)
    )
    retry_99: bool = attrs.field(default=True, validator=attrs.validators.instance_of(bool))
    budget: float = attrs.field(default=50.0, validator=attrs.validators.ge(0))
    budget_refill: float = attrs.field(default=0.2, validator=attrs.validators.ge(0))

    def has_same_budget(self, other: RetryPolicy) -> bool:
        """Whether both allow as many retries in an outage."""
        return (self.budget, self.budget_refill) == (other.budget, other.budget_refill)

    def delay_bound(self, attempt: int) -> float:
        """Return the upper bound of the pause after the given attempt (1 is the first)."""
        # The exponent is bounded, for a policy of thousands of attempts must not overflow.
        return min(self.max_delay, self.initial_delay * 2.0 ** min(attempt - 1, 64))


class RetryBudget:
    """A client's store of retries: each retry takes one, each success gives a part back."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._full = policy.budget
        self._refill = policy.budget_refill
        self._left = policy.budget
        self._lock = new_lock()

    def spend(self) -> bool:
        """Spend one retry; return False when there is none left."""
        with self._lock:
            if self._left < 1.0:
                return False
            self._left -= 1.0
            return True

    def refill(self) -> None:
        """Earn part of a retry with a success."""
        with self._lock:
            self._left = min(self._full, self._left + self._refill)

"""Limits of a run, and the rule by which it stops by itself."""

from __future__ import annotations

import attrs

from dgspay import errors
from dgspay.payouts.model.transitions import Evidence, Learned


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

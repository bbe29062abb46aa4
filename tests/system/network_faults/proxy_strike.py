"""What breaks the line of a run at its time, and notes what the client says of the call."""

from __future__ import annotations

from typing import Any

from dgspay import Outcome, errors
from dgspay.core.events import AttemptEvent, CallEvent, TelemetryEvent
from tests.system.network_faults.proxy import FaultProxy
from tests.system.network_faults.proxy_cases import Case, Claim
from tests.system.network_faults.proxy_faults import NOTHING, Down
from tests.system.network_faults.proxy_messages import SecondAnswer


class Strike:
    """A hook that breaks the line when the call begins, and mends it after some attempts."""

    def __init__(self, case: Case, proxy: FaultProxy) -> None:
        self._case = case
        self._proxy = proxy
        self._events: list[TelemetryEvent] = []
        self._has_begun = False

    def prepare(self) -> None:
        """Put another answer behind that to the call before, where that is the fault."""
        if isinstance(self._case.fault, SecondAnswer):
            self._proxy.fault = self._case.fault

    def rest(self) -> None:
        """Note events and do nothing more, as in a forked child, where no proxy runs."""
        self._has_begun = False

    def begin(self) -> None:
        """Break the line; what came before does not count."""
        self._events.clear()
        self._has_begun = True
        if self._case.start == "stale":
            self._proxy.drop("close" if self._case.seed % 2 else "reset")
        if isinstance(self._case.fault, Down):
            self._proxy.go_down()
        self._proxy.fault = self._case.fault

    def __call__(self, event: TelemetryEvent) -> None:
        self._events.append(event)
        attempts = sum(isinstance(each, AttemptEvent) for each in self._events)
        if self._has_begun and attempts >= self._case.lasts:
            self._proxy.fault = NOTHING
            self._proxy.come_up()

    def completed(self, result: Any) -> Claim:
        """The call returned."""
        names = ("dgs_reference", "dgs_conversion_ref", "id")
        reference = next((getattr(result, name) for name in names if hasattr(result, name)), None)
        return Claim(Outcome.COMPLETED, reference, self._disagreement(Outcome.COMPLETED))

    def failed(self, error: Exception) -> Claim:
        """The call raised."""
        if not isinstance(error, errors.DGSPayError):
            return Claim(Outcome.UNKNOWN, None, f"{type(error).__name__} came out: {error}")
        return Claim(error.outcome, None, self._disagreement(error.outcome))

    def cancelled(self) -> Claim:
        """The caller gave up; only the hook received the result."""
        told = [event for event in self._events if isinstance(event, CallEvent)]
        return Claim(told[-1].outcome) if told else Claim(Outcome.NOT_SENT)

    def interrupted(self) -> Claim:
        """Something of the program's own ended the call; it may have struck in the hook itself."""
        told = [event for event in self._events if isinstance(event, CallEvent)]
        return Claim(told[-1].outcome if told else Outcome.UNKNOWN)

    def _disagreement(self, outcome: Outcome) -> str | None:
        told = self._events[-1]
        if isinstance(told, CallEvent) and told.outcome is outcome:
            return None
        return f"the hook was told {told}, the caller {outcome}"

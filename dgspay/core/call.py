"""One call, from its first attempt to its result or its error, as a generator of effects."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from dgspay.core.assessment import Finding, Verdict, assess, assess_failure
from dgspay.core.errors_from import CallContext, Stopped, error_for, outcome_of
from dgspay.core.events import AttemptEvent, CallEvent, Event
from dgspay.core.messages import Answer, Request, Response, Send, Sleep, Steps, Timeout
from dgspay.core.operation import Operation, Reply, ServerHeaders
from dgspay.core.request_builder import Wire, check_idempotency_key
from dgspay.core.retry import History, RetryBudget, RetryPolicy, Step, decide
from dgspay.errors import IdempotencyError, Outcome
from dgspay.forks import renew_in_child
from dgspay.interruption import interruption_in
from dgspay.models.times import in_zone

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_call_ids = itertools.count(1)

# What most calls come to; see `dgspay.core.operation` for why they stand here.
_OK = Verdict.OK
_COMPLETED = Outcome.COMPLETED

_NO_ANSWER = Response(0, {}, b"")

# A pause may overshoot the deadline by a little; the attempt after it then fails at once.
_SHORTEST_ATTEMPT = 0.001


class Clock(Protocol):
    """The two readings of time a call needs; the `time` module has both."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        ...

    def time(self) -> float:
        """Unix time."""
        ...


class Runnable(Protocol[T_co]):
    """A flow of several calls, which a client can carry out like an Operation."""

    def steps(self, caller: Caller) -> Steps[T_co]:
        """Yield the effects, receive what they led to, return the result or raise."""
        ...


class Caller:
    """What all calls of one client share, and how each of them is made.

    Everything that is not the same at every run comes in from outside: the clock, the random
    numbers (evenly between 0 and 1) and the generated keys.
    """

    def __init__(
        self,
        *,
        wire: Wire,
        retry: RetryPolicy,
        timeout: Timeout,
        deadline: float,
        clock: Clock,
        random: Callable[[], float],
        new_key: Callable[[], str],
        emit: Callable[[Event], None],
        hears: Callable[[Outcome], bool] = lambda _: True,
    ) -> None:
        self.wire = wire
        self.retry = retry
        self.timeout = timeout
        self.deadline = deadline
        self.clock = clock
        self.random = random
        self.budget = RetryBudget(retry)
        self.hears = hears
        self._whole_timeout = timeout.within(deadline)
        self._new_key = new_key
        self._emit = emit
        self._keys = _KeysInFlight()

    def run(self, flow: Operation[T] | Runnable[T]) -> Steps[T]:
        """Make one call, or the calls of a flow, and return the result alone."""
        if isinstance(flow, Operation):
            return (yield from self.call(flow)).value
        return (yield from flow.steps(self))

    def call(
        self,
        operation: Operation[T],
        *,
        deadline: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> Steps[Reply[T]]:
        """Make one call.

        Args:
            operation: The call.
            deadline: Seconds it may take in all; the client's own deadline when None.
            retry: Another policy than the client's own.

        Raises:
            DGSPayError: see `dgspay.errors`.
            ValueError: for an argument that must not be sent.
        """
        request, key = self.prepare(operation)
        run = _Run(
            self,
            operation,
            request,
            key,
            deadline=self.deadline if deadline is None else deadline,
            policy=self.retry if retry is None else retry,
        )
        if operation.idempotency_key is None:
            return (yield from run.steps())
        try:
            self._keys.take(operation.idempotency_key, run)
            return (yield from run.steps())
        finally:
            try:
                self._keys.give_back(operation.idempotency_key, run)
            except BaseException:  # a handler of a signal has interrupted it
                self._keys.give_back(operation.idempotency_key, run)
                raise

    def prepare(self, operation: Operation[Any]) -> tuple[Request, str | None]:
        """Build the first attempt's request and the key that goes with it."""
        key = operation.idempotency_key
        if key is not None:  # an operation may have been made by hand
            key = check_idempotency_key(key)
        if operation.is_read:
            key = None
        elif key is None:
            key = self._new_key()
        return self.wire.request(operation, key), key

    def timeout_within(self, seconds: float) -> Timeout:
        """Return the timeout of an attempt that must be over in so many seconds."""
        # A first attempt has all of the time, and every first attempt the same.
        return self._whole_timeout if seconds == self.deadline else self.timeout.within(seconds)

    def emit(self, event: Event) -> None:
        """Tell the hooks."""
        self._emit(event)


class _Run:
    """The course of one call: its attempts, its clock and what earlier attempts left behind."""

    def __init__(
        self,
        caller: Caller,
        operation: Operation[Any],
        request: Request,
        key: str | None,
        *,
        deadline: float,
        policy: RetryPolicy,
    ) -> None:
        self.caller = caller
        self.operation = operation
        self.request = request
        self.key = key
        self.deadline = deadline
        self.policy = policy
        self.history = History(own_key=operation.idempotency_key is None)
        self.attempt = 0
        self.call_id = next(_call_ids)
        self.began = self.attempt_began = caller.clock.monotonic()
        self.began_at = self.attempt_began_at = caller.clock.time()
        self.answer = _NO_ANSWER
        self.last: Finding | None = None
        self.earlier_answer: Finding | None = None
        self._secrets = (caller.wire.api_key, *operation.secrets)

    def steps(self) -> Steps[Reply[Any]]:
        """Attempt until there is a result, or a reason to stop."""
        finished = False
        sending = False
        try:
            while True:
                self.attempt += 1
                sending = True
                finding = self._assessed((yield self._send()))
                sending = False
                stopped, delay = self._next(finding)
                if stopped is not None:
                    break
                yield Sleep(delay)
            finished = True
        finally:
            if not finished:
                self._tell_cancelled(sending=sending)
        return self._conclude(finding, stopped)

    def _send(self) -> Send:
        """Begin an attempt. The first one begins with the call, and has all of its time."""
        left = self.deadline
        if self.attempt > 1:
            clock = self.caller.clock
            self.attempt_began, self.attempt_began_at = clock.monotonic(), clock.time()
            left = max(self._remaining(), _SHORTEST_ATTEMPT)
        return Send(self.request, self.caller.timeout_within(left))

    def _assessed(self, answer: Answer) -> Finding:
        """Say what the attempt came to."""
        if isinstance(answer, Response):
            self.answer = answer
            self.last = self._read(answer)
        elif answer is None:
            raise TypeError("a driver must answer Send with a Response or a TransportFailure")
        else:
            self.last = assess_failure(answer)
        return self.last

    def _read(self, answer: Response) -> Finding:
        now = self.caller.clock.time()
        try:
            finding = assess(answer, self.operation, now=now, secrets=self._secrets)
            if (zone := self.caller.wire.api_timezone) is not None:
                finding.value = in_zone(finding.value, zone)
        except Exception as error:
            if interruption_in(error) is not None:
                raise
            # The request is out. Whatever keeps its answer from being read, too little memory
            # or stack, say, the user must be told what that means for the money.
            reason = f"the answer could not be read ({type(error).__name__})"
        else:
            return finding
        return Finding(verdict=Verdict.UNREADABLE, reason=reason, status=answer.status)

    def _next(self, finding: Finding) -> tuple[Stopped | None, float]:
        """Decide on a further attempt, prepare it, and tell the hooks about this one."""
        if finding.verdict is _OK:
            self._tell_attempt(finding, _COMPLETED, None)
            return Stopped.NO, 0.0
        step = decide(
            finding.verdict,
            self.operation.repeat,
            self.history,
            trusted=self.policy.trust_idempotency,
            retry_99=self.policy.retry_99,
        )
        delay = self._delay(finding)
        stopped = self._bound(step, delay)
        outcome = outcome_of(finding, self._context(stopped or Stopped.NO))
        self._tell_attempt(finding, outcome, None if stopped is not None else delay)
        if stopped is None:
            self.history.note(finding.verdict)
            if finding.status is not None:
                self.earlier_answer = finding
        return stopped, delay

    def _delay(self, finding: Finding) -> float:
        pause = self.policy.delay_bound(self.attempt) * self.caller.random()
        return max(pause, finding.retry_after or 0.0)

    def _bound(self, step: Step, delay: float) -> Stopped | None:
        """Say why there is no further attempt, or None when there is one."""
        if step is Step.STOP:
            return Stopped.NO
        if self.attempt >= self.policy.attempts:
            return Stopped.ATTEMPTS if self.attempt > 1 else Stopped.NO
        if delay >= self._remaining():
            return Stopped.DEADLINE
        if not self.caller.budget.take():
            return Stopped.BUDGET
        return None

    def _remaining(self) -> float:
        return self.deadline - (self.caller.clock.monotonic() - self.began)

    def _conclude(self, finding: Finding, stopped: Stopped | None) -> Reply[Any]:
        elapsed = self.caller.clock.monotonic() - self.began
        if finding.verdict is _OK:
            self.caller.budget.give_back()
            self._tell_call(finding, _COMPLETED, None, elapsed)
            return Reply(
                value=finding.value,
                status=finding.status or 0,
                headers=ServerHeaders(self.answer, self._secrets),
                attempts=self.attempt,
                elapsed=elapsed,
                idempotency_key=self.key,
            )
        error = error_for(finding, self._context(stopped or Stopped.NO))
        self._tell_call(finding, error.outcome, type(error).__name__, elapsed)
        raise error

    def _context(self, stopped: Stopped) -> CallContext:
        return CallContext(
            operation=self.operation,
            attempts=self.attempt,
            key=self.key,
            earlier_unknown=self.history.unknown,
            earlier_reached=self.history.reached,
            earlier_accepted=self.history.accepted,
            earlier_answer=self.earlier_answer,
            stopped=stopped,
            secrets=self._secrets,
        )

    # --- telling the hooks ---

    def _tell_attempt(self, finding: Finding | None, outcome: Outcome, delay: float | None) -> None:
        if not self.caller.hears(outcome):
            return
        self.caller.emit(
            AttemptEvent(
                call_id=self.call_id,
                operation=self.operation.name,
                attempt=self.attempt,
                started=self.attempt_began_at,
                duration=self.caller.clock.monotonic() - self.attempt_began,
                status=None if finding is None else finding.status,
                error_code=None if finding is None else finding.error_code,
                outcome=outcome,
                retry_delay=delay,
            )
        )

    def _tell_call(
        self, finding: Finding | None, outcome: Outcome, error: str | None, elapsed: float
    ) -> None:
        if not self.caller.hears(outcome):
            return
        self.caller.emit(
            CallEvent(
                call_id=self.call_id,
                operation=self.operation.name,
                attempts=self.attempt,
                started=self.began_at,
                duration=elapsed,
                status=None if finding is None else finding.status,
                error_code=None if finding is None else finding.error_code,
                outcome=outcome,
                error=error,
            )
        )

    def _tell_cancelled(self, *, sending: bool) -> None:
        """A cancelled request may have arrived; the caller's own exception goes on its way."""
        now = self.caller.clock.monotonic()
        if sending or self.last is None:
            outcome = Outcome.UNKNOWN
        else:
            outcome = outcome_of(self.last, self._context(Stopped.NO))
        if sending:
            self._tell_attempt(None, outcome, None)
        self._tell_call(None, outcome, "cancelled", now - self.began)


class _KeysInFlight:
    """The callers' own keys in use at this moment.

    Two calls at once under one key are one payment made twice, or two payments under one key,
    and whether DGS-Pay would notice is not documented. So only one of them leaves.
    """

    def __init__(self) -> None:
        # Each change is one step of the interpreter's, which needs no lock and cannot be cut.
        self._runs: dict[str, _Run] = {}
        renew_in_child(self)

    def take(self, key: str, run: _Run) -> None:
        """Hold the caller's key until it is given back, which must follow in any case.

        Raises:
            IdempotencyError: (NOT_SENT) when the key is in flight already.
        """
        if self._runs.setdefault(key, run) is not run:
            raise IdempotencyError(
                "This idempotency key is in flight with another call of this client. This one "
                "was not sent; how the other one ends decides. Use one key per payment.",
                outcome=Outcome.NOT_SENT,
                operation=run.operation.name,
                idempotency_key=key,
            )

    def give_back(self, key: str, run: _Run) -> None:
        """Let the key be used again, if it was this run that held it."""
        if self._runs.get(key) is run:
            self._runs.pop(key, None)

    def renew_in_child(self) -> None:
        """Forget what the other threads of the parent have in flight: nothing ends it here."""
        self._runs.clear()

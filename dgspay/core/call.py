"""One call, from its first attempt to its result or its error, as a generator of effects."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator
from typing import Generic, Protocol, TypeVar

import attrs

from dgspay.clock import Clock
from dgspay.core.assessment import Assessment, Verdict, assess, assess_failure
from dgspay.core.errors_from import CallContext, Stopped, error_for, outcome_of
from dgspay.core.events import AttemptEvent, CallEvent, TelemetryEvent
from dgspay.core.messages import (
    AskForKey,
    Effect,
    EffectResult,
    KeyAnswer,
    KeySource,
    Request,
    Response,
    Send,
    Sleep,
    Steps,
    Timeout,
)
from dgspay.core.operation import Operation, Reply, ServerHeaders
from dgspay.core.request_builder import RequestBuilder, check_idempotency_key
from dgspay.core.retry import History, RetryBudget, RetryPolicy, Step, decide
from dgspay.errors import (
    AuthenticationError,
    CredentialError,
    DGSPayError,
    IdempotencyError,
    Outcome,
)
from dgspay.forks import renew_in_child
from dgspay.interruption import interruption_in
from dgspay.models.times import in_zone
from dgspay.secret import Secret

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_call_ids = itertools.count(1)

_NO_ANSWER = Response(0, {}, b"")

# A pause may overshoot the deadline by a little; the attempt after it then fails at once.
_SHORTEST_ATTEMPT = 0.001


class Runnable(Protocol[T_co]):
    """A flow of several calls, which a client can carry out like an Operation."""

    def steps(self, runner: CallRunner) -> Steps[T_co]:
        """Yield the effects, receive what they led to, return the result or raise."""
        ...


class CallRunner:
    """Run the calls of one client, with the settings and the state that they share.

    Everything that is not the same at every run comes in from outside: the clock, the random
    numbers (evenly between 0 and 1) and the generated keys.

    Args:
        key_source: Where the API key comes from; that of `request_builder` is empty then.
        merchant: The label that events carry.
        sharing: A runner to share with what must hold for all calls by one transport: the
            idempotency keys in flight, and the retry budget where both policies have the same.
    """

    def __init__(
        self,
        *,
        request_builder: RequestBuilder,
        retry: RetryPolicy,
        timeout: Timeout,
        deadline: float,
        clock: Clock,
        random: Callable[[], float],
        new_key: Callable[[], str],
        emit: Callable[[TelemetryEvent], None],
        wants: Callable[[Outcome], bool] = lambda _: True,
        key_source: KeySource | None = None,
        merchant: str | None = None,
        sharing: CallRunner | None = None,
    ) -> None:
        self.request_builder = request_builder
        self.retry = retry
        self.timeout = timeout
        self.deadline = deadline
        self.clock = clock
        self.random = random
        self.wants = wants
        self.merchant = merchant
        self._whole_timeout = timeout.within(deadline)
        self._new_key = new_key
        self._emit = emit
        self._key_source = key_source
        self._keyed_builder = request_builder
        if sharing is None:
            self.budget, self._keys = RetryBudget(retry), _KeysInFlight()
        else:
            is_same = retry.has_same_budget(sharing.retry)
            self.budget = sharing.budget if is_same else RetryBudget(retry)
            self._keys = sharing._keys  # noqa: SLF001 - of the same class

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
        if deadline is None:
            deadline = self.deadline
        builder = self.request_builder
        if self._key_source is not None:
            builder, deadline = yield from self._with_asked_key(
                self._key_source, operation, deadline
            )
        request, key = self.prepare(operation, builder)
        run = _Run(
            self,
            operation,
            request,
            key,
            api_key=builder.api_key,
            deadline=deadline,
            policy=self.retry if retry is None else retry,
        )
        if operation.idempotency_key is None:
            return (yield from run.steps())
        # Two merchants may have an order of the same number.
        name = (builder.account_number, operation.idempotency_key)
        try:
            self._keys.acquire(name, run)
            return (yield from run.steps())
        finally:
            try:
                self._keys.release(name, run)
            except BaseException:  # a handler of a signal has interrupted it
                self._keys.release(name, run)
                raise

    def _with_asked_key(
        self, source: KeySource, operation: Operation[object], seconds: float
    ) -> Generator[Effect, EffectResult, tuple[RequestBuilder, float]]:
        """Return a builder with the key that the source gives, and the seconds that are left."""
        began, began_at = self.clock.monotonic(), self.clock.time()
        answer: KeyAnswer | None = source.fresh()
        if answer is None:
            effect = AskForKey(source, seconds)
            yield effect
            answer = effect.answer
        spent = self.clock.monotonic() - began
        if isinstance(answer, Secret) and spent < seconds:
            return self.builder_for(answer), seconds - spent
        if not isinstance(answer, DGSPayError):
            answer = CredentialError(
                "The callable given as api_key took all of the call's time. Nothing was sent; call "
                "again when it answers in time, or with a longer deadline."
            )
        answer.operation, answer.idempotency_key = operation.name, operation.idempotency_key
        if self.wants(answer.outcome):
            self.emit(
                CallEvent(
                    call_id=next(_call_ids),
                    operation=operation.name,
                    merchant=self.merchant,
                    attempts=0,
                    started=began_at,
                    duration=spent,
                    status=None,
                    error_code=None,
                    outcome=answer.outcome,
                    error=type(answer).__name__,
                )
            )
        raise answer

    def builder_for(self, api_key: Secret) -> RequestBuilder:
        """Return the builder of requests with this key: the last one, as long as it is the same."""
        builder = self._keyed_builder
        if builder.api_key != api_key:
            builder = self._keyed_builder = attrs.evolve(builder, api_key=api_key)
        return builder

    def note_refused(self, api_key: Secret) -> None:
        """Have the source asked again: DGS-Pay has not accepted this key."""
        if self._key_source is not None:
            self._key_source.forget(api_key)

    def prepare(
        self, operation: Operation[object], builder: RequestBuilder | None = None
    ) -> tuple[Request, str | None]:
        """Build the first attempt's request and the idempotency key that goes with it.

        Args:
            operation: The call.
            builder: Another builder than the runner's own.
        """
        key = operation.idempotency_key
        if key is not None:  # an operation may have been made by hand
            key = check_idempotency_key(key)
        if operation.is_read:
            key = None
        elif key is None:
            key = self._new_key()
        return (builder or self.request_builder).request(operation, key), key

    def timeout_within(self, seconds: float) -> Timeout:
        """Return the timeout of an attempt that must be over in so many seconds."""
        # A first attempt has all of the time, and every first attempt the same.
        return self._whole_timeout if seconds == self.deadline else self.timeout.within(seconds)

    def emit(self, event: TelemetryEvent) -> None:
        """Emit an event to the log and the hooks."""
        self._emit(event)


class _Run(Generic[T_co]):
    """The course of one call: its attempts, its clock and what earlier attempts left behind."""

    def __init__(
        self,
        runner: CallRunner,
        operation: Operation[T_co],
        request: Request,
        key: str | None,
        *,
        api_key: Secret,
        deadline: float,
        policy: RetryPolicy,
    ) -> None:
        self.runner = runner
        self.operation = operation
        self.request = request
        self.key = key
        self.deadline = deadline
        self.policy = policy
        self.history = History(own_key=operation.idempotency_key is None)
        self.attempt = 0
        self.call_id = next(_call_ids)
        self.began = self.attempt_began = runner.clock.monotonic()
        self.began_at = self.attempt_began_at = runner.clock.time()
        self.answer = _NO_ANSWER
        self.pool_wait: float | None = None
        self.last: Assessment | None = None
        self.earlier_answer: Assessment | None = None
        self._secrets = (api_key, *operation.secrets)

    def steps(self) -> Steps[Reply[T_co]]:
        """Attempt until there is a result, or a reason to stop."""
        finished = False
        sending = False
        try:
            while True:
                self.attempt += 1
                sending = True
                assessment = self._assessed((yield self._send()))
                sending = False
                stopped, delay = self._next(assessment)
                if stopped is not None:
                    break
                yield Sleep(delay)
            finished = True
        finally:
            if not finished:
                self._emit_cancelled(sending=sending)
        return self._conclude(assessment, stopped)

    def _send(self) -> Send:
        """Begin an attempt. The first one begins with the call, and has all of its time."""
        left = self.deadline
        self.pool_wait = None
        if self.attempt > 1:
            clock = self.runner.clock
            self.attempt_began, self.attempt_began_at = clock.monotonic(), clock.time()
            left = max(self._remaining(), _SHORTEST_ATTEMPT)
        return Send(self.request, self.runner.timeout_within(left))

    def _assessed(self, answer: EffectResult) -> Assessment:
        """Assess the attempt."""
        if answer is None:
            raise TypeError("a driver must answer Send with a Response or a TransportFailure")
        self.pool_wait = answer.pool_wait
        if isinstance(answer, Response):
            self.answer = answer
            self.last = self._read(answer)
        else:
            self.last = assess_failure(answer)
        return self.last

    def _read(self, answer: Response) -> Assessment:
        now = self.runner.clock.time()
        try:
            assessment = assess(answer, self.operation, now=now, secrets=self._secrets)
            if (zone := self.runner.request_builder.api_timezone) is not None:
                assessment.value = in_zone(assessment.value, zone)
        except Exception as error:
            if interruption_in(error) is not None:
                raise
            # The request has left. If its response cannot be read, for lack of memory or stack
            # for example, the error must still say what that means for the money.
            reason = f"the answer could not be read ({type(error).__name__})"
        else:
            return assessment
        return Assessment(verdict=Verdict.UNREADABLE, reason=reason, status=answer.status)

    def _next(self, assessment: Assessment) -> tuple[Stopped | None, float]:
        """Decide on a further attempt, prepare it, and emit the event of this one."""
        if assessment.verdict is Verdict.OK:
            self._emit_attempt(assessment, Outcome.COMPLETED, None)
            return Stopped.NO, 0.0
        step = decide(
            assessment.verdict,
            self.operation.repeat,
            self.history,
            trusted=self.policy.trust_idempotency,
            retry_99=self.policy.retry_99,
        )
        delay = self._delay(assessment)
        stopped = self._bound(step, delay)
        outcome = outcome_of(assessment, self._context(stopped or Stopped.NO))
        self._emit_attempt(assessment, outcome, None if stopped is not None else delay)
        if stopped is None:
            self.history.note(assessment.verdict)
            if assessment.status is not None:
                self.earlier_answer = assessment
        return stopped, delay

    def _delay(self, assessment: Assessment) -> float:
        pause = self.policy.delay_bound(self.attempt) * self.runner.random()
        return max(pause, assessment.retry_after or 0.0)

    def _bound(self, step: Step, delay: float) -> Stopped | None:
        """Return why there is no further attempt, or None when there is one."""
        if step is Step.STOP:
            return Stopped.NO
        if self.attempt >= self.policy.attempts:
            return Stopped.ATTEMPTS if self.attempt > 1 else Stopped.NO
        if delay >= self._remaining():
            return Stopped.DEADLINE
        if not self.runner.budget.spend():
            return Stopped.BUDGET
        return None

    def _remaining(self) -> float:
        return self.deadline - (self.runner.clock.monotonic() - self.began)

    def _conclude(self, assessment: Assessment, stopped: Stopped | None) -> Reply[T_co]:
        elapsed = self.runner.clock.monotonic() - self.began
        if assessment.verdict is Verdict.OK:
            self.runner.budget.refill()
            self._emit_call(assessment, Outcome.COMPLETED, None, elapsed)
            return Reply(
                value=assessment.value,
                status=assessment.status or 0,
                headers=ServerHeaders(self.answer, self._secrets),
                attempts=self.attempt,
                elapsed=elapsed,
                idempotency_key=self.key,
            )
        error = error_for(assessment, self._context(stopped or Stopped.NO))
        if isinstance(error, AuthenticationError):
            self.runner.note_refused(self._secrets[0])
        self._emit_call(assessment, error.outcome, type(error).__name__, elapsed)
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

    # --- events ---

    def _emit_attempt(
        self, assessment: Assessment | None, outcome: Outcome, delay: float | None
    ) -> None:
        if not self.runner.wants(outcome):
            return
        self.runner.emit(
            AttemptEvent(
                call_id=self.call_id,
                operation=self.operation.name,
                merchant=self.runner.merchant,
                attempt=self.attempt,
                started=self.attempt_began_at,
                duration=self.runner.clock.monotonic() - self.attempt_began,
                status=None if assessment is None else assessment.status,
                error_code=None if assessment is None else assessment.error_code,
                outcome=outcome,
                retry_delay=delay,
                pool_wait=self.pool_wait,
            )
        )

    def _emit_call(
        self, assessment: Assessment | None, outcome: Outcome, error: str | None, elapsed: float
    ) -> None:
        if not self.runner.wants(outcome):
            return
        self.runner.emit(
            CallEvent(
                call_id=self.call_id,
                operation=self.operation.name,
                merchant=self.runner.merchant,
                attempts=self.attempt,
                started=self.began_at,
                duration=elapsed,
                status=None if assessment is None else assessment.status,
                error_code=None if assessment is None else assessment.error_code,
                outcome=outcome,
                error=error,
            )
        )

    def _emit_cancelled(self, *, sending: bool) -> None:
        """Emit the events of a cancelled call; the cancellation itself propagates."""
        now = self.runner.clock.monotonic()
        if sending or self.last is None:
            outcome = Outcome.UNKNOWN
        else:
            outcome = outcome_of(self.last, self._context(Stopped.NO))
        if sending:
            self._emit_attempt(None, outcome, None)
        self._emit_call(None, outcome, "cancelled", now - self.began)


class _KeysInFlight:
    """The callers' own keys in use at this moment, each with its account.

    Two calls at once under one key are one payment made twice, or two payments under one key,
    and whether DGS-Pay would notice is not documented. So only one of them leaves.
    """

    def __init__(self) -> None:
        # Each change is one step of the interpreter's, which needs no lock and cannot be cut.
        self._runs: dict[tuple[str, str], _Run[object]] = {}
        renew_in_child(self)

    def acquire(self, name: tuple[str, str], run: _Run[object]) -> None:
        """Acquire the caller's key, of an account; it must be released however the call ends.

        Raises:
            IdempotencyError: (NOT_SENT) when the key is in flight already.
        """
        if self._runs.setdefault(name, run) is not run:
            raise IdempotencyError(
                "This idempotency key is in flight with another call of this client. This one "
                "was not sent; wait for the result of the other one. Use one key per payment.",
                outcome=Outcome.NOT_SENT,
                operation=run.operation.name,
                idempotency_key=run.key,
            )

    def release(self, name: tuple[str, str], run: _Run[object]) -> None:
        """Release the key if this run holds it."""
        if self._runs.get(name) is run:
            self._runs.pop(name, None)

    def renew_in_child(self) -> None:
        """Forget the calls of the parent's other threads: they never end in this process."""
        self._runs.clear()

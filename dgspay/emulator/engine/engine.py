"""Engine of the emulator, without I/O: a request in, its effects out one by one."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

from dgspay.emulator.api.call import Call, Route
from dgspay.emulator.clock import EmulatorClock
from dgspay.emulator.domain.account import Account, Options
from dgspay.emulator.domain.accounts import Accounts
from dgspay.emulator.domain.idempotency import Memory
from dgspay.emulator.domain.identifiers import Identifiers
from dgspay.emulator.domain.recorder import Recorder
from dgspay.emulator.domain.records import Event
from dgspay.emulator.domain.settlement import settle_due
from dgspay.emulator.engine.authentication import Incoming, admit, read
from dgspay.emulator.engine.request_log import LoggedRequest, RequestLog
from dgspay.emulator.faults.kinds import Fault, HungUp
from dgspay.emulator.faults.plan import Faults
from dgspay.emulator.http import Effect, Exchange, RefusedError, Request, Response, Wait
from dgspay.emulator.routes import API_OPERATIONS, find_route

_BALANCE: Final = "GET /balance"
"""Route that shows the end of a conversion, which has no look-up by reference."""

_LOOK_UPS: Final = frozenset({"GET /transactions", "GET /transactions/{id}"})


class Engine:
    """Engine that answers the requests of the merchants.

    Args:
        options: How the emulator behaves.
        clock: Where the time comes from.
        seed: The same seed makes the same ids.
        merchants: The merchants' names, of which the first is the one meant by default.
        deliver: Is given the webhooks that may leave; never before the answer of the call
            that caused them.
        recorder: Records what changes, before the answer that reports it leaves.
        scheduled: Called when something was put down to settle later.
        changed: Called when something has happened that a watcher may want to see.
    """

    def __init__(
        self,
        options: Options,
        clock: EmulatorClock,
        *,
        seed: int | str | None,
        merchants: Sequence[str],
        recorder: Recorder,
        deliver: Callable[[Iterable[Event]], None],
        scheduled: Callable[[], object],
        changed: Callable[[], object],
    ) -> None:
        self.clock = clock
        self.faults = Faults(API_OPERATIONS, seed=seed)
        self.request_log = RequestLog()
        self.accounts = Accounts(
            merchants,
            options,
            clock,
            Identifiers(seed),
            recorder=recorder,
            scheduled=scheduled,
        )
        self._seed = seed
        self._recorder = recorder
        self._deliver = deliver
        self._changed = changed

    def reset(self) -> None:
        """Forget everything that happened."""
        self.begin(Identifiers(self._seed))

    def begin(self, identifiers: Identifiers) -> None:
        """Replace the accounts by new ones, whose ids come from here."""
        with self.lock:
            self.faults.begin_again()
            self.request_log = RequestLog()
            self.accounts.begin(identifiers)
        self._changed()

    @property
    def lock(self) -> threading.RLock:
        """Held while anything of any account changes."""
        return self.accounts.lock

    @property
    def account(self) -> Account:
        """The first merchant's account."""
        return self.accounts.first

    @property
    def options(self) -> Options:
        """Options of the emulator."""
        return self.accounts.options

    @property
    def trouble(self) -> str | None:
        """Reason why a change could not be recorded; None when all were."""
        return self._recorder.trouble

    def behave(self, options: Options) -> None:
        """Change the options from now on."""
        with self.lock:
            self.accounts.behave(options)
            self._recorder.commit()
        self._changed()

    def move(self, origin: str, *, public: bool = False) -> None:
        """Change the origin of the URLs in answers."""
        with self.lock:
            self.accounts.move(origin, public=public)

    @contextmanager
    def steering(self, account_number: str | None = None) -> Generator[Account]:
        """Act on an account from outside a request; then send its webhooks.

        What was last seen pending can be decided until the next request or tick settles it,
        so that a test may decline a payment that would settle at once.
        """
        account = (
            self.account if account_number is None else self.accounts.account_of(account_number)
        )
        with self.lock:
            try:
                yield account
            finally:
                events = account.take_outbox()
                self._recorder.commit()
        self._deliver(events)
        self._changed()

    def tick(self) -> None:
        """Settle what is due, at this moment included, and send its webhooks."""
        self._settle(before=_just_after(self.clock.time()))

    def tick_past(self) -> None:
        """Settle what was due before this moment.

        Where the clock stands still and the delay is 0, nothing is: a test can still decide.
        """
        self._settle(before=self.clock.time())

    def _settle(self, before: float, *, conversions_only: bool = False) -> None:
        events: list[Event] = []
        with self.lock:
            for account in self.accounts:
                due = account.next_due()
                if due is not None and due < before:
                    settle_due(account, before, conversions_only=conversions_only)
                    events += account.take_outbox()
                    self._recorder.commit()
        if events:
            self._deliver(events)
            self._changed()

    def next_due(self) -> float | None:
        """Return when the next thing settles, of any merchant."""
        with self.lock:
            moments = [due for a in self.accounts if (due := a.next_due()) is not None]
        return min(moments, default=None)

    def seconds_to_next(self) -> float | None:
        """Return the real seconds until something is due; None if time does not bring it."""
        due = self.next_due()
        return None if due is None else self.clock.seconds_until(_just_after(due))

    def hangs_up(self, method: str, path: str) -> bool:
        """Return whether a fault closes a request's connection before its body is read."""
        if not self.faults.standing:
            return False
        route, _ = find_route(method, path) or (None, {})
        if route is None or self.faults.take(route.operation, early=True) is None:
            return False
        logged = self.request_log.open(
            Request(method, path), None, route.operation, self.clock.time()
        )
        logged.fault = HungUp.words
        self._changed()
        return True

    def exchange(self, request: Request) -> Exchange:
        """Yield the effects of a request: waits, then one answer or a dropped connection.

        The webhooks the request caused leave when the driver comes back after the answer, or
        closes the exchange.
        """
        incoming = read(request)
        # With no delay, a look-up settles, and no other call.
        if self.options.settle_after != 0 or _looks_up(incoming):
            self.tick()
        elif incoming.operation == _BALANCE:
            self._settle(_just_after(self.clock.time()), conversions_only=True)
        # Requests of the pages are not calls of the API.
        request_log = RequestLog() if incoming.is_for_page else self.request_log
        logged = request_log.open(request, incoming.body, incoming.operation, self.clock.time())
        fault = self._fault(incoming, logged)
        events: list[Event] = []
        try:
            instead = fault.instead()
            effects: tuple[Effect, ...] = () if instead is None else (instead,)
            if instead is None:
                answer = yield from self._answer(
                    incoming, logged, events, is_doubled=fault.is_doubled
                )
                effects = fault.afterwards(answer)
            for effect in effects:
                if isinstance(effect, Response):
                    request_log.answered(logged, effect.status, effect.body)
                yield effect
        finally:
            if events:
                self._deliver(events)
            self._changed()

    def _fault(self, incoming: Incoming, logged: LoggedRequest) -> Fault:
        """Return the planned fault for a request; page requests are exempt."""
        fault = None if incoming.is_for_page else self.faults.take(incoming.operation)
        if fault is None:
            return Fault()
        logged.fault = fault.words
        return fault

    def _answer(
        self,
        incoming: Incoming,
        logged: LoggedRequest,
        events: list[Event],
        *,
        is_doubled: bool = False,
    ) -> Generator[Wait, None, Response]:
        """Do the work of a request, once per idempotency key, and make its answer.

        One that is doubled arrives once more before it is answered, and that answer is returned.
        """
        try:
            account, route, key, replay = admit(self.accounts, incoming, logged)
        except RefusedError as refused:
            return refused.answer()
        if replay is not None:
            return self._unless_in_trouble(replay)
        call = Call(
            account,
            route.operation,
            values=incoming.values,
            query=incoming.request.query,
            body=incoming.body,
            idempotency_key=key,
            headers=incoming.request.headers,
        )
        keys = account.keys
        done: Response | None = None
        try:
            answer = done = self._work(route, call, events)
            if is_doubled and call.acted:
                answer = yield from self._answer(incoming, logged, events)
            # The work is done by now: a client that gives up meanwhile has still paid.
            if self.options.latency:
                yield Wait(self.options.latency)
        finally:
            if key is not None:
                with self.lock:
                    keys.settle(key, done if call.acted else None)
        return self._unless_in_trouble(answer) if call.acted else answer

    def _unless_in_trouble(self, answer: Response) -> Response:
        """Replace an answer that the state file could not record; the key keeps the answer."""
        why = self.trouble
        if why is None:
            return answer
        # Not in the API's form: it is not known whether the work will last.
        headers = (("content-type", "text/plain; charset=utf-8"),)
        return Response(int(HTTPStatus.INTERNAL_SERVER_ERROR), f"{why}.\n".encode(), headers)

    def _work(self, route: Route, call: Call, events: list[Event]) -> Response:
        with self.lock:
            try:
                result = route.handler(call)
            except RefusedError as refused:
                return refused.answer()
            finally:
                events += call.account.take_outbox()
            answer = result if isinstance(result, Response) else Response.of(result)
            if call.acted:
                _keep_answer(call, answer)
                self._recorder.commit()
        return answer


def _just_after(moment: float) -> float:
    return math.nextafter(moment, math.inf)


def _looks_up(incoming: Incoming) -> bool:
    """Return whether a request looks at what may be pending, as a payer's page does too."""
    is_page = incoming.is_for_page and incoming.request.method == "GET"
    return is_page or incoming.operation in _LOOK_UPS


def _keep_answer(call: Call, answer: Response) -> None:
    """Record the answer together with the work, so that no crash can part the two."""
    account, key = call.account, call.idempotency_key
    if key is not None:
        fingerprint = account.keys.fingerprint(key)
        memory = Memory(fingerprint, answer.status, answer.body, answer.headers)
        account.touch("key", key, memory)

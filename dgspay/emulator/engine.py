"""The emulator without I/O: a request goes in, its effects come out one by one."""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Any

import attrs

from dgspay.emulator import idempotency
from dgspay.emulator.account import Account, Options
from dgspay.emulator.calls import Call, Route
from dgspay.emulator.clock import Clock
from dgspay.emulator.credentials import LIVE_KEY_PREFIX, Credentials
from dgspay.emulator.exchange import (
    Answer,
    Exchange,
    RefusedError,
    Request,
    Wait,
    invalid,
    not_found,
)
from dgspay.emulator.faults import Fault, Faults
from dgspay.emulator.identifiers import Identifiers
from dgspay.emulator.journal import Journal
from dgspay.emulator.records import Event
from dgspay.emulator.routes import API_OPERATIONS, find_route
from dgspay.emulator.same_origin import is_foreign
from dgspay.emulator.settlement import settle_due
from dgspay.errors import DecodeError
from dgspay.models.codec import parse_json

IN_PROCESS_ORIGIN = "http://127.0.0.1"
MAX_BODY_BYTES = 1024 * 1024


@attrs.frozen
class _Incoming:
    """A request with what can be said about it before it is carried out."""

    request: Request
    route: Route | None
    values: Mapping[str, str]
    body: Any = attrs.field(repr=False)
    malformed: RefusedError | None

    @property
    def operation(self) -> str | None:
        return self.route.operation if self.route else None


class Engine:
    """Answers requests for one merchant account.

    Args:
        options: How the emulator behaves.
        clock: Where the time comes from.
        seed: The same seed makes the same ids.
        deliver: Is given the webhooks that may leave; never before the answer of the call
            that caused them.
        scheduled: Called when something was put down to settle later.
    """

    def __init__(
        self,
        options: Options,
        clock: Clock,
        *,
        seed: int | str | None,
        deliver: Callable[[Iterable[Event]], None],
        scheduled: Callable[[], object],
    ) -> None:
        self.options = options
        self.clock = clock
        self.lock = threading.RLock()
        self.faults = Faults(API_OPERATIONS)
        self.origin = IN_PROCESS_ORIGIN
        self.public = False
        self._seed = seed
        self._deliver = deliver
        self._scheduled = scheduled
        self.reset()

    def reset(self) -> None:
        """Forget everything that happened."""
        with self.lock:
            self.faults.clear()
            self.journal = Journal()
            self.keys = idempotency.Keys()
            self.account = Account(
                Credentials(),
                self.options,
                self.clock,
                Identifiers(self._seed),
                self.origin,
                scheduled=self._scheduled,
            )

    def move(self, origin: str) -> None:
        """Have the URLs in answers begin with another origin."""
        with self.lock:
            self.origin = self.account.origin = origin

    @contextmanager
    def steering(self) -> Generator[Account]:
        """Let someone act on the account from outside a request; then webhooks leave.

        What was last seen pending can be decided until the next request or tick settles it,
        so that a test may decline a payment that would settle at once.
        """
        with self.lock:
            try:
                yield self.account
            finally:
                events = self.account.take_outbox()
        self._deliver(events)

    def tick(self) -> None:
        """Settle what is due and let its webhooks leave."""
        with self.steering() as account:
            settle_due(account)

    def seconds_to_next(self) -> float | None:
        """Return the real seconds until something is due; None when only a signal will tell."""
        with self.lock:
            moment = self.account.next_due()
        return None if moment is None else self.clock.seconds_until(moment)

    def exchange(self, request: Request) -> Exchange:
        """Yield what must happen for a request: waits, then one answer or a dropped line.

        The webhooks the request caused leave when the driver comes back after the answer, or
        closes the exchange.
        """
        self.tick()
        incoming = _read(request)
        arrival = self.journal.open(request, incoming.body, incoming.operation, self.clock.time())
        fault = self.faults.take(incoming.operation) or Fault()
        events: list[Event] = []
        try:
            effect = fault.instead()
            if effect is None:
                answer = yield from self._answer(incoming, events)
                effect = fault.afterwards(answer)
            if isinstance(effect, Answer):
                arrival.status = effect.status
            yield effect
        finally:
            self._deliver(events)

    def _answer(self, incoming: _Incoming, events: list[Event]) -> Generator[Wait, None, Answer]:
        """Do the work of a request, once per idempotency key, and make its answer."""
        try:
            route, key, replay = self._admit(incoming)
        except RefusedError as refused:
            return refused.answer()
        if replay is not None:
            return replay
        call = Call(
            self.account,
            route.operation,
            values=incoming.values,
            query=incoming.request.query,
            body=incoming.body,
            idempotency_key=key,
        )
        keys = self.keys
        done: Answer | None = None
        try:
            answer = done = self._work(route, call, events)
            # The work is done by now: a client that gives up meanwhile has still paid.
            if self.options.latency:
                yield Wait(self.options.latency)
        finally:
            if key is not None:
                with self.lock:
                    keys.settle(key, done if call.acted else None)
        return answer

    def _admit(self, incoming: _Incoming) -> tuple[Route, str | None, Answer | None]:
        """Check who asks and whether the request can be read, and claim its key."""
        route = incoming.route
        if route is None or not route.public:
            self._authenticate(incoming.request)
        elif incoming.request.method != "GET" and is_foreign(
            incoming.request.headers, public=self.public
        ):
            raise RefusedError("91", "this request comes from a page of another site")
        if route is None:
            raise not_found("endpoint")
        if incoming.malformed is not None:
            raise incoming.malformed
        key = idempotency.key_of(incoming.request)
        if key is None:
            return route, None, None
        with self.lock:
            return route, key, self.keys.claim(key, incoming.request)

    def _work(self, route: Route, call: Call, events: list[Event]) -> Answer:
        with self.lock:
            try:
                result = route.handler(call)
            except RefusedError as refused:
                return refused.answer()
            finally:
                events += call.account.take_outbox()
        return result if isinstance(result, Answer) else Answer.of(result)

    def _authenticate(self, request: Request) -> None:
        """Check the two headers of the guide ("Required Headers")."""
        key = request.headers.get("x-dgs-api-key", "")
        if key.startswith(LIVE_KEY_PREFIX):
            raise RefusedError(
                "91", "a live API key was sent to the emulator; keep it away from test machines"
            )
        credentials = self.account.credentials
        if not _equal(key, credentials.api_key):
            raise RefusedError("91", "X-DGS-API-Key is missing or not the emulator's key")
        number = request.headers.get("x-dgs-account-number")
        if number is None and not self.options.require_account_number:
            return
        if number is None or not _equal(number, credentials.account_number):
            raise RefusedError("91", "X-DGS-ACCOUNT-NUMBER is missing or not this account's")


def _equal(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), wanted.encode())


def _read(request: Request) -> _Incoming:
    """Find the route and parse the body; what is wrong is said later, after authentication."""
    route, values = find_route(request.method, request.path) or (None, {})
    body, malformed = None, None
    if len(request.body) > MAX_BODY_BYTES:
        malformed = invalid(f"the body must not be over {MAX_BODY_BYTES} bytes")
    elif request.body:
        try:
            body = parse_json(request.body)
        except DecodeError as error:
            malformed = invalid(error.message)
    return _Incoming(request, route, values, body, malformed)

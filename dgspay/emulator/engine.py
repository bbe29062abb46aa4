"""The emulator without I/O: a request goes in, its effects come out one by one."""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any

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
from dgspay.emulator.settlement import settle_due
from dgspay.errors import DecodeError
from dgspay.models.codec import parse_json

IN_PROCESS_ORIGIN = "http://127.0.0.1"
MAX_BODY_BYTES = 1024 * 1024


class Engine:
    """Answers requests for one merchant account.

    Args:
        deliver: Is given the webhooks that may leave; never before the answer of the call
            that caused them.
    """

    def __init__(
        self,
        options: Options,
        clock: Clock,
        identifiers: Identifiers,
        deliver: Callable[[Iterable[Event]], None],
    ) -> None:
        self.options = options
        self.clock = clock
        self.lock = threading.RLock()
        self.faults = Faults(API_OPERATIONS)
        self.origin = IN_PROCESS_ORIGIN
        self._identifiers = identifiers
        self._deliver = deliver
        self.reset()

    def reset(self) -> None:
        """Forget everything that happened."""
        with self.lock:
            self.faults.clear()
            self.journal = Journal()
            self.keys = idempotency.Keys()
            self.account = Account(
                Credentials(), self.options, self.clock, self._identifiers, self.origin
            )

    def move(self, origin: str) -> None:
        """Have the URLs in answers begin with another origin."""
        with self.lock:
            self.origin = self.account.origin = origin

    def tick(self) -> None:
        """Settle what is due and let its webhooks leave."""
        with self.lock:
            settle_due(self.account)
            events = self.account.take_outbox()
        self._deliver(events)

    def exchange(self, request: Request) -> Exchange:
        """Yield what must happen for a request: waits, then one answer or a dropped line.

        The webhooks the request caused leave when the driver comes back after the answer, or
        closes the exchange.
        """
        self.tick()
        found = find_route(request.method, request.path)
        operation = found[0].operation if found else None
        body, malformed = _parsed(request.body)
        arrival = self.journal.open(request, body, operation, self.clock.time())
        fault = (self.faults.take(operation) if operation else None) or Fault()

        effect = fault.instead()
        events: list[Event] = []
        try:
            if effect is None:
                if found is None:
                    effect = not_found("endpoint").answer()
                else:
                    answer = yield from self._answer(*found, request, body, malformed, events)
                    effect = fault.afterwards(answer)
            elif self.options.latency:
                yield Wait(self.options.latency)
            if isinstance(effect, Answer):
                arrival.status = effect.status
            yield effect
        finally:
            self._deliver(events)

    def _answer(
        self,
        route: Route,
        values: Mapping[str, str],
        request: Request,
        body: Any,
        malformed: RefusedError | None,
        events: list[Event],
    ) -> Generator[Wait, None, Answer]:
        """Do the work of a request, once per idempotency key, and make its answer."""
        try:
            if not route.public:
                self._authenticate(request)
            key = idempotency.key_of(request)
            if key is not None:
                with self.lock:
                    replay = self.keys.claim(key, request)
                if replay is not None:
                    return replay
        except RefusedError as refused:
            return refused.answer()
        call = Call(self.account, route.operation, values, request.query, body, key)
        answer: Answer | None = None
        try:
            answer = self._work(route, call, malformed, events)
            # The work is done by now: a client that gives up meanwhile has still paid.
            if self.options.latency:
                yield Wait(self.options.latency)
        finally:
            if key is not None:
                with self.lock:
                    if answer is not None and call.acted:
                        self.keys.keep(key, answer)
                    else:
                        self.keys.release(key)
        return answer

    def _work(
        self, route: Route, call: Call, malformed: RefusedError | None, events: list[Event]
    ) -> Answer:
        with self.lock:
            try:
                if malformed is not None:
                    raise malformed
                result = route.handler(call)
            except RefusedError as refused:
                return refused.answer()
            finally:
                events += self.account.take_outbox()
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


def _parsed(body: bytes) -> tuple[Any, RefusedError | None]:
    """Parse a body; what is wrong with it is said later, after authentication."""
    if not body:
        return None, None
    if len(body) > MAX_BODY_BYTES:
        return None, invalid(f"the body must not be over {MAX_BODY_BYTES} bytes")
    try:
        return parse_json(body), None
    except DecodeError as error:
        return None, invalid(error.message)

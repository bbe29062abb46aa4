"""Tell a call its story in advance, with a clock that moves only when the story says so."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from dgspay.core.call import CallRunner, Runnable
from dgspay.core.events import AttemptEvent, CallEvent, TelemetryEvent
from dgspay.core.messages import EffectResult, Request, Response, Send, Timeout, TransportFailure
from dgspay.core.operation import Operation, Repeat
from dgspay.core.request_builder import RequestBuilder
from dgspay.core.retry import RetryPolicy
from dgspay.models.json_codec import JSONObject
from dgspay.secret import Secret

T = TypeVar("T")


class FakeClock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return 1_700_000_000.0 + self.now


def answer(
    body: Mapping[str, Any] | bytes | None = None,
    status: int = 200,
    **headers: str,
) -> Response:
    raw = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    return Response(status, {name.replace("_", "-"): text for name, text in headers.items()}, raw)


def code(error_code: str, status: int = 400, **headers: str) -> Response:
    return answer(
        {"status": "failed", "error_code": error_code, "message": "no"}, status, **headers
    )


OK = answer({"status": "success", "dgs_reference": "dgs_1"})
REFUSED = TransportFailure("the connection was refused", sent=False)
BAD_CERTIFICATE = TransportFailure("the certificate is bad", sent=False, permanent=True)
LOST = TransportFailure("the connection broke", sent=True)


def operation(
    repeat: Repeat,
    *,
    key: str | None = None,
    read: Callable[[JSONObject], Any] = dict,
    failure_is_result: bool = False,
    body: Mapping[str, Any] | None = None,
    path: str | None = None,
) -> Operation[Any]:
    paths = {
        Repeat.READ: "/transactions",
        Repeat.PAYOUT: "/disburse",
        Repeat.NEVER_AFTER_UNKNOWN: "/authorize",
    }
    return Operation(
        method="GET" if repeat is Repeat.READ else "POST",
        path=path or paths.get(repeat, "/charges"),
        body=None if repeat is Repeat.READ else (body or {"amount": 1}),
        read=read,
        repeat=repeat,
        idempotency_key=key,
        failure_is_result=failure_is_result,
    )


class Story:
    """A caller whose server answers from a list, and a record of all that happened."""

    def __init__(
        self,
        *answers: EffectResult | Callable[[], EffectResult],
        retry: RetryPolicy | None = None,
        deadline: float = 100.0,
        random: float = 1.0,
        each_takes: float = 0.0,
    ) -> None:
        self.clock = FakeClock()
        self.answers = iter(answers)
        self.requests: list[Request] = []
        self.timeouts: list[Timeout] = []
        self.sleeps: list[float] = []
        self.events: list[TelemetryEvent] = []
        self.each_takes = each_takes
        keys = itertools.count(1)
        self.runner = CallRunner(
            request_builder=RequestBuilder(
                base_url="https://api.test/v2",
                api_key=Secret("the-key"),
                account_number="ACC-1",
                idempotency_header="Idempotency-Key",
                production=False,
                api_timezone=None,
                allow_rwf_fractions=False,
            ),
            retry=retry or RetryPolicy(),
            timeout=Timeout(),
            deadline=deadline,
            clock=self.clock,
            random=lambda: random,
            new_key=lambda: f"generated-{next(keys)}",
            emit=self.events.append,
        )

    def run(self, flow: Operation[T] | Runnable[T]) -> T:
        steps = self.runner.run(flow)
        reply: EffectResult = None
        while True:
            try:
                effect = steps.send(reply)
            except StopIteration as finished:
                return finished.value  # type: ignore[no-any-return]
            if isinstance(effect, Send):
                self.requests.append(effect.request)
                self.timeouts.append(effect.timeout)
                self.clock.now += self.each_takes
                told = next(self.answers)
                reply = told() if callable(told) else told
            else:
                self.sleeps.append(effect.seconds)
                self.clock.now += effect.seconds
                reply = None

    @property
    def keys(self) -> list[str | None]:
        return [request.reveal_headers().get("Idempotency-Key") for request in self.requests]

    @property
    def attempts(self) -> list[AttemptEvent]:
        return [event for event in self.events if isinstance(event, AttemptEvent)]

    @property
    def call(self) -> CallEvent:
        (event,) = (event for event in self.events if isinstance(event, CallEvent))
        return event

"""The course of one call: events for hooks, cancellation, keys in flight, the request."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dgspay.core.events import AttemptEvent, CallEvent
from dgspay.core.messages import EffectResult, Response, Send, Sleep
from dgspay.core.operation import Repeat
from dgspay.core.retry import RetryPolicy
from dgspay.errors import APIError, DecodeError, IdempotencyError, Outcome, TransportError
from tests.support.scripted_server import LOST, OK, REFUSED, Story, answer, code, operation


def test_each_attempt_and_the_call_are_emitted() -> None:
    story = Story(REFUSED, code("99", 500), OK, each_takes=2.0)
    story.run(operation(Repeat.CHARGE))
    first, second, third = story.attempts
    assert first == AttemptEvent(
        call_id=first.call_id,
        operation="POST /charges",
        attempt=1,
        started=1_700_001_000.0,
        duration=2.0,
        status=None,
        error_code=None,
        outcome=Outcome.NOT_SENT,
        retry_delay=0.5,
    )
    assert (second.status, second.error_code, second.outcome) == (500, "99", Outcome.UNKNOWN)
    assert (second.started, second.retry_delay) == (1_700_001_002.5, 1.0)
    assert (third.outcome, third.retry_delay) == (Outcome.COMPLETED, None)
    assert story.call == CallEvent(
        call_id=first.call_id,
        operation="POST /charges",
        attempts=3,
        started=1_700_001_000.0,
        duration=7.5,
        status=200,
        error_code=None,
        outcome=Outcome.COMPLETED,
        error=None,
    )
    assert story.events[-1] is story.call


def test_a_failed_call_is_emitted_with_its_error() -> None:
    story = Story(code("91", 401))
    with pytest.raises(APIError):
        story.run(operation(Repeat.PAYOUT))
    assert story.call.error == "AuthenticationError"
    assert story.call.outcome is Outcome.REJECTED
    assert story.attempts[0].retry_delay is None


def test_every_call_has_a_number_of_its_own() -> None:
    story = Story(OK, OK)
    story.run(operation(Repeat.READ))
    story.run(operation(Repeat.READ))
    assert len({event.call_id for event in story.events}) == 2


@pytest.mark.acceptance(20, "cancelled-post")
def test_a_call_cancelled_while_its_request_is_out_is_unknown() -> None:
    story = Story()
    steps = story.runner.run(operation(Repeat.CHARGE))
    assert isinstance(next(steps), Send)
    cancellation = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt) as caught:
        steps.throw(cancellation)
    assert caught.value is cancellation
    assert story.attempts[0].outcome is Outcome.UNKNOWN
    assert (story.call.outcome, story.call.error) == (Outcome.UNKNOWN, "cancelled")


@pytest.mark.acceptance(20, "cancelled-post")
@pytest.mark.parametrize(
    ("first", "trusted", "outcome"),
    [
        (REFUSED, False, Outcome.NOT_SENT),
        (code("99", 500), False, Outcome.UNKNOWN),
        (answer({}, 429), False, Outcome.REJECTED),
        (LOST, True, Outcome.UNKNOWN),
    ],
)
def test_a_call_cancelled_in_a_pause_is_what_the_attempt_was(
    first: Response, trusted: bool, outcome: Outcome
) -> None:
    story = Story(retry=RetryPolicy(trust_idempotency=trusted))
    steps = story.runner.run(operation(Repeat.PAYOUT))
    next(steps)
    assert isinstance(steps.send(first), Sleep)
    steps.close()
    assert story.call.outcome is outcome
    assert len(story.attempts) == 1


@pytest.mark.acceptance(33, "key-with-two-bodies")
@pytest.mark.parametrize("repeat", [Repeat.CHARGE, Repeat.PAYOUT, Repeat.NEVER_AFTER_UNKNOWN])
@pytest.mark.parametrize("body", [{"amount": 1}, {"amount": 2}], ids=["same", "other"])
def test_a_callers_key_is_in_flight_once(repeat: Repeat, body: dict[str, int]) -> None:
    story = Story()
    first = story.runner.run(operation(repeat, key="order-1", body={"amount": 1}))
    next(first)
    second = story.runner.run(operation(repeat, key="order-1", body=body))
    with pytest.raises(IdempotencyError, match="in flight") as caught:
        next(second)
    assert caught.value.outcome is Outcome.NOT_SENT
    assert caught.value.idempotency_key == "order-1"

    other = story.runner.run(operation(repeat, key="order-2", body=body))
    assert isinstance(next(other), Send)
    other.close()
    first.close()

    again = story.runner.run(operation(repeat, key="order-1", body=body))
    assert isinstance(next(again), Send)
    again.close()


def test_generated_keys_never_clash_locally() -> None:
    story = Story()
    running = [story.runner.run(operation(Repeat.PAYOUT)) for _ in range(3)]
    sent = [next(steps) for steps in running]
    keys = {
        effect.request.headers["Idempotency-Key"] for effect in sent if isinstance(effect, Send)
    }
    assert len(keys) == 3
    for steps in running:
        steps.close()


def test_a_read_carries_no_key() -> None:
    story = Story(OK)
    story.run(operation(Repeat.READ))
    assert story.keys == [None]


def test_the_reply_reports_status_attempts_and_headers() -> None:
    story = Story(REFUSED, OK, each_takes=1.0)
    steps = story.runner.call(operation(Repeat.READ))
    replies: Iterator[EffectResult] = iter([REFUSED, OK])
    effect = next(steps)
    try:
        while True:
            effect = steps.send(next(replies) if isinstance(effect, Send) else None)
    except StopIteration as finished:
        reply = finished.value
    assert (reply.status, reply.attempts) == (200, 2)
    assert reply.value["dgs_reference"] == "dgs_1"


def test_a_driver_that_answers_nothing_is_a_bug_and_says_so() -> None:
    steps = Story().runner.run(operation(Repeat.READ))
    next(steps)
    with pytest.raises(TypeError, match="a driver must answer"):
        steps.send(None)


def test_the_prepared_request_shows_no_secret() -> None:
    story = Story()
    request, key = story.runner.prepare(
        operation(Repeat.NEVER_AFTER_UNKNOWN, body={"auth_otp": "998877", "dgs_reference": "d"})
    )
    assert key == "generated-1"
    shown = repr(request)
    assert "the-key" not in shown
    assert "998877" not in shown
    assert "'dgs_reference': 'd'" in shown
    assert request.reveal_headers()["X-DGS-API-Key"] == "the-key"
    assert b"998877" in (request.reveal_body() or b"")


def test_answers_and_requests_with_odd_bodies_have_a_repr() -> None:
    story = Story()
    request, _ = story.runner.prepare(operation(Repeat.READ))
    assert "body=None" in repr(request)
    assert repr(Response(200, {}, b"secret")) == "Response(200, 6 bytes)"


def test_the_operations_own_error_is_not_chained_to_the_body() -> None:
    story = Story(
        Response(200, {}, b"\xff"), Response(200, {}, b"\xff"), Response(200, {}, b"\xff")
    )
    with pytest.raises(DecodeError) as caught:
        story.run(operation(Repeat.READ))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_transport_error_is_not_chained_to_the_librarys() -> None:
    with pytest.raises(TransportError) as caught:
        Story(REFUSED, REFUSED, REFUSED).run(operation(Repeat.READ))
    assert caught.value.__context__ is None

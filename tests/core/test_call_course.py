"""The course of a call to the last field of its events, its result and its errors."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from dgspay.core.assessment import Assessment, Verdict
from dgspay.core.errors_from import CallContext, Stopped, error_for
from dgspay.core.events import AttemptEvent, CallEvent
from dgspay.core.messages import (
    EffectResult,
    Request,
    Send,
    Sleep,
    Timeout,
    TransportFailure,
)
from dgspay.core.operation import Operation, Repeat, Reply
from dgspay.core.retry import RetryPolicy
from dgspay.errors import (
    APIError,
    DecodeError,
    DGSPayError,
    IdempotencyError,
    Outcome,
    OutcomeUnknownError,
    TransportError,
    UndecodableOutcomeError,
)
from dgspay.secret import Secret
from tests.support.scripted_server import (
    LOST,
    OK,
    REFUSED,
    FakeClock,
    Story,
    answer,
    code,
    operation,
)

WRITES = (Repeat.CHARGE, Repeat.PAYOUT, Repeat.NEVER_AFTER_UNKNOWN)
BEGAN = 1_700_001_000.0


def reply(story: Story, call: Operation[Any], **options: Any) -> Reply[Any]:
    """Run a call as a driver does, with a deadline or a policy of its own."""

    class Own:
        def steps(self, runner: Any) -> Any:
            return (yield from runner.call(call, **options))

    return story.run(Own())


def attempt_told(call_id: int, **told: Any) -> AttemptEvent:
    usual: dict[str, Any] = {
        "operation": "POST /disburse",
        "attempt": 1,
        "started": BEGAN,
        "duration": 0.0,
        "status": None,
        "error_code": None,
        "retry_delay": None,
    }
    return AttemptEvent(call_id=call_id, **{**usual, **told})


def call_told(call_id: int, **told: Any) -> CallEvent:
    usual: dict[str, Any] = {
        "operation": "POST /disburse",
        "attempts": 1,
        "started": BEGAN,
        "duration": 0.0,
        "status": None,
        "error_code": None,
    }
    return CallEvent(call_id=call_id, **{**usual, **told})


# --- results and errors -------------------------------------------------------------------


def test_a_reply_reports_how_the_result_came_to_the_last_header() -> None:
    created = answer({"status": "success"}, 201, x_request_id="r-1")
    story = Story(code("99", 500, x_request_id="r-0"), created, each_takes=1.0, random=1.0)
    assert reply(story, operation(Repeat.PAYOUT)) == Reply(
        value={"status": "success"},
        status=201,
        headers={"x-request-id": "r-1"},
        attempts=2,
        elapsed=2.5,
        idempotency_key="generated-1",
    )


@pytest.mark.acceptance(33, "key-with-two-bodies")
@pytest.mark.parametrize("repeat", WRITES)
def test_a_key_in_flight_is_refused_in_full(repeat: Repeat) -> None:
    story = Story()
    first = story.runner.run(operation(repeat, key="order-1"))
    next(first)
    with pytest.raises(IdempotencyError) as caught:
        next(story.runner.run(operation(repeat, key="order-1")))
    first.close()
    error = caught.value
    assert error.message == (
        "This idempotency key is in flight with another call of this client. This one "
        "was not sent; wait for the result of the other one. Use one key per payment."
    )
    assert error.operation == operation(repeat).name
    assert (error.outcome, error.idempotency_key) == (Outcome.NOT_SENT, "order-1")
    assert (error.attempts, error.status, error.error_code) == (0, None, None)
    # Nobody heard of a call that never began.
    assert {event.call_id for event in story.events} == {story.call.call_id}


@pytest.mark.acceptance(33, "key-with-two-bodies")
def test_a_refused_key_stays_with_the_call_that_holds_it() -> None:
    story = Story()
    first = story.runner.run(operation(Repeat.PAYOUT, key="order-1"))
    next(first)
    for _ in range(2):
        with pytest.raises(IdempotencyError):
            next(story.runner.run(operation(Repeat.PAYOUT, key="order-1")))
    first.close()


@pytest.mark.acceptance(33, "key-with-two-bodies")
@pytest.mark.parametrize("ends", [OK, code("90"), LOST], ids=["result", "refusal", "unknown"])
def test_a_key_is_free_again_however_its_call_ended(ends: EffectResult) -> None:
    story = Story(ends, OK)
    call = operation(Repeat.PAYOUT, key="order-1")
    with contextlib.suppress(DGSPayError):
        story.run(call)
    story.run(call)
    assert story.keys == ["order-1", "order-1"]


def test_only_writes_use_a_generated_key_up() -> None:
    story = Story(OK, OK, OK, OK)
    for repeat, key in (
        (Repeat.READ, None),
        (Repeat.CHARGE, None),
        (Repeat.PAYOUT, "mine"),
        (Repeat.NEVER_AFTER_UNKNOWN, None),
    ):
        story.run(operation(repeat, key=key))
    assert story.keys == [None, "generated-1", "mine", "generated-2"]


def test_a_driver_that_answers_nothing_gets_an_error_with_what_was_expected() -> None:
    steps = Story().runner.run(operation(Repeat.READ))
    next(steps)
    with pytest.raises(TypeError) as caught:
        steps.send(None)
    assert str(caught.value) == ("a driver must answer Send with a Response or a TransportFailure")


@pytest.mark.acceptance(31, "retry-table")
def test_the_latest_answer_is_reported_where_the_last_attempt_did_not_leave() -> None:
    story = Story(code("91", 429), answer({}, 429), REFUSED)
    with pytest.raises(APIError) as caught:
        story.run(operation(Repeat.PAYOUT))
    assert caught.value.message.startswith(
        "DGS-Pay refused: too many requests (HTTP 429), and then the connection was refused. "
        "It was not carried out: no money moved."
    )
    assert caught.value.status == 429


@pytest.mark.acceptance(22, "no-json-answer")
def test_what_a_call_sent_is_masked_where_the_server_sends_it_back() -> None:
    echo = answer({"error_code": "90", "message": "otp 998877, key the-key"}, 400)
    call = operation(Repeat.NEVER_AFTER_UNKNOWN, body={"auth_otp": Secret("998877")})
    with pytest.raises(APIError) as caught:
        Story(echo).run(call)
    assert '("otp ***, key ***")' in caught.value.message
    assert caught.value.body == {"error_code": "90", "message": "otp ***, key ***"}


@pytest.mark.acceptance(22, "no-json-answer")
@pytest.mark.parametrize("repeat", Repeat)
def test_an_answer_that_cannot_be_read_for_no_fault_of_its_own_names_no_field(
    repeat: Repeat,
) -> None:
    assessment = Assessment(
        verdict=Verdict.UNREADABLE, reason="the answer could not be read", status=200
    )
    context = CallContext(
        operation=operation(repeat),
        attempts=1,
        key=None,
        earlier_unknown=False,
        earlier_reached=False,
        earlier_accepted=False,
        earlier_answer=None,
        stopped=Stopped.NO,
        secrets=(),
    )
    error = error_for(assessment, context)
    assert isinstance(error, DecodeError)
    assert isinstance(error, OutcomeUnknownError) is (repeat is not Repeat.READ)
    assert (error.path, error.status, error.outcome) == (None, 200, Outcome.UNKNOWN)
    assert error.message.startswith("The answer could not be read. ")


@pytest.mark.acceptance(22, "no-json-answer")
@pytest.mark.parametrize("shortage", [MemoryError, RecursionError])
def test_what_breaks_down_over_an_answer_says_what_it_was_and_what_is_known(
    shortage: type[Exception],
) -> None:
    def breaks_down(_: Any) -> Any:
        raise shortage("secret")

    story = Story(answer({"status": "success"}, 201))
    with pytest.raises(UndecodableOutcomeError) as caught:
        story.run(operation(Repeat.PAYOUT, read=breaks_down))
    assert caught.value.message.startswith(
        f"The answer could not be read ({shortage.__name__}). It is not known whether DGS-Pay "
    )
    assert caught.value.__context__ is None
    assert (story.call.status, story.call.outcome) == (201, Outcome.UNKNOWN)


def test_a_request_whose_body_is_no_json_shows_its_length() -> None:
    request = Request("POST", "https://api.test/", {"X-DGS-API-KEY": "k", "Accept": "*"}, b"\xff{")
    assert repr(request) == (
        "Request(POST https://api.test/ headers={'X-DGS-API-KEY': '***', 'Accept': '*'} "
        "body=<2 bytes>)"
    )


# --- bounds of one call -------------------------------------------------------------------


def test_a_call_may_have_a_deadline_and_a_policy_of_its_own() -> None:
    story = Story(REFUSED, OK, deadline=100.0)
    reply(story, operation(Repeat.READ), deadline=3.0)
    assert [timeout.total for timeout in story.timeouts] == [3.0, 2.5]
    assert story.timeouts[0] == Timeout().within(3.0)

    story = Story(REFUSED, OK)
    with pytest.raises(TransportError) as caught:
        reply(story, operation(Repeat.READ), retry=RetryPolicy(attempts=1))
    assert caught.value.attempts == 1

    story = Story(LOST, OK)
    trusting = RetryPolicy(trust_idempotency=True, initial_delay=2.0)
    assert reply(story, operation(Repeat.PAYOUT), retry=trusting).attempts == 2
    assert story.sleeps == [2.0]


class TickingClock(FakeClock):
    """A clock of which no two readings are the same."""

    def monotonic(self) -> float:
        self.now += 0.25
        return self.now


def test_the_first_attempt_begins_with_the_call_and_has_all_of_its_time() -> None:
    story = Story(OK, deadline=30.0)
    story.clock = story.runner.clock = TickingClock()
    story.run(operation(Repeat.PAYOUT))
    assert story.attempts[0].started == story.call.started
    assert [timeout.total for timeout in story.timeouts] == [30.0]


# --- events for the hooks -----------------------------------------------------------------


def test_a_result_is_emitted_with_its_status() -> None:
    story = Story(answer({"status": "success", "error_code": "00"}, 202), each_takes=3.0)
    story.run(operation(Repeat.PAYOUT))
    number = story.call.call_id
    done = {"duration": 3.0, "status": 202, "outcome": Outcome.COMPLETED}
    assert story.events == [attempt_told(number, **done), call_told(number, **done, error=None)]


def test_a_refusal_is_emitted_with_its_code_and_the_errors_name() -> None:
    story = Story(REFUSED, code("91", 401), each_takes=1.0, random=1.0)
    with pytest.raises(APIError):
        story.run(operation(Repeat.PAYOUT))
    number = story.call.call_id
    no = {"status": 401, "error_code": "91", "outcome": Outcome.REJECTED}
    assert story.events == [
        attempt_told(number, duration=1.0, outcome=Outcome.NOT_SENT, retry_delay=0.5),
        attempt_told(number, attempt=2, started=BEGAN + 1.5, duration=1.0, **no),
        call_told(number, attempts=2, duration=2.5, error="AuthenticationError", **no),
    ]


def test_each_attempt_is_emitted_with_its_own_wait_for_a_connection() -> None:
    refused = TransportFailure("no connection of the pool became free in time", sent=False)
    refused.pool_wait = 5.0
    done = answer({"status": "success"})
    done.pool_wait = 0.25
    story = Story(refused, REFUSED, done)
    story.run(operation(Repeat.PAYOUT))
    assert [event.pool_wait for event in story.attempts] == [5.0, None, 0.25]


def test_wait_of_one_attempt_is_not_that_of_the_next_which_is_cancelled() -> None:
    refused = TransportFailure("no connection of the pool became free in time", sent=False)
    refused.pool_wait = 5.0
    story = Story()
    steps = story.runner.run(operation(Repeat.PAYOUT))
    next(steps)
    steps.send(refused)
    next(steps)
    steps.close()
    assert [event.pool_wait for event in story.attempts] == [5.0, None]


@pytest.mark.acceptance(31, "retry-table")
def test_an_attempt_is_emitted_with_what_is_known_of_the_whole_call() -> None:
    story = Story(LOST, code("90"), retry=RetryPolicy(trust_idempotency=True))
    with pytest.raises(OutcomeUnknownError):
        story.run(operation(Repeat.PAYOUT))
    assert [event.outcome for event in story.events] == [Outcome.UNKNOWN] * 3
    assert story.call.error == "OutcomeUnknownError"


@pytest.mark.acceptance(20, "cancelled-post")
def test_a_cancelled_request_emits_an_attempt_and_a_call_without_an_answer() -> None:
    story = Story()
    steps = story.runner.run(operation(Repeat.PAYOUT))
    next(steps)
    story.clock.now += 1.5
    steps.close()
    number = story.call.call_id
    unknown = {"duration": 1.5, "outcome": Outcome.UNKNOWN}
    assert story.events == [
        attempt_told(number, **unknown),
        call_told(number, **unknown, error="cancelled"),
    ]


@pytest.mark.acceptance(20, "cancelled-post")
def test_a_cancelled_pause_emits_a_call_and_no_attempt() -> None:
    story = Story(random=1.0)
    steps = story.runner.run(operation(Repeat.PAYOUT))
    next(steps)
    story.clock.now += 1.5
    assert steps.send(REFUSED) == Sleep(0.5)
    story.clock.now += 0.25
    steps.close()
    number = story.call.call_id
    assert story.events == [
        attempt_told(number, duration=1.5, outcome=Outcome.NOT_SENT, retry_delay=0.5),
        call_told(number, duration=1.75, outcome=Outcome.NOT_SENT, error="cancelled"),
    ]


@pytest.mark.acceptance(20, "cancelled-post")
@pytest.mark.parametrize("repeat", WRITES)
def test_a_second_request_cancelled_after_a_refusal_is_unknown(repeat: Repeat) -> None:
    story = Story()
    steps = story.runner.run(operation(repeat))
    next(steps)
    steps.send(answer({}, 429))
    assert isinstance(next(steps), Send)
    steps.close()
    assert [event.outcome for event in story.attempts] == [Outcome.REJECTED, Outcome.UNKNOWN]
    assert story.call.outcome is Outcome.UNKNOWN


def test_a_call_that_ended_is_not_emitted_again_as_cancelled() -> None:
    for ends in (OK, code("90")):
        story = Story(ends)
        with contextlib.suppress(APIError):
            story.run(operation(Repeat.PAYOUT))
        assert len(story.events) == 2
        assert story.call.error != "cancelled"


def test_only_outcomes_a_hook_wants_are_emitted() -> None:
    story = Story(REFUSED, OK, code("90"))
    story.runner.wants = lambda outcome: outcome is Outcome.REJECTED
    story.run(operation(Repeat.PAYOUT))
    assert story.events == []
    with pytest.raises(APIError):
        story.run(operation(Repeat.PAYOUT))
    assert [type(event) for event in story.events] == [AttemptEvent, CallEvent]

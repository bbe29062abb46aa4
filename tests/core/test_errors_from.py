"""What an error says in full: what happened, what it means for the money, what to do next.

A person decides over money by these sentences, so each is held as a whole: one that lost a part
or said "nothing was sent" in another case would be worse than none.
"""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from dgspay.api import charges
from dgspay.core.assessment import Assessment, Verdict
from dgspay.core.errors_from import CallContext, Stopped, error_for
from dgspay.core.messages import EffectResult, Request, Response, TransportFailure
from dgspay.core.operation import Operation, Repeat
from dgspay.core.request_builder import check_idempotency_key
from dgspay.core.retry import RetryPolicy
from dgspay.errors import (
    APIError,
    AuthenticationError,
    ContradictoryOutcomeError,
    DecodeError,
    DGSPayError,
    IdempotencyError,
    InsufficientFundsError,
    InvalidRequestError,
    NotFoundError,
    Outcome,
    OutcomeUnknownError,
    RateLimitError,
    ServerError,
    TransportError,
    UndecodableOutcomeError,
    UnlistedCodeError,
    WaitTimeoutError,
)
from dgspay.secret import Secret
from tests.support.scripted_server import (
    BAD_CERTIFICATE,
    LOST,
    OK,
    REFUSED,
    Story,
    answer,
    code,
    operation,
)

READS = "The call only reads, so nothing changed."
NOT_CARRIED_OUT = "It was not carried out: no money moved."
NOTHING_SENT = "Nothing was sent, so no money moved."
NOT_KNOWN = "It is not known whether DGS-Pay carried it out: money may have moved."
LOOK_FIRST = (
    "Do not simply repeat the call: wait for its webhook or look the transaction up, and keep the "
    "idempotency key 'generated-1'."
)
USED_UP = "All attempts are used up."


def refused(call: Operation[Any], *answers: EffectResult, **options: Any) -> DGSPayError:
    """The error a call ends with."""
    with pytest.raises(DGSPayError) as caught:
        Story(*answers, **options).run(call)
    return caught.value


@pytest.mark.parametrize(
    ("repeat", "failure", "kind", "words"),
    [
        (
            Repeat.PAYOUT,
            REFUSED,
            TransportError,
            (
                f"The connection was refused. {NOTHING_SENT} "
                f"It is safe to try again once the connection works. {USED_UP}"
            ),
        ),
        (
            Repeat.PAYOUT,
            BAD_CERTIFICATE,
            TransportError,
            (
                f"The certificate is bad. {NOTHING_SENT} "
                "Trying again cannot help: set the cause right first."
            ),
        ),
        (
            Repeat.READ,
            LOST,
            TransportError,
            f"The connection broke. {READS} Try again later. {USED_UP}",
        ),
        (
            Repeat.PAYOUT,
            LOST,
            DGSPayError,
            f"The connection broke. {NOT_KNOWN} {LOOK_FIRST}",
        ),
    ],
)
def test_an_attempt_without_an_answer(
    repeat: Repeat, failure: TransportFailure, kind: type[DGSPayError], words: str
) -> None:
    error = refused(operation(repeat), failure, failure, failure)
    assert isinstance(error, kind)
    assert error.message == words


@pytest.mark.parametrize(
    ("response", "kind", "money", "advice"),
    [
        (
            code("90"),
            InvalidRequestError,
            NOT_CARRIED_OUT,
            "Correct the request and call again.",
        ),
        (
            code("91", 401),
            AuthenticationError,
            NOT_CARRIED_OUT,
            (
                "Check that the API key and the account number belong to this environment, and, in "
                "production, that this server's IP address is on the whitelist (Settings, API "
                "Settings)."
            ),
        ),
        (
            code("92", 404),
            NotFoundError,
            NOT_CARRIED_OUT,
            "Check the id or reference, and that it belongs to this account and environment.",
        ),
        (
            code("93", 409),
            IdempotencyError,
            (
                "This request was not carried out, but the one made earlier under this key 'mine' "
                "may have been: money may have moved then."
            ),
            "Look that one up before anything else, and use a new key only for a new payment.",
        ),
    ],
)
def test_a_refusal_names_its_code_and_what_it_means_for_the_money(
    response: Response, kind: type[APIError], money: str, advice: str
) -> None:
    once = RetryPolicy(attempts=1)
    error = refused(operation(Repeat.PAYOUT, key="mine"), response, retry=once)
    assert type(error) is kind
    number = error.error_code
    assert error.message == f'DGS-Pay refused with code {number} ("no"). {money} {advice}'
    read = refused(operation(Repeat.READ), response, retry=once)
    assert read.message == f'DGS-Pay refused with code {number} ("no"). {READS} {advice}'


def test_a_refusal_for_want_of_money_names_both_ways_out() -> None:
    body = {"error_code": "VALIDATION_ERROR", "required": "10", "available_balance": "2"}
    error = refused(operation(Repeat.PAYOUT), answer(body, 400))
    assert type(error) is InsufficientFundsError
    assert error.message == (
        f"DGS-Pay refused with code VALIDATION_ERROR. {NOT_CARRIED_OUT} "
        "Top the wallet up or ask for less, then call again."
    )


@pytest.mark.parametrize("field", ["required", "available_balance"])
def test_half_of_a_shortfall_is_none(field: str) -> None:
    error = refused(operation(Repeat.PAYOUT), answer({"error_code": "90", field: "10"}, 400))
    assert type(error) is InvalidRequestError


def test_too_many_requests_is_not_carried_out_and_asks_to_wait() -> None:
    error = refused(operation(Repeat.PAYOUT), answer({}, 429), retry=RetryPolicy(attempts=1))
    assert type(error) is RateLimitError
    assert error.message == (
        f"DGS-Pay refused: too many requests (HTTP 429). {NOT_CARRIED_OUT} Wait, then call again."
    )


def test_a_refusal_that_is_no_json_is_quoted() -> None:
    page = answer(b"<h1>Forbidden</h1>", 403)
    error = refused(operation(Repeat.PAYOUT), page)
    assert type(error) is OutcomeUnknownError
    assert error.message == f"The server answered HTTP 403. {NOT_KNOWN} {LOOK_FIRST}"
    assert error.excerpt == "<h1>Forbidden</h1>"
    read = refused(operation(Repeat.READ), page)
    assert type(read) is AuthenticationError
    assert read.message.startswith(f"The server answered HTTP 403. {READS} Check ")
    assert read.excerpt == "<h1>Forbidden</h1>"


@pytest.mark.acceptance(31, "retry-table", 61, "unclear-refusal")
def test_99_says_what_it_means_for_a_read_and_for_money() -> None:
    failing = [code("99", 500)] * 3
    read = refused(operation(Repeat.READ), *failing)
    assert type(read) is ServerError
    assert read.message == (
        f'DGS-Pay reported an internal error, code 99 ("no"). {READS} Try again after a short '
        f"delay; contact DGS-Pay's support if it stays. {USED_UP}"
    )
    once = refused(operation(Repeat.PAYOUT), *failing, retry=RetryPolicy(attempts=1))
    assert type(once) is OutcomeUnknownError
    assert once.message == (
        f'DGS-Pay reported an internal error, code 99 ("no"). {NOT_KNOWN} {LOOK_FIRST}'
    )


@pytest.mark.acceptance(23, "error-in-200", 61, "unclear-refusal")
def test_a_code_the_guide_does_not_list_is_kept_and_not_relied_on() -> None:
    error = refused(operation(Repeat.PAYOUT), code("55", retry_after="7"))
    assert type(error) is UnlistedCodeError
    assert isinstance(error, APIError)
    assert error.message == (
        f'The answer has the code 55 ("no"), which the guide does not list. {NOT_KNOWN} '
        f"{LOOK_FIRST}"
    )
    assert (error.error_code, error.status, error.retry_after) == ("55", 400, 7.0)
    assert error.body == {"status": "failed", "error_code": "55", "message": "no"}
    read = refused(operation(Repeat.READ), code("55"))
    assert type(read) is APIError
    assert read.message == (
        f'The answer has the code 55 ("no"), which the guide does not list. {READS} '
        "Read DGS-Pay's message, and contact its support if it does not help."
    )


@pytest.mark.parametrize("status", [300, 302, 399, 500, 503])
def test_redirects_and_broken_servers_are_the_servers_fault(status: int) -> None:
    error = refused(operation(Repeat.READ), *[answer(b"", status)] * 3)
    if status < 400:
        assert "which is never followed" in error.message
    assert type(error) is ServerError


@pytest.mark.acceptance(31, "retry-table")
def test_a_key_that_is_in_use_was_most_probably_accepted() -> None:
    error = refused(operation(Repeat.PAYOUT), code("99", 500), code("93", 409), code("93", 409))
    assert error.message == (
        'DGS-Pay refused with code 93 ("no"). An earlier attempt got no usable answer. This very '
        "call already uses its key, so it was most probably accepted: money has probably moved. "
        f"{LOOK_FIRST} {USED_UP}"
    )


def test_an_earlier_attempt_without_an_answer_is_mentioned() -> None:
    trusting = RetryPolicy(trust_idempotency=True)
    error = refused(operation(Repeat.PAYOUT), LOST, code("90"), retry=trusting)
    assert error.message == (
        'DGS-Pay refused with code 90 ("no"). An earlier attempt got no usable answer. '
        f"{NOT_KNOWN} {LOOK_FIRST}"
    )


@pytest.mark.acceptance(22, "no-json-answer", 26, "odd-fields")
def test_an_answer_that_cannot_be_read() -> None:
    def no_reference(_: Any) -> Any:
        raise DecodeError("the reference is missing", path="dgs_reference")

    body = {"status": "success"}
    read = refused(operation(Repeat.READ, read=no_reference), answer(body))
    assert type(read) is DecodeError
    assert read.message == (
        f"The reference is missing. {READS} "
        "If it stays, DGS-Pay has changed its answers: update dgspay or report it."
    )
    assert (read.path, read.status, read.excerpt) == ("dgs_reference", 200, None)
    assert (read.operation, read.attempts) == ("GET /transactions", 1)

    write = refused(operation(Repeat.PAYOUT, read=no_reference), answer(body))
    assert type(write) is UndecodableOutcomeError
    assert write.message == f"The reference is missing. {NOT_KNOWN} {LOOK_FIRST}"
    assert write.path == "dgs_reference"


def test_an_answer_that_is_no_json_is_quoted_to_the_last_attempt() -> None:
    error = refused(operation(Repeat.READ), *[answer(b"<html>")] * 3)
    assert type(error) is DecodeError
    assert error.message.startswith("The answer (HTTP 200) is unusable: ")
    assert error.message.endswith(f"update dgspay or report it. {USED_UP}")
    assert (error.status, error.excerpt) == (200, "<html>")


def test_an_answer_that_contradicts_itself_keeps_what_came_with_it() -> None:
    contradiction = answer(
        {"error_code": "99", "status": "pending", "pin": "4711"}, 500, retry_after="7"
    )
    error = refused(operation(Repeat.PAYOUT), contradiction)
    assert type(error) is ContradictoryOutcomeError
    assert error.message.startswith(
        "The answer says no with code 99 and yes with 'pending'. It is not known"
    )
    assert (error.retry_after, error.status, error.error_code) == (7.0, 500, "99")
    assert "4711" not in str(error.body)


def test_what_a_contradiction_quotes_is_masked_by_the_calls_own_secrets() -> None:
    assessment = Assessment(
        verdict=Verdict.UNKNOWN,
        reason="yes and no",
        status=500,
        body={"echo": "you sent hunter-2-secret"},
        contradicts=True,
    )
    call = operation(Repeat.PAYOUT)
    context = CallContext(
        operation=call,
        attempts=1,
        key="k",
        earlier_unknown=False,
        earlier_reached=False,
        earlier_accepted=False,
        earlier_answer=None,
        stopped=Stopped.BUDGET,
        secrets=(Secret("hunter-2-secret"),),
    )
    error = error_for(assessment, context)
    assert isinstance(error, ContradictoryOutcomeError)
    assert error.body is not None
    assert "hunter" not in str(error.body["echo"])
    assert error.message == (
        f"Yes and no. {NOT_KNOWN} {LOOK_FIRST.replace('generated-1', 'k')} Not tried again: the "
        "retry budget is used up, which means an outage is going on."
    )


@pytest.mark.parametrize("field", ["transaction_status", "dgs_reference", "id"])
def test_each_sign_of_a_payment_makes_a_failure_a_declined_one(field: str) -> None:
    call = operation(Repeat.CHARGE, failure_is_result=True)
    body = {"status": "failed", field: "failed"}
    assert Story(answer(body)).run(call) == body


@pytest.mark.parametrize("message", [None, "", 17, ["no"]])
def test_a_message_that_is_no_text_is_not_quoted(message: Any) -> None:
    error = refused(operation(Repeat.PAYOUT), answer({"error_code": "90", "message": message}))
    assert error.message.startswith("DGS-Pay refused with code 90. It was not")


# --- waiting ------------------------------------------------------------------------------


def test_a_wait_that_ends_unsettled_says_how_it_stands() -> None:
    pending = answer({"status": "success", "data": {"id": "dgs_1", "status": "pending"}})
    advice = (
        "The payment may still succeed or fail: wait for its webhook or call wait again; do not "
        "charge again before that."
    )
    story = Story(*[pending] * 50)
    with pytest.raises(WaitTimeoutError) as caught:
        story.run(charges.wait("dgs_1", timeout=5))
    assert caught.value.message == f"After 5 seconds it was still not settled. {advice}"
    assert caught.value.__cause__ is None

    story = Story(pending, *[REFUSED] * 50)
    with pytest.raises(WaitTimeoutError) as caught:
        story.run(charges.wait("dgs_1", timeout=2.5))
    assert caught.value.message == f"After 2.5 seconds the last look-up failed. {advice}"


def test_the_last_second_of_a_wait_is_used() -> None:
    pending = answer({"status": "success", "data": {"id": "dgs_1", "status": "pending"}})
    paid = answer({"status": "success", "data": {"id": "dgs_1", "status": "success"}})
    story = Story(pending, pending, paid, random=0.5)
    assert story.run(charges.wait("dgs_1", timeout=1.5, interval=1)).is_paid
    assert story.sleeps == [1.0, 0.5]


def test_a_payment_not_found_to_the_end_is_the_cause() -> None:
    story = Story(*[code("92", 404)] * 20)
    with pytest.raises(WaitTimeoutError, match="the last look-up failed") as caught:
        story.run(charges.wait("dgs_1", timeout=5))
    assert isinstance(caught.value.__cause__, NotFoundError)


def test_a_payment_not_found_after_exactly_ten_seconds_is_not_there() -> None:
    story = Story(code("92", 404), code("92", 404), OK, random=0.5)
    with pytest.raises(NotFoundError):
        story.run(charges.wait("dgs_1", timeout=60, interval=10))
    assert story.clock.now == 1010.0


# --- requests, operations and keys --------------------------------------------------------


def test_what_is_shown_of_an_operation_and_its_request() -> None:
    call = operation(Repeat.PAYOUT, body={"narration": "rent", "pin": "4711"})
    assert "'narration': 'rent'" in repr(call)
    assert "4711" not in repr(call)
    assert "body=None" in repr(operation(Repeat.READ))
    request, _ = Story().runner.prepare(call)
    shown = repr(request)
    assert "'Content-Type': 'application/json'" in shown
    assert "the-key" not in shown


def test_a_request_says_why_it_cannot_be_pickled() -> None:
    with pytest.raises(TypeError) as caught:
        pickle.dumps(Request("GET", "https://api.test/", {}, None))
    assert str(caught.value) == "a Request holds the API key and cannot be pickled"


def test_a_transport_failure_reads_as_its_reason() -> None:
    failure = TransportFailure("the connection broke", sent=True)
    assert str(failure) == failure.reason == "the connection broke"
    assert failure.permanent is False


@pytest.mark.acceptance(5, "odd-idempotency-key")
def test_a_key_is_refused_by_the_rule_it_breaks() -> None:
    with pytest.raises(TypeError) as refused_type:
        check_idempotency_key(17)  # type: ignore[arg-type]
    assert str(refused_type.value) == "idempotency_key must be a str, not int"
    for key in ("", "k" * 256):
        with pytest.raises(ValueError, match=r"^idempotency_key must have 1 to 255 characters$"):
            check_idempotency_key(key)
    for key in ("a b", "é", "a\n"):
        with pytest.raises(ValueError, match=r"^idempotency_key must be visible ASCII without"):
            check_idempotency_key(key)
    assert check_idempotency_key("k" * 255) == "k" * 255


# --- cancellation -------------------------------------------------------------------------


@pytest.mark.acceptance(20, "cancelled-post")
def test_a_cancelled_call_reports_how_long_it_took_and_what_is_known() -> None:
    story = Story(retry=RetryPolicy(trust_idempotency=True))
    steps = story.runner.run(operation(Repeat.PAYOUT))
    next(steps)
    steps.send(REFUSED)
    story.clock.now += 0.5
    next(steps)
    story.clock.now += 1.5
    steps.close()
    # The first attempt never left; the second one was out, and may have arrived.
    assert (story.call.outcome, story.call.duration) == (Outcome.UNKNOWN, 2.0)
    assert story.attempts[-1].outcome is Outcome.UNKNOWN


def test_an_error_that_tells_to_keep_a_key_shows_it_unless_it_looks_like_a_secret() -> None:
    error = refused(operation(Repeat.PAYOUT, key="order-17"), LOST)
    assert "keep the idempotency key 'order-17'." in f"{error}"
    assert "keep the idempotency key 'order-17'." in repr(error)
    for secret in ("sk_live_4eC39HqLyjWDarjtT1zdp7dc", "4111111111111111"):
        error = refused(operation(Repeat.PAYOUT, key=secret), LOST)
        assert secret not in f"{error} {error!r}"
        assert "keep the idempotency key." in error.message
        assert error.idempotency_key == secret

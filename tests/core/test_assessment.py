"""What an answer means, and that what it means for the money is said truthfully."""

from __future__ import annotations

import pickle
from decimal import Decimal
from typing import Any

import pytest

from dgspay import errors
from dgspay.api import charges, disbursements, transactions
from dgspay.core.messages import Response
from dgspay.core.operation import Operation, Repeat
from dgspay.errors import Outcome
from dgspay.models.enums import PaymentStatus
from dgspay.models.json_codec import JSONObject, parse_json
from dgspay.models.recipients import BankRecipient
from dgspay.models.standing import Standing
from tests.support.scripted_server import LOST, Story, answer, code, operation

DISBURSE = disbursements.create(
    amount=10_000, recipient=BankRecipient(bank_key="kcb_rw", account_number="1")
)
DISBURSE_ONCE = disbursements.create(
    amount=10_000,
    recipient=BankRecipient(bank_key="kcb_rw", account_number="1"),
    idempotency_key="mine",
)
AVAILABLE = transactions.retrieve("dgs_1")


def charge(**body: Any) -> JSONObject:
    return {"status": "success", "dgs_reference": "dgs_1", **body}


CHARGE: Operation[Any] = Operation(
    method="POST",
    path="/charges",
    body={"amount": 1},
    read=charges._read_charge,
    repeat=Repeat.CHARGE,
    failure_is_result=True,
)


def failing(response: Response, call: Operation[Any]) -> errors.DGSPayError:
    with pytest.raises(errors.DGSPayError) as caught:
        Story(response, response, response).run(call)
    return caught.value


HTML = b"<html><title>502 Bad Gateway</title> key sk_test_abc123 card 4111 1111 1111 1111</html>"


@pytest.mark.acceptance(22, "no-json-answer")
@pytest.mark.parametrize(
    "response",
    [
        answer(HTML, 502),
        answer(b"", 204),
        answer(b"", 200),
        answer(b'{"status": "success", "dgs_re', 200),
        answer(b'{"message": "Internal server error"}', 500),
        answer(b"upstream request timeout", 504),
        answer(HTML, 408),
        answer(b"", 409),
    ],
    ids=["502", "204", "empty", "cut", "500 json", "504", "408", "409"],
)
@pytest.mark.parametrize("call", [CHARGE, DISBURSE], ids=["charge", "disburse"])
def test_no_usable_answer_to_a_write_is_unknown(response: Response, call: Operation[Any]) -> None:
    error = failing(response, call)
    assert isinstance(error, errors.OutcomeUnknownError)
    assert error.outcome is Outcome.UNKNOWN
    assert error.status == response.status
    assert error.attempts == 1
    assert "money may have moved" in str(error)
    assert "sk_test" not in repr(vars(error))
    assert "4111" not in repr(vars(error))


@pytest.mark.acceptance(22, "no-json-answer")
def test_the_excerpt_is_short_and_masked() -> None:
    error = failing(answer(HTML + b"x" * 5000, 502), DISBURSE)
    assert isinstance(error, errors.OutcomeUnknownError)
    assert error.excerpt is not None
    assert error.excerpt.startswith("<html><title>502 Bad Gateway</title> key *** card ***")
    assert len(error.excerpt) < 250


@pytest.mark.acceptance(22, "no-json-answer")
@pytest.mark.parametrize("response", [answer(HTML, 502), answer(b"", 500), answer({}, 500)])
def test_a_read_with_a_broken_server_is_a_server_error(response: Response) -> None:
    error = failing(response, AVAILABLE)
    assert isinstance(error, errors.ServerError)
    assert error.attempts == 3


@pytest.mark.acceptance(23, "error-in-200")
@pytest.mark.parametrize(
    ("error_code", "kind"),
    [
        ("90", errors.InvalidRequestError),
        ("91", errors.AuthenticationError),
        ("92", errors.NotFoundError),
        ("93", errors.IdempotencyError),
        ("99", errors.OutcomeUnknownError),
        ("VALIDATION_ERROR", errors.InvalidRequestError),
        ("NEW_CODE", errors.UnlistedCodeError),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("said", ["failed", "success"])
def test_a_code_is_an_error_whatever_the_status(
    error_code: str, kind: type[errors.DGSPayError], status: int, said: str
) -> None:
    body = {"status": said, "error_code": error_code, "message": "No such thing"}
    # Where it would be repeated, or is not in the guide, a "success" beside it is a doubt.
    doubted = said == "success" and error_code in ("99", "NEW_CODE")
    own_no = error_code not in ("99", "NEW_CODE")
    error = failing(answer(body, status), DISBURSE_ONCE)
    assert type(error) is (errors.ContradictoryOutcomeError if doubted else kind)
    assert error.outcome is (Outcome.REJECTED if own_no else Outcome.UNKNOWN)
    assert isinstance(error, errors.APIError | errors.OutcomeUnknownError)
    assert error.error_code == error_code
    assert error.status == status
    assert error.body == body
    assert "No such thing" in str(error)
    assert ("not carried out" in str(error)) is own_no
    read = failing(answer(body, status), AVAILABLE)
    assert isinstance(read, errors.APIError)
    assert (read.error_code, read.outcome) == (error_code, Outcome.REJECTED)


@pytest.mark.acceptance(23, "error-in-200")
@pytest.mark.parametrize("error_code", ["GATEWAY_TIMEOUT", "504", "1"])
@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_code_of_a_gateways_own_says_nothing_of_the_call(error_code: str, status: int) -> None:
    error = failing(answer({"error_code": error_code, "message": "timeout"}, status), DISBURSE)
    assert type(error) is errors.OutcomeUnknownError
    assert error.attempts == 1
    read = failing(answer({"error_code": error_code}, status), AVAILABLE)
    assert isinstance(read, errors.ServerError)
    assert read.attempts == 3


@pytest.mark.acceptance(23, "error-in-200")
@pytest.mark.parametrize("error_code", ["90", "91", "93", "99", "VALIDATION_ERROR", "NEW"])
@pytest.mark.parametrize("status", [200, 400, 429, 500])
@pytest.mark.parametrize("goes_on", ["pending", "successful", "success"])
def test_a_refusal_that_reports_a_payment_is_never_relied_on(
    error_code: str, status: int, goes_on: str
) -> None:
    body = {"status": "failed", "error_code": error_code, "transaction_status": goes_on}
    error = failing(answer(body, status), CHARGE)
    assert isinstance(error, errors.ContradictoryOutcomeError)
    assert error.outcome is Outcome.UNKNOWN
    assert error.attempts == 1


@pytest.mark.parametrize("status", [400, 429])
def test_a_refusal_by_status_alone_may_contradict_itself_too(status: int) -> None:
    for body in ({"status": "success"}, {"status": "failed", "transaction_status": "pending"}):
        error = failing(answer(body, status), DISBURSE)
        assert isinstance(error, errors.ContradictoryOutcomeError)
        assert error.attempts == 1


@pytest.mark.acceptance(23, "error-in-200")
@pytest.mark.parametrize("field", ["transaction_status", "conversion_status"])
@pytest.mark.parametrize("word", ["pending", "processing", "successful", "Successful", "queued"])
@pytest.mark.parametrize("said", [{"error_code": "90"}, {"error_code": "99"}, {}])
@pytest.mark.parametrize("status", [200, 400])
def test_a_refusal_of_a_payout_that_may_go_on_all_the_same_is_never_relied_on(
    field: str, word: str, said: JSONObject, status: int
) -> None:
    story = Story(answer({"status": "failed", field: word, **said}, status), *[LOST] * 2)
    with pytest.raises(errors.ContradictoryOutcomeError) as caught:
        story.run(DISBURSE_ONCE)
    assert caught.value.outcome is Outcome.UNKNOWN
    assert "no money moved" not in str(caught.value)


@pytest.mark.acceptance(23, "error-in-200")
@pytest.mark.parametrize("word", ["success", "Success", "PENDING", "queued", "processing "])
@pytest.mark.parametrize("said", [{}, {"error_code": "99"}, {"error_code": "NEW_CODE"}])
def test_a_word_of_success_in_a_refusal_is_a_doubt_in_any_letters(
    word: str, said: JSONObject
) -> None:
    error = failing(answer({"status": word, **said}, 400), DISBURSE_ONCE)
    assert isinstance(error, errors.ContradictoryOutcomeError)
    assert error.attempts == 1
    assert f"yes with '{word.strip().lower()}'" in str(error)


@pytest.mark.parametrize("word", ["failed", "FAILED", " failed ", "", None, 7])
def test_a_refusal_that_says_failed_twice_is_one(word: Any) -> None:
    body = {"status": "failed", "transaction_status": word, "error_code": "90"}
    assert failing(answer(body), DISBURSE).outcome is Outcome.REJECTED


@pytest.mark.acceptance(61, "unclear-refusal")
@pytest.mark.parametrize("word", ["failed", "FAILED", " failed ", "", None, 7, ...])
@pytest.mark.parametrize("name", [None, "", "  ", ...])
@pytest.mark.parametrize("call", [CHARGE, DISBURSE], ids=["charge", "disburse"])
def test_without_a_reference_no_failure_is_relied_on(
    call: Operation[Any], name: Any, word: Any
) -> None:
    body = {"status": "failed", "transaction_status": word, "dgs_reference": name}
    error = failing(answer({k: v for k, v in body.items() if v is not ...}), call)
    assert isinstance(error, errors.OutcomeUnknownError)
    assert error.outcome is Outcome.UNKNOWN
    assert error.attempts == 1


@pytest.mark.acceptance(24, "declined-payment", 61, "unclear-refusal")
@pytest.mark.parametrize("word", ["failed", "FAILED", " failed ", "Failed"])
@pytest.mark.parametrize("said", [{"transaction_status": "failed"}, {}])
@pytest.mark.parametrize("call", [CHARGE, DISBURSE], ids=["charge", "disburse"])
def test_a_failure_with_its_reference_is_a_result_in_any_spelling(
    call: Operation[Any], said: JSONObject, word: str
) -> None:
    declined = Story(answer({"status": word, "dgs_reference": "D1", **said})).run(call)
    assert declined.is_declined
    assert declined.standing is Standing.FAILED


@pytest.mark.acceptance(24, "declined-payment", 60, "one-rule-for-paid")
@pytest.mark.parametrize(
    "body",
    [
        {"status": "success", "transaction_status": "failed", "error_code": "00"},
        {"status": "success", "transaction_status": "FAILED", "fail_reason": "no such account"},
    ],
)
def test_a_transfer_that_was_taken_and_declined_is_declined(body: JSONObject) -> None:
    declined = Story(answer({**body, "dgs_reference": "D1"})).run(DISBURSE)
    assert declined.is_declined
    assert declined.transaction_status is PaymentStatus.FAILED
    assert isinstance(failing(answer(body), DISBURSE), errors.UndecodableOutcomeError)


@pytest.mark.acceptance(60, "one-rule-for-paid")
@pytest.mark.parametrize(
    "body",
    [
        {"status": "pending", "transaction_status": "failed"},
        {"status": "success", "transaction_status": "failed", "next_action_type": "requires_otp"},
        {"status": "success", "transaction_status": "successful", "fail_reason": "no such account"},
        {"status": "success", "transaction_status": "pending", "data": {"status": "failed"}},
        {"status": "success", "transaction_status": "failed", "data": {"status": "success"}},
    ],
)
def test_a_transfer_that_contradicts_itself_is_neither_queued_nor_declined(
    body: JSONObject,
) -> None:
    error = failing(answer({**body, "dgs_reference": "D1"}), DISBURSE)
    assert isinstance(error, errors.ContradictoryOutcomeError)
    assert error.outcome is Outcome.UNKNOWN
    assert error.dgs_reference == "D1"


@pytest.mark.parametrize("status", [408, 409, 425, 499])
def test_an_error_of_a_read_mentions_no_key(status: int) -> None:
    error = failing(answer(b"", status), AVAILABLE)
    assert type(error) is errors.APIError
    assert error.outcome is Outcome.UNKNOWN
    assert error.attempts == 3
    assert "key" not in str(error)


@pytest.mark.parametrize("zero", ["0", "00", "000", 0, "", None, False, []])
def test_zeros_and_no_codes_are_no_error(zero: Any) -> None:
    body = {"status": "success", "error_code": zero, "dgs_reference": "D1"}
    assert Story(answer(body)).run(DISBURSE).dgs_reference == "D1"


@pytest.mark.acceptance(24, "declined-payment")
def test_a_charge_that_is_called_failed_and_successful_is_not_paid() -> None:
    body = charge(status="failed", transaction_status="successful")
    assert not Story(answer(body)).run(CHARGE).is_complete


@pytest.mark.parametrize("word", ["error", "Success", "ok", ""])
def test_a_status_the_guide_does_not_know_is_no_success_of_a_payout(word: str) -> None:
    error = failing(answer({"status": word, "message": "wallet frozen"}), DISBURSE)
    assert type(error) is errors.OutcomeUnknownError
    assert "wallet frozen" in str(error)


def test_a_charge_that_failed_without_more_words_is_declined() -> None:
    body = {"status": "failed", "message": "Incorrect PIN", "dgs_reference": "D1"}
    assert Story(answer(body)).run(CHARGE).is_declined
    error = failing(answer(body, 502), CHARGE)
    assert type(error) is errors.OutcomeUnknownError


def test_a_numeric_code_is_the_same_code() -> None:
    error = failing(answer({"status": "failed", "error_code": 91}), DISBURSE)
    assert isinstance(error, errors.AuthenticationError)
    assert "whitelist" in str(error)


def test_code_00_is_success() -> None:
    value = Story(answer({"status": "success", "error_code": "00"})).run(operation(Repeat.READ))
    assert value["status"] == "success"


@pytest.mark.acceptance(23, "error-in-200")
def test_insufficient_funds_reports_the_figures_exactly() -> None:
    body = (
        b'{"status": "failed", "message": "Insufficient USD balance", "error_code": '
        b'"VALIDATION_ERROR", "available_balance": 50.10, "required": 100, "currency": "USD"}'
    )
    error = failing(answer(body), DISBURSE)
    assert isinstance(error, errors.InsufficientFundsError)
    assert error.available_balance == Decimal("50.10")
    assert error.required == 100
    assert error.currency == "USD"

    odd = failing(
        answer({"error_code": "90", "available_balance": "lots", "required": 1}), DISBURSE
    )
    assert type(odd) is errors.InvalidRequestError


@pytest.mark.acceptance(23, "error-in-200")
@pytest.mark.parametrize("said", ["success", "pending"])
def test_4xx_with_success_is_an_error_and_its_body_is_kept(said: str) -> None:
    body = charge(status=said, transaction_status="pending")
    error = failing(answer(body, 400), CHARGE)
    assert isinstance(error, errors.ContradictoryOutcomeError)
    assert isinstance(error, errors.APIError)
    assert error.outcome is Outcome.UNKNOWN
    assert error.body == body
    assert error.status == 400

    read = failing(answer({"status": said, "data": {}}, 404), AVAILABLE)
    assert isinstance(read, errors.NotFoundError)
    assert read.body == {"status": said, "data": {}}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.InvalidRequestError),
        (401, errors.AuthenticationError),
        (403, errors.AuthenticationError),
        (404, errors.NotFoundError),
        (410, errors.NotFoundError),
        (418, errors.APIError),
        (422, errors.InvalidRequestError),
    ],
)
@pytest.mark.acceptance(22, "no-json-answer", 61, "unclear-refusal")
@pytest.mark.parametrize("body", [b"<html>no</html>", b'{"status":"failed","message":"no"}'])
def test_the_status_decides_where_no_code_came_and_only_of_a_read(
    status: int, kind: type[errors.APIError], body: bytes
) -> None:
    read = failing(answer(body, status), AVAILABLE)
    assert type(read) is kind
    assert read.outcome is Outcome.REJECTED
    # What moves money may have moved it before a proxy made a page of its own.
    for call in (CHARGE, DISBURSE):
        error = failing(answer(body, status), call)
        assert type(error) is errors.OutcomeUnknownError
        assert error.outcome is Outcome.UNKNOWN
        assert error.status == status


@pytest.mark.parametrize("status", [500, 503])
def test_5xx_says_nothing_even_in_json(status: int) -> None:
    error = failing(answer({"status": "failed", "message": "Oops"}, status), DISBURSE)
    assert type(error) is errors.OutcomeUnknownError


@pytest.mark.acceptance(24, "declined-payment")
@pytest.mark.parametrize("status", [200, 402, 500])
def test_a_declined_payment_is_a_result(status: int) -> None:
    body = charge(
        status="failed",
        message="Charge failed",
        transaction_status="failed",
        processor_response="Insufficient funds",
    )
    result = Story(answer(body, status)).run(CHARGE)
    assert result.is_declined
    assert not result.is_complete
    assert result.processor_response == "Insufficient funds"


@pytest.mark.acceptance(61, "unclear-refusal")
def test_failed_without_a_payment_is_not_known() -> None:
    bare = answer({"status": "failed", "message": "An error occured. Please contact support"})
    for call in (CHARGE, DISBURSE):
        error = failing(bare, call)
        assert type(error) is errors.OutcomeUnknownError
        assert "An error occured" in str(error)
    assert type(failing(bare, AVAILABLE)) is errors.APIError


@pytest.mark.acceptance(25, "unseen-status")
@pytest.mark.parametrize(
    "word", ["successfull", "SUCCESSFUL", "Successful", "paid", "complete", ""]
)
def test_a_status_never_seen_is_kept_and_never_paid(word: str) -> None:
    result = Story(answer(charge(transaction_status=word))).run(CHARGE)
    assert result.transaction_status == word
    assert not result.is_complete
    assert not result.transaction_status.is_known

    assert result.standing is Standing.UNKNOWN
    assert not result.is_declined

    body = {"status": "success", "data": {"id": "dgs_1", "status": word}}
    found = Story(answer(body)).run(AVAILABLE)
    assert found.status == word
    assert not found.is_paid
    assert not found.is_settled


@pytest.mark.acceptance(26, "odd-fields")
def test_unknown_fields_are_kept_and_missing_ones_are_none() -> None:
    result = Story(answer(b'{"status":"success","dgs_reference":"d","new":{"a":[1.50]}}')).run(
        CHARGE
    )
    assert result.extra == {"new": {"a": [Decimal("1.50")]}}
    assert result.amount is None
    assert result.transaction_status is None


@pytest.mark.acceptance(26, "odd-fields")
@pytest.mark.parametrize(
    "body", [{"status": "success"}, {"status": "success", "dgs_reference": None}]
)
def test_a_charge_without_a_reference_is_unreadable_and_unknown(body: JSONObject) -> None:
    error = failing(answer(body), CHARGE)
    assert isinstance(error, errors.DecodeError)
    assert isinstance(error, errors.OutcomeUnknownError)
    assert error.outcome is Outcome.UNKNOWN
    assert error.path == "dgs_reference"
    assert error.attempts == 1


@pytest.mark.acceptance(27, "exact-values")
@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b'{"status":"success","dgs_reference":5}', "dgs_reference"),
        (b'{"status":null,"dgs_reference":"d"}', "status"),
        (b'{"status":"success","dgs_reference":"d","amount":"12,5"}', "amount"),
        (b'{"status":"success","dgs_reference":"d","amount":true}', "amount"),
        (b'{"status":"success","dgs_reference":"d","amount":1e20}', "amount"),
        (b'{"status":"success","dgs_reference":"d","transaction_status":1}', "transaction_status"),
    ],
)
def test_nothing_is_coerced(body: bytes, path: str) -> None:
    error = failing(answer(body), CHARGE)
    assert isinstance(error, errors.DecodeError)
    assert error.path == path


HOSTILE = {
    "NaN": b'{"status":"success","dgs_reference":"d","amount":NaN}',
    "Infinity": b'{"status":"success","dgs_reference":"d","amount":-Infinity}',
    "1e400": b'{"status":"success","dgs_reference":"d","amount":1e400}',
    "1e-400": b'{"status":"success","dgs_reference":"d","amount":1e-400}',
    "duplicate": b'{"status":"success","status":"failed","dgs_reference":"d"}',
    "5000 digits": b'{"dgs_reference":"d","amount":' + b"7" * 5000 + b"}",
    "long fraction": b'{"dgs_reference":"d","amount":0.' + b"7" * 5000 + b"}",
    "200000 brackets": b"[" * 200_000,
    "200000 objects": b'{"a":' * 200_000,
    "bad utf-8": b'{"dgs_reference":"\xff\xfe"}',
    "lone surrogate": b'{"status":"success","dgs_reference":"d","message":"\\ud800"}',
    "surrogate key": b'{"status":"success","dgs_reference":"d","x":[{"\\uDc00":1}]}',
    "null": b"null",
    "array": b"[]",
    "string": b'"x"',
    "number": b"1",
    "two values": b"{} {}",
    "nul": b"\x00",
    "utf-16": '{"status":"success"}'.encode("utf-16"),
}


@pytest.mark.acceptance(28, "hostile-json")
@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_json_is_a_decode_error_and_nothing_else(body: bytes) -> None:
    for call in (CHARGE, DISBURSE):
        error = failing(answer(body), call)
        assert isinstance(error, errors.DecodeError)
        assert isinstance(error, errors.OutcomeUnknownError)
        assert error.outcome is Outcome.UNKNOWN
    read = failing(answer(body), AVAILABLE)
    assert type(read) is errors.DecodeError
    assert "nothing changed" in str(read)


def test_a_whole_surrogate_pair_is_text_like_any_other() -> None:
    body = b'{"status":"success","dgs_reference":"d","message":"\\ud83d\\ude00"}'
    assert Story(answer(body)).run(CHARGE).message == "\N{GRINNING FACE}"


def test_a_byte_order_mark_does_no_harm() -> None:
    assert parse_json(b"\xef\xbb\xbf{}") == {}


@pytest.mark.acceptance(27, "exact-values")
def test_amounts_are_the_same_exact_decimal_in_every_form() -> None:
    for text in (b'"500.00"', b"500", b"500.00", b"5e2"):
        result = Story(
            answer(b'{"status":"success","dgs_reference":"d","amount":' + text + b"}")
        ).run(CHARGE)
        assert result.amount == Decimal(500)
        assert type(result.amount) is Decimal
    exact = Story(answer(b'{"status":"success","dgs_reference":"d","amount":0.1}')).run(CHARGE)
    assert exact.amount == Decimal("0.1")


@pytest.mark.acceptance(13, "redirect")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_no_answer(status: int) -> None:
    story = Story(answer(b"", status, location="https://evil.example/?k=sk_test_x"))
    with pytest.raises(errors.OutcomeUnknownError) as caught:
        story.run(DISBURSE)
    assert caught.value.status == status
    assert "evil" not in str(caught.value)
    assert len(story.requests) == 1


def test_a_message_of_the_server_cannot_carry_secrets_or_control_characters() -> None:
    error = failing(
        answer(
            {
                "error_code": "91",
                "echo": ["the-key"],
                "message": "the-key sk_live_123\x1b[31m\nnext " + "x" * 900,
            }
        ),
        DISBURSE,
    )
    assert "sk_live" not in str(error)
    assert "the-key" not in repr(vars(error))
    assert "\x1b" not in str(error)
    assert "\n" not in str(error)
    assert len(str(error)) < 900


def test_secret_fields_in_an_answer_are_masked() -> None:
    error = failing(
        answer({"error_code": "90", "received": {"auth_otp": "123456", "card_nonce": "x"}}),
        DISBURSE,
    )
    assert isinstance(error, errors.APIError)
    assert error.body == {"error_code": "90", "received": {"auth_otp": "***", "card_nonce": "***"}}


def test_errors_survive_a_pickle() -> None:
    error = failing(answer(charge(), 400), CHARGE)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)


@pytest.mark.parametrize("shape", ["data", "transaction", "flat"])
def test_a_transaction_is_found_in_every_shape_that_is_certain(shape: str) -> None:
    record = {
        "id": "u1",
        "dgs_reference": "dgs_1",
        "amount": 100,
        "currency": "USD",
        "status": "success",
        "payment_method_type": "card",
        "created_at": "2026-04-03 11:00:00",
    }
    body = record if shape == "flat" else {"status": "success", shape: record}
    assert Story(answer(body)).run(AVAILABLE).status is PaymentStatus.SUCCESSFUL


@pytest.mark.acceptance(24, "declined-payment")
@pytest.mark.parametrize("name", ["data", "transaction"])
@pytest.mark.parametrize("field", ["status", "transaction_status"])
def test_a_look_up_that_says_failed_as_its_payment_does_is_a_result(name: str, field: str) -> None:
    record = {"id": "u1", "dgs_reference": "dgs_1", field: "failed"}
    found = Story(answer({"status": "failed", name: record})).run(AVAILABLE)
    assert found.status is PaymentStatus.FAILED

    nothings: list[Any] = [{}, [], None, "no such thing", {"id": "u1"}]
    for nothing in nothings:
        error = failing(answer({"status": "failed", "message": "no", name: nothing}), AVAILABLE)
        assert type(error) is errors.APIError


def test_the_envelopes_success_is_never_the_payments() -> None:
    flat = {"status": "success", "dgs_reference": "dgs_1", "transaction_status": "pending"}
    assert Story(answer(flat)).run(AVAILABLE).status is PaymentStatus.PENDING
    record = {"id": "dgs_1", "status": "success", "transaction_status": "failed"}
    inner = Story(answer({"status": "success", "data": record})).run(AVAILABLE)
    assert inner.status is PaymentStatus.FAILED
    # Within the record both words are about the payment, and contradict each other.
    assert inner.contradiction == "transaction_status is 'failed' and status is 'success'"
    assert not inner.is_paid
    assert not inner.is_settled
    uncertain: list[JSONObject] = [
        {"status": "success", "dgs_reference": "dgs_1", "amount": 5},
        {"status": "success", "id": "t1", "dgs_reference": "dgs_1", "payment_status": "pending"},
    ]
    for body in uncertain:
        assert isinstance(failing(answer(body), AVAILABLE), errors.DecodeError)


def test_a_failed_transaction_is_found_not_raised() -> None:
    flat = {"id": "dgs_1", "status": "failed", "transaction_status": "failed"}
    assert Story(answer(flat)).run(AVAILABLE).status is PaymentStatus.FAILED
    error = failing(code("92", 404), AVAILABLE)
    assert isinstance(error, errors.NotFoundError)

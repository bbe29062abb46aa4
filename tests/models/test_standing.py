"""The one rule for "paid", by itself and on every model that uses it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest

from dgspay.api import charges, transactions
from dgspay.core.operation import Repeat
from dgspay.errors import DecodeError, WaitTimeoutError
from dgspay.models.charges import Charge
from dgspay.models.enums import CallStatus, ConversionStatus, PaymentStatus
from dgspay.models.standing import (
    Standing,
    Statement,
    all_said,
    contradiction_in,
    normalized,
    standing_of,
    statement_of_event,
    statements,
)
from dgspay.models.transactions import Transaction
from dgspay.webhooks.events import read_event
from tests.support.scripted_server import Story, answer, operation

PAID, FAILED, PENDING, UNKNOWN = Standing


def short(value: object) -> str:
    """What a test is named after: some answers here have thousands of fields."""
    return repr(value)[:80]


# What stands beside a success in the payment's own record, and takes the payment back.
SAYS_OTHERWISE: list[dict[str, Any]] = [
    *({"transaction_status": word} for word in ("failed", "FAILED", " failed\n", "Pending")),
    *({"transaction_status": word} for word in ("successfull", "reversed", "", "SUCCESSFUL")),
    {"transaction_status": 1},
    {"transaction_status": []},
    *({field: "failed"} for field in ("payment_status", "conversion_status", "transfer_status")),
    *({"next_action_type": word} for word in ("requires_otp", "redirect_url", "none")),
    {"next_action": {"type": "requires_pin"}},
    {"next_action_redirect_url": "https://bank.example/3ds"},
    *({"error_code": code} for code in ("90", "99", "E1")),
    {"error_code": 51},
    {"error_code": ["x"]},
    {"fail_reason": "Invalid account details"},
    *({"issuer_response_type": word} for word in ("declined", "Declined ", "rejected")),
    {"data": {"status": "failed"}},
    {"transaction": {"transaction_status": "pending"}},
    {"data": {"payment": {"charge": {"status": "failed"}}}},
    {"data": {"data": {"data": {"data": {"data": {"data": {"status": "failed"}}}}}}},
    # In arrays, under other names, in other objects, by a word alone.
    *({"data": [{"status": word}]} for word in ("failed", "pending", "SUCCESS")),
    {"transactions": [[{"status": "success"}], [{"transaction_status": "failed"}]]},
    {"transactionStatus": "failed"},
    {"Transaction-Status": "FAILED"},
    {"data": {"STATUS": "failed"}},
    {"nextActionType": "requires_pin"},
    {"errorCode": "90"},
    {"failReason": "no such account"},
    {"details": {"provider": [{"transaction_status": "failed"}]}},
    {"result": {"status": "pending"}},
    {"payment": "failed"},
    *({"success": word} for word in (False, "false", " FALSE")),
    *({"error_code": code} for code in ("X0", "0" * 1_001)),
    {"error": {"message": "declined"}},
    *({"issuer_response_type": word} for word in ("soft_decline", ["declined"])),
    {"issuer_response": {"type": "declined"}},
    # Another payment.
    {"dgs_reference": "d1", "payment": {"dgs_reference": "d2", "status": "successful"}},
    {"data": [{"dgsReference": "d1"}, {"dgs_reference": "d2"}]},
    # More than is looked at.
    {"lines": [{}] * 6000},
]
# What stands beside a success, and takes nothing back.
SAYS_NOTHING: list[dict[str, Any]] = [
    {},
    {"transaction_status": None, "next_action_type": None, "error_code": None, "data": None},
    {"next_action_type": "", "next_action": {}, "next_action_redirect_url": ""},
    *({"error_code": code} for code in ("00", "0", "")),
    {"error_code": 0},
    {"error_code": False},
    {"error_code": []},
    {"error_code": "0" * 1_000},
    {"fail_reason": " ", "success": "true", "issuer_response": "approved"},
    # What is empty is no name of another payment.
    {"dgs_reference": None, "data": {"dgs_reference": "d1"}},
    {"dgs_reference": " ", "data": [{"dgs_reference": []}, {"dgs_reference": "d1"}]},
    {"fail_reason": None, "issuer_response_type": "approved", "issuer_response_code": "00"},
    {"processor_response": "Approved", "settlement_status": "pending"},
    {"data": {"status": "success"}, "transaction": {"transaction_status": "successful"}},
    {"customer": {"status": "failed"}, "payment_link": {"status": "archived"}},
    {"recent_charges": [{"status": "failed"}], "attempts": [{"transaction_status": "failed"}]},
    {"metadata": {"transaction_status": "failed", "dgs_reference": "d2"}},
    {"dgs_reference": "D1", "data": [{"status": "success", "dgs_reference": "d1"}]},
    {"success": True, "error": None, "errors": [], "transaction": "t1", "payment": 5},
    {"details": {"status": "failed", "success": False}},
]


def standing(said: dict[str, Any], *, is_record: bool = True) -> Standing:
    return standing_of(statements(said, is_record=is_record))


@pytest.mark.acceptance(60, "one-rule-for-paid")
@pytest.mark.parametrize("beside", SAYS_OTHERWISE, ids=short)
def test_what_says_otherwise_leaves_a_success_neither_paid_nor_failed(
    beside: dict[str, Any],
) -> None:
    said = {"status": "success", **beside}
    assert standing(said) is UNKNOWN
    assert contradiction_in(statements(said, is_record=True)) is not None


@pytest.mark.acceptance(60, "one-rule-for-paid")
@pytest.mark.parametrize("beside", SAYS_NOTHING, ids=short)
def test_what_says_nothing_leaves_a_success_paid(beside: dict[str, Any]) -> None:
    said = {"status": "success", **beside}
    assert standing(said) is PAID
    assert contradiction_in(statements(said, is_record=True)) is None


@pytest.mark.acceptance(60, "one-rule-for-paid")
@pytest.mark.parametrize("alone", [{"fail_reason": "x"}, {"data": {"error_code": "90"}}], ids=short)
def test_a_reason_alone_is_no_failure(alone: dict[str, Any]) -> None:
    assert standing({"status": "success", **alone}, is_record=False) is UNKNOWN
    assert standing({"status": "failed", **alone}, is_record=False) is FAILED


@pytest.mark.acceptance(25, "unseen-status", 60, "one-rule-for-paid")
@pytest.mark.parametrize(
    ("word", "means"),
    [
        ("successful", PAID),
        ("success", PAID),
        ("SUCCESSFUL", UNKNOWN),
        ("successful ", UNKNOWN),
        ("successfull", UNKNOWN),
        ("paid", UNKNOWN),
        ("completed", UNKNOWN),
        ("failed", FAILED),
        ("FAILED", FAILED),
        (" Failed\t", FAILED),
        ("failure", UNKNOWN),
        ("pending", PENDING),
        ("PENDING", PENDING),
        ("processing", PENDING),
        ("reversed", UNKNOWN),
        ("", UNKNOWN),
        (None, UNKNOWN),
        (1, UNKNOWN),
        (True, UNKNOWN),
    ],
)
def test_what_a_word_means_by_itself(word: object, means: Standing) -> None:
    assert standing({"status": word}) is means
    assert standing({"transaction_status": word}, is_record=False) is means


@pytest.mark.acceptance(24, "declined-payment", 60, "one-rule-for-paid")
@pytest.mark.parametrize(
    ("status", "payment", "means"),
    [
        # On top of an answer, success says only that the call was taken.
        ("success", None, UNKNOWN),
        ("success", "successful", PAID),
        ("success", "pending", PENDING),
        ("success", "failed", FAILED),
        ("Success", "successful", PAID),
        ("pending", None, PENDING),
        ("pending", "pending", PENDING),
        ("pending", "successful", UNKNOWN),
        ("pending", "failed", UNKNOWN),
        ("failed", None, FAILED),
        ("failed", "failed", FAILED),
        ("failed", "pending", UNKNOWN),
        *((word, "successful", UNKNOWN) for word in ("failed", "FAILED", "Failed", " failed ")),
        ("failed", "SUCCESSFUL", UNKNOWN),
        ("odd", "successful", UNKNOWN),
        ("odd", "failed", UNKNOWN),
        (None, "successful", PAID),
    ],
)
def test_a_status_on_top_of_an_answer(status: Any, payment: Any, means: Standing) -> None:
    said = {"status": status, "transaction_status": payment}
    assert standing(said, is_record=False) is means
    if status is None:
        return
    body = {"dgs_reference": "d", **{k: v for k, v in said.items() if v is not None}}
    call = operation(Repeat.CHARGE, read=charges._read_charge, failure_is_result=True)
    charge = Story(answer(body)).run(call)
    assert charge.standing is means
    assert (charge.is_complete, charge.is_declined) == (means is PAID, means is FAILED)


def failed_within(depth: int) -> dict[str, Any]:
    """A failure within so many objects."""
    nested: dict[str, Any] = {"status": "failed"}
    for _ in range(depth):
        nested = {"data": nested}
    return nested


def test_a_record_deeper_than_any_answer_has_one_is_left_alone() -> None:
    assert standing({"status": "success", **failed_within(100)}) is UNKNOWN
    assert standing({"status": "success", **failed_within(101)}) is PAID
    # The depth is counted anew for each of many that stand side by side within others.
    for depth, expected in ((96, UNKNOWN), (97, PAID)):
        beside: list[dict[str, Any]] = [{}] * 150
        records = [*beside, failed_within(depth)]
        assert (
            standing({"status": "success", "payment": {"payment": {"data": records}}}) is expected
        )


def test_five_thousand_values_are_looked_at_and_no_more_are_touched() -> None:
    taken: list[int] = []

    class Counted(list[dict[str, Any]]):
        def __iter__(self) -> Iterator[dict[str, Any]]:
            for index, item in enumerate(super().__iter__(), start=1):
                taken.append(index)
                yield item

    # Two fields, the array and what is in it.
    assert standing({"status": "success", "lines": Counted([{}] * 4_996)}) is PAID
    taken.clear()
    assert standing({"status": "success", "lines": Counted([{}] * 9_000)}) is UNKNOWN
    assert taken[-1] == 4_998
    assert standing({"status": "success", "lines": [*[{}] * 4_995, {"a": 1}]}) is UNKNOWN
    wide = {f"field {number}": 1.5 for number in range(4_998)}
    assert standing({"status": "success", **wide}) is PAID
    assert standing({"status": "success", **wide, "one more": 1}) is UNKNOWN
    more = Statement("more", UNKNOWN, UNKNOWN)
    assert statements({**wide, "status": "failed", "a": 1}) == [more]


def test_an_answer_about_two_payments_says_so() -> None:
    two = {"dgs_reference": "d1", "data": {"dgs_reference": "d2"}}
    assert statements(two) == [Statement("dgs_reference", UNKNOWN, UNKNOWN)]
    assert contradiction_in(statements({"transaction_status": "failed", **two})) == (
        "transaction_status is 'failed' and there is another reference"
    )


def test_a_field_may_come_in_two_spellings_and_a_name_that_is_no_text_means_nothing() -> None:
    said = {"transaction_status": "failed", "transactionStatus": {"a": 1}, 5: "pending"}
    assert [one.field for one in statements(said)] == ["transaction_status"] * 2  # type: ignore[arg-type]


def test_a_word_in_place_of_a_record_is_its_status() -> None:
    assert statements({"payment": "Failed"}) == [Statement("payment", FAILED, FAILED, "failed")]


def test_words_are_compared_without_case_and_spaces_and_only_words_are() -> None:
    assert normalized(" FAILED\n") == "failed"
    assert [normalized(value) for value in (None, 5)] == ["", ""]
    # Longer ones are no words, and left alone.
    assert (normalized("F" * 1_000), normalized("F" * 1_001)) == ("f" * 1_000, "F" * 1_001)


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ({"next_action_type": "requires_otp"}, PENDING),
        ({"next_action": {"type": "requires_pin"}}, PENDING),
        ({"next_action_redirect_url": "https://bank.example"}, PENDING),
        ({"error_code": "90"}, FAILED),
        ({"error": "no"}, FAILED),
        ({"errors": ["no"]}, FAILED),
        ({"fail_reason": "no"}, FAILED),
        ({"failure_reason": "no"}, FAILED),
        ({"issuer_response_type": "declined"}, FAILED),
        ({"issuer_response": "refused"}, FAILED),
        ({"success": False}, FAILED),
    ],
    ids=short,
)
def test_what_is_no_status_says_by_itself(said: dict[str, Any], means: Standing) -> None:
    (field,) = said
    assert statements(said) == [Statement(field, means, means)]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"next_action": "x"}, "there is a next action"),
        ({"error_code": "90"}, "there is an error code"),
        ({"errors": "x"}, "there is an error"),
        ({"failure_reason": "x"}, "there is a reason why it failed"),
        ({"issuer_response": "declined"}, "there is a decline of the issuer"),
        ({"success": False}, "there is no success"),
        ({"transaction_status": "FAILED "}, "transaction_status is 'failed'"),
        ({"transaction_status": "SUCCESS"}, "transaction_status is a word the guide does not have"),
    ],
    ids=short,
)
def test_a_contradiction_names_both_statements(said: dict[str, Any], words: str) -> None:
    text = contradiction_in(statements({"status": "success", "data": said}, is_record=True))
    assert text is not None
    assert {*text.split(" and ")} == {"status is 'success'", words}


def test_the_name_of_an_event_is_what_it_says() -> None:
    paid = Statement("event", PAID, PAID, "payment.success")
    assert statement_of_event("payment.success") == paid
    failed = Statement("event", FAILED, FAILED, "payment.failed")
    assert statement_of_event("payment.failed") == failed


def test_a_status_on_top_of_an_answer_is_marked_as_its_envelope() -> None:
    envelope = {"status": "failed", "data": {"status": "failed"}}
    assert [one.is_envelope for one in statements(envelope)] == [True, False]
    assert [one.is_envelope for one in statements(envelope, is_record=True)] == [False, False]


def test_all_that_a_model_holds_is_said_of_it() -> None:
    extra = {"error_code": "90", "status": "odd"}
    said = all_said(extra, status="failed", dgs_reference=None)
    assert said == {"error_code": "90", "status": "failed"}
    assert extra["status"] == "odd"


# --- one rule on every way to learn of a payment -------------------------------------------

ME = {"id": "t1", "dgs_reference": "dgs_1"}


def looked_up(beside: dict[str, Any]) -> Standing:
    body = {"status": "success", "data": {**ME, "status": "success", **beside}}
    return Story(answer(body)).run(transactions.retrieve("dgs_1")).standing


def looked_up_flat(beside: dict[str, Any]) -> Standing:
    # Beside a status of the payment, the one on top is not its own.
    body = {**ME, "amount": 1, "currency": "RWF", "payment_method_type": "card"}
    body |= {"created_at": "2026-04-03 11:00:00", "status": "success", **beside}
    return Story(answer(body)).run(transactions.retrieve("dgs_1")).standing


def said_above(beside: dict[str, Any]) -> Standing:
    beside.pop("data", None)
    body = {"status": "success", "data": {**ME, "status": "success"}, **beside}
    return Story(answer(body)).run(transactions.retrieve("dgs_1")).standing


def listed(beside: dict[str, Any]) -> Standing:
    body = {"status": "success", "data": [{**ME, "status": "success", **beside}]}
    return Story(answer(body)).run(transactions.list().fetch(1)).rows[0].standing


def waited_for(beside: dict[str, Any]) -> Standing:
    body = {"status": "success", "data": {**ME, "status": "success", **beside}}
    try:
        return Story(*[answer(body)] * 20).run(charges.wait("dgs_1", timeout=3)).standing
    except WaitTimeoutError:
        return UNKNOWN


def told_by_an_event(beside: dict[str, Any]) -> Standing:
    body = {"event": "payment.success", **ME, "amount": 5, "currency": "RWF", "status": "success"}
    return read_event(json.dumps(body | beside).encode()).standing


WAYS = [looked_up, looked_up_flat, said_above, listed, waited_for, told_by_an_event]
EVERYWHERE = [
    {"transaction_status": "pending"},
    {"transaction_status": "FAILED"},
    {"transaction_status": "reversed"},
    {"next_action_type": "requires_otp"},
    {"issuer_response_type": "declined"},
    {"fail_reason": "no such account"},
    {"transaction": {"status": "failed"}},
]


@pytest.mark.acceptance(60, "one-rule-for-paid")
@pytest.mark.parametrize("beside", EVERYWHERE, ids=short)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_every_way_to_learn_of_a_payment_has_the_same_rule(
    way: Callable[[dict[str, Any]], Standing], beside: dict[str, Any]
) -> None:
    try:
        found = way(dict(beside))
    except DecodeError:
        return
    if way is looked_up_flat:
        # Beside a status of the payment, the one on top says only that the call was taken.
        word = beside.get("transaction_status", beside.get("transaction", {}).get("status"))
        assert found is {"pending": PENDING, "FAILED": FAILED, "failed": FAILED}.get(word, UNKNOWN)
    else:
        assert found is UNKNOWN


@pytest.mark.acceptance(60, "one-rule-for-paid")
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_every_way_calls_paid_what_is(way: Callable[[dict[str, Any]], Standing]) -> None:
    assert way({}) is PAID
    assert way({"next_action_type": None, "error_code": "00", "transaction_status": None}) is PAID


@pytest.mark.acceptance(60, "one-rule-for-paid")
def test_a_wait_says_what_contradicts_what_once_its_time_is_up() -> None:
    body = {"status": "failed", "message": "reversed", "data": {**ME, "status": "success"}}
    story = Story(*[answer(body)] * 20)
    with pytest.raises(WaitTimeoutError) as caught:
        story.run(charges.wait("dgs_1", timeout=5))
    assert caught.value.message.startswith(
        "After 5 seconds it was still not known how the payment stands: status is 'failed' and "
        "status is 'success'. The payment may still succeed or fail"
    )
    last = caught.value.last
    assert (last.status, last.is_paid, last.is_settled) == (PaymentStatus.SUCCESSFUL, False, False)
    assert len(story.requests) > 2


@pytest.mark.acceptance(60, "one-rule-for-paid")
def test_a_wait_ends_once_the_contradiction_is_gone() -> None:
    bad = answer({"status": "failed", "data": {**ME, "status": "success"}})
    good = answer({"status": "success", "data": {**ME, "status": "success"}})
    assert Story(bad, bad, good).run(charges.wait("dgs_1")).is_paid


def test_words_of_the_server_are_not_repeated_unless_the_guide_has_them() -> None:
    said = {"status": "success", "transaction_status": "sk_live_4711"}
    text = contradiction_in(statements(said, is_record=True))
    assert text == "transaction_status is a word the guide does not have and status is 'success'"


def test_models_made_by_hand_have_the_rule_too() -> None:
    assert Transaction(status=PaymentStatus.SUCCESSFUL).is_paid
    settled = Transaction(status=PaymentStatus.FAILED)
    assert settled.is_settled
    assert not attrs.evolve(settled, contradiction="yes and no").is_settled
    assert not Transaction(
        status=PaymentStatus.SUCCESSFUL, extra={"next_action_type": "requires_pin"}
    ).is_paid
    assert Charge(
        status=CallStatus.ACCEPTED, dgs_reference="d", transaction_status=PaymentStatus.SUCCESSFUL
    ).is_complete


@pytest.mark.parametrize("word", ["failed", "FAILED", " Failed "])
def test_a_known_word_in_another_spelling_is_the_known_one(word: str) -> None:
    assert PaymentStatus(word) is PaymentStatus.FAILED
    assert ConversionStatus(word) is ConversionStatus.FAILED
    assert PaymentStatus("Pending") is PaymentStatus.PENDING
    assert not PaymentStatus("SUCCESSFUL").is_known

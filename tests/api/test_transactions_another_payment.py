"""An answer that is about another payment than the one asked about is no answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dgspay import BillingAddress, EncryptedPin
from dgspay.api import charges, transactions
from dgspay.core.operation import Operation
from dgspay.errors import DecodeError, Outcome, UndecodableOutcomeError, WaitTimeoutError
from tests.support.scripted_server import Story, answer

ANOTHER = {"id": "uuid-2", "dgs_reference": "dgs_2", "status": "success", "flw_reference": "flw_2"}
PIN = EncryptedPin(auth_pin_encrypted="7n0dbdlBD0SfjAvhr1FJlbderws=", auth_pin_nonce="9f8e7d6c5b4a")


def told(record: dict[str, Any]) -> Any:
    return answer({"status": "success", "data": record})


@pytest.mark.acceptance(22, "no-json-answer")
def test_transaction_that_was_not_asked_about_is_not_taken_for_the_one_that_was() -> None:
    with pytest.raises(DecodeError, match="another transaction"):
        Story(told(ANOTHER)).run(transactions.retrieve("dgs_1"))


@pytest.mark.acceptance(22, "no-json-answer")
def test_another_customers_payment_does_not_end_a_wait() -> None:
    mine = {**ANOTHER, "id": "uuid-1", "dgs_reference": "dgs_1", "status": "pending"}
    story = Story(told(mine), *[told(ANOTHER)] * 20)
    with pytest.raises(WaitTimeoutError) as caught:
        story.run(charges.wait("dgs_1", timeout=20))
    assert not caught.value.last.is_paid


@pytest.mark.parametrize("name", ["uuid-2", "UUID-2", "dgs_2", "flw_2", "77"])
def test_transaction_may_be_asked_for_by_any_name_it_shows(name: str) -> None:
    found = Story(told({**ANOTHER, "transaction_id": "77"})).run(transactions.retrieve(name))
    assert found.is_paid


@pytest.mark.acceptance(60, "one-rule-for-paid")
@pytest.mark.parametrize("left_out", [{"id"}, {"dgs_reference"}, {"id", "dgs_reference"}])
def test_transaction_that_does_not_show_the_name_it_was_asked_for_by_is_not_known(
    left_out: set[str],
) -> None:
    record = {name: value for name, value in ANOTHER.items() if name not in left_out}
    with pytest.raises(DecodeError, match="another transaction"):
        Story(told(record)).run(transactions.retrieve("dgs_1"))


@pytest.mark.acceptance(60, "one-rule-for-paid")
@pytest.mark.parametrize("names", [{}, {"id": None, "dgs_reference": ""}, {"id": True}])
def test_transaction_without_any_name_is_not_known(names: dict[str, Any]) -> None:
    with pytest.raises(DecodeError, match="does not say which transaction"):
        Story(told({"status": "success", **names})).run(transactions.retrieve("dgs_1"))
    story = Story(*[told({"status": "success", **names})] * 20)
    with pytest.raises(WaitTimeoutError, match="the last look-up failed"):
        story.run(charges.wait("dgs_1", timeout=20))


@pytest.mark.acceptance(60, "one-rule-for-paid")
def test_name_may_stand_above_the_record_and_must_not_be_another_there() -> None:
    record = {"status": "success", "amount": 5}
    above = {"status": "success", "dgs_reference": "dgs_1"}
    found = Story(answer({**above, "data": record})).run(transactions.retrieve("dgs_1"))
    assert found.is_paid
    other = {**record, "id": "dgs_1", "dgs_reference": "dgs_2"}
    with pytest.raises(DecodeError, match="another transaction"):
        Story(answer({**above, "data": other})).run(transactions.retrieve("dgs_1"))


@pytest.mark.parametrize("field", ["narration", "processor_response", "payment_link_id"])
def test_what_is_no_name_of_a_transaction_does_not_name_it(field: str) -> None:
    with pytest.raises(DecodeError, match="another transaction"):
        Story(told({**ANOTHER, field: "dgs_1"})).run(transactions.retrieve("dgs_1"))


AUTHORIZE: dict[str, Callable[[str], Operation[Any]]] = {
    "pin": lambda reference: charges.authorize_pin(reference, PIN),
    "otp": lambda reference: charges.authorize_otp(reference, "123456"),
    "avs": lambda reference: charges.authorize_avs(
        reference, BillingAddress(line1="KG 11 Ave", country="RW")
    ),
}
PAID = answer({"status": "success", "dgs_reference": "dgs_2", "transaction_status": "successful"})


@pytest.mark.acceptance(22, "no-json-answer")
@pytest.mark.parametrize("authorize", AUTHORIZE.values(), ids=AUTHORIZE)
def test_authorization_answered_with_another_payment_is_unknown(
    authorize: Callable[[str], Operation[Any]],
) -> None:
    with pytest.raises(UndecodableOutcomeError, match="another payment") as caught:
        Story(PAID).run(authorize("dgs_1"))
    assert (caught.value.outcome, caught.value.attempts) == (Outcome.UNKNOWN, 1)
    assert Story(PAID).run(authorize("dgs_2")).is_complete

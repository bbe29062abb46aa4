"""An answer that is about another payment than the one asked about is no answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dgspay import BillingAddress, EncryptedPin
from dgspay.api import charges, transactions
from dgspay.core.operation import Operation
from dgspay.errors import DecodeError, Outcome, UndecodableOutcomeError, WaitTimeoutError
from tests.core.story import Story, answer

ANOTHER = {"id": "uuid-2", "dgs_reference": "dgs_2", "status": "success", "flw_reference": "flw_2"}
PIN = EncryptedPin(auth_pin_encrypted="7n0dbdlBD0SfjAvhr1FJlbderws=", auth_pin_nonce="9f8e7d6c5b4a")


def told(record: dict[str, Any]) -> Any:
    return answer({"status": "success", "data": record})


@pytest.mark.acceptance(22)
def test_transaction_that_was_not_asked_about_is_not_taken_for_the_one_that_was() -> None:
    with pytest.raises(DecodeError, match="another transaction"):
        Story(told(ANOTHER)).run(transactions.retrieve("dgs_1"))


@pytest.mark.acceptance(22)
def test_payment_of_somebody_else_does_not_end_a_wait() -> None:
    mine = {**ANOTHER, "id": "uuid-1", "dgs_reference": "dgs_1", "status": "pending"}
    story = Story(told(mine), *[told(ANOTHER)] * 20)
    with pytest.raises(WaitTimeoutError) as caught:
        story.run(charges.wait("dgs_1", timeout=20))
    assert not caught.value.last.is_paid


@pytest.mark.parametrize("name", ["uuid-2", "UUID-2", "dgs_2", "flw_2", "77"])
def test_transaction_may_be_asked_for_by_any_name_it_shows(name: str) -> None:
    found = Story(told({**ANOTHER, "transaction_id": "77"})).run(transactions.retrieve(name))
    assert found.is_paid


@pytest.mark.parametrize("left_out", ["id", "dgs_reference"])
def test_transaction_that_does_not_show_all_its_names_is_believed(left_out: str) -> None:
    record = {name: value for name, value in ANOTHER.items() if name != left_out}
    assert Story(told(record)).run(transactions.retrieve("dgs_1")).is_paid


AUTHORIZE: dict[str, Callable[[str], Operation[Any]]] = {
    "pin": lambda reference: charges.authorize_pin(reference, PIN),
    "otp": lambda reference: charges.authorize_otp(reference, "123456"),
    "avs": lambda reference: charges.authorize_avs(
        reference, BillingAddress(line1="KG 11 Ave", country="RW")
    ),
}
PAID = answer({"status": "success", "dgs_reference": "dgs_2", "transaction_status": "successful"})


@pytest.mark.acceptance(22)
@pytest.mark.parametrize("authorize", AUTHORIZE.values(), ids=AUTHORIZE)
def test_authorization_answered_with_another_payment_is_unknown(
    authorize: Callable[[str], Operation[Any]],
) -> None:
    with pytest.raises(UndecodableOutcomeError, match="another payment") as caught:
        Story(PAID).run(authorize("dgs_1"))
    assert (caught.value.outcome, caught.value.attempts) == (Outcome.UNKNOWN, 1)
    assert Story(PAID).run(authorize("dgs_2")).is_complete

"""What a person may put right: only what can still be the payment of the order."""

from __future__ import annotations

import pytest

from dgspay.checkout import Order, ProblemKind
from tests.checkout.conftest import Shop
from tests.checkout.test_journal import event


def paid_late(shop: Shop) -> Order:
    """Return a cancelled order that was paid all the same."""
    shop.open()
    reference = shop.pay().attempts[0].dgs_reference or ""
    shop.checkout.cancel("A-1")
    shop.emulator.approve(reference)
    shop.deliver()
    order = shop.checkout.order("A-1")
    assert [problem.kind for problem in order.open_problems] == [ProblemKind.PAID_LATE]
    return order


def test_what_goes_back_to_the_payer_is_not_accepted_as_the_payment_too(shop: Shop) -> None:
    (problem,) = paid_late(shop).open_problems
    shop.checkout.refund("A-1")
    with pytest.raises(ValueError, match=r"refund 1 .* pays attempt 1 back, and is pending"):
        shop.checkout.resolve("A-1", problem=problem.key, accept=True, reason="he waits")
    assert not shop.checkout.order("A-1").is_paid
    assert not shop.paid


def test_a_problem_that_is_no_payment_cannot_be_accepted_as_one(shop: Shop) -> None:
    paid_late(shop)
    shop.emulator.faults.lose_answer("POST /disburse")
    shop.checkout.refund("A-1")
    held = shop.checkout.order("A-1").open_problems[-1]
    assert held.kind is ProblemKind.REFUND_HELD
    with pytest.raises(ValueError, match="refund_held: only what was paid late"):
        shop.checkout.resolve("A-1", problem=held.key, accept=True, reason="he waits")
    assert not shop.paid


def test_a_problem_is_resolved_once_and_its_reason_stays(shop: Shop) -> None:
    (problem,) = paid_late(shop).open_problems
    shop.checkout.resolve("A-1", problem=problem.key, reason="paid back by bank transfer")
    with pytest.raises(ValueError, match="was resolved before: paid back by bank transfer"):
        shop.checkout.resolve("A-1", problem=problem.key, accept=True, reason="he waits")
    assert not shop.paid
    assert shop.checkout.order("A-1").problems[0].resolution == "paid back by bank transfer"


def test_a_payment_that_went_back_cannot_be_called_the_payment_by_its_attempt(shop: Shop) -> None:
    shop.open()
    reference = shop.pay().attempts[0].dgs_reference or ""
    shop.checkout.receive(*event(shop, "payment.success", reference, amount=200))
    shop.checkout.refund("A-1", attempt=1)
    with pytest.raises(ValueError, match=r"refund 1 .* pays attempt 1 back"):
        shop.checkout.resolve("A-1", attempt=1, paid=True, reason="portal")
    assert not shop.checkout.order("A-1").is_paid
    assert not shop.paid


def test_nothing_is_accepted_as_the_payment_of_an_order_that_is_paid(shop: Shop) -> None:
    shop.open()
    for _ in range(2):
        shop.pay()
        shop.clock.advance(301)
    shop.checkout.cancel("A-1")
    for transaction in shop.emulator.transactions:
        shop.emulator.approve(transaction.dgs_reference)
    shop.deliver()
    first, second = shop.checkout.order("A-1").open_problems
    shop.checkout.resolve("A-1", problem=first.key, accept=True, reason="the customer waits")
    with pytest.raises(ValueError, match="is paid: refund attempt 2"):
        shop.checkout.resolve("A-1", problem=second.key, accept=True, reason="the customer waits")
    assert [one.key for one in shop.checkout.order("A-1").open_problems] == [second.key]

"""Refunds: never more than was paid, one at a time, held when their answer is lost."""

from __future__ import annotations

import json
import threading
from decimal import Decimal

import pytest

from dgspay import BankRecipient, errors, webhooks
from dgspay.checkout import ProblemKind, Refund, RefundError, RefundState
from tests.checkout.conftest import Shop


def pay(shop: Shop, amount: int = 2000) -> None:
    shop.open(amount=amount)
    shop.emulator.approve(shop.pay().attempts[0].dgs_reference or "")
    shop.deliver()


def test_a_refund_is_never_more_than_what_was_paid(shop: Shop) -> None:
    pay(shop)
    refund = shop.checkout.refund("A-1", amount=1200)
    assert refund.state is RefundState.PENDING
    with pytest.raises(RefundError, match="may reach the payer"):
        shop.checkout.refund("A-1", amount=800)
    shop.emulator.settle()
    shop.deliver()
    order = shop.checkout.order("A-1")
    assert order.refunds[0].state is RefundState.PAID
    with pytest.raises(RefundError, match="more than the 800 RWF"):
        shop.checkout.refund("A-1", amount=1200)


@pytest.mark.acceptance(90, "racing-refunds")
def test_a_refund_whose_answer_was_lost_is_held(shop: Shop) -> None:
    pay(shop)
    shop.emulator.faults.lose_answer("POST /disburse")
    refund = shop.checkout.refund("A-1")
    assert refund.state is RefundState.IN_DOUBT
    assert [each.kind for each in shop.problems] == [ProblemKind.REFUND_HELD]
    shop.emulator.settle()
    shop.deliver()
    order = shop.checkout.order("A-1")
    assert order.refunds[0].state is RefundState.PAID
    assert not order.open_problems


@pytest.mark.acceptance(90, "racing-refunds")
def test_of_two_refunds_at_once_one_is_refused(shop: Shop) -> None:
    pay(shop, 100_000)
    shops = [shop.again() for _ in range(4)]
    ready = threading.Barrier(len(shops))
    made: list[Refund] = []
    refused: list[RefundError] = []

    def press(one: Shop) -> None:
        ready.wait()
        try:
            made.append(one.checkout.refund("A-1", amount=60_000))
        except RefundError as error:
            refused.append(error)

    threads = [threading.Thread(target=press, args=(one,)) for one in shops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in shops:
        one.checkout.close()
    assert (len(made), len(refused)) == (1, 3)
    assert len(shop.emulator.disbursements) == 1


def test_as_much_as_before_is_paid_back_again_only_where_that_is_said(shop: Shop) -> None:
    pay(shop)
    shop.checkout.refund("A-1", amount=500)
    shop.emulator.settle()
    shop.deliver()
    with pytest.raises(RefundError, match="has paid back 500 RWF before"):
        shop.checkout.refund("A-1", amount=500)
    shop.checkout.refund("A-1", amount=500, again=True)
    shop.emulator.settle()
    shop.deliver()
    assert shop.checkout.order("A-1").refunded == 1000


def test_the_fee_is_paid_on_top_where_that_is_asked_for(shop: Shop) -> None:
    pay(shop)
    bank = BankRecipient(bank_key="bk_rw", account_number="100012345678", name="Jane Uwase")
    refund = shop.checkout.refund("A-1", amount=1000, fee=100, recipient=bank)
    assert (refund.amount, refund.gross) == (Decimal(1000), Decimal(1100))
    assert shop.emulator.disbursements[0].amount == Decimal(1100)


def test_the_second_payment_of_an_order_is_paid_back_and_its_problem_is_over(shop: Shop) -> None:
    shop.open()
    first = shop.pay().attempts[0]
    shop.clock.advance(301)
    second = shop.pay().attempts[1]
    for attempt in (first, second):
        shop.emulator.approve(attempt.dgs_reference or "")
    shop.deliver()
    (problem,) = shop.checkout.order("A-1").open_problems
    assert problem.kind is ProblemKind.PAID_TWICE
    shop.checkout.refund("A-1", attempt=problem.attempt)
    shop.emulator.settle()
    shop.deliver()
    order = shop.checkout.order("A-1")
    assert order.is_paid
    assert not order.open_problems


def test_what_was_not_paid_is_not_paid_back(shop: Shop) -> None:
    shop.open()
    shop.pay()
    with pytest.raises(RefundError, match="Nothing was sent"):
        shop.checkout.refund("A-1")
    assert not shop.emulator.disbursements


def test_a_refund_that_was_rejected_may_be_made_again(shop: Shop) -> None:
    pay(shop)
    shop.emulator.faults.fail_next("POST /disburse", error_code="90")
    with pytest.raises(errors.InvalidRequestError):
        shop.checkout.refund("A-1")
    assert shop.checkout.order("A-1").refunds[0].state is RefundState.FAILED
    assert shop.checkout.refund("A-1").number == 2


def test_a_person_says_how_a_held_refund_ended(shop: Shop) -> None:
    pay(shop)
    shop.emulator.faults.lose_request("POST /disburse")
    assert shop.checkout.refund("A-1").state is RefundState.IN_DOUBT
    with pytest.raises(RefundError, match="may reach the payer"):
        shop.checkout.refund("A-1")
    order = shop.checkout.resolve("A-1", refund=1, paid=False, reason="not in the portal")
    assert order.refunds[0].state is RefundState.FAILED
    assert not order.open_problems
    assert shop.checkout.refund("A-1").number == 2


@pytest.mark.acceptance(90, "racing-refunds")
def test_a_refund_whose_process_was_killed_is_reported_by_the_sweep(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """Nothing is written after it."""

    def killed(operation: object) -> None:
        raise Killed

    pay(shop)
    with monkeypatch.context() as patched:
        patched.setattr(shop.dgs, "execute", killed)
        with pytest.raises(Killed):
            shop.checkout.refund("A-1")
    assert shop.checkout.sweep(per_second=1000).in_doubt == 0
    for _ in range(3):
        shop.clock.advance(3601)
        shop.checkout.sweep(per_second=1000)
    assert [problem.kind for problem in shop.problems] == [ProblemKind.REFUND_HELD]
    order = shop.checkout.resolve("A-1", refund=1, paid=False, reason="not in the portal")
    assert not order.open_problems


def test_a_refund_that_stays_queued_for_too_long_is_reported_by_the_sweep(shop: Shop) -> None:
    pay(shop)
    shop.checkout.refund("A-1")
    for _ in range(3):
        shop.clock.advance(3601)
        shop.checkout.sweep(per_second=1000)
    assert [problem.kind for problem in shop.problems] == [ProblemKind.REFUND_HELD]
    shop.emulator.settle()
    shop.deliver()
    assert not shop.checkout.order("A-1").open_problems


@pytest.mark.parametrize("outcome", ["paid", "failed"])
def test_a_held_refund_of_a_part_is_no_problem_once_it_is_known_how_it_ended(
    shop: Shop, outcome: str
) -> None:
    pay(shop)
    shop.emulator.faults.lose_answer("POST /disburse")
    shop.checkout.refund("A-1", amount=500)
    reference = shop.emulator.disbursements[0].dgs_reference
    if outcome == "paid":
        shop.emulator.approve(reference)
    else:
        shop.emulator.decline(reference)
    shop.deliver()
    order = shop.checkout.order("A-1")
    assert order.refunds[0].state == outcome
    assert not order.open_problems


def test_what_was_paid_in_another_currency_is_not_paid_back_in_the_orders(shop: Shop) -> None:
    shop.open()
    reference = shop.pay().attempts[0].dgs_reference or ""
    body = json.dumps(
        {
            "event": "payment.success",
            "dgs_reference": reference,
            "amount": 2,
            "currency": "USD",
            "status": "successful",
        }
    ).encode()
    shop.checkout.receive(body, webhooks.sign(body, shop.emulator.webhook_secret))
    (problem,) = shop.checkout.order("A-1").open_problems
    order = shop.checkout.resolve("A-1", problem=problem.key, accept=True, reason="as agreed")
    assert order.is_paid
    assert order.collected == 0
    with pytest.raises(RefundError, match="was paid in USD"):
        shop.checkout.refund("A-1")
    assert not shop.emulator.disbursements


def test_a_refund_reported_with_another_amount_is_a_problem_and_not_taken_for_paid(
    shop: Shop,
) -> None:
    pay(shop)
    refund = shop.checkout.refund("A-1", amount=500)
    body = json.dumps(
        {
            "event": "disbursement.success",
            "dgs_reference": refund.dgs_reference,
            "amount": 5000,
            "currency": "RWF",
            "status": "successful",
        }
    ).encode()
    shop.checkout.receive(body, webhooks.sign(body, shop.emulator.webhook_secret))
    order = shop.checkout.order("A-1")
    assert order.refunds[0].state is RefundState.PENDING
    assert [problem.kind for problem in order.open_problems] == [ProblemKind.CONTRADICTED]
    assert "reports 5000 RWF" in order.open_problems[0].detail
    order = shop.checkout.resolve("A-1", refund=1, paid=True, reason="portal: 500 RWF")
    assert order.refunds[0].state is RefundState.PAID

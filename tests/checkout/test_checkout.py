"""Whole stories of an order, through the public names."""

from __future__ import annotations

import pytest

from dgspay import Scenario, errors
from dgspay.checkout import (
    AttemptState,
    OrderChangedError,
    OrderState,
    ProblemKind,
    RedirectRequired,
)
from tests.checkout.conftest import Shop


def test_an_order_is_paid_by_its_webhook_and_its_handler_runs_once(shop: Shop) -> None:
    order = shop.open()
    assert order.state is OrderState.OPEN
    order = shop.pay()
    assert order.state is OrderState.PAYING
    assert isinstance(order.next_action, RedirectRequired)
    shop.emulator.approve(order.attempts[0].dgs_reference or "")
    assert [answer.status for answer in shop.deliver()] == [200]
    order = shop.checkout.order("A-1")
    assert order.is_paid
    assert [each.id for each in shop.paid] == ["A-1"]
    assert order.told_at is not None
    shop.delivered = 0
    assert [answer.status for answer in shop.deliver()] == [200]
    assert len(shop.paid) == 1


@pytest.mark.acceptance(75, "double-click")
def test_a_double_click_gets_the_attempt_that_is_under_way(shop: Shop) -> None:
    shop.open()
    first, second = shop.pay(), shop.again().pay()
    assert [each.number for each in second.attempts] == [1]
    assert second.attempts == first.attempts
    assert len(shop.emulator.transactions) == 1


def test_a_lost_answer_is_settled_by_its_webhook(shop: Shop) -> None:
    shop.open()
    shop.emulator.faults.lose_answer("POST /charges")
    order = shop.pay()
    assert order.attempts[0].state is AttemptState.IN_DOUBT
    assert order.attempts[0].dgs_reference is None
    assert shop.pay().attempts == order.attempts
    shop.emulator.approve(shop.emulator.transactions[0].dgs_reference)
    shop.deliver()
    assert shop.checkout.order("A-1").is_paid
    assert len(shop.paid) == 1


def test_a_decline_leaves_the_order_open_for_another_attempt(shop: Shop) -> None:
    shop.open()
    order = shop.pay()
    shop.emulator.decline(order.attempts[0].dgs_reference or "")
    shop.deliver()
    order = shop.checkout.order("A-1")
    assert (order.state, order.attempts[0].state) == (OrderState.OPEN, AttemptState.FAILED)
    order = shop.pay()
    assert order.attempts[1].state is AttemptState.WAITING


@pytest.mark.acceptance(79, "paid-twice")
def test_two_attempts_that_were_both_paid_are_one_payment_and_a_problem(shop: Shop) -> None:
    shop.open()
    first = shop.pay().attempts[0]
    shop.clock.advance(301)
    second = shop.pay().attempts[1]
    shop.emulator.approve(second.dgs_reference or "")
    shop.emulator.approve(first.dgs_reference or "")
    shop.deliver()
    order = shop.checkout.order("A-1")
    assert order.is_paid
    assert len(shop.paid) == 1
    found = [(each.kind, each.order_id) for each in shop.problems]
    assert found == [(ProblemKind.PAID_TWICE, "A-1")]
    assert order.collected == 4000


@pytest.mark.acceptance(87, "other-terms")
def test_an_order_opened_again_with_other_terms_is_refused_naming_them(shop: Shop) -> None:
    shop.open()
    assert shop.open().id == "A-1"
    with pytest.raises(OrderChangedError, match="amount was 2000 and is 3000"):
        shop.open(amount=3000)


def test_a_card_goes_through_its_steps(shop: Shop) -> None:
    from dgspay.encryption import CardEncryptor

    encryptor = CardEncryptor(shop.emulator.encryption_key)
    card = encryptor.encrypt_card(
        number="4111111111111111", expiry_month="12", expiry_year="2030", cvv="123"
    )
    shop.open()
    order = shop.checkout.pay_by_card(
        "A-1", card, scenario=Scenario.card(auth="pin", issuer="approved")
    )
    attempt = order.attempts[0]
    assert attempt.state is AttemptState.WAITING
    order = shop.checkout.submit_pin(
        "A-1", encryptor.encrypt_pin("1234"), attempt=1, step=attempt.step
    )
    shop.deliver()
    assert shop.checkout.order("A-1").is_paid, order


def test_a_wrong_key_fails_the_attempt_and_is_raised(shop: Shop) -> None:
    shop.open()
    shop.emulator.faults.fail_next("POST /charges", error_code="91")
    with pytest.raises(errors.AuthenticationError):
        shop.pay()
    assert shop.checkout.order("A-1").state is OrderState.OPEN

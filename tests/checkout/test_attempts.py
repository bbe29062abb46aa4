"""Attempts: begun once, taken through their steps once, and looked up."""

from __future__ import annotations

import inspect
import threading
from pathlib import Path
from typing import Literal

import pytest

from dgspay import BillingAddress, EncryptedCard, Scenario
from dgspay.checkout import (
    AttemptState,
    Order,
    OrderClosedError,
    OrdersError,
    OrderState,
    StepOverError,
    StepUnknown,
    UnknownOrderError,
)
from dgspay.checkout.order import AddressRequired, PinRequired
from dgspay.encryption import CardEncryptor
from tests.checkout.conftest import Shop, make_shop


@pytest.fixture
def encryptor(shop: Shop) -> CardEncryptor:
    return CardEncryptor(shop.emulator.encryption_key)


@pytest.fixture
def card(encryptor: CardEncryptor) -> EncryptedCard:
    return encryptor.encrypt_card(
        number="4111111111111111", expiry_month="12", expiry_year="2030", cvv="123"
    )


def pay_by_card(shop: Shop, card: EncryptedCard, auth: Literal["pin", "avs"] = "pin") -> Order:
    return shop.checkout.pay_by_card(
        "A-1", card, scenario=Scenario.card(auth=auth, issuer="approved")
    )


@pytest.mark.acceptance(75, "double-click")
def test_clicks_at_the_same_moment_in_several_processes_are_one_prompt(shop: Shop) -> None:
    shop.open()
    shops = [shop.again() for _ in range(4)]
    ready = threading.Barrier(len(shops))
    found: list[Order] = []

    def click(one: Shop) -> None:
        ready.wait()
        found.append(one.pay())

    threads = [threading.Thread(target=click, args=(one,)) for one in shops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in shops:
        one.checkout.close()
    assert len(shop.emulator.transactions) == 1
    assert {len(order.attempts) for order in found} == {1}


@pytest.mark.acceptance(76, "lost-charge-answer")
def test_a_second_try_within_the_lifetime_gets_the_attempt_whose_answer_was_lost(
    shop: Shop,
) -> None:
    shop.open()
    shop.emulator.faults.lose_answer("POST /charges")
    first = shop.pay()
    assert first.attempts[0].state is AttemptState.IN_DOUBT
    shop.clock.advance(299)
    assert shop.pay("A-1", "0789999999").attempts == first.attempts
    assert len(shop.emulator.transactions) == 1
    shop.emulator.approve(shop.emulator.transactions[0].dgs_reference)
    shop.deliver()
    assert shop.checkout.order("A-1").is_paid


def test_after_the_lifetime_a_new_attempt_begins_and_the_older_one_is_watched(shop: Shop) -> None:
    shop.open()
    shop.emulator.faults.lose_answer("POST /charges")
    shop.pay()
    shop.clock.advance(301)
    order = shop.pay()
    assert [one.is_under_way for one in order.attempts] == [False, True]
    shop.emulator.approve(shop.emulator.transactions[0].dgs_reference)
    shop.deliver()
    order = shop.checkout.order("A-1")
    assert order.is_paid
    assert order.attempts[0].state is AttemptState.PAID


def test_one_more_look_up_finds_that_the_first_prompt_was_approved(shop: Shop) -> None:
    shop.open()
    first = shop.pay().attempts[0]
    shop.emulator.approve(first.dgs_reference or "")  # its webhook is not delivered
    shop.clock.advance(301)
    order = shop.pay()
    assert order.is_paid
    assert len(order.attempts) == 1


def test_without_an_answer_to_that_look_up_no_second_prompt_is_sent(shop: Shop) -> None:
    shop.open()
    shop.pay()
    shop.clock.advance(301)
    shop.emulator.faults.bad_gateway("GET /transactions/{id}", times=10)
    assert len(shop.pay().attempts) == 1
    assert len(shop.emulator.transactions) == 1


@pytest.mark.acceptance(86, "code-sent-once")
def test_a_pin_is_sent_at_most_once(
    shop: Shop, card: EncryptedCard, encryptor: CardEncryptor
) -> None:
    shop.open()
    attempt = pay_by_card(shop, card).attempts[0]
    assert isinstance(attempt.next_action, PinRequired)
    pin = encryptor.encrypt_pin("1234")
    shop.checkout.submit_pin("A-1", pin, attempt=1, step=attempt.step)
    for attempt_number, step in ((1, attempt.step), (2, attempt.step), (1, attempt.step + 1)):
        with pytest.raises(StepOverError, match="Nothing was sent"):
            shop.checkout.submit_pin("A-1", pin, attempt=attempt_number, step=step)
    assert sum(one.operation == "POST /authorize" for one in shop.emulator.requests) == 1


def test_a_step_whose_answer_was_lost_is_looked_up_and_says_the_safe_way_on(
    shop: Shop, card: EncryptedCard, encryptor: CardEncryptor
) -> None:
    shop.open()
    pay_by_card(shop, card)
    shop.emulator.faults.lose_answer("POST /authorize")
    order = shop.checkout.submit_pin("A-1", encryptor.encrypt_pin("1234"), attempt=1, step=1)
    assert isinstance(order.next_action, StepUnknown)
    with pytest.raises(StepOverError):
        shop.checkout.submit_pin("A-1", encryptor.encrypt_pin("1234"), attempt=1, step=1)
    shop.clock.advance(31)
    shop.checkout.sweep(per_second=1000)
    assert shop.checkout.order("A-1").is_paid


def test_a_step_that_dgs_pay_did_not_take_is_asked_for_again(
    shop: Shop, card: EncryptedCard
) -> None:
    shop.open()
    attempt = pay_by_card(shop, card, "avs").attempts[0]
    assert isinstance(attempt.next_action, AddressRequired)
    shop.emulator.faults.too_many("POST /authorize", times=10)
    address = BillingAddress(line1="KN 4 Ave", country="RW")
    order = shop.checkout.submit_address("A-1", address, attempt=1, step=attempt.step)
    assert isinstance(order.next_action, AddressRequired)
    assert order.attempts[0].step == attempt.step + 1
    with pytest.raises(ValueError, match="otp must be"):
        shop.checkout.submit_otp("A-1", "!", attempt=1, step=attempt.step + 1)
    assert isinstance(shop.checkout.order("A-1").next_action, AddressRequired)


def test_what_is_wrong_with_the_arguments_leaves_no_attempt(shop: Shop) -> None:
    shop.open()
    with pytest.raises(ValueError, match="phone must be a Rwandan mobile number"):
        shop.pay("A-1", "0733")
    assert shop.checkout.order("A-1").state is OrderState.OPEN
    shop.checkout.open("USD", amount="10.50", currency="USD", customer=shop.open().customer)
    with pytest.raises(ValueError, match="currency must be RWF"):
        shop.pay("USD")
    assert not shop.checkout.order("USD").attempts
    with pytest.raises(UnknownOrderError, match="Nothing was sent"):
        shop.pay("none")


def test_a_cancelled_or_expired_order_takes_no_attempt(shop: Shop) -> None:
    shop.open()
    shop.checkout.cancel("A-1")
    with pytest.raises(OrderClosedError, match="is cancelled"):
        shop.pay()
    shop.open("A-2", expires=60)
    shop.clock.advance(61)
    with pytest.raises(OrderClosedError, match="time of order 'A-2' is over"):
        shop.pay("A-2")
    assert not shop.emulator.transactions


def test_after_the_time_of_an_order_no_attempt_replaces_one_that_is_stale(shop: Shop) -> None:
    shop.open(expires=60)
    shop.pay()
    shop.clock.advance(200)
    assert len(shop.pay().attempts) == 1
    shop.clock.advance(200)
    with pytest.raises(OrderClosedError, match="time of order 'A-1' is over"):
        shop.pay()
    assert len(shop.emulator.transactions) == 1


def test_an_order_whose_time_is_over_is_paid_by_the_last_look_up_for_another_attempt(
    shop: Shop,
) -> None:
    shop.open(expires=60)
    reference = shop.pay().attempts[0].dgs_reference or ""
    shop.emulator.approve(reference)
    shop.clock.advance(400)
    assert shop.pay().is_paid


def test_a_step_whose_answer_was_lost_late_is_looked_up_soon(
    shop: Shop, card: EncryptedCard, encryptor: CardEncryptor
) -> None:
    shop.open()
    pay_by_card(shop, card)
    for _ in range(8):
        shop.clock.advance(60)
        shop.checkout.sweep(per_second=1000)
    shop.emulator.faults.lose_answer("POST /authorize")
    shop.checkout.submit_pin("A-1", encryptor.encrypt_pin("1234"))
    shop.clock.advance(31)
    shop.checkout.sweep(per_second=1000)
    assert shop.checkout.order("A-1").is_paid


def test_a_code_is_in_no_frame_of_a_traceback(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tools that report errors show local variables."""

    def fail(*_: object, **__: object) -> object:
        raise OrdersError("the disk is full")

    order = shop.open()
    monkeypatch.setattr(shop.checkout._store, "run", fail)
    with pytest.raises(OrdersError) as raised:
        shop.checkout.submit_otp(order.id, "".join(["98", "76", "54"]))
    shown = [
        repr(frame.frame.f_locals)
        for frame in inspect.getinnerframes(raised.tb)
        if "/tests/" not in frame.filename
    ]
    assert shown
    assert not [text for text in shown if "987654" in text]


def test_two_shops_of_one_account_charge_equal_orders_each(shop: Shop, tmp_path: Path) -> None:
    other = make_shop(shop.emulator, shop.dgs, tmp_path / "other.sqlite3", shop.clock)
    references = set()
    for each in (shop, other):
        each.open("1")
        references.add(each.pay("1").attempts[0].dgs_reference)
    assert len(references) == len(shop.emulator.transactions) == 2
    other.checkout.close()


@pytest.mark.acceptance(83, "killed-attempt")
def test_a_restored_store_charges_an_attempt_that_it_has_forgotten_under_the_same_key(
    shop: Shop,
) -> None:
    shop.open()
    shop.checkout.close()
    backup = shop.path.read_bytes()
    first = shop.pay()
    shop.checkout.close()
    shop.path.write_bytes(backup)
    again = shop.pay()
    assert again.attempts[0].dgs_reference == first.attempts[0].dgs_reference
    assert len(shop.emulator.transactions) == 1

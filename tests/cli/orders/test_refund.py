"""`dgspay orders refund`: how each refund ends, and what the exit code says of it."""

from __future__ import annotations

import contextlib
import json

import pytest

from dgspay import DGSPay
from dgspay.checkout import Checkout, SqliteOrders
from tests.cli.orders.conftest import JANE, Shop
from tests.cli.terminal import CommandLine


def test_a_refund_is_queued_and_no_second_one_is_made_beside_it(
    dgspay: CommandLine, shop: Shop
) -> None:
    shop.sell_and_be_paid()
    said = dgspay("orders", "refund", "A-1", "--amount", "500", "--note", "broken", "--json")
    assert said.code == 0, said.err
    made = json.loads(said.out)
    assert (made["amount"], made["state"], made["note"]) == (500, "pending", "broken")
    again = dgspay("orders", "refund", "A-1", "--amount", "300")
    assert again.code == 1
    assert "may reach the payer" in again.err
    assert len(shop.emulator.disbursements) == 1


def test_a_refund_whose_answer_was_lost_ends_with_5_and_says_how_to_resolve_it(
    dgspay: CommandLine, shop: Shop
) -> None:
    shop.sell_and_be_paid()
    shop.emulator.faults.lose_answer("POST /disburse")
    said = dgspay("orders", "refund", "A-1")
    assert said.code == 5
    assert "in doubt" in said.out
    assert "dgspay orders resolve A-1 --refund 1" in said.err
    assert dgspay("orders", "refund", "A-1").code == 1
    assert len(shop.emulator.disbursements) == 1
    listed = dgspay("orders", "problems")
    assert listed.code == 1
    assert "refund_held" in listed.out


def test_more_than_was_paid_and_an_unpaid_order_are_refused(
    dgspay: CommandLine, shop: Shop
) -> None:
    shop.sell_and_be_paid("A-1")
    shop.sell("A-2")
    assert dgspay("orders", "refund", "A-1", "--amount", "2001").code == 1
    assert dgspay("orders", "refund", "A-2").code == 1
    assert dgspay("orders", "refund", "A-3").code == 2
    assert dgspay("orders", "refund", "A-1", "--amount", "ten").code == 2
    assert dgspay("orders", "refund", "A-1", "--phone", "0788123456").code == 2
    assert dgspay.without("DGSPAY_CHECKOUT_URL")("orders", "refund", "A-1").code == 2
    assert not shop.emulator.disbursements


def test_a_wallet_that_is_too_small_is_a_refusal(dgspay: CommandLine, shop: Shop) -> None:
    shop.sell_and_be_paid()
    shop.emulator.faults.fail_next("POST /disburse", error_code="90")
    said = dgspay("orders", "refund", "A-1")
    assert said.code == 3
    assert not shop.emulator.disbursements


@pytest.mark.parametrize("command", ["refund", "resolve"])
def test_it_asks_in_production_and_a_no_sends_nothing(
    dgspay: CommandLine, shop: Shop, command: str
) -> None:
    live = {"DGSPAY_ENVIRONMENT": "production", "DGSPAY_API_KEY": "sk_live_of_the_test"}
    with (
        DGSPay(
            environment="production",
            api_key=live["DGSPAY_API_KEY"],
            account_number=shop.emulator.account_number,
        ) as dgs,
        contextlib.closing(Checkout(dgs, SqliteOrders(shop.path))) as checkout,
    ):
        checkout.open("A-1", amount=2000, customer=JANE)
    more = () if command == "refund" else ("--attempt", "1", "--not-paid", "--reason", "portal")
    for answers in ("n\n", ""):
        said = dgspay.having(**live)("orders", command, "A-1", *more, answers=answers)
        assert said.code == 1, said.err
        assert "This is production." in said.err
        assert "Nothing was sent." in said.err
    assert not shop.emulator.requests

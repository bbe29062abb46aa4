"""The shops of `examples/` as programs: no click, fault or silence makes one pay twice or never."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.examples.shops import POOR_PHONE, SHOPS, Shop, running

NEEDS = {"fastapi_shop": "fastapi", "flask_shop": "flask", "aiohttp_service": "aiohttp"}


@pytest.fixture(params=SHOPS)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    pytest.importorskip(NEEDS[request.param])
    with running(request.param, tmp_path) as shop:
        yield shop


@pytest.mark.acceptance(75, "double-click")
def test_a_decline_a_double_click_and_a_success_ship_once(shop: Shop) -> None:
    shop.pay(POOR_PHONE)
    assert shop.state() == ("open", "failed")
    shop.pay()
    shop.pay()
    assert shop.prompts == 2, "a second click is no second prompt"
    assert shop.state() == ("paying", "waiting_for_the_payer")
    shop.approve()
    assert shop.state() == ("paid", "paid")
    assert shop.shipped == 1
    shop.pay()
    assert shop.prompts == 2
    for delivery in shop.emulator.webhooks.deliveries:
        shop.emulator.webhooks.resend(delivery)
    shop.emulator.wait_for_deliveries()
    assert shop.state() == ("paid", "paid")
    assert shop.shipped == 1


@pytest.mark.acceptance(76, "lost-charge-answer")
def test_a_lost_answer_is_settled_by_its_webhook_and_never_prompted_again(shop: Shop) -> None:
    shop.emulator.faults.lose_answer("POST /charges")
    shop.pay()
    assert shop.state() == ("paying", "in_doubt")
    shop.pay()
    assert shop.prompts == 1
    shop.approve()
    assert shop.state() == ("paid", "paid")
    assert shop.shipped == 1


def test_a_payment_whose_webhook_never_comes_is_found_by_the_sweep_and_shipped_once(
    shop: Shop,
) -> None:
    shop.emulator.webhooks.drop(times=10)
    shop.pay()
    shop.approve()
    assert shop.state() == ("paying", "waiting_for_the_payer")
    shop.sweep()
    assert shop.state() == ("paid", "paid")
    assert shop.shipped == 1
    shop.sweep()
    assert shop.shipped == 1

"""The metrics of a checkout, as a monitor collects them."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from dgspay import AsyncDGSPay
from dgspay.checkout import AsyncCheckout, Order, SqliteOrders
from dgspay.checkout.gauges import CheckoutGauges
from dgspay.errors import ConfigError
from dgspay.metrics.opentelemetry import observe
from dgspay.testing import client_options
from tests.checkout.conftest import URL, Shop
from tests.support.collected_metrics import Collected


def values(gauges: CheckoutGauges) -> Mapping[str, float]:
    """Each value by its name, and its state where it has one."""
    return {
        ".".join(
            [
                each.instrument.name.removeprefix("dgspay.checkout."),
                *(text for name, text in each.labels.items() if name == "dgspay.state"),
            ]
        ): each.value
        for each in gauges.read()
    }


def test_orders_attempts_and_their_age_are_measured(shop: Shop) -> None:
    shop.open(expires=900)
    shop.open("A-2", expires=900)
    shop.pay()
    shop.clock.advance(40)
    assert values(shop.checkout.gauges()) == {
        "orders.open": 1,
        "orders.paying": 1,
        "attempts.watched": 1,
        "attempts.oldest": 40.0,
        "look_ups.due": 1,
        "handlers.owed": 0,
        "handlers.failing": 0,
        "handlers.oldest": 0.0,
        "problems.open": 0,
        "events.unknown": 0,
        "webhooks.lag": 0.0,
    }


def test_a_state_that_no_order_is_in_is_zero_and_not_missing(shop: Shop) -> None:
    found = values(shop.checkout.gauges())
    assert (found["orders.open"], found["orders.paying"]) == (0, 0)


def test_handlers_that_fail_for_good_are_measured(shop: Shop) -> None:
    shop.checkout.shop.handlers.pop("paid")

    @shop.checkout.on_paid
    def ship(order: Order) -> None:
        raise RuntimeError

    shop.open()
    shop.emulator.approve(shop.pay().attempts[0].dgs_reference or "")
    shop.deliver()
    shop.clock.advance(400)
    assert values(shop.checkout.gauges())["handlers.oldest"] > 300
    for _ in range(30):
        shop.clock.advance(4000)
        shop.checkout.sweep(per_second=1000)
    found = values(shop.checkout.gauges())
    assert (found["handlers.failing"], found["problems.open"]) == (1, 1)


def test_opentelemetry_collects_them_in_a_thread_of_its_own(shop: Shop) -> None:
    collected = Collected()
    shop.open(expires=900)
    observe(shop.checkout.gauges(), collected.provider)
    points = {
        attributes["dgspay.state"]: (attributes["dgspay.environment"], point.value)
        for attributes, point in collected.points("dgspay.checkout.orders")
    }
    assert points == {"open": ("emulator", 1), "paying": ("emulator", 0)}


def test_labels_name_no_order_and_no_account(shop: Shop) -> None:
    shop.open("Jane-4711")
    shop.pay("Jane-4711")
    labels = json.dumps([dict(each.labels) for each in shop.checkout.gauges().read()])
    assert "Jane" not in labels
    assert shop.emulator.account_number not in labels
    assert shop.emulator.api_key not in labels


@pytest.mark.anyio
async def test_an_asynchronous_checkout_has_the_same_gauges(shop: Shop) -> None:
    shop.open(expires=900)
    async with AsyncDGSPay(**client_options(shop.emulator)) as dgs:
        checkout = AsyncCheckout(dgs, SqliteOrders(shop.path, clock=shop.clock), url=URL)
        assert values(checkout.gauges()) == values(shop.checkout.gauges())
        checkout.close()


def test_a_store_that_can_only_be_awaited_is_refused_at_once(shop: Shop) -> None:
    class Awaited:
        pass

    with pytest.raises(ConfigError, match="Awaited has no `run`"):
        CheckoutGauges(shop.checkout.shop, Awaited())  # type: ignore[arg-type]

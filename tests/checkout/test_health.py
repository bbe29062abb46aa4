"""What a monitor is told of a checkout."""

from __future__ import annotations

from dgspay.checkout import Order
from tests.checkout.conftest import Shop


def test_what_is_open_and_for_how_long_is_reported(shop: Shop) -> None:
    shop.open(expires=900)
    shop.open("A-2", expires=900)
    shop.pay()
    shop.clock.advance(40)
    found = shop.checkout.health()
    assert found.is_healthy
    assert found.open_orders == {"open": 1, "paying": 1}
    assert (found.attempts_watched, found.oldest_attempt, found.look_ups_due) == (1, 40.0, 1)
    assert (found.handlers_owed, found.handlers_failing, found.problems_open) == (0, 0, 0)
    shop.clock.advance(4000)
    assert not shop.checkout.health().is_healthy


def test_a_handler_that_fails_is_no_health(shop: Shop) -> None:
    shop.checkout.shop.handlers.pop("paid")

    @shop.checkout.on_paid
    def ship(order: Order) -> None:
        raise RuntimeError

    shop.open()
    shop.emulator.approve(shop.pay().attempts[0].dgs_reference or "")
    shop.deliver()
    assert shop.checkout.health().handlers_owed == 1
    shop.clock.advance(400)
    assert not shop.checkout.health().is_healthy
    for _ in range(30):
        shop.clock.advance(4000)
        shop.checkout.sweep(per_second=1000)
    found = shop.checkout.health()
    assert (found.handlers_failing, found.problems_open, found.is_healthy) == (1, 1, False)


def test_bodies_are_kept_for_as_long_as_is_said(shop: Shop) -> None:
    shop.open()
    shop.emulator.approve(shop.pay().attempts[0].dgs_reference or "")
    shop.deliver()
    shop.checkout.sweep(per_second=1000)
    assert shop.checkout.replay("A-1").is_paid
    shop.clock.advance(401 * 24 * 3600)
    shop.checkout.sweep(per_second=1000)
    scope = shop.checkout.carry_out(shop.checkout.shop.scope())
    from dgspay.checkout.journal import events_of

    key = shop.checkout.order("A-1").key
    assert shop.checkout._store.run(lambda: events_of(scope, key)) == []


def test_the_lag_of_a_webhook_is_from_the_end_of_the_payment(shop: Shop) -> None:
    assert shop.checkout.health().webhook_lag is None
    shop.open()
    shop.clock.now = shop.emulator.clock.time() + 90
    shop.emulator.approve(shop.pay().attempts[0].dgs_reference or "")
    shop.deliver()
    lag = shop.checkout.health().webhook_lag
    assert lag is not None
    assert 89 <= lag <= 91
    shop.clock.advance(1000)
    assert shop.checkout.health().webhook_lag is None

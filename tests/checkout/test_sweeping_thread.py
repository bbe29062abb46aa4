"""The thread that sweeps: it is left promptly, and leaves no handler half run."""

from __future__ import annotations

import threading
import time

from dgspay.checkout import Order
from tests.checkout.conftest import Shop

LONG = 60.0
"""Seconds that no test waits for."""


def test_it_is_left_while_it_waits_for_the_next_sweep(shop: Shop) -> None:
    begun = time.monotonic()
    with shop.checkout.sweeping(every=LONG):
        pass
    assert time.monotonic() - begun < LONG / 4


def test_it_is_left_between_two_look_ups(shop: Shop) -> None:
    for number in range(40):
        shop.open(f"A-{number}")
        shop.pay(f"A-{number}")
    shop.clock.advance(31)
    before = len(shop.emulator.requests)
    looked = threading.Event()
    execute = shop.dgs.execute

    def looking(operation: object) -> object:
        looked.set()
        return execute(operation)  # type: ignore[arg-type]

    shop.checkout._client.execute = looking  # type: ignore[method-assign,assignment]
    with shop.checkout.sweeping(every=LONG):
        assert looked.wait(LONG)
    asked = len(shop.emulator.requests) - before
    assert asked <= 2


def test_it_is_left_during_a_look_up_that_takes_long(shop: Shop) -> None:
    shop.open()
    shop.pay()
    shop.clock.advance(31)
    looking, answered = threading.Event(), threading.Event()

    def hang(operation: object) -> object:
        looking.set()
        answered.wait(LONG)
        raise ValueError("too late")

    shop.checkout._client.execute = hang  # type: ignore[method-assign,assignment]
    with shop.checkout.sweeping(every=LONG):
        assert looking.wait(LONG)
    assert not answered.is_set()
    (thread,) = (each for each in threading.enumerate() if each.name == "dgspay-sweep")
    answered.set()
    thread.join(LONG)
    assert not thread.is_alive()
    assert shop.checkout.order("A-1").attempts[0].dgs_reference is not None


def test_a_handler_that_runs_is_waited_for_and_noted(shop: Shop) -> None:
    shop.checkout.shop.handlers.pop("paid")
    running, may_end = threading.Event(), threading.Event()

    @shop.checkout.on_paid
    def ship(order: Order) -> None:
        running.set()
        may_end.wait(LONG)

    shop.open()
    shop.emulator.approve(shop.pay().attempts[0].dgs_reference or "")
    shop.clock.advance(31)
    timer = threading.Timer(0.05, may_end.set)
    with shop.checkout.sweeping(every=LONG):
        assert running.wait(LONG)
        timer.start()
    timer.join()
    assert shop.checkout.order("A-1").told_at is not None

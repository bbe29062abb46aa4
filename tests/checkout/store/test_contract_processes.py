"""The promises of every store to several processes, of which some are killed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from dgspay.checkout import AttemptState, Checkout
from dgspay.checkout.store.anchor import MachineClock
from dgspay.emulator import Emulator, Served
from tests.support import orders_worker


class LaterClock:
    """The clock of this machine, some minutes later: leases and prompts are over."""

    _ahead = 1000.0

    def time(self) -> float:
        return time.time() + self._ahead

    def monotonic(self) -> float:
        return MachineClock().monotonic() + self._ahead


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """An emulator in which a prompt is approved at once."""
    with Emulator(settle_after=0.0) as running:
        yield running


def deliver(emulator: Emulator, checkout: Checkout) -> None:
    for each in emulator.webhooks.deliveries:
        path = urlsplit(each.url or "").path
        assert checkout.receive(each.body, each.signature, path=path).status == 200


@pytest.mark.acceptance(85, "racing-sweeps")
def test_three_sweeping_processes_and_a_webhook_look_each_attempt_up_once(
    address: str, emulator: Emulator, dgs_server: Served, here: Callable[..., Checkout]
) -> None:
    checkout = here()
    references = []
    for number in range(30):
        attempt = orders_worker.pay(checkout, f"A-{number:02}").attempts[0]
        references.append(attempt.dgs_reference or "")
    emulator.settle()
    workers = [orders_worker.start(emulator, dgs_server.url, address, "sweep") for _ in range(3)]
    orders_worker.make_due(address)
    before = len(emulator.requests)
    for worker in workers:
        orders_worker.go(worker)
    deliver(emulator, checkout)
    for worker in workers:
        orders_worker.finish(worker)
    looked = Counter(
        each.path.rpartition("/")[2] for each in emulator.requests[before:] if each.method == "GET"
    )
    assert all(count == 1 for count in looked.values())
    assert set(looked) <= set(references)
    assert all(order.is_paid for order in checkout.orders())
    assert orders_worker.told(address) == [f"A-{number:02}" for number in range(30)]


@pytest.mark.acceptance(83, "killed-attempt")
def test_a_process_killed_at_any_effect_pays_nothing_twice_and_loses_nothing(
    address: str, emulator: Emulator, dgs_server: Served, here: Callable[..., Checkout]
) -> None:
    worker = orders_worker.start(emulator, dgs_server.url, address, "die_everywhere")
    orders_worker.go(worker)
    orders_worker.finish(worker)
    checkout = here(LaterClock())
    orders = checkout.orders(limit=1000)
    assert len(orders) > 20
    emulator.settle()
    deliver(emulator, checkout)
    checkout.sweep(per_second=orders_worker.FAST, everything=True)
    for order in checkout.orders(limit=1000):
        if not order.is_paid:
            orders_worker.pay(checkout, order.id)
    emulator.settle()
    deliver(emulator, checkout)
    checkout.sweep(per_second=orders_worker.FAST, everything=True)
    orders = checkout.orders(limit=1000)
    assert all(order.is_paid for order in orders)
    assert not checkout.problems()
    paid = sorted(
        attempt.dgs_reference or ""
        for order in orders
        for attempt in order.attempts
        if attempt.state is AttemptState.PAID
    )
    assert paid == sorted(each.dgs_reference for each in emulator.transactions)
    told = Counter(orders_worker.told(address))
    assert set(told) == {order.id for order in orders}
    if address.startswith("postgresql:"):
        assert set(told.values()) == {1}


def test_two_processes_that_write_at_once_lose_nothing(
    address: str, emulator: Emulator, dgs_server: Served, here: Callable[..., Checkout]
) -> None:
    workers = [
        orders_worker.start(emulator, dgs_server.url, address, "pay_many", prefix, 25)
        for prefix in "ab"
    ]
    for worker in workers:
        orders_worker.go(worker)
    for worker in workers:
        orders_worker.finish(worker)
    orders = here().orders(limit=1000)
    assert len(orders) == 50
    assert all(order.attempts[0].dgs_reference for order in orders)
    assert len(emulator.transactions) == 50

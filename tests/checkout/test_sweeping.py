"""The sweep: looks up what no webhook has settled, and expires nothing that is paid."""

from __future__ import annotations

import pytest

from dgspay.checkout import AttemptState, OrderState, ProblemKind
from dgspay.checkout.flow import Execute, Flow
from dgspay.checkout.store.protocol import query
from dgspay.checkout.sweeping import Sweep, sweep
from tests.checkout.conftest import Shop

FAST = 1000.0


@pytest.mark.acceptance(93, "abandoned-page")
def test_a_page_that_is_closed_is_ended_by_the_sweep(shop: Shop) -> None:
    shop.open()
    reference = shop.pay().attempts[0].dgs_reference or ""
    shop.emulator.approve(reference)  # no webhook arrives
    assert shop.checkout.sweep(per_second=FAST).looked_up == 0
    shop.clock.advance(31)
    found = shop.checkout.sweep(per_second=FAST)
    assert (found.looked_up, found.settled) == (1, 1)
    assert shop.checkout.order("A-1").is_paid
    assert len(shop.paid) == 1


def test_it_reconciles_before_it_expires(shop: Shop) -> None:
    shop.open(expires=600)
    reference = shop.pay().attempts[0].dgs_reference or ""
    shop.emulator.approve(reference)
    shop.clock.advance(601)
    shop.emulator.faults.bad_gateway("GET /transactions/{id}", times=20)
    assert shop.checkout.sweep(per_second=FAST).expired == 0
    shop.emulator.faults.clear()
    assert shop.checkout.sweep(per_second=FAST).expired == 0
    assert shop.checkout.order("A-1").is_paid


def test_an_order_that_was_not_paid_in_time_expires(shop: Shop) -> None:
    shop.open(expires=600)
    shop.clock.advance(600)
    assert shop.checkout.sweep(per_second=FAST).expired == 1
    assert shop.checkout.order("A-1").state is OrderState.EXPIRED


def test_an_attempt_without_a_reference_is_reported_once_it_is_old(shop: Shop) -> None:
    shop.open()
    shop.emulator.faults.lose_answer("POST /charges")
    shop.pay()
    for seconds in (31, 3600, 3600):
        shop.clock.advance(seconds)
        shop.checkout.sweep(per_second=FAST)
    assert [problem.kind for problem in shop.problems] == [ProblemKind.IN_DOUBT]
    shop.emulator.approve(shop.emulator.transactions[0].dgs_reference)
    shop.deliver()
    order = shop.checkout.order("A-1")
    assert order.is_paid
    assert not order.open_problems


def test_a_person_settles_what_nothing_else_can(shop: Shop) -> None:
    shop.open()
    shop.emulator.faults.lose_request("POST /charges")
    shop.pay()
    order = shop.checkout.resolve("A-1", attempt=1, paid=False, reason="not in the portal")
    assert (order.state, order.attempts[0].state) == (OrderState.OPEN, AttemptState.FAILED)


def test_look_ups_come_at_growing_pauses(shop: Shop) -> None:
    shop.open()
    shop.pay()
    looked = []
    for _ in range(20):
        shop.clock.advance(31)
        looked.append(shop.checkout.sweep(per_second=FAST).looked_up)
    assert sum(looked) == 5


def test_a_sweep_is_bounded(shop: Shop) -> None:
    for number in range(5):
        shop.open(f"A-{number}")
        shop.pay(f"A-{number}")
    shop.clock.advance(31)
    found = shop.checkout.sweep(most=3, per_second=FAST)
    assert (found.looked_up, found.is_complete) == (3, False)
    found = shop.checkout.sweep(per_second=FAST)
    assert (found.looked_up, found.is_complete) == (2, True)


@pytest.mark.acceptance(93, "abandoned-page")
def test_orders_that_cannot_expire_yet_do_not_keep_others_from_it(shop: Shop) -> None:
    for number in range(3):
        shop.open(f"A-{number}", expires=10 + number)
        shop.pay(f"A-{number}")
    shop.open("B", expires=20)
    shop.clock.advance(60)
    before = len(shop.emulator.requests)
    assert shop.checkout.sweep(per_second=FAST).expired == 1
    assert shop.checkout.order("B").state is OrderState.EXPIRED
    assert len(shop.emulator.requests) - before == 3  # each was due for a look-up once


@pytest.mark.acceptance(85, "racing-sweeps")
def test_one_of_two_sweeps_looks_up_an_order_that_expires(shop: Shop) -> None:
    shop.open(expires=10)
    shop.pay()
    shop.clock.advance(301)
    other = shop.again()
    before = len(shop.emulator.requests)
    flow = sweep(shop.checkout.shop, per_second=FAST)
    effect = next(flow)
    while not isinstance(effect, Execute):
        effect = flow.send(shop.checkout._perform(effect))
    # While one of them waits for DGS-Pay, the other one sweeps.
    assert other.checkout.sweep(per_second=FAST).looked_up == 0
    other.checkout.close()
    answer = shop.checkout._perform(effect)
    assert shop.checkout.carry_out(continued(flow, answer)).expired == 1
    assert len(shop.emulator.requests) - before == 1


def continued(flow: Flow[Sweep], answer: object) -> Flow[Sweep]:
    """Go on with a flow that was begun by hand."""
    try:
        effect = flow.send(answer)
        while True:
            effect = flow.send((yield effect))
    except StopIteration as done:
        found: Sweep = done.value
        return found


def test_a_sweep_that_died_leaves_an_expiring_order_to_others(shop: Shop) -> None:
    shop.open(expires=10)
    shop.pay()
    shop.clock.advance(301)
    flow = sweep(shop.checkout.shop, per_second=FAST)
    effect = next(flow)
    while not isinstance(effect, Execute):
        effect = flow.send(shop.checkout._perform(effect))
    flow.close()
    shop.clock.advance(301)
    assert shop.checkout.sweep(per_second=FAST).expired == 1


def test_counts_of_addresses_are_forgotten_once_they_mean_nothing(shop: Shop) -> None:
    for number in range(3):
        shop.open(f"A-{number}")
        shop.checkout.pay_by_mobile_money(
            f"A-{number}", phone="0788123456", network="MTN", client_address=f"192.0.2.{number}"
        )
        shop.clock.advance(3600)

    def counts() -> int:
        found = shop.checkout._store.run(lambda: query("SELECT 1 FROM dgspay_order_limits"))
        return len(found)

    shop.checkout.sweep(per_second=FAST)
    assert counts() == 3
    shop.clock.advance(24 * 3600 - 2 * 3600 + 1)
    shop.checkout.sweep(per_second=FAST)
    assert counts() == 1
    shop.clock.advance(24 * 3600)
    shop.checkout.sweep(per_second=FAST)
    assert counts() == 0

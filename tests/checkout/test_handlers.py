"""Handlers: run until they succeed, then never again."""

from __future__ import annotations

import contextlib

import pytest

from dgspay.checkout import Order, ProblemKind
from dgspay.errors import ConfigError
from tests.checkout.conftest import Shop

FAST = 1000.0


def paid_with(shop: Shop, outcomes: list[Exception | None]) -> list[str]:
    """Pay an order whose handler ends in these ways, one after the other."""
    calls: list[str] = []
    shop.checkout.shop.handlers.pop("paid")

    @shop.checkout.on_paid
    def ship(order: Order) -> None:
        calls.append(order.id)
        outcome = outcomes.pop(0) if outcomes else None
        if outcome is not None:
            raise outcome

    shop.open()
    shop.emulator.approve(shop.pay().attempts[0].dgs_reference or "")
    return calls


@pytest.mark.acceptance(82, "handler-once")
def test_a_handler_that_raises_is_run_again_until_it_succeeds_and_then_never(shop: Shop) -> None:
    calls = paid_with(shop, [RuntimeError("down"), RuntimeError("down")])
    assert [answer.status for answer in shop.deliver()] == [500]
    for _ in range(5):
        shop.clock.advance(60)
        shop.checkout.sweep(per_second=FAST)
    assert len(calls) == 3
    shop.delivered = 0
    shop.deliver()
    assert len(calls) == 3


@pytest.mark.acceptance(82, "handler-once")
def test_a_handler_whose_process_died_is_run_again_after_its_lease(shop: Shop) -> None:
    calls = paid_with(shop, [])

    class Died(BaseException):
        """As `kill -9` leaves it: nothing is written after it."""

    shop.checkout.shop.handlers.pop("paid")
    other = shop.again()

    @shop.checkout.on_paid
    def ship(order: Order) -> None:
        raise Died

    with pytest.raises(Died):
        shop.deliver()
    assert not calls
    assert other.checkout.sweep(per_second=FAST).handled == 0
    shop.clock.advance(301)
    assert other.checkout.sweep(per_second=FAST).handled == 1
    assert [order.id for order in other.paid] == ["A-1"]
    other.checkout.close()


def test_a_handler_that_keeps_failing_is_listed_and_ends_as_a_problem(shop: Shop) -> None:
    calls = paid_with(shop, [RuntimeError("down")] * 100)
    shop.deliver()
    for _ in range(40):
        shop.clock.advance(3700)
        shop.checkout.sweep(per_second=FAST)
    assert len(calls) == 20
    (found,) = shop.checkout.problems()
    assert (found[0], found[1].kind) == ("A-1", ProblemKind.HANDLER_FAILING)
    assert "RuntimeError" in found[1].detail


def test_what_cannot_be_a_handler_is_refused(shop: Shop) -> None:
    shop.checkout.shop.handlers.clear()

    async def awaited(order: Order) -> None: ...

    def with_connection(order: Order, connection: object) -> None: ...

    def nothing() -> None: ...

    for function in (awaited, with_connection, nothing, "ship"):
        with pytest.raises(ConfigError):
            shop.checkout.on_paid(function)  # type: ignore[type-var]

    def generator(order: Order):  # type: ignore[no-untyped-def]
        yield

    with pytest.raises(TypeError, match="yield"):
        shop.checkout.on_paid(generator)
    shop.checkout.on_paid(print)
    with pytest.raises(ConfigError, match="already"):
        shop.checkout.on_paid(print)


@pytest.mark.acceptance(82, "handler-once")
def test_a_process_without_the_handler_leaves_it_to_one_that_has_it(shop: Shop) -> None:
    shop.open()
    shop.emulator.approve(shop.pay().attempts[0].dgs_reference or "")
    watcher = shop.again()
    watcher.checkout.shop.handlers.pop("paid")
    (delivery,) = shop.emulator.webhooks.deliveries
    assert watcher.bring(delivery).status == 200
    shop.clock.advance(301)
    assert watcher.checkout.sweep(per_second=FAST).owed == 1
    assert watcher.checkout.order("A-1").told_at is None
    watcher.checkout.close()
    assert shop.checkout.sweep(per_second=FAST).handled == 1
    assert [order.id for order in shop.paid] == ["A-1"]


def test_a_handler_that_ends_its_process_every_time_is_reported_in_the_end(shop: Shop) -> None:
    class Died(BaseException):
        """As `kill -9` leaves it: nothing is written after it."""

    shop.open()
    shop.emulator.approve(shop.pay().attempts[0].dgs_reference or "")
    shop.checkout.shop.handlers.pop("paid")
    calls: list[str] = []

    @shop.checkout.on_paid
    def ship(order: Order) -> None:
        calls.append(order.id)
        raise Died

    with pytest.raises(Died):
        shop.deliver()
    for _ in range(25):
        shop.clock.advance(301)
        with contextlib.suppress(Died):
            shop.checkout.sweep(per_second=FAST)
    assert len(calls) == 20
    assert [problem.kind for problem in shop.problems] == [ProblemKind.HANDLER_FAILING]


def test_a_run_that_outlived_its_lease_and_failed_leaves_the_later_run_alone(shop: Shop) -> None:
    shop.open()
    shop.emulator.approve(shop.pay().attempts[0].dgs_reference or "")
    shop.checkout.shop.handlers.pop("paid")
    runs: list[int] = []

    class KilledError(BaseException):
        """The later run is still under way when the first one fails."""

    @shop.checkout.on_paid
    def ship(order: Order) -> None:
        runs.append(len(runs) + 1)
        if len(runs) == 1:
            shop.clock.advance(301)
            with pytest.raises(KilledError):
                shop.checkout.sweep(per_second=FAST)
            raise RuntimeError("too late")
        raise KilledError

    shop.deliver()
    shop.clock.advance(60)
    assert shop.checkout.sweep(per_second=FAST).failing == 0
    assert runs == [1, 2]

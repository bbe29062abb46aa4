"""The promises of every store: the same stories on SQLite and PostgreSQL, also with `await`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import anyio
import pytest

from dgspay import AsyncDGSPay, DGSPay
from dgspay.checkout import (
    AsyncCheckout,
    AttemptState,
    OrderChangedError,
    OrderState,
    ProblemKind,
    RefundError,
    RefundState,
    TooManyAttemptsError,
    UnknownOrderError,
)
from dgspay.checkout.flow import Execute
from dgspay.emulator import Emulator
from tests.checkout.conftest import JANE, URL, ShopClock
from tests.checkout.store.conftest import KilledError, MakeShop, Stored


def test_an_order_is_opened_once_and_found_again(stored: Stored) -> None:
    first = stored.open(description="Two tickets", metadata={"seat": "A\x001 \ud800"}, expires=60)
    again = stored.again().open(
        description="Two tickets", metadata={"seat": "A\x001 \ud800"}, expires=60
    )
    assert first == again
    assert stored.checkout.orders() == [first]
    with pytest.raises(OrderChangedError, match="amount was 2000 and is 3000"):
        stored.open(amount=3000)
    with pytest.raises(UnknownOrderError):
        stored.checkout.order("A-2")


def test_an_order_is_paid_by_its_webhook_and_its_handler_runs_once(stored: Stored) -> None:
    order = stored.paid_by_webhook()
    assert (order.state, order.attempts[0].state) == (OrderState.PAID, AttemptState.PAID)
    assert order.told_at is not None
    assert [answer.status for answer in stored.deliver()] == [200]
    stored.again().checkout.sweep(everything=True)
    assert [each.id for each in stored.paid] == ["A-1"]


@pytest.mark.acceptance(75, "double-click")
def test_two_processes_that_pay_at_once_send_one_prompt(make: MakeShop) -> None:
    shops = [make(), make()]
    shops[0].open()
    together = threading.Barrier(2)

    def pay(shop: Stored) -> int:
        together.wait()
        return len(shop.pay().attempts)

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(pay, shops)) == [1, 1]
    assert len(shops[0].emulator.transactions) == 1


def test_a_webhook_and_a_sweep_that_race_lead_to_one_transition(
    make: MakeShop, clock: ShopClock
) -> None:
    one, other = make(), make()
    for number in range(8):
        one.open(f"A-{number}")
        one.emulator.approve(one.pay(f"A-{number}").attempts[0].dgs_reference or "")
    clock.advance(31)
    with ThreadPoolExecutor(2) as threads:
        delivered = threads.submit(one.deliver)
        threads.submit(other.checkout.sweep, per_second=1000.0).result()
        assert {answer.status for answer in delivered.result()} == {200}
    other.checkout.sweep(per_second=1000.0)
    told = sorted(order.id for order in one.paid + other.paid)
    assert told == [f"A-{number}" for number in range(8)]
    assert not one.problems + other.problems


def test_a_lost_answer_is_in_doubt_until_its_webhook(stored: Stored) -> None:
    stored.open()
    stored.emulator.faults.lose_answer("POST /charges")
    assert stored.pay().attempts[0].state is AttemptState.IN_DOUBT
    stored.emulator.approve(stored.emulator.transactions[0].dgs_reference)
    stored.deliver()
    assert stored.checkout.order("A-1").is_paid


def test_what_is_in_doubt_for_long_is_a_problem_that_a_person_resolves(
    stored: Stored, clock: ShopClock
) -> None:
    stored.open()
    stored.emulator.faults.lose_answer("POST /charges")
    stored.pay()
    clock.advance(3700)
    assert stored.checkout.sweep().in_doubt == 1
    assert stored.checkout.sweep(everything=True).in_doubt == 0
    ((order_id, problem),) = stored.checkout.problems()
    assert (order_id, problem.kind) == ("A-1", ProblemKind.IN_DOUBT)
    order = stored.checkout.resolve("A-1", attempt=1, paid=True, reason="portal, DGS-7")
    assert order.is_paid
    assert not stored.checkout.problems()
    assert len(stored.paid) == len(stored.problems) == 1


def test_a_handler_that_fails_is_run_again_until_it_succeeds(
    make: MakeShop, clock: ShopClock
) -> None:
    shop, seen = make(handlers=False), []

    @shop.checkout.on_paid  # type: ignore[untyped-decorator]
    def ship(order: object) -> None:
        seen.append(order)
        if len(seen) < 3:
            raise RuntimeError("the warehouse is closed")

    shop.paid_by_webhook()
    for _ in range(3):
        clock.advance(10)
        shop.checkout.sweep()
    assert len(seen) == 3
    assert shop.checkout.order("A-1").told_at is not None


def test_a_handler_whose_process_died_is_run_by_another_once_its_lease_is_over(
    make: MakeShop, clock: ShopClock
) -> None:
    dying, living = make(handlers=False), make()

    @dying.checkout.on_paid  # type: ignore[untyped-decorator]
    def die(order: object) -> None:
        raise KilledError

    with pytest.raises(KilledError):
        dying.paid_by_webhook()
    living.checkout.sweep()
    assert not living.paid
    clock.advance(301)
    living.checkout.sweep()
    living.checkout.sweep()
    assert [order.id for order in living.paid] == ["A-1"]


def test_an_order_expires_after_its_time_unless_it_was_paid(
    stored: Stored, clock: ShopClock
) -> None:
    for order_id in ("A-1", "A-2"):
        stored.open(order_id, expires=400)
    stored.emulator.approve(stored.pay("A-2").attempts[0].dgs_reference or "")
    clock.advance(401)
    assert stored.checkout.sweep(per_second=1000.0).expired == 1
    states = [stored.checkout.order(order_id).state for order_id in ("A-1", "A-2")]
    assert states == [OrderState.EXPIRED, OrderState.PAID]


def test_a_refund_is_never_more_than_what_was_paid(stored: Stored) -> None:
    stored.paid_by_webhook()
    assert stored.checkout.refund("A-1", amount=1200).state is RefundState.PENDING
    with pytest.raises(RefundError, match="may reach the payer"):
        stored.checkout.refund("A-1", amount=800)
    stored.emulator.settle()
    stored.deliver()
    assert stored.checkout.order("A-1").refunds[0].state is RefundState.PAID
    with pytest.raises(RefundError, match="more than the 800 RWF"):
        stored.checkout.refund("A-1", amount=1200)


def test_attempts_of_one_address_are_bounded_over_orders(make: MakeShop, clock: ShopClock) -> None:
    from dgspay.checkout import Limits

    shop = make(limits=Limits(address_attempts=2))
    for number in range(3):
        shop.open(f"A-{number}")
    for number in range(2):
        shop.pay(f"A-{number}", client_address="192.0.2.1")
    with pytest.raises(TooManyAttemptsError, match="try again in 600 s") as refused:
        shop.pay("A-2", client_address="192.0.2.1")
    assert refused.value.retry_after == 600
    clock.advance(601)
    assert shop.pay("A-2", client_address="192.0.2.1").attempts


def test_verified_events_are_kept_and_replayed(stored: Stored) -> None:
    stored.paid_by_webhook()
    assert stored.checkout.replay("A-1").is_paid
    assert len(stored.paid) == 1
    stored.checkout.replay("A-1", again=True)
    assert len(stored.paid) == 2


def test_an_event_of_no_known_order_is_kept_and_listed(stored: Stored) -> None:
    from dgspay import webhooks
    from tests.support.webhook_samples import PAYMENT_SUCCESS, body_of

    body = body_of({**PAYMENT_SUCCESS, "environment": "test"})
    signature = webhooks.sign(body, stored.emulator.webhook_secret)
    assert stored.checkout.receive(body, signature).status == 200
    assert stored.checkout.receive(body, signature).status == 200
    (kept,) = stored.checkout.unknown_events()
    assert (kept.body, kept.deliveries) == (body, 2)


@pytest.mark.acceptance(80, "other-amount")
def test_a_payment_in_what_is_no_currency_is_held_in_every_database(stored: Stored) -> None:
    from dgspay import webhooks
    from tests.support.webhook_samples import PAYMENT_SUCCESS, body_of

    stored.open()
    reference = stored.pay().attempts[0].dgs_reference
    odd = {"dgs_reference": reference, "currency": "R\x00" + "F" * 1000, "environment": "test"}
    body = body_of({**PAYMENT_SUCCESS, **odd})
    signature = webhooks.sign(body, stored.emulator.webhook_secret)
    assert stored.checkout.receive(body, signature).status == 200
    attempt = stored.checkout.order("A-1").attempts[0]
    assert attempt.state is AttemptState.HELD
    assert attempt.currency == "R\N{REPLACEMENT CHARACTER}" + "F" * 14


def test_what_a_script_raised_in_leaves_nothing(stored: Stored) -> None:
    from dgspay.errors import ConfigError

    without_url = stored.again(url=None, redirect_url="https://shop.example")
    without_url.open()
    with pytest.raises(ConfigError):
        without_url.pay()
    assert without_url.checkout.order("A-1").state is OrderState.OPEN
    assert not without_url.checkout.order("A-1").attempts


def test_a_store_that_was_closed_is_opened_again_when_it_is_used(stored: Stored) -> None:
    order = stored.open()
    stored.checkout.close()
    stored.checkout.close()
    assert stored.checkout.order("A-1") == order


@pytest.mark.acceptance(92, "shared-database")
def test_two_accounts_and_two_environments_share_a_database_and_are_kept_apart(
    make: MakeShop, kind: str
) -> None:
    shop = make()
    ours = shop.open(amount=2000)
    shop.pay()
    for settings in (
        {"account_number": "OTHER-1"},
        {"environment": "sandbox"},
        {"environment": "production", "api_key": "sk_live_1234567890"},
    ):
        client = client_like(shop.emulator, is_async=" on " in kind, **settings)
        other = make(client)
        with pytest.raises(UnknownOrderError):
            other.checkout.order("A-1")
        assert other.open(amount=3000).amount == 3000
        assert not other.checkout.order("A-1").attempts
        assert other.checkout.order("A-1").page_token != ours.page_token
        # Neither the token of an attempt nor a reference of one account's is another's.
        shop.emulator.settle()
        for each in shop.emulator.webhooks.deliveries:
            path = urlsplit(each.url or "").path
            answer = other.checkout.receive(each.body, each.signature, path=path)
            assert answer.status in (403, 404)
        assert other.checkout.sweep(everything=True).looked_up == 0
        assert other.checkout.order("A-1").state is OrderState.OPEN
    shop.deliver()
    assert shop.checkout.order("A-1").is_paid
    assert [order.id for order in shop.paid] == ["A-1"]


def client_like(emulator: Emulator, *, is_async: bool, **settings: Any) -> Any:
    """A client of another account or environment, which never sends anything."""
    given: dict[str, Any] = {
        "api_key": emulator.api_key,
        "account_number": emulator.account_number,
        "environment": "emulator",
        **settings,
    }
    return AsyncDGSPay(**given) if is_async else DGSPay(**given)


def test_a_cancellation_does_not_undo_what_was_asked_for(kind: str, make: MakeShop) -> None:
    """The answer of a charge is written down although nothing waits for that any more."""
    if " on " not in kind:
        pytest.skip("only what is awaited is cancelled")
    shop = make()
    shop.open()

    async def cancelled() -> None:
        checkout = shop.checkout.inner
        perform = checkout._perform

        async def cancelling(effect: object) -> object:
            if isinstance(effect, Execute):
                answer = await perform(effect)
                scope.cancel()
                return answer
            return await perform(effect)

        checkout._perform = cancelling
        with anyio.CancelScope() as scope:
            await checkout.pay_by_mobile_money("A-1", phone="0788123456", network="MTN")
        assert scope.cancelled_caught
        checkout._perform = perform

    shop.checkout.portal.call(cancelled)
    assert shop.checkout.order("A-1").attempts[0].dgs_reference


def test_a_store_is_used_from_any_number_of_event_loops(
    make_store: Callable[[], Any], async_dgs: AsyncDGSPay
) -> None:
    checkout = AsyncCheckout(async_dgs, make_store(), url=URL)

    async def opened(number: int) -> None:
        await checkout.open(f"A-{number}", amount=2000, customer=JANE)

    for number, backend in enumerate(["asyncio", "trio", "asyncio", "trio"]):
        anyio.run(opened, number, backend=backend)

    async def count() -> int:
        return len(await checkout.orders())

    assert anyio.run(count) == 4
    checkout.close()

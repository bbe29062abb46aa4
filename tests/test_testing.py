"""The pytest plugin in the hands of a shop, run as its own pytest, in parallel too."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anyio
import pytest

from dgspay import AsyncDGSPay, Customer, DGSPay, RetryPolicy
from dgspay.clock import PROCESS_CLOCK
from dgspay.emulator import Emulator
from dgspay.errors import WaitTimeoutError
from dgspay.testing import client_options, no_waiting
from dgspay.transports.httpx import HttpxTransport

# A complete checkout: the charge, the payer's approval, the webhook, the order that is paid.
SHOP_TEST = """
from dgspay import Customer, webhooks

CUSTOMER = Customer(email="a@b.rw", first_name="Jane", last_name="Doe", phone="0789654321")


class Shop:
    def __init__(self, dgs, secret):
        self.dgs, self.secret, self.orders = dgs, secret, {}

    def checkout(self, order):
        charge = self.dgs.charges.mobile_money(
            amount=2000, customer=CUSTOMER, network="MTN", phone="0789654321",
            redirect_url="https://shop.example/thanks")
        self.orders[charge.dgs_reference] = (order, "waiting")

    def webhook(self, body, headers):
        event = webhooks.verify(body, headers["X-DGS-Signature"], self.secret)
        order, _ = self.orders[event.dgs_reference]
        paid = isinstance(event, webhooks.PaymentSucceeded)
        self.orders[event.dgs_reference] = (order, "paid" if paid else "not paid")


def test_checkout(dgs, emulator):
    shop = Shop(dgs, emulator.webhook_secret)
    emulator.webhooks.deliver_to(shop.webhook)
    shop.checkout("A-1")
    (payment,) = emulator.transactions
    emulator.approve(payment.dgs_reference)
    assert list(shop.orders.values()) == [("A-1", "paid")]


def test_the_clock(dgs, emulator):
    answers = [500, None]
    emulator.webhooks.deliver_to(lambda body, headers: answers.pop(0))
    Shop(dgs, emulator.webhook_secret).checkout("A-2")
    emulator.settle()
    assert emulator.webhooks.received == ()
    emulator.clock.advance(5)
    (event,) = emulator.webhooks.received
    assert event.amount == 2000


def test_a_socket(dgs, emulator, dgs_server):
    import urllib.error, urllib.request
    import pytest
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with pytest.raises(urllib.error.HTTPError) as refused:
        opener.open(dgs_server.url + "/balance")
    refused.value.close()
    assert refused.value.code == 401
    assert dgs.balances.available() == emulator.balance("RWF")
"""


# A shop on FastAPI as a newcomer tests it: the checkout's routes, and the plain test client.
FASTAPI_TEST = """
import dgspay.testing
import pytest
from dgspay import Customer
from dgspay.checkout import AsyncCheckout, SqliteOrders
from dgspay.checkout.frameworks.starlette import routes
from fastapi import FastAPI
from fastapi.testclient import TestClient

JANE = Customer(email="a@b.rw", first_name="Jane", last_name="Doe", phone="0788123456")


@pytest.fixture
def app(async_dgs, emulator, tmp_path):
    app = FastAPI()
    app.state.shipped = shipped = []
    checkout = AsyncCheckout(
        async_dgs,
        SqliteOrders(tmp_path / "orders.sqlite3"),
        secret=emulator.webhook_secret,
        url="https://shop.example/dgspay",
    )

    @checkout.on_paid
    async def ship(order):
        if app.state.__dict__["_state"].get("is_broken"):
            raise RuntimeError("the shop is broken")
        shipped.append(order.id)

    @app.post("/buy/{order_id}")
    async def buy(order_id: str, phone: str = "0788123456"):
        await checkout.open(order_id, amount=2000, customer=JANE)
        order = await checkout.pay_by_mobile_money(order_id, phone=phone, network="MTN")
        return {"reference": order.attempt.dgs_reference, "state": order.state}

    @app.get("/orders/{order_id}")
    async def show(order_id: str):
        return {"state": (await checkout.order(order_id)).state}

    app.router.routes.extend(routes(checkout))
    yield app
    checkout.close()


def test_a_paid_order_is_shipped(app, emulator):
    emulator.deliver_to(app)
    shop = TestClient(app)
    bought = shop.post("/buy/A-1").json()
    assert bought["state"] == "paying"
    emulator.approve(bought["reference"])
    assert app.state.shipped == ["A-1"]
    assert shop.get("/orders/A-1").json() == {"state": "paid"}


def test_the_same_with_the_client_entered(app, emulator):
    with TestClient(app) as shop:
        emulator.deliver_to(shop)
        bought = shop.post("/buy/A-1").json()
        emulator.approve(bought["reference"])
        assert shop.get("/orders/A-1").json() == {"state": "paid"}


def test_a_declined_payment_leaves_the_order_open(app, emulator):
    emulator.deliver_to(app)
    shop = TestClient(app)
    # It is declined while the application still waits for its answer.
    shop.post("/buy/A-1", params={"phone": "0789000001"})
    assert shop.get("/orders/A-1").json() == {"state": "open"}
    assert [each.statuses for each in emulator.webhooks.deliveries] == [(200,)]
    assert app.state.shipped == []


def test_a_shop_that_fails_fails_the_test(app, emulator):
    app.state.is_broken = True
    emulator.deliver_to(app)
    emulator.approve(TestClient(app).post("/buy/A-1").json()["reference"])


def test_a_shop_that_may_fail_does_not(app, emulator):
    app.state.is_broken = True
    emulator.deliver_to(app, may_fail=True)
    emulator.approve(TestClient(app).post("/buy/A-1").json()["reference"])


def test_a_webhook_without_a_place_fails_the_test(dgs, app, emulator):
    emulator.deliver_to(app)
    dgs.charges.mobile_money(
        amount=2000, customer=JANE, network="MTN", phone="0789000001",
        redirect_url="https://shop.example/thanks")
"""


def pytest_command() -> list[str]:
    """The command of a shop's own test run, without others' plugins, which are slow to load."""
    plugins = ("no:cacheprovider", "no:schemathesis", "no:hypothesispytest")
    options = [option for plugin in plugins for option in ("-p", plugin)]
    return [sys.executable, "-m", "pytest", "-q", "-W", "error", *options]


def test_the_natural_tests_of_a_shop_on_fastapi_work_and_fail_loudly(tmp_path: Path) -> None:
    pytest.importorskip("fastapi")
    (tmp_path / "test_shop.py").write_text(FASTAPI_TEST)
    run = subprocess.run(
        pytest_command(), cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False
    )
    printed = run.stdout
    assert "6 passed, 2 errors" in printed, printed
    assert "ERROR test_shop.py::test_a_shop_that_fails_fails_the_test" in printed
    assert "POST /dgspay/webhooks/1-a1/" in printed
    assert "answered 500" in printed
    assert "ERROR test_shop.py::test_a_webhook_without_a_place_fails_the_test" in printed
    assert "deliver_to was given no path=" in printed


def test_a_shops_checkout_fits_on_one_screen(tmp_path: Path) -> None:
    test = tmp_path / "test_shop.py"
    test.write_text(SHOP_TEST)
    command = pytest_command()
    # Twice at once, as parallel workers do: they share nothing.
    with ExitStack() as started:
        runs = [
            started.enter_context(
                subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(2)
        ]
        for run in runs:
            started.callback(run.kill)
        for run in runs:
            printed, _ = run.communicate(timeout=240)
            assert run.returncode == 0, printed
            assert "3 passed" in printed


def test_each_fixture_of_the_plugin_can_be_asked_for(request: pytest.FixtureRequest) -> None:
    for name in ("dgs", "async_dgs", "dgs_server"):
        assert request.getfixturevalue(name) is not None


JANE = Customer(email="jane@example.com", first_name="Jane", last_name="Doe", phone="0788123456")
CHARGE: dict[str, Any] = {
    "amount": 2000,
    "network": "MTN",
    "phone": "0788123456",
    "customer": JANE,
    "redirect_url": "https://shop.example/thanks",
}
DECLINED: dict[str, Any] = {**CHARGE, "phone": "0789000001"}


class Shop:
    """A shop in FastAPI, and the test client of it."""

    def __init__(self, dgs: AsyncDGSPay) -> None:
        fastapi = pytest.importorskip("fastapi")
        from fastapi.testclient import TestClient

        app: Any = fastapi.FastAPI()
        self.events: list[bytes] = []
        self.client: Any = TestClient(app)

        async def pay(phone: str) -> dict[str, str]:
            charge = await dgs.charges.mobile_money(**{**CHARGE, "phone": phone})
            return {"reference": charge.dgs_reference}

        async def paid(reference: str) -> bool:
            return (await dgs.transactions.retrieve(reference)).is_paid

        async def webhook(request: Any) -> None:
            self.events.append(await request.body())

        # FastAPI reads annotations as they stand, and its Request is imported here only.
        webhook.__annotations__ = {"request": fastapi.Request}
        app.post("/dgs")(webhook)
        app.post("/pay/{phone}")(pay)
        app.get("/paid/{reference}")(paid)

    def take(self, body: bytes, headers: Mapping[str, str]) -> int:
        status: int = self.client.post("/dgs", content=body, headers=headers).status_code
        return status


@pytest.fixture
def shop(async_dgs: AsyncDGSPay) -> Shop:
    return Shop(async_dgs)


@pytest.mark.parametrize("is_entered", [False, True])
def test_a_webhook_reaches_the_app_whose_call_caused_it(
    shop: Shop, emulator: Emulator, is_entered: bool
) -> None:
    """With one event loop for all requests, and with one for each."""
    emulator.webhooks.deliver_to(shop.take)
    with ExitStack() as entered:
        if is_entered:
            entered.enter_context(shop.client)
        # One that is declined at once, and one that a look-up settles.
        assert shop.client.post("/pay/0789000001").status_code == 200
        assert len(shop.events) == 1
        reference = shop.client.post("/pay/0788123456").json()["reference"]
        assert len(shop.events) == 1
        assert shop.client.get(f"/paid/{reference}").json() is True
        assert len(shop.events) == 2
    assert [delivery.statuses for delivery in emulator.webhooks.deliveries] == [(200,), (200,)]


def test_fifty_calls_at_once_have_their_webhooks_each(shop: Shop, emulator: Emulator) -> None:
    """More than an event loop has threads for."""
    emulator.webhooks.deliver_to(shop.take)
    from concurrent.futures import ThreadPoolExecutor

    with shop.client, ThreadPoolExecutor(50) as threads:
        list(threads.map(lambda _: shop.client.post("/pay/0789000001"), range(50)))
    assert len(shop.events) == 50


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_webhook_is_there_when_the_call_that_caused_it_returns(
    async_dgs: AsyncDGSPay, emulator: Emulator, backend: str
) -> None:
    taken: list[bytes] = []
    emulator.webhooks.deliver_to(lambda body, headers: taken.append(body))

    async def pay() -> None:
        await async_dgs.charges.mobile_money(**DECLINED)
        assert len(taken) == 1

    anyio.run(pay, backend=backend)


def test_a_receiver_that_raises_is_heard_of(
    dgs: DGSPay, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(body: bytes, headers: Mapping[str, str]) -> None:
        raise KeyError("the shop's own mistake")

    emulator.webhooks.deliver_to(broken)
    with caplog.at_level(logging.WARNING, "dgspay.emulator"):
        dgs.charges.mobile_money(**DECLINED)
    assert "the shop's own mistake" in caplog.text


def test_one_client_serves_loop_after_loop(async_dgs: AsyncDGSPay, emulator: Emulator) -> None:
    async def ask() -> object:
        return await async_dgs.balances.available("RWF")

    for backend in ("asyncio", "asyncio", "trio", "asyncio"):
        assert anyio.run(ask, backend=backend) == emulator.balance("RWF")

    async def both() -> None:
        elsewhere = asyncio.to_thread(anyio.run, ask)
        assert [*await asyncio.gather(ask(), elsewhere)] == [emulator.balance("RWF")] * 2

    asyncio.run(both())


@pytest.mark.parametrize("way", ["in process", "over a socket"])
def test_only_a_look_up_settles_what_is_pending(
    dgs: DGSPay, emulator: Emulator, way: str, request: pytest.FixtureRequest
) -> None:
    if way == "over a socket":
        # Whose clock ticks beside the requests.
        request.getfixturevalue("dgs_server")
    first = dgs.charges.mobile_money(**CHARGE, idempotency_key="order-1")
    second = dgs.charges.mobile_money(**CHARGE, idempotency_key="order-2")
    dgs.balances.available("RWF")
    dgs.payment_links.list().first_page()
    emulator.decline(first.dgs_reference)
    assert dgs.transactions.retrieve(second.dgs_reference).is_paid
    assert not dgs.transactions.retrieve(first.dgs_reference).is_paid
    third = dgs.charges.mobile_money(**CHARGE)
    emulator.clock.advance(1)
    assert [
        each.status for each in emulator.transactions if each.dgs_reference == third.dgs_reference
    ] == ["successful"]


def test_a_conversion_is_looked_up_where_its_money_is(dgs: DGSPay, emulator: Emulator) -> None:
    before = dgs.balances.available("EUR")
    payment = dgs.charges.mobile_money(**CHARGE)
    for amount in (5, 6):
        dgs.conversions.convert(from_currency="USD", to_currency="EUR", from_amount=amount)
    assert dgs.balances.available("EUR") > before
    emulator.decline(payment.dgs_reference)


def test_a_real_clock_settles_at_a_look_up_too_where_there_is_no_delay() -> None:
    with Emulator(settle_after=0) as emulator, emulator.http_client() as http:
        dgs = DGSPay(transport=HttpxTransport(http), **client_options(emulator))
        charge = dgs.charges.mobile_money(**CHARGE)
        dgs.balances.available("RWF")
        emulator.decline(charge.dgs_reference)
        assert not dgs.transactions.retrieve(charge.dgs_reference).is_paid
        dgs.close()


def test_no_pause_is_waited_for_where_waiting_is_off(emulator: Emulator) -> None:
    options = {**client_options(emulator), "retry": RetryPolicy(initial_delay=8.0, attempts=4)}
    begun = time.monotonic()
    with emulator.http_client() as http, DGSPay(transport=HttpxTransport(http), **options) as dgs:
        with no_waiting():
            emulator.faults.bad_gateway("GET /balance", times=3)
            assert dgs.balances.available("RWF") == emulator.balance("RWF")
            charge = dgs.charges.mobile_money(**{**CHARGE, "phone": "0789000004"})
            with pytest.raises(WaitTimeoutError):
                dgs.charges.wait(charge.dgs_reference, timeout=600)
        assert not emulator.faults.standing
    assert time.monotonic() - begun < 60


def test_no_pause_of_a_client_with_await_is_waited_for_either(emulator: Emulator) -> None:
    options = {**client_options(emulator), "retry": RetryPolicy(initial_delay=8.0, attempts=4)}

    async def ask() -> None:
        transport = HttpxTransport(emulator.async_http_client())
        async with AsyncDGSPay(transport=transport, **options) as dgs:
            charge = await dgs.charges.mobile_money(**{**CHARGE, "phone": "0789000004"})
            with pytest.raises(WaitTimeoutError):
                await dgs.charges.wait(charge.dgs_reference, timeout=600)

    begun = time.monotonic()
    with no_waiting():
        anyio.run(ask)
    assert time.monotonic() - begun < 60


def test_pauses_are_waited_for_again_after_the_block() -> None:
    before = PROCESS_CLOCK.monotonic()
    with no_waiting(), no_waiting():
        assert PROCESS_CLOCK.to_wait(7.0) == 0
    assert PROCESS_CLOCK.to_wait(7.0) == 7.0
    assert PROCESS_CLOCK.monotonic() >= before + 7.0

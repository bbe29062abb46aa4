"""The pytest plugin in the hands of a shop, run as its own pytest, in parallel too."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

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


def test_a_shops_checkout_fits_on_one_screen(tmp_path: Path) -> None:
    test = tmp_path / "test_shop.py"
    test.write_text(SHOP_TEST)
    command: list[str] = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-W",
        "error",
        "-p",
        "no:cacheprovider",
        # Others' plugins, which take longer to load than the shop's tests to run.
        "-p",
        "no:schemathesis",
        "-p",
        "no:hypothesispytest",
    ]
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


def test_the_fixtures_are_there(request: pytest.FixtureRequest) -> None:
    for name in ("dgs", "async_dgs", "dgs_server"):
        assert request.getfixturevalue(name) is not None

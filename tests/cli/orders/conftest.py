"""A shop in this process with orders on a file, and the command line pointed at them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import attrs
import pytest

from dgspay import Customer, DGSPay
from dgspay.checkout import Checkout, Order, SqliteOrders, Timing
from dgspay.emulator import Emulator
from tests.cli.terminal import CommandLine, variables

JANE = Customer(email="jane@example.com", first_name="Jane", last_name="Uwase", phone="0788123456")
URL = "https://shop.example/dgspay"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """An emulator in which nothing is settled by itself."""
    with Emulator(settle_after=None, seed=7) as emulator:
        yield emulator


@attrs.define
class Shop:
    """A shop's own process: its checkout, and what was shipped."""

    emulator: Emulator
    dgs: DGSPay
    checkout: Checkout
    path: Path
    shipped: list[str] = attrs.field(factory=list)
    delivered: int = 0

    def sell(self, order_id: str = "A-1", amount: int = 2000) -> str:
        """Open an order and ask for its payment; return DGS-Pay's reference."""
        self.checkout.open(order_id, amount=amount, customer=JANE)
        order = self.checkout.pay_by_mobile_money(order_id, phone="0788123456", network="MTN")
        return order.attempts[-1].dgs_reference or ""

    def sell_and_be_paid(self, order_id: str = "A-1", amount: int = 2000) -> str:
        reference = self.sell(order_id, amount)
        self.emulator.approve(reference)
        self.deliver()
        return reference

    def deliver(self) -> None:
        """Bring the webhooks that have arisen since the last time."""
        new = self.emulator.webhooks.deliveries[self.delivered :]
        self.delivered += len(new)
        for each in new:
            path = urlsplit(each.url or "").path
            assert self.checkout.receive(each.body, each.signature, path=path).status == 200


@pytest.fixture
def shop(emulator: Emulator, base_url: str, tmp_path: Path) -> Iterator[Shop]:
    path = tmp_path / "orders.sqlite3"
    with DGSPay(
        api_key=emulator.api_key,
        account_number=emulator.account_number,
        environment="emulator",
        base_url=base_url,
    ) as dgs:
        checkout = Checkout(
            dgs,
            SqliteOrders(path),
            secret=emulator.webhook_secret,
            url=URL,
            timing=Timing(first_look_up=0),
        )
        shop = Shop(emulator, dgs, checkout, path)

        @checkout.on_paid
        def ship(order: Order) -> None:
            shop.shipped.append(order.id)

        yield shop
        checkout.close()


@pytest.fixture
def dgspay(emulator: Emulator, base_url: str, shop: Shop) -> CommandLine:
    environ = variables(emulator, base_url)
    return CommandLine({**environ, "DGSPAY_ORDERS": str(shop.path), "DGSPAY_CHECKOUT_URL": URL})


OWN_SHOP = """
from dgspay import AsyncDGSPay, DGSPay
from dgspay.checkout import AsyncCheckout, Checkout, Order, SqliteOrders

asynchronous = AsyncCheckout(
    AsyncDGSPay.from_env(), SqliteOrders("orders.sqlite3"), url="https://shop.example/dgspay"
)
blocking = Checkout(DGSPay.from_env(), SqliteOrders("orders.sqlite3"))

@asynchronous.on_paid
async def ship(order: Order) -> None:
    print(f"shipped {order.id}")

@blocking.on_paid
def ship_now(order: Order) -> None:
    print(f"shipped {order.id}")
"""


@pytest.fixture
def own_shop(shop: Shop) -> Path:
    """The folder of a shop's program, which has a checkout of either kind on the same file."""
    folder = shop.path.parent
    (folder / "own_shop.py").write_text(OWN_SHOP, encoding="utf-8")
    return folder

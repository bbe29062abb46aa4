"""A shop with a checkout, against the emulator in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import attrs
import pytest

from dgspay import Customer, DGSPay
from dgspay.checkout import Checkout, Order, Problem, SqliteOrders
from dgspay.emulator import Emulator, VirtualClock
from dgspay.emulator.webhooks.delivery import Delivery
from dgspay.webhooks.responses import WebhookResponse

URL = "https://shop.example/dgspay"
JANE = Customer(email="jane@example.com", first_name="Jane", last_name="Uwase", phone="0788123456")


class ShopClock:
    """The clock of a machine, which stands until it is moved."""

    def __init__(self, now: float = 1_790_000_000.0) -> None:
        self.now = now
        self.set_by = 0.0

    def time(self) -> float:
        return self.now + self.set_by

    def monotonic(self) -> float:
        return self.now - 1_780_000_000.0

    def advance(self, seconds: float) -> None:
        self.now += seconds


@attrs.define
class Shop:
    """A shop of one process: its checkout, and what its handlers were called with."""

    emulator: Emulator
    dgs: DGSPay
    path: Path
    clock: ShopClock
    checkout: Checkout
    paid: list[Order] = attrs.field(factory=list)
    problems: list[Problem] = attrs.field(factory=list)
    delivered: int = 0

    def open(self, order_id: str = "A-1", amount: int = 2000, **terms: object) -> Order:
        return self.checkout.open(order_id, amount=amount, customer=JANE, **terms)  # type: ignore[arg-type]

    def pay(self, order_id: str = "A-1", phone: str = "0788123456") -> Order:
        return self.checkout.pay_by_mobile_money(order_id, phone=phone, network="MTN")

    def deliver(self) -> list[WebhookResponse]:
        """Bring the webhooks that have arisen since the last time."""
        new = self.emulator.webhooks.deliveries[self.delivered :]
        self.delivered += len(new)
        return [self.bring(each) for each in new]

    def bring(self, delivery: Delivery, path: str | None = None) -> WebhookResponse:
        path = urlsplit(delivery.url or "").path if path is None else path
        return self.checkout.receive(delivery.body, delivery.signature, path=path)

    def again(self) -> Shop:
        """Return another process of the same shop, on the same file."""
        return make_shop(self.emulator, self.dgs, self.path, self.clock)


def make_shop(emulator: Emulator, dgs: DGSPay, path: Path, clock: ShopClock) -> Shop:
    checkout = Checkout(
        dgs, SqliteOrders(path, clock=clock), secret=emulator.webhook_secret, url=URL
    )
    shop = Shop(emulator, dgs, path, clock, checkout)
    checkout.on_paid(shop.paid.append)
    checkout.on_problem(shop.problems.append)
    return shop


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """An emulator in which nothing is settled by itself."""
    with Emulator(settle_after=None, clock=VirtualClock()) as running:
        yield running


@pytest.fixture
def clock() -> ShopClock:
    return ShopClock()


@pytest.fixture
def shop(emulator: Emulator, dgs: DGSPay, tmp_path: Path, clock: ShopClock) -> Iterator[Shop]:
    shop = make_shop(emulator, dgs, tmp_path / "orders.sqlite3", clock)
    yield shop
    shop.checkout.close()

"""Stores of orders with real servers, and a shop on each, with and without `await`."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from dgspay import AsyncDGSPay, DGSPay
from dgspay.checkout import AsyncCheckout, Checkout, Order, Problem, SqliteOrders
from dgspay.emulator import Emulator
from dgspay.webhooks.responses import WebhookResponse
from tests.checkout.conftest import JANE, URL, ShopClock
from tests.support import orders_worker
from tests.support.postgres_clusters import Cluster, cluster

KINDS = (
    "sqlite",
    "sqlite on asyncio",
    "sqlite on trio",
    "postgres",
    "postgres on asyncio",
    "postgres on trio",
)


@pytest.fixture(scope="session")
def orders_cluster() -> Iterator[Cluster]:
    """A PostgreSQL of these tests' own, or a skip that says what is missing."""
    with cluster(settings="max_connections = 60\nmax_prepared_transactions = 0") as server:
        yield server


@pytest.fixture
def database(orders_cluster: Cluster) -> Iterator[str]:
    """The connection string of an empty database."""
    name = f"orders_{uuid.uuid4().hex[:12]}"
    orders_cluster.sql(f"CREATE DATABASE {name}")
    yield orders_cluster.url(database=name)
    orders_cluster.sql(f"DROP DATABASE {name} WITH (FORCE)")


class Awaited:
    """An `AsyncCheckout` whose methods an event loop in a thread runs."""

    def __init__(self, checkout: AsyncCheckout, portal: BlockingPortal) -> None:
        self.inner = checkout
        self.portal = portal
        self.on_paid = checkout.on_paid
        self.on_problem = checkout.on_problem
        self.close = checkout.close

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.inner, name)
        return lambda *args, **kwargs: self.portal.call(lambda: method(*args, **kwargs))


@attrs.define
class Stored:
    """A shop of one process on some store."""

    emulator: Emulator
    checkout: Any
    again: Callable[..., Stored]
    paid: list[Order] = attrs.field(factory=list)
    problems: list[Problem] = attrs.field(factory=list)

    def open(self, order_id: str = "A-1", amount: int = 2000, **terms: object) -> Order:
        order: Order = self.checkout.open(order_id, amount=amount, customer=JANE, **terms)
        return order

    def pay(self, order_id: str = "A-1", **more: object) -> Order:
        paying = {"phone": "0788123456", "network": "MTN", **more}
        order: Order = self.checkout.pay_by_mobile_money(order_id, **paying)
        return order

    def deliver(self) -> list[WebhookResponse]:
        """Bring every webhook that has arisen."""
        return [
            self.checkout.receive(each.body, each.signature, path=urlsplit(each.url or "").path)
            for each in self.emulator.webhooks.deliveries
        ]

    def paid_by_webhook(self, order_id: str = "A-1") -> Order:
        """Open an order, pay it and bring its webhook."""
        self.open(order_id)
        reference = self.pay(order_id).attempts[-1].dgs_reference
        self.emulator.approve(reference or "")
        self.deliver()
        order: Order = self.checkout.order(order_id)
        return order


class KilledError(BaseException):
    """The end of a process, as far as its checkout can see."""


@contextmanager
def _loop_of_its_own(backend: str) -> Iterator[BlockingPortal]:
    with suppress(BaseExceptionGroup), start_blocking_portal(backend) as portal:
        yield portal


MakeShop = Callable[..., Stored]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def make_store(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, clock: ShopClock
) -> Callable[[], Any]:
    """Makes a store of the kind on the same file or server."""
    if kind.startswith("sqlite"):
        return lambda: SqliteOrders(tmp_path / "orders.sqlite3", clock=clock)
    url = request.getfixturevalue("database")
    from dgspay.checkout import PostgresOrders

    return lambda: PostgresOrders(url, clock=clock)


@pytest.fixture
def make(
    kind: str,
    make_store: Callable[[], Any],
    emulator: Emulator,
    dgs: DGSPay,
    async_dgs: AsyncDGSPay,
) -> Iterator[MakeShop]:
    """Makes a shop on a store of the kind, with other settings where they are given."""
    with ExitStack() as stack:
        backend = kind.rpartition(" ")[2] if " on " in kind else None

        def make_shop(client: Any = None, *, handlers: bool = True, **settings: Any) -> Stored:
            given = {"secret": emulator.webhook_secret, "url": URL, **settings}
            checkout: Any
            if backend is None:
                checkout = Checkout(client or dgs, make_store(), **given)
            else:
                inner = AsyncCheckout(client or async_dgs, make_store(), **given)
                portal = stack.enter_context(_loop_of_its_own(backend))
                checkout = Awaited(inner, portal)
            stack.callback(checkout.close)
            shop = Stored(emulator, checkout, make_shop)
            if handlers:
                checkout.on_paid(shop.paid.append)
                checkout.on_problem(shop.problems.append)
            return shop

        yield make_shop


@pytest.fixture
def stored(make: MakeShop) -> Stored:
    return make()


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "orders.sqlite3")
    import psycopg

    url: str = request.getfixturevalue("database")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE told (id TEXT)")
    return url


@pytest.fixture
def here(address: str, emulator: Emulator, dgs: DGSPay) -> Iterator[Callable[..., Checkout]]:
    """Makes a checkout in this process on the same store."""
    made: list[Checkout] = []

    def make(clock: object = None) -> Checkout:
        made.append(orders_worker.checkout_of(address, dgs, emulator.webhook_secret, clock))
        return made[-1]

    yield make
    for checkout in made:
        checkout.close()

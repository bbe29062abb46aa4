"""What the books ask of a store of orders; it only reads."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from dgspay import DGSPay
from dgspay.checkout import Checkout, OrdersStore, RefundState, SqliteOrders
from dgspay.checkout.bookkeeping import OrdersRecord, record_of
from dgspay.emulator import Emulator
from tests.checkout.conftest import URL, Shop, ShopClock
from tests.support.postgres_clusters import cluster


@pytest.fixture(params=["sqlite", "postgres"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: ShopClock
) -> Iterator[OrdersStore]:
    if request.param == "sqlite":
        yield SqliteOrders(tmp_path / "shop.sqlite3", clock=clock)
        return
    with cluster() as server:
        from dgspay.checkout import PostgresOrders

        name = f"orders_{uuid.uuid4().hex[:12]}"
        server.sql(f"CREATE DATABASE {name}")
        yield PostgresOrders(server.url(database=name), clock=clock)


def test_refunds_payments_and_webhooks_of_an_account_are_read(
    store: OrdersStore, emulator: Emulator, dgs: DGSPay, tmp_path: Path, clock: ShopClock
) -> None:
    settings = dgs.settings
    read = partial(record_of, settings.environment, settings.account_number)
    assert store.run(read) == OrdersRecord()
    checkout = Checkout(dgs, store, secret=emulator.webhook_secret, url=URL)
    shop = Shop(emulator, dgs, tmp_path, clock, checkout)
    shop.open(amount=2_000)
    reference = shop.pay().attempts[0].dgs_reference or ""
    emulator.approve(reference)
    shop.deliver()
    shop.open("A-2", amount=500)
    declined = shop.pay("A-2", phone="0788123457").attempts[0].dgs_reference or ""
    emulator.decline(declined)
    shop.deliver()
    checkout.refund("A-1", amount=700)
    record = store.run(read)
    ((order_id, refund),) = record.refunds
    assert (order_id, refund.state) == ("A-1", RefundState.PENDING)
    assert refund.amount == 700
    assert record.orders == {reference: "A-1", declined: "A-2"}
    assert record.paid == {reference: clock.time()}
    assert [b"payment.success" in body for body, _ in record.events] == [True, False]
    # Another account of the same store has nothing of it.
    assert store.run(partial(record_of, settings.environment, "ACC-OTHER")) == OrdersRecord()
    checkout.close()

"""Faults of a disk and of processes with orders in a SQLite file."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from dgspay import DGSPay
from dgspay.checkout import Checkout, Order, OrdersError, SqliteOrders
from dgspay.checkout.store.protocol import Script, query
from dgspay.emulator import Emulator
from dgspay.errors import Outcome
from tests.checkout.conftest import JANE, URL


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "orders.sqlite3"


@pytest.fixture
def checkout(path: Path, dgs: DGSPay) -> Iterator[Checkout]:
    checkout = Checkout(dgs, SqliteOrders(path, busy_timeout=0.2), url=URL)
    yield checkout
    checkout.close()


def opened(checkout: Checkout, order_id: str = "A-1", **terms: Any) -> Order:
    return checkout.open(order_id, amount=2000, customer=JANE, **terms)


def paid(checkout: Checkout, order_id: str = "A-1") -> Order:
    return checkout.pay_by_mobile_money(order_id, phone="0788123456", network="MTN")


@pytest.mark.acceptance(91, "database-lost")
def test_a_full_disk_is_a_clear_error_and_nothing_is_sent(
    checkout: Checkout, emulator: Emulator
) -> None:
    opened(checkout)

    def fill() -> Script[None]:
        ((pages,),) = yield from query("PRAGMA page_count")
        yield from query(f"PRAGMA max_page_count = {pages}")

    checkout._store.run(fill)
    fault: OrdersError | None = None
    for number in range(200):
        try:
            opened(checkout, f"B-{number}", description="x" * 900)
            paid(checkout, f"B-{number}")
        except OrdersError as error:
            fault = error
            break
    assert fault is not None
    assert "full" in str(fault)
    left = {one.dgs_reference for order in checkout.orders(limit=1000) for one in order.attempts}
    assert {each.dgs_reference for each in emulator.transactions} <= left | {None}
    # Once there is room it goes on, with a file that is opened anew.
    assert opened(checkout, "C-1").id == "C-1"


@pytest.mark.acceptance(91, "database-lost")
def test_a_file_that_became_read_only_is_a_clear_error_and_nothing_is_sent(
    path: Path, checkout: Checkout, emulator: Emulator
) -> None:
    opened(checkout)
    checkout._store.run(lambda: query("PRAGMA query_only = 1"))
    with pytest.raises(OrdersError, match=r"readonly.*was not sent") as refused:
        paid(checkout)
    assert refused.value.outcome is Outcome.NOT_SENT
    assert not emulator.transactions
    assert paid(checkout).attempts


@pytest.mark.acceptance(91, "database-lost")
def test_a_file_that_another_keeps_locked_is_a_clear_error_and_nothing_is_sent(
    path: Path, checkout: Checkout, emulator: Emulator
) -> None:
    opened(checkout)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OrdersError, match=r"locked.*was not sent"):
            paid(checkout)
    assert not emulator.transactions
    assert paid(checkout).attempts


def test_a_forked_child_writes_with_a_file_of_its_own(checkout: Checkout) -> None:
    """As behind gunicorn with `preload_app`, which makes the checkout before it forks."""
    opened(checkout)
    children = []
    for number in range(3):
        child = os.fork()
        if child == 0:
            os._exit(0 if opened(checkout, f"B-{number}").id == f"B-{number}" else 1)
        children.append(child)
    for child in children:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(checkout.orders()) == 4


def test_a_store_that_is_closed_while_it_is_asked_does_all_that_was_asked(
    checkout: Checkout,
) -> None:
    opened(checkout)
    over = threading.Event()

    def close() -> None:
        while not over.is_set():
            checkout.close()

    with ThreadPoolExecutor(5) as threads:
        closing = threads.submit(close)
        done = [threads.submit(opened, checkout, f"B-{number}") for number in range(40)]
        assert {each.result().id for each in done} == {f"B-{number}" for number in range(40)}
        over.set()
        closing.result()


def test_what_was_asked_for_is_on_disk_when_the_interpreter_ends(path: Path) -> None:
    program = (
        "import sys\n"
        "from dgspay.checkout import SqliteOrders\n"
        "from dgspay.checkout.store.protocol import query\n"
        "from dgspay.checkout.store.waiting import Asked\n"
        "store = SqliteOrders(sys.argv[1])\n"
        "text = 'INSERT INTO dgspay_order_limits VALUES (?, 0, 1)'\n"
        "for number in range(2000):\n"
        "    store._ask(Asked(lambda number=number: query(text, str(number))))\n"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=True, timeout=60)
    with contextlib.closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT count(*) FROM dgspay_order_limits").fetchone() == (2000,)


def test_what_breaks_a_rule_of_the_tables_is_an_error_of_ours(checkout: Checkout) -> None:
    opened(checkout)
    twice = "INSERT INTO dgspay_orders SELECT * FROM dgspay_orders"
    with pytest.raises(OrdersError, match="was not sent"):
        checkout._store.run(lambda: query(twice))

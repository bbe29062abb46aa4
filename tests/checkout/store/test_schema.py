"""The tables of a store: those of an older version are brought forward, and keep their keys."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dgspay.checkout import AttemptState, Checkout
from dgspay.checkout.store.protocol import query
from dgspay.checkout.store.schema import VERSION
from dgspay.emulator import Emulator
from tests.support import orders_worker

# What version 1 lacked.
_BACK = (
    "DROP TABLE dgspay_order_salt",
    "ALTER TABLE dgspay_orders DROP COLUMN expiry_leased_until",
    "DROP INDEX dgspay_order_limits_since",
    "UPDATE dgspay_order_schema SET version = 1",
)


def bring_back(address: str) -> None:
    """Make the tables of a store those of version 1."""
    connection: Any
    if address.startswith("postgresql:"):
        import psycopg

        connection = psycopg.connect(address)
    else:
        if sqlite3.sqlite_version_info < (3, 35, 5):
            pytest.skip("this SQLite drops no columns")
        connection = sqlite3.connect(address)
    with contextlib.closing(connection):
        for statement in _BACK:
            connection.execute(statement)
        connection.commit()


def version_of(checkout: Checkout) -> int:
    rows = checkout._store.run(lambda: query("SELECT version FROM dgspay_order_schema"))
    ((version,),) = rows
    found: int = version
    return found


def keys(emulator: Emulator) -> list[str]:
    """The idempotency keys of the charges that arrived."""
    return [
        each.headers["idempotency-key"]
        for each in emulator.requests
        if each.operation == "POST /charges"
    ]


def test_tables_of_version_1_are_brought_forward_and_keep_their_keys(
    address: str, emulator: Emulator, here: Callable[..., Checkout]
) -> None:
    orders_worker.pay(here(), "A-1")
    bring_back(address)
    checkout = here()
    assert checkout.order("A-1").attempts[0].state is AttemptState.WAITING
    orders_worker.pay(checkout, "A-2")
    assert version_of(checkout) == VERSION
    parts = (checkout._client.settings.account_number, "A-2", "2000", "RWF", "a1")
    as_ever = hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:32]
    salted, unsalted = keys(emulator)
    assert unsalted == as_ever
    assert len(salted) == len(unsalted)


def test_a_store_has_one_salt_however_often_it_is_opened(
    address: str, here: Callable[..., Checkout]
) -> None:
    salts = {
        here()._store.run(lambda: query("SELECT salt FROM dgspay_order_salt"))[0][0]
        for _ in range(3)
    }
    (salt,) = salts
    assert len(salt) == 32


def test_processes_that_bring_the_tables_forward_at_once_succeed(
    address: str, here: Callable[..., Checkout]
) -> None:
    orders_worker.pay(here(), "A-1")
    bring_back(address)
    checkouts = [here() for _ in range(6)]
    together = threading.Barrier(len(checkouts))

    def order(checkout: Checkout) -> str:
        together.wait()
        return checkout.order("A-1").id

    with ThreadPoolExecutor(len(checkouts)) as threads:
        assert [*threads.map(order, checkouts)] == ["A-1"] * len(checkouts)
    assert version_of(checkouts[0]) == VERSION

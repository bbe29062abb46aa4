"""Where commands find orders: a store that is there, or the shop's own checkout."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from dgspay.checkout import Checkout
from tests.cli.orders.conftest import JANE, Shop
from tests.cli.terminal import PATIENCE, CommandLine, process
from tests.support.real_servers import postgres_binaries, running_postgres

READING = (("list",), ("show", "A-1"), ("problems",), ("export",), ("sweep",), ("replay", "A-1"))


@pytest.mark.parametrize("arguments", READING, ids=lambda each: each[0])
def test_a_store_that_is_not_there_is_not_made(
    dgspay: CommandLine, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    missing = tmp_path / "none.sqlite3"
    said = dgspay("orders", *arguments, "--orders", str(missing))
    assert said.code == 2
    assert "There are no orders at" in said.err
    assert not missing.exists()


def test_a_file_of_something_else_is_left_as_it_is(dgspay: CommandLine, tmp_path: Path) -> None:
    other, text = tmp_path / "other.sqlite3", tmp_path / "notes.txt"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE things (name TEXT)")
    connection.close()
    text.write_text("not a database, but long enough to be looked at" * 50, encoding="utf-8")
    for path in (other, text):
        before = path.read_bytes()
        said = dgspay("orders", "list", "--orders", str(path))
        assert said.code == 2
        assert "is no file of orders" in said.err
        assert path.read_bytes() == before


def test_a_database_gets_no_tables_from_a_command_and_its_orders_are_listed(
    dgspay: CommandLine, shop: Shop
) -> None:
    psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed")
    from dgspay.checkout import PostgresOrders

    binaries = postgres_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL: install postgresql")
    with running_postgres(binaries) as conninfo:
        parts = psycopg.conninfo.conninfo_to_dict(conninfo)
        database = "postgresql:///{dbname}?host={host}&user={user}".format_map(parts)
        said = dgspay("orders", "list", "--orders", database)
        assert said.code == 2, said.err
        assert "no orders in this database" in said.err
        with psycopg.connect(database) as connection:
            found = connection.execute("SELECT to_regclass('dgspay_orders')").fetchone()
        assert found == (None,)
        with contextlib.closing(Checkout(shop.dgs, PostgresOrders(database))) as checkout:
            checkout.open("P-1", amount=700, customer=JANE)
        said = dgspay("orders", "list", "--orders", database)
        assert said.code == 0, said.err
        assert "P-1" in said.out


@pytest.mark.parametrize("name", ["asynchronous", "blocking"])
def test_the_shops_own_checkout_runs_its_handlers_here(
    dgspay: CommandLine, shop: Shop, own_shop: Path, name: str
) -> None:
    shop.checkout.shop.handlers.clear()  # the process that would ship is not there
    reference = shop.sell()
    shop.emulator.approve(reference)
    arguments = ("orders", "sweep", "--app", f"own_shop:{name}", "--everything")
    with process(*arguments, environ=dgspay.environ, folder=own_shop) as running:
        out, err = running.communicate(timeout=PATIENCE)
    assert (running.returncode, err) == (0, "")
    assert "shipped A-1" in out
    assert shop.checkout.order("A-1").told_at is not None


@pytest.mark.parametrize(
    ("app", "why"),
    [
        ("shop", "must look like"),
        ("no_such_module:checkout", "names nothing"),
        ("json:nothing", "names nothing"),
        ("json:dumps", "not a checkout"),
    ],
)
def test_what_is_no_checkout_is_refused(dgspay: CommandLine, app: str, why: str) -> None:
    said = dgspay("orders", "sweep", "--app", app)
    assert said.code == 2
    assert why in said.err


def test_the_shops_own_checkout_has_its_own_account(dgspay: CommandLine) -> None:
    said = dgspay("orders", "sweep", "--app", "shop:checkout", "--environment", "sandbox")
    assert said.code == 2
    assert "its own account" in said.err

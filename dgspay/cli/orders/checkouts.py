"""The checkout that a command works on: one on a store that is there, or the shop's own."""

from __future__ import annotations

import contextlib
import importlib
import sqlite3
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, TypeVar

import attrs
from anyio.from_thread import start_blocking_portal

from dgspay.checkout import AsyncCheckout, Checkout, OrdersStore, SqliteOrders
from dgspay.checkout.flow import Flow
from dgspay.checkout.shop import Shop
from dgspay.checkout.store.schema import POSTGRES, SQLITE
from dgspay.checkout.store.sqlite import DEFAULT_PATH
from dgspay.cli.exit_codes import fail
from dgspay.cli.options import connected
from dgspay.cli.payouts.ledgers import is_server, require_postgres

T = TypeVar("T")


@attrs.frozen
class OpenCheckout:
    """A checkout of either kind, and what carries its flows out.

    Attributes:
        shop: Its set-up.
        carry_out: Drives a flow to its end.
    """

    shop: Shop
    carry_out: Callable[[Flow[Any]], Any]

    def run(self, flow: Callable[[Shop], Flow[T]]) -> T:
        """Carry out what the checkout does under this name, such as `sweeping.sweep`."""
        result: T = self.carry_out(flow(self.shop))
        return result


@contextlib.contextmanager
def known_checkout(
    place: str | None, environment: str | None, base_url: str | None, *, url: str | None = None
) -> Generator[OpenCheckout]:
    """Open a checkout without handlers on a store that is there; a command makes none.

    Args:
        place: Where the store is, by its option.
        environment: That of the account, by its option.
        base_url: That of the account, by its option.
        url: Where the shop's routes are mounted: a refund's webhook goes there.

    Raises:
        ConfigError: a variable of the account is missing, or something does not fit together.
    """
    with connected(environment, base_url) as dgs:
        checkout = Checkout(dgs, known_store(place or DEFAULT_PATH), url=url)
        with contextlib.closing(checkout):
            yield OpenCheckout(checkout.shop, checkout.carry_out)


@contextlib.contextmanager
def acting_checkout(
    app: str | None,
    place: str | None,
    environment: str | None,
    base_url: str | None,
    *,
    url: str | None = None,
) -> Generator[OpenCheckout]:
    """Open the shop's own checkout where `app` names it, else as `known_checkout` does."""
    if app is None:
        with known_checkout(place, environment, base_url, url=url) as opened:
            yield opened
        return
    if environment is not None or base_url is not None:
        fail("--app has its own account: leave --environment and --base-url out. Nothing was sent.")
    checkout = _shops_own(app)
    with contextlib.closing(checkout):
        if isinstance(checkout, Checkout):
            yield OpenCheckout(checkout.shop, checkout.carry_out)
            return
        with start_blocking_portal() as portal:
            carry_out = checkout.carry_out
            yield OpenCheckout(checkout.shop, lambda flow: portal.call(carry_out, flow))


def _shops_own(app: str) -> Checkout | AsyncCheckout:
    module, colon, name = app.partition(":")
    if not (module and colon and name):
        fail(f"--app must look like shop:checkout, not {app!r}. Nothing was sent.")
    # As a shop is started from its own folder, where its modules are.
    sys.path.insert(0, str(Path.cwd()))
    found: object
    try:
        found = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ModuleNotFoundError, AttributeError) as error:
        if isinstance(error, ModuleNotFoundError) and not f"{module}.".startswith(f"{error.name}."):
            raise
        fail(f"--app {app} names nothing that can be imported from here. Nothing was sent.")
    if not isinstance(found, Checkout | AsyncCheckout):
        fail(f"--app {app} is a {type(found).__name__}, not a checkout. Nothing was sent.")
    return found


def known_store(place: str) -> OrdersStore:
    """Return the store at a place; end the command where there is none, for it makes none."""
    if is_server(place):
        require_postgres()
        from dgspay.checkout import PostgresOrders  # noqa: PLC0415 - it imports the extra

        if not _has_tables(place):
            fail("There are no orders in this database. Name the one of the shop with --orders.")
        return PostgresOrders(place)
    path = Path(place)
    if not path.is_file():
        fail(f"There are no orders at {path.absolute()}. Name the shop's with --orders.")
    if not _has_orders(path):
        fail(f"{path.absolute()} is no file of orders. Name the shop's with --orders.")
    return SqliteOrders(path)


def _has_orders(path: Path) -> bool:
    # Not made where it has gone meanwhile.
    where = f"{path.absolute().as_uri()}?mode=rw"
    try:
        with contextlib.closing(sqlite3.connect(where, uri=True)) as connection:
            return connection.execute(SQLITE.find).fetchone() is not None
    except sqlite3.DatabaseError as error:
        # A file that is locked or may not be read is the store's to complain about.
        return error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_NOTADB


def _has_tables(conninfo: str) -> bool:
    import psycopg  # noqa: PLC0415 - the extra

    try:
        with psycopg.connect(conninfo, connect_timeout=10) as connection:
            return connection.execute(POSTGRES.find.encode()).fetchone() is not None
    except psycopg.Error:
        # The store says why it cannot be reached, and waits for a server that restarts.
        return True

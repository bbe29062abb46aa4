"""Orders that are opened in the shop's own transaction: there when it commits, gone when not."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import attrs
import pytest

from dgspay import AsyncDGSPay, DGSPay
from dgspay.checkout import (
    AsyncCheckout,
    Checkout,
    OrderChangedError,
    OrdersError,
    SqliteOrders,
    UnknownOrderError,
)
from dgspay.errors import ConfigError
from tests.checkout.conftest import JANE, URL, ShopClock


class Undone(Exception):  # noqa: N818 - no error, a change of mind
    """The shop's reason to roll back."""


@attrs.frozen
class Lender:
    """A library the shop uses.

    Attributes:
        transaction: A connection, or a session, in a transaction that its end commits.
        execute: Runs a statement of the shop's on it.
    """

    transaction: Callable[[], AbstractContextManager[Any]]
    execute: Callable[[Any, str], object]


def make_store(url: str | Path) -> Any:
    if isinstance(url, Path):
        return SqliteOrders(url)
    from dgspay.checkout import PostgresOrders

    return PostgresOrders(url)


def sqlite3_of(url: str | Path, **options: Any) -> Iterator[Lender]:
    with closing(sqlite3.connect(url, **options)) as connection:
        # Whatever the shop has its rows made into.
        connection.row_factory = sqlite3.Row

        @contextmanager
        def transaction() -> Iterator[sqlite3.Connection]:
            with connection:
                yield connection

        yield Lender(transaction, lambda lent, sql: lent.execute(sql))


def psycopg_of(url: str, **options: Any) -> Iterator[Lender]:
    import psycopg
    from psycopg.rows import dict_row

    with psycopg.connect(url, row_factory=dict_row, **options) as connection:

        @contextmanager
        def transaction() -> Iterator[Any]:
            with connection.transaction():
                yield connection

        yield Lender(transaction, lambda lent, sql: lent.execute(sql))


def django_of(settings: dict[str, Any]) -> Iterator[Lender]:
    import django  # type: ignore[import-untyped]
    from django.conf import settings as configured  # type: ignore[import-untyped]

    if not configured.configured:
        configured.configure(DATABASES={}, USE_TZ=True)
        django.setup()
    from django.db import transaction as transactions  # type: ignore[import-untyped]
    from django.db.utils import ConnectionHandler  # type: ignore[import-untyped]

    handler = ConnectionHandler({"default": settings})
    connection = handler["default"]

    @contextmanager
    def transaction() -> Iterator[Any]:
        # What `transaction.atomic(using=...)` does for a connection that is configured.
        atomic = transactions.Atomic("default", savepoint=True, durable=False)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(transactions, "get_connection", lambda using=None: connection)
            with atomic:
                yield connection

    def execute(lent: Any, sql: str) -> None:
        with lent.cursor() as cursor:
            cursor.execute(sql)

    try:
        yield Lender(transaction, execute)
    finally:
        connection.close()


def sqlalchemy_of(url: str, *, session: bool) -> Iterator[Lender]:
    import sqlalchemy
    from sqlalchemy.orm import Session

    engine = sqlalchemy.create_engine(url)

    @contextmanager
    def transaction() -> Iterator[Any]:
        if session:
            with Session(engine) as lent, lent.begin():
                yield lent
        else:
            with engine.begin() as connection:
                yield connection

    try:
        yield Lender(transaction, lambda lent, sql: lent.execute(sqlalchemy.text(sql)))
    finally:
        engine.dispose()


LENDERS = {
    "sqlite3": "sqlite",
    "sqlite3 IMMEDIATE": "sqlite",
    "django sqlite": "sqlite",
    "sqlalchemy connection sqlite": "sqlite",
    "sqlalchemy session sqlite": "sqlite",
    "psycopg": "postgres",
    "psycopg autocommit": "postgres",
    "django postgres": "postgres",
    "sqlalchemy connection postgres": "postgres",
    "sqlalchemy session postgres": "postgres",
}


@pytest.fixture(params=LENDERS)
def lending(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Any, Lender]]:
    """Where the shop's database is, and a library that connects to it."""
    name: str = request.param
    path = tmp_path / "shop.sqlite3"
    if LENDERS[name] == "sqlite":
        where: Any = path
    else:
        where = request.getfixturevalue("database")
    match name.split():
        case ["sqlite3", *level]:
            yield from _each(where, sqlite3_of(path, isolation_level=level[0] if level else ""))
        case ["psycopg", *autocommit]:
            yield from _each(where, psycopg_of(where, autocommit=bool(autocommit)))
        case ["django", "sqlite"]:
            settings: dict[str, Any] = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path)}
            yield from _each(where, django_of(settings))
        case ["django", _]:
            from psycopg.conninfo import conninfo_to_dict

            parts = conninfo_to_dict(where)
            settings = {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": parts["dbname"],
                "USER": parts["user"],
                "HOST": parts["host"],
                "PORT": parts["port"],
            }
            yield from _each(where, django_of(settings))
        case ["sqlalchemy", kind, database]:
            pytest.importorskip("sqlalchemy", reason="sqlalchemy is not installed")
            url = (
                f"sqlite:///{path}"
                if database == "sqlite"
                else where.replace("postgresql:", "postgresql+psycopg:")
            )
            yield from _each(where, sqlalchemy_of(url, session=kind == "session"))


def _each(where: Any, lenders: Iterator[Lender]) -> Iterator[tuple[Any, Lender]]:
    for lender in lenders:
        yield where, lender


@pytest.fixture
def lent(lending: tuple[Any, Lender], dgs: DGSPay) -> Iterator[tuple[Checkout, Lender]]:
    """A checkout on the shop's database, which has a table of the shop's own."""
    where, lender = lending
    checkout = Checkout(dgs, make_store(where), url=URL)
    with lender.transaction() as connection:
        lender.execute(connection, "CREATE TABLE tickets (id TEXT)")
    yield checkout, lender
    checkout.close()


def test_an_order_is_there_once_the_shop_commits_and_not_before(
    lent: tuple[Checkout, Lender],
) -> None:
    checkout, lender = lent
    with lender.transaction() as connection:
        lender.execute(connection, "INSERT INTO tickets VALUES ('A-1')")
        order = checkout.open("A-1", amount=2000, customer=JANE, expires=60, connection=connection)
        again = checkout.open("A-1", amount=2000, customer=JANE, expires=60, connection=connection)
        assert again == order
    assert checkout.order("A-1") == order
    assert order.expires_at == pytest.approx(order.created_at + 60, abs=1)
    paid = checkout.pay_by_mobile_money("A-1", phone="0788123456", network="MTN")
    assert paid.attempts


def test_an_order_is_gone_where_the_shop_rolls_back(lent: tuple[Checkout, Lender]) -> None:
    checkout, lender = lent
    for _ in range(2):
        with suppress(Undone), lender.transaction() as connection:
            checkout.open("A-1", amount=2000, customer=JANE, connection=connection)
            raise Undone
        with pytest.raises(UnknownOrderError):
            checkout.order("A-1")
    assert checkout.open("A-1", amount=3000, customer=JANE).amount == 3000


def test_a_refused_order_leaves_the_shops_transaction_usable(
    lent: tuple[Checkout, Lender],
) -> None:
    checkout, lender = lent
    checkout.open("A-1", amount=2000, customer=JANE)
    with lender.transaction() as connection:
        lender.execute(connection, "INSERT INTO tickets VALUES ('A-2')")
        with pytest.raises(OrderChangedError):
            checkout.open("A-1", amount=9, customer=JANE, connection=connection)
        checkout.open("A-2", amount=2000, customer=JANE, connection=connection)
        lender.execute(connection, "INSERT INTO tickets VALUES ('A-2')")
    assert checkout.order("A-2").amount == 2000


def test_a_database_that_fails_leaves_the_shops_transaction_usable(
    lent: tuple[Checkout, Lender],
) -> None:
    checkout, lender = lent
    with lender.transaction() as connection:
        lender.execute(connection, "CREATE TABLE dgspay_order_schema (theirs TEXT)")
    with lender.transaction() as connection:
        with pytest.raises(OrdersError, match="shop's connection failed"):
            checkout.open("A-1", amount=2000, customer=JANE, connection=connection)
        lender.execute(connection, "INSERT INTO tickets VALUES ('A-1')")


def test_a_connection_without_a_transaction_is_refused(
    dgs: DGSPay, tmp_path: Path, database: str
) -> None:
    import psycopg

    path = tmp_path / "shop.sqlite3"
    checkout = Checkout(dgs, SqliteOrders(path), url=URL)
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as connection,
        pytest.raises(ConfigError, match="no transaction open"),
    ):
        checkout.open("A-1", amount=2000, customer=JANE, connection=connection)
    checkout.close()
    checkout = Checkout(dgs, make_store(database), url=URL)
    with (
        psycopg.connect(database, autocommit=True) as connection,
        pytest.raises(ConfigError, match="no transaction open"),
    ):
        checkout.open("A-1", amount=2000, customer=JANE, connection=connection)
    checkout.close()


def test_a_connection_of_another_database_or_kind_is_refused(
    dgs: DGSPay, tmp_path: Path, database: str
) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.sqlite3")) as connection:
        checkout = Checkout(dgs, make_store(database), url=URL)
        for wrong, words in (
            (connection, "kept in PostgreSQL, and the connection is one of SQLite"),
            (object(), "object is no connection of psycopg"),
        ):
            with pytest.raises(ConfigError, match=words):
                checkout.open("A-1", amount=2000, customer=JANE, connection=wrong)
        checkout.close()


async def _psycopg(url: str, use: Callable[[Any], Any]) -> None:
    import psycopg

    connecting = await psycopg.AsyncConnection.connect(url)
    async with connecting as connection, connection.transaction():
        await use(connection)


async def _sqlalchemy_connection(url: str, use: Callable[[Any], Any]) -> None:
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    try:
        async with engine.begin() as connection:
            await use(connection)
    finally:
        await engine.dispose()


async def _sqlalchemy_session(url: str, use: Callable[[Any], Any]) -> None:
    from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

    engine = create_async_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    try:
        async with AsyncSession(engine) as session, session.begin():
            await use(session)
    finally:
        await engine.dispose()


@pytest.mark.parametrize("lend", [_psycopg, _sqlalchemy_connection, _sqlalchemy_session])
def test_an_awaited_connection_lends_its_transaction(
    lend: Callable[..., Any], database: str, async_dgs: AsyncDGSPay
) -> None:
    pytest.importorskip("sqlalchemy", reason="sqlalchemy is not installed")
    checkout = AsyncCheckout(async_dgs, make_store(database), url=URL)

    async def opened(connection: Any) -> None:
        await checkout.open("A-1", amount=2000, customer=JANE, connection=connection)
        with pytest.raises(OrderChangedError):
            await checkout.open("A-1", amount=9, customer=JANE, connection=connection)

    async def undone(connection: Any) -> None:
        await opened(connection)
        raise Undone

    async def story() -> None:
        with suppress(Undone):
            await lend(database, undone)
        with pytest.raises(UnknownOrderError):
            await checkout.order("A-1")
        await lend(database, opened)
        assert (await checkout.order("A-1")).amount == 2000

    anyio.run(story)
    checkout.close()


def test_an_order_in_a_sqlite_transaction_has_the_anchored_time(
    dgs: DGSPay, tmp_path: Path, clock: ShopClock
) -> None:
    path = tmp_path / "shop.sqlite3"
    checkout = Checkout(dgs, SqliteOrders(path, clock=clock), url=URL)
    first = checkout.open("A-1", amount=2000, customer=JANE)
    clock.set_by = 3600.0
    with closing(sqlite3.connect(path)) as connection, connection:
        order = checkout.open("A-2", amount=2000, customer=JANE, connection=connection)
    assert order.created_at == first.created_at
    checkout.close()

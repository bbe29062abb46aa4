"""Connections of the shop's: a script joins the transaction that one of them has open.

psycopg's (with and without `await`), `sqlite3`'s, Django's (`django.db.connection`) and
SQLAlchemy's (a `Connection` or `Session`, `AsyncConnection` or `AsyncSession`) are told apart by
what they can do; none of their packages is imported. A script that fails is undone alone: the
shop's transaction goes on.
"""

from __future__ import annotations

import inspect
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from dgspay.checkout.errors import OrdersError
from dgspay.checkout.store.anchor import anchor
from dgspay.checkout.store.dialects import in_postgres, in_sqlite, numbered
from dgspay.checkout.store.protocol import (
    Row,
    Script,
    Statement,
    run_script,
    run_script_async,
)
from dgspay.checkout.store.schema import POSTGRES, SQLITE, Dialect, install
from dgspay.clock import Clock
from dgspay.errors import ConfigError

T = TypeVar("T")

_NO_TRANSACTION = (
    "the connection has no transaction open, so that an order on it could not be undone with the "
    "rest: begin one (`transaction.atomic()`, `engine.begin()`, `connection.transaction()`), or "
    "leave connection= out. Nothing was written"
)


class _Lent(Protocol):
    """A connection of the shop's, of a kind that is known."""

    @property
    def dialect(self) -> Dialect:
        """Which database it is to."""
        ...

    def has_transaction(self) -> bool:
        """Whether what is written is undone where the shop does not commit; begin it if need be."""
        ...

    def execute(self, text: str, values: Sequence[object]) -> list[Row]:
        """Run a statement and return its rows."""
        ...


def run_on(
    connection: Any, make: Callable[[], Script[T]], dialect: Dialect, clock: Clock | None
) -> T:
    """Run a script in the transaction that a blocking connection of the shop's has open.

    Args:
        connection: The shop's.
        make: Makes the script.
        dialect: The store's: the connection must be to a database of the same kind.
        clock: The machine's, for SQLite; for PostgreSQL a test's, or None for the server's.

    Raises:
        ConfigError: the connection is of no known kind, is of another database's, or has no
            transaction open.
        OrdersError: the database failed; what the script wrote is undone.
    """
    lent = _lent(connection)
    _require(dialect, lent.dialect)
    ahead = 0.0

    def script() -> Script[T]:
        nonlocal ahead
        yield from install(dialect)
        if dialect is SQLITE and clock is not None:
            ahead = yield from anchor(clock)
        return (yield from make())

    def execute(statement: Statement) -> list[Row]:
        text = statement.text
        if dialect is SQLITE and clock is not None:
            plain = in_sqlite(text, repr(clock.monotonic() + ahead))
        else:
            plain = in_postgres(text, None if clock is None else clock.time())
        with _told():
            return lent.execute(plain, statement.values)

    with _told():
        has_transaction = lent.has_transaction()
    if not has_transaction:
        raise ConfigError(_NO_TRANSACTION)
    return run_script(_undone_alone(script()), execute)


async def arun_on(
    connection: Any, make: Callable[[], Script[T]], dialect: Dialect, clock: Clock | None
) -> T:
    """Run a script on a connection of the shop's, awaited where it asks for that; see `run_on`."""
    if hasattr(connection, "run_sync"):
        result: T = await connection.run_sync(lambda sync: run_on(sync, make, dialect, clock))
        return result
    if not _is_awaited(connection):
        return run_on(connection, make, dialect, clock)
    _require(dialect, POSTGRES)
    if not _has_transaction_of_psycopg(connection):
        raise ConfigError(_NO_TRANSACTION)
    from psycopg.rows import tuple_row  # noqa: PLC0415 - who has such a connection has psycopg

    def script() -> Script[T]:
        yield from install(dialect)
        return (yield from make())

    async def execute(statement: Statement) -> list[Row]:
        plain = in_postgres(statement.text, None if clock is None else clock.time())
        with _told():
            async with connection.cursor(row_factory=tuple_row) as cursor:
                await cursor.execute(plain.encode(), statement.values)
                rows: list[Row] = await cursor.fetchall() if cursor.description else []
                return rows

    return await run_script_async(_undone_alone(script()), execute)


def _undone_alone(script: Script[T]) -> Script[T]:
    """Wrap a script so that it is undone where it raises, and the shop's transaction goes on."""
    yield Statement("SAVEPOINT dgspay_orders")
    try:
        result = yield from script
    except Exception:
        yield Statement("ROLLBACK TO SAVEPOINT dgspay_orders")
        yield Statement("RELEASE SAVEPOINT dgspay_orders")
        raise
    yield Statement("RELEASE SAVEPOINT dgspay_orders")
    return result


@contextmanager
def _told() -> Iterator[None]:
    """Raise what a driver raises as an error of ours."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - drivers have roots of their own
        # SQLAlchemy's own text shows the values, which name the customer.
        cause = getattr(error, "orig", None) or error
        raise OrdersError(
            f"the shop's connection failed to write the order ({type(cause).__name__}). It is not "
            "there. Nothing was sent"
        ) from cause


def _require(ours: Dialect, theirs: Dialect) -> None:
    if ours is not theirs:
        raise ConfigError(
            f"the orders are kept in {ours.name}, and the connection is one of {theirs.name}. "
            "Nothing was written"
        )


class _OfSqlite3:
    dialect = SQLITE

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def has_transaction(self) -> bool:
        return _begun_in_sqlite(self._connection, self._connection.execute)

    def execute(self, text: str, values: Sequence[object]) -> list[Row]:
        cursor = self._connection.cursor()
        # Whatever the shop has its rows made into.
        cursor.row_factory = None
        return cursor.execute(text, tuple(values)).fetchall()


def _begun_in_sqlite(driver: Any, execute: Callable[[str], object]) -> bool:
    """Whether there is a transaction, which Python's driver begins before the first change only.

    A savepoint without one would be a transaction of its own, and be committed at its end.
    """
    if driver.in_transaction:
        return True
    is_legacy = getattr(driver, "autocommit", -1) == -1
    if not is_legacy or driver.isolation_level is None:
        return False
    execute(f"BEGIN {driver.isolation_level}")
    return True


class _OfPsycopg:
    dialect = POSTGRES

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def has_transaction(self) -> bool:
        return _has_transaction_of_psycopg(self._connection)

    def execute(self, text: str, values: Sequence[object]) -> list[Row]:
        from psycopg.rows import tuple_row  # noqa: PLC0415 - as above

        with self._connection.cursor(row_factory=tuple_row) as cursor:
            cursor.execute(text.encode(), values)
            rows: list[Row] = cursor.fetchall() if cursor.description else []
            return rows


def _has_transaction_of_psycopg(connection: Any) -> bool:
    # One that is not in autocommit begins with the first statement.
    return not connection.autocommit or bool(connection.info.transaction_status)


class _OfDjango:
    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.dialect = _dialect_named(connection.vendor)

    def has_transaction(self) -> bool:
        return not self._connection.get_autocommit()

    def execute(self, text: str, values: Sequence[object]) -> list[Row]:
        if self.dialect is SQLITE:
            text = text.replace("%", "%%").replace("?", "%s")
        with self._connection.cursor() as cursor:
            cursor.execute(text, tuple(values))
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []


class _OfSqlalchemy:
    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.dialect = _dialect_named(connection.dialect.name)

    def has_transaction(self) -> bool:
        # Begins one where SQLAlchemy does that by itself.
        self._connection.exec_driver_sql("SELECT 1")
        pooled = self._connection.connection
        if self.dialect is SQLITE:
            return _begun_in_sqlite(pooled.driver_connection, self._connection.exec_driver_sql)
        return getattr(pooled.dbapi_connection, "autocommit", False) is not True

    def execute(self, text: str, values: Sequence[object]) -> list[Row]:
        if self._connection.dialect.paramstyle == "numeric_dollar":
            text = numbered(text)
        result = self._connection.exec_driver_sql(text, tuple(values))
        return [tuple(row) for row in result] if result.returns_rows else []


def _lent(connection: Any) -> _Lent:
    """Return a connection as one of its kind.

    Raises:
        ConfigError: it is of no known kind, or is to be awaited where nothing awaits.
    """
    if hasattr(connection, "run_sync") or _is_awaited(connection):
        raise ConfigError(
            f"{type(connection).__name__} is to be awaited: Checkout takes blocking connections, "
            "AsyncCheckout takes both. Nothing was written"
        )
    if isinstance(connection, sqlite3.Connection):
        return _OfSqlite3(connection)
    if hasattr(connection, "pgconn"):
        return _OfPsycopg(connection)
    if hasattr(connection, "vendor"):
        return _OfDjango(connection)
    if hasattr(connection, "exec_driver_sql"):
        return _OfSqlalchemy(connection)
    if hasattr(connection, "get_bind"):
        return _OfSqlalchemy(connection.connection())
    raise ConfigError(
        f"{type(connection).__name__} is no connection of psycopg, sqlite3, Django or SQLAlchemy. "
        "Nothing was written"
    )


def _is_awaited(connection: Any) -> bool:
    return hasattr(connection, "pgconn") and inspect.iscoroutinefunction(connection.execute)


def _dialect_named(name: str) -> Dialect:
    for dialect in (SQLITE, POSTGRES):
        if name == dialect.name.lower():
            return dialect
    raise ConfigError(f"orders are kept in SQLite or PostgreSQL, not in {name}")

"""The tables of a store of orders; statements differ between databases by a few words only."""

from __future__ import annotations

import secrets

import attrs

from dgspay.checkout.errors import OrdersError
from dgspay.checkout.store.protocol import Script, first, query

VERSION = 2
"""Written into `dgspay_order_schema`; a newer one is refused, an older one brought forward."""


@attrs.frozen
class Dialect:
    """How a database says what the others say differently.

    Attributes:
        name: Its name, for people.
        types: Its words for the types of columns.
        find: Returns a row where the tables are there.
        lock: Lets one process at a time make the tables.
    """

    name: str
    types: dict[str, str]
    find: str
    lock: str | None = None


SQLITE = Dialect(
    "SQLite",
    {"serial": "INTEGER PRIMARY KEY AUTOINCREMENT", "blob": "BLOB", "real": "REAL"},
    "SELECT 1 FROM sqlite_master WHERE name = 'dgspay_order_schema'",
)
POSTGRES = Dialect(
    "PostgreSQL",
    {
        "serial": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        "blob": "BYTEA",
        "real": "DOUBLE PRECISION",
    },
    "SELECT 1 WHERE to_regclass('dgspay_order_schema') IS NOT NULL",
    # Two processes that create a table at once fail there, "IF NOT EXISTS" or not. The number is
    # these tables' own; it has no other meaning.
    "SELECT pg_advisory_xact_lock(5127730841)",
)

_SALT = "CREATE TABLE IF NOT EXISTS dgspay_order_salt (salt TEXT NOT NULL)"
_TABLES = (
    "CREATE TABLE IF NOT EXISTS dgspay_order_schema (version INTEGER NOT NULL)",
    _SALT,
    """
    CREATE TABLE IF NOT EXISTS dgspay_order_accounts (
        key {serial},
        environment TEXT NOT NULL,
        account_number TEXT NOT NULL,
        token_key TEXT NOT NULL,
        UNIQUE (environment, account_number)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS dgspay_orders (
        key {serial},
        account BIGINT NOT NULL,
        id TEXT NOT NULL,
        amount TEXT NOT NULL,
        currency TEXT NOT NULL,
        details TEXT NOT NULL,
        state TEXT NOT NULL,
        created_at {real} NOT NULL,
        expires_at {real},
        paid_at {real},
        told_at {real},
        beside INTEGER NOT NULL DEFAULT 0,
        expiry_leased_until {real},
        UNIQUE (account, id)
    )
    """,
    """
    CREATE INDEX IF NOT EXISTS dgspay_orders_expiring ON dgspay_orders (account, expires_at)
    WHERE expires_at IS NOT NULL AND state IN ('open', 'paying')
    """,
    """
    CREATE TABLE IF NOT EXISTS dgspay_order_attempts (
        order_key BIGINT NOT NULL,
        number INTEGER NOT NULL,
        account BIGINT NOT NULL,
        method TEXT NOT NULL,
        state TEXT NOT NULL,
        under_way INTEGER NOT NULL,
        dgs_reference TEXT,
        action TEXT,
        step INTEGER NOT NULL,
        lost_step INTEGER NOT NULL,
        reason TEXT,
        network TEXT,
        phone TEXT,
        asked_at {real} NOT NULL,
        stale_at {real} NOT NULL,
        looked_at {real},
        look_at {real},
        looks INTEGER NOT NULL,
        amount TEXT,
        currency TEXT,
        PRIMARY KEY (order_key, number)
    )
    """,
    """
    CREATE UNIQUE INDEX IF NOT EXISTS dgspay_order_attempts_under_way
    ON dgspay_order_attempts (order_key) WHERE under_way = 1
    """,
    """
    CREATE INDEX IF NOT EXISTS dgspay_order_attempts_due
    ON dgspay_order_attempts (account, look_at) WHERE look_at IS NOT NULL
    """,
    """
    CREATE INDEX IF NOT EXISTS dgspay_order_attempts_reference
    ON dgspay_order_attempts (dgs_reference) WHERE dgs_reference IS NOT NULL
    """,
    """
    CREATE TABLE IF NOT EXISTS dgspay_order_problems (
        key {serial},
        account BIGINT NOT NULL,
        order_key BIGINT NOT NULL,
        kind TEXT NOT NULL,
        subject INTEGER,
        detail TEXT NOT NULL,
        noted_at {real} NOT NULL,
        resolution TEXT
    )
    """,
    """
    CREATE INDEX IF NOT EXISTS dgspay_order_problems_of ON dgspay_order_problems (order_key)
    """,
    """
    CREATE INDEX IF NOT EXISTS dgspay_order_problems_open
    ON dgspay_order_problems (account, key) WHERE resolution IS NULL
    """,
    """
    CREATE TABLE IF NOT EXISTS dgspay_order_refunds (
        order_key BIGINT NOT NULL,
        number INTEGER NOT NULL,
        account BIGINT NOT NULL,
        amount TEXT NOT NULL,
        gross TEXT NOT NULL,
        state TEXT NOT NULL,
        attempt INTEGER NOT NULL,
        recipient TEXT NOT NULL,
        dgs_reference TEXT,
        reason TEXT,
        note TEXT,
        asked_at {real} NOT NULL,
        look_at {real},
        looks INTEGER NOT NULL,
        PRIMARY KEY (order_key, number)
    )
    """,
    """
    CREATE UNIQUE INDEX IF NOT EXISTS dgspay_order_refunds_under_way
    ON dgspay_order_refunds (order_key) WHERE state IN ('in doubt', 'pending')
    """,
    """
    CREATE INDEX IF NOT EXISTS dgspay_order_refunds_due
    ON dgspay_order_refunds (account, look_at) WHERE look_at IS NOT NULL
    """,
    """
    CREATE INDEX IF NOT EXISTS dgspay_order_refunds_reference
    ON dgspay_order_refunds (dgs_reference) WHERE dgs_reference IS NOT NULL
    """,
    """
    CREATE TABLE IF NOT EXISTS dgspay_order_tasks (
        key {serial},
        account BIGINT NOT NULL,
        order_key BIGINT NOT NULL,
        kind TEXT NOT NULL,
        subject BIGINT NOT NULL,
        due_at {real},
        lease TEXT,
        tries INTEGER NOT NULL,
        error TEXT,
        UNIQUE (order_key, kind, subject)
    )
    """,
    """
    CREATE INDEX IF NOT EXISTS dgspay_order_tasks_due
    ON dgspay_order_tasks (account, due_at) WHERE due_at IS NOT NULL
    """,
    """
    CREATE TABLE IF NOT EXISTS dgspay_order_events (
        key {serial},
        account BIGINT NOT NULL,
        order_key BIGINT,
        subject TEXT,
        received_at {real} NOT NULL,
        name TEXT NOT NULL,
        dgs_reference TEXT,
        digest {blob} NOT NULL,
        body {blob} NOT NULL,
        deliveries INTEGER NOT NULL,
        UNIQUE (account, digest)
    )
    """,
    """
    CREATE INDEX IF NOT EXISTS dgspay_order_events_of
    ON dgspay_order_events (order_key) WHERE order_key IS NOT NULL
    """,
    """
    CREATE INDEX IF NOT EXISTS dgspay_order_events_unknown
    ON dgspay_order_events (account, key) WHERE order_key IS NULL
    """,
    """
    CREATE TABLE IF NOT EXISTS dgspay_order_limits (
        subject TEXT PRIMARY KEY,
        since {real} NOT NULL,
        count INTEGER NOT NULL
    )
    """,
    "CREATE INDEX IF NOT EXISTS dgspay_order_limits_since ON dgspay_order_limits (since)",
)

# Statements that bring tables of the version before forward, by the version that they lead to. None
# alters `dgspay_order_schema`: a process that waits for `Dialect.lock` has read it, and would be in
# a deadlock with this one.
_MIGRATIONS = {
    2: (
        _SALT,
        # Without a salt, the keys of what was sent from this store stay what they were.
        "INSERT INTO dgspay_order_salt VALUES ('')",
        "ALTER TABLE dgspay_orders ADD COLUMN expiry_leased_until {real}",
        "CREATE INDEX IF NOT EXISTS dgspay_order_limits_since ON dgspay_order_limits (since)",
    ),
}


def install(dialect: Dialect) -> Script[None]:
    """Make the tables where there are none, and bring those of an older version forward.

    Raises:
        OrdersError: they were made by a newer version of dgspay.
    """
    if (yield from first(dialect.find)) is None:
        yield from _lock(dialect)
        for text in _TABLES:
            yield from query(text.format_map(dialect.types))
        if (yield from first("SELECT version FROM dgspay_order_schema")) is None:
            yield from query("INSERT INTO dgspay_order_schema VALUES (?)", VERSION)
            yield from query("INSERT INTO dgspay_order_salt VALUES (?)", secrets.token_hex(16))
    version = yield from _version()
    if version < VERSION:
        yield from _lock(dialect)
        # Another process may have been first.
        for number in range((yield from _version()) + 1, VERSION + 1):
            for text in _MIGRATIONS[number]:
                yield from query(text.format_map(dialect.types))
            yield from query("UPDATE dgspay_order_schema SET version = ?", number)
    elif version > VERSION:
        raise OrdersError(
            "the orders were written by a newer version of dgspay. Nothing was changed or sent; "
            "install that version"
        )


def _version() -> Script[int]:
    row = yield from first("SELECT version FROM dgspay_order_schema")
    return VERSION if row is None else row[0]


def _lock(dialect: Dialect) -> Script[None]:
    if dialect.lock is not None:
        yield from query(dialect.lock)

"""The tables of a store of orders; statements differ between databases by a few words only."""

from __future__ import annotations

from collections.abc import Mapping

VERSION = 1
"""Written into `dgspay_order_schema`; a newer one is refused, an older one brought forward."""

SQLITE = {"serial": "INTEGER PRIMARY KEY AUTOINCREMENT", "blob": "BLOB", "real": "REAL"}
POSTGRES = {
    "serial": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    "blob": "BYTEA",
    "real": "DOUBLE PRECISION",
}

_TABLES = (
    "CREATE TABLE IF NOT EXISTS dgspay_order_schema (version INTEGER NOT NULL)",
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
)


def statements(words: Mapping[str, str]) -> list[str]:
    """Return what makes the tables in a database with these words for its types."""
    return [text.format_map(words) for text in _TABLES]

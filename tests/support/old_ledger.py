"""The tables of version 2, as the dgspay before this one made them, with what it had paid."""

from __future__ import annotations

import sqlite3
from pathlib import Path

SQLITE = """
CREATE TABLE dgspay_payout_batches (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    digest TEXT NOT NULL,
    environment TEXT NOT NULL,
    base_url TEXT NOT NULL,
    account_number TEXT NOT NULL,
    callback_url TEXT,
    idempotency_header TEXT NOT NULL,
    token_secret TEXT NOT NULL,
    count INTEGER NOT NULL,
    total INTEGER NOT NULL,
    created_at REAL NOT NULL,
    started INTEGER NOT NULL,
    paused TEXT
);
CREATE TABLE dgspay_payouts (
    id INTEGER PRIMARY KEY,
    reference TEXT NOT NULL,
    amount INTEGER NOT NULL,
    account TEXT NOT NULL,
    bank_key TEXT,
    branch TEXT,
    network TEXT,
    country TEXT,
    name TEXT,
    narration TEXT
);
CREATE TABLE dgspay_payout_states (
    id INTEGER PRIMARY KEY,
    state INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    doubtful INTEGER NOT NULL,
    sent_at REAL,
    dgs_reference TEXT,
    fee TEXT,
    reason TEXT,
    contradiction TEXT,
    settled_at REAL
);
PRAGMA user_version = 2;
"""

POSTGRES = (
    SQLITE.replace("INTEGER PRIMARY KEY AUTOINCREMENT", "bigint PRIMARY KEY")
    .replace("INTEGER", "bigint")
    .replace("REAL", "double precision")
    .replace("PRAGMA user_version = 2;", "")
    + """
CREATE SEQUENCE dgspay_payout_batch_ids START 2;
CREATE TABLE dgspay_payout_chunks (
    batch bigint NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    epoch bigint NOT NULL,
    PRIMARY KEY (batch, first, last)
);
COMMENT ON TABLE dgspay_payout_states IS 'dgspay payout ledger 2';
"""
)

BATCH = (
    "INSERT INTO dgspay_payout_batches VALUES (1, 'november', 'd', 'emulator', "
    "'http://127.0.0.1', 'ACC', NULL, 'Idempotency-Key', '00', 5, 15000, {now}, 1, NULL)"
)
PAYOUTS = [
    # Number, reference, account, bank, and where it stands: None for never sent.
    (1, "EMP-1", "+250780000001", None, 4),
    (2, "emp-2", "100-200", "bk_rw", 5),
    (3, "emp-3", "+250780000003", None, 1),
    (4, "emp-4", "+250780000004", None, 3),
    (5, "emp-5", "+250780000005", None, None),
]


def statements(now: float) -> list[str]:
    """What fills the tables: confirmed, held, in doubt, failed and new."""
    found = [BATCH.format(now=now)]
    for number, reference, account, bank, state in PAYOUTS:
        identity = 2**32 + number
        quoted = "NULL" if bank is None else f"'{bank}'"
        found.append(
            "INSERT INTO dgspay_payouts (id, reference, amount, account, bank_key) "
            f"VALUES ({identity}, '{reference}', {number * 1000}, '{account}', {quoted})"
        )
        if state is not None:
            found.append(
                "INSERT INTO dgspay_payout_states (id, state, attempts, doubtful, sent_at) "
                f"VALUES ({identity}, {state}, 1, 0, {now})"
            )
    return found


def write_old_ledger(path: Path, now: float) -> Path:
    """Make a SQLite ledger of version 2."""
    connection = sqlite3.connect(path)
    connection.executescript(SQLITE)
    for statement in statements(now):
        connection.execute(statement)
    connection.commit()
    connection.close()
    return path

"""A ledger in a SQLite file: for one machine, with nothing to install."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

from dgspay.errors import ConfigError
from dgspay.payouts.batch import Batch
from dgspay.payouts.faults import LedgerError
from dgspay.payouts.ledger import tables
from dgspay.payouts.ledger.base import DatabaseLedger
from dgspay.payouts.ledger.locks import only_one
from dgspay.payouts.payout import Payout

DEFAULT_NAME = "dgspay-payouts.sqlite3"

_SCHEMA = (
    """
    CREATE TABLE IF NOT EXISTS dgspay_payout_batches (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        digest TEXT NOT NULL,
        environment TEXT NOT NULL,
        base_url TEXT NOT NULL,
        account_number TEXT NOT NULL,
        callback_url TEXT,
        token_secret TEXT NOT NULL,
        count INTEGER NOT NULL,
        total INTEGER NOT NULL,
        created_at REAL NOT NULL,
        started INTEGER NOT NULL,
        paused TEXT
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS dgspay_payouts (
        batch INTEGER NOT NULL,
        number INTEGER NOT NULL,
        reference TEXT NOT NULL,
        amount INTEGER NOT NULL,
        bank_key TEXT,
        account TEXT NOT NULL,
        branch TEXT,
        network TEXT,
        country TEXT,
        name TEXT,
        narration TEXT,
        state INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        doubtful INTEGER NOT NULL DEFAULT 0,
        dgs_reference TEXT,
        fee TEXT,
        reason TEXT,
        contradiction TEXT,
        sent_at REAL,
        settled_at REAL,
        PRIMARY KEY (batch, number)
    ) WITHOUT ROWID
    """,
)


class SqliteLedger(DatabaseLedger["SqliteConnection"]):
    """Remembers in a file on a local disk.

    The `run` of a batch has it for itself; `listen`, `status` and `resolve` may use the file at
    the same time. A network disk is no place for it; machines that share a batch need
    `PostgresLedger`.

    Args:
        path: The file; it is made, readable by its owner only, when it is not there.
        busy_timeout: Seconds to wait for another process that is writing.
        clock: Unix time.

    Raises:
        ConfigError: the path is no place for a file.
        LedgerError: the file cannot be opened, or is no ledger.
    """

    def __init__(
        self,
        path: str | Path = DEFAULT_NAME,
        *,
        busy_timeout: float = 30.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if str(path) in ("", ":memory:"):
            raise ConfigError("a ledger needs a file: what is in memory does not outlive a crash")
        self.path = Path(path).absolute()
        super().__init__(partial(SqliteConnection, self.path, busy_timeout), clock)

    def only_run(self, name: str) -> AbstractContextManager[None]:
        """Be the one run of a batch on this machine.

        Raises:
            BatchBusyError: another process runs it.
        """
        return only_one(self.path.with_name(f"{self.path.name}.{name}.lock"), name)


class SqliteConnection:
    """The ledger's one connection to the file; it lives in the writing thread."""

    for_update = ""  # a transaction that writes has the file for itself

    def __init__(self, path: Path, busy_timeout: float) -> None:
        try:
            # Names and account numbers are in it: nobody else's business.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._connection = sqlite3.connect(path, timeout=busy_timeout, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise LedgerError(f"the ledger {path} cannot be opened: {error}") from None
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self.begin()
            for statement in _SCHEMA:
                self._connection.execute(statement)
            self.commit()
        except sqlite3.Error as error:
            self._connection.close()
            raise LedgerError(f"{path} is no ledger, or cannot be written: {error}") from None

    def begin(self) -> None:
        """Begin a transaction; the lock is taken at its start, so that it cannot deadlock."""
        self._connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Put it on disk."""
        self._connection.execute("COMMIT")

    def rollback(self) -> None:
        """Undo it, if there is one."""
        if self._connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")

    def fault_of(self, error: BaseException) -> str | None:
        """Say what ails the file."""
        is_ours = isinstance(error, sqlite3.Error)
        return f"the ledger cannot be written ({error})" if is_ours else None

    def reconnect(self, error: BaseException) -> bool:
        """A file does not come back by being opened again."""
        return False

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def query(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Return the rows of a statement."""
        return self._connection.execute(statement, values).fetchall()

    def change(self, statement: str, values: Sequence[Any]) -> int:
        """Carry a statement out; return how many rows it changed."""
        return self._connection.execute(statement, values).rowcount

    def change_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> int:
        """Carry a statement out for each of the values; return how many rows that changed."""
        return self._connection.executemany(statement, rows).rowcount

    def bulk_load(self, batch: Batch, payouts: Iterable[Payout]) -> list[int]:
        """Insert payouts one by one as they come, all in one transaction."""
        count = [0, 0]
        marks = ", ".join("?" * len(tables.PAYOUT_COLUMNS.split(",")))
        self._connection.executemany(
            f"INSERT INTO dgspay_payouts ({tables.PAYOUT_COLUMNS}) VALUES ({marks})",  # noqa: S608 - no value is in the text
            tables.counted(batch, payouts, count),
        )
        return count

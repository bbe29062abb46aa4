"""Rows in a SQLite file: the present state, and named snapshots beside it."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import attrs

from dgspay.forks import new_lock
from dgspay.private_files import make_private

_APPLICATION_ID: Final = 0x44475345
_VERSION: Final = 1
IN_MEMORY: Final = ":memory:"

_SCHEMA: Final = """
CREATE TABLE rows (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    content TEXT NOT NULL,
    UNIQUE (kind, account, name)
);
CREATE TABLE snapshots (name TEXT PRIMARY KEY, taken_at REAL NOT NULL, size INTEGER NOT NULL);
CREATE TABLE snapshot_rows (
    id INTEGER PRIMARY KEY,
    snapshot TEXT NOT NULL REFERENCES snapshots (name) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    content TEXT NOT NULL
);
CREATE INDEX rows_of_snapshot ON snapshot_rows (snapshot);
"""
# A row that is written again keeps its place: the order of rows is the order of events.
_PUT: Final = """
INSERT INTO rows (kind, account, name, content) VALUES (?, ?, ?, ?)
ON CONFLICT (kind, account, name) DO UPDATE SET content = excluded.content
"""


@attrs.frozen
class Row:
    """One row of the state.

    Attributes:
        kind: What it is, such as `payment`.
        account: The number of the account it belongs to; empty for what belongs to all.
        name: What it goes by among its kind.
        content: JSON; None for something that is no more.
    """

    kind: str
    account: str
    name: str
    content: str | None


@attrs.frozen
class Snapshot:
    """A state saved under a name.

    Attributes:
        name: What it goes by.
        taken_at: Seconds since 1970, by the emulator's clock.
        size: How many rows it has.
    """

    name: str
    taken_at: float
    size: int


class StateFile:
    """A SQLite file of one emulator, or the same in memory. Threads may share it.

    Raises:
        ValueError: when the file is something else, or of a later version of dgspay.
        OSError: when it cannot be opened, or another emulator has it.
    """

    def __init__(self, path: str | Path = IN_MEMORY) -> None:
        self._lock = new_lock()
        self._path = path
        if str(path) != IN_MEMORY:
            make_private(Path(path))
        try:
            self._connection = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=0
            )
        except sqlite3.OperationalError as error:
            raise _trouble(path, f"The state file cannot be opened ({error})") from None
        try:
            self._prepare(path)
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self, path: str | Path) -> None:
        """Lock the file for this process, and create its tables when it is new."""
        try:
            self._connection.execute("PRAGMA foreign_keys = ON")
            # No other process, not even for reading: a second emulator would write over it.
            self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._connection.execute("PRAGMA journal_mode = WAL")
            # Survives the death of the process. That of the machine may cost the last moments.
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute("BEGIN IMMEDIATE")
            self._make_tables()
            self._connection.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                reason = "Another emulator uses the state file"
            elif error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_NOTADB:
                raise ValueError("the state file is not one of the emulator's") from None
            else:
                reason = f"The state file cannot be used ({error})"
            raise _trouble(path, reason) from None

    def _make_tables(self) -> None:
        (application,) = self._connection.execute("PRAGMA application_id").fetchone()
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        (tables,) = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables == 0:
            for statement in _SCHEMA.split(";"):
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            self._connection.execute(f"PRAGMA user_version = {_VERSION}")
        elif application != _APPLICATION_ID:
            raise ValueError("the state file is not one of the emulator's")
        elif version != _VERSION:
            raise ValueError("the state file is of another version of dgspay")

    # --- the present state --------------------------------------------------------------

    def write(self, rows: Iterable[Row]) -> None:
        """Write rows, all of them or none.

        Raises:
            OSError: when they cannot be written, such as to a disk that is full.
        """
        with self._transaction() as connection:
            for row in rows:
                where = (row.kind, row.account, row.name)
                if row.content is None:
                    connection.execute(
                        "DELETE FROM rows WHERE kind = ? AND account = ? AND name = ?", where
                    )
                else:
                    connection.execute(_PUT, (*where, row.content))

    def read(self, kind: str | None = None) -> Sequence[Row]:
        """Return every row, or those of one kind, in the order in which they came to be."""
        with self._lock, closing(self._connection.cursor()) as cursor:
            cursor.execute(
                "SELECT kind, account, name, content FROM rows "
                "WHERE kind = coalesce(?, kind) ORDER BY id",
                (kind,),
            )
            return [Row(*columns) for columns in cursor]

    def replace(self, rows: Iterable[Row]) -> None:
        """Replace all rows by these."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM rows")
            connection.executemany(_PUT, map(_columns, rows))

    # --- snapshots ----------------------------------------------------------------------

    def save(self, name: str, taken_at: float, rows: Sequence[Row]) -> Snapshot:
        """Keep a state under a name; an earlier one of that name is replaced."""
        snapshot = Snapshot(name, taken_at, len(rows))
        with self._transaction() as connection:
            connection.execute("DELETE FROM snapshots WHERE name = ?", (name,))
            connection.execute(
                "INSERT INTO snapshots VALUES (?, ?, ?)", (name, taken_at, len(rows))
            )
            connection.executemany(
                "INSERT INTO snapshot_rows (snapshot, kind, account, name, content) "
                "VALUES (?, ?, ?, ?, ?)",
                ((name, *_columns(row)) for row in rows),
            )
        return snapshot

    def snapshots(self) -> Sequence[Snapshot]:
        """Return the snapshots, the latest first."""
        with self._lock, closing(self._connection.cursor()) as cursor:
            cursor.execute("SELECT name, taken_at, size FROM snapshots ORDER BY rowid DESC")
            return [Snapshot(*columns) for columns in cursor]

    def saved(self, name: str) -> Sequence[Row]:
        """Return the rows of a snapshot.

        Raises:
            LookupError: when there is none of this name.
        """
        with self._lock, closing(self._connection.cursor()) as cursor:
            if cursor.execute("SELECT 1 FROM snapshots WHERE name = ?", (name,)).fetchone() is None:
                raise LookupError(f"no snapshot {name!r}")
            cursor.execute(
                "SELECT kind, account, name, content FROM snapshot_rows "
                "WHERE snapshot = ? ORDER BY id",
                (name,),
            )
            return [Row(*columns) for columns in cursor]

    def forget(self, name: str) -> None:
        """Delete a snapshot.

        Raises:
            LookupError: when there is none of this name.
        """
        with self._transaction() as connection:
            gone = connection.execute("DELETE FROM snapshots WHERE name = ?", (name,))
            if gone.rowcount == 0:
                raise LookupError(f"no snapshot {name!r}")

    # --- the end ------------------------------------------------------------------------

    def close(self) -> None:
        """Close the file; closing it twice does no harm."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                reason = f"The state file cannot be written ({error})"
                raise _trouble(self._path, reason) from None
            finally:
                # SQLite has rolled back by itself where the disk is full.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")


def _trouble(path: str | Path, reason: str) -> OSError:
    return OSError(errno.EIO, reason, str(path))


def _columns(row: Row) -> tuple[str, str, str, str | None]:
    return (row.kind, row.account, row.name, row.content)

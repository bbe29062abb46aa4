"""A ledger in a SQLite file: for one machine, with nothing to install."""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from dgspay.errors import ConfigError
from dgspay.forks import at_sqlite
from dgspay.payouts.errors import LedgerError, WentBackError
from dgspay.payouts.ledger import commit_history, sql_approvals, sql_audit_log
from dgspay.payouts.ledger.commit_memory import Memory
from dgspay.payouts.ledger.commit_notes import state_folder
from dgspay.payouts.ledger.database import DatabaseLedger
from dgspay.payouts.ledger.file_lock import only_one
from dgspay.payouts.ledger.file_places import mounts, require_local_disk, require_one_name
from dgspay.payouts.ledger.file_wholeness import (
    lacks_commits,
    note_beside,
    require_log,
    require_no_predecessor,
)
from dgspay.payouts.ledger.migration import OLDER_VERSIONS, bring_forward
from dgspay.payouts.ledger.sql_batches import SCHEMA_VERSION, Value
from dgspay.payouts.ledger.sql_payouts import ACCEPTED, IN_DOUBT, KEY_COLUMNS, row_id
from dgspay.payouts.model.audit_log import Action, LogHead
from dgspay.payouts.model.batch import Batch
from dgspay.payouts.model.payout import Payout
from dgspay.payouts.model.spellings import are_plain, stored_keys

OLDEST_SQLITE = (3, 33)
"""Upserts came with 3.24; the ledger has never been run on anything older than this."""

_MARK_VERSION = f"PRAGMA user_version = {SCHEMA_VERSION}"
_GUARD = (
    """
    CREATE TABLE dgspay_payout_claims (
        scope INTEGER NOT NULL,
        key TEXT NOT NULL,
        id INTEGER NOT NULL,
        PRIMARY KEY (scope, key)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE dgspay_payout_shared_claims (
        scope INTEGER NOT NULL,
        key TEXT NOT NULL,
        id INTEGER NOT NULL,
        PRIMARY KEY (scope, key, id)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE dgspay_payout_allowances (
        id INTEGER PRIMARY KEY,
        reason TEXT NOT NULL,
        noted_at REAL NOT NULL
    )
    """,
)
_SCHEMA = (
    """
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
        paused TEXT,
        period TEXT,
        repeat_days REAL NOT NULL,
        key_seed TEXT NOT NULL,
        prepared_at REAL,
        exempt_at REAL,
        closed TEXT
    )
    """,
    """
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
        narration TEXT,
        pay_again TEXT,
        reference_key TEXT,
        account_key TEXT
    )
    """,
    """
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
    )
    """,
    *_GUARD,
    _MARK_VERSION,
)
_KEEP_AUDIT_LOG = tuple(
    f"CREATE TRIGGER IF NOT EXISTS dgspay_payout_audit_log_{change} "
    f"BEFORE {change} ON dgspay_payout_audit_log "
    f"BEGIN SELECT RAISE(ABORT, '{sql_audit_log.KEPT}'); END"
    for change in ("update", "delete")
)
_TABLES = (
    *commit_history.TABLES,
    sql_audit_log.TABLE,
    *_KEEP_AUDIT_LOG,
    *sql_approvals.TABLES,
)
_SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    # On macOS a plain fsync does not reach the disk; elsewhere these two mean nothing.
    "PRAGMA fullfsync = 1",
    "PRAGMA checkpoint_fullfsync = 1",
    "PRAGMA cache_size = -16000",  # KiB
    "PRAGMA journal_size_limit = 67108864",
)

_ROWS_IN_STATEMENT = 70  # of 14 columns at most: old SQLites take 999 values in a statement
_LOADED_AT_ONCE = 5 * _ROWS_IN_STATEMENT  # few enough that the garbage collector does not stir


class SqliteLedger(DatabaseLedger["SqliteConnection"]):
    """Remembers in a file on a local disk.

    The `run` of a batch has it for itself; `listen`, `status` and `resolve` may use the file at
    the same time. A network disk is no place for it; machines that share a batch need
    `PostgresLedger`.

    Args:
        path: The file; it is made, readable by its owner only, when it is not there.
        busy_timeout: Seconds to wait for another process that is writing.
        clock: Unix time.
        answer_within: Seconds after which a question that has no answer yet is an error; without
            a limit if left out.

    Raises:
        ConfigError: the path is no place for a file.
        LedgerError: the file cannot be opened, is no ledger, or has lost its `-wal`. One that
            lacks commits, as after a restored backup, can be read, and hands nothing out.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        busy_timeout: float = 30.0,
        clock: Callable[[], float] = time.time,
        answer_within: float | None = None,
    ) -> None:
        if str(path) in ("", ":memory:"):
            raise ConfigError("a ledger needs a file: what is in memory does not outlive a crash")
        # Of several names for one file there is one lock.
        self.path = Path(os.path.realpath(path))
        connect = partial(SqliteConnection, self.path, busy_timeout, clock=clock)
        super().__init__(connect, answer_within=answer_within)

    _notes_every_line = True

    @contextlib.contextmanager
    def only_run(self, name: str) -> Generator[None]:
        """Be the one run of a batch on this machine.

        Raises:
            BatchBusyError: another process runs it.
            WentBackError: the file is older than what was paid with it.
        """
        self._writer.run(SqliteConnection.require_in_place)
        with only_one(self.path.with_name(f"{self.path.name}.{name}.lock"), name):
            yield


class SqliteConnection:
    """The ledger's one connection to the file; it lives in the writing thread.

    Args:
        path: The file, by its real name.
        busy_timeout: Seconds to wait for another process that is writing.
        clock: Unix time.
        checked: Whether a file that lacks commits is refused, as it is unless it is restored.
    """

    # A transaction that writes has the file for itself.
    lock_states = ""
    lock_claims = ""
    by_bytes = ""
    logged: LogHead | None = None

    def __init__(
        self,
        path: Path,
        busy_timeout: float = 30.0,
        *,
        clock: Callable[[], float] = time.time,
        checked: bool = True,
    ) -> None:
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            raise LedgerError(
                f"this Python has SQLite {sqlite3.sqlite_version}; the ledger needs 3.33 (2020)"
            )
        self._clock, self._checked, self._folder = clock, checked, state_folder()
        self._lost: WentBackError | None = None
        self._path = path
        with at_sqlite:
            self._open(path, busy_timeout)

    def _open(self, path: Path, busy_timeout: float) -> None:
        try:
            self._require_place()
            self._connection = sqlite3.connect(path, timeout=busy_timeout, isolation_level=None)
            self._file = _file_at(path)
        except (OSError, sqlite3.Error) as error:
            raise LedgerError(f"the ledger {path} cannot be opened: {error}") from None
        try:
            for setting in _SETTINGS:
                self._connection.execute(setting)
            self._prepare()
        except sqlite3.Error as error:
            self.close()
            raise LedgerError(f"{path} is no ledger, or cannot be written: {error}") from None
        except LedgerError:
            self.rollback()
            self.close()
            raise

    def _require_place(self) -> None:
        """Refuse a file that is not whole, or where it could not stay so; make one if need be."""
        path = self._path
        if self._checked and not (path.exists() and path.stat().st_size):
            require_no_predecessor(path, None, self._folder)
        mounted = mounts()
        require_local_disk(path, mounted)
        # It holds names and account numbers: private to its owner.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        require_one_name(path, mounted)
        if self._checked:
            require_log(path, self._folder)

    def _prepare(self) -> None:
        """Make the tables where there are none; see that nothing is missing from them."""
        self.begin()
        ((version,),) = self.query("PRAGMA user_version", ())
        if version == 0:
            for statement in _SCHEMA:
                self._connection.execute(statement)
        elif version in OLDER_VERSIONS:
            bring_forward(self, version, _GUARD)
            self._connection.execute(_MARK_VERSION)
        elif version != SCHEMA_VERSION:
            raise LedgerError(
                f"{self._path} is a ledger of version {version}, and this dgspay knows version "
                f"{SCHEMA_VERSION}: end its batches with the dgspay that began them"
            )
        for statement in _TABLES:
            self._connection.execute(statement)
        identity = commit_history.identity_of(self)
        is_new = identity is None
        if identity is None:
            identity = commit_history.Identity(secrets.token_hex(16))
            commit_history.introduce(self, identity, self._clock())
        self.memory = Memory(
            identity.id, str(self._path), beside=note_beside(self._path), folder=self._folder
        )
        if self._checked:
            self._require_whole(identity)
        # One that is being restored must not seem to have been written here before.
        if version in OLDER_VERSIONS and self._checked and self._lost is None:
            sql_audit_log.append(
                self, Action.UPGRADE, self._clock(), facts={"from version": version}
            )
            self._count()
        self._connection.execute("COMMIT")
        if self.logged is not None:
            self.memory.committed(self.logged)
        if is_new:
            # Which ledger it is must be in the file itself, should it lose its log one day.
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _require_whole(self, identity: commit_history.Identity) -> None:
        if identity.copy_of is not None:
            raise LedgerError(
                f"{self._path} is the backup of {identity.copy_of} from "
                f"{commit_history.moment(identity.copied_at or 0.0)}. Nothing is paid from a "
                "backup, for it does not know who was paid since. Bring it back with: "
                f"dgspay payouts restore {self._path} --ledger {identity.copy_of}"
            )
        require_no_predecessor(self._path, identity.id, self._folder)
        self._lost = self._loss()

    def _loss(self) -> WentBackError | None:
        """Return the error for commits that are missing."""
        lost = self.memory.missing(self)
        return lacks_commits(self._path, lost, self.memory.notes) if lost else None

    def begin(self) -> None:
        """Begin a transaction; the lock is taken at its start, so that it cannot deadlock."""
        at_sqlite.enter()
        self._connection.execute("BEGIN IMMEDIATE")
        self.logged = None
        self._changes = self._connection.total_changes

    def commit(self) -> None:
        """Put it on disk, counted and noted if it has changed anything.

        Raises:
            WentBackError: what this process, or another one, has committed is not there any more.
        """
        writes = self._connection.total_changes != self._changes
        if writes:
            self._count()
        self._connection.execute("COMMIT")
        at_sqlite.leave()
        if writes:
            self.memory.committed(self.logged)

    def _count(self) -> None:
        """Count the commit in this session's row; check that no commits have gone."""
        token, commits, now = self.memory.token, self.memory.commits, self._clock()
        if commits == 0:
            counted = self.change(
                "INSERT INTO dgspay_payout_sessions (token, commits, began, latest) "
                "VALUES (?, 1, ?, ?)",
                (token, now, now),
            )
        else:
            counted = self.change(
                "UPDATE dgspay_payout_sessions SET commits = ?, latest = ? "
                "WHERE token = ? AND commits = ?",
                (commits + 1, now, token, commits),
            )
        if counted != 1:
            raise lacks_commits(self._path, commits, self.memory.notes)
        self._require_no_loss()

    def _require_no_loss(self) -> None:
        self._lost = self._lost or self._loss()
        if self._lost is not None:
            raise self._lost.with_traceback(None)

    def rollback(self) -> None:
        """Undo it, if there is one."""
        if self._connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
        at_sqlite.leave()

    def fault_of(self, error: BaseException) -> str | None:
        """Say what ails the file."""
        if isinstance(error, WentBackError):
            return error.message
        is_ours = isinstance(error, sqlite3.Error)
        return f"the ledger cannot be written ({error})" if is_ours else None

    def reconnect(self, error: BaseException) -> bool:
        """A file does not come back by being opened again."""
        return False

    def may_pass(self, error: BaseException) -> bool:
        """Say whether another process was writing all the while, a batch of a million, say."""
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
        return isinstance(error, sqlite3.Error) and code & 0xFF == sqlite3.SQLITE_BUSY

    def heals(self, error: BaseException) -> bool:
        """Say whether the same may work later: there may be room again, or a disk."""
        return isinstance(error, sqlite3.OperationalError)

    def close(self) -> None:
        """Close the file; the last one to do so leaves it whole, without a log beside it."""
        with at_sqlite:
            with contextlib.suppress(sqlite3.Error):
                # Fails at once where another process has it open, which then does it.
                self._connection.execute("PRAGMA busy_timeout = 0")
                self._connection.execute("PRAGMA journal_mode = DELETE")
            self._connection.close()

    def query(self, statement: str, values: Sequence[Value]) -> list[tuple[Any, ...]]:
        """Return the rows of a statement."""
        return [*self.rows(statement, values)]

    def rows(self, statement: str, values: Sequence[Value]) -> Iterable[tuple[Any, ...]]:
        """Return the rows of a statement as they come."""
        return self._connection.execute(statement, values)

    def change(self, statement: str, values: Sequence[Value]) -> int:
        """Carry a statement out; return how many rows it changed."""
        return self._connection.execute(statement, values).rowcount

    def mark(self, statement: str, values: Sequence[Value]) -> None:
        """Change rows. They are those that were read: a transaction has the file for itself."""
        self._connection.execute(statement, values)

    def accept(
        self,
        ids: Sequence[int],
        references: Sequence[str | None],
        fees: Sequence[str | None],
    ) -> int:
        """Accept what is in doubt, by id, DGS-Pay's reference and fee; return how many it was."""
        if _is_unused(fees):
            return self._change_together(_acceptance, [ids, references])
        return self._change_together(_acceptance, [ids, references, fees])

    def lock_audit_log(self) -> None:
        """Nothing: a transaction that writes has the file for itself, and there are no roles."""

    def lock_limits(self) -> None:
        """Nothing: a transaction that writes has the file for itself."""

    def index_references(self) -> None:
        """See that a payout is found by DGS-Pay's reference quickly."""
        self._connection.execute(
            "CREATE INDEX IF NOT EXISTS dgspay_payout_references "
            "ON dgspay_payout_states (dgs_reference) WHERE dgs_reference IS NOT NULL"
        )

    def require_in_place(self) -> None:
        """Refuse to write into a file that was deleted or moved: the next run would not find it.

        Raises:
            LedgerError: another file, or none, is at its path.
            WentBackError: the file lacks commits.
        """
        self._require_no_loss()
        if _file_at(self._path) != self._file:
            raise LedgerError(
                f"the ledger {self._path} was deleted or replaced while it was in use. Put it "
                "back before anything else is paid: it alone knows who was"
            )

    def now(self) -> float:
        """Return the Unix time: of a file, it is that of the machine it is on."""
        return self._clock()

    def next_batch_id(self) -> int:
        """Return a number no batch has, nor had."""
        rows = self.query(
            "SELECT seq FROM sqlite_sequence WHERE name = 'dgspay_payout_batches'", ()
        )
        return int(rows[0][0]) + 1 if rows else 1

    def bulk_load(self, batch: Batch, payouts: Iterable[Payout]) -> tuple[int, int]:
        """Insert payouts as they come, all in one transaction; return their count and sum."""
        count = total = 0
        before = row_id(batch.id, 0)
        waiting = iter(payouts)
        while page := list(islice(waiting, _LOADED_AT_ONCE)):
            columns = dict(zip(Payout._fields, zip(*page, strict=True), strict=True))
            count += len(page)
            total += sum(columns["amount"])
            ids = tuple([before + number for number in columns.pop("number")])
            self._insert({"id": ids, **columns, **_key_columns(page)})
        return count, total

    def _insert(self, columns: Mapping[str, tuple[Any, ...]]) -> None:
        """Insert payouts, many with one statement; the first column is their id.

        Unused columns are left out: sqlite3 binds a None ten times as slowly as a text.
        """
        used = {name: column for name, column in columns.items() if not _is_unused(column)}
        self._change_together(partial(_insertion, (*used,)), [*used.values()])

    def _change_together(
        self, statement: Callable[[int, int], str], columns: Sequence[Sequence[Any]]
    ) -> int:
        """Carry a statement out for columns of values, many rows at once; return its changes."""
        width, count = len(columns), len(columns[0])
        values: list[Any] = [None] * (width * count)
        for place, column in enumerate(columns):
            values[place::width] = column
        step = width * _ROWS_IN_STATEMENT
        whole = len(values) - len(values) % step
        together = (values[at : at + step] for at in range(0, whole, step))
        single = (values[at : at + width] for at in range(whole, len(values), width))
        return (
            self._connection.executemany(statement(width, _ROWS_IN_STATEMENT), together).rowcount
            + self._connection.executemany(statement(width, 1), single).rowcount
        )


def _file_at(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


@functools.lru_cache(maxsize=64)
def _insertion(names: tuple[str, ...], width: int, rows: int) -> str:
    return f"INSERT INTO dgspay_payouts ({', '.join(names)}) VALUES {_marks(width, rows)}"  # noqa: S608 - no value is in the text


@functools.lru_cache(maxsize=8)
def _acceptance(width: int, rows: int) -> str:
    """Return what accepts so many payouts, by id and reference, or by id, reference and fee."""
    fee, new_fee = (", fee", ", fee = excluded.fee") if width == 3 else ("", "")
    # A reference that is new is accepted at once. An update of what is there does the same
    # for the others, at two thirds of what UPDATE FROM takes.
    return (
        f"INSERT INTO dgspay_payout_states (state, attempts, doubtful, id, dgs_reference{fee}) "  # noqa: S608 - constants
        f"VALUES {_marks(width, rows, f'{ACCEPTED}, 0, 0, ')} "
        f"ON CONFLICT (id) DO UPDATE SET state = {ACCEPTED}, "
        f"dgs_reference = excluded.dgs_reference{new_fee}, reason = NULL "
        f"WHERE state = {IN_DOUBT} AND dgs_reference IS NULL"
    )


def _key_columns(page: Sequence[Payout]) -> dict[str, tuple[Any, ...]]:
    if are_plain(page):
        return {}
    return dict(zip(KEY_COLUMNS, zip(*map(stored_keys, page), strict=True), strict=True))


def _is_unused(values: Sequence[Value]) -> bool:
    return values[0] is None and values.count(None) == len(values)


def _marks(width: int, rows: int, before: str = "") -> str:
    return ", ".join([f"({before}{', '.join('?' * width)})"] * rows)

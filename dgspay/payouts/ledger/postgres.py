"""A ledger in PostgreSQL (psycopg 3, the extra `postgres`): for machines that share a batch."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors as pg_errors

from dgspay.payouts.batch import Batch, Chunk
from dgspay.payouts.faults import BatchBusyError, LedgerError
from dgspay.payouts.ledger import tables
from dgspay.payouts.ledger.base import DatabaseLedger
from dgspay.payouts.ledger.batches import SCHEMA_VERSION
from dgspay.payouts.ledger.server import SYNCHRONOUS_NOW, connect
from dgspay.payouts.payout import Payout

SCHEMA = """
CREATE TABLE IF NOT EXISTS dgspay_payout_batches (
    id bigint PRIMARY KEY,
    name text NOT NULL UNIQUE,
    digest text NOT NULL,
    environment text NOT NULL,
    base_url text NOT NULL,
    account_number text NOT NULL,
    callback_url text,
    idempotency_header text NOT NULL,
    token_secret text NOT NULL,
    count bigint NOT NULL,
    total bigint NOT NULL,
    created_at double precision NOT NULL,
    started smallint NOT NULL,
    paused text
);
CREATE SEQUENCE IF NOT EXISTS dgspay_payout_batch_ids;
CREATE TABLE IF NOT EXISTS dgspay_payouts (
    id bigint PRIMARY KEY,
    reference text NOT NULL,
    amount bigint NOT NULL,
    account text NOT NULL,
    bank_key text,
    branch text,
    network text,
    country text,
    name text,
    narration text
);
CREATE TABLE IF NOT EXISTS dgspay_payout_states (
    id bigint PRIMARY KEY,
    state smallint NOT NULL,
    attempts integer NOT NULL,
    doubtful smallint NOT NULL,
    sent_at double precision,
    dgs_reference text,
    fee text,
    reason text,
    contradiction text,
    settled_at double precision
);
CREATE TABLE IF NOT EXISTS dgspay_payout_chunks (
    batch bigint NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    epoch bigint NOT NULL,
    PRIMARY KEY (batch, first, last)
);
COMMENT ON TABLE dgspay_payout_states IS 'dgspay payout ledger 2';
"""
"""The tables, for those who make theirs with a migration."""

_VERSION_MARK = f"dgspay payout ledger {SCHEMA_VERSION}"
_VERSION = "SELECT obj_description(to_regclass('dgspay_payout_states'), 'pg_class')"
_ANY_TABLE = "SELECT to_regclass('dgspay_payouts')"

# Two processes that create a table at once fail on PostgreSQL, "IF NOT EXISTS" or not. The
# numbers are this ledger's own; they have no other meaning.
_LOCK_INSTALL = "SELECT pg_advisory_xact_lock(7316509241)"
_LOCK_CLAIMS = "SELECT id FROM dgspay_payout_batches WHERE id = ? FOR NO KEY UPDATE"
# Of a transaction and not of a session, which a pooler such as PgBouncer would lend to others.
_LOCK_RUN = "SELECT pg_try_advisory_xact_lock(%s)"
_HOLD_ON = "SET LOCAL idle_in_transaction_session_timeout = 0"

_PATIENCE_SECONDS = 60.0
_PAUSES = (0.1, 0.25, 0.5, 1.0)
_OUT_OF_TIME = (pg_errors.QueryCanceled, pg_errors.LockNotAvailable)
_NOT_PREPARED = (pg_errors.InvalidSqlStatementName, pg_errors.DuplicatePreparedStatement)
_TRY_AGAIN = (pg_errors.DeadlockDetected, pg_errors.SerializationFailure)


class PostgresLedger(DatabaseLedger["PostgresConnection"]):
    """Remembers in PostgreSQL, for any number of processes and machines.

    A connection that is lost, or a server that restarts, is waited for: nothing is sent
    meanwhile, because nothing can be written.

    Args:
        conninfo: A connection string such as `postgresql://user@host/name`.
        patience: Seconds to wait for a server that does not answer.
        clock: Unix time.

    Raises:
        LedgerError: the server cannot be reached.
    """

    def __init__(
        self,
        conninfo: str,
        *,
        patience: float = _PATIENCE_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._conninfo = conninfo
        super().__init__(functools.partial(PostgresConnection, conninfo, patience), clock)

    @contextmanager
    def only_run(self, name: str) -> Generator[None]:
        """Be the one that submits and settles a batch; workers need no lock.

        Raises:
            BatchBusyError: another process does.
            LedgerError: the server cannot be reached.
        """
        with contextlib.closing(connect(self._conninfo)) as connection:
            connection.execute(_HOLD_ON)
            taken = connection.execute(_LOCK_RUN, (_lock_number(name),)).fetchone()
            if taken is None or not taken[0]:
                raise BatchBusyError(
                    f"batch {name!r} is being run by another process at this moment. "
                    "Nothing was sent"
                )
            try:
                yield
            finally:
                # A server that is busy notices late that a connection was closed, and the next
                # run would be told that this one is still going on. One that is gone holds nothing.
                with contextlib.suppress(psycopg.Error):
                    connection.rollback()

    def _next_epoch(self, connection: PostgresConnection, chunk: Chunk) -> int:
        batch = chunk.batch.id
        # One at a time, or two that cut the batch differently would not see each other.
        connection.query(_LOCK_CLAIMS, (batch,))
        # Whoever holds rows of it in a chunk of another cut is fenced as well.
        connection.change(
            "UPDATE dgspay_payout_chunks SET epoch = epoch + 1 WHERE batch = ? "
            "AND first <= ? AND last >= ? AND NOT (first = ? AND last = ?)",
            (batch, chunk.last, chunk.first, chunk.first, chunk.last),
        )
        ((epoch,),) = connection.query(
            "INSERT INTO dgspay_payout_chunks AS held (batch, first, last, epoch) "
            "VALUES (?, ?, ?, 1) ON CONFLICT (batch, first, last) "
            "DO UPDATE SET epoch = held.epoch + 1 RETURNING epoch",
            (batch, chunk.first, chunk.last),
        )
        return int(epoch)

    def _holds(self, connection: PostgresConnection, chunk: Chunk) -> bool:
        # The lock lets nobody take the chunk up between this look and the commit.
        rows = connection.query(
            "SELECT epoch FROM dgspay_payout_chunks WHERE batch = ? AND first = ? AND last = ? "
            "FOR SHARE",
            (chunk.batch.id, chunk.first, chunk.last),
        )
        return bool(rows) and rows[0][0] == chunk.epoch


class PostgresConnection:
    """The ledger's one connection to the server; it lives in the writing thread."""

    lock_states = "FOR UPDATE OF s"

    def __init__(self, conninfo: str, patience: float) -> None:
        self._conninfo = conninfo
        self._patience = patience
        self._connection = connect(conninfo)
        try:
            self._prepare()
        except psycopg.Error as error:
            reason = self.fault_of(error)
        except LedgerError:
            self.close()
            raise
        else:
            return
        self.close()
        raise LedgerError(f"the ledger's tables cannot be made: {reason}")

    def _prepare(self) -> None:
        """Make the tables where there are none."""
        # First without the lock, and without the right to make tables where there are some.
        if not self._is_there():
            self._connection.execute(_LOCK_INSTALL)
            if not self._is_there():
                self._connection.execute(SCHEMA)
        self._connection.commit()

    def _is_there(self) -> bool:
        ((version,),) = self.query(_VERSION, ())
        ((table,),) = self.query(_ANY_TABLE, ())
        if table is not None and version != _VERSION_MARK:
            raise LedgerError(
                f"the database has a ledger of another version ({version}); this dgspay knows "
                f"version {SCHEMA_VERSION}: end its batches with the dgspay that began them"
            )
        return table is not None

    def begin(self) -> None:
        """Nothing: the first statement begins a transaction."""

    def commit(self) -> None:
        """Put it on disk."""
        self._connection.commit()

    def rollback(self) -> None:
        """Undo it, if there is one."""
        with contextlib.suppress(psycopg.Error):
            self._connection.rollback()

    def fault_of(self, error: BaseException) -> str | None:
        """Say what ails the server, by the name of its error and nothing it was asked."""
        if not isinstance(error, psycopg.Error):
            return None
        return f"the ledger cannot be written ({type(error).__name__} {error.sqlstate or ''})"

    def reconnect(self, error: BaseException) -> bool:
        """Wait for a server that is away; say whether the work may be tried again."""
        if isinstance(error, _TRY_AGAIN):
            return True
        if isinstance(error, _NOT_PREPARED) and self._connection.prepare_threshold is not None:
            # Behind a pooler, what was prepared is on another connection of its.
            self._connection.prepare_threshold = None
            return True
        if not (self._connection.broken or self._connection.closed):
            return False
        self.close()
        until = time.monotonic() + self._patience
        for pause in _endless(_PAUSES):
            try:
                self._connection = connect(self._conninfo)
            except LedgerError:
                if time.monotonic() > until:
                    return False
                time.sleep(pause)
            else:
                return True
        return False

    def may_pass(self, error: BaseException) -> bool:
        """Say whether a time limit of the server's ended it, as while an index is made."""
        return isinstance(error, _OUT_OF_TIME)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def query(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Return the rows of a statement."""
        return [*self.rows(statement, values)]

    def rows(self, statement: str, values: Sequence[Any]) -> Iterable[tuple[Any, ...]]:
        """Return the rows of a statement."""
        return self._connection.execute(_dialect(statement), values)

    def change(self, statement: str, values: Sequence[Any]) -> int:
        """Carry a statement out; return how many rows it changed."""
        return self._connection.execute(_dialect(statement), values).rowcount

    def mark(self, statement: str, values: Sequence[Any]) -> list[int]:
        """Change rows and return the ids of those it were: others may have changed some."""
        return [
            identity for (identity,) in self.query(f"{statement} RETURNING {_STATE_ID}", values)
        ]

    def accept(
        self,
        ids: Sequence[int],
        references: Sequence[str | None],
        fees: Sequence[str | None],
    ) -> int:
        """Accept what is in doubt, by id, DGS-Pay's reference and fee; return how many it was."""
        return self.change(_ACCEPT, (ids, references, fees))

    def index_references(self) -> None:
        """See that a payout is found by DGS-Pay's reference quickly."""
        # "IF NOT EXISTS" waits for everybody who writes before it looks whether there is one.
        ((found,),) = self.query("SELECT to_regclass('dgspay_payout_references')", ())
        if found is None:
            self.change(_INDEX_REFERENCES, ())

    def require_in_place(self) -> None:
        """See that what is taken up now outlives a crash of the server, whoever pools connections.

        Tables that are gone are an error of the next statement.
        """
        self.query(SYNCHRONOUS_NOW, ())

    def next_batch_id(self) -> int:
        """Return a number no batch has, nor had."""
        ((number,),) = self.query("SELECT nextval('dgspay_payout_batch_ids')", ())
        return int(number)

    def bulk_load(self, batch: Batch, payouts: Iterable[Payout]) -> tuple[int, int]:
        """Copy payouts in as they come; return their count and sum."""
        count = total = 0
        statement = f"COPY dgspay_payouts ({', '.join(tables.PAYOUT_COLUMNS)}) FROM STDIN"
        with self._connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            for payout in payouts:
                count += 1
                total += payout.amount
                copy.write_row(tables.values_of(batch, payout))
        return count, total


_ACCEPT = (
    f"UPDATE dgspay_payout_states s SET state = {tables.ACCEPTED}, "  # noqa: S608 - constants
    "dgs_reference = answer.reference, fee = answer.fee, reason = NULL "
    "FROM unnest(?::bigint[], ?::text[], ?::text[]) AS answer (id, reference, fee) "
    f"WHERE s.id = answer.id AND s.state = {tables.IN_DOUBT} AND s.dgs_reference IS NULL"
)
_STATE_ID = "dgspay_payout_states.id"
_INDEX_REFERENCES = (
    "CREATE INDEX IF NOT EXISTS dgspay_payout_references "
    "ON dgspay_payout_states (dgs_reference) WHERE dgs_reference IS NOT NULL"
)


def _lock_number(name: str) -> int:
    """Return the number of a batch's lock: 63 bits that follow from its name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) >> 1


@functools.lru_cache(maxsize=64)
def _dialect(statement: str) -> bytes:
    return statement.replace("?", "%s").encode()


def _endless(pauses: Sequence[float]) -> Generator[float]:
    yield from pauses
    while True:
        yield pauses[-1]

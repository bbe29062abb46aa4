"""A ledger in PostgreSQL (psycopg 3, the extra `postgres`): for machines that share a batch."""

from __future__ import annotations

import contextlib
import functools
import secrets
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors as pg_errors
from psycopg.pq import TransactionStatus

from dgspay.payouts.errors import LedgerError, WentBackError
from dgspay.payouts.ledger import commit_history, sql_approvals, sql_audit_log, sql_payouts
from dgspay.payouts.ledger.commit_memory import Memory
from dgspay.payouts.ledger.commit_notes import state_folder
from dgspay.payouts.ledger.database import DatabaseLedger
from dgspay.payouts.ledger.lease import TABLE, lease
from dgspay.payouts.ledger.migration import OLDER_VERSIONS, bring_forward
from dgspay.payouts.ledger.server_refusals import ServerRefusedError
from dgspay.payouts.ledger.sql_batches import SCHEMA_VERSION, Value
from dgspay.payouts.ledger.standby import Watch, server_of
from dgspay.payouts.model.audit_log import Action, LogHead
from dgspay.payouts.model.batch import Batch, Chunk
from dgspay.payouts.model.payout import Payout
from dgspay.postgres.connections import AWAY, TRY_AGAIN, Address, begin, limits

_GUARD = """
CREATE TABLE IF NOT EXISTS dgspay_payout_claims (
    scope bigint NOT NULL,
    key text COLLATE "C" NOT NULL,
    id bigint NOT NULL,
    PRIMARY KEY (scope, key)
);
CREATE TABLE IF NOT EXISTS dgspay_payout_shared_claims (
    scope bigint NOT NULL,
    key text COLLATE "C" NOT NULL,
    id bigint NOT NULL,
    PRIMARY KEY (scope, key, id)
);
CREATE TABLE IF NOT EXISTS dgspay_payout_allowances (
    id bigint PRIMARY KEY,
    reason text NOT NULL,
    noted_at double precision NOT NULL
);
"""
SCHEMA = f"""
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
    paused text,
    period text,
    repeat_days double precision NOT NULL,
    key_seed text NOT NULL,
    prepared_at double precision,
    exempt_at double precision,
    closed text
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
    narration text,
    pay_again text,
    reference_key text,
    account_key text
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
CREATE TABLE IF NOT EXISTS dgspay_payout_chunk_epochs (
    batch bigint NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    epoch bigint NOT NULL,
    PRIMARY KEY (batch, first, last)
);
{_GUARD}
COMMENT ON TABLE dgspay_payout_states IS 'dgspay payout ledger {SCHEMA_VERSION}';
"""
"""The tables, for those who make theirs with a migration."""

_VERSION_MARK = f"dgspay payout ledger {SCHEMA_VERSION}"
# In one statement, for the tables may come into being between two.
_VERSION = (
    "SELECT to_regclass('dgspay_payouts')::text, "
    "obj_description(to_regclass('dgspay_payout_states'), 'pg_class')"
)
_OLDER_MARKS = {f"dgspay payout ledger {version}": version for version in OLDER_VERSIONS}
# By another name: a worker of an older dgspay, which guards less, fails before it sends.
_RENAME_CHUNKS = "ALTER TABLE {} RENAME TO dgspay_payout_chunk_epochs"
_OLDER_CHUNKS = {2: "dgspay_payout_chunks", 3: "dgspay_payout_worked_chunks"}
_MARK_VERSION = f"COMMENT ON TABLE dgspay_payout_states IS '{_VERSION_MARK}'"
_KEEP_AUDIT_LOG = f"""
CREATE OR REPLACE FUNCTION dgspay_payout_audit_log_kept() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN RAISE EXCEPTION '{sql_audit_log.KEPT}'; END $$;
DROP TRIGGER IF EXISTS dgspay_payout_audit_log_kept ON dgspay_payout_audit_log;
CREATE TRIGGER dgspay_payout_audit_log_kept
BEFORE UPDATE OR DELETE ON dgspay_payout_audit_log
FOR EACH ROW EXECUTE FUNCTION dgspay_payout_audit_log_kept();
"""
_TABLES = (
    *commit_history.TABLES,
    TABLE,
    sql_audit_log.TABLE,
    _KEEP_AUDIT_LOG,
    *sql_approvals.TABLES,
)

# Two processes that create a table at once fail on PostgreSQL, "IF NOT EXISTS" or not. The
# numbers are this ledger's own; they have no other meaning.
_LOCK_INSTALL = "SELECT pg_advisory_xact_lock(7316509241)"
_LOCK_AUDIT_LOG = "SELECT pg_advisory_xact_lock(7316509242)"
_LOCK_LIMITS = "SELECT pg_advisory_xact_lock(7316509243)"
_LOCK_CLAIMS = "SELECT id FROM dgspay_payout_batches WHERE id = ? FOR NO KEY UPDATE"
_NOW = "SELECT extract(epoch FROM clock_timestamp())"

_PATIENCE_SECONDS = 60.0
_PAUSES = (0.1, 0.25, 0.5, 1.0)
_OUT_OF_TIME = (pg_errors.QueryCanceled, pg_errors.LockNotAvailable)
_BEGIN = begin(limits())


class PostgresLedger(DatabaseLedger["PostgresConnection"]):
    """Remembers in PostgreSQL, for any number of processes and machines.

    A connection that is lost, or a server that restarts, is waited for: nothing is sent
    meanwhile, because nothing can be written.

    Args:
        conninfo: A connection string such as `postgresql://user@host/name`.
        patience: Seconds to wait for a server that does not answer.
        clock: Unix time; the server's own clock if left out, for the machines that share a batch
            may not agree on the time.
        answer_within: Seconds after which a question that has no answer yet is an error; without
            a limit if left out.

    Raises:
        LedgerError: the server cannot be reached.
    """

    def __init__(
        self,
        conninfo: str,
        *,
        patience: float = _PATIENCE_SECONDS,
        clock: Callable[[], float] | None = None,
        answer_within: float | None = None,
    ) -> None:
        connect = functools.partial(PostgresConnection, conninfo, patience, clock)
        super().__init__(connect, answer_within=answer_within)

    @contextmanager
    def only_run(self, name: str) -> Generator[None]:
        """Be the one that submits and settles a batch; workers need no lock.

        Raises:
            BatchBusyError: another process does.
            LedgerError: the server cannot be reached.
        """
        with lease(self._writer.run, name):
            yield

    def _next_epoch(self, connection: PostgresConnection, chunk: Chunk) -> int:
        batch = chunk.batch.id
        # One at a time, or two that cut the batch differently would not see each other.
        connection.query(_LOCK_CLAIMS, (batch,))
        # A worker that holds rows of it in a chunk of another cut is fenced as well.
        connection.change(
            "UPDATE dgspay_payout_chunk_epochs SET epoch = epoch + 1 WHERE batch = ? "
            "AND first <= ? AND last >= ? AND NOT (first = ? AND last = ?)",
            (batch, chunk.last, chunk.first, chunk.first, chunk.last),
        )
        ((epoch,),) = connection.query(
            "INSERT INTO dgspay_payout_chunk_epochs AS held (batch, first, last, epoch) "
            "VALUES (?, ?, ?, 1) ON CONFLICT (batch, first, last) "
            "DO UPDATE SET epoch = held.epoch + 1 RETURNING epoch",
            (batch, chunk.first, chunk.last),
        )
        return int(epoch)

    def _holds(self, connection: PostgresConnection, chunk: Chunk) -> bool:
        # The lock keeps others from claiming the chunk between this check and the commit.
        rows = connection.query(
            "SELECT epoch FROM dgspay_payout_chunk_epochs "
            "WHERE batch = ? AND first = ? AND last = ? FOR SHARE",
            (chunk.batch.id, chunk.first, chunk.last),
        )
        return bool(rows) and rows[0][0] == chunk.epoch


class PostgresConnection:
    """The ledger's one connection to the server; it lives in the writing thread."""

    lock_states = "FOR UPDATE OF s"
    lock_claims = "FOR UPDATE OF c"
    by_bytes = 'COLLATE "C"'
    logged: LogHead | None = None

    def __init__(
        self,
        conninfo: str,
        patience: float = _PATIENCE_SECONDS,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._address = Address(conninfo, ServerRefusedError)
        self._patience = patience
        self._given_clock = clock
        self._clock = clock or time.time
        self._away_since: float | None = None
        self._may_come_back = True
        self._writes = False
        self._connection = self._address.connect()
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
        """Make the tables where there are none; see that nothing is missing from them."""
        server = server_of(self._only_value)
        self.begin()
        older: int | None = None
        # First without the lock, and without the right to make tables where there are some.
        if self._version() != _VERSION_MARK:
            self._connection.execute(_LOCK_INSTALL)
            match self._version():
                case None:
                    for statement in (SCHEMA, *_TABLES):
                        self._connection.execute(statement.encode())
                case mark if mark in _OLDER_MARKS:
                    older = _OLDER_MARKS[mark]
                    bring_forward(self, older, _GUARD.split(";")[:-1])
                    rename = _RENAME_CHUNKS.format(_OLDER_CHUNKS[older])
                    for statement in (rename, *_TABLES, _MARK_VERSION):
                        self._connection.execute(statement.encode())
        identity = commit_history.identity_of(self)
        if identity is None:
            self._connection.execute(_LOCK_INSTALL)
            identity = commit_history.identity_of(self)
        if identity is None:
            identity = commit_history.Identity(
                secrets.token_hex(16), server.system, server.timeline
            )
            commit_history.introduce(self, identity, self._clock())
        self.memory = Memory(identity.id, self._place(), beside=None, folder=state_folder())
        self._watch = Watch(self.memory, self._clock)
        self._watch.begin(self, server, again=False)
        if older is not None:
            sql_audit_log.append(self, Action.UPGRADE, self._clock(), facts={"from version": older})
        self.commit()

    def _place(self) -> str:
        info = self._connection.info
        return f"postgresql://{info.host}:{info.port}/{info.dbname}"

    def _version(self) -> str | None:
        """Return which version of the tables there is; None where there is none."""
        ((table, version),) = self.query(_VERSION, ())
        if table is not None and version not in (_VERSION_MARK, *_OLDER_MARKS):
            raise LedgerError(
                f"the database has a ledger of another version ({version}); this dgspay knows "
                f"version {SCHEMA_VERSION}: end its batches with the dgspay that began them"
            )
        return None if table is None else str(version)

    def _only_value(self, statement: str) -> str | int | None:
        row = self._connection.execute(statement.encode()).fetchone()
        return None if row is None else row[0]

    def begin(self) -> None:
        """Begin a transaction that a crash of the server cannot take back."""
        self._writes = False
        self.logged = None
        self._connection.execute(_BEGIN)

    def commit(self) -> None:
        """Put it on disk, counted and noted if it has changed anything.

        Raises:
            WentBackError: what this process, or another one, has committed is not there any more.
        """
        writes = self._writes
        if writes:
            self._watch.count(self)
        self._connection.execute("COMMIT")
        if writes:
            self.memory.committed(self.logged)
        self._away_since = None

    def rollback(self) -> None:
        """Undo it, if there is one."""
        with contextlib.suppress(psycopg.Error):
            if self._connection.info.transaction_status is not TransactionStatus.IDLE:
                self._connection.execute("ROLLBACK")

    def fault_of(self, error: BaseException) -> str | None:
        """Say what ails the server, by the name of its error and nothing it was asked."""
        if isinstance(error, LedgerError):
            is_ours = isinstance(error, WentBackError | ServerRefusedError)
            return error.message if is_ours else None
        if not isinstance(error, psycopg.Error):
            return None
        return f"the ledger cannot be written ({type(error).__name__} {error.sqlstate or ''})"

    def reconnect(self, error: BaseException) -> bool:
        """Wait for a server that is away; say whether the work may be tried again."""
        if isinstance(error, TRY_AGAIN):
            return True
        if isinstance(error, WentBackError):
            return self._connect_and_compare()
        is_read_only = isinstance(error, pg_errors.ReadOnlySqlTransaction)
        if not (is_read_only or self._connection.broken or self._connection.closed):
            return False
        # Patience is had with an absence once, not with each question that falls into it.
        self._away_since = self._away_since or time.monotonic()
        for pause in _endless(_PAUSES):
            if self._connect_and_compare():
                return True
            if not self._may_come_back or time.monotonic() > self._away_since + self._patience:
                return False
            time.sleep(pause)
        return False

    def _connect_and_compare(self) -> bool:
        """Connect anew, and hold what may have been sent where commits are missing."""
        self.close()
        try:
            self._connection = self._address.connect()
            server = server_of(self._only_value)
            self.begin()
            self._watch.begin(self, server, again=True)
            self.commit()
        except psycopg.Error:
            return False
        except ServerRefusedError as error:
            self._may_come_back = error.passes
            return False
        except WentBackError:
            self._may_come_back = False
            return False
        self._may_come_back = True
        return True

    def heals(self, error: BaseException) -> bool:
        """Say whether the same may work later, as on a disk that is full now."""
        return isinstance(error, (*AWAY, *_OUT_OF_TIME, LedgerError))

    def may_pass(self, error: BaseException) -> bool:
        """Say whether a time limit of the server's ended it, as while an index is made."""
        return isinstance(error, _OUT_OF_TIME)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def query(self, statement: str, values: Sequence[Value]) -> list[tuple[Any, ...]]:
        """Return the rows of a statement."""
        return [*self.rows(statement, values)]

    def rows(self, statement: str, values: Sequence[Value]) -> Iterable[tuple[Any, ...]]:
        """Return the rows of a statement."""
        return self._connection.execute(_dialect(statement), values)

    def change(self, statement: str, values: Sequence[Value | Sequence[Value]]) -> int:
        """Carry a statement out; return how many rows it changed."""
        self._writes = True
        return self._connection.execute(_dialect(statement), values).rowcount

    def mark(self, statement: str, values: Sequence[Value]) -> list[int]:
        """Change rows and return the ids of those it were: others may have changed some."""
        self._writes = True
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

    def lock_audit_log(self) -> str:
        """Keep others from writing to the audit log until the commit; return our role."""
        self.query(_LOCK_AUDIT_LOG, ())
        # In another statement, which sees what was committed while this one waited.
        ((role,),) = self.query("SELECT session_user::text", ())
        return str(role)

    def lock_limits(self) -> None:
        """Keep others from deciding until the commit what is within a limit."""
        self.query(_LOCK_LIMITS, ())

    def index_references(self) -> None:
        """See that a payout is found by DGS-Pay's reference quickly."""
        # "IF NOT EXISTS" waits for everybody who writes before it looks whether there is one.
        ((found,),) = self.query("SELECT to_regclass('dgspay_payout_references')", ())
        if found is None:
            self.change(_INDEX_REFERENCES, ())

    def require_in_place(self) -> None:
        """Nothing: tables that are gone are an error of the next statement."""

    def now(self) -> float:
        """Return the Unix time of the server, which all machines share."""
        if self._given_clock is not None:
            return self._given_clock()
        ((now,),) = self.query(_NOW, ())
        return float(now)

    def next_batch_id(self) -> int:
        """Return a number no batch has, nor had."""
        ((number,),) = self.query("SELECT nextval('dgspay_payout_batch_ids')", ())
        return int(number)

    def bulk_load(self, batch: Batch, payouts: Iterable[Payout]) -> tuple[int, int]:
        """Copy payouts in as they come; return their count and sum."""
        self._writes = True
        count = total = 0
        columns = ", ".join((*sql_payouts.PAYOUT_COLUMNS, *sql_payouts.KEY_COLUMNS))
        statement = f"COPY dgspay_payouts ({columns}) FROM STDIN"
        with self._connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            for payout in payouts:
                count += 1
                total += payout.amount
                copy.write_row(sql_payouts.values_of(batch, payout))
        return count, total


_ACCEPT = (
    f"UPDATE dgspay_payout_states s SET state = {sql_payouts.ACCEPTED}, "  # noqa: S608 - constants
    "dgs_reference = answer.reference, fee = answer.fee, reason = NULL "
    "FROM unnest(?::bigint[], ?::text[], ?::text[]) AS answer (id, reference, fee) "
    f"WHERE s.id = answer.id AND s.state = {sql_payouts.IN_DOUBT} AND s.dgs_reference IS NULL"
)
_STATE_ID = "dgspay_payout_states.id"
_INDEX_REFERENCES = (
    "CREATE INDEX IF NOT EXISTS dgspay_payout_references "
    "ON dgspay_payout_states (dgs_reference) WHERE dgs_reference IS NOT NULL"
)


@functools.lru_cache(maxsize=64)
def _dialect(statement: str) -> bytes:
    return statement.replace("?", "%s").encode()


def _endless(pauses: Sequence[float]) -> Generator[float]:
    yield from pauses
    while True:
        yield pauses[-1]

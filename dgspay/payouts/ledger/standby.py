"""Whether a PostgreSQL went back in time: a standby took over that lacks commits, or a backup did.

Three things tell. A session's own row says how many commits of it there are. The timeline of the
server that wrote last is in the ledger; another one says that a standby was promoted, which had
every commit only where replication is synchronous. And the notes of this machine name sessions
that ended before. Then what may have been sent is held, for everybody, in the database.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs
import psycopg

from dgspay.payouts.errors import WentBackError
from dgspay.payouts.ledger import commit_history, sql_audit_log
from dgspay.payouts.ledger.commit_memory import Memory
from dgspay.payouts.ledger.sql_batches import Database
from dgspay.payouts.model.audit_log import Action, Facts

_LSN = "pg_current_wal_insert_lsn()"
_TIMELINE = f"('x' || substr(pg_walfile_name({_LSN}), 1, 8))::bit(32)::bigint"
_SYSTEM = "(SELECT system_identifier::text FROM pg_control_system())"
_SYNCHRONOUS = "(current_setting('synchronous_standby_names') <> '')::int"

_COUNT = """
    WITH own AS (
        INSERT INTO dgspay_payout_sessions AS own (token, commits, began, latest)
        VALUES (?, 1, ?, ?) ON CONFLICT (token)
        DO UPDATE SET commits = own.commits + 1, latest = excluded.latest RETURNING commits
    )
    SELECT own.commits, l.timeline, l.synchronous, {timeline}, {synchronous}
    FROM own, dgspay_payout_ledger l
"""

_LOST = (
    "the ledger's PostgreSQL lacks commits it once had ({why}): a standby took over, or a backup "
    "was restored. This may have been sent since"
)


@attrs.frozen
class Server:
    """What a server says of itself; None where it does not tell.

    Attributes:
        system: The name of its cluster, which standbys share.
        timeline: Raised by each promotion of a standby.
    """

    system: str | None = None
    timeline: int | None = None


def server_of(ask: Callable[[str], str | int | None]) -> Server:
    """Ask a server what it is.

    Some that are managed by others do not tell; then only the counts of commits are compared.

    Args:
        ask: Returns the one value of a query, in a transaction of its own.
    """

    def told(expression: str) -> str | int | None:
        try:
            return ask(f"SELECT {expression}")
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedFunction):
            return None
        except (psycopg.errors.FeatureNotSupported, psycopg.errors.ObjectNotInPrerequisiteState):
            return None

    system, timeline = told(_SYSTEM), told(_TIMELINE)
    return Server(
        None if system is None else str(system), None if timeline is None else int(timeline)
    )


class Watch:
    """Compares each commit with those before.

    Args:
        memory: This process's own.
        clock: Unix time.
    """

    def __init__(self, memory: Memory, clock: Callable[[], float]) -> None:
        self._memory = memory
        self._clock = clock
        self._losses = 0
        self._tells_timeline = False

    def begin(self, database: Database, server: Server, *, again: bool) -> None:
        """Compare a server with what is known of it, after connecting to it; hold what was lost.

        Args:
            database: The connection, in a transaction.
            server: What it says of itself.
            again: Whether this process was connected before.
        """
        self._tells_timeline = server.timeline is not None
        identity = commit_history.identity_of(database, lock="FOR UPDATE")
        if identity is None:
            raise WentBackError("the tables of the ledger were emptied or removed")
        if not again:
            self._losses = identity.losses
        why = self._loss(database, identity, server)
        if why is None:
            if (identity.system, identity.timeline) != (server.system, server.timeline):
                commit_history.note_server(database, server.system, server.timeline)
            return
        if identity.losses == self._losses:
            now = self._clock()
            since = commit_history.latest_commit(database)
            held = commit_history.hold_unsent(database, _LOST.format(why=why), now)
            facts: Facts = {"since": commit_history.moment(since), "held": held}
            sql_audit_log.append(database, Action.HOLD, now, reason=why, facts=facts)
            commit_history.note_loss(database, since, now, (server.system, server.timeline))
            self._losses = identity.losses + 1
        else:
            # Another process has noticed before, and held it.
            self._losses = identity.losses
        self._memory.begin_anew()

    def _loss(
        self, database: Database, identity: commit_history.Identity, server: Server
    ) -> str | None:
        """Say why commits may be missing, or None."""
        if identity.system not in (None, server.system) and server.system is not None:
            return "it is another server than before"
        if (
            None not in (identity.timeline, server.timeline)
            and identity.timeline != server.timeline
            and not identity.synchronous
        ):
            return f"timeline {server.timeline} instead of {identity.timeline}"
        own = {self._memory.token: self._memory.commits}
        lost = self._memory.missing(database) + commit_history.missing(database, own)
        return f"{lost:,} that this machine has seen" if lost else None

    def count(self, database: Database) -> None:
        """Count a commit, and see in the same breath that none has gone.

        A pooler may connect to another server between two transactions, and it would go unnoticed.

        Raises:
            WentBackError: commits are missing.
        """
        statement = _COUNT.format(
            timeline=_TIMELINE if self._tells_timeline else "NULL::bigint",
            synchronous=_SYNCHRONOUS,
        )
        now = self._clock()
        rows = database.query(statement, (self._memory.token, now, now))
        if not rows:
            raise WentBackError("the tables of the ledger were emptied or removed")
        commits, timeline, was_synchronous, current, synchronous = rows[0]
        if commits <= self._memory.commits or self._memory.missing(database):
            raise WentBackError("the ledger lacks commits that were seen before")
        if None not in (timeline, current) and timeline != current:
            raise WentBackError("another server has taken over")
        if bool(was_synchronous) != bool(synchronous):
            commit_history.note_synchronous(database, synchronous=bool(synchronous))

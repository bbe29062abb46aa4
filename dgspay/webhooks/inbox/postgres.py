"""An inbox in PostgreSQL (psycopg 3): for several machines, and for one commit with the shop.

`transaction` gives the handler a connection on which its own updates and the event's "done"
are committed together: either both happened or neither, also when the machine dies.
"""

from __future__ import annotations

import contextlib
import time
import weakref
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import TYPE_CHECKING, Any, LiteralString

import anyio

from dgspay._lazy import imported_for
from dgspay.webhooks.inbox.keys import wider_keys
from dgspay.webhooks.inbox.protocol import (
    PATIENCE,
    Claim,
    ClaimLostError,
    Refusal,
    new_claim,
    watching,
)

if TYPE_CHECKING:
    from psycopg import AsyncConnection, Connection

SCHEMA = """
CREATE TABLE IF NOT EXISTS dgspay_inbox (
    key text PRIMARY KEY,
    token text NOT NULL,
    leased_until timestamptz NOT NULL,
    done_at timestamptz
)
"""
"""The table, for those who make theirs with a migration."""

# Two processes that create a table at once fail on PostgreSQL, "IF NOT EXISTS" or not. The
# number is this table's own; it has no other meaning.
_LOCK_INSTALL = "SELECT pg_advisory_xact_lock(4019852073)"

# A row for the event, and one for its group that is there only while one of its events is handled.
# None of the three that make up a claim waits for a row that a handler's transaction holds: a
# redelivery would wait with it, a connection each.
_CLAIM_NEW = """
INSERT INTO dgspay_inbox (key, token, leased_until)
VALUES (%(key)s, %(token)s, clock_timestamp() + make_interval(secs => %(lease)s))
ON CONFLICT (key) DO NOTHING
"""

# The server's clock may be set. Where it says that a lease is over, or that it was taken in the
# future, the event is not given out unless the lease is still as it was seen a while before: a
# live handler's is renewed meanwhile.
_LOOK = """
SELECT
    done_at IS NOT NULL,
    leased_until > clock_timestamp()
        AND leased_until <= clock_timestamp() + make_interval(secs => %(lease)s),
    token,
    (extract(epoch FROM leased_until) * 1000000)::bigint
FROM dgspay_inbox WHERE key = %(key)s
"""

# A transaction of a handler's that holds the row is a sign of life already.
_LOCK = "SELECT 1 FROM dgspay_inbox WHERE key = %(key)s FOR UPDATE SKIP LOCKED"

# What wider keys say of an event.
_LOOK_WIDER = """
SELECT bool_or(done_at IS NOT NULL), bool_or(leased_until > clock_timestamp())
FROM dgspay_inbox WHERE key = ANY(%s)
"""

# Only what can be locked at once. Of several who try, the lock lets one through, and the others
# look at the row again after it or skip it.
_CLAIM_LEFT = """
WITH free AS MATERIALIZED (
    SELECT key FROM dgspay_inbox
    WHERE key = %(key)s AND done_at IS NULL AND token = %(seen_token)s
        AND (extract(epoch FROM leased_until) * 1000000)::bigint = %(seen_until)s
    FOR UPDATE SKIP LOCKED
)
UPDATE dgspay_inbox AS held
SET token = %(token)s, leased_until = clock_timestamp() + make_interval(secs => %(lease)s)
FROM free WHERE held.key = free.key
"""

_RENEW = """
UPDATE dgspay_inbox SET leased_until = clock_timestamp() + make_interval(secs => %(lease)s)
WHERE key = %(key)s AND token = %(token)s AND done_at IS NULL
"""

# Whatever the server, the database, the role or the handler has set: what a crash of the server
# could take back would be handled twice. What waits for more than this server's disk stays.
_SYNCHRONOUS = """
SELECT set_config('synchronous_commit', 'on', true)
WHERE current_setting('synchronous_commit') IN ('off', 'local')
"""

_DONE = """
INSERT INTO dgspay_inbox AS held (key, token, leased_until, done_at)
VALUES (%(key)s, %(token)s, clock_timestamp(), clock_timestamp())
ON CONFLICT (key) DO UPDATE SET done_at = excluded.done_at WHERE held.done_at IS NULL
"""

_RELEASE = """
DELETE FROM dgspay_inbox WHERE key = %(key)s AND token = %(token)s AND done_at IS NULL
"""

# The rows stay locked until the handler's transaction ends: a delivery that tries to claim it in
# the meantime, because the lease is over, is answered that it is being handled.
_HOLD = """
SELECT 1 FROM dgspay_inbox
WHERE key = %(key)s AND token = %(token)s AND done_at IS NULL FOR UPDATE
"""

_FORGET = """
DELETE FROM dgspay_inbox WHERE done_at < clock_timestamp() - make_interval(secs => %s)
"""


# A statement with its values.
_Ask = tuple[LiteralString, Any]

# Leases that seem to be over, each as it was seen: token, and microseconds since the epoch.
_Left = dict[str, dict[str, Any]]


def _claiming(
    claim: Claim, lease: float, seen: _Left
) -> Generator[_Ask, Any, Claim | Refusal | _Left]:
    """Claim an event and its group in one transaction, which is rolled back unless both are got.

    It is sent back the first row of what returns rows, and of anything else how many there were.

    Args:
        claim: What is claimed.
        lease: For how many seconds.
        seen: Leases that have been watched: one that is still as it was seen is over.

    Returns:
        The claim; a refusal; or the leases that are to be watched before it is tried again.
    """
    if not seen and (wider := wider_keys(claim.key)):
        is_done, is_held = yield _LOOK_WIDER, (wider,)
        if is_done or is_held:
            return Refusal.DONE if is_done else Refusal.BUSY
    yield _SYNCHRONOUS, None
    left: _Left = {}
    for record in claim.records:
        values = {"key": record, "token": claim.token, "lease": lease}
        if (yield _CLAIM_NEW, values):
            continue
        if record in seen and (yield _CLAIM_LEFT, {**values, **seen[record]}):
            continue
        found = yield _LOOK, values
        if found is None:
            # It was released between the two statements. The next delivery gets it.
            return Refusal.BUSY
        is_done, is_held, token, until = found
        if is_done:
            return Refusal.DONE
        if is_held or seen or (yield _LOCK, values) is None:
            return Refusal.BUSY
        left[record] = {"seen_token": token, "seen_until": until}
    return left or claim


def _values_of(claim: Claim) -> list[dict[str, Any]]:
    """Return the values for the row of the event and the row of its group.

    All transactions lock them in this order: a lease is renewed while its handler ends.
    """
    return [{"key": record, "token": claim.token} for record in claim.records]


class _Borrowed:
    """The connection each claim under way was made on.

    A lease is renewed while its handler runs. Where the program hands out one connection to all,
    the handler may be using it at that moment, in a transaction of its own.
    """

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self._connections: dict[str, weakref.ref[Any]] = {}

    def _note(self, claim: Claim, connection: Any) -> None:
        self._connections[claim.token] = weakref.ref(connection)

    def _forget(self, claim: Claim) -> None:
        self._connections.pop(claim.token, None)

    def _may_be_in_use(self, claim: Claim, connection: Any) -> bool:
        noted = self._connections.get(claim.token)
        return noted is None or noted() is connection


class PostgresInbox(_Borrowed):
    """Remembers in the table `dgspay_inbox`, which `install` or your own migration makes.

    Args:
        connect: A connection string, for a connection per question; or a function that
            returns a context manager with a connection that has no transaction open, such as
            `pool.connection` of psycopg_pool.
        patience: Seconds for which a lease that seems to be over is watched for a sign of life
            before its event is given to another.
    """

    def __init__(
        self,
        connect: str | Callable[[], AbstractContextManager[Connection[Any]]],
        *,
        patience: float = PATIENCE,
    ) -> None:
        super().__init__(patience)
        self._connect = _connecting(connect) if isinstance(connect, str) else connect

    def install(self) -> None:
        """Make the table, unless it is there."""
        with self._connect() as connection, connection.transaction():
            connection.execute(_LOCK_INSTALL)
            connection.execute(SCHEMA)

    def claim(self, key: str, *, lease: float, group: str = "") -> Claim | Refusal:
        """Claim an event and its group for `lease` seconds, unless it is done or a lease lives."""
        claim = new_claim(key, group)
        came = self._try(claim, lease, {})
        if isinstance(came, dict):
            time.sleep(watching(self.patience, lease))
            came = self._try(claim, lease, came)
        return Refusal.BUSY if isinstance(came, dict) else came

    def _try(self, claim: Claim, lease: float, seen: _Left) -> Claim | Refusal | _Left:
        from psycopg import Rollback  # noqa: PLC0415 - the extra `postgres`

        claiming, came = _claiming(claim, lease, seen), None
        with self._connect() as connection, connection.transaction() as transaction:
            while True:
                try:
                    ask = claiming.send(came)
                except StopIteration as ended:
                    result: Claim | Refusal | _Left = ended.value
                    break
                came = _first(connection, *ask)
            if result is not claim:
                raise Rollback(transaction)
            self._note(claim, connection)
        return result

    def renew(self, claim: Claim, *, lease: float) -> None:
        """Renew the lease for so many seconds, unless it is done or claimed elsewhere."""
        with self._connect() as connection:
            if self._may_be_in_use(claim, connection):
                return
            with connection.transaction():
                for values in _values_of(claim):
                    connection.execute(_RENEW, {**values, "lease": lease})

    def done(self, claim: Claim) -> None:
        """Mark the event done, even if another delivery has claimed it since."""
        self._forget(claim)
        with self._connect() as connection, connection.transaction():
            connection.execute(_SYNCHRONOUS)
            event, *group = _values_of(claim)
            connection.execute(_DONE, event)
            for values in group:
                connection.execute(_RELEASE, values)

    def release(self, claim: Claim) -> None:
        """Release the event, unless it is done or claimed elsewhere by now."""
        self._forget(claim)
        with self._connect() as connection, connection.transaction():
            for values in _values_of(claim):
                connection.execute(_RELEASE, values)

    @contextlib.contextmanager
    def transaction(self, claim: Claim) -> Iterator[Connection[Any]]:
        """A transaction for the handler; it ends with the event marked done, or not at all."""
        self._forget(claim)
        with self._connect() as connection, connection.transaction():
            event, *group = _values_of(claim)
            for values in (event, *group):
                if connection.execute(_HOLD, values).fetchone() is None:
                    raise ClaimLostError(claim.key)
            yield connection
            connection.execute(_DONE, event)
            for values in group:
                connection.execute(_RELEASE, values)
            connection.execute(_SYNCHRONOUS)

    def forget(self, *, older_than: float) -> int:
        """Forget what was done more than this many seconds ago; return how many that were."""
        with self._connect() as connection, connection.transaction():
            return connection.execute(_FORGET, (older_than,)).rowcount


class AsyncPostgresInbox(_Borrowed):
    """The same with `await`.

    Args:
        connect: A connection string, for a connection per question; or a function that
            returns an async context manager with a connection that has no transaction open,
            such as `pool.connection` of psycopg_pool's AsyncConnectionPool.
        patience: Seconds for which a lease that seems to be over is watched for a sign of life
            before its event is given to another.
    """

    def __init__(
        self,
        connect: str | Callable[[], AbstractAsyncContextManager[AsyncConnection[Any]]],
        *,
        patience: float = PATIENCE,
    ) -> None:
        super().__init__(patience)
        self._connect = _async_connecting(connect) if isinstance(connect, str) else connect

    async def install(self) -> None:
        """Make the table, unless it is there."""
        async with self._connect() as connection, connection.transaction():
            await connection.execute(_LOCK_INSTALL)
            await connection.execute(SCHEMA)

    async def claim(self, key: str, *, lease: float, group: str = "") -> Claim | Refusal:
        """Claim an event and its group for `lease` seconds, unless it is done or a lease lives."""
        claim = new_claim(key, group)
        came = await self._try(claim, lease, {})
        if isinstance(came, dict):
            await anyio.sleep(watching(self.patience, lease))
            came = await self._try(claim, lease, came)
        return Refusal.BUSY if isinstance(came, dict) else came

    async def _try(self, claim: Claim, lease: float, seen: _Left) -> Claim | Refusal | _Left:
        from psycopg import Rollback  # noqa: PLC0415 - the extra `postgres`

        claiming, came = _claiming(claim, lease, seen), None
        async with self._connect() as connection, connection.transaction() as transaction:
            while True:
                try:
                    ask = claiming.send(came)
                except StopIteration as ended:
                    result: Claim | Refusal | _Left = ended.value
                    break
                came = await _async_first(connection, *ask)
            if result is not claim:
                raise Rollback(transaction)
            self._note(claim, connection)
        return result

    async def renew(self, claim: Claim, *, lease: float) -> None:
        """Renew the lease for so many seconds, unless it is done or claimed elsewhere."""
        async with self._connect() as connection:
            if self._may_be_in_use(claim, connection):
                return
            async with connection.transaction():
                for values in _values_of(claim):
                    await connection.execute(_RENEW, {**values, "lease": lease})

    async def done(self, claim: Claim) -> None:
        """Mark the event done, even if another delivery has claimed it since."""
        self._forget(claim)
        async with self._connect() as connection, connection.transaction():
            await connection.execute(_SYNCHRONOUS)
            event, *group = _values_of(claim)
            await connection.execute(_DONE, event)
            for values in group:
                await connection.execute(_RELEASE, values)

    async def release(self, claim: Claim) -> None:
        """Release the event, unless it is done or claimed elsewhere by now."""
        self._forget(claim)
        async with self._connect() as connection, connection.transaction():
            for values in _values_of(claim):
                await connection.execute(_RELEASE, values)

    @contextlib.asynccontextmanager
    async def transaction(self, claim: Claim) -> AsyncIterator[AsyncConnection[Any]]:
        """A transaction for the handler; it ends with the event marked done, or not at all."""
        self._forget(claim)
        async with self._connect() as connection, connection.transaction():
            event, *group = _values_of(claim)
            for values in (event, *group):
                if await (await connection.execute(_HOLD, values)).fetchone() is None:
                    raise ClaimLostError(claim.key)
            yield connection
            await connection.execute(_DONE, event)
            for values in group:
                await connection.execute(_RELEASE, values)
            await connection.execute(_SYNCHRONOUS)

    async def forget(self, *, older_than: float) -> int:
        """Forget what was done more than this many seconds ago; return how many that were."""
        async with self._connect() as connection, connection.transaction():
            return (await connection.execute(_FORGET, (older_than,))).rowcount


def _first(connection: Connection[Any], query: LiteralString, values: Any) -> Any:
    """Return the first row as a tuple, whatever the program has its connections make of rows.

    Of what returns no rows, return how many there were.
    """
    from psycopg.rows import tuple_row  # noqa: PLC0415 - the extra `postgres`

    cursor = connection.cursor(row_factory=tuple_row).execute(query, values)
    return cursor.rowcount if cursor.description is None else cursor.fetchone()


async def _async_first(connection: AsyncConnection[Any], query: LiteralString, values: Any) -> Any:
    from psycopg.rows import tuple_row  # noqa: PLC0415 - the extra `postgres`

    cursor = await connection.cursor(row_factory=tuple_row).execute(query, values)
    return cursor.rowcount if cursor.description is None else await cursor.fetchone()


def _connecting(conninfo: str) -> Callable[[], AbstractContextManager[Connection[Any]]]:
    psycopg = imported_for("PostgresInbox", "psycopg")
    return lambda: psycopg.connect(conninfo)


def _async_connecting(
    conninfo: str,
) -> Callable[[], AbstractAsyncContextManager[AsyncConnection[Any]]]:
    psycopg = imported_for("AsyncPostgresInbox", "psycopg")

    @contextlib.asynccontextmanager
    async def connect() -> AsyncIterator[AsyncConnection[Any]]:
        async with await psycopg.AsyncConnection.connect(conninfo) as connection:
            yield connection

    return connect

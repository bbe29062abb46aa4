"""An inbox in PostgreSQL (psycopg 3): for several machines, and for one commit with the shop.

`transaction` gives the handler a connection on which its own updates and the event's "done"
are committed together: either both happened or neither, also when the machine dies.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import TYPE_CHECKING, Any

from dgspay.webhooks.inbox import Claim, ClaimLostError, Refusal, new_claim

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

# None of the three that make up a claim waits for a row that a handler's transaction holds: a
# redelivery would wait with it, a connection each.
_CLAIM_NEW = """
INSERT INTO dgspay_inbox (key, token, leased_until)
VALUES (%(key)s, %(token)s, clock_timestamp() + make_interval(secs => %(lease)s))
ON CONFLICT (key) DO NOTHING
"""

_LOOK = """
SELECT done_at IS NOT NULL, leased_until <= clock_timestamp() FROM dgspay_inbox
WHERE key = %(key)s
"""

# Only what is found free and can be locked at once. Of several who try, the lock lets one
# through, and the others look at the row again after it or skip it.
_CLAIM_LEFT = """
WITH free AS MATERIALIZED (
    SELECT key FROM dgspay_inbox
    WHERE key = %(key)s AND done_at IS NULL AND leased_until <= clock_timestamp()
    FOR UPDATE SKIP LOCKED
)
UPDATE dgspay_inbox AS held
SET token = %(token)s, leased_until = clock_timestamp() + make_interval(secs => %(lease)s)
FROM free WHERE held.key = free.key
"""

_DONE = """
INSERT INTO dgspay_inbox AS held (key, token, leased_until, done_at)
VALUES (%(key)s, %(token)s, clock_timestamp(), clock_timestamp())
ON CONFLICT (key) DO UPDATE SET done_at = excluded.done_at WHERE held.done_at IS NULL
"""

_RELEASE = """
DELETE FROM dgspay_inbox WHERE key = %(key)s AND token = %(token)s AND done_at IS NULL
"""

# The row stays locked until the handler's transaction ends: whoever would claim it in the
# meantime, because the lease is over, is told that it is in other hands.
_HOLD = """
SELECT 1 FROM dgspay_inbox
WHERE key = %(key)s AND token = %(token)s AND done_at IS NULL FOR UPDATE
"""

_FORGET = """
DELETE FROM dgspay_inbox WHERE done_at < clock_timestamp() - make_interval(secs => %s)
"""


class PostgresInbox:
    """Remembers in the table `dgspay_inbox`, which `install` or your own migration makes.

    Args:
        connect: A connection string, for a connection per question; or a function that
            returns a context manager with a connection that has no transaction open, such as
            `pool.connection` of psycopg_pool.
    """

    def __init__(
        self, connect: str | Callable[[], AbstractContextManager[Connection[Any]]]
    ) -> None:
        self._connect = _connecting(connect) if isinstance(connect, str) else connect

    def install(self) -> None:
        """Make the table, unless it is there."""
        with self._connect() as connection, connection.transaction():
            connection.execute(_LOCK_INSTALL)
            connection.execute(SCHEMA)

    def claim(self, key: str, *, lease: float) -> Claim | Refusal:
        """Take an event for `lease` seconds of the server's clock."""
        claim = new_claim(key)
        values = {"key": key, "token": claim.token, "lease": lease}
        with self._connect() as connection, connection.transaction():
            if connection.execute(_CLAIM_NEW, values).rowcount == 1:
                return claim
            refusal = _refusal(connection.execute(_LOOK, values).fetchone())
            if refusal is None and connection.execute(_CLAIM_LEFT, values).rowcount == 1:
                return claim
        return refusal or Refusal.BUSY

    def done(self, claim: Claim) -> None:
        """Remember that the event was handled, whoever has claimed it since."""
        with self._connect() as connection, connection.transaction():
            connection.execute(_DONE, {"key": claim.key, "token": claim.token})

    def release(self, claim: Claim) -> None:
        """Give the event back, unless it is done or someone else's by now."""
        with self._connect() as connection, connection.transaction():
            connection.execute(_RELEASE, {"key": claim.key, "token": claim.token})

    @contextlib.contextmanager
    def transaction(self, claim: Claim) -> Iterator[Connection[Any]]:
        """A transaction for the handler; it ends with the event marked done, or not at all."""
        values = {"key": claim.key, "token": claim.token}
        with self._connect() as connection, connection.transaction():
            if connection.execute(_HOLD, values).fetchone() is None:
                raise ClaimLostError(claim.key)
            yield connection
            connection.execute(_DONE, values)

    def forget(self, *, older_than: float) -> int:
        """Forget what was done more than this many seconds ago; return how many that were."""
        with self._connect() as connection, connection.transaction():
            return connection.execute(_FORGET, (older_than,)).rowcount


class AsyncPostgresInbox:
    """The same with `await`.

    Args:
        connect: A connection string, for a connection per question; or a function that
            returns an async context manager with a connection that has no transaction open,
            such as `pool.connection` of psycopg_pool's AsyncConnectionPool.
    """

    def __init__(
        self, connect: str | Callable[[], AbstractAsyncContextManager[AsyncConnection[Any]]]
    ) -> None:
        self._connect = _async_connecting(connect) if isinstance(connect, str) else connect

    async def install(self) -> None:
        """Make the table, unless it is there."""
        async with self._connect() as connection, connection.transaction():
            await connection.execute(_LOCK_INSTALL)
            await connection.execute(SCHEMA)

    async def claim(self, key: str, *, lease: float) -> Claim | Refusal:
        """Take an event for `lease` seconds of the server's clock."""
        claim = new_claim(key)
        values = {"key": key, "token": claim.token, "lease": lease}
        async with self._connect() as connection, connection.transaction():
            if (await connection.execute(_CLAIM_NEW, values)).rowcount == 1:
                return claim
            refusal = _refusal(await (await connection.execute(_LOOK, values)).fetchone())
            if refusal is None and (await connection.execute(_CLAIM_LEFT, values)).rowcount == 1:
                return claim
        return refusal or Refusal.BUSY

    async def done(self, claim: Claim) -> None:
        """Remember that the event was handled, whoever has claimed it since."""
        async with self._connect() as connection, connection.transaction():
            await connection.execute(_DONE, {"key": claim.key, "token": claim.token})

    async def release(self, claim: Claim) -> None:
        """Give the event back, unless it is done or someone else's by now."""
        async with self._connect() as connection, connection.transaction():
            await connection.execute(_RELEASE, {"key": claim.key, "token": claim.token})

    @contextlib.asynccontextmanager
    async def transaction(self, claim: Claim) -> AsyncIterator[AsyncConnection[Any]]:
        """A transaction for the handler; it ends with the event marked done, or not at all."""
        values = {"key": claim.key, "token": claim.token}
        async with self._connect() as connection, connection.transaction():
            if await (await connection.execute(_HOLD, values)).fetchone() is None:
                raise ClaimLostError(claim.key)
            yield connection
            await connection.execute(_DONE, values)

    async def forget(self, *, older_than: float) -> int:
        """Forget what was done more than this many seconds ago; return how many that were."""
        async with self._connect() as connection, connection.transaction():
            return (await connection.execute(_FORGET, (older_than,))).rowcount


def _refusal(found: tuple[Any, ...] | None) -> Refusal | None:
    """Read a row; None where its lease is over, so that it may be had."""
    if found is None:
        # It was released between the two statements. The next delivery gets it.
        return Refusal.BUSY
    is_done, is_over = found
    if is_done:
        return Refusal.DONE
    return None if is_over else Refusal.BUSY


def _connecting(conninfo: str) -> Callable[[], AbstractContextManager[Connection[Any]]]:
    import psycopg  # noqa: PLC0415 - the extra `postgres`

    return lambda: psycopg.connect(conninfo)


def _async_connecting(
    conninfo: str,
) -> Callable[[], AbstractAsyncContextManager[AsyncConnection[Any]]]:
    import psycopg  # noqa: PLC0415 - the extra `postgres`

    @contextlib.asynccontextmanager
    async def connect() -> AsyncIterator[AsyncConnection[Any]]:
        async with await psycopg.AsyncConnection.connect(conninfo) as connection:
            yield connection

    return connect

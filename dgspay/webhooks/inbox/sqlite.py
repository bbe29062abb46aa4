"""An inbox in a SQLite file: the default, safe across the threads and processes of one machine."""

from __future__ import annotations

import contextlib
import math
import random
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from dgspay.errors import ConfigError
from dgspay.forks import at_sqlite, new_lock
from dgspay.private_files import make_private
from dgspay.webhooks.inbox.keys import wider_keys
from dgspay.webhooks.inbox.protocol import Claim, Refusal, new_claim

DEFAULT_PATH = "dgspay-webhooks.sqlite3"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS dgspay_inbox (
    key TEXT PRIMARY KEY,
    token TEXT NOT NULL,
    leased_until REAL NOT NULL,
    done_at REAL
) WITHOUT ROWID
"""

_CLAIM = """
INSERT INTO dgspay_inbox (key, token, leased_until) VALUES (:key, :token, :until)
ON CONFLICT (key) DO UPDATE SET token = excluded.token, leased_until = excluded.leased_until
"""

_DONE = """
INSERT INTO dgspay_inbox (key, token, leased_until, done_at) VALUES (:key, :token, :now, :now)
ON CONFLICT (key) DO UPDATE SET done_at = excluded.done_at WHERE dgspay_inbox.done_at IS NULL
"""

_FOUND = "SELECT token, leased_until, done_at FROM dgspay_inbox WHERE key = ?"

_RELEASE = "DELETE FROM dgspay_inbox WHERE key = :key AND token = :token AND done_at IS NULL"

# The end of a token: when its lease began and when it is over, on the monotonic clock. It stands
# there and not in columns so that older versions of dgspay can go on using the file.
_LEASE = re.compile(r" (?P<begun>\d+)-(?P<over>\d+)$", re.ASCII)
_MICROSECONDS = 1_000_000


# Held from the making of a file to its closing: closing any descriptor of a file releases the
# locks that SQLite has on it in the whole process.
_making = new_lock()


class SQLiteInbox:
    """Remembers in a file on a local disk, which all processes of the machine may share.

    It opens the file for each question and closes it after: nothing is shared between threads
    or carried over a fork, and a crash leaves nothing locked. A network disk is no place for
    it; machines that share events need `PostgresInbox` or `RedisInbox`.

    Args:
        path: The file; it is made when it is first needed, for its owner only (mode 600). The
            default lies in the working directory.
        busy_timeout: Seconds to wait for another process that is writing.
        clock: Seconds since the epoch, for `forget`.
        monotonic: Seconds on the clock by which leases end. All processes of the machine share
            it, it is never set, and a machine that sleeps stops it as it stops the handlers.
    """

    def __init__(
        self,
        path: str | Path = DEFAULT_PATH,
        *,
        busy_timeout: float = 10.0,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if str(path) in ("", ":memory:"):
            raise ConfigError("SQLiteInbox needs a file; MemoryInbox keeps nothing on disk")
        # Made absolute now: a program may change its working directory later.
        self._path = Path(path).absolute()
        self._busy_timeout = busy_timeout
        self._clock = clock
        self._monotonic = monotonic

    def claim(self, key: str, *, lease: float, group: str = "") -> Claim | Refusal:
        """Claim an event and its group for `lease` seconds, unless done or claimed elsewhere."""
        keys = (key, *wider_keys(key))
        with self._connection() as connection:
            # What is done stays done: reading that does not need the writers' lock.
            if self._refusal(connection, keys) is Refusal.DONE:
                return Refusal.DONE
        with self._transaction() as connection:
            refusal = self._refusal(connection, (*keys, group) if group else keys)
            if refusal is not None:
                return refusal
            token = f"{new_claim(key).token} {_written(self._monotonic(), lease)}"
            claim, until = Claim(key, token, group), self._clock() + lease
            for record in claim.records:
                connection.execute(_CLAIM, {"key": record, "token": token, "until": until})
            return claim

    def _refusal(self, connection: sqlite3.Connection, keys: tuple[str, ...]) -> Refusal | None:
        """Return the reason against a claim under any of the keys."""
        found = [
            row for key in keys for row in self._patiently(connection, _FOUND, (key,)).fetchall()
        ]
        if any(done_at is not None for _, _, done_at in found):
            return Refusal.DONE
        if any(self._is_held(token, leased_until) for token, leased_until, _ in found):
            return Refusal.BUSY
        return None

    def _is_held(self, token: str, leased_until: float) -> bool:
        lease = _LEASE.search(token)
        if lease is None:
            # An older version of dgspay has it, which wrote the wall clock's time only.
            return leased_until > self._clock()
        now = self._monotonic() * _MICROSECONDS
        # One that begins in the future began before the machine was started again: it is void.
        # A second is left to processors whose clocks are not quite one.
        return int(lease["begun"]) - _MICROSECONDS <= now < int(lease["over"])

    def done(self, claim: Claim) -> None:
        """Mark the event done, even if another delivery has claimed it since."""
        with self._transaction() as connection:
            values = {"key": claim.key, "token": claim.token, "now": self._clock()}
            connection.execute(_DONE, values)
            if claim.group:
                connection.execute(_RELEASE, {"key": claim.group, "token": claim.token})

    def release(self, claim: Claim) -> None:
        """Release the event, unless it is done or claimed elsewhere by now."""
        with self._transaction() as connection:
            for record in claim.records:
                connection.execute(_RELEASE, {"key": record, "token": claim.token})

    def forget(self, *, older_than: float) -> int:
        """Forget what was done more than this many seconds ago; return how many that were.

        An event that DGS-Pay delivers once more after that is handled once more.
        """
        with self._transaction() as connection:
            forgotten = connection.execute(
                "DELETE FROM dgspay_inbox WHERE done_at < ?", (self._clock() - older_than,)
            )
            return forgotten.rowcount

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with _making:
            make_private(self._path)
        with at_sqlite:
            connection = sqlite3.connect(self._path, timeout=0, isolation_level=None)
            with contextlib.closing(connection):
                self._patiently(connection, _SCHEMA)
                yield connection

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """One write transaction; the lock is taken at its start, so that it cannot deadlock."""
        with self._connection() as connection:
            self._patiently(connection, "BEGIN IMMEDIATE")
            yield connection
            # Not reached when the block raised: closing then rolls back.
            self._patiently(connection, "COMMIT")

    def _patiently(
        self, connection: sqlite3.Connection, statement: str, values: tuple[Any, ...] = ()
    ) -> sqlite3.Cursor:
        """Execute a statement, waiting while another process holds the lock.

        SQLite's own waiting grows to a tenth of a second between two tries: next to a busy
        process, the others would hardly ever get a turn.
        """
        give_up = time.monotonic() + self._busy_timeout
        while True:
            try:
                return connection.execute(statement, values)
            except sqlite3.OperationalError as error:
                # Its extended codes have the basic one in the lowest byte.
                is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not is_busy or time.monotonic() > give_up:
                    raise
            # A child made meanwhile would find the locks on the file held by a thread it has not.
            is_holding = connection.in_transaction
            if not is_holding:
                at_sqlite.leave()
            time.sleep(random.uniform(0.000_5, 0.003))  # noqa: S311 - no secret hangs on it
            if not is_holding:
                at_sqlite.enter()


def _written(begun: float, lease: float) -> str:
    over = math.ceil((begun + lease) * _MICROSECONDS)
    return f"{math.floor(begun * _MICROSECONDS)}-{over}"

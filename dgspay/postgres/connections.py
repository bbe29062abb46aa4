"""Connections to PostgreSQL that neither wait for ever nor forget what they have committed.

They may go through PgBouncer in transaction mode: nothing is set for a session, nothing is
prepared, and no lock outlives its transaction.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import errors as pg_errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from dgspay.postgres.refusals import UNREADABLE, ServerRefusal, refusal_of

_BOUNDS: dict[str, Any] = {
    # Seconds, for each host.
    "connect_timeout": 10,
    # A machine that is cut off answers nothing, not even that it is gone: 10 + 3 * 5 seconds.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,  # milliseconds
    # While another server takes over, one that cannot write yet is one that is not there yet.
    "target_session_attrs": "read-write",
    "application_name": "dgspay",
}

# The same for the server's side, so that the connection of a machine that lost power is closed
# within a minute there. They end with the connection, and a pooler refuses them.
_SERVER_BOUNDS = (
    "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 "
    "-c tcp_user_timeout=25000"
)

_SYNCHRONOUS = (
    # Whatever the server, the database or the role says: what a crash of the server could take
    # back would be paid twice. `remote_apply` promises more, and stays.
    "SELECT set_config('synchronous_commit', 'on', true) "
    "WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')"
)

AWAY = (psycopg.OperationalError, psycopg.InterfaceError, pg_errors.ReadOnlySqlTransaction)
"""Errors that a server may recover from: it is away, restarts, is full, or cannot write yet."""

TRY_AGAIN = (pg_errors.DeadlockDetected, pg_errors.SerializationFailure)
"""Errors after which the same transaction may succeed at once."""


def limits(*, idle: float = 5.0, lock: float | None = None) -> str:
    """Return what sets the limits of one transaction, so that none holds up the others for ever.

    Args:
        idle: Seconds after which the server ends one whose process has stopped in the middle.
        lock: Seconds to wait for a row that another transaction has locked.
    """
    text = f"SET LOCAL idle_in_transaction_session_timeout = {idle * 1000:.0f}"
    return text if lock is None else f"{text}; SET LOCAL lock_timeout = {lock * 1000:.0f}"


def begin(bounds: str) -> bytes:
    """Return what begins a transaction that a crash of the server cannot take back: one round trip.

    Args:
        bounds: Its limits; see `limits`.
    """
    return f"BEGIN; {bounds}; {_SYNCHRONOUS}".encode()


def beginning(bounds: str) -> tuple[bytes, ...]:
    """Return the same as `begin`, one statement each, as libpq's pipeline mode takes them."""
    return tuple(begin(bounds).split(b"; "))


def bounded(conninfo: str, *, pooled: bool = False) -> str:
    """Return a connection string with a bound for every wait that it does not set itself.

    Args:
        conninfo: A connection string.
        pooled: Whether a pooler answers, which takes no options for the server.

    Raises:
        psycopg.ProgrammingError: it is none.
    """
    given = conninfo_to_dict(conninfo)
    bounds = dict(_BOUNDS)
    if "PGCONNECT_TIMEOUT" in os.environ:
        del bounds["connect_timeout"]
    if "PGTARGETSESSIONATTRS" in os.environ:
        del bounds["target_session_attrs"]
    if "PGAPPNAME" in os.environ:
        del bounds["application_name"]
    if not pooled:
        # The later one counts, where an option is set twice.
        own = given.get("options") or os.environ.get("PGOPTIONS") or ""
        given["options"] = f"{_SERVER_BOUNDS} {own}".strip()
    return make_conninfo("", **{**bounds, **given})


class Address:
    """Where a server is, and whether a pooler stands before it, once that is known.

    Args:
        conninfo: A connection string.
        fault: Makes the error to raise of a refusal.

    Raises:
        Exception: that of `fault`, where it is no connection string.
    """

    def __init__(self, conninfo: str, fault: Callable[[ServerRefusal], Exception]) -> None:
        self._conninfo = conninfo
        self._fault = fault
        self.is_pooled = False
        try:
            bounded(conninfo)
        except psycopg.ProgrammingError:
            raise fault(UNREADABLE) from None

    @property
    def conninfo(self) -> str:
        """The connection string, with its bounds."""
        return bounded(self._conninfo, pooled=self.is_pooled)

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Connect, for blocking code.

        Raises:
            Exception: that of `fault`: the server cannot be reached, or rejects the connection.
        """
        while True:
            was_pooled = self.is_pooled
            try:
                return psycopg.connect(self.conninfo, autocommit=True, prepare_threshold=None)
            except psycopg.Error as error:
                refusal = refusal_of(error, self._conninfo)
            self._require_pooler(refusal, was_pooled=was_pooled)

    async def connect_async(self) -> psycopg.AsyncConnection[Any]:
        """Connect, for `await` in asyncio; see `connect`."""
        while True:
            was_pooled = self.is_pooled
            try:
                return await psycopg.AsyncConnection.connect(
                    self.conninfo, autocommit=True, prepare_threshold=None
                )
            except psycopg.Error as error:
                refusal = refusal_of(error, self._conninfo)
            self._require_pooler(refusal, was_pooled=was_pooled)

    def _require_pooler(self, refusal: ServerRefusal, *, was_pooled: bool) -> None:
        """Remember a pooler that was not known when this was tried; any other refusal is one."""
        if was_pooled or not refusal.is_pooler:
            # Not from the driver's error, whose text may hold what the connection string holds.
            raise self._fault(refusal)
        self.is_pooled = True

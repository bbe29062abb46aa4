"""Connections to PostgreSQL that neither wait for ever nor forget what they have committed."""

from __future__ import annotations

import os
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from dgspay.payouts.faults import LedgerError

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
}

# A process that is stopped in the middle of a transaction must not hold up the others.
IDLE_TIMEOUT = "SET idle_in_transaction_session_timeout = '5s'"
# Whatever the server's default is: what a crash of the server could take back would be paid twice.
_SYNCHRONOUS = (
    "SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') IN ('off', 'local')"
)

SYNCHRONOUS_NOW = _SYNCHRONOUS.replace("false", "true")
"""The same for the transaction it is in: a pooler may have lent us a connection of another."""


def bounded(conninfo: str) -> str:
    """Return a connection string with a bound for every wait that it does not set itself.

    Raises:
        psycopg.ProgrammingError: it is none.
    """
    given = conninfo_to_dict(conninfo)
    bounds = dict(_BOUNDS)
    if "PGCONNECT_TIMEOUT" in os.environ:
        del bounds["connect_timeout"]
    if "PGTARGETSESSIONATTRS" in os.environ:
        del bounds["target_session_attrs"]
    return make_conninfo("", **{**bounds, **given})


def connect(conninfo: str) -> psycopg.Connection[tuple[Any, ...]]:
    """Connect, for the ledger.

    Raises:
        LedgerError: the server cannot be reached.
    """
    try:
        connection = psycopg.connect(bounded(conninfo))
        connection.execute(IDLE_TIMEOUT)
        connection.execute(_SYNCHRONOUS)
        connection.commit()
    except psycopg.Error as error:
        reason = type(error).__name__
    else:
        return connection
    # Not from the error above, whose text may hold what the connection string holds.
    raise LedgerError(f"the ledger's PostgreSQL cannot be reached ({reason})")

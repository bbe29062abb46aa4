"""What ails the PostgreSQL of orders, in words that say what it means for the money."""

from __future__ import annotations

import psycopg
from psycopg import errors as pg_errors
from psycopg.pq import ConnStatus

from dgspay.checkout.errors import OrdersError
from dgspay.postgres.refusals import ServerRefusal

LOCK_SECONDS = 10.0
"""How long a row that another process has locked is waited for."""

_UNSENT = "What is not on its disk was not sent"
_FAULTS: tuple[tuple[type[psycopg.Error], str], ...] = (
    (pg_errors.LockNotAvailable, f"has kept an order locked for {LOCK_SECONDS:g} s. Try again"),
    (pg_errors.DiskFull, "has a full disk. Make room, and try again"),
    (pg_errors.ReadOnlySqlTransaction, "cannot write: it is a standby, or was made read-only"),
    (
        pg_errors.InsufficientPrivilege,
        "does not let this role make or change the tables of orders. GRANT it what it needs",
    ),
)


class ServerRefusedError(OrdersError):
    """PostgreSQL could not be connected to.

    Attributes:
        passes: Whether it may accept a connection later, so that waiting is worthwhile.
    """

    def __init__(self, refusal: ServerRefusal) -> None:
        super().__init__(f"the orders' PostgreSQL {refusal.message}. {_UNSENT}")
        self.passes = refusal.passes


def fault_of(error: psycopg.Error) -> OrdersError:
    """Return the error to raise, without the server's own text: it may show what was written."""
    for kind, words in _FAULTS:
        if isinstance(error, kind):
            return OrdersError(f"the orders' PostgreSQL {words}. {_UNSENT}")
    name = f"{type(error).__name__} {error.sqlstate or ''}".strip()
    return OrdersError(f"the orders' PostgreSQL failed ({name}). {_UNSENT}")


def is_lost(connection: psycopg.Connection[object], error: psycopg.Error) -> bool:
    """Whether another connection may do better."""
    if isinstance(error, pg_errors.ReadOnlySqlTransaction):
        return True
    return connection.closed or connection.pgconn.status is ConnStatus.BAD

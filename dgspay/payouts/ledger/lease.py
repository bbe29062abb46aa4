"""The right to run a batch, kept in the database for half a minute after its holder died.

A lock of the server's would last as long as the server takes a dead machine's connection for a
living one, which may be hours, and behind a pooler it would belong to another session. The time is
the server's alone. Who overslept it loses nothing but the batch: chunks are fenced by themselves.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import TypeVar

from dgspay.payouts.errors import BatchBusyError, LedgerError
from dgspay.payouts.ledger.sql_batches import Database

T = TypeVar("T")
Ask = Callable[[Callable[[Database], T]], T]

LEASE_SECONDS = 30
_RENEWED_EVERY = 8.0

TABLE = """
CREATE TABLE IF NOT EXISTS dgspay_payout_runs (
    name text PRIMARY KEY,
    holder text NOT NULL,
    until timestamptz NOT NULL
)
"""

# One that ends later than any could that was taken now is of a clock that was wrong.
_TAKE = """
    INSERT INTO dgspay_payout_runs AS held (name, holder, until)
    VALUES (?, ?, clock_timestamp() + make_interval(secs => ?))
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
    WHERE held.holder = excluded.holder OR held.until < clock_timestamp()
    OR held.until > clock_timestamp() + make_interval(secs => ?)
"""


@contextmanager
def lease(ask: Ask[int], name: str, every: float = _RENEWED_EVERY) -> Generator[None]:
    """Hold the right to run a batch, renewed by a thread of its own.

    Args:
        ask: Does something in a transaction of the ledger.
        name: Name of the batch.
        every: Seconds between two renewals.

    Raises:
        BatchBusyError: another process holds it.
        LedgerError: the server cannot be reached.
    """
    holder = secrets.token_hex(8)

    def take(database: Database) -> int:
        return database.change(_TAKE, (name, holder, LEASE_SECONDS, 2 * LEASE_SECONDS))

    if not ask(take):
        raise BatchBusyError(
            f"batch {name!r} is being run by another process at this moment, or was until its "
            f"machine stopped less than {LEASE_SECONDS} s ago. This one sends nothing"
        )
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(every):
            # The server may be away for a while; what is sent meanwhile is fenced by itself.
            with suppress(LedgerError):
                ask(take)

    renewing = threading.Thread(target=renew, name="dgspay-payout-lease", daemon=True)
    renewing.start()
    try:
        yield
    finally:
        ended.set()
        renewing.join()
        with suppress(LedgerError):
            ask(
                lambda database: database.change(
                    "DELETE FROM dgspay_payout_runs WHERE name = ? AND holder = ?", (name, holder)
                )
            )

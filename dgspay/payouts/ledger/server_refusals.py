"""The error of a ledger whose PostgreSQL cannot be connected to."""

from __future__ import annotations

from dgspay.payouts.errors import LedgerError
from dgspay.postgres.refusals import ServerRefusal


class ServerRefusedError(LedgerError):
    """PostgreSQL could not be connected to.

    Attributes:
        passes: Whether it may accept a connection later, so that waiting is worthwhile.
    """

    def __init__(self, refusal: ServerRefusal) -> None:
        super().__init__(
            f"the ledger's PostgreSQL {refusal.message}. What is not in the ledger is not sent"
        )
        self.passes = refusal.passes

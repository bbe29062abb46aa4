"""The ledger: money's truth, one row per payout, written before a byte leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dgspay import _lazy
from dgspay.payouts.ledger.protocol import Counts, FencedError, Ledger, PausedError

if TYPE_CHECKING:
    from dgspay.payouts.ledger.postgres import PostgresLedger
    from dgspay.payouts.ledger.sqlite import SqliteLedger

__all__ = ["Counts", "FencedError", "Ledger", "PausedError", "PostgresLedger", "SqliteLedger"]

__getattr__ = _lazy.attach(__name__, {"postgres": "PostgresLedger", "sqlite": "SqliteLedger"})

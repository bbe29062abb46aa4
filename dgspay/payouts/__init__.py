"""Bulk payouts that survive anything and never pay twice.

    with SqliteLedger("payouts.sqlite3") as ledger:
        async with AsyncDGSPay.from_env() as dgs, open_job(dgs, ledger, "salaries.csv") as job:
            (await job.preflight(fee=100)).require_good()
            summary = await job.run()

The truth about money is a ledger of our own, one row per payout; an engine only decides which
process works on which rows. A row is on disk as in doubt before its first byte leaves, under a
key that follows from batch and row. A row whose answer was lost is held until its webhook, a
look-up or a person settles it; it is sent again only where the client trusts DGS-Pay's
idempotency (`RetryPolicy(trust_idempotency=True)`).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dgspay.payouts.batch import Batch, Chunk, Terms
    from dgspay.payouts.engines import ChunkRef, Engine
    from dgspay.payouts.engines.local import LocalEngine
    from dgspay.payouts.engines.pgqueuer import PgQueuerEngine
    from dgspay.payouts.evidence import Evidence, Finding, Witness
    from dgspay.payouts.faults import (
        BatchBusyError,
        BatchChangedError,
        LedgerError,
        PreflightError,
        RowFault,
        RowsInvalidError,
        UnknownBatchError,
    )
    from dgspay.payouts.job import ChunkPayer, Job, Summary, check_rows, open_job, run_payouts
    from dgspay.payouts.ledger import Counts, Ledger
    from dgspay.payouts.ledger.postgres import PostgresLedger
    from dgspay.payouts.ledger.sqlite import SqliteLedger
    from dgspay.payouts.pace import Limits, Pace
    from dgspay.payouts.payout import Payout, Record, State
    from dgspay.payouts.preflight import Preflight
    from dgspay.payouts.runner import Runner, Stop
    from dgspay.payouts.settling import LookUps, Settler
    from dgspay.payouts.survey import Survey
    from dgspay.payouts.webhooks import PayoutWebhooks

_HOME = {
    "batch": "Batch Chunk Terms",
    "engines": "ChunkRef Engine",
    "engines.local": "LocalEngine",
    "engines.pgqueuer": "PgQueuerEngine",
    "evidence": "Evidence Finding Witness",
    "faults": (
        "BatchBusyError BatchChangedError LedgerError PreflightError RowFault RowsInvalidError "
        "UnknownBatchError"
    ),
    "job": "ChunkPayer Job Summary check_rows open_job run_payouts",
    "ledger": "Counts Ledger",
    "ledger.postgres": "PostgresLedger",
    "ledger.sqlite": "SqliteLedger",
    "pace": "Limits Pace",
    "payout": "Payout Record State",
    "preflight": "Preflight",
    "runner": "Runner Stop",
    "settling": "LookUps Settler",
    "survey": "Survey",
    "webhooks": "PayoutWebhooks",
}
_NAMES = {name: module for module, names in _HOME.items() for name in names.split()}

__all__ = [
    "Batch",
    "BatchBusyError",
    "BatchChangedError",
    "Chunk",
    "ChunkPayer",
    "ChunkRef",
    "Counts",
    "Engine",
    "Evidence",
    "Finding",
    "Job",
    "Ledger",
    "LedgerError",
    "Limits",
    "LocalEngine",
    "LookUps",
    "Pace",
    "Payout",
    "PayoutWebhooks",
    "PgQueuerEngine",
    "PostgresLedger",
    "Preflight",
    "PreflightError",
    "Record",
    "RowFault",
    "RowsInvalidError",
    "Runner",
    "Settler",
    "SqliteLedger",
    "State",
    "Stop",
    "Summary",
    "Survey",
    "Terms",
    "UnknownBatchError",
    "Witness",
    "check_rows",
    "open_job",
    "run_payouts",
]


def __getattr__(name: str) -> Any:
    """Load a name when it is first asked for."""
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)

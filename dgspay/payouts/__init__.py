"""Bulk payouts that survive anything and never pay twice.

    with DGSPay.from_env() as dgs, SqliteLedger("payouts.sqlite3") as ledger:
        payouts = Payouts(dgs, ledger)
        summary = payouts.run("salaries.csv", fee=100)
        payouts.report("salaries", "salaries.html")

`AsyncPayouts` has the same methods for `await`: check, run, status, report, reconcile, resolve.

The truth about money is a ledger of our own, one row per payout; an engine only decides which
process works on which rows. A row is on disk as in doubt before its first byte leaves, under a
key that follows from batch and row. A row whose answer was lost is held until its webhook, a
look-up or a person settles it; it is sent again only where the client trusts DGS-Pay's
idempotency (`RetryPolicy(trust_idempotency=True)`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dgspay import _lazy

if TYPE_CHECKING:
    from dgspay.payouts.batch import CHUNK_ROWS, REPEAT_DAYS, Batch, Chunk, Terms
    from dgspay.payouts.blocking import Payouts, run_payouts
    from dgspay.payouts.books import REPORT_FORMS, Status
    from dgspay.payouts.chunks import ChunkPayer
    from dgspay.payouts.desk import AsyncPayouts
    from dgspay.payouts.engines import ChunkRef, Engine
    from dgspay.payouts.engines.local import LocalEngine
    from dgspay.payouts.engines.pgqueuer import PgQueuerEngine
    from dgspay.payouts.evidence import Evidence, Finding, Witness
    from dgspay.payouts.faults import (
        BatchBusyError,
        BatchChangedError,
        LedgerBrokenError,
        LedgerError,
        NotInDoubtError,
        PreflightError,
        RowFault,
        RowsInvalidError,
        UnknownBatchError,
        UnknownPayoutError,
        WentBackError,
    )
    from dgspay.payouts.job import Job, Summary, open_job
    from dgspay.payouts.ledger import Counts, Ledger
    from dgspay.payouts.ledger.copies import (
        RestoredLedger,
        backup_ledger,
        confirm_compared,
        hold_ledger,
        restore_ledger,
    )
    from dgspay.payouts.ledger.postgres import PostgresLedger
    from dgspay.payouts.ledger.sqlite import SqliteLedger
    from dgspay.payouts.loading import check_rows
    from dgspay.payouts.pace import Limits, Pace
    from dgspay.payouts.payout import UNSETTLED, Payout, Record, State
    from dgspay.payouts.preflight import Preflight, parse_fee
    from dgspay.payouts.reconciling import Difference, Kind
    from dgspay.payouts.repeats import Overlap
    from dgspay.payouts.report import Report
    from dgspay.payouts.row import COLUMNS
    from dgspay.payouts.rows import Source
    from dgspay.payouts.runner import OnResult, Runner, Stop
    from dgspay.payouts.settling import LookUps, Settler
    from dgspay.payouts.survey import Survey
    from dgspay.payouts.webhooks import UNKNOWN_PAYOUT, PayoutWebhooks
    from dgspay.payouts.witnesses import DisbursementEvent

_HOME = {
    "batch": "CHUNK_ROWS REPEAT_DAYS Batch Chunk Terms",
    "chunks": "ChunkPayer",
    "books": "REPORT_FORMS Status",
    "blocking": "Payouts run_payouts",
    "desk": "AsyncPayouts",
    "engines": "ChunkRef Engine",
    "engines.local": "LocalEngine",
    "engines.pgqueuer": "PgQueuerEngine",
    "evidence": "Evidence Finding Witness",
    "faults": (
        "BatchBusyError BatchChangedError LedgerBrokenError LedgerError NotInDoubtError "
        "PreflightError RowFault RowsInvalidError UnknownBatchError UnknownPayoutError "
        "WentBackError"
    ),
    "job": "Job Summary open_job",
    "loading": "check_rows",
    "ledger": "Counts Ledger",
    "ledger.copies": ("RestoredLedger backup_ledger confirm_compared hold_ledger restore_ledger"),
    "ledger.postgres": "PostgresLedger",
    "ledger.sqlite": "SqliteLedger",
    "pace": "Limits Pace",
    "payout": "UNSETTLED Payout Record State",
    "preflight": "Preflight parse_fee",
    "reconciling": "Difference Kind",
    "repeats": "Overlap",
    "report": "Report",
    "row": "COLUMNS",
    "rows": "Source",
    "runner": "OnResult Runner Stop",
    "settling": "LookUps Settler",
    "survey": "Survey",
    "webhooks": "UNKNOWN_PAYOUT PayoutWebhooks",
    "witnesses": "DisbursementEvent",
}

__all__ = [
    "CHUNK_ROWS",
    "COLUMNS",
    "REPEAT_DAYS",
    "REPORT_FORMS",
    "UNKNOWN_PAYOUT",
    "UNSETTLED",
    "AsyncPayouts",
    "Batch",
    "BatchBusyError",
    "BatchChangedError",
    "Chunk",
    "ChunkPayer",
    "ChunkRef",
    "Counts",
    "Difference",
    "DisbursementEvent",
    "Engine",
    "Evidence",
    "Finding",
    "Job",
    "Kind",
    "Ledger",
    "LedgerBrokenError",
    "LedgerError",
    "Limits",
    "LocalEngine",
    "LookUps",
    "NotInDoubtError",
    "OnResult",
    "Overlap",
    "Pace",
    "Payout",
    "PayoutWebhooks",
    "Payouts",
    "PgQueuerEngine",
    "PostgresLedger",
    "Preflight",
    "PreflightError",
    "Record",
    "Report",
    "RestoredLedger",
    "RowFault",
    "RowsInvalidError",
    "Runner",
    "Settler",
    "Source",
    "SqliteLedger",
    "State",
    "Status",
    "Stop",
    "Summary",
    "Survey",
    "Terms",
    "UnknownBatchError",
    "UnknownPayoutError",
    "WentBackError",
    "Witness",
    "backup_ledger",
    "check_rows",
    "confirm_compared",
    "hold_ledger",
    "open_job",
    "parse_fee",
    "restore_ledger",
    "run_payouts",
]


__getattr__ = _lazy.attach(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted(__all__)

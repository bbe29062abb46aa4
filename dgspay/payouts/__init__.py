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
    from dgspay.payouts.amount_limits import (
        PUBLISHED_LIMITS,
        AmountLimit,
        AmountLimits,
        LimitWatch,
        read_amount_limits,
    )
    from dgspay.payouts.approval.approving import APPROVAL_DAYS
    from dgspay.payouts.approval.judgement import Approvals
    from dgspay.payouts.approval.key_files import create_key, load_key, public_key_in
    from dgspay.payouts.approval.policy import Policy, PolicyState
    from dgspay.payouts.approval.signing import PublicKey, Signer
    from dgspay.payouts.blocking import Payouts
    from dgspay.payouts.errors import (
        BatchBusyError,
        BatchChangedError,
        BatchClosedError,
        BatchPausedError,
        HeadingsError,
        LedgerBrokenError,
        LedgerError,
        NotApprovedError,
        NotCancelledError,
        NotInDoubtError,
        PreflightError,
        RowFault,
        RowsInvalidError,
        UnknownBatchError,
        UnknownPayoutError,
        WentBackError,
    )
    from dgspay.payouts.gauges import PayoutGauges
    from dgspay.payouts.ledger import Counts, Ledger
    from dgspay.payouts.ledger.backups import (
        RestoredLedger,
        backup_ledger,
        confirm_compared,
        hold_ledger,
        restore_ledger,
    )
    from dgspay.payouts.ledger.postgres import PostgresLedger
    from dgspay.payouts.ledger.sqlite import SqliteLedger
    from dgspay.payouts.model.audit_log import AuditLine, FaultKind, LogFault
    from dgspay.payouts.model.batch import CHUNK_ROWS, REPEAT_DAYS, Batch, Chunk, Terms
    from dgspay.payouts.model.evidence import DisbursementEvent
    from dgspay.payouts.model.payout import UNSETTLED, Payout, Record, State
    from dgspay.payouts.model.permissions import Permission
    from dgspay.payouts.model.repeats import Overlap
    from dgspay.payouts.model.transitions import Evidence, Learned, Source
    from dgspay.payouts.payouts import AsyncPayouts
    from dgspay.payouts.preflight import Preflight, parse_fee
    from dgspay.payouts.report.marked_sheet import mark_faults
    from dgspay.payouts.report.summary import Report
    from dgspay.payouts.run.chunk_payer import ChunkPayer
    from dgspay.payouts.run.chunk_runner import OnResult, Runner, Stop
    from dgspay.payouts.run.engines import ChunkRef, Engine
    from dgspay.payouts.run.engines.local import LocalEngine
    from dgspay.payouts.run.engines.pgqueuer import PgQueuerEngine
    from dgspay.payouts.run.job import Job, JobOptions, Summary, open_job
    from dgspay.payouts.run.limits import Limits
    from dgspay.payouts.run.loading import check_rows
    from dgspay.payouts.run.pacing import Pace
    from dgspay.payouts.settle.look_ups import LookUps, Settler
    from dgspay.payouts.settle.portal_export import EXPORT_COLUMNS, ExportedEnd, ExportedEnds
    from dgspay.payouts.settle.reconciliation import Difference, Kind
    from dgspay.payouts.settle.webhooks import UNKNOWN_PAYOUT, PayoutWebhooks
    from dgspay.payouts.sheet.file import SheetFile
    from dgspay.payouts.sheet.reader import RowSource
    from dgspay.payouts.sheet.row import COLUMNS
    from dgspay.payouts.sheet.summary import SheetSummary
    from dgspay.payouts.status import REPORT_FORMS, Status

_HOME = {
    "amount_limits": ("AmountLimit AmountLimits LimitWatch PUBLISHED_LIMITS read_amount_limits"),
    "approval.approving": "APPROVAL_DAYS",
    "approval.judgement": "Approvals",
    "approval.key_files": "create_key load_key public_key_in",
    "approval.policy": "Policy PolicyState",
    "approval.signing": "PublicKey Signer",
    "model.audit_log": "AuditLine FaultKind LogFault",
    "model.batch": "CHUNK_ROWS REPEAT_DAYS Batch Chunk Terms",
    "run.chunk_payer": "ChunkPayer",
    "status": "REPORT_FORMS Status",
    "blocking": "Payouts",
    "payouts": "AsyncPayouts",
    "run.engines": "ChunkRef Engine",
    "run.engines.local": "LocalEngine",
    "run.engines.pgqueuer": "PgQueuerEngine",
    "model.transitions": "Evidence Learned Source",
    "errors": (
        "BatchBusyError BatchChangedError BatchClosedError BatchPausedError HeadingsError "
        "LedgerBrokenError LedgerError NotApprovedError NotCancelledError NotInDoubtError "
        "PreflightError RowFault RowsInvalidError UnknownBatchError UnknownPayoutError "
        "WentBackError"
    ),
    "gauges": "PayoutGauges",
    "run.job": "Job JobOptions Summary open_job",
    "run.loading": "check_rows",
    "ledger": "Counts Ledger",
    "ledger.backups": ("RestoredLedger backup_ledger confirm_compared hold_ledger restore_ledger"),
    "ledger.postgres": "PostgresLedger",
    "ledger.sqlite": "SqliteLedger",
    "run.limits": "Limits",
    "run.pacing": "Pace",
    "model.payout": "UNSETTLED Payout Record State",
    "preflight": "Preflight parse_fee",
    "settle.portal_export": "EXPORT_COLUMNS ExportedEnd ExportedEnds",
    "settle.reconciliation": "Difference Kind",
    "model.permissions": "Permission",
    "model.repeats": "Overlap",
    "report.marked_sheet": "mark_faults",
    "report.summary": "Report",
    "sheet.row": "COLUMNS",
    "sheet.file": "SheetFile",
    "sheet.reader": "RowSource",
    "run.chunk_runner": "OnResult Runner Stop",
    "settle.look_ups": "LookUps Settler",
    "sheet.summary": "SheetSummary",
    "settle.webhooks": "UNKNOWN_PAYOUT PayoutWebhooks",
    "model.evidence": "DisbursementEvent",
}

__all__ = [
    "APPROVAL_DAYS",
    "CHUNK_ROWS",
    "COLUMNS",
    "EXPORT_COLUMNS",
    "PUBLISHED_LIMITS",
    "REPEAT_DAYS",
    "REPORT_FORMS",
    "UNKNOWN_PAYOUT",
    "UNSETTLED",
    "AmountLimit",
    "AmountLimits",
    "Approvals",
    "AsyncPayouts",
    "AuditLine",
    "Batch",
    "BatchBusyError",
    "BatchChangedError",
    "BatchClosedError",
    "BatchPausedError",
    "Chunk",
    "ChunkPayer",
    "ChunkRef",
    "Counts",
    "Difference",
    "DisbursementEvent",
    "Engine",
    "Evidence",
    "ExportedEnd",
    "ExportedEnds",
    "FaultKind",
    "HeadingsError",
    "Job",
    "JobOptions",
    "Kind",
    "Learned",
    "Ledger",
    "LedgerBrokenError",
    "LedgerError",
    "LimitWatch",
    "Limits",
    "LocalEngine",
    "LogFault",
    "LookUps",
    "NotApprovedError",
    "NotCancelledError",
    "NotInDoubtError",
    "OnResult",
    "Overlap",
    "Pace",
    "Payout",
    "PayoutGauges",
    "PayoutWebhooks",
    "Payouts",
    "Permission",
    "PgQueuerEngine",
    "Policy",
    "PolicyState",
    "PostgresLedger",
    "Preflight",
    "PreflightError",
    "PublicKey",
    "Record",
    "Report",
    "RestoredLedger",
    "RowFault",
    "RowSource",
    "RowsInvalidError",
    "Runner",
    "Settler",
    "SheetFile",
    "SheetSummary",
    "Signer",
    "Source",
    "SqliteLedger",
    "State",
    "Status",
    "Stop",
    "Summary",
    "Terms",
    "UnknownBatchError",
    "UnknownPayoutError",
    "WentBackError",
    "backup_ledger",
    "check_rows",
    "confirm_compared",
    "create_key",
    "hold_ledger",
    "load_key",
    "mark_faults",
    "open_job",
    "parse_fee",
    "public_key_in",
    "read_amount_limits",
    "restore_ledger",
]


__getattr__ = _lazy.attach(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted(__all__)

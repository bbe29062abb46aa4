"""`dgspay payouts`: pay a sheet of people once each, and report what became of each payout."""

from __future__ import annotations

import typer

from dgspay.cli.payouts.approve import approve
from dgspay.cli.payouts.cancel import batches, cancel, close
from dgspay.cli.payouts.check import check
from dgspay.cli.payouts.copies import backup, restore
from dgspay.cli.payouts.display import EXIT_CODES
from dgspay.cli.payouts.keys import key
from dgspay.cli.payouts.listen import listen
from dgspay.cli.payouts.log import log
from dgspay.cli.payouts.pause import pause, resume
from dgspay.cli.payouts.policy import policy
from dgspay.cli.payouts.prepare import prepare
from dgspay.cli.payouts.reconcile import reconcile
from dgspay.cli.payouts.report import report
from dgspay.cli.payouts.resolve import resolve
from dgspay.cli.payouts.results import results
from dgspay.cli.payouts.run import run
from dgspay.cli.payouts.status import status
from dgspay.cli.payouts.work import work

__all__ = ["payouts"]

payouts = typer.Typer(
    no_args_is_help=True,
    help="Pay many people from a CSV file or a workbook, and none of them twice.",
    epilog=EXIT_CODES,
)
_ABOUT_ALL_ROWS = (check, run, work, status)
_OTHERS = (
    prepare,
    approve,
    key,
    listen,
    resolve,
    cancel,
    pause,
    resume,
    close,
    batches,
    report,
    results,
    reconcile,
    log,
    backup,
    restore,
)
for command in (*_ABOUT_ALL_ROWS, *_OTHERS):
    payouts.command(epilog=EXIT_CODES if command in _ABOUT_ALL_ROWS else None)(command)
payouts.add_typer(policy, name="policy")

"""`dgspay payouts`: pay a sheet of people, survive anything, and know what became of each."""

from __future__ import annotations

import typer

from dgspay.cli.payouts.check import check
from dgspay.cli.payouts.listen import listen
from dgspay.cli.payouts.report import reconcile_command, report
from dgspay.cli.payouts.run import run
from dgspay.cli.payouts.settle import resolve
from dgspay.cli.payouts.status import status
from dgspay.cli.payouts.work import work

__all__ = ["payouts"]

payouts = typer.Typer(
    no_args_is_help=True,
    help="Pay many people from a CSV file, and never anybody twice.",
    epilog=(
        "\b\nExit codes of run, status and work:\n"
        "  0    every payout is confirmed, or accepted and waiting for its webhook\n"
        "  1    some failed, or you said no\n"
        "  2    the rows or the settings are wrong; nothing was sent\n"
        "  4    some are still to be sent: give the same command again\n"
        "  5    it is not known of some whether they were paid: they are held\n"
        "  130  stopped with Ctrl-C or SIGTERM; give the same command again"
    ),
)
for command in (check, run, work, status, listen, resolve, report):
    payouts.command()(command)
payouts.command("reconcile")(reconcile_command)

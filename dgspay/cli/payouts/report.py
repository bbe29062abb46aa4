"""`dgspay payouts report`: write what became of a batch as HTML, CSV or JSON, and payslips."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Annotated

import typer

from dgspay.cli.exit_codes import ExitCode, fail
from dgspay.cli.payouts.ledgers import known_ledger
from dgspay.cli.payouts.options import BatchArgument, LedgerOption
from dgspay.cli.terminal import console, visible
from dgspay.payouts import REPORT_FORMS, Payouts


def report(
    batch: BatchArgument,
    *,
    form: Annotated[
        str | None,
        typer.Option(
            "--format", metavar="FORMAT", help=f"{', '.join(REPORT_FORMS)}; html by default."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Write to a file instead of stdout; one that is there must be a report.",
        ),
    ] = None,
    payslips: Annotated[
        Path | None,
        typer.Option(
            "--payslips",
            metavar="FILE",
            help="Write a CSV with a line for each payout that was paid, to mail them.",
        ),
    ] = None,
    ledger: LedgerOption = None,
) -> None:
    """Write what became of a batch: one HTML page to print on A4, or every row as CSV or JSON.

    The CSV opens in a spreadsheet, and its columns are those of a sheet of payouts. No cell of it
    can act as a formula: text that could be one has an apostrophe in front. Numbers and phones,
    +250788123456 too, are written as they are.
    """
    chosen = form or (out.suffix.removeprefix(".") if out is not None else "html")
    if chosen not in REPORT_FORMS:
        fail(f"The format must be one of {', '.join(REPORT_FORMS)}.")
    with known_ledger(ledger) as opened:
        payouts = Payouts(ledger=opened)
        if payslips is not None:
            _write(payouts, batch, payslips, "payslips")
        if out is not None:
            _write(payouts, batch, out, chosen)
        elif payslips is None:
            if isinstance(sys.stdout, io.TextIOWrapper):
                sys.stdout.reconfigure(encoding="utf-8")
            payouts.report(batch, sys.stdout, form=chosen)


def _write(payouts: Payouts, batch: str, path: Path, form: str) -> None:
    try:
        payouts.report(batch, path, form=form)
    except OSError as error:
        reason = error.strerror
    else:
        console(stderr=True).print(f"Written to {visible(str(path))}", soft_wrap=True)
        return
    fail(f"Cannot write {path}: {reason}.", ExitCode.NO)

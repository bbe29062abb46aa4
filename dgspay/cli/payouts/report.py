"""`dgspay payouts report`: write what became of a batch as HTML, CSV or JSON."""

from __future__ import annotations

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
        Path | None, typer.Option("--out", "-o", help="Write to a file instead of stdout.")
    ] = None,
    ledger: LedgerOption = None,
) -> None:
    """Write what became of a batch: one HTML page to print, or every row as CSV or JSON.

    No cell of the CSV can act as a formula in a spreadsheet: text that could be one has an
    apostrophe in front. Numbers and phones, +250788123456 too, are written as they are.
    """
    chosen = form or (out.suffix.removeprefix(".") if out is not None else "html")
    if chosen not in REPORT_FORMS:
        fail(f"The format must be one of {', '.join(REPORT_FORMS)}.")
    with known_ledger(ledger) as opened:
        payouts = Payouts(ledger=opened)
        if out is None:
            payouts.report(batch, sys.stdout, form=chosen)
            return
        try:
            payouts.report(batch, out, form=chosen)
        except OSError as error:
            reason = error.strerror
        else:
            console(stderr=True).print(f"Written to {visible(str(out))}", soft_wrap=True)
            return
    fail(f"Cannot write {out}: {reason}.", ExitCode.NO)

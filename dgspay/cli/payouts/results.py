"""`dgspay payouts results`: give a sheet back with what became of each of its rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dgspay.cli.exit_codes import ExitCode, fail
from dgspay.cli.options import BaseUrlOption, EnvironmentOption
from dgspay.cli.payouts.ledgers import known_ledger
from dgspay.cli.payouts.options import (
    BankOption,
    BatchOption,
    LedgerOption,
    MapOption,
    PeriodOption,
    SheetArgument,
    SheetOption,
    mapping_of,
    source_of,
)
from dgspay.cli.terminal import console, visible
from dgspay.payouts import Payouts


def results(
    file: SheetArgument,
    *,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="OUT.xlsx", help="The workbook to write: a new file."),
    ],
    only_failed: Annotated[
        bool,
        typer.Option(
            "--only-failed",
            help="Only the rows that failed, to be corrected and paid as a batch of another name.",
        ),
    ] = False,
    sheet: SheetOption = None,
    batch: BatchOption = None,
    ledger: LedgerOption = None,
    mapping: MapOption = None,
    bank: BankOption = None,
    period: PeriodOption = None,
    environment: EnvironmentOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """Write FILE once more as a workbook, with columns that say what became of each row.

    Give it the options that `run` was given. An .xlsx keeps its formats and its other sheets; FILE
    itself is not touched. Nothing is asked and nothing is sent: the ledger knows it.
    """
    source = source_of(file, sheet, bank)
    with known_ledger(ledger, environment, base_url) as opened:
        try:
            marked = Payouts(ledger=opened).results(
                source,
                out,
                batch=batch,
                period=period,
                mapping=mapping_of(mapping),
                only_failed=only_failed,
            )
        except OSError as error:
            reason = error.strerror
        else:
            if not marked:
                console().print("No payout of it failed, and nothing was written.")
                return
            words = f"{marked:,} rows written to {visible(str(out))}."
            console().print(words, soft_wrap=True)
            return
    fail(f"Cannot write {out}: {reason}.", ExitCode.NO)

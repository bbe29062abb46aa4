"""`dgspay payouts report` and `reconcile`: what became of a batch, and whether DGS-Pay agrees."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import Annotated, TextIO

import anyio
import typer

from dgspay.cli.exits import ExitCode, fail
from dgspay.cli.payouts.options import (
    AnyLedger,
    BatchArgument,
    LedgerOption,
    client,
    opened_ledger,
)
from dgspay.cli.session import BaseUrlOption, EnvironmentOption
from dgspay.cli.terminal import console, visible
from dgspay.payouts import Batch
from dgspay.payouts.reconciling import Difference, reconcile
from dgspay.payouts.report import write_csv, write_json
from dgspay.payouts.report_page import write_page

FORMATS = ("html", "csv", "json")


def report(
    batch: BatchArgument,
    *,
    form: Annotated[
        str | None,
        typer.Option("--format", metavar="FORMAT", help=f"{', '.join(FORMATS)}; html by default."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write to a file instead of stdout.")
    ] = None,
    ledger: LedgerOption = None,
) -> None:
    """Write what became of a batch: one HTML page to print, or every row as CSV or JSON."""
    chosen = form or (out.suffix.removeprefix(".") if out is not None else "html")
    if chosen not in FORMATS:
        fail(f"The format must be one of {', '.join(FORMATS)}.")
    with opened_ledger(ledger) as opened:
        found = opened.require_batch(batch)
        if out is None:
            _write(chosen, opened, found, sys.stdout)
            return
        try:
            with out.open("w", encoding="utf-8", newline="") as file:
                _write(chosen, opened, found, file)
        except OSError as error:
            reason = error.strerror
        else:
            console(stderr=True).print(f"Written to {visible(str(out))}", soft_wrap=True)
            return
    fail(f"Cannot write {out}: {reason}.")


def _write(form: str, ledger: AnyLedger, batch: Batch, file: TextIO) -> None:
    match form:
        case "csv":
            write_csv(ledger, batch, file)
        case "json":
            write_json(ledger, batch, file)
        case _:
            write_page(ledger, batch, file, now=dt.datetime.now().astimezone())


def reconcile_command(
    batch: BatchArgument,
    *,
    ledger: LedgerOption = None,
    environment: EnvironmentOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """Hold the ledger against DGS-Pay's transactions, and name every difference.

    It only reads. Exit code 1 when there are differences.
    """
    with opened_ledger(ledger) as opened:
        found = opened.require_batch(batch)
        differences = anyio.run(_reconcile, opened, found, environment, base_url)
    if differences:
        console(stderr=True).print(f"{differences:,} differences.", style="bold red")
        raise typer.Exit(ExitCode.NO)
    console().print("The ledger and DGS-Pay agree.", style="green")


async def _reconcile(
    ledger: AnyLedger, batch: Batch, environment: str | None, base_url: str | None
) -> int:
    count = 0
    async with client(environment, base_url) as dgs:
        async for difference in reconcile(dgs, ledger, batch):
            count += 1
            _tell(difference)
    return count


def _tell(difference: Difference) -> None:
    words = (difference.reference, difference.dgs_reference or "-", difference.what)
    console().print("  ".join(visible(word) for word in words), soft_wrap=True)

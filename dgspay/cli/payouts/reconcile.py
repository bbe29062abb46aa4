"""`dgspay payouts reconcile`: list every difference between the ledger and DGS-Pay."""

from __future__ import annotations

import typer

from dgspay.cli.exit_codes import ExitCode
from dgspay.cli.options import BaseUrlOption, CsvOption, EnvironmentOption, JsonOption
from dgspay.cli.output import one_form, write_csv, write_json_rows
from dgspay.cli.payouts.ledgers import known_ledger
from dgspay.cli.payouts.options import (
    BatchArgument,
    ConcurrencyOption,
    LedgerOption,
    RateOption,
    TransportOption,
)
from dgspay.cli.payouts.setup import ClientOptions
from dgspay.cli.terminal import console, visible
from dgspay.payouts import AsyncPayouts, Difference, Pace

_COLUMNS = ("reference", "dgs_reference", "kind", "what")


def reconcile(
    batch: BatchArgument,
    *,
    ledger: LedgerOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    concurrency: ConcurrencyOption = 16,
    rate: RateOption = None,
    transport: TransportOption = None,
    environment: EnvironmentOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """Compare the ledger with DGS-Pay's transactions, and list every difference.

    It only reads. What the transaction list lacks is looked up one by one, at most --rate a
    second. Exit code 0 when both agree, 1 when there are differences.
    """
    one_form(as_json=as_json, as_csv=as_csv)
    pace = Pace(concurrency=concurrency, per_second=rate)
    account = ClientOptions(environment=environment, base_url=base_url, transport=transport)

    async def collect(payouts: AsyncPayouts) -> list[Difference]:
        return [found async for found in payouts.reconcile(batch, pace=pace)]

    with known_ledger(ledger, environment, base_url) as opened:
        found = account.run(collect, ledger=opened)
    if as_json:
        write_json_rows(found)
    elif as_csv:
        write_csv(found, _COLUMNS)
    else:
        _tell(found)
    if found:
        raise typer.Exit(ExitCode.NO)


def _tell(differences: list[Difference]) -> None:
    """List the differences under their kinds."""
    out = console()
    if not differences:
        out.print("The ledger and DGS-Pay agree.", style="green")
        return
    for kind in dict.fromkeys(difference.kind for difference in differences):
        alike = [difference for difference in differences if difference.kind is kind]
        out.print(f"{kind.value[0].upper()}{kind.value[1:]}: {len(alike):,}", style="bold")
        for difference in alike:
            names = (difference.reference or "-", difference.dgs_reference or "-")
            words = "  ".join(visible(word) for word in (*names, difference.what))
            out.print(f"  {words}", soft_wrap=True)
    err = console(stderr=True)
    err.print(f"{len(differences):,} differences.", style="bold red")
    err.print("No difference proves that a payout was not made: pay none of them again for it.")

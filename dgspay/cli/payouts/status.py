"""`dgspay payouts status`: where a batch stands, and which rows somebody must look at."""

from __future__ import annotations

from typing import Annotated

import typer

from dgspay.cli.interruption import stop_signals
from dgspay.cli.output import write_json
from dgspay.cli.payouts.options import AnyLedger, BatchArgument, LedgerOption, opened_ledger
from dgspay.cli.payouts.shown import exit_code, tell_counts
from dgspay.cli.session import JsonOption
from dgspay.cli.tables import Column, print_table
from dgspay.cli.terminal import console, shown, visible
from dgspay.payouts import Batch, Record, State, Summary

_DOUBTS_SHOWN = 50


def status(
    batch: BatchArgument,
    *,
    ledger: LedgerOption = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Show it again and again until all is settled.")
    ] = False,
    every: Annotated[float, typer.Option(min=0.1, metavar="SECONDS")] = 2.0,
    as_json: JsonOption = False,
) -> None:
    """Show how many payouts are in each state, and the ones in doubt."""
    with opened_ledger(ledger) as opened, stop_signals() as stopped:
        while True:
            found = opened.require_batch(batch)
            summary = Summary(batch=batch, counts=opened.counts(batch), paused=found.paused)
            if as_json:
                _write(summary, found)
            else:
                _tell(summary, found, opened)
            if not follow or summary.counts.all_settled or stopped.wait(every):
                raise typer.Exit(exit_code(summary))


def _write(summary: Summary, batch: Batch) -> None:
    write_json(
        {
            "batch": batch.name,
            "count": batch.count,
            "total": batch.total,
            "paused": batch.paused,
            "states": {
                state.value: {
                    "count": summary.counts.count(state),
                    "amount": summary.counts.amount(state),
                }
                for state in State
            },
        }
    )


def _tell(summary: Summary, batch: Batch, ledger: AnyLedger) -> None:
    out = console()
    out.print(f"Batch {batch.name}: {batch.count:,} payouts, {batch.total:,} RWF")
    if batch.paused is not None:
        out.print(f"Paused: {visible(batch.paused)}", style="bold yellow")
    tell_counts(summary.counts)
    doubts = ledger.page(batch.name, limit=_DOUBTS_SHOWN, states=(State.HELD, State.IN_DOUBT))
    if not doubts:
        return
    out.print("\nIn doubt:", style="bold yellow")
    tell_records(doubts)
    if summary.in_doubt > len(doubts):
        out.print(f"... and {summary.in_doubt - len(doubts):,} more")


def tell_records(records: list[Record]) -> None:
    """Show payouts, one a line."""
    print_table(
        (
            Column("row", lambda record: visible(record.payout.reference)),
            Column("RWF", lambda record: f"{record.payout.amount:,}", right=True),
            Column("to", lambda record: visible(record.payout.account)),
            Column("name", lambda record: shown(record.payout.name)),
            Column("state", lambda record: str(record.state)),
            Column("DGS-Pay's reference", lambda record: shown(record.dgs_reference)),
            Column("why", lambda record: shown(record.reason)),
        ),
        records,
    )

"""`dgspay payouts status`: where a batch stands, and which rows somebody must look at."""

from __future__ import annotations

from typing import Annotated

import typer

from dgspay.cli.interruption import stop_signals
from dgspay.cli.output import write_json
from dgspay.cli.payouts.options import AnyLedger, BatchArgument, LedgerOption, opened_ledger
from dgspay.cli.payouts.shown import exit_code, tell_counts
from dgspay.cli.session import JsonOption
from dgspay.cli.terminal import console, visible
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
    """Show payouts, each with its reason below it."""
    out = console()
    for record in records:
        payout = record.payout
        known = (payout.account, payout.name, record.state, record.dgs_reference)
        words = [payout.reference, f"{payout.amount:,} RWF", *(str(word) for word in known if word)]
        out.print("  ".join(visible(word) for word in words), soft_wrap=True)
        if record.reason is not None:
            out.print(f"    {visible(record.reason)}", style="dim", soft_wrap=not out.is_terminal)

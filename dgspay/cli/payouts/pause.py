"""`dgspay payouts pause` and `resume`: a person stops a batch wherever it is paid."""

from __future__ import annotations

from typing import Annotated

import typer

from dgspay.cli.payouts.ledgers import known_ledger, place_words
from dgspay.cli.payouts.options import BatchArgument, LedgerOption
from dgspay.cli.terminal import console, visible
from dgspay.payouts import Payouts, State


def pause(
    batch: BatchArgument,
    *,
    note: Annotated[
        str,
        typer.Option(help="Why; who runs it next is shown that, and it stays in the audit log."),
    ],
    ledger: LedgerOption = None,
) -> None:
    """Stop a batch until it is resumed, also while it is being paid elsewhere.

    From then on no row is taken up by any process on any machine. What was taken up before leaves
    within ten seconds or not at all, and what is in flight is finished. It does not ask.
    """
    with known_ledger(ledger) as opened:
        payouts = Payouts(ledger=opened)
        payouts.pause(batch, note=note)
        counts = payouts.status(batch).counts
        place = place_words(opened)
    out, flying = console(), counts.count(State.IN_DOUBT)
    left = counts.count(State.NEW, State.BLOCKED)
    out.print(f"Batch {batch} is paused; {left:,} payouts of it were not sent.")
    if flying:
        out.print(f"{flying:,} are being sent at this moment, and are finished.")
    out.print("To let it go on, before it is run again:")
    out.print(visible(f"  dgspay payouts resume {batch} {place}"), soft_wrap=True)


def resume(
    batch: BatchArgument,
    *,
    note: Annotated[str | None, typer.Option(help="Why; it stays in the audit log.")] = None,
    ledger: LedgerOption = None,
) -> None:
    """Let a batch go on that a person has paused; `dgspay payouts run` sends what is left."""
    with known_ledger(ledger) as opened:
        payouts = Payouts(ledger=opened)
        payouts.resume(batch, note=note)
    console().print(f"Batch {batch} may go on: run it with the command that began it.")

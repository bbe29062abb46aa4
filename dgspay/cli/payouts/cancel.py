"""`dgspay payouts cancel`, `close` and `batches`: what is not to be paid, and what there is."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer

from dgspay.cli.exit_codes import ExitCode
from dgspay.cli.options import JsonOption, ask
from dgspay.cli.output import write_json
from dgspay.cli.payouts.display import words_of
from dgspay.cli.payouts.ledgers import known_ledger
from dgspay.cli.payouts.options import BatchArgument, LedgerOption
from dgspay.cli.tables import Column, print_table
from dgspay.cli.terminal import console, visible
from dgspay.payouts import NotCancelledError, Payouts, State, Status

NoteOption = Annotated[
    str | None, typer.Option(help="Why; it stays in the report and the audit log.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def cancel(
    batch: BatchArgument,
    rows: Annotated[list[str], typer.Argument(metavar="ROW...", help="References of the rows.")],
    *,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take it back; the next run pays them.")
    ] = False,
    note: NoteOption = None,
    ledger: LedgerOption = None,
    yes: YesOption = False,
) -> None:
    """Cancel payouts that were not sent, also while the batch is being paid.

    A cancelled payout is never sent. One that had left is named, and nothing is changed about it;
    exit code 6 then. One that is being sent at this moment is waited for.
    """
    with known_ledger(ledger) as opened:
        payouts = Payouts(ledger=opened)
        for row in rows:
            console().print(words_of(payouts.row(batch, row)), soft_wrap=True)
        if not yes:
            question = "Pay them after all?" if undo else "Cancel these, unless they have left?"
            ask(question, declined="Nothing was changed.")
        left = []
        for row in rows:
            try:
                if undo:
                    record = payouts.reinstate(batch, row, note=note)
                else:
                    record = payouts.cancel(batch, row, note=note)
            except NotCancelledError as error:
                left.append(error.message)
            else:
                console().print(visible(f"{row}: {record.state}"), soft_wrap=True)
    for message in left:
        words = f"{message[0].upper()}{message[1:]}."
        console(stderr=True).print(visible(words), style="red", soft_wrap=True)
    if left:
        raise typer.Exit(ExitCode.PAID_BEFORE)


def close(
    batch: BatchArgument,
    *,
    note: Annotated[str, typer.Option(help="Why; it stays in the report and the audit log.")],
    ledger: LedgerOption = None,
    yes: YesOption = False,
) -> None:
    """Cancel everything of a batch that was not sent, for good.

    What was sent is settled as before, by webhooks, look-ups or `dgspay payouts resolve`.
    """
    with known_ledger(ledger) as opened:
        payouts = Payouts(ledger=opened)
        counts = payouts.status(batch).counts
        unsent = counts.count(State.NEW, State.BLOCKED)
        if not yes:
            ask(f"Cancel the {unsent:,} payouts that are left?", declined="Nothing was changed.")
        cancelled = payouts.close_batch(batch, note=note)
    console().print(f"Batch {batch} is closed; {cancelled:,} payouts were cancelled.")


def batches(*, as_json: JsonOption = False, ledger: LedgerOption = None) -> None:
    """List the batches of the ledger, oldest first, and where each stands."""
    with known_ledger(ledger) as opened:
        found = Payouts(ledger=opened).batches()
    if as_json:
        write_json({"batches": [_record_of(status) for status in found]})
        return
    print_table(
        [
            Column("batch", lambda status: visible(status.batch.name)),
            Column("read", lambda status: _day(status.batch.created_at)),
            Column("payouts", lambda status: f"{status.batch.count:,}", right=True),
            Column("RWF", lambda status: f"{status.batch.total:,}", right=True),
            Column("where it stands", lambda status: visible(_standing(status)), prose=True),
        ],
        found,
    )


def _record_of(status: Status) -> dict[str, object]:
    batch = status.batch
    return {
        "batch": batch.name,
        "period": batch.period,
        "count": batch.count,
        "total": batch.total,
        "created_at": batch.created_at,
        "prepared": batch.prepared_at is not None,
        "confirmed": batch.started,
        "paused": batch.paused,
        "closed": batch.closed,
        "states": {state.value: status.counts.count(state) for state in State},
    }


def _standing(status: Status) -> str:
    batch, counts = status.batch, status.counts
    words = [f"{counts.count(state):,} {state}" for state in State if counts.count(state)]
    if batch.closed is not None:
        words.insert(0, "closed")
    elif not batch.started:
        words.insert(0, "prepared" if batch.is_fixed else "not confirmed")
    if batch.closed is None and batch.paused is not None:
        words.insert(0, "paused by a person" if batch.is_paused_by_a_person else "paused")
    return ", ".join(words)


def _day(unix: float) -> str:
    return f"{dt.datetime.fromtimestamp(unix).astimezone():%Y-%m-%d}"

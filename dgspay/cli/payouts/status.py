"""`dgspay payouts status`: report where a batch stands, and which rows need attention."""

from __future__ import annotations

from typing import Annotated, Any, Self

import typer
from rich.live import Live

from dgspay.cli.options import JsonOption
from dgspay.cli.output import write_json
from dgspay.cli.payouts.display import exit_code, summary_of, tell_status
from dgspay.cli.payouts.ledgers import known_ledger
from dgspay.cli.payouts.options import BatchArgument, LedgerOption
from dgspay.cli.signals import stop_signals
from dgspay.cli.terminal import console
from dgspay.payouts import Payouts, Record, State, Status

_LINES_AROUND = 14
"""What a live display needs beside the rows in doubt, two lines each."""


def status(
    batch: BatchArgument,
    *,
    ledger: LedgerOption = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Keep it up to date until all is settled.")
    ] = False,
    every: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="How often, with --follow.")
    ] = 2.0,
    as_json: JsonOption = False,
) -> None:
    """Show how many payouts are in each state, and the ones in doubt.

    It may be run while the batch is being paid, from another terminal or another machine.
    """
    with known_ledger(ledger) as opened, stop_signals() as stopped:
        payouts = Payouts(ledger=opened)
        found = payouts.status(batch)
        with _Display(as_json=as_json, live=follow) as display:
            display.show(found)
            while follow and not found.counts.all_settled and not stopped.wait(every):
                found = payouts.status(batch)
                display.show(found)
        raise typer.Exit(exit_code(summary_of(found)))


class _Display:
    """Display of a status: updated in place on a terminal, printed on each change elsewhere."""

    def __init__(self, *, as_json: bool, live: bool) -> None:
        out = console()
        self._as_json = as_json
        self._live: Live | None = None
        self._shown: Status | None = None
        if live and not as_json and out.is_terminal and not out.is_dumb_terminal:
            self._room = max((out.height - _LINES_AROUND) // 2, 1)
            self._live = Live(console=out, auto_refresh=False)

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, status: Status) -> None:
        """Show where it stands now."""
        if status == self._shown:
            return
        self._shown = status
        if self._as_json:
            _write(status)
        elif self._live is not None:
            self._live.update(tell_status(status, self._room), refresh=True)
        else:
            console().print(tell_status(status), soft_wrap=not console().is_terminal)


def _write(status: Status) -> None:
    batch = status.batch
    write_json(
        {
            "batch": batch.name,
            "count": batch.count,
            "total": batch.total,
            "paused": batch.paused,
            "states": {
                state.value: {
                    "count": status.counts.count(state),
                    "amount": status.counts.amount(state),
                }
                for state in State
            },
            "in_doubt": [*map(_row, status.in_doubt)],
            "failed": [*map(_row, status.failed)],
        }
    )


def _row(record: Record) -> dict[str, Any]:
    return {
        "reference": record.payout.reference,
        "amount": record.payout.amount,
        "state": record.state.value,
        "dgs_reference": record.dgs_reference,
        "reason": record.reason,
        "contradiction": record.contradiction,
    }

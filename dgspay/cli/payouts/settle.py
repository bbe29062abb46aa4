"""`dgspay payouts resolve`: a person says what became of a payout that is in doubt."""

from __future__ import annotations

from typing import Annotated

import typer

from dgspay.cli.exits import ExitCode, fail
from dgspay.cli.payouts.options import BatchArgument, LedgerOption, known_ledger
from dgspay.cli.payouts.shown import words_of
from dgspay.cli.session import ask
from dgspay.cli.terminal import console
from dgspay.payouts import UNSETTLED, Payouts, Record


def resolve(
    batch: BatchArgument,
    row: Annotated[str, typer.Argument(metavar="ROW", help="The row's own reference.")],
    *,
    paid: Annotated[
        bool | None,
        typer.Option("--paid/--not-paid", help="What you found out about it at DGS-Pay."),
    ] = None,
    note: Annotated[
        str | None, typer.Option(help="Where you know it from; it stays in the report.")
    ] = None,
    ledger: LedgerOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Settle a payout that is held, after you have looked it up in the merchant portal.

    One that was not paid becomes failed. It is not sent again: a new payment to the same
    person belongs into a new batch.
    """
    if paid is None:
        fail("Say --paid or --not-paid.")
    with known_ledger(ledger) as opened:
        payouts = Payouts(ledger=opened)
        record = payouts.row(batch, row)
        _tell(record)
        if record.state not in UNSETTLED:
            fail(f"It is {record.state}, and not in doubt.", ExitCode.NO)
        if not yes:
            ask(f"Note that it was {'' if paid else 'not '}paid?")
        _tell(payouts.resolve(batch, row, paid=paid, note=note))


def _tell(record: Record) -> None:
    console().print(words_of(record), soft_wrap=not console().is_terminal)

"""`dgspay payouts resolve`: record what became of a payout in doubt, or undo that."""

from __future__ import annotations

from typing import Annotated

import typer

from dgspay.cli.exit_codes import ExitCode, fail
from dgspay.cli.options import BaseUrlOption, EnvironmentOption, ask
from dgspay.cli.payouts.display import words_of
from dgspay.cli.payouts.ledgers import known_ledger
from dgspay.cli.payouts.options import BatchArgument, LedgerOption, TransportOption
from dgspay.cli.payouts.setup import ClientOptions
from dgspay.cli.terminal import console
from dgspay.payouts import UNSETTLED, NotInDoubtError, Payouts, Record


def resolve(
    batch: BatchArgument,
    row: Annotated[str, typer.Argument(metavar="ROW", help="The row's own reference.")],
    *,
    paid: Annotated[
        bool | None,
        typer.Option("--paid/--not-paid", help="What DGS-Pay's records say about it."),
    ] = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Undo an earlier resolve; the payout is held again.")
    ] = False,
    note: Annotated[str | None, typer.Option(help="Your source; it stays in the report.")] = None,
    ledger: LedgerOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    transport: TransportOption = None,
    environment: EnvironmentOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """Settle a payout that is held, after you have looked it up in the merchant portal.

    Where DGS-Pay has a reference for it, it is looked up first, and DGS-Pay's status counts; a
    payout that is being sent is waited for. With --not-paid it becomes failed and is not sent
    again: a new payment to the same person belongs in a new batch. --undo reverts a mistake.
    """
    if undo == (paid is not None):
        fail("Give exactly one of --paid, --not-paid and --undo. Nothing was changed.")
    account = ClientOptions(environment=environment, base_url=base_url, transport=transport)
    with known_ledger(ledger, environment, base_url) as opened:
        offline = Payouts(ledger=opened)
        record = offline.row(batch, row)
        _tell(record)
        try:
            if undo:
                _confirm("Undo what was recorded by hand?", yes=yes)
                _tell(offline.withdraw(batch, row, note=note))
                return
            if record.state not in UNSETTLED:
                fail(f"It is {record.state}, not in doubt: nothing was changed.", ExitCode.NO)
            was_paid = bool(paid)
            _confirm(f"Record that it was {'' if was_paid else 'not '}paid?", yes=yes)
            _tell(
                account.run(
                    lambda payouts: payouts.resolve(batch, row, paid=was_paid, note=note),
                    ledger=opened,
                )
                if record.dgs_reference is not None
                else offline.resolve(batch, row, paid=was_paid, note=note)
            )
        except NotInDoubtError as error:
            reason = error.message
        else:
            return
    fail(f"{reason}.", ExitCode.NO)


def _confirm(question: str, *, yes: bool) -> None:
    if not yes:
        ask(question, declined="Nothing was changed.")


def _tell(record: Record) -> None:
    console().print(words_of(record), soft_wrap=not console().is_terminal)

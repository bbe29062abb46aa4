"""`dgspay payouts resolve`: a person says what became of a payout, or takes that back."""

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
        typer.Option("--paid/--not-paid", help="What you found out about it at DGS-Pay."),
    ] = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take back what was said of it; it is held again.")
    ] = False,
    note: Annotated[
        str | None, typer.Option(help="Where you know it from; it stays in the report.")
    ] = None,
    ledger: LedgerOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    transport: TransportOption = None,
    environment: EnvironmentOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """Settle a payout that is held, after you have looked it up in the merchant portal.

    One that DGS-Pay has a name for is looked up first, and its word counts; one that is being
    sent is waited for. One that was not paid becomes failed. It is not sent again: a new payment
    to the same person belongs into a new batch. What you said by mistake --undo takes back.
    """
    if undo == (paid is not None):
        fail("Say one of --paid, --not-paid and --undo.")
    account = ClientOptions(environment=environment, base_url=base_url, transport=transport)
    with known_ledger(ledger, environment, base_url) as opened:
        offline = Payouts(ledger=opened)
        record = offline.row(batch, row)
        _tell(record)
        try:
            if undo:
                _confirm("Take back what a person said of it?", yes=yes)
                _tell(offline.withdraw(batch, row, note=note))
                return
            if record.state not in UNSETTLED:
                fail(f"It is {record.state}, and not in doubt.", ExitCode.NO)
            was_paid = bool(paid)
            _confirm(f"Note that it was {'' if was_paid else 'not '}paid?", yes=yes)
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
        ask(question, declined="Nothing was noted.")


def _tell(record: Record) -> None:
    console().print(words_of(record), soft_wrap=not console().is_terminal)

"""`dgspay payouts resolve`: record what became of a payout in doubt, or undo that."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from dgspay.cli.exit_codes import ExitCode, fail
from dgspay.cli.options import BaseUrlOption, EnvironmentOption, ask
from dgspay.cli.payouts.display import words_of
from dgspay.cli.payouts.ledgers import AnyLedger, known_ledger
from dgspay.cli.payouts.options import (
    BatchArgument,
    LedgerOption,
    MapOption,
    TransportOption,
    mapping_of,
)
from dgspay.cli.payouts.setup import ClientOptions
from dgspay.cli.terminal import console, visible
from dgspay.payouts import UNSETTLED, AsyncPayouts, NotInDoubtError, Payouts, Record


def resolve(
    batch: BatchArgument,
    row: Annotated[
        str | None,
        typer.Argument(metavar="[ROW]", help="The row's own reference; none with --from."),
    ] = None,
    *,
    export: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="Settle every held row by a CSV export of the portal, with a column status "
            "(successful, failed) and a column reference or dgs_reference.",
        ),
    ] = None,
    mapping: MapOption = None,
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
    account = ClientOptions(environment=environment, base_url=base_url, transport=transport)
    if export is not None:
        if row is not None or undo or paid is not None:
            fail("--from is given without a row, --paid, --not-paid and --undo.")
        with known_ledger(ledger, environment, base_url) as opened:
            _resolve_all(opened, batch, export, mapping_of(mapping), account, note=note, yes=yes)
        return
    if row is None:
        fail("Name the row, or give --from with an export of the portal. Nothing was changed.")
    if undo == (paid is not None):
        fail("Give exactly one of --paid, --not-paid and --undo. Nothing was changed.")
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


def _resolve_all(
    ledger: AnyLedger,
    batch: str,
    export: Path,
    mapping: dict[str, str],
    account: ClientOptions,
    *,
    note: str | None,
    yes: bool,
) -> None:
    """Settle what an export of the portal says of rows that are held; name what it leaves."""
    offline = Payouts(ledger=ledger)
    found = offline.read_ends(batch, export, mapping=mapping)
    out, err = console(), console(stderr=True)
    for end in found.ends:
        paid = "paid" if end.paid else "not paid"
        words = f"line {end.line}, {end.record.payout.reference}: {paid}"
        out.print(visible(words), soft_wrap=True)
    left = [*found.left]
    if found.ends:
        _confirm(f"Record these {len(found.ends):,} as they are in the export?", yes=yes)
    for end in found.ends:
        reference = end.record.payout.reference
        source = note or f"portal export {export.name}, line {end.line}"
        try:
            if end.record.dgs_reference is None:
                offline.resolve(batch, reference, paid=end.paid, note=source)
            else:
                account.run(
                    partial(_resolve, batch, reference, paid=end.paid, note=source), ledger=ledger
                )
        except NotInDoubtError as error:
            left.append(f"line {end.line}: {error.message}")
    for words in left:
        err.print(f"Not settled: {visible(words)}.", style="yellow", soft_wrap=True)
    settled = len(found.ends) - (len(left) - len(found.left))
    out.print(f"{settled:,} were settled; {found.others:,} lines are about other payouts.")
    if left:
        raise typer.Exit(ExitCode.NO)


async def _resolve(
    batch: str, reference: str, payouts: AsyncPayouts, *, paid: bool, note: str
) -> Record:
    return await payouts.resolve(batch, reference, paid=paid, note=note)


def _confirm(question: str, *, yes: bool) -> None:
    if not yes:
        ask(question, declined="Nothing was changed.")


def _tell(record: Record) -> None:
    console().print(words_of(record), soft_wrap=not console().is_terminal)

"""`dgspay payouts approve`: sign a batch that another person has prepared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dgspay.cli.exit_codes import fail
from dgspay.cli.options import ask
from dgspay.cli.payouts.keys import KeyOption, signer_of
from dgspay.cli.payouts.ledgers import known_ledger
from dgspay.cli.payouts.options import BatchArgument, LedgerOption
from dgspay.cli.payouts.prepare import tell_batch
from dgspay.cli.terminal import console, visible
from dgspay.payouts import APPROVAL_DAYS, Approvals, Payouts


def approve(
    batch: BatchArgument,
    *,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file",
            metavar="FILE",
            help="Your own copy of the sheet: the batch must have been read from what it holds.",
        ),
    ] = None,
    days: Annotated[
        float, typer.Option(min=0.01, max=31, metavar="DAYS", help="How long it counts.")
    ] = APPROVAL_DAYS,
    key: KeyOption = None,
    ledger: LedgerOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Approve a batch that another person has prepared: its rows, sum, account and terms.

    Look at it before: `dgspay payouts report BATCH` lists every row. Nothing is sent. The approval
    is void once anything of the batch differs, and when its days have passed.
    """
    with known_ledger(ledger) as opened:
        payouts = Payouts(ledger=opened)
        seen = payouts.status(batch).batch
        tell_batch(seen)
        given = payouts.approvals(batch)
        if given is None:
            fail("It was not prepared: there is nothing to approve. Nothing was changed.")
        _tell(given)
        if not yes:
            ask(
                f"Approve {seen.total:,} RWF to {seen.count:,} recipients?",
                declined="Nothing was approved.",
            )
        found = payouts.approve(batch, signer_of(key), days=days, source=file, seen=seen)
        _tell(found)
    if found.are_enough:
        console().print("It may be paid now, with `dgspay payouts run`.", style="green")
    else:
        left = found.needed - len(found.approvers)
        console().print(f"Approvals that are still missing: {left}.")


def _tell(approvals: Approvals) -> None:
    out = console()
    prepared = approvals.preparer or "somebody without a registered key"
    approved = ", ".join(approvals.approvers) or "nobody"
    words = f"Prepared by {prepared}; approved by {approved}, of {approvals.needed} needed"
    out.print(visible(words), soft_wrap=True)
    for fault in approvals.unusable:
        out.print(visible(f"Does not count: {fault}"), style="yellow", soft_wrap=True)

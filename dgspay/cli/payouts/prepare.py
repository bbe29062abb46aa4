"""`dgspay payouts prepare`: fix the rows of a sheet, to be approved by another person."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dgspay.cli.exit_codes import ExitCode
from dgspay.cli.options import BaseUrlOption, EnvironmentOption
from dgspay.cli.payouts.display import tell_faults, tell_preflight, tell_sheet
from dgspay.cli.payouts.keys import KeyOption, signer_if_any
from dgspay.cli.payouts.ledgers import NewLedger, opened_ledger, place_words
from dgspay.cli.payouts.options import (
    AllowOption,
    AmountLimitsOption,
    BankOption,
    BatchOption,
    FeeOption,
    LedgerOption,
    MapOption,
    NewLedgerOption,
    PeriodOption,
    RepeatDaysOption,
    SheetArgument,
    SheetOption,
    TransportOption,
    limits_of,
    mapping_of,
    source_of,
)
from dgspay.cli.payouts.setup import ClientOptions
from dgspay.cli.terminal import console, visible
from dgspay.payouts import (
    REPEAT_DAYS,
    Batch,
    Payouts,
    Preflight,
    RowsInvalidError,
)


def prepare(
    file: SheetArgument,
    *,
    sheet: SheetOption = None,
    batch: BatchOption = None,
    ledger: LedgerOption = None,
    new_ledger: NewLedgerOption = False,
    mapping: MapOption = None,
    bank: BankOption = None,
    callback_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="As for `run`; it is approved with the rows."),
    ] = None,
    fee: FeeOption = None,
    amount_limits: AmountLimitsOption = None,
    period: PeriodOption = None,
    allow_duplicate: AllowOption = None,
    repeat_days: RepeatDaysOption = REPEAT_DAYS,
    key: KeyOption = None,
    transport: TransportOption = None,
    environment: EnvironmentOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """Check FILE and fix its rows, so that another person can approve exactly these.

    Nothing is sent. `dgspay payouts run` with the same file and options pays them afterwards, and
    nothing else. Given again, it reads the file anew, and approvals given before count no more.
    """
    account = ClientOptions(environment=environment, base_url=base_url, transport=transport)
    source = source_of(file, sheet, bank)
    options: dict[str, Any] = {
        "batch": batch,
        "mapping": mapping_of(mapping),
        "fee": fee,
        "period": period,
        "allow_duplicates": allow_duplicate or (),
        "repeat_days": repeat_days,
        "callback_url": callback_url,
        "amount_limits": limits_of(amount_limits),
        "confirm": _show,
    }
    new = NewLedger(wanted=new_ledger, may_ask=True)
    opening = opened_ledger(
        ledger, beside=file, new=new, environment=environment, base_url=base_url
    )
    with opening as opened:
        policy = Payouts(ledger=opened).policy().policy
        needed = bool(policy.approvals) and not policy.self_approval
        signer = signer_if_any(key, needed=needed)
        try:
            prepared = account.run(
                lambda payouts: payouts.prepare(source, signer=signer, **options), ledger=opened
            )
        except RowsInvalidError as error:
            faults, count, remarks = error.faults, error.count, error.remarks
        else:
            tell_batch(prepared)
            console().print("Nothing was sent. Another person approves it with:")
            words = f"  dgspay payouts approve {prepared.name} {place_words(opened)}"
            console().print(visible(words), soft_wrap=True)
            return
    tell_faults(faults, count, remarks)
    raise typer.Exit(ExitCode.USAGE)


def _show(found: Preflight) -> bool:
    if found.sheet is not None:
        tell_sheet(found.sheet)
    tell_preflight(found)
    return True


def tell_batch(batch: Batch) -> None:
    """Show what a person approves."""
    out = console()
    terms = batch.terms
    out.print(f"Batch {batch.name}: {batch.count:,} payouts, {batch.total:,} RWF", style="bold")
    where = f"From account {terms.account_number}, {terms.environment} ({terms.base_url})"
    out.print(visible(where), soft_wrap=True)
    out.print(f"The sheet's SHA-256 is {batch.digest}", soft_wrap=True)

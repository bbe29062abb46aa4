"""`dgspay payouts check`: report everything that can be wrong before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, NoReturn

import typer

from dgspay.cli.exit_codes import ExitCode
from dgspay.cli.options import BaseUrlOption, EnvironmentOption
from dgspay.cli.payouts.display import tell_faults, tell_preflight, tell_sheet
from dgspay.cli.payouts.ledgers import ledger_if_any
from dgspay.cli.payouts.options import (
    AllowOption,
    BatchOption,
    FeeOption,
    LedgerOption,
    MapOption,
    PeriodOption,
    RepeatDaysOption,
    SheetArgument,
    TransportOption,
    mapping_of,
)
from dgspay.cli.payouts.setup import ClientOptions
from dgspay.cli.terminal import console
from dgspay.payouts import REPEAT_DAYS, RowFault, RowsInvalidError, check_rows


def check(
    file: SheetArgument,
    *,
    batch: BatchOption = None,
    ledger: LedgerOption = None,
    mapping: MapOption = None,
    fee: FeeOption = None,
    period: PeriodOption = None,
    allow_duplicate: AllowOption = None,
    repeat_days: RepeatDaysOption = REPEAT_DAYS,
    offline: Annotated[
        bool, typer.Option("--offline", help="Check the rows only, without any request to DGS-Pay.")
    ] = False,
    transport: TransportOption = None,
    environment: EnvironmentOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """Check a file, and compare it with the wallet, the bank list and the ledger.

    Nothing is sent and nothing is written. Give it the options that `run` is to be given. Exit
    code 2 for faults in the rows, 1 for any other check that failed.
    """
    allowed = allow_duplicate or ()
    if offline:
        sheet = check_rows(file, mapping_of(mapping), allow_duplicates=allowed)
        if sheet.fault_count:
            _refuse(sheet.faults, sheet.fault_count)
        sheet.require_good()
        tell_sheet(sheet)
        for duplicate in sheet.duplicates:
            console(stderr=True).print(str(duplicate), style="yellow")
        return
    account = ClientOptions(environment=environment, base_url=base_url, transport=transport)
    options: dict[str, Any] = {
        "mapping": mapping_of(mapping),
        "fee": fee,
        "batch": batch,
        "period": period,
        "allow_duplicates": allowed,
        "repeat_days": repeat_days,
    }
    with ledger_if_any(ledger, beside=file, environment=environment, base_url=base_url) as opened:
        try:
            found = account.run(lambda payouts: payouts.check(file, **options), ledger=opened)
        except RowsInvalidError as error:
            _refuse(error.faults, error.count)
    if found.sheet is not None:
        tell_sheet(found.sheet)
    tell_preflight(found)
    if found.problems:
        raise typer.Exit(ExitCode.NO)
    console().print("Preflight passed. Nothing was sent.", style="green")


def _refuse(faults: Sequence[RowFault], count: int) -> NoReturn:
    tell_faults(faults, count)
    raise typer.Exit(ExitCode.USAGE)

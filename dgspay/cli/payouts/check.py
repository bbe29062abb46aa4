"""`dgspay payouts check`: report everything that can be wrong before anything is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from dgspay.cli.exit_codes import ExitCode, fail
from dgspay.cli.options import BaseUrlOption, EnvironmentOption
from dgspay.cli.payouts.display import (
    tell_faults,
    tell_preflight,
    tell_remarks,
    tell_sheet,
    tell_warnings,
)
from dgspay.cli.payouts.ledgers import ledger_if_any
from dgspay.cli.payouts.options import (
    AllowOption,
    AmountLimitsOption,
    BankOption,
    BatchOption,
    FeeOption,
    LedgerOption,
    MapOption,
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
    LimitWatch,
    RowsInvalidError,
    SheetFile,
    SheetSummary,
    check_rows,
    mark_faults,
)


def check(
    file: SheetArgument,
    *,
    sheet: SheetOption = None,
    batch: BatchOption = None,
    ledger: LedgerOption = None,
    mapping: MapOption = None,
    bank: BankOption = None,
    fee: FeeOption = None,
    amount_limits: AmountLimitsOption = None,
    period: PeriodOption = None,
    allow_duplicate: AllowOption = None,
    repeat_days: RepeatDaysOption = REPEAT_DAYS,
    offline: Annotated[
        bool, typer.Option("--offline", help="Check the rows only, without any request to DGS-Pay.")
    ] = False,
    faults: Annotated[
        Path | None,
        typer.Option(
            "--faults",
            metavar="OUT.xlsx",
            help="Write FILE once more, with a column that says what is wrong with each row; a new "
            "file.",
        ),
    ] = None,
    transport: TransportOption = None,
    environment: EnvironmentOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """Check a file, and compare it with the wallet, the bank list and the ledger.

    Nothing is sent and nothing is written. Give it the options that `run` is to be given. Exit
    code 2 for faults in the rows, 1 for any other check that failed.
    """
    allowed, names = allow_duplicate or (), mapping_of(mapping)
    limits = limits_of(amount_limits)
    source = source_of(file, sheet, bank)
    if offline or faults is not None:
        watch = LimitWatch(limits or {})
        read = check_rows(source, names, allow_duplicates=allowed, watch=watch.look)
        if faults is not None:
            _write_faults(source, read, faults, names)
        try:
            read.require_good()
        except RowsInvalidError as error:
            _refuse(error)
        if offline:
            _tell_offline(read)
            tell_warnings(watch.warnings)
            return
    account = ClientOptions(environment=environment, base_url=base_url, transport=transport)
    options: dict[str, Any] = {
        "mapping": names,
        "fee": fee,
        "amount_limits": limits,
        "batch": batch,
        "period": period,
        "allow_duplicates": allowed,
        "repeat_days": repeat_days,
    }
    with ledger_if_any(ledger, beside=file, environment=environment, base_url=base_url) as opened:
        try:
            found = account.run(lambda payouts: payouts.check(source, **options), ledger=opened)
        except RowsInvalidError as error:
            _refuse(error)
    if found.sheet is not None:
        tell_sheet(found.sheet)
    tell_preflight(found)
    if found.problems:
        raise typer.Exit(ExitCode.NO)
    console().print("Preflight passed. Nothing was sent.", style="green")


def _tell_offline(sheet: SheetSummary) -> None:
    tell_sheet(sheet)
    tell_remarks(sheet.notes)
    problems = [*sheet.unlikely_banks, *map(str, sheet.duplicates)]
    for problem in problems:
        console(stderr=True).print(visible(problem), style="yellow", soft_wrap=True)
    if problems:
        raise typer.Exit(ExitCode.NO)


def _write_faults(
    source: SheetFile, sheet: SheetSummary, to: Path, mapping: dict[str, str]
) -> None:
    if not (sheet.fault_count or sheet.duplicates):
        console(stderr=True).print(f"No row has a fault, and {visible(str(to))} was not written.")
        return
    try:
        marked = mark_faults(source, sheet, to, mapping)
    except OSError as error:
        reason = error.strerror
    else:
        words = f"{marked:,} rows are marked in {visible(str(to))}."
        if sheet.fault_count > len(sheet.faults):
            words += f" Only the first {len(sheet.faults):,} faults are."
        console(stderr=True).print(words, soft_wrap=True)
        return
    fail(f"Cannot write {to}: {reason}.", ExitCode.NO)


def _refuse(error: RowsInvalidError) -> NoReturn:
    tell_faults(error.faults, error.count, error.remarks)
    raise typer.Exit(ExitCode.USAGE)

"""Options that several payout commands share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from dgspay.cli.exit_codes import fail
from dgspay.payouts import (
    PUBLISHED_LIMITS,
    AmountLimits,
    SheetFile,
    parse_fee,
    read_amount_limits,
)

_MONTHS = ", ".join(PUBLISHED_LIMITS)

SheetArgument = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", help="CSV, or a workbook (.xlsx, .xls, .ods), with a heading line."
    ),
]
SheetOption = Annotated[
    str | None,
    typer.Option(
        "--sheet",
        metavar="NAME",
        help="The sheet of the workbook, where more than one has something in it.",
    ),
]
BankOption = Annotated[
    list[str] | None,
    typer.Option(
        "--bank",
        metavar="NAME=KEY",
        help="What a bank is called in FILE, and its key as `dgspay banks` lists it; may be "
        "repeated.",
    ),
]
BatchArgument = Annotated[str, typer.Argument(metavar="BATCH", help="Name of the batch.")]
BatchOption = Annotated[
    str | None, typer.Option("--batch", metavar="NAME", help="Its name; the file's if left out.")
]
MapOption = Annotated[
    list[str] | None,
    typer.Option(
        "--map", metavar="HEADING=COLUMN", help="What another heading means; may be repeated."
    ),
]
LedgerOption = Annotated[
    str | None,
    typer.Option(
        "--ledger",
        envvar="DGSPAY_PAYOUTS_LEDGER",
        metavar="PATH|URL",
        help="The record of who was paid: a SQLite file, or postgresql://... for several machines. "
        "If left out, one file for the account, in the folder where programs of this user keep "
        "their data.",
    ),
]
NewLedgerOption = Annotated[
    bool,
    typer.Option(
        "--new-ledger",
        help="Begin a ledger where there is none yet, without asking, in production too. A new one "
        "lacks earlier payments, and would pay the same people again.",
    ),
]


def _checked_fee(fee: str | None) -> str | None:
    """Reject a fee that is no amount before a file is opened."""
    if fee is not None:
        parse_fee(fee)
    return fee


FeeOption = Annotated[
    str | None,
    typer.Option(
        metavar="RWF",
        callback=_checked_fee,
        help="The fee of one payout, such as 100; amounts must be above it.",
    ),
]
AmountLimitsOption = Annotated[
    str | None,
    typer.Option(
        "--amount-limits",
        metavar="MONTH|FILE",
        help=f"Warn of rows beyond the limits of networks and banks: as published ({_MONTHS}), or "
        "yours in a TOML file with [MTN] and least, most, per_day.",
    ),
]
AllowOption = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-duplicate",
        metavar="REFERENCE",
        help="Pay this one row although it looks as if it had been paid before; may be repeated. "
        "A column pay_again in the sheet does the same, with a reason.",
    ),
]
PeriodOption = Annotated[
    str | None,
    typer.Option(
        "--period",
        metavar="2026-12",
        help="What is paid for: a reference is paid once within it. The batch's name ends with it.",
    ),
]
RepeatDaysOption = Annotated[
    float,
    typer.Option(
        "--repeat-days",
        min=0,
        max=366,
        metavar="DAYS",
        help="Days in which the same sum is not sent to the same account again.",
    ),
]
TrustOption = Annotated[
    bool,
    typer.Option(
        "--trust-idempotency",
        help="Send again, with its key, what got no answer. Only where DGS-Pay has confirmed "
        "to you that it honours idempotency keys: if it does not, this can pay twice.",
    ),
]
ConcurrencyOption = Annotated[int, typer.Option(min=1, max=1000, help="Payouts in flight at once.")]
RateOption = Annotated[
    float | None, typer.Option(min=0.001, metavar="N", help="Payouts in a second at most.")
]
TransportOption = Annotated[
    str | None,
    typer.Option(
        "--transport",
        metavar="NAME",
        help="aiohttp or httpx; aiohttp where it is installed, as it is faster with many at once.",
    ),
]


def limits_of(named: str | None) -> AmountLimits | None:
    """Read the limits of --amount-limits."""
    return None if named is None else read_amount_limits(named)


def mapping_of(pairs: Sequence[str] | None) -> dict[str, str]:
    """Read the pairs of --map."""
    return _pairs_of(pairs, "--map must look like 'Net pay=amount'")


def source_of(file: Path, sheet: str | None, banks: Sequence[str] | None) -> SheetFile:
    """Return the sheet that --sheet and the pairs of --bank make of a file."""
    return SheetFile(file, sheet, _pairs_of(banks, "--bank must look like 'Bank of Kigali=bk_rw'"))


def _pairs_of(pairs: Sequence[str] | None, rule: str) -> dict[str, str]:
    found = {}
    for pair in pairs or ():
        name, equals, meaning = pair.rpartition("=")
        if not equals or not name.strip():
            fail(f"{rule}, not {pair!r}.")
        found[name.strip()] = meaning.strip()
    return found

"""`dgspay books`: what came in and went out in a period, held against the wallet."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Annotated, TextIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.table import Table

from dgspay.books import (
    Accounts,
    Period,
    Statement,
    read_books,
    write_journal,
    write_statement,
    write_workbook,
)
from dgspay.books.writing import opening_words, plural
from dgspay.checkout import OrdersStore
from dgspay.checkout.store.sqlite import DEFAULT_PATH
from dgspay.cli.exit_codes import ExitCode, fail, usage_errors
from dgspay.cli.options import BaseUrlOption, EnvironmentOption, connected
from dgspay.cli.orders.checkouts import known_store
from dgspay.cli.orders.options import OrdersOption
from dgspay.cli.payouts.ledgers import known_ledger, ledger_if_any
from dgspay.cli.terminal import console, money, visible
from dgspay.payouts import Ledger

EXIT_CODES = (
    "\b\nExit codes:\n"
    "  0    the books and the wallet agree\n"
    "  1    they differ: each difference is named\n"
    "  2    wrong options or files; nothing was written\n"
    "  3    DGS-Pay refused the call\n"
    "  4    DGS-Pay, a ledger or the orders were not reached"
)


def books(
    period: Annotated[
        str,
        typer.Argument(
            metavar="PERIOD", help="2026-11, 2026, or 2026-11-01..2026-11-15; days of Kigali."
        ),
    ],
    *,
    ledger: Annotated[
        list[str] | None,
        typer.Option(
            "--ledger",
            metavar="PATH|URL",
            help="A ledger of payouts, repeatable; DGSPAY_PAYOUTS_LEDGER or the account's own if "
            "left out.",
        ),
    ] = None,
    orders: OrdersOption = None,
    opening: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CURRENCY=AMOUNT",
            help="The balance at the beginning, repeatable, where the history does not reach back "
            "to an empty wallet: what the books of the period before closed with.",
        ),
    ] = None,
    also: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A CSV of what else moved the wallet: date, kind (payout, refund, conversion, "
            "deposit, withdrawal), reference, amount, currency; to_amount, to_currency, fee, text.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="Write every movement to a new file: .csv, or .xlsx with summary and journal.",
        ),
    ] = None,
    journal: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the double-entry journal to a new CSV file."),
    ] = None,
    accounts: Annotated[
        Path | None,
        typer.Option(
            metavar="TOML", help='Names of accounts, such as wallet = "1010 DGS-Pay wallet".'
        ),
    ] = None,
    api_timezone: Annotated[
        str, typer.Option(metavar="ZONE", help="The zone of DGS-Pay's times, which have none.")
    ] = "UTC",
    environment: EnvironmentOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """Add up the charges, payouts, conversions and refunds of a period, and compare the wallet.

    Charges are those of DGS-Pay's list, payouts those of the ledgers, refunds and conversions those
    that the shop's orders and the webhooks kept there have. What DGS-Pay does not tell is said.
    """
    asked = _period(period)
    names = Accounts() if accounts is None else Accounts.read(accounts)
    zone = _zone(api_timezone)
    _check_files(out, journal)
    held = _opening(opening)
    with (
        _ledgers(ledger, environment, base_url) as ledgers,
        _orders(orders) as store,
        connected(environment, base_url) as dgs,
    ):
        statement = read_books(
            dgs,
            asked,
            ledgers=ledgers,
            orders=store,
            also=also,
            opening=held,
            api_timezone=zone,
        )
    _tell(statement)
    if out is not None and out.suffix == ".xlsx":
        _written(out, lambda: write_workbook(statement, names, out))
    elif out is not None:
        _written(out, lambda: _new_csv(out, lambda file: write_statement(statement, file)))
    if journal is not None:
        _written(journal, lambda: _new_csv(journal, lambda f: write_journal(statement, names, f)))
    if not statement.is_reconciled:
        raise typer.Exit(ExitCode.NO)


def _period(text: str) -> Period:
    with usage_errors():
        return Period.parse(text)


def _zone(name: str) -> dt.tzinfo:
    zone: dt.tzinfo | None = dt.UTC if name == "UTC" else None
    with suppress(ZoneInfoNotFoundError, ValueError, OSError):
        zone = zone or ZoneInfo(name)
    if zone is None:
        fail(f"--api-timezone must be a zone such as Africa/Kigali, not {name!r}.")
    return zone


def _check_files(*paths: Path | None) -> None:
    """Refuse to overwrite anything, before anything is asked of DGS-Pay."""
    for path in paths:
        if path is not None and path.exists():
            fail(f"{path} is there. Give another name; nothing was written.")
        if path is not None and path.suffix not in (".csv", ".xlsx"):
            fail(f"{path} must end in .csv or .xlsx.")
    if paths[1] is not None and paths[1].suffix != ".csv":
        fail(f"The journal is a .csv, not {paths[1]}; --out FILE.xlsx has it as a sheet.")


def _opening(pairs: Sequence[str] | None) -> dict[str, str]:
    opening = {}
    for pair in pairs or ():
        currency, equals, amount = pair.partition("=")
        if not equals or currency.upper() in opening:
            fail(f"--opening must look like RWF=1000000, once for a currency, not {pair!r}.")
        opening[currency.upper()] = amount
    return opening


@contextmanager
def _ledgers(
    places: Sequence[str] | None, environment: str | None, base_url: str | None
) -> Generator[list[Ledger]]:
    named = places or [place for place in (os.environ.get("DGSPAY_PAYOUTS_LEDGER"),) if place]
    with ExitStack() as opened:
        if named:
            known = [known_ledger(place, environment, base_url) for place in named]
            yield [opened.enter_context(each) for each in known]
        else:
            own = opened.enter_context(
                ledger_if_any(None, environment=environment, base_url=base_url)
            )
            yield [] if own is None else [own]


@contextmanager
def _orders(place: str | None) -> Generator[OrdersStore | None]:
    if place is None and not Path(DEFAULT_PATH).is_file():
        yield None
        return
    with closing(known_store(place or DEFAULT_PATH)) as store:
        yield store


def _tell(statement: Statement) -> None:
    out = console()
    out.print(f"Books of {visible(statement.account_number)}, {statement.period}, days of Kigali")
    for each in statement.reconciliations:
        facts: dict[str, Decimal | None] = {
            f"Opening, {opening_words(each)}": each.opening,
            **{plural(kind): amount for kind, amount in each.by_kind.items()},
            "Closing": each.closing,
            "Moved since then": each.after,
            "Expected now": each.expected,
            "The wallet holds": each.balance,
            "Difference": each.difference,
        }
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column()
        grid.add_column(justify="right", no_wrap=True)
        for name, amount in facts.items():
            grid.add_row(name, money(amount, each.currency))
        out.print()
        out.print(grid)
        if each.fees:
            kept = money(each.fees, each.currency)
            out.print(f"Of charges, DGS-Pay has kept {kept} as fees; they are not in these sums.")
    out.print()
    for sentence in statement.notes:
        out.print(f"Note: {visible(sentence)}", style="dim", soft_wrap=True)
    for doubt in statement.doubts:
        size = money(doubt.wallet, doubt.currency)
        out.print(
            f"In doubt: {visible(doubt.reference)}, {size}: {doubt.reason}",
            style="yellow",
            soft_wrap=True,
        )
    for sentence in statement.differences:
        console(stderr=True).print(f"Differs: {visible(sentence)}", style="red", soft_wrap=True)
    if statement.is_reconciled:
        out.print("The books and the wallet agree.", style="green")


def _written(path: Path, write: Callable[[], None]) -> None:
    try:
        write()
    except OSError as error:
        reason = error.strerror
    else:
        console(stderr=True).print(f"Written to {visible(str(path))}", soft_wrap=True)
        return
    fail(f"Cannot write {path}: {reason}.", ExitCode.NO)


def _new_csv(path: Path, write: Callable[[TextIO], None]) -> None:
    with path.open("x", encoding="utf-8", newline="") as file:
        write(file)

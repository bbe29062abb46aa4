"""`dgspay balance` and `dgspay banks`: what can be paid out, and to whom."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import typer

from dgspay.cli.exits import usage_errors
from dgspay.cli.output import as_record, one_form, write_csv, write_json, write_json_rows
from dgspay.cli.session import (
    BaseUrlOption,
    CsvOption,
    EnvironmentOption,
    JsonOption,
    connected,
)
from dgspay.cli.tables import Column, print_table
from dgspay.cli.terminal import console, figure, shown, visible


def balance(
    *,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    environment: EnvironmentOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """Show what the merchant wallet holds, in each currency."""
    one_form(as_json=as_json, as_csv=as_csv)
    with connected(environment, base_url) as dgs:
        balances = dgs.balances.list()
    if as_json:
        write_json(as_record(balances))
        return
    if as_csv:
        columns = ("currency", "available_balance", "pending_balance", "total_balance")
        write_csv(balances, columns)
        return
    print_table(
        (
            Column("currency", lambda row: shown(row.currency)),
            Column(
                "available", lambda row: figure(row.available_balance, row.currency), right=True
            ),
            Column("pending", lambda row: _figure(row.pending_balance, row.currency), right=True),
            Column("total", lambda row: _figure(row.total_balance, row.currency), right=True),
        ),
        balances,
    )


def _figure(amount: Decimal | None, currency: str) -> str:
    return "-" if amount is None else figure(amount, currency)


def banks(
    country: Annotated[str, typer.Argument(help="ISO 3166 code of two letters.")] = "RW",
    *,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    environment: EnvironmentOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """List the banks and providers that can be paid to.

    The key is what a payout to the bank names it by.
    """
    one_form(as_json=as_json, as_csv=as_csv)
    with connected(environment, base_url) as dgs, usage_errors():
        listed = dgs.banks.list(country)
    if as_json:
        write_json_rows(listed)
        return
    if as_csv:
        columns = ("bank_key", "name", "type", "network", "code", "currency", "branch_required")
        write_csv(listed, columns)
        return
    print_table(
        (
            Column("key", lambda bank: shown(bank.bank_key)),
            Column("name", lambda bank: shown(bank.name), prose=True),
            Column("type", lambda bank: shown(bank.type)),
            Column("network", lambda bank: shown(bank.network)),
            Column("branch needed", lambda bank: shown(bank.branch_required)),
        ),
        listed,
    )
    if not listed:
        console(stderr=True).print(f"DGS-Pay lists nobody for {visible(country)}.")

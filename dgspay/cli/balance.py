"""`dgspay balance`: what the merchant wallet holds."""

from __future__ import annotations

from decimal import Decimal

from dgspay.cli.options import BaseUrlOption, CsvOption, EnvironmentOption, JsonOption, connected
from dgspay.cli.output import as_record, one_form, write_csv, write_json
from dgspay.cli.tables import Column, print_table
from dgspay.cli.terminal import figure, shown


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

"""`dgspay orders list`: the newest orders, as a table, JSON or CSV."""

from __future__ import annotations

from typing import Annotated

import typer

from dgspay.cli.options import BaseUrlOption, CsvOption, EnvironmentOption, JsonOption
from dgspay.cli.orders.checkouts import known_checkout
from dgspay.cli.orders.options import OrdersOption, StateOption
from dgspay.cli.orders.rows import ORDER_COLUMNS, OrderRow, columns_of, rows_of
from dgspay.cli.output import one_form, write_csv, write_json_rows
from dgspay.cli.tables import print_table
from dgspay.cli.terminal import console, visible


def list_orders(
    *,
    state: StateOption = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="The most orders.")] = 50,
    orders: OrdersOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    environment: EnvironmentOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """List the newest orders, newest first. `dgspay orders export` writes all of them."""
    one_form(as_json=as_json, as_csv=as_csv)
    with known_checkout(orders, environment, base_url) as checkout:
        rows = rows_of(checkout, state, limit)
        if as_json:
            write_json_rows(rows)
        elif as_csv:
            write_csv(rows, columns_of(OrderRow))
        elif found := [*rows]:
            print_table(ORDER_COLUMNS, found)
        else:
            settings = checkout.shop.settings
            account = f"{visible(settings.account_number)} in {settings.environment}"
            console().print(f"No such orders of account {account}.")

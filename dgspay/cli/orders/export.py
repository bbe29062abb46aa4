"""`dgspay orders export`: every order in one line each, for bookkeeping."""

from __future__ import annotations

from dgspay.cli.options import BaseUrlOption, CsvOption, EnvironmentOption, JsonOption
from dgspay.cli.orders.checkouts import known_checkout
from dgspay.cli.orders.options import OrdersOption, StateOption
from dgspay.cli.orders.rows import OrderRow, columns_of, rows_of
from dgspay.cli.output import one_form, write_csv, write_json_rows


def export(
    *,
    state: StateOption = None,
    orders: OrdersOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    environment: EnvironmentOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """Write every order, newest first, for bookkeeping.

    As CSV, or as a JSON array with --json. The columns collected and refunded are in the order's
    currency; times are UTC. A JSON array stays open when the store fails on the way, so that it
    cannot pass for complete.
    """
    one_form(as_json=as_json, as_csv=as_csv)
    with known_checkout(orders, environment, base_url) as checkout:
        rows = rows_of(checkout, state)
        if as_json:
            write_json_rows(rows)
        else:
            write_csv(rows, columns_of(OrderRow))

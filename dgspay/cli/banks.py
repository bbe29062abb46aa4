"""`dgspay banks`: the banks and providers that a payout can go to."""

from __future__ import annotations

from typing import Annotated

import typer

from dgspay.cli.exit_codes import usage_errors
from dgspay.cli.options import (
    BaseUrlOption,
    CsvOption,
    EnvironmentOption,
    JsonOption,
    connected,
)
from dgspay.cli.output import one_form, write_csv, write_json_rows
from dgspay.cli.tables import Column, print_table
from dgspay.cli.terminal import console, shown, visible


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
        console(stderr=True).print(f"DGS-Pay lists no bank for {visible(country)}.")

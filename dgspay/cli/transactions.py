"""`dgspay transactions`: the history of the account, as a table, JSON or CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Final

import typer

from dgspay import Pager, PaymentStatus, Transaction
from dgspay.cli.exit_codes import usage_errors
from dgspay.cli.options import BaseUrlOption, CsvOption, EnvironmentOption, JsonOption, connected
from dgspay.cli.output import as_record, one_form, write_csv, write_json, write_json_rows
from dgspay.cli.tables import Column, print_facts, print_pages
from dgspay.cli.terminal import console, money, shown

transactions = typer.Typer(no_args_is_help=True, help="Look payments up.")

_MOST_ROWS_PER_PAGE: Final = 100

# The fields of the guide's list response first; `extra` has no place in a CSV.
CSV_COLUMNS: Final[Sequence[str]] = (
    "id",
    "dgs_reference",
    "flw_reference",
    "transaction_id",
    "status",
    "amount",
    "currency",
    "merchant_fee",
    "net_amount",
    "payment_method_type",
    "payment_link_id",
    "processor_response",
    "narration",
    "created_at",
)

_COLUMNS: Final[Sequence[Column[Transaction]]] = (
    Column("created", lambda row: shown(row.created_at)),
    Column("reference", lambda row: shown(row.dgs_reference or row.id)),
    Column("method", lambda row: shown(row.payment_method_type)),
    Column("amount", lambda row: money(row.amount, row.currency), right=True),
    Column("status", lambda row: shown(row.status)),
)


@transactions.command("list")
def list_transactions(
    *,
    status: Annotated[
        str | None, typer.Option(metavar="STATUS", help="pending, success or failed.")
    ] = None,
    payment_link_id: Annotated[
        str | None, typer.Option("--payment-link-id", "--link", help="Only those of a link.")
    ] = None,
    dgs_reference: Annotated[str | None, typer.Option(help="Only this reference.")] = None,
    flw_reference: Annotated[
        str | None, typer.Option(help="Only this Flutterwave reference.")
    ] = None,
    page: Annotated[int, typer.Option(min=1, help="Page to begin with.")] = 1,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Stop after N rows.")
    ] = None,
    page_size: Annotated[
        int, typer.Option(min=1, max=_MOST_ROWS_PER_PAGE, help="Rows to fetch at a time.")
    ] = _MOST_ROWS_PER_PAGE,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    environment: EnvironmentOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """List transactions, newest first, page by page as they come.

    JSON is an array with a row on each line; it stays open when a page fails on the way.
    """
    one_form(as_json=as_json, as_csv=as_csv)
    with connected(environment, base_url) as dgs:
        with usage_errors():
            pager = dgs.transactions.list(
                status=None if status is None else PaymentStatus(status),
                payment_link_id=payment_link_id,
                dgs_reference=dgs_reference,
                flw_reference=flw_reference,
                page=page,
                limit=page_size if limit is None else min(page_size, limit),
            )
        pages = _first_rows(pager, limit)
        if as_json:
            write_json_rows(row for rows in pages for row in rows)
        elif as_csv:
            write_csv((row for rows in pages for row in rows), CSV_COLUMNS)
        elif not print_pages(_COLUMNS, pages):
            console(stderr=True).print("There are none.")


def _first_rows(pager: Pager[Transaction], most: int | None) -> Iterator[Sequence[Transaction]]:
    """Walk page by page, up to a number of rows; no page is fetched that is not needed."""
    left = most
    for page in pager.pages():
        yield page.rows[:left]
        if left is not None:
            left -= len(page.rows)
            if left <= 0:
                return


@transactions.command("show")
def show_transaction(
    reference: Annotated[str, typer.Argument(help="Its id or its dgs-reference.")],
    *,
    as_json: JsonOption = False,
    environment: EnvironmentOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """Show all that DGS-Pay says of one transaction."""
    with connected(environment, base_url) as dgs, usage_errors():
        transaction = dgs.transactions.retrieve(reference)
    if as_json:
        write_json(as_record(transaction))
    else:
        print_transaction(transaction)


def print_transaction(transaction: Transaction) -> None:
    """Print what is known of a transaction, one fact a line."""
    record = as_record(transaction)
    extra = record.pop("extra")
    print_facts({**record, **extra}, transaction.currency)

"""`dgspay orders problems`: what a person has to put right, and webhooks about no order."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Final, TypeVar

import attrs
import typer

from dgspay.checkout import journal, opening
from dgspay.cli.exit_codes import ExitCode
from dgspay.cli.options import BaseUrlOption, CsvOption, EnvironmentOption, JsonOption
from dgspay.cli.orders.checkouts import known_checkout
from dgspay.cli.orders.options import OrdersOption
from dgspay.cli.orders.rows import EventRow, ProblemRow, columns_of, short
from dgspay.cli.output import one_form, write_csv, write_json_rows
from dgspay.cli.tables import Column, print_table
from dgspay.cli.terminal import console, shown

RowT = TypeVar("RowT", bound=attrs.AttrsInstance)

_PROBLEMS: Final[Sequence[Column[ProblemRow]]] = (
    Column("noted", lambda row: short(row.noted_at)),
    Column("order", lambda row: shown(row.order)),
    Column("problem", lambda row: shown(row.problem), right=True),
    Column("kind", lambda row: shown(row.kind)),
    Column("what", lambda row: shown(row.detail), prose=True),
)
_EVENTS: Final[Sequence[Column[EventRow]]] = (
    Column("received", lambda row: short(row.received_at)),
    Column("event", lambda row: shown(row.event)),
    Column("reference", lambda row: shown(row.dgs_reference)),
    Column("deliveries", lambda row: shown(row.deliveries), right=True),
)


def problems(
    *,
    events: Annotated[
        bool,
        typer.Option(
            "--events", help="Instead, the verified webhooks that are about no order of the store."
        ),
    ] = False,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="The most.")] = 1000,
    orders: OrdersOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    environment: EnvironmentOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """List the problems that are open, oldest first.

    Such as an order that was paid twice, or has been in doubt for long. Exit code 0 when there is
    none, 1 when there are some, for a job that reports them.
    """
    one_form(as_json=as_json, as_csv=as_csv)
    with known_checkout(orders, environment, base_url) as checkout:
        if events:
            kept = checkout.run(partial(journal.unknown, limit=limit))
            found = [*map(EventRow.of, kept)]
            _write(EventRow, found, _EVENTS, as_json=as_json, as_csv=as_csv)
        else:
            noted = checkout.run(partial(opening.problems, limit=limit))
            rows = [ProblemRow.of(order_id, problem) for order_id, problem in noted]
            _write(ProblemRow, rows, _PROBLEMS, as_json=as_json, as_csv=as_csv)


def _write(
    kind: type[RowT],
    rows: Sequence[RowT],
    columns: Sequence[Column[RowT]],
    *,
    as_json: bool,
    as_csv: bool,
) -> None:
    if as_json:
        write_json_rows(rows)
    elif as_csv:
        write_csv(rows, columns_of(kind))
    elif rows:
        print_table(columns, rows)
    else:
        console().print("None.", style="green")
    if rows:
        raise typer.Exit(ExitCode.NO)

"""`dgspay orders resolve`: record what a person has found out in the merchant portal."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from dgspay.checkout import opening
from dgspay.cli.exit_codes import ExitCode, usage_errors
from dgspay.cli.options import (
    BaseUrlOption,
    EnvironmentOption,
    JsonOption,
    YesOption,
    ask_in_production,
)
from dgspay.cli.orders.checkouts import acting_checkout
from dgspay.cli.orders.options import AppOption, OrderArgument, OrdersOption
from dgspay.cli.orders.rows import record_of
from dgspay.cli.orders.show import tell_order
from dgspay.cli.output import write_json
from dgspay.cli.streams import begin_effect, note_effect


def resolve(
    order: OrderArgument,
    *,
    reason: Annotated[str, typer.Option(help="What was found out, and by whom; it is kept.")],
    attempt: Annotated[
        int | None, typer.Option(metavar="N", help="An attempt that is in doubt or held.")
    ] = None,
    refund: Annotated[
        int | None, typer.Option(metavar="N", help="A refund that is in doubt.")
    ] = None,
    problem: Annotated[
        int | None, typer.Option(metavar="N", help="A problem, by its number in the list of them.")
    ] = None,
    paid: Annotated[
        bool | None,
        typer.Option(
            "--paid/--not-paid", help="What DGS-Pay's records say of the attempt or the refund."
        ),
    ] = None,
    accept: Annotated[
        bool,
        typer.Option(
            "--accept", help="Take what was paid late, or in another amount, as the payment."
        ),
    ] = False,
    app: AppOption = None,
    orders: OrdersOption = None,
    as_json: JsonOption = False,
    yes: YesOption = False,
    environment: EnvironmentOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """Put an order right by hand.

    Look it up in the merchant portal first. Name one of --attempt, --refund and --problem. An order
    that becomes paid by it is shipped: its handler is owed, and runs here with --app, else in the
    shop's own process.
    """
    with acting_checkout(app, orders, environment, base_url) as checkout:
        ask_in_production(checkout.shop, _question(order, paid=paid, accept=accept), yes=yes)
        begin_effect()
        with usage_errors():
            found = checkout.run(
                partial(
                    opening.resolve,
                    order_id=order,
                    reason=reason,
                    attempt=attempt,
                    refund=refund,
                    problem=problem,
                    paid=paid,
                    accept=accept,
                )
            )
        note_effect(ExitCode.OK, order=order)
    if as_json:
        write_json(record_of(found))
    else:
        tell_order(found)


def _question(order: str, *, paid: bool | None, accept: bool) -> str:
    if accept:
        return f"Take the payment as that of order {order}, and ship it?"
    if paid is None:
        return f"Close the problem of order {order}?"
    return f"Record that it was {'' if paid else 'not '}paid, for order {order}?"

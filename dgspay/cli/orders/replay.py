"""`dgspay orders replay`: handle the kept webhooks of an order again, after a bug was mended."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from dgspay.checkout import journal
from dgspay.cli.exit_codes import ExitCode
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
from dgspay.cli.terminal import console, visible


def replay(
    order: OrderArgument,
    *,
    again: Annotated[
        bool,
        typer.Option("--again", help="Run on_paid once more although it succeeded: it may ship."),
    ] = False,
    app: AppOption = None,
    orders: OrdersOption = None,
    as_json: JsonOption = False,
    yes: YesOption = False,
    environment: EnvironmentOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """Handle the kept webhooks of an order again.

    Handlers that have failed are due again. What was settled stays settled. Handlers run here with
    --app, else at the next sweep of the shop's own process.
    """
    with acting_checkout(app, orders, environment, base_url) as checkout:
        if again:
            question = f"Run on_paid once more for order {visible(order)}?"
            ask_in_production(checkout.shop, question, yes=yes)
        begin_effect()
        found = checkout.run(partial(journal.replay, order_id=order, again=again))
        note_effect(ExitCode.OK, order=order)
        runs_handlers = bool(checkout.shop.handlers)
    if as_json:
        write_json(record_of(found))
    else:
        tell_order(found)
    if not runs_handlers:
        console(stderr=True).print(
            "Handlers that are owed run in the shop's own process at its next sweep, or here with "
            "--app MODULE:NAME.",
            style="yellow",
            soft_wrap=True,
        )

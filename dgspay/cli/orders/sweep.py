"""`dgspay orders sweep`: look up what no webhook has settled, and expire what is over."""

from __future__ import annotations

import time
from functools import partial
from typing import Annotated

import attrs
import typer

from dgspay.checkout import Sweep, sweeping
from dgspay.cli.exit_codes import ExitCode
from dgspay.cli.options import BaseUrlOption, EnvironmentOption, JsonOption
from dgspay.cli.orders.checkouts import acting_checkout
from dgspay.cli.orders.options import AppOption, OrdersOption
from dgspay.cli.output import write_json
from dgspay.cli.streams import begin_effect, note_effect
from dgspay.cli.terminal import console


def sweep(
    *,
    every: Annotated[
        float | None,
        typer.Option(min=0.1, metavar="SECONDS", help="Again and again, until Ctrl-C."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--everything", help="Look up all that is open, due or not.")
    ] = False,
    most: Annotated[
        int, typer.Option(min=1, metavar="N", help="The most look-ups at once.")
    ] = 1000,
    rate: Annotated[
        float, typer.Option(min=0.001, metavar="N", help="Look-ups in a second at most.")
    ] = 20.0,
    app: AppOption = None,
    orders: OrdersOption = None,
    as_json: JsonOption = False,
    environment: EnvironmentOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """Settle what no webhook has settled, and expire what is over.

    Handlers that are owed run here with --app. It may run beside the shop, and anywhere at once:
    what one looks at is leased to it. Exit code 4 when DGS-Pay answered no look-up, 1 when a
    handler failed.
    """
    with acting_checkout(app, orders, environment, base_url) as checkout:
        act = partial(sweeping.sweep, most=most, per_second=rate, everything=everything)
        begin_effect()
        done = checkout.run(act)
        _tell(done, as_json=as_json)
        while every is not None:
            time.sleep(every)
            done = checkout.run(act)
            if as_json or done != Sweep(owed=done.owed):
                _tell(done, as_json=as_json)
    code = _code(done)
    note_effect(code)
    raise typer.Exit(code)


def _code(done: Sweep) -> ExitCode:
    if done.unanswered and not done.looked_up:
        return ExitCode.NOT_SENT
    return ExitCode.NO if done.failing else ExitCode.OK


def _tell(done: Sweep, *, as_json: bool) -> None:
    if as_json:
        write_json(attrs.asdict(done))
        return
    out, err = console(), console(stderr=True)
    out.print(
        f"Looked up {done.looked_up}, settled {done.settled}; expired {done.expired}; "
        f"handlers run {done.handled}",
        soft_wrap=True,
    )
    if done.in_doubt:
        out.print(f"In doubt for long: {done.in_doubt}. See dgspay orders problems", style="yellow")
    if done.unanswered:
        err.print(
            f"DGS-Pay gave no usable answer to {done.unanswered} look-ups: they are due again.",
            style="yellow",
        )
    if done.failing:
        err.print(f"Handlers that failed: {done.failing}. They are run again.", style="red")
    if done.owed:
        tell_owed(done.owed)
    if not done.is_complete:
        out.print("More is due: give the same command again.")


def tell_owed(count: int) -> None:
    """Say that handlers are owed, and what runs them."""
    console(stderr=True).print(
        f"Handlers owed: {count}. A sweep in the shop's own process runs them, or one here with "
        "--app MODULE:NAME.",
        style="yellow",
        soft_wrap=True,
    )

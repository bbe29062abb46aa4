"""`dgspay orders`: look at a shop's orders, settle what no webhook has, and put problems right."""

from __future__ import annotations

import typer

from dgspay.cli.orders.export import export
from dgspay.cli.orders.listing import list_orders
from dgspay.cli.orders.options import EXIT_CODES
from dgspay.cli.orders.problems import problems
from dgspay.cli.orders.refund import refund
from dgspay.cli.orders.replay import replay
from dgspay.cli.orders.resolve import resolve
from dgspay.cli.orders.show import show
from dgspay.cli.orders.sweep import sweep

__all__ = ["orders"]

orders = typer.Typer(
    no_args_is_help=True,
    help="See what a shop's orders came to, settle what no webhook has, and put problems right.",
    epilog=EXIT_CODES,
)
orders.command("list", epilog=EXIT_CODES)(list_orders)
for command in (show, sweep, resolve, refund, replay, problems, export):
    orders.command(epilog=EXIT_CODES)(command)

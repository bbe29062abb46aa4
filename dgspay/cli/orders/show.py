"""`dgspay orders show`: all that is known of one order."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final, TypeVar

from rich.text import Text

from dgspay.checkout import Attempt, Order, Problem, Refund, opening
from dgspay.cli.options import BaseUrlOption, EnvironmentOption, JsonOption
from dgspay.cli.orders.checkouts import known_checkout
from dgspay.cli.orders.options import OrderArgument, OrdersOption
from dgspay.cli.orders.rows import moment, moment_or_none, record_of, short
from dgspay.cli.output import write_json
from dgspay.cli.tables import Column, print_facts, print_table
from dgspay.cli.terminal import console, figure, money, shown

T = TypeVar("T")

_ATTEMPTS: Final[Sequence[Column[Attempt]]] = (
    Column("attempt", lambda one: shown(one.number), right=True),
    Column("asked", lambda one: short(moment(one.asked_at))),
    Column("method", lambda one: shown(one.method)),
    Column("state", lambda one: shown(one.state)),
    Column("reference", lambda one: shown(one.dgs_reference)),
    Column("why", lambda one: shown(one.reason), prose=True),
)
_PROBLEMS: Final[Sequence[Column[Problem]]] = (
    Column("problem", lambda one: shown(one.key), right=True),
    Column("noted", lambda one: short(moment(one.noted_at))),
    Column("kind", lambda one: shown(one.kind)),
    Column("what", lambda one: shown(one.detail), prose=True),
    Column("resolved", lambda one: shown(one.resolution), prose=True),
)
_REFUNDS: Final[Sequence[Column[Refund]]] = (
    Column("refund", lambda one: shown(one.number), right=True),
    Column("asked", lambda one: short(moment(one.asked_at))),
    Column("amount", lambda one: figure(one.amount), right=True),
    Column("state", lambda one: shown(one.state)),
    Column("reference", lambda one: shown(one.dgs_reference)),
    Column("why", lambda one: shown(one.reason or one.note), prose=True),
)


def show(
    order: OrderArgument,
    *,
    orders: OrdersOption = None,
    as_json: JsonOption = False,
    environment: EnvironmentOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """Show an order with its attempts, problems and refunds. Times are UTC."""
    with known_checkout(orders, environment, base_url) as checkout:
        found = checkout.run(partial(opening.order, order_id=order))
    if as_json:
        write_json(record_of(found))
    else:
        tell_order(found)


def tell_order(order: Order) -> None:
    """Print an order."""
    print_facts(_facts(order), order.currency)
    _tell("Attempts", _ATTEMPTS, order.attempts)
    _tell("Problems", _PROBLEMS, order.problems)
    _tell("Refunds", _REFUNDS, order.refunds)


def _facts(order: Order) -> dict[str, Any]:
    return {
        "order": order.id,
        "state": order.state,
        "amount": money(order.amount, order.currency),
        "collected": order.collected,
        "refunded": order.refunded or None,
        "customer": f"{order.customer.first_name} {order.customer.last_name}",
        "description": order.description,
        "created": moment(order.created_at),
        "expires": moment_or_none(order.expires_at),
        "paid": moment_or_none(order.paid_at),
        "on_paid was through": moment_or_none(order.told_at),
    }


def _tell(heading: str, columns: Sequence[Column[T]], rows: Sequence[T]) -> None:
    if rows:
        console().print(Text(f"\n{heading}", "bold"))
        print_table(columns, rows)

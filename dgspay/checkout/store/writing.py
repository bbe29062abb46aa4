"""Scripts that write what has changed of an order, and what is owed by it, at once."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from dgspay.checkout.order import Attempt, Order, Problem
from dgspay.checkout.store.loading import load
from dgspay.checkout.store.problems import note
from dgspay.checkout.store.protocol import Script, record
from dgspay.checkout.store.rows import CHANGING, attempt_values
from dgspay.checkout.store.scope import Scope
from dgspay.checkout.store.tasks import PAID_TASK, PROBLEM_TASK, Task, owe
from dgspay.checkout.transitions import Change


@attrs.frozen
class Learnt:
    """What became of a piece of evidence.

    Attributes:
        order: The order after it.
        changed: Whether it changed anything.
        tasks: Handlers that are owed by it, leased to this process.
    """

    order: Order
    changed: bool = False
    tasks: tuple[Task, ...] = ()


def write(
    scope: Scope,
    before: Order,
    change: Change,
    number: int | None,
) -> Script[Learnt]:
    """Write what has changed, and the handlers that are owed by it, in the same transaction."""
    order = change.order
    if order == before:
        return Learnt(order)
    if number is not None and order.numbered(number) != before.numbered(number):
        yield from write_attempt(order, order.numbered(number))
    noted: list[Problem] = []
    for problem in change.problems:
        written = yield from note(scope, order.key, problem)
        noted.append(written)
    if noted:
        known = order.problems[: len(order.problems) - len(noted)]
        order = attrs.evolve(order, problems=(*known, *noted))
    tasks = []
    if change.owes_paid:
        tasks.append((yield from owe(scope, order.key, PAID_TASK, 0, order)))
    for problem in noted:
        assert problem.key is not None
        named = attrs.evolve(problem, order_id=order.id)
        tasks.append((yield from owe(scope, order.key, PROBLEM_TASK, problem.key, named)))
    if (order.state, order.paid_at) != (before.state, before.paid_at):
        yield from write_state(order)
    return Learnt(
        order, changed=True, tasks=tuple(task for task in tasks if task.kind in scope.handles)
    )


def write_attempt(order: Order, attempt: Attempt) -> Script[None]:
    """Write what may change of an attempt."""
    watched = ", look_at = NULL" if attempt.is_settled else ""
    yield from record(
        f"UPDATE dgspay_order_attempts SET {CHANGING}{watched} WHERE order_key = ? AND number = ?",
        *attempt_values(attempt),
        order.key,
        attempt.number,
    )


def write_state(order: Order) -> Script[None]:
    """Write the state of an order."""
    yield from record(
        "UPDATE dgspay_orders SET state = ?, paid_at = ? WHERE key = ?",
        order.state.value,
        order.paid_at,
        order.key,
    )


def change_order(
    scope: Scope,
    order_id: str,
    decide: Callable[[Order, float], Change],
) -> Script[Learnt]:
    """Load an order, decide what becomes of it, and write that, in one transaction."""
    order, now = yield from load(scope, order_id, locked=True)
    return (yield from write(scope, order, decide(order, now), None))

"""Scripts of the outbox: handlers that are owed, leased, ended and owed again."""

from __future__ import annotations

import attrs

from dgspay.checkout.order import Order, Problem, ProblemKind
from dgspay.checkout.store.problems import note, settle
from dgspay.checkout.store.protocol import Script, first, query, record
from dgspay.checkout.store.scope import Scope

PAID_TASK = "paid"


PROBLEM_TASK = "problem"


@attrs.frozen
class Task:
    """A handler that is owed: for an order that became paid, or for a problem.

    Attributes:
        key: Its number in the store.
        order_key: The order's.
        kind: `PAID_TASK` or `PROBLEM_TASK`.
        subject: The problem's number, or 0.
        tries: How often it was begun, this time included.
        value: The order or the problem, where the transaction that owes it has just written it.
    """

    key: int
    order_key: int
    kind: str
    subject: int
    tries: int
    value: Order | Problem | None = None


def claim_task(scope: Scope, *, order_key: int | None = None) -> Script[Task | None]:
    """Lease the oldest handler that is owed."""
    of_order = "" if order_key is None else "AND order_key = ?"
    values = () if order_key is None else (order_key,)
    of_kinds = f"AND kind IN ({', '.join('?' * len(scope.handles))})"
    row = yield from first(
        "UPDATE dgspay_order_tasks SET due_at = {now} + ?, lease = ?, tries = tries + 1 "
        "WHERE key = (SELECT key FROM dgspay_order_tasks WHERE account = ? "
        f"AND due_at IS NOT NULL AND due_at <= {{now}} {of_kinds} {of_order} "
        "ORDER BY due_at LIMIT 1 {skip}) "
        "RETURNING key, order_key, kind, subject, tries",
        scope.timing.handler_lease,
        scope.lease,
        scope.key,
        *scope.handles,
        *values,
    )
    return None if row is None else Task(*row)


def count_owed(scope: Scope) -> Script[int]:
    """Return how many handlers are owed, whichever process is to run them."""
    row = yield from first(
        "SELECT count(*) FROM dgspay_order_tasks WHERE account = ? AND due_at IS NOT NULL",
        scope.key,
    )
    return 0 if row is None else int(row[0])


def hold_task(task: Task) -> Script[bool]:
    """Lock a handler's row until the transaction ends; False where another one has run it."""
    row = yield from first(
        "SELECT key FROM dgspay_order_tasks WHERE key = ? AND due_at IS NOT NULL {lock}", task.key
    )
    return row is not None


def owe(
    scope: Scope,
    order_key: int,
    kind: str,
    subject: int,
    value: Order | Problem | None = None,
) -> Script[Task]:
    """Note that a handler is owed, leased to this process where it runs those of its kind."""
    is_ours = kind in scope.handles
    row = yield from first(
        "INSERT INTO dgspay_order_tasks (account, order_key, kind, subject, due_at, lease, tries) "
        "VALUES (?, ?, ?, ?, {now} + ?, ?, ?) RETURNING key",
        scope.key,
        order_key,
        kind,
        subject,
        scope.timing.handler_lease if is_ours else 0.0,
        scope.lease if is_ours else None,
        int(is_ours),
    )
    assert row is not None
    return Task(row[0], order_key, kind, subject, 1, value)


def end_task(task: Task) -> Script[None]:
    """Note that a handler is through; it is never run again for the same."""
    ended = yield from query("DELETE FROM dgspay_order_tasks WHERE key = ? RETURNING key", task.key)
    if ended and task.kind == PAID_TASK:
        yield from record("UPDATE dgspay_orders SET told_at = {now} WHERE key = ?", task.order_key)
        # Asked for or not: whether there is such a problem would be another round trip.
        how = "the handler succeeded"
        yield from settle(task.order_key, ProblemKind.HANDLER_FAILING, None, how)


def fail_task(scope: Scope, task: Task, error: str) -> Script[bool]:
    """Note that a handler has failed, and when it is run again; True where it no longer is."""
    is_last = task.tries >= scope.timing.handler_tries
    pause = min(2.0**task.tries, scope.timing.longest_pause)
    due = "NULL" if is_last else f"{{now}} + {pause!r}"
    rows = yield from query(
        f"UPDATE dgspay_order_tasks SET due_at = {due}, lease = NULL, error = ? "
        # One that outlived its lease may be under way anew, in this very process, too.
        "WHERE key = ? AND lease = ? AND tries = ? RETURNING {now}",
        error,
        task.key,
        scope.lease,
        task.tries,
    )
    if not rows or not is_last:
        return False
    tries = min(task.tries, scope.timing.handler_tries)
    detail = f"the handler of on_{task.kind} has failed {tries} times: {error}"
    problem = Problem(
        kind=ProblemKind.HANDLER_FAILING,
        attempt=None,
        detail=detail,
        noted_at=rows[0][0],
    )
    noted = yield from note(scope, task.order_key, problem)
    if task.kind == PAID_TASK and noted.key is not None:
        # Nothing runs it at once: it is due for any process.
        anyone = attrs.evolve(scope, handles=())
        yield from owe(anyone, task.order_key, PROBLEM_TASK, noted.key)
    return True


def rearm_task(scope: Scope, order_key: int, *, again: bool) -> Script[None]:
    """Make the handlers of an order due now; `again` owes `on_paid` anew after it succeeded."""
    yield from query(
        "UPDATE dgspay_order_tasks SET due_at = {now}, lease = NULL, tries = 0 "
        "WHERE order_key = ? AND lease IS NULL",
        order_key,
    )
    if again:
        yield from query(
            "INSERT INTO dgspay_order_tasks (account, order_key, kind, subject, due_at, tries) "
            "SELECT account, key, ?, 0, {now}, 0 FROM dgspay_orders "
            "WHERE account = ? AND key = ? AND state = 'paid' ON CONFLICT DO NOTHING",
            PAID_TASK,
            scope.key,
            order_key,
        )

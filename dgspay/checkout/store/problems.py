"""Scripts of problems: one is noted, listed, and resolved."""

from __future__ import annotations

import attrs

from dgspay.checkout.order import Problem, ProblemKind
from dgspay.checkout.store.protocol import Script, first, query, record
from dgspay.checkout.store.rows import PROBLEM, problem_of
from dgspay.checkout.store.scope import Scope


def note(scope: Scope, order_key: int, problem: Problem) -> Script[Problem]:
    """Write a problem down and return it with its number."""
    row = yield from first(
        "INSERT INTO dgspay_order_problems (account, order_key, kind, subject, detail, noted_at) "
        "VALUES (?, ?, ?, ?, ?, ?) RETURNING key",
        scope.key,
        order_key,
        problem.kind.value,
        problem.attempt,
        problem.detail,
        problem.noted_at,
    )
    assert row is not None
    yield from record("UPDATE dgspay_orders SET beside = 1 WHERE key = ?", order_key)
    return attrs.evolve(problem, key=row[0])


def close(problem: Problem, reason: str) -> Script[None]:
    """Write down how a problem was resolved."""
    yield from record(
        "UPDATE dgspay_order_problems SET resolution = ? WHERE key = ?", reason, problem.key
    )


def open_problems(scope: Scope, limit: int) -> Script[list[tuple[str, Problem]]]:
    """Return the problems that were not resolved, each with its order's id, oldest first."""
    columns = ", ".join(f"p.{name}" for name in PROBLEM.split(", "))
    rows = yield from query(
        f"SELECT o.id, {columns} FROM dgspay_order_problems p "
        "JOIN dgspay_orders o ON o.key = p.order_key "
        "WHERE p.account = ? AND p.resolution IS NULL ORDER BY p.key LIMIT ?",
        scope.key,
        limit,
    )
    return [(row[0], problem_of(row[1:])) for row in rows]


def settle(order_key: int, kind: ProblemKind, subject: int | None, how: str) -> Script[None]:
    """Resolve the problems of a kind that something has settled by itself."""
    of_subject = "subject IS NULL" if subject is None else "subject = ?"
    values = () if subject is None else (subject,)
    yield from record(
        "UPDATE dgspay_order_problems SET resolution = ? "
        f"WHERE order_key = ? AND kind = ? AND resolution IS NULL AND {of_subject}",
        how,
        order_key,
        kind.value,
        *values,
    )

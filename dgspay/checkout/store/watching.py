"""Scripts of the sweep: what is due for a look-up, in doubt for too long, or over."""

from __future__ import annotations

from typing import Literal

import attrs

from dgspay.checkout.order import Attempt, AttemptState, Order, Problem, ProblemKind
from dgspay.checkout.store.loading import load, load_by_key
from dgspay.checkout.store.protocol import Script, first, query
from dgspay.checkout.store.scope import Scope
from dgspay.checkout.store.writing import Learnt, write
from dgspay.checkout.transitions import Change


@attrs.frozen
class Due:
    """An attempt or a refund that a sweep looks at: it is leased by the time of its next look.

    Attributes:
        order_key: The order's.
        number: The attempt's or the refund's.
        dgs_reference: What to look up, or None.
        asked_at: When it was written down.
        now: The store's time.
    """

    order_key: int
    number: int
    dgs_reference: str | None
    asked_at: float
    now: float


Watched = Literal["attempts", "refunds"]

_EXPIRY_LEASE = 300.0
"""Seconds: longer than the look-ups of one order take."""


def make_due(scope: Scope) -> Script[None]:
    """Make every attempt and refund that is watched due for a look-up now."""
    for table in ("attempts", "refunds"):
        yield from query(
            f"UPDATE dgspay_order_{table} SET look_at = {{now}} "
            "WHERE account = ? AND look_at IS NOT NULL AND look_at > {now}",
            scope.key,
        )


# Pauses double, up to the longest.
_LATER = (
    "SET looks = looks + 1, look_at = {now} + CASE WHEN looks < 20 AND ? * (1 << looks) < ? "
    "THEN ? * (1 << looks) ELSE ? END "
)


def _pauses(scope: Scope) -> tuple[float, float, float, float]:
    shortest, longest = scope.timing.first_look_up, scope.timing.longest_pause
    return shortest, longest, shortest, longest


def lease_due(scope: Scope, watched: Watched, limit: int) -> Script[list[Due]]:
    """Lease the attempts or the refunds that are due for a look-up, oldest first."""
    table = f"dgspay_order_{watched}"
    rows = yield from query(
        # Once, whatever the plan: a query within IN may be run for each row.
        f"WITH due AS MATERIALIZED (SELECT order_key, number FROM {table} "
        "WHERE account = ? AND look_at IS NOT NULL AND look_at <= {now} "
        "ORDER BY look_at LIMIT ? {skip}) "
        f"UPDATE {table} {_LATER}"
        "WHERE (order_key, number) IN (SELECT order_key, number FROM due) "
        "RETURNING order_key, number, dgs_reference, asked_at, {now}",
        scope.key,
        limit,
        *_pauses(scope),
    )
    return sorted((Due(*row) for row in rows), key=lambda due: due.asked_at)


def lease_one(scope: Scope, order_key: int, number: int) -> Script[bool]:
    """Lease one attempt, where it is due for a look-up."""
    rows = yield from query(
        f"UPDATE dgspay_order_attempts {_LATER}"
        "WHERE order_key = ? AND number = ? AND look_at IS NOT NULL "
        "AND look_at <= {now} RETURNING number",
        *_pauses(scope),
        order_key,
        number,
    )
    return bool(rows)


def doubt(scope: Scope, due: Due) -> Script[Learnt | None]:
    """Note as a problem that nothing has been learned of an attempt for too long."""
    found = yield from load_by_key(scope, due.order_key, locked=True)
    if found is None:
        return None
    order, now = found
    attempt = order.numbered(due.number)
    if attempt.is_settled or now < attempt.asked_at + scope.timing.doubt:
        return None
    if any(
        (one.kind, one.attempt) == (ProblemKind.IN_DOUBT, attempt.number) for one in order.problems
    ):
        return None
    named = attempt.dgs_reference or "whose reference is not known"
    problem = Problem(
        kind=ProblemKind.IN_DOUBT,
        attempt=attempt.number,
        detail=(
            f"attempt {attempt.number} ({named}) is {attempt.state.value} since "
            f"{scope.timing.doubt:g} s: look it up in the portal, and resolve it"
        ),
        noted_at=now,
    )
    change = Change(
        order=attrs.evolve(order, problems=(*order.problems, problem)), problems=(problem,)
    )
    return (yield from write(scope, order, change, None))


def lease_expiring(scope: Scope) -> Script[Order | None]:
    """Lease the order whose time has been over for longest, and with it its attempts' look-ups.

    Not those that `transitions.expire` would leave as they are, for as long as a person may take:
    they would keep the others from their turn.
    """
    row = yield from first(
        "UPDATE dgspay_orders SET expiry_leased_until = {now} + ? WHERE key = ("
        "SELECT key FROM dgspay_orders o WHERE account = ? AND expires_at IS NOT NULL "
        "AND state IN ('open', 'paying') AND expires_at <= {now} "
        "AND (expiry_leased_until IS NULL OR expiry_leased_until <= {now}) "
        "AND NOT EXISTS (SELECT 1 FROM dgspay_order_attempts a WHERE a.order_key = o.key "
        "AND a.under_way = 1 AND (a.state = ? OR a.stale_at > {now})) "
        "ORDER BY expires_at LIMIT 1 {skip}) RETURNING id",
        _EXPIRY_LEASE,
        scope.key,
        AttemptState.HELD.value,
    )
    if row is None:
        return None
    order, _ = yield from load(scope, row[0])
    if open_attempts(order):
        yield from query(
            f"UPDATE dgspay_order_attempts {_LATER} WHERE order_key = ? AND look_at IS NOT NULL "
            "AND dgs_reference IS NOT NULL",
            *_pauses(scope),
            order.key,
        )
    return order


def release_expiring(order: Order) -> Script[None]:
    """Let the next sweep take an order that cannot expire yet."""
    yield from query("UPDATE dgspay_orders SET expiry_leased_until = NULL WHERE key = ?", order.key)


def open_attempts(order: Order) -> list[Attempt]:
    """Return the attempts of an order that may still pay it and can be looked up."""
    return [
        attempt
        for attempt in order.attempts
        if not attempt.is_settled and attempt.dgs_reference is not None
    ]

"""Scripts that read orders, and the lock of the one that is to be changed."""

from __future__ import annotations

from dgspay.checkout.errors import UnknownOrderError
from dgspay.checkout.order import Order, OrderState
from dgspay.checkout.store.protocol import Row, Script, Statement, Together, query
from dgspay.checkout.store.rows import ATTEMPT, ORDER, PROBLEM, REFUND, order_of
from dgspay.checkout.store.scope import Scope

_ORDER = f"SELECT {ORDER}, {{now}} FROM dgspay_orders"


_ATTEMPTS = f"SELECT {ATTEMPT} FROM dgspay_order_attempts WHERE order_key = {{}} ORDER BY number"


_ATTEMPTS_OF_KEY = _ATTEMPTS.format("?")


_ATTEMPTS_OF_ID = _ATTEMPTS.format("(SELECT key FROM dgspay_orders WHERE account = ? AND id = ?)")


_PROBLEMS = f"SELECT {PROBLEM} FROM dgspay_order_problems WHERE order_key = ? ORDER BY key"


_REFUNDS = f"SELECT {REFUND} FROM dgspay_order_refunds WHERE order_key = ? ORDER BY number"


def load(scope: Scope, order_id: str, *, locked: bool = False) -> Script[tuple[Order, float]]:
    """Return an order and the store's time.

    Raises:
        UnknownOrderError: there is none of this id.
    """
    lock = "{lock}" if locked else ""
    values = (scope.key, order_id)
    found, attempts = yield Together(
        (
            Statement(f"{_ORDER} WHERE account = ? AND id = ? {lock}", values),
            Statement(_ATTEMPTS_OF_ID, values),
        )
    )
    if not found:
        raise UnknownOrderError(
            f"there is no order {order_id!r} in this store, for this account and environment. "
            "Nothing was sent: open the order first"
        )
    return (yield from _whole(scope, found[0], attempts))


def load_by_key(
    scope: Scope, key: int, *, locked: bool = False
) -> Script[tuple[Order, float] | None]:
    """Return an order by its number in the store, and the store's time."""
    lock = "{lock}" if locked else ""
    found, attempts = yield Together(
        (
            Statement(f"{_ORDER} WHERE account = ? AND key = ? {lock}", (scope.key, key)),
            Statement(_ATTEMPTS_OF_KEY, (key,)),
        )
    )
    return (yield from _whole(scope, found[0], attempts)) if found else None


def _whole(scope: Scope, row: Row, attempts: list[Row]) -> Script[tuple[Order, float]]:
    key, beside, now = row[0], row[10], row[11]
    # Hardly any order has problems or refunds.
    problems = (yield from query(_PROBLEMS, key)) if beside else []
    refunds = (yield from query(_REFUNDS, key)) if beside else []
    token = scope.page_token(row[1])
    return order_of(row[:11], attempts, problems, refunds, page_token=token), now


def find(scope: Scope, state: OrderState | None, after: int, limit: int) -> Script[list[Order]]:
    """Return orders by their number in the store, newest first."""
    of_state = "" if state is None else "AND state = ?"
    values = () if state is None else (state.value,)
    rows = yield from query(
        f"SELECT id FROM dgspay_orders WHERE account = ? AND key < ? {of_state} "
        "ORDER BY key DESC LIMIT ?",
        scope.key,
        after,
        *values,
        limit,
    )
    found: list[Order] = []
    for (order_id,) in rows:
        order, _ = yield from load(scope, order_id)
        found.append(order)
    return found

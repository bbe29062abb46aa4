"""The script that opens an order, or compares it with what was opened before."""

from __future__ import annotations

from dgspay.checkout.errors import OrderChangedError
from dgspay.checkout.order import Order, OrderState
from dgspay.checkout.store.loading import load
from dgspay.checkout.store.protocol import Script, first
from dgspay.checkout.store.rows import ORDER, details_of, order_of
from dgspay.checkout.store.scope import Scope


def open_order(scope: Scope, order: Order, expires_in: float | None) -> Script[Order]:
    """Write an order down, or return it where it was opened with the same terms.

    Raises:
        OrderChangedError: it was opened with others.
    """
    row = yield from first(
        "INSERT INTO dgspay_orders "
        "(account, id, amount, currency, details, state, created_at, expires_at) "
        "VALUES (?, ?, ?, ?, ?, ?, {now}, "
        + ("?)" if expires_in is None else "{now} + ?)")
        + f" ON CONFLICT (account, id) DO NOTHING RETURNING {ORDER}",
        scope.key,
        order.id,
        f"{order.amount:f}",
        order.currency,
        details_of(order),
        OrderState.OPEN.value,
        order.expires_at if expires_in is None else expires_in,
    )
    if row is not None:
        return order_of(row, page_token=scope.page_token(order.id))
    known, _ = yield from load(scope, order.id)
    ours, theirs = known.terms(), order.terms()
    changed = [name for name, term in ours.items() if term != theirs[name]]
    if changed:
        # Names alone: the customer is not to be read in a log.
        shown = ", ".join(
            f"{name} was {ours[name]} and is {theirs[name]}"
            if name in ("amount", "currency")
            else name
            for name in changed
        )
        raise OrderChangedError(
            f"order {order.id!r} was opened before with other terms: {shown}. Nothing was changed "
            "or sent. Another purchase needs another id"
        )
    return known

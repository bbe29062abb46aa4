"""What the books ask of a store of orders: refunds, whose payment was whose, and kept events."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from dgspay.checkout.order import AttemptState, Refund
from dgspay.checkout.store.protocol import Script, first, query
from dgspay.checkout.store.rows import REFUND, refund_of


@attrs.frozen(kw_only=True)
class OrdersRecord:
    """What a store has recorded of an account.

    Attributes:
        refunds: Every refund, with the id of its order.
        orders: The id of the order, by DGS-Pay's reference of each attempt to pay it.
        paid: Unix time at which an attempt that was paid was asked for, by DGS-Pay's reference.
        events: The raw body of each kept webhook, and the Unix time of its first delivery.
    """

    refunds: Sequence[tuple[str, Refund]] = ()
    orders: dict[str, str] = attrs.field(factory=dict)
    paid: dict[str, float] = attrs.field(factory=dict)
    events: Sequence[tuple[bytes, float]] = attrs.field(default=(), repr=False)


def record_of(environment: str, account_number: str) -> Script[OrdersRecord]:
    """Return what a store has recorded of an account; nothing where it does not know it.

    It only reads, and makes no account.
    """
    row = yield from first(
        "SELECT key FROM dgspay_order_accounts WHERE environment = ? AND account_number = ?",
        environment,
        account_number,
    )
    if row is None:
        return OrdersRecord()
    key = row[0]
    columns = ", ".join(f"r.{column.strip()}" for column in REFUND.split(","))
    refunds = yield from query(
        f"SELECT o.id, {columns} FROM dgspay_order_refunds r "
        "JOIN dgspay_orders o ON o.key = r.order_key WHERE r.account = ? ORDER BY r.asked_at",
        key,
    )
    attempts = yield from query(
        "SELECT a.dgs_reference, o.id, a.state, a.asked_at FROM dgspay_order_attempts a "
        "JOIN dgspay_orders o ON o.key = a.order_key "
        "WHERE a.account = ? AND a.dgs_reference IS NOT NULL",
        key,
    )
    events = yield from query(
        "SELECT body, received_at FROM dgspay_order_events WHERE account = ? ORDER BY key", key
    )
    return OrdersRecord(
        refunds=[(row[0], refund_of(row[1:])) for row in refunds],
        orders={reference: order_id for reference, order_id, _, _ in attempts},
        paid={
            reference: asked_at
            for reference, _, state, asked_at in attempts
            if state == AttemptState.PAID.value
        },
        events=[(bytes(body), received_at) for body, received_at in events],
    )

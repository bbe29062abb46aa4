"""Orders: every payment a shop takes is taken once, and no order is lost.

    checkout = AsyncCheckout(
        dgs, SqliteOrders("orders.sqlite3"), secret=SECRET, url="https://shop.example/dgspay"
    )

    @checkout.on_paid
    async def ship(order: Order) -> None: ...          # once for each order

    order = await checkout.open("2026-1234", amount=2000, customer=jane)
    order = await checkout.pay_by_mobile_money(order.id, phone="0788123456", network="MTN")

`Checkout` has the same methods without `await`. An attempt is on disk as in doubt before its first
byte leaves; one attempt of an order is under way at a time, across threads, processes and machines;
webhook, look-up, answer and a person merge in any order; what does not fit is a problem with a way
out, never a silent loss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dgspay import _lazy

if TYPE_CHECKING:
    from dgspay.checkout.checkout import AsyncCheckout, Checkout
    from dgspay.checkout.errors import (
        CheckoutError,
        OrderChangedError,
        OrderClosedError,
        OrdersError,
        RefundError,
        StepOverError,
        TooManyAttemptsError,
        UnknownOrderError,
    )
    from dgspay.checkout.health import Health
    from dgspay.checkout.journal import KeptEvent
    from dgspay.checkout.order import (
        AddressRequired,
        ApprovalRequired,
        Attempt,
        AttemptAction,
        AttemptState,
        Method,
        Order,
        OrderState,
        OtpRequired,
        PinRequired,
        Problem,
        ProblemKind,
        RedirectRequired,
        Refund,
        RefundState,
        StepUnknown,
    )
    from dgspay.checkout.store.postgres import PostgresOrders
    from dgspay.checkout.store.protocol import AsyncOrdersStore, OrdersStore
    from dgspay.checkout.store.scope import Limits, Timing
    from dgspay.checkout.store.sqlite import SqliteOrders
    from dgspay.checkout.sweeping import Sweep

_HOME = {
    "checkout": "AsyncCheckout Checkout",
    "errors": (
        "CheckoutError OrderChangedError OrderClosedError OrdersError RefundError StepOverError "
        "TooManyAttemptsError UnknownOrderError"
    ),
    "health": "Health",
    "journal": "KeptEvent",
    "order": (
        "AddressRequired ApprovalRequired Attempt AttemptAction AttemptState Method Order "
        "OrderState OtpRequired PinRequired Problem ProblemKind RedirectRequired Refund "
        "RefundState StepUnknown"
    ),
    "store.postgres": "PostgresOrders",
    "store.protocol": "AsyncOrdersStore OrdersStore",
    "store.scope": "Limits Timing",
    "store.sqlite": "SqliteOrders",
    "sweeping": "Sweep",
}

__all__ = [
    "AddressRequired",
    "ApprovalRequired",
    "AsyncCheckout",
    "AsyncOrdersStore",
    "Attempt",
    "AttemptAction",
    "AttemptState",
    "Checkout",
    "CheckoutError",
    "Health",
    "KeptEvent",
    "Limits",
    "Method",
    "Order",
    "OrderChangedError",
    "OrderClosedError",
    "OrderState",
    "OrdersError",
    "OrdersStore",
    "OtpRequired",
    "PinRequired",
    "PostgresOrders",
    "Problem",
    "ProblemKind",
    "RedirectRequired",
    "Refund",
    "RefundError",
    "RefundState",
    "SqliteOrders",
    "StepOverError",
    "StepUnknown",
    "Sweep",
    "Timing",
    "TooManyAttemptsError",
    "UnknownOrderError",
]


__getattr__ = _lazy.attach(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted(__all__)

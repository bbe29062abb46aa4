"""Refunds of the books, and what the webhooks say that a shop has kept with its orders."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from functools import partial

import attrs

from dgspay import errors
from dgspay.books.movement import Doubt, Kind, Movement, conversion, credit_of
from dgspay.books.sources import Found, counted
from dgspay.checkout import OrdersStore, Refund, RefundState
from dgspay.checkout.bookkeeping import record_of
from dgspay.money import exact_difference
from dgspay.settings import Settings
from dgspay.webhooks import (
    ConversionSucceeded,
    DisbursementSucceeded,
    Event,
    PaymentSucceeded,
)
from dgspay.webhooks.events import read_event

_CURRENCY = "RWF"


@attrs.frozen(kw_only=True)
class FromOrders:
    """What a store of orders knows.

    Attributes:
        found: Refunds, conversions, and payouts that no ledger has.
        orders: The id of the order, by DGS-Pay's reference of a payment.
        paid: Unix time at which what was paid was asked for, by DGS-Pay's reference.
        credits: What the wallet was credited with for a payment, by its reference.
    """

    found: Found = attrs.field(factory=Found)
    orders: Mapping[str, str] = attrs.field(factory=dict)
    paid: Mapping[str, float] = attrs.field(factory=dict)
    credits: Mapping[str, Decimal] = attrs.field(factory=dict)


def orders_in(store: OrdersStore, settings: Settings, known: Collection[str]) -> FromOrders:
    """Return what a store of orders knows of an account.

    Args:
        store: The store.
        settings: The account's.
        known: References of payouts that ledgers have.
    """
    record = store.run(partial(record_of, settings.environment, settings.account_number))
    found = Found()
    for order_id, refund in record.refunds:
        _add_refund(found, order_id, refund)
    credits_: dict[str, Decimal] = {}
    unread = 0
    for body, received_at in record.events:
        try:
            event = read_event(body)
        except errors.DecodeError:
            unread += 1
            continue
        _add_event(found, event, received_at, known, credits_)
    if unread:
        found.notes.append(
            f"left out, because dgspay cannot read them: {counted(unread, 'kept webhook')}"
        )
    return FromOrders(found=found, orders=record.orders, paid=record.paid, credits=credits_)


def _add_refund(found: Found, order_id: str, refund: Refund) -> None:
    name = refund.dgs_reference or f"{order_id} refund {refund.number}"
    if refund.dgs_reference is not None:
        found.references.add(refund.dgs_reference)
    match refund.state:
        case RefundState.IN_DOUBT:
            found.doubts.append(
                Doubt(
                    at=refund.asked_at,
                    reference=name,
                    currency=_CURRENCY,
                    wallet=refund.gross.copy_negate(),
                    reason="it is not known whether this refund was made",
                )
            )
        case RefundState.PENDING | RefundState.PAID:
            found.movements.append(
                Movement(
                    at=refund.asked_at,
                    kind=Kind.REFUND,
                    reference=name,
                    currency=_CURRENCY,
                    wallet=refund.gross.copy_negate(),
                    fee=exact_difference(refund.gross, refund.amount),
                    text=" ".join(filter(None, (f"order {order_id}", refund.note))),
                )
            )
        case RefundState.FAILED:
            pass


def _add_event(
    found: Found, event: Event, at: float, known: Collection[str], credits_: dict[str, Decimal]
) -> None:
    match event:
        case PaymentSucceeded():
            credited = credit_of(event.amount, event.merchant_fee, event.net_amount)
            if credited is not None:
                credits_[event.dgs_reference] = credited
        case ConversionSucceeded() if event.dgs_reference not in found.references:
            found.references.add(event.dgs_reference)
            found.movements += conversion(
                at=at,
                reference=event.dgs_reference,
                out=(event.from_amount, event.from_currency),
                into=(event.to_amount, event.to_currency),
            )
        case DisbursementSucceeded() if (
            event.dgs_reference not in known and event.dgs_reference not in found.references
        ):
            found.references.add(event.dgs_reference)
            found.movements.append(
                Movement(
                    at=at,
                    kind=Kind.PAYOUT,
                    reference=event.dgs_reference,
                    currency=event.currency,
                    wallet=event.amount.copy_negate(),
                    fee=event.fee,
                    text="in no ledger: known from its webhook",
                )
            )
        case _:
            pass

"""Rows of a store as the values they stand for, and back."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import attrs

from dgspay.checkout.evidence import action_from_json, action_to_json
from dgspay.checkout.order import (
    Attempt,
    AttemptState,
    Method,
    Order,
    OrderState,
    Problem,
    ProblemKind,
    Refund,
    RefundState,
)
from dgspay.checkout.store.protocol import Row
from dgspay.models.customers import Customer
from dgspay.models.recipients import BankRecipient, MobileMoneyRecipient

ORDER = (
    "key, id, amount, currency, details, state, created_at, expires_at, paid_at, told_at, beside"
)
ATTEMPT = (
    "number, method, state, under_way, dgs_reference, action, step, lost_step, reason, network, "
    "phone, asked_at, stale_at, amount, currency"
)
PROBLEM = "key, kind, subject, detail, noted_at, resolution"
REFUND = "number, amount, gross, state, attempt, recipient, dgs_reference, reason, note, asked_at"


def details_of(order: Order) -> str:
    """Return what of an order is neither asked for nor changed by the store, as JSON."""
    return _to_json(
        {
            "customer": attrs.asdict(order.customer),
            "description": order.description,
            "metadata": dict(order.metadata),
            "redirect_url": order.redirect_url,
        }
    )


def order_of(
    row: Row,
    attempts: Iterable[Row] = (),
    problems: Iterable[Row] = (),
    refunds: Iterable[Row] = (),
    *,
    page_token: str = "",
) -> Order:
    """Return an order from its rows."""
    key, name, amount, currency, details, state, created, expires, paid, told, _ = row
    customer, description, metadata, redirect_url = _details(details)
    return Order(
        key=key,
        id=name,
        amount=Decimal(amount),
        currency=currency,
        customer=customer,
        description=description,
        metadata=dict(metadata),
        redirect_url=redirect_url,
        state=OrderState(state),
        attempts=tuple(map(attempt_of, attempts)),
        problems=tuple(map(problem_of, problems)),
        refunds=tuple(map(refund_of, refunds)),
        created_at=created,
        expires_at=expires,
        paid_at=paid,
        told_at=told,
        page_token=page_token,
    )


@functools.lru_cache(maxsize=256)
def _details(text: str) -> tuple[Customer, str | None, Mapping[str, str], str | None]:
    """Read what never changes of an order, once for the few loads of one payment."""
    held = json.loads(text)
    customer = Customer(**held["customer"])
    return customer, held.get("description"), held.get("metadata", {}), held.get("redirect_url")


def attempt_of(row: Row) -> Attempt:
    """Return an attempt from its row."""
    number, method, state, under_way, reference, action, step, lost, reason, network, phone = row[
        :11
    ]
    asked_at, stale_at, amount, currency = row[11:15]
    return Attempt(
        number=number,
        method=Method(method),
        state=AttemptState(state),
        is_under_way=bool(under_way),
        dgs_reference=reference,
        next_action=action_from_json(None if action is None else json.loads(action)),
        step=step,
        has_lost_step=bool(lost),
        reason=reason,
        network=network,
        phone=phone,
        asked_at=asked_at,
        stale_at=stale_at,
        amount=None if amount is None else Decimal(amount),
        currency=currency,
    )


def attempt_values(attempt: Attempt) -> tuple[object, ...]:
    """Return what may change of an attempt, in the order of `CHANGING`."""
    action = action_to_json(attempt.next_action)
    return (
        attempt.state.value,
        int(attempt.is_under_way),
        attempt.dgs_reference,
        None if action is None else _to_json(action),
        attempt.step,
        int(attempt.has_lost_step),
        attempt.reason,
        None if attempt.amount is None else f"{attempt.amount:f}",
        attempt.currency,
    )


CHANGING = (
    "state = ?, under_way = ?, dgs_reference = ?, action = ?, step = ?, lost_step = ?, reason = ?, "
    "amount = ?, currency = ?"
)


def problem_of(row: Row) -> Problem:
    """Return a problem from its row."""
    key, kind, subject, detail, noted_at, resolution = row
    return Problem(
        key=key,
        kind=ProblemKind(kind),
        attempt=subject,
        detail=detail,
        noted_at=noted_at,
        resolution=resolution,
    )


def refund_of(row: Row) -> Refund:
    """Return a refund from its row."""
    number, amount, gross, state, attempt, recipient, reference, reason, note, asked_at = row
    return Refund(
        number=number,
        amount=Decimal(amount),
        gross=Decimal(gross),
        state=RefundState(state),
        attempt=attempt,
        recipient=_recipient_of(json.loads(recipient)),
        dgs_reference=reference,
        reason=reason,
        note=note,
        asked_at=asked_at,
    )


def recipient_to_json(recipient: BankRecipient | MobileMoneyRecipient) -> str:
    """Return a recipient as it is stored."""
    kind = "bank" if isinstance(recipient, BankRecipient) else "mobile_money"
    return _to_json({"kind": kind, **attrs.asdict(recipient)})


def _recipient_of(stored: dict[str, Any]) -> BankRecipient | MobileMoneyRecipient:
    kind = stored.pop("kind")
    return BankRecipient(**stored) if kind == "bank" else MobileMoneyRecipient(**stored)


def _to_json(value: Mapping[str, Any]) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # Half of a character, which no database holds, is escaped.
    return text if text.isprintable() else json.dumps(value, separators=(",", ":"))

"""Interface of the simulated handset: how a payment stands, and the payer's decision on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dgspay.emulator.api import schema
from dgspay.emulator.api.call import Call
from dgspay.emulator.domain.decisions import approve, decline
from dgspay.emulator.domain.records import Payment
from dgspay.emulator.domain.settlement import settle_payment
from dgspay.emulator.http import invalid, not_found
from dgspay.models.enums import PaymentStatus

DECISION: Final = schema.choice("decision", ("approve", "decline"))

CUSTOMER_DECLINED: Final = "Customer rejected the request"


def show(call: Call) -> Mapping[str, Any]:
    """Return how a payment stands."""
    return _state_of(_payment(call))


def decide(call: Call) -> Mapping[str, Any]:
    """Approve or decline a pending payment, as the payer does on the handset."""
    payment = _payment(call)
    decision = call.fields[DECISION]
    if payment.status is not PaymentStatus.PENDING or payment.awaits:
        raise invalid("This payment awaits no decision")
    if decision == "decline":
        decline(call.account, payment.dgs_reference, CUSTOMER_DECLINED)
    elif payment.verdict is None:
        approve(call.account, payment.dgs_reference)
    else:
        # A magic phone number has planned how its payment ends.
        settle_payment(call.account, payment)
    call.record(payment.dgs_reference, payment.amount, payment.currency)
    return _state_of(payment)


def _state_of(payment: Payment) -> Mapping[str, Any]:
    is_failed = payment.status is PaymentStatus.FAILED and payment.verdict is not None
    return {
        "status": payment.status,
        "awaits": payment.awaits[0] if payment.awaits else None,
        "reason": payment.verdict.processor_response if is_failed and payment.verdict else None,
        "redirect_url": payment.redirect_url,
    }


def _payment(call: Call) -> Payment:
    reference = call.values["reference"]
    payment = call.account.payment(reference)
    if payment is None or payment.dgs_reference != reference:
        raise not_found("payment")
    return payment

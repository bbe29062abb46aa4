"""Interface of the hosted payment page: start a payment, follow it, take its next step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dgspay.emulator.api import card_charges, mobile_money_charges, schema
from dgspay.emulator.api.authorize import take_step
from dgspay.emulator.api.call import Call
from dgspay.emulator.api.fields import Fields
from dgspay.emulator.domain.decisions import approve, decline
from dgspay.emulator.domain.payment_links import (
    PAYMENT_TYPES,
    LinkNotPayableError,
    begin,
    link_status,
    new_payment,
)
from dgspay.emulator.domain.records import Link, Payer, Payment
from dgspay.emulator.domain.settlement import settle_payment
from dgspay.emulator.http import RefusedError, invalid, not_found
from dgspay.models.enums import PaymentMethod, PaymentStatus
from dgspay.models.phones import mobile_local

PAYMENT_TYPE: Final = schema.choice("payment_type", PAYMENT_TYPES)
AMOUNT: Final = schema.optional(schema.amount("amount"))
NAME: Final = schema.text("name", longest=200)
PHONE: Final = schema.text("phone")
ADDRESS: Final = schema.text("address", longest=400)
EMAIL: Final = schema.optional(schema.text("email"))
DECISION: Final = schema.choice("decision", ("approve", "decline"))

CUSTOMER_DECLINED = "Customer rejected the request"


def start(call: Call) -> Mapping[str, Any]:
    """Start the payment of a link, as its page asks for it."""
    account = call.account
    link = account.link(call.values["slug"])
    if link is None:
        raise not_found("payment link")
    method = PaymentMethod(call.fields[PAYMENT_TYPE])
    payer = _read_payer(call.fields, link)
    try:
        amount = call.fields[AMOUNT]
        payment = new_payment(account, link, method, amount, payer)
    except LinkNotPayableError as error:
        raise RefusedError(
            "90", _sentence(str(error)), link_status=link_status(account, link)
        ) from None
    if method is PaymentMethod.CARD:
        try:
            card_charges.read(call, payment)
        except card_charges.UnknownCardError:
            approved, _ = card_charges.card_stories()[0]
            words = f"Only test cards work here, such as {card_charges.grouped(approved)}."
            raise invalid(words) from None
        begin(account, link, payment)
        card_charges.start(account, payment)
    elif method is PaymentMethod.MOBILE_MONEY:
        behaviour = mobile_money_charges.read(call, payment)
        begin(account, link, payment)
        mobile_money_charges.start(account, payment, behaviour)
    else:
        begin(account, link, payment)
        account.settle_later(payment.dgs_reference)
    call.record(payment.dgs_reference, payment.amount, payment.currency)
    return state_of(payment)


def show(call: Call) -> Mapping[str, Any]:
    """Return the status of a payment."""
    return state_of(_payment(call))


def step(call: Call) -> Mapping[str, Any]:
    """Take the PIN, OTP or address a card payment awaits."""
    payment = _payment(call)
    take_step(call, payment)
    call.record(payment.dgs_reference, payment.amount, payment.currency)
    return state_of(payment)


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
    return state_of(payment)


def state_of(payment: Payment) -> Mapping[str, Any]:
    """Return how a payment stands, as far as the payer may see it."""
    state: dict[str, Any] = {
        "reference": payment.dgs_reference,
        "status": payment.status,
        "payment_type": payment.method,
        "awaits": payment.awaits[0] if payment.awaits else None,
        "amount": payment.amount,
        "currency": payment.currency,
        "redirect_url": payment.redirect_url,
    }
    if payment.phone is not None:
        state |= {"network": payment.network, "phone": payment.phone}
    if payment.status is PaymentStatus.FAILED and payment.verdict is not None:
        state["reason"] = payment.verdict.processor_response
    return state


def _payment(call: Call) -> Payment:
    reference = call.values["reference"]
    payment = call.account.payment(reference)
    if payment is None or payment.dgs_reference != reference:
        raise not_found("payment")
    return payment


def _read_payer(fields: Fields, link: Link) -> Payer:
    """Read what the link asks its payer for (guide, "Create a Payment Link")."""
    terms = link.terms
    first, last = "Test", "Payer"
    if terms.get("collect_name", True):
        first, _, last = fields[NAME].strip().partition(" ")
    phone = None
    if terms.get("collect_phone", True):
        try:
            phone = mobile_local(fields[PHONE], field="phone")
        except ValueError as error:
            raise invalid(str(error)) from None
    address = fields[ADDRESS] if terms.get("collect_address") else None
    return Payer(fields[EMAIL] or "payer@example.com", first, last, phone, "250", address)


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."

"""`POST /charges`: the common part of both kinds of collection, and the answer."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Final

from dgspay.emulator.api import card_charges, mobile_money_charges, schema
from dgspay.emulator.api.call import Call
from dgspay.emulator.api.fields import Form
from dgspay.emulator.domain.account import Account
from dgspay.emulator.domain.records import Payer, Payment
from dgspay.models.enums import PaymentMethod, PaymentStatus
from dgspay.secret import masked_data

REDIRECT_PATH: Final = "/generation/authorize"

# The words of `next_action_type`: the guide shows `redirect_url` only, the rest is upstream's.
NEXT_ACTIONS: Final[Mapping[str, str]] = {
    "pin": "requires_pin",
    "otp": "requires_otp",
    "avs": "requires_additional_fields",
}

PAYMENT_TYPE: Final = schema.choice("payment_type", ("mobile_money", "card"))
AMOUNT: Final = schema.amount("amount", 2000)
CURRENCY: Final = schema.currency("currency")
EMAIL: Final = schema.email("customer_email", "jane.doe@example.com")
FIRST_NAME: Final = schema.text("customer_first_name", example="Jane")
LAST_NAME: Final = schema.text("customer_last_name", example="Doe")
PHONE: Final = schema.matching("customer_phone", r"[0-9]{6,15}", "789654321")
COUNTRY_CODE: Final = schema.matching("customer_phone_country_code", r"[1-9][0-9]{0,3}", "250")
NARRATION: Final = schema.optional(schema.text("narration", example="Payment for Invoice #5678"))
REDIRECT_URL: Final = schema.url("redirect_url", "https://yourdomain.com/payment-success")
CALLBACK_URL: Final = schema.optional(schema.url("callback_url"))
_SHARED: Final = (
    AMOUNT,
    CURRENCY,
    EMAIL,
    FIRST_NAME,
    LAST_NAME,
    PHONE,
    COUNTRY_CODE,
    NARRATION,
    REDIRECT_URL,
    CALLBACK_URL,
)
FORMS: Final = tuple(
    Form(word, (schema.only(PAYMENT_TYPE, word), *_SHARED, *own))
    for word, own in (
        ("mobile_money", mobile_money_charges.FIELDS),
        ("card", card_charges.FIELDS),
    )
)


def create(call: Call) -> Mapping[str, Any]:
    """Start a collection by mobile money or card."""
    method = PaymentMethod(call.fields[PAYMENT_TYPE])
    payment = _read(call, method)
    if method is PaymentMethod.CARD:
        card_charges.charge(call, payment)
    else:
        mobile_money_charges.charge(call, payment)
    call.record(payment.dgs_reference, payment.amount, payment.currency)
    return charge_answer(call.account, payment)


def _read(call: Call, method: PaymentMethod) -> Payment:
    """Read the fields every charge has."""
    fields = call.fields
    account = call.account
    amount, currency = fields[AMOUNT], fields[CURRENCY]
    payer = Payer(
        fields[EMAIL],
        # Names come again and again: kept once, they cost next to nothing.
        sys.intern(fields[FIRST_NAME]),
        sys.intern(fields[LAST_NAME]),
        fields[PHONE],
        fields[COUNTRY_CODE],
    )
    narration = fields[NARRATION]
    redirect_url = fields[REDIRECT_URL]
    callback_url = fields[CALLBACK_URL]
    return Payment(
        id=account.identifiers.uuid(),
        dgs_reference=f"dgs_{account.new_number('dgs_')}",
        flw_reference=f"flw_{account.new_number('flw_')}",
        method=method,
        amount=amount,
        currency=currency,
        payer=payer,
        created_at=account.clock.time(),
        redirect_url=redirect_url,
        callback_url=callback_url,
        # Masked, because people do paste card numbers into notes.
        narration=None if narration is None else masked_data(narration),
    )


def charge_answer(account: Account, payment: Payment) -> Mapping[str, Any]:
    """Answer as the guide does in each of the three states."""
    if payment.status is PaymentStatus.FAILED:
        return {**_heading(payment, "failed", "Charge failed"), **declined_fields(payment)}
    if payment.status is PaymentStatus.SUCCESSFUL:
        return {
            **_heading(payment, "success", "Payment completed"),
            **mobile_money_fields(payment),
        }
    return {
        **_heading(payment, "success", "Charge initiated"),
        **_next_action(account, payment),
    }


def _heading(payment: Payment, status: str, message: str) -> dict[str, Any]:
    return {
        "status": status,
        "message": message,
        "transaction_id": payment.transaction_id,
        "dgs_reference": payment.dgs_reference,
        "amount": payment.amount,
        "currency": payment.currency,
        "transaction_status": payment.status,
        "payment_method_type": payment.method,
    }


def _next_action(account: Account, payment: Payment) -> dict[str, Any]:
    if payment.awaits:
        return {"next_action_type": NEXT_ACTIONS[payment.awaits[0]]}
    return {
        "next_action_type": "redirect_url",
        "next_action_redirect_url": f"{account.origin}{REDIRECT_PATH}/{payment.dgs_reference}",
        "display_text": "Complete payment on your mobile device",
    }


def mobile_money_fields(payment: Payment) -> dict[str, Any]:
    """Return the fields that name the handset; none for a card."""
    if payment.method is not PaymentMethod.MOBILE_MONEY or payment.phone is None:
        return {}
    return {
        "mobile_money_network": payment.network,
        "mobile_money_phone": payment.phone,
        "mobile_money_country_code": payment.payer.phone_country_code,
    }


def declined_fields(payment: Payment) -> dict[str, Any]:
    """Return the guide's three fields about a decline; none when there was none."""
    if payment.status is not PaymentStatus.FAILED or payment.verdict is None:
        return {}
    return {
        "issuer_response_type": payment.verdict.issuer_response_type,
        "issuer_response_code": payment.verdict.issuer_response_code,
        "processor_response": payment.verdict.processor_response,
    }

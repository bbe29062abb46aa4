"""`POST /authorize`: the PIN, OTP or address of a card payment (guide, "Payment Authorization")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from dgspay.emulator.api import schema
from dgspay.emulator.api.call import Call
from dgspay.emulator.api.card_charges import (
    INCORRECT_PIN,
    INVALID_OTP,
    OTP,
    PIN,
    decrypted,
    encrypted,
    nonce,
)
from dgspay.emulator.api.charges import charge_answer
from dgspay.emulator.api.fields import Form
from dgspay.emulator.domain.records import Decline, Payment
from dgspay.emulator.domain.settlement import decline_payment, settle_payment
from dgspay.emulator.http import invalid, not_found
from dgspay.models.enums import PaymentMethod, PaymentStatus

REFERENCE: Final = schema.text("dgs_reference", example="dgs_123456789")
STEP: Final = schema.choice("auth_type", ("pin", "otp", "avs"))
ENCRYPTED_PIN: Final = encrypted("auth_pin_encrypted")
PIN_NONCE: Final = nonce("auth_pin_nonce")
ONE_TIME_PASSWORD: Final = schema.text("auth_otp", example=OTP)
ADDRESS: Final = (
    schema.text("avs_line1", example="123 Main Street"),
    schema.matching("avs_country", r"[A-Z]{2}", "RW"),
    schema.optional(schema.text("avs_line2", example="Apt 4B")),
    schema.optional(schema.text("avs_city", example="Kigali")),
    schema.optional(schema.text("avs_state", example="Kigali City")),
    schema.optional(schema.text("avs_postal_code", example="00000")),
)
FORMS: Final = tuple(
    Form(word, (REFERENCE, schema.only(STEP, word), *own))
    for word, own in (
        ("pin", (ENCRYPTED_PIN, PIN_NONCE)),
        ("otp", (ONE_TIME_PASSWORD,)),
        ("avs", ADDRESS),
    )
)


def create(call: Call) -> Mapping[str, Any]:
    """Take the next step of a card payment; after the last the issuer decides."""
    payment = _awaiting(call)
    take_step(call, payment)
    call.record(payment.dgs_reference, payment.amount, payment.currency)
    return charge_answer(call.account, payment)


def take_step(call: Call, payment: Payment) -> None:
    """Check what the payer entered for the step that is next, and move on or decline."""
    if payment.status is not PaymentStatus.PENDING or not payment.awaits:
        raise invalid("dgs_reference is a payment that awaits no authorization")
    step = call.fields[STEP]
    if step != payment.awaits[0]:
        raise invalid(f"auth_type must be {payment.awaits[0]}, which this payment awaits")
    verdict = _STEPS[step](call, payment)
    if verdict is not None:
        decline_payment(call.account, payment, verdict)
    else:
        payment.awaits = payment.awaits[1:]
        call.account.touch("payment", payment.dgs_reference, payment)
        if not payment.awaits:
            settle_payment(call.account, payment)


def _awaiting(call: Call) -> Payment:
    reference = call.fields[REFERENCE]
    payment = call.account.payment(reference)
    if payment is None or payment.dgs_reference != reference:
        raise not_found("transaction")
    if payment.method is not PaymentMethod.CARD:
        raise invalid("dgs_reference is not a card payment")
    return payment


def _pin(call: Call, payment: Payment) -> Decline | None:
    pin = decrypted(call, ENCRYPTED_PIN, PIN_NONCE)
    # `issuer:incorrect_pin` applies here, whatever the PIN.
    wrong = pin.reveal() != PIN or payment.verdict == INCORRECT_PIN
    return INCORRECT_PIN if wrong else None


def _otp(call: Call, payment: Payment) -> Decline | None:
    return None if call.fields[ONE_TIME_PASSWORD] == OTP else INVALID_OTP


def _avs(call: Call, payment: Payment) -> Decline | None:
    for field in ADDRESS:
        _ = call.fields[field]
    return None


_STEPS: Final[Mapping[str, Callable[[Call, Payment], Decline | None]]] = {
    "pin": _pin,
    "otp": _otp,
    "avs": _avs,
}

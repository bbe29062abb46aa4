"""`POST /authorize`: the PIN, OTP or address of a card payment (guide, "Payment Authorization")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from dgspay.emulator.api.call import Call
from dgspay.emulator.api.card_charges import INCORRECT_PIN, INVALID_OTP, OTP, PIN, decrypted
from dgspay.emulator.api.charges import charge_answer
from dgspay.emulator.domain.records import Decline, Payment
from dgspay.emulator.domain.settlement import decline_payment, settle_payment
from dgspay.emulator.http import invalid, not_found
from dgspay.models.enums import PaymentMethod, PaymentStatus


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
    step = call.fields.choice("auth_type", tuple(_STEPS))
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
    reference = call.fields.text("dgs_reference")
    payment = call.account.payment(reference)
    if payment is None or payment.dgs_reference != reference:
        raise not_found("transaction")
    if payment.method is not PaymentMethod.CARD:
        raise invalid("dgs_reference is not a card payment")
    return payment


def _pin(call: Call, payment: Payment) -> Decline | None:
    pin = decrypted(call, "auth_pin_encrypted", "auth_pin_nonce")
    # `issuer:incorrect_pin` strikes here, whatever the PIN.
    wrong = pin.reveal() != PIN or payment.verdict == INCORRECT_PIN
    return INCORRECT_PIN if wrong else None


def _otp(call: Call, payment: Payment) -> Decline | None:
    return None if call.fields.text("auth_otp") == OTP else INVALID_OTP


def _avs(call: Call, payment: Payment) -> Decline | None:
    fields = call.fields
    fields.text("avs_line1")
    fields.digits("avs_country", r"[A-Z]{2}", "RW")
    for name in ("avs_line2", "avs_city", "avs_state", "avs_postal_code"):
        fields.optional_text(name)
    return None


_STEPS: Final[Mapping[str, Callable[[Call, Payment], Decline | None]]] = {
    "pin": _pin,
    "otp": _otp,
    "avs": _avs,
}

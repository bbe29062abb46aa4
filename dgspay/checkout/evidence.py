"""What an answer, an error, a look-up or an event means for an attempt or a refund."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from dgspay import Charge, Disbursement, Transaction, errors
from dgspay.checkout.transitions import Evidence, Learned, Source
from dgspay.errors import Outcome
from dgspay.models.characters import printable
from dgspay.models.enums import CallStatus
from dgspay.models.next_actions import (
    AddressRequired,
    NextAction,
    OtpRequired,
    PinRequired,
    RedirectRequired,
    UnknownAction,
)
from dgspay.models.reported import usable_reference
from dgspay.models.standing import Standing
from dgspay.webhooks import (
    DisbursementFailed,
    DisbursementSucceeded,
    PaymentFailed,
    PaymentSucceeded,
)

PaymentEvent = PaymentSucceeded | PaymentFailed
RefundEvent = DisbursementSucceeded | DisbursementFailed

DECLINED = "declined"


def evidence_of_charge(charge: Charge) -> Evidence:
    """Return what an answer of a charge or of a step says (guide, "Completion Criteria")."""
    return _evidence(
        charge.standing,
        Source.ANSWER,
        reference=charge.dgs_reference,
        amount=charge.amount,
        currency=charge.currency,
        action=charge.next_action,
        reason=_reason(charge.issuer_response_code or charge.processor_response),
    )


def evidence_of_error(error: errors.DGSPayError) -> Evidence:
    """Return what an error of a charge says.

    A key that was used before is this very attempt's: it follows from order and number. It may
    have been charged before a store was restored, so that is no failure.
    """
    named = usable_reference(getattr(error, "dgs_reference", None))
    if error.outcome is Outcome.UNKNOWN or isinstance(error, errors.IdempotencyError):
        return Evidence(learned=Learned.NOTHING, source=Source.ANSWER, dgs_reference=named)
    if error.outcome is Outcome.NOT_SENT:
        return Evidence(learned=Learned.NOT_SENT, source=Source.ANSWER, reason="not_sent")
    return Evidence(
        learned=Learned.FAILED, source=Source.ANSWER, dgs_reference=named, reason=rejection(error)
    )


def rejection(error: errors.DGSPayError) -> str:
    """Return the vendor's no as a code for programs, such as `rejected:90`."""
    code = error.error_code if isinstance(error, errors.APIError) else None
    return "rejected" if code is None else f"rejected:{code}"


def evidence_of_look_up(transaction: Transaction) -> Evidence:
    """Return what a look-up says (guide, "Transactions")."""
    return _evidence(
        transaction.standing,
        Source.LOOK_UP,
        reference=transaction.dgs_reference,
        amount=transaction.amount,
        currency=transaction.currency,
        action=_action_in(transaction.extra),
        reason=_reason(transaction.processor_response),
    )


def evidence_of_event(event: PaymentEvent | RefundEvent) -> Evidence:
    """Return what a verified event says (guide, "Payment Event Payloads")."""
    failure = event.fail_reason if isinstance(event, DisbursementFailed) else None
    return _evidence(
        event.standing,
        Source.WEBHOOK,
        reference=event.dgs_reference,
        amount=event.amount,
        currency=event.currency,
        action=None,
        reason=_reason(failure),
    )


def evidence_of_disbursement(disbursement: Disbursement) -> Evidence:
    """Return what the answer to a refund says: it was queued, or declined at once.

    A word of success in it is no payment yet (guide, "Disbursement Webhook").
    """
    learned = Learned.FAILED if disbursement.is_declined else Learned.PENDING
    return Evidence(
        learned=learned,
        source=Source.ANSWER,
        dgs_reference=usable_reference(disbursement.dgs_reference),
        reason=_reason(disbursement.fail_reason) if learned is Learned.FAILED else None,
    )


def said_by_person(*, is_paid: bool) -> Evidence:
    """Return what a person says who has looked into the merchant portal."""
    return Evidence(
        learned=Learned.PAID if is_paid else Learned.FAILED,
        source=Source.PERSON,
        reason=None if is_paid else "person",
    )


def _evidence(
    standing: Standing,
    source: Source,
    *,
    reference: str | None,
    amount: Decimal | None,
    currency: str | None,
    action: NextAction | None,
    reason: str,
) -> Evidence:
    named = usable_reference(reference)
    currency = None if currency is None else printable(currency)[:_LONGEST_CURRENCY]
    if standing is Standing.PAID:
        return Evidence(
            learned=Learned.PAID,
            source=source,
            dgs_reference=named,
            amount=amount,
            currency=currency,
        )
    if standing is Standing.FAILED:
        return Evidence(learned=Learned.FAILED, source=source, dgs_reference=named, reason=reason)
    if standing is Standing.PENDING and action is not None:
        return Evidence(
            learned=Learned.ACTION, source=source, dgs_reference=named, next_action=action
        )
    learned = Learned.PENDING if standing is Standing.PENDING else Learned.NOTHING
    return Evidence(learned=learned, source=source, dgs_reference=named)


def _reason(said: object) -> str:
    words = said.strip()[:_LONGEST_REASON] if isinstance(said, str) else ""
    return printable(words) or DECLINED


_LONGEST_REASON = 200
_LONGEST_CURRENCY = 16


def _action_in(extra: Mapping[str, Any]) -> NextAction | None:
    """Return the next action a look-up reports; the guide shows none, a server may give one."""
    kind = extra.get("next_action_type")
    if not isinstance(kind, str) or not kind:
        return None
    return Charge(
        status=CallStatus.PENDING,
        dgs_reference="-",
        next_action_type=kind,
        next_action_redirect_url=_text(extra.get("next_action_redirect_url")),
        display_text=_text(extra.get("display_text")),
    ).next_action


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


_ACTIONS: dict[str, type[PinRequired | OtpRequired | AddressRequired]] = {
    "pin": PinRequired,
    "otp": OtpRequired,
    "address": AddressRequired,
}


def action_to_json(action: NextAction | None) -> dict[str, str] | None:
    """Return a next action as it is stored and sent to a page."""
    match action:
        case None:
            return None
        case PinRequired():
            found = {"type": "pin"}
        case OtpRequired():
            found = {"type": "otp"}
        case AddressRequired():
            found = {"type": "address"}
        case RedirectRequired(url=url):
            found = {"type": "redirect", "url": url}
        case UnknownAction(type=kind):
            found = {"type": "unknown", "name": kind}
    if action.display_text is not None:
        found["display_text"] = action.display_text
    return found


def action_from_json(stored: Mapping[str, str] | None) -> NextAction | None:
    """Return a next action from how it was stored."""
    if stored is None:
        return None
    shown = stored.get("display_text")
    if stored["type"] == "redirect":
        return RedirectRequired(url=stored["url"], display_text=shown)
    if stored["type"] == "unknown":
        return UnknownAction(type=stored["name"], display_text=shown)
    return _ACTIONS[stored["type"]](display_text=shown)

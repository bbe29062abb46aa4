"""Payloads of webhooks, field for field as the guide shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dgspay.emulator.clock import event_text
from dgspay.emulator.domain.records import Conversion, Disbursement, Payment
from dgspay.models.enums import ConversionStatus, PaymentStatus


def payment_event(payment: Payment, now: float) -> Mapping[str, Any]:
    """`payment.success` or `payment.failed` (guide, "Payment Event Payloads")."""
    word = "success" if payment.status is PaymentStatus.SUCCESSFUL else "failed"
    return {
        "event": f"payment.{word}",
        "dgs_reference": payment.dgs_reference,
        "flw_charge_id": payment.flw_reference,
        "amount": payment.amount,
        "currency": payment.currency,
        "merchant_fee": payment.merchant_fee,
        "net_amount": payment.net_amount,
        "status": word,
        "timestamp": event_text(now),
        "environment": "test",
    }


def disbursement_event(disbursement: Disbursement) -> Mapping[str, Any]:
    """`disbursement.success` or `.failed` (guide, "Disbursement Webhook")."""
    succeeded = disbursement.status is PaymentStatus.SUCCESSFUL
    word = "success" if succeeded else "failed"
    payload: dict[str, Any] = {
        "event": f"disbursement.{word}",
        "dgs_reference": disbursement.dgs_reference,
        "flw_transfer_id": disbursement.flw_transfer_id,
        "status": word,
        "amount": disbursement.amount,
        "fee": disbursement.fee,
        "recipient_gets": disbursement.recipient_gets,
        "currency": disbursement.currency,
        "destination_type": disbursement.destination_type,
    }
    if succeeded:
        # The guide's example shows these three and leaves the branch out.
        shown = {k: v for k, v in disbursement.recipient.items() if k != "branch"}
        return {**payload, "recipient": shown, "proof": disbursement.proof}
    return {**payload, "fail_reason": disbursement.verdict}


def conversion_event(conversion: Conversion) -> Mapping[str, Any]:
    """`conversion.success` or `.failed` (guide, "Conversion Webhook")."""
    succeeded = conversion.status is ConversionStatus.SUCCESSFUL
    word = "success" if succeeded else "failed"
    payload: dict[str, Any] = {
        "event": f"conversion.{word}",
        "dgs_reference": conversion.dgs_reference,
        "status": word,
        "from_currency": conversion.from_currency,
        "from_amount": conversion.from_amount,
        "to_currency": conversion.to_currency,
    }
    if succeeded:
        return {
            **payload,
            "to_amount": conversion.to_amount,
            "rate": conversion.rate,
            "rate_display": conversion.rate_display,
        }
    return {
        **payload,
        "fail_reason": conversion.fail_reason,
        "refund_amount": conversion.from_amount,
        "refund_currency": conversion.from_currency,
    }


def example_event(now: float) -> Mapping[str, Any]:
    """`payment.success` of the guide's example payment, which no look-up finds."""
    return {
        "event": "payment.success",
        "dgs_reference": "dgs_000000000",
        "flw_charge_id": "flw_000000000",
        "amount": 5000,
        "currency": "RWF",
        "merchant_fee": 150,
        "net_amount": 4850,
        "status": "success",
        "timestamp": event_text(now),
        "environment": "test",
    }

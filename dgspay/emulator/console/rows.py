"""Rows of the console's lists as plain values: one function for each kind of thing."""

from __future__ import annotations

from dgspay.emulator.api.call import API_PREFIX
from dgspay.emulator.clock import api_text
from dgspay.emulator.domain.records import Conversion, Disbursement, Payment
from dgspay.emulator.engine.request_log import LoggedRequest
from dgspay.emulator.webhooks.delivery import Delivery
from dgspay.models.enums import ConversionStatus, PaymentStatus
from dgspay.models.json_codec import JSONObject


def payment_row(payment: Payment) -> JSONObject:
    """A payment."""
    return {
        "reference": payment.dgs_reference,
        "status": payment.status,
        "method": payment.method,
        "amount": payment.amount,
        "currency": payment.currency,
        "payer": f"{payment.payer.first_name} {payment.payer.last_name}".strip(),
        "phone": payment.phone,
        "network": payment.network,
        "card": payment.card_last4,
        "narration": payment.narration,
        "awaits": payment.awaits[0] if payment.awaits else None,
        "reason": payment.verdict.processor_response
        if payment.verdict and payment.status is PaymentStatus.FAILED
        else None,
        "at": api_text(payment.created_at),
    }


def disbursement_row(transfer: Disbursement) -> JSONObject:
    """A disbursement."""
    recipient = transfer.recipient
    return {
        "reference": transfer.dgs_reference,
        "status": transfer.status,
        "amount": transfer.amount,
        "fee": transfer.fee,
        "recipient_gets": transfer.recipient_gets,
        "currency": transfer.currency,
        "to": recipient.get("account_number") or recipient["msisdn"],
        "at_provider": recipient.get("bank_key") or recipient["network"],
        "name": recipient.get("name"),
        "narration": transfer.narration,
        "reason": transfer.verdict if transfer.status is PaymentStatus.FAILED else None,
        "is_open": transfer.status is PaymentStatus.PENDING,
        "at": api_text(transfer.created_at),
    }


def conversion_row(conversion: Conversion) -> JSONObject:
    """A conversion."""
    return {
        "reference": conversion.dgs_reference,
        "status": conversion.status,
        "from_amount": conversion.from_amount,
        "from_currency": conversion.from_currency,
        "to_amount": conversion.to_amount,
        "to_currency": conversion.to_currency,
        "rate": conversion.rate_display,
        "is_open": conversion.status is ConversionStatus.PROCESSING,
        "at": api_text(conversion.created_at),
    }


def delivery_row(delivery: Delivery) -> JSONObject:
    """A webhook."""
    last = delivery.attempts[-1] if delivery.attempts else None
    return {
        "id": delivery.id,
        "event": delivery.event,
        "reference": delivery.reference,
        "url": delivery.url,
        "state": delivery_state(delivery),
        "tried": len(delivery.attempts),
        "status": last.status if last else None,
        "error": last.error if last else None,
        "warning": last.warning if last else None,
        "treatment": list(delivery.treatment),
        "next_at": None if delivery.next_at is None else api_text(delivery.next_at),
        "at": api_text(delivery.at),
    }


def delivery_state(delivery: Delivery) -> str:
    """How far a webhook has come, in a word or two."""
    if delivery.delivered:
        return "delivered"
    if delivery.next_at is not None or delivery.held:
        return "waiting"
    if delivery.attempts:
        return "given up"
    return "recorded" if delivery.url is None else "not sent"


def request_row(logged: LoggedRequest) -> JSONObject:
    """A request and what it was answered with."""
    return {
        "id": logged.id,
        "method": logged.method,
        "path": logged.path.removeprefix(API_PREFIX),
        "query": logged.query,
        "status": logged.status,
        "fault": logged.fault,
        "at": api_text(logged.at),
    }


def request_state(logged: LoggedRequest) -> str:
    """The class of a request's answer: `2xx`, `4xx`, or `lost` where none came."""
    return "lost" if logged.status is None else f"{logged.status // 100}xx"

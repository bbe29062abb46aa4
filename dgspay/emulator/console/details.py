"""Everything about one thing the console shows: a request, a webhook, or a payment."""

from __future__ import annotations

from collections.abc import Iterator

from dgspay.emulator.clock import api_text
from dgspay.emulator.console.code_snippets import code, curl, program
from dgspay.emulator.console.lists import House, ListQuery, deliveries_of, listing
from dgspay.emulator.console.pretty import indented, pretty
from dgspay.emulator.console.rows import delivery_row, payment_row, request_row
from dgspay.emulator.domain.account import Account
from dgspay.emulator.domain.payment_links import link_fields
from dgspay.emulator.domain.records import Payment
from dgspay.emulator.engine.request_log import LoggedRequest
from dgspay.emulator.webhooks.attempt import is_success
from dgspay.emulator.webhooks.delivery import Delivery
from dgspay.models.enums import PaymentStatus
from dgspay.models.json_codec import JSONObject

_STEPS = {"pin": "the card's PIN", "otp": "the one-time code", "avs": "the billing address"}


def request_details(logged: LoggedRequest, origin: str) -> JSONObject:
    """Return everything about one request, and how to send it again."""
    return {
        **request_row(logged),
        "headers": dict(logged.headers),
        "body": None if logged.body is None else indented(logged.body),
        "answer": pretty(logged.answer),
        "curl": curl(logged, origin),
        "code": code(logged),
        "program": program(logged),
    }


def delivery_details(delivery: Delivery) -> JSONObject:
    """Return everything about one webhook."""
    return {
        **delivery_row(delivery),
        "headers": dict(delivery.headers),
        "body": pretty(delivery.body),
        "attempts": [
            {
                "at": api_text(attempt.at),
                "status": attempt.status,
                "error": attempt.error,
                "answer": attempt.answer,
                "warning": attempt.warning,
            }
            for attempt in delivery.attempts
        ],
    }


def payment_details(house: House, payment: Payment) -> JSONObject:
    """Return everything about one payment, with what was asked and said about it."""
    deliveries = [d for d in deliveries_of(house) if d.reference == payment.dgs_reference]
    requests = listing("requests").find(house, ListQuery(payment.dgs_reference)).rows
    with house.engine.lock:
        is_paid = payment.status is PaymentStatus.SUCCESSFUL
        return {
            **payment_row(payment),
            "id": payment.id,
            "flw_reference": payment.flw_reference,
            "email": payment.payer.email,
            # Both are known once it is paid, and not before.
            "fee": payment.merchant_fee if is_paid else None,
            "net": payment.net_amount if is_paid else None,
            "callback_url": payment.callback_url,
            "link": _link(house.account, payment),
            "timeline": [
                {"at": api_text(at), "what": what, "kind": kind}
                for at, what, kind in sorted(_timeline(payment, deliveries), key=lambda e: e[0])
            ],
            "requests": [request_row(logged) for logged in reversed(requests)],
            "deliveries": [delivery_row(delivery) for delivery in reversed(deliveries)],
        }


def _link(account: Account, payment: Payment) -> JSONObject | None:
    if payment.link_id is None:
        return None
    shown = link_fields(account, account.links[payment.link_id])
    return {name: shown[name] for name in ("id", "title", "url", "status")}


def _timeline(payment: Payment, deliveries: list[Delivery]) -> Iterator[tuple[float, str, str]]:
    """Yield what happened to a payment: when, in words, and whether it was good."""
    yield payment.created_at, "The payment was created", "idle"
    if payment.awaits:
        step = _STEPS.get(payment.awaits[0], payment.awaits[0])
        yield payment.created_at, f"It waits for {step}", "wait"
    if payment.settled_at is not None:
        if payment.status is PaymentStatus.SUCCESSFUL:
            yield payment.settled_at, "The payer paid", "good"
        else:
            reason = payment.verdict.processor_response if payment.verdict else "Declined"
            yield payment.settled_at, f"The payment failed: {reason}", "bad"
    for delivery in deliveries:
        if delivery.url is None and not delivery.attempts:
            yield delivery.at, f"{delivery.event} was recorded: there is no receiver", "idle"
        for attempt in delivery.attempts:
            answer = attempt.error if attempt.status is None else str(attempt.status)
            kind = "good" if is_success(attempt.status) else "bad"
            yield attempt.at, f"{delivery.event} was sent: {answer}", kind

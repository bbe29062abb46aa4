"""State of one merchant as plain values, as the console shows it."""

from __future__ import annotations

from collections.abc import Reversible, Sequence
from itertools import islice
from typing import TypeVar

from dgspay.emulator.api.call import API_PREFIX
from dgspay.emulator.clock import api_text
from dgspay.emulator.console.code_snippets import code, curl, program
from dgspay.emulator.console.pretty import indented, pretty
from dgspay.emulator.domain.account import Account
from dgspay.emulator.domain.payment_links import link_fields
from dgspay.emulator.domain.records import Conversion, Disbursement, Payment
from dgspay.emulator.engine.engine import Engine
from dgspay.emulator.engine.request_log import LoggedRequest
from dgspay.emulator.webhooks.delivery import Delivery
from dgspay.emulator.webhooks.dispatcher import Dispatcher
from dgspay.emulator.webhooks.modes import MODES
from dgspay.models.enums import ConversionStatus, PaymentStatus
from dgspay.models.json_codec import JSONObject, dump_json

T = TypeVar("T")

_SHOWN = 50
_NEWS = 8


def state(
    engine: Engine, dispatcher: Dispatcher, account: Account, search: str, find: str
) -> JSONObject:
    """Return all that the console shows at one glance, the newest first.

    Args:
        engine: The emulator's.
        dispatcher: Its webhooks.
        account: Whose state.
        search: Only requests are shown that have this text in them, in any case.
        find: Only transactions are shown that have this text in them, in any case.
    """
    # A search may look at all there is: no charge waits for it.
    number = account.credentials.account_number
    entries = [a for a in engine.request_log.entries if a.account_number in (number, None)]
    found = _latest(_found(entries, search))
    like = _like(account.payments, find)
    with engine.lock:
        return {
            **_shell(engine, account),
            **_overview(account),
            **_requests(account, found, len(entries)),
            **_transactions(account, like),
            **_links(account),
            **_payouts(account),
            **_webhooks(engine, dispatcher, account),
            **_faults(engine),
        }


# --- one function a tab; snapshots, which the tab "State" shows, are `Controls.snapshots` -------


def _shell(engine: Engine, account: Account) -> JSONObject:
    """Return what stands around the tabs, and the variables to copy."""
    return {
        "now": api_text(engine.clock.time()),
        "api": engine.accounts.origin + API_PREFIX,
        "account": account.credentials.account_number,
        # Published and worth nothing: they are there to be copied.
        "api_key": account.credentials.api_key,
        "webhook_secret": account.credentials.webhook_secret,
        "accounts": [a.credentials.account_number for a in engine.accounts],
        "settle_after": engine.options.settle_after,
    }


def _overview(account: Account) -> JSONObject:
    pending = account.history.with_status(PaymentStatus.PENDING)
    return {
        "balances": [
            {"currency": currency, "available": balance.available, "pending": balance.pending}
            for currency, balance in account.wallet.purses.items()
        ],
        "pending": [_payment(p) for p in _latest(pending)],
        "pending_total": len(pending),
        "latest": [_payment(p) for p in islice(reversed(account.payments), _NEWS)],
    }


def _requests(account: Account, found: Sequence[LoggedRequest], total: int) -> JSONObject:
    return {
        "requests": [_request(a) for a in found],
        "requests_total": total,
        "keys": [
            {"key": key, "answered": answered} for key, answered in account.keys.latest(_SHOWN)
        ],
    }


def _transactions(account: Account, like: Sequence[Payment]) -> JSONObject:
    return {
        "transactions": [_payment(p) for p in like],
        "transactions_total": len(account.payments),
        "conversions": [_conversion(c) for c in _latest(account.conversions.values())],
    }


def _links(account: Account) -> JSONObject:
    return {
        "links": [link_fields(account, link) for link in _latest(account.links.values())],
        "links_total": len(account.links),
    }


def _payouts(account: Account) -> JSONObject:
    return {
        "disbursements": [_transfer(t) for t in _latest(account.disbursements.values())],
        "disbursements_total": len(account.disbursements),
    }


def _webhooks(engine: Engine, dispatcher: Dispatcher, account: Account) -> JSONObject:
    number = account.credentials.account_number
    deliveries = [d for d in tuple(dispatcher.deliveries) if d.account_number == number]
    return {
        "webhook_url": engine.options.webhook_url,
        "deliveries": [_delivery(d) for d in _latest(deliveries)],
        "deliveries_total": len(deliveries),
        "modes": [
            {
                "mode": mode.kind,
                "words": MODES[mode.kind],
                "remaining": mode.remaining,
                "seconds": mode.seconds,
            }
            for mode in dispatcher.delivery_modes.standing
        ],
    }


def _faults(engine: Engine) -> JSONObject:
    return {
        "faults": [
            {
                "id": standing.id,
                "route": standing.route,
                "words": standing.words,
                "remaining": standing.remaining,
                "probability": standing.probability,
            }
            for standing in engine.faults.standing
        ]
    }


# --- details and rows -----------------------------------------------------------------------


def request_details(logged: LoggedRequest, origin: str) -> JSONObject:
    """Return everything about one request, and how to send it again."""
    return {
        **_request(logged),
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
        **_delivery(delivery),
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


def _latest(rows: Reversible[T]) -> list[T]:
    """Return the newest rows, newest first, without a copy of all of them."""
    return list(islice(reversed(rows), _SHOWN))


def _like(payments: Sequence[Payment], find: str) -> list[Payment]:
    """Return the newest payments with a text in them; a look at all of them takes a moment."""
    wanted = find.lower()
    like = (p for p in reversed(payments) if not wanted or wanted in _words_of(p))
    return list(islice(like, _SHOWN))


def _words_of(payment: Payment) -> str:
    payer = payment.payer
    texts = (
        payment.dgs_reference,
        payment.flw_reference,
        payment.status,
        f"{payer.first_name} {payer.last_name}",
        payer.email,
        f"0{payment.phone}" if payment.phone else payment.card_last4 or "",
        str(payment.amount),
        payment.currency,
        payment.narration or "",
    )
    return " ".join(texts).lower()


def _found(entries: list[LoggedRequest], search: str) -> list[LoggedRequest]:
    if not search:
        return entries
    wanted = search.lower()
    return [logged for logged in entries if wanted in _text_of(logged)]


def _text_of(logged: LoggedRequest) -> str:
    body = b"" if logged.body is None else dump_json(logged.body)
    # As the console shows it, and as it came.
    path = f"{logged.path.removeprefix(API_PREFIX)} {logged.path}"
    parts = (logged.method, path, logged.query, str(logged.status), logged.fault or "")
    texts = (*parts, *logged.headers.values())
    # A made-up answer may be any bytes.
    answer = logged.answer.decode("utf-8", "replace")
    return f"{' '.join(texts)} {body.decode()} {answer}".lower()


def _payment(payment: Payment) -> JSONObject:
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


def _transfer(transfer: Disbursement) -> JSONObject:
    recipient = transfer.recipient
    return {
        "reference": transfer.dgs_reference,
        "status": transfer.status,
        "amount": transfer.amount,
        "recipient_gets": transfer.recipient_gets,
        "currency": transfer.currency,
        "to": recipient.get("account_number") or recipient["msisdn"],
        "at_provider": recipient.get("bank_key") or recipient["network"],
        "name": recipient.get("name"),
        "reason": transfer.verdict if transfer.status is PaymentStatus.FAILED else None,
        "is_open": transfer.status is PaymentStatus.PENDING,
        "at": api_text(transfer.created_at),
    }


def _conversion(conversion: Conversion) -> JSONObject:
    return {
        "reference": conversion.dgs_reference,
        "status": conversion.status,
        "from_amount": conversion.from_amount,
        "from_currency": conversion.from_currency,
        "to_amount": conversion.to_amount,
        "to_currency": conversion.to_currency,
        "is_open": conversion.status is ConversionStatus.PROCESSING,
        "at": api_text(conversion.created_at),
    }


def _delivery(delivery: Delivery) -> JSONObject:
    last = delivery.attempts[-1] if delivery.attempts else None
    return {
        "id": delivery.id,
        "event": delivery.event,
        "reference": delivery.reference,
        "url": delivery.url,
        "delivered": delivery.delivered,
        "tried": len(delivery.attempts),
        "status": last.status if last else None,
        "error": last.error if last else None,
        "warning": last.warning if last else None,
        "treatment": list(delivery.treatment),
        "next_at": None if delivery.next_at is None else api_text(delivery.next_at),
        "at": api_text(delivery.at),
    }


def _request(logged: LoggedRequest) -> JSONObject:
    return {
        "id": logged.id,
        "method": logged.method,
        "path": logged.path.removeprefix(API_PREFIX),
        "query": logged.query,
        "status": logged.status,
        "fault": logged.fault,
        "at": api_text(logged.at),
    }

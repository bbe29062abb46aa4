"""`GET /transactions` and `GET /transactions/{id}` (guide, "Transactions")."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from dgspay.emulator.api.call import Call
from dgspay.emulator.api.charges import declined_fields, mobile_money_fields
from dgspay.emulator.clock import api_text
from dgspay.emulator.domain.records import Disbursement, Payment
from dgspay.emulator.http import invalid, not_found
from dgspay.models.enums import PaymentStatus

T = TypeVar("T")

DEFAULT_LIMIT = 20
MOST_PAGES = 10**9 - 1
MAX_LIMIT = 100
REFERENCES = ("dgs_reference", "flw_reference")

# The transaction list says `success` where a charge says `successful`.
WORDS = {
    "pending": PaymentStatus.PENDING,
    "success": PaymentStatus.SUCCESSFUL,
    "failed": PaymentStatus.FAILED,
}
_WORD_OF_STATUS = {status: word for word, status in WORDS.items()}


def index(call: Call) -> Mapping[str, Any]:
    """List payments, newest first."""
    return page_of(call, _filtered(call), _row)


def retrieve(call: Call) -> Mapping[str, Any]:
    """Show one payment, or one disbursement, with full details."""
    account = call.account
    name = call.values["id"]
    if (payment := account.payment(name)) is not None:
        return {"status": "success", "data": _details(payment)}
    if account.options.transfers_in_lookup and (transfer := account.disbursements.get(name)):
        return {"status": "success", "data": _transfer_details(transfer)}
    raise not_found("transaction")


def page_of(
    call: Call, rows: Sequence[T], show: Callable[[T], Mapping[str, Any]]
) -> Mapping[str, Any]:
    """Answer with one page of rows given oldest first, newest first on the page.

    Only the rows of the page are touched, so the last page is as quick as the first.
    """
    page = _number(call, "page", default=1)
    limit = _number(call, "limit", default=DEFAULT_LIMIT)
    if limit > MAX_LIMIT:
        raise invalid(f"limit must not be over {MAX_LIMIT}")
    end = len(rows) - (page - 1) * limit
    shown = rows[max(0, end - limit) : max(0, end)]
    return {
        "status": "success",
        "data": [show(row) for row in reversed(shown)],
        "pagination": {
            "page": page,
            "limit": limit,
            "total": len(rows),
            "pages": -(-len(rows) // limit),
        },
    }


def payment_word(payment: Payment | Disbursement) -> str:
    """Return the status in the word the list uses."""
    return _WORD_OF_STATUS[payment.status]


def _number(call: Call, name: str, *, default: int) -> int:
    text = call.query.get(name)
    if text is None:
        return default
    if (
        not text.isascii()
        or not text.isdigit()
        or len(text) > len(str(MOST_PAGES))
        or int(text) < 1
    ):
        raise invalid(f"{name} must be a whole number of at least 1")
    return int(text)


def _filtered(call: Call) -> Sequence[Payment]:
    """Return the payments every filter lets through, without looking at all the others."""
    query = call.query
    history = call.account.history
    word = query.get("status")
    if word is not None and word not in WORDS:
        raise invalid(f"status must be one of: {', '.join(WORDS)}")
    status = None if word is None else WORDS[word]
    references = [(name, query[name]) for name in REFERENCES if name in query]
    link_id = query.get("payment_link_id")
    if not references and link_id is None:
        return history.payments if status is None else history.with_status(status)
    if references:
        name, reference = references[0]
        rows = history.referred_to(reference, name)
    else:
        link = call.account.links.get(link_id or "")
        rows = link.payments if link else ()
    wanted = [*references, *([] if link_id is None else [("link_id", link_id)])]
    return [
        row
        for row in rows
        if status in (None, row.status) and all(getattr(row, n) == v for n, v in wanted)
    ]


def _row(payment: Payment) -> dict[str, Any]:
    return {
        "id": payment.id,
        "dgs_reference": payment.dgs_reference,
        "amount": payment.amount,
        "currency": payment.currency,
        "status": payment_word(payment),
        "payment_method_type": payment.method,
        "created_at": api_text(payment.created_at),
    }


def _details(payment: Payment) -> dict[str, Any]:
    """Everything about a payment; the guide says "full details" and does not list them."""
    details = {
        **_row(payment),
        "transaction_id": payment.transaction_id,
        "flw_reference": payment.flw_reference,
        "merchant_fee": payment.merchant_fee,
        "net_amount": payment.net_amount,
        "customer_email": payment.payer.email,
        "customer_first_name": payment.payer.first_name,
        "customer_last_name": payment.payer.last_name,
        "narration": payment.narration,
        "redirect_url": payment.redirect_url,
        "payment_link_id": payment.link_id,
        **mobile_money_fields(payment),
        "card_brand": payment.card_brand,
        "card_last4": payment.card_last4,
        **declined_fields(payment),
        "settled_at": None if payment.settled_at is None else api_text(payment.settled_at),
    }
    return {name: value for name, value in details.items() if value is not None}


def _transfer_details(transfer: Disbursement) -> dict[str, Any]:
    details = {
        "id": transfer.id,
        "dgs_reference": transfer.dgs_reference,
        "flw_reference": str(transfer.flw_transfer_id),
        "amount": transfer.amount,
        "currency": transfer.currency,
        "status": payment_word(transfer),
        "payment_method_type": transfer.destination_type,
        "created_at": api_text(transfer.created_at),
        "fee": transfer.fee,
        "recipient_gets": transfer.recipient_gets,
        "destination_type": transfer.destination_type,
        "recipient": transfer.recipient,
        "narration": transfer.narration,
        "proof": transfer.proof,
        "fail_reason": transfer.verdict if transfer.status is PaymentStatus.FAILED else None,
        "settled_at": None if transfer.settled_at is None else api_text(transfer.settled_at),
    }
    return {name: value for name, value in details.items() if value is not None}

"""Sample webhooks: the guide's events, of the test environment, with a reference of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

_PAYMENT: Final[Mapping[str, Any]] = {
    "flw_charge_id": "flw_987654321",
    "amount": 5000,
    "currency": "RWF",
    "merchant_fee": 150,
    "net_amount": 4850,
    "environment": "test",
}
_DISBURSEMENT: Final[Mapping[str, Any]] = {
    "flw_transfer_id": 987654,
    "amount": 10000,
    "fee": 100,
    "recipient_gets": 9900,
    "currency": "RWF",
}
_CONVERSION: Final[Mapping[str, Any]] = {
    "from_currency": "USD",
    "from_amount": 100,
    "to_currency": "EUR",
}

# Each with the guide's own reference (guide, "Payment Event Payloads", "Disbursement Webhook"
# and "Conversion Webhook").
SAMPLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "payment.success": {**_PAYMENT, "dgs_reference": "dgs_123456789"},
    "payment.failed": {
        **_PAYMENT,
        "dgs_reference": "dgs_123456789",
        "merchant_fee": 0,
        "net_amount": 0,
    },
    "disbursement.success": {
        **_DISBURSEMENT,
        "dgs_reference": "DGS123456789",
        "destination_type": "bank",
        "recipient": {
            "account_number": "1234567890",
            "bank_key": "kcb_rw",
            "name": "John Doe",
        },
        "proof": "FLW-PROOF-123456",
    },
    "disbursement.failed": {
        **_DISBURSEMENT,
        "dgs_reference": "DGS123456789",
        "destination_type": "mobile_money",
        "fail_reason": "Invalid account details",
    },
    "conversion.success": {
        **_CONVERSION,
        "dgs_reference": "DGSCONV1A2B3C4D",
        "to_amount": Decimal("94.50"),
        "rate": Decimal("0.945"),
        "rate_display": "1 USD = 0.9450 EUR",
    },
    "conversion.failed": {
        **_CONVERSION,
        "dgs_reference": "DGSCONV1A2B3C4D",
        "fail_reason": "Insufficient balance",
        "refund_amount": 100,
        "refund_currency": "USD",
    },
}


def sample(event: str, *, timestamp: str, reference: str | None = None) -> dict[str, Any]:
    """Return the fields of a sample event.

    Args:
        event: One of `SAMPLES`.
        timestamp: For payment events, such as `2026-04-02T10:30:00Z`.
        reference: Instead of the guide's.
    """
    fields = SAMPLES[event]
    when = {"timestamp": timestamp} if event.startswith("payment.") else {}
    own = {} if reference is None else {"dgs_reference": reference}
    return {"event": event, **fields, "status": event.rpartition(".")[2], **when, **own}

"""The bodies of the guide, as DGS-Pay would send them."""

from __future__ import annotations

import json
from typing import Any

SECRET = "whsec_kigali_2026"
OTHER_SECRET = "whsec_butare_2026"

PAYMENT_SUCCESS: dict[str, Any] = {
    "event": "payment.success",
    "dgs_reference": "dgs_123456789",
    "flw_charge_id": "flw_987654321",
    "amount": 5000,
    "currency": "RWF",
    "merchant_fee": 150,
    "net_amount": 4850,
    "status": "success",
    "timestamp": "2026-04-02T10:30:00Z",
    "environment": "production",
}
PAYMENT_FAILED: dict[str, Any] = PAYMENT_SUCCESS | {
    "event": "payment.failed",
    "merchant_fee": 0,
    "net_amount": 0,
    "status": "failed",
    "timestamp": "2026-04-02T10:35:00Z",
}
DISBURSEMENT_SUCCESS: dict[str, Any] = {
    "event": "disbursement.success",
    "dgs_reference": "DGS123456789",
    "flw_transfer_id": 987654,
    "status": "success",
    "amount": 10000,
    "fee": 100,
    "recipient_gets": 9900,
    "currency": "RWF",
    "destination_type": "bank",
    "recipient": {"account_number": "1234567890", "bank_key": "kcb_rw", "name": "John Doe"},
    "proof": "FLW-PROOF-123456",
}
DISBURSEMENT_FAILED: dict[str, Any] = {
    "event": "disbursement.failed",
    "dgs_reference": "DGS123456789",
    "flw_transfer_id": 987654,
    "status": "failed",
    "amount": 10000,
    "fee": 100,
    "recipient_gets": 9900,
    "currency": "RWF",
    "destination_type": "mobile_money",
    "fail_reason": "Invalid account details",
}
CONVERSION_SUCCESS: dict[str, Any] = {
    "event": "conversion.success",
    "dgs_reference": "DGSCONV1A2B3C4D",
    "status": "success",
    "from_currency": "USD",
    "from_amount": 100,
    "to_currency": "EUR",
    "to_amount": 94.50,
    "rate": 0.945,
    "rate_display": "1 USD = 0.9450 EUR",
}
CONVERSION_FAILED: dict[str, Any] = {
    "event": "conversion.failed",
    "dgs_reference": "DGSCONV1A2B3C4D",
    "status": "failed",
    "from_currency": "USD",
    "from_amount": 100,
    "to_currency": "EUR",
    "fail_reason": "Insufficient balance",
    "refund_amount": 100,
    "refund_currency": "USD",
}
DOCUMENTED = (
    PAYMENT_SUCCESS,
    PAYMENT_FAILED,
    DISBURSEMENT_SUCCESS,
    DISBURSEMENT_FAILED,
    CONVERSION_SUCCESS,
    CONVERSION_FAILED,
)


def body_of(fields: dict[str, Any], **changes: Any) -> bytes:
    """A body with some fields changed; a field set to `...` is left out."""
    merged = {key: item for key, item in {**fields, **changes}.items() if item is not ...}
    return json.dumps(merged).encode()

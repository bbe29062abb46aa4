"""Sample webhooks: the guide's events, of the test environment, about a payment of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from dgspay.money import Money, exact_difference, minor_unit_digits

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


# What is taken of an amount, and what that leaves.
_FEES: Final = (("merchant_fee", "net_amount"), ("fee", "recipient_gets"))


def sample(
    event: str,
    *,
    timestamp: str,
    reference: str | None = None,
    amount: str | None = None,
    currency: str | None = None,
) -> dict[str, Any]:
    """Return the fields of a sample event; what is None is the guide's.

    Args:
        event: One of `SAMPLES`.
        timestamp: For payment events, such as `2026-04-02T10:30:00Z`.
        reference: The dgs_reference.
        amount: What was paid, sent or converted. The fee and what arrives keep the guide's rates.
        currency: Of the amount.

    Raises:
        ValueError: the amount or the currency cannot be that of such an event.
    """
    fields = {**SAMPLES[event], "status": event.rpartition(".")[2]}
    if event.startswith("payment."):
        fields["timestamp"] = timestamp
    if reference is not None:
        fields["dgs_reference"] = reference
    amount_of, currency_of = "amount", "currency"
    if event.startswith("conversion."):
        amount_of, currency_of = "from_amount", "from_currency"
    paid = Money.parse(
        fields[amount_of] if amount is None else amount,
        fields[currency_of] if currency is None else currency,
    )
    if paid.has_forbidden_fraction:
        raise ValueError(f"amount has a fraction, and {paid.currency} has no minor unit")
    own = _converted(fields, paid) if event.startswith("conversion.") else _charged(fields, paid)
    return {"event": event, **fields, **own}


def _charged(fields: Mapping[str, Any], paid: Money) -> dict[str, Any]:
    own: dict[str, Any] = {"amount": paid.amount, "currency": paid.currency}
    for fee, left in _FEES:
        if fields.get(left):  # nothing is left of what failed
            own[fee] = _rounded(paid.amount * fields[fee] / fields["amount"], paid.currency)
            own[left] = exact_difference(paid.amount, own[fee])
    return own


def _converted(fields: Mapping[str, Any], paid: Money) -> dict[str, Any]:
    target = fields["to_currency"]
    if paid.currency == target:
        raise ValueError(f"currency must be another one than {target}, which is converted to")
    own: dict[str, Any] = {"from_amount": paid.amount, "from_currency": paid.currency}
    if "rate" in fields:
        own["to_amount"] = _rounded(paid.amount * fields["rate"], target)
        own["rate_display"] = f"1 {paid.currency} = {fields['rate']:.4f} {target}"
    else:
        own |= {"refund_amount": paid.amount, "refund_currency": paid.currency}
    return own


def _rounded(amount: Decimal, currency: str) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-minor_unit_digits(currency)))

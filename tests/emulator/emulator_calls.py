"""The guide's example requests, and encrypted cards, for tests of the emulator."""

from __future__ import annotations

import base64
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dgspay.emulator import Emulator
from dgspay.emulator.merchant import Merchant

CUSTOMER: dict[str, Any] = {
    "customer_email": "jane.doe@example.com",
    "customer_first_name": "Jane",
    "customer_last_name": "Doe",
    "customer_phone": "789654321",
    "customer_phone_country_code": "250",
    "redirect_url": "https://yourdomain.com/payment-success",
}
MOBILE_MONEY: dict[str, Any] = {
    "amount": 2000,
    "currency": "RWF",
    "payment_type": "mobile_money",
    **CUSTOMER,
    "narration": "Payment for Invoice #5678",
    "mobile_money_network": "MTN",
    "mobile_money_phone": "789654321",
}
TO_BANK: dict[str, Any] = {
    "amount": 10000,
    "destination_type": "bank",
    "recipient": {
        "bank_key": "kcb_rw",
        "account_number": "1234567890",
        "name": "John Doe",
        "branch": "Kigali Main",
    },
    "narration": "Vendor payment April 2026",
}
TO_HANDSET: dict[str, Any] = {
    "amount": 5000,
    "destination_type": "mobile_money",
    "recipient": {
        "msisdn": "+250788123456",
        "network": "MTN",
        "country": "RW",
        "name": "Jane Doe",
    },
}
LINK: dict[str, Any] = {
    "title": "Invoice #123",
    "amount_type": "fixed",
    "amount": 50000,
    "currency": "RWF",
    "payment_types": ["card", "mobile_money"],
    "max_uses": 1,
    "expires_at": "2099-12-31 23:59:59",
}
CONVERT: dict[str, Any] = {
    "action": "convert",
    "from_currency": "USD",
    "to_currency": "EUR",
    "from_amount": 100,
}

PATIENCE = 60.0
"""Seconds to wait for an answer over a socket: the machine may be busy."""

GUIDE_CARD = "4532123456789010"
NONCE = "abc123def456"


def credentials(emulator: Emulator) -> dict[str, str]:
    return {
        "X-DGS-API-Key": emulator.api_key,
        "X-DGS-ACCOUNT-NUMBER": emulator.account_number,
    }


def sealed(merchant: Merchant, text: str, nonce: str = NONCE) -> str:
    """Encrypt one field as the vendor's JavaScript does."""
    key = AESGCM(base64.b64decode(merchant.encryption_key))
    return base64.b64encode(key.encrypt(nonce.encode(), text.encode(), None)).decode()


def card_charge(
    merchant: Merchant, number: str = GUIDE_CARD, cvv: str = "123", **changes: Any
) -> dict[str, Any]:
    return {
        "amount": 5000,
        "currency": "RWF",
        "payment_type": "card",
        **CUSTOMER,
        "narration": "Payment for Order #1234",
        "card_encrypted_number": sealed(merchant, number),
        "card_encrypted_expiry_month": sealed(merchant, "12"),
        "card_encrypted_expiry_year": sealed(merchant, "2028"),
        "card_encrypted_cvv": sealed(merchant, cvv),
        "card_nonce": NONCE,
        **changes,
    }


def pin_authorization(emulator: Emulator, reference: str, pin: str = "1234") -> dict[str, Any]:
    return {
        "dgs_reference": reference,
        "auth_type": "pin",
        "auth_pin_encrypted": sealed(emulator, pin),
        "auth_pin_nonce": NONCE,
    }

"""The guide's request examples: what our client sends over a socket equals them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from dgspay import (
    BankRecipient,
    BillingAddress,
    Customer,
    EncryptedCard,
    EncryptedPin,
    MobileMoneyRecipient,
)
from dgspay.models.json_codec import parse_json
from tests.support.calls import ACCOUNT, API_KEY, CARD, MODES, PIN, carry_out
from tests.support.raw_server import RawServer, Received, answering, http

EXAMPLES = Path(__file__).parent / "requests"

JANE = Customer(email="jane.doe@example.com", first_name="Jane", last_name="Doe", phone="789654321")
JOHN = Customer(email="john.doe@example.com", first_name="John", last_name="Doe", phone="788123456")
THANKS = "https://yourdomain.com/payment-success"
LINK_ID = "25a5643d-31de-490d-808d-82af72fdd097"

# The example stands for values the browser makes; a placeholder would be refused.
MADE_BY_THE_BROWSER = {
    "card": CARD,
    "authorize_pin": {**PIN, "auth_pin_nonce": "abc123def456"},
}

Call = Callable[[Any], Any]

WRITES: dict[str, tuple[str, Call]] = {
    "mobile_money": (
        "POST /charges",
        lambda dgs: dgs.charges.mobile_money(
            amount=2000,
            customer=JANE,
            network="MTN",
            phone="0789654321",
            redirect_url=THANKS,
            narration="Payment for Invoice #5678",
        ),
    ),
    "card": (
        "POST /charges",
        lambda dgs: dgs.charges.card(
            amount=5000,
            customer=JOHN,
            card=EncryptedCard(**CARD),
            redirect_url=THANKS,
            narration="Payment for Order #1234",
        ),
    ),
    "authorize_pin": (
        "POST /authorize",
        lambda dgs: dgs.charges.authorize_pin(
            "dgs_123456789", EncryptedPin(**MADE_BY_THE_BROWSER["authorize_pin"])
        ),
    ),
    "authorize_otp": (
        "POST /authorize",
        lambda dgs: dgs.charges.authorize_otp("dgs_123456789", "123456"),
    ),
    "authorize_avs": (
        "POST /authorize",
        lambda dgs: dgs.charges.authorize_avs(
            "dgs_123456789",
            BillingAddress(
                line1="123 Main Street",
                line2="Apt 4B",
                city="Kigali",
                state="Kigali City",
                country="RW",
                postal_code="00000",
            ),
        ),
    ),
    "payment_link": (
        "POST /payment-links",
        lambda dgs: dgs.payment_links.create(
            title="Invoice #123",
            amount_type="fixed",
            amount=50000,
            currency="RWF",
            payment_types=["card", "mobile_money"],
            max_uses=1,
            expires_at=datetime(2026, 12, 31, 23, 59, 59),  # noqa: DTZ001 - as in the guide
        ),
    ),
    "disburse_to_bank": (
        "POST /disburse",
        lambda dgs: dgs.disbursements.create(
            amount=10000,
            recipient=BankRecipient(
                bank_key="kcb_rw",
                account_number="1234567890",
                name="John Doe",
                branch="Kigali Main",
            ),
            narration="Vendor payment April 2026",
        ),
    ),
    "disburse_to_wallet": (
        "POST /disburse",
        lambda dgs: dgs.disbursements.create(
            amount=5000,
            recipient=MobileMoneyRecipient(msisdn="0788123456", network="MTN", name="Jane Doe"),
        ),
    ),
}

# The guide shows these as a curl line or as a table of fields, without a body of their own.
OTHER_CALLS: dict[str, tuple[str, Any, Call]] = {
    "balance": ("GET /balance", None, lambda dgs: dgs.balances.list()),
    "available": ("GET /balance", None, lambda dgs: dgs.balances.available("RWF")),
    "banks": ("GET /banks/RW", None, lambda dgs: dgs.banks.list("RW")),
    "list": (
        "GET /transactions?page=1&limit=20&status=success",
        None,
        lambda dgs: dgs.transactions.list(limit=20, status="success").first_page(),
    ),
    "retrieve": (
        "GET /transactions/dgs-reference",
        None,
        lambda dgs: dgs.transactions.retrieve("dgs-reference"),
    ),
    "links": (
        "GET /payment-links?page=1&limit=100",
        None,
        lambda dgs: dgs.payment_links.list().first_page(),
    ),
    "link": (
        f"GET /payment-links/{LINK_ID}",
        None,
        lambda dgs: dgs.payment_links.retrieve(LINK_ID),
    ),
    "update": (
        f"PATCH /payment-links/{LINK_ID}",
        {"title": "Invoice #124", "max_uses": None},
        lambda dgs: dgs.payment_links.update(LINK_ID, title="Invoice #124", max_uses=None),
    ),
    "archive": (
        f"DELETE /payment-links/{LINK_ID}",
        None,
        lambda dgs: dgs.payment_links.archive(LINK_ID),
    ),
    "preview": (
        "POST /convert",
        {"action": "preview", "from_currency": "USD", "to_currency": "EUR", "from_amount": 100},
        lambda dgs: dgs.conversions.preview(
            from_currency="USD", to_currency="EUR", from_amount=100
        ),
    ),
    "convert": (
        "POST /convert",
        {"action": "convert", "from_currency": "USD", "to_currency": "EUR", "from_amount": 100},
        lambda dgs: dgs.conversions.convert(
            from_currency="USD", to_currency="EUR", from_amount=100
        ),
    ),
}
READS = {"balance", "available", "banks", "list", "retrieve", "links", "link", "preview"}

# Every call can read its result out of this answer.
ANSWER = http(
    {
        "status": "success",
        "id": "dgs-reference",
        "dgs_reference": "dgs_123456789",
        "transaction_status": "pending",
        "link": {"id": LINK_ID},
        "balances": [],
        "dgs_conversion_ref": "DGSCONV1",
        "from_currency": "USD",
        "from_amount": 100,
        "to_currency": "EUR",
        "to_amount": 94,
    }
)
ANSWER_WITH_ROWS = http({"status": "success", "data": []})


def sent_by(mode: str, call: Call, answer: bytes = ANSWER) -> Received:
    with RawServer(answering(answer)) as server:
        carry_out(mode, server.url, call)
    (request,) = server.requests
    return request


def assert_headers(request: Received, *, is_write: bool) -> None:
    assert request.header("X-DGS-API-Key") == API_KEY
    assert request.header("X-DGS-ACCOUNT-NUMBER") == ACCOUNT
    assert request.header("Content-Type") == "application/json"
    assert request.header("Accept-Encoding") == "identity"
    assert request.header("Cookie") is None
    assert request.header("Authorization") is None
    key = request.header("Idempotency-Key")
    if not is_write:
        assert key is None
    else:
        # Upstream wants 12 to 255 alphanumeric characters.
        assert key is not None
        assert len(key) == 32
        assert key.isalnum()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", WRITES)
def test_request_equals_the_guides_example(mode: str, name: str) -> None:
    route, call = WRITES[name]
    example = parse_json((EXAMPLES / f"{name}.json").read_bytes())
    example |= MADE_BY_THE_BROWSER.get(name, {})
    request = sent_by(mode, call)
    assert f"{request.method} {request.target}" == route.replace(" ", " /generation/v2")
    assert parse_json(request.body) == example
    assert_headers(request, is_write=True)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", OTHER_CALLS)
def test_request_is_the_one_the_guide_describes(mode: str, name: str) -> None:
    route, body, call = OTHER_CALLS[name]
    answer = ANSWER_WITH_ROWS if name in ("banks", "list", "links") else ANSWER
    request = sent_by(mode, call, answer)
    assert f"{request.method} {request.target}" == route.replace(" ", " /generation/v2")
    assert (parse_json(request.body) if request.body else None) == body
    assert_headers(request, is_write=name not in READS)


def test_every_example_of_the_guide_is_sent() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.json")} == set(WRITES)

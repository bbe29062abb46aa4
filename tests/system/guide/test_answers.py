"""The guide's answer examples: each becomes its model with every field, amounts exact."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from dgspay import (
    AmountType,
    ArchivedLink,
    Balance,
    Balances,
    Bank,
    CallStatus,
    Charge,
    Conversion,
    ConversionPreview,
    ConversionStatus,
    DestinationType,
    LinkStats,
    LinkStatus,
    Page,
    PaymentLink,
    PaymentLinkDetails,
    PaymentMethod,
    PaymentStatus,
    RecentCharge,
    RedirectRequired,
    Transaction,
)
from dgspay.errors import InsufficientFundsError, Outcome
from dgspay.models.json_codec import parse_json
from tests.support.calls import MODES, carry_out, failure_of, payout
from tests.support.raw_server import RawServer, answering, http
from tests.system.guide.test_requests import LINK_ID, OTHER_CALLS, WRITES, Call

EXAMPLES = Path(__file__).parent / "answers"

CHARGE = WRITES["mobile_money"][1]
LINK = PaymentLink(
    id=LINK_ID,
    slug="invoice-123",
    url="https://pay.digitalservicescenter.rw/generation/pay/invoice-123",
    title="Invoice #123",
    amount_type=AmountType.FIXED,
    amount=Decimal(50000),
    currency="RWF",
    payment_types=(PaymentMethod.CARD, PaymentMethod.MOBILE_MONEY),
    use_count=0,
    max_uses=1,
    status=LinkStatus.ACTIVE,
    expires_at=datetime(2026, 12, 31, 23, 59, 59),  # noqa: DTZ001 - the API's times have no zone
    created_at=datetime(2026, 4, 3, 10, 0, 0),  # noqa: DTZ001
)

RESULTS: dict[str, tuple[Call, Any]] = {
    "charge_pending": (
        CHARGE,
        Charge(
            status=CallStatus.ACCEPTED,
            message="Charge initiated",
            transaction_id="123456789",
            dgs_reference="dgs_123456789",
            amount=Decimal(2000),
            currency="RWF",
            transaction_status=PaymentStatus.PENDING,
            payment_method_type=PaymentMethod.MOBILE_MONEY,
            next_action_type="redirect_url",
            next_action_redirect_url="https://provider.com/authorize",
            display_text="Complete payment on your mobile device",
        ),
    ),
    "charge_successful": (
        CHARGE,
        Charge(
            status=CallStatus.ACCEPTED,
            message="Payment completed",
            transaction_id="987654321",
            dgs_reference="dgs_987654321",
            amount=Decimal(2000),
            currency="RWF",
            transaction_status=PaymentStatus.SUCCESSFUL,
            payment_method_type=PaymentMethod.MOBILE_MONEY,
            mobile_money_network="MTN",
            mobile_money_phone="789654321",
            mobile_money_country_code="250",
        ),
    ),
    "charge_failed": (
        CHARGE,
        Charge(
            status=CallStatus.FAILED,
            message="Charge failed",
            transaction_id="123456789",
            dgs_reference="dgs_123456789",
            amount=Decimal(2000),
            currency="RWF",
            transaction_status=PaymentStatus.FAILED,
            payment_method_type=PaymentMethod.MOBILE_MONEY,
            issuer_response_type="declined",
            issuer_response_code="05",
            processor_response="Insufficient funds",
        ),
    ),
    "payment_link_created": (WRITES["payment_link"][1], LINK),
    "payment_link_details": (
        OTHER_CALLS["link"][2],
        PaymentLinkDetails(
            status=CallStatus.ACCEPTED,
            link=LINK,
            stats=LinkStats(
                total_charges=4,
                successful_charges=1,
                pending_charges=0,
                failed_charges=3,
                total_collected=Decimal(500),
                currency="RWF",
            ),
            recent_charges=(
                RecentCharge(
                    id="5de825d0-...",
                    amount=Decimal("500.00"),
                    currency="RWF",
                    status=PaymentStatus.SUCCESSFUL,
                    created_at=datetime(2026, 3, 9, 15, 56, 32),  # noqa: DTZ001
                ),
            ),
        ),
    ),
    "payment_link_archived": (
        OTHER_CALLS["archive"][2],
        ArchivedLink(status=CallStatus.ACCEPTED, message="Payment link archived"),
    ),
    "banks": (
        OTHER_CALLS["banks"][2],
        [
            Bank(
                bank_key="bk_rw",
                name="Banque de Kigali",
                type=DestinationType.BANK,
                code="40",
                currency="RWF",
                branch_required=False,
            ),
            Bank(
                bank_key="mtn_rw",
                name="MTN Mobile Money",
                type=DestinationType.MOBILE_MONEY,
                network="MTN",
                currency="RWF",
                branch_required=False,
            ),
        ],
    ),
    "balance": (
        OTHER_CALLS["balance"][2],
        Balances(
            status=CallStatus.ACCEPTED,
            error_code="00",
            merchant_id="merchant_uuid",
            balances=(
                Balance(
                    currency="USD",
                    pending_balance=Decimal("50.00"),
                    available_balance=Decimal("200.00"),
                    total_balance=Decimal("250.00"),
                ),
                Balance(
                    currency="RWF",
                    pending_balance=Decimal("1000.00"),
                    available_balance=Decimal("5000.00"),
                    total_balance=Decimal("6000.00"),
                ),
            ),
        ),
    ),
    "conversion_preview": (
        OTHER_CALLS["preview"][2],
        ConversionPreview(
            status=CallStatus.ACCEPTED,
            message="Conversion preview \N{EM DASH} no funds moved",
            from_currency="USD",
            from_amount=Decimal(100),
            to_currency="EUR",
            to_amount=Decimal("94.50"),
            rate=Decimal("0.945000"),
            rate_display="1 USD = 0.9450 EUR",
            fee=Decimal(0),
        ),
    ),
    "conversion": (
        OTHER_CALLS["convert"][2],
        Conversion(
            status=CallStatus.ACCEPTED,
            message="Conversion initiated. EUR balance will be credited shortly.",
            dgs_conversion_ref="DGSCONV1A2B3C4D",
            conversion_status=ConversionStatus.PROCESSING,
            from_currency="USD",
            from_amount=Decimal(100),
            to_currency="EUR",
            to_amount=Decimal("94.50"),
            rate=Decimal("0.945000"),
            fee=Decimal(0),
        ),
    ),
    "transactions": (
        OTHER_CALLS["list"][2],
        Page(
            rows=(
                Transaction(
                    id="uuid1",
                    dgs_reference="INV-123",
                    amount=Decimal(100),
                    currency="USD",
                    status=PaymentStatus.SUCCESSFUL,
                    payment_method_type=PaymentMethod.CARD,
                    created_at=datetime(2026, 4, 3, 11, 0, 0),  # noqa: DTZ001
                ),
            ),
            page=1,
            limit=20,
            total=50,
            pages=3,
        ),
    ),
}


def answer_of(name: str) -> bytes:
    return http((EXAMPLES / f"{name}.json").read_bytes())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", RESULTS)
def test_answer_becomes_its_model(mode: str, name: str) -> None:
    call, expected = RESULTS[name]
    with RawServer(answering(answer_of(name))) as server:
        result = carry_out(mode, server.url, call)
    assert result == expected
    assert decimals_of(result) == decimals_of(expected)


def decimals_of(value: Any) -> list[str]:
    """List the amounts in a result digit for digit: 94.5 equals 94.50 and is not the same."""
    if isinstance(value, Decimal):
        return [str(value)]
    if attrs.has(type(value)):
        value = [getattr(value, field.name) for field in attrs.fields(type(value))]
    if isinstance(value, list | tuple):
        return [text for item in value for text in decimals_of(item)]
    return []


def test_digits_after_the_point_are_kept() -> None:
    assert decimals_of(RESULTS["conversion"][1]) == ["100", "94.50", "0.945000", "0"]


@pytest.mark.parametrize("mode", MODES)
def test_available_balance_of_one_currency(mode: str) -> None:
    with RawServer(answering(answer_of("balance"))) as server:
        available = carry_out(mode, server.url, OTHER_CALLS["available"][2])
        assert str(available) == "5000.00"
        other = carry_out(mode, server.url, lambda dgs: dgs.balances.available("KES"))
        assert other == 0


@pytest.mark.parametrize("mode", MODES)
def test_refused_conversion_reports_the_shortfall(mode: str) -> None:
    with RawServer(answering(answer_of("conversion_refused"))) as server:
        error = failure_of(mode, server.url, OTHER_CALLS["convert"][2]).error
    assert isinstance(error, InsufficientFundsError)
    assert error.outcome is Outcome.REJECTED
    assert error.error_code == "VALIDATION_ERROR"
    shortfall = (error.available_balance, error.required, error.currency)
    assert shortfall == (Decimal(50), Decimal(100), "USD")
    assert error.body == parse_json((EXAMPLES / "conversion_refused.json").read_bytes())


def test_charges_of_the_guide_say_what_comes_next() -> None:
    pending, paid, declined = (
        RESULTS[name][1] for name in ("charge_pending", "charge_successful", "charge_failed")
    )
    assert pending.next_action == RedirectRequired(
        url="https://provider.com/authorize",
        display_text="Complete payment on your mobile device",
    )
    assert (paid.next_action, declined.next_action) == (None, None)
    assert [charge.is_complete for charge in (pending, paid, declined)] == [False, True, False]
    assert [charge.is_declined for charge in (pending, paid, declined)] == [False, False, True]


def test_queued_disbursement_needs_no_more_than_a_status() -> None:
    with RawServer(answering(http({"status": "success"}))) as server:
        queued = carry_out("sync", server.url, payout)
    assert (queued.status, queued.dgs_reference, queued.amount) == ("success", None, None)


def test_every_example_of_the_guide_is_read() -> None:
    names = {path.stem for path in EXAMPLES.glob("*.json")}
    assert names == {*RESULTS, "conversion_refused"}

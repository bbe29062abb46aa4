"""Fields of requests: what DGS-Pay would refuse is refused here, naming the field."""

from __future__ import annotations

import enum
from collections import UserDict
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from dgspay import (
    BankRecipient,
    BillingAddress,
    Customer,
    EncryptedCard,
    MobileMoneyRecipient,
    PaymentMethod,
    Scenario,
)
from dgspay.errors import ConfigError
from dgspay.models.codec import parse_json
from tests.api.recorders import JANE, LINK, MOBILE_MONEY, recording

CARD = EncryptedCard(
    card_encrypted_number="63oda1oMNeWjs//G2Dtw7hF5YVpWFUu4wUlBIDo4pjc=",
    card_encrypted_expiry_month="7n3Y4sC0bAetrjHFpM2zPYIQ",
    card_encrypted_expiry_year="7X8cYT+LT1yGAqIUbz+39JIX9ug=",
    card_encrypted_cvv="7n0d73RO7SL4Im0W9t46jt8Qhg==",
    card_nonce="abc123def456",
)
CARD_CHARGE: dict[str, Any] = {
    "amount": 5000,
    "customer": JANE,
    "card": CARD,
    "redirect_url": "https://yourdomain.com/payment-success",
}
RECIPIENT = BankRecipient(bank_key="kcb_rw", account_number="1234567890")


# --- mobile money ---------------------------------------------------------------------------


@pytest.mark.acceptance(8)
@pytest.mark.parametrize("currency", ["USD", "EUR", "usd", "RWX", "", "RW", "RWFF", "\uff32WF"])
def test_mobile_money_in_another_currency_is_refused(currency: str) -> None:
    dgs, recorder = recording()
    with pytest.raises(ValueError, match="currency"):
        dgs.charges.mobile_money(**MOBILE_MONEY, currency=currency)
    assert recorder.requests == []


@pytest.mark.acceptance(8)
@pytest.mark.parametrize(
    "network", ["Tigo", "", "MTN Rwanda", "mtn ", "\uff2dTN", "Airtel\n", "AIRTE\u0131"]
)
def test_unknown_network_is_refused(network: str) -> None:
    dgs, recorder = recording()
    with pytest.raises(ValueError, match="network"):
        dgs.charges.mobile_money(**{**MOBILE_MONEY, "network": network})
    with pytest.raises(ValueError, match="network"):
        MobileMoneyRecipient(msisdn="0788123456", network=network)
    assert recorder.requests == []


@pytest.mark.acceptance(8)
@pytest.mark.parametrize(
    ("network", "spelled"),
    [("mtn", "MTN"), ("Mtn", "MTN"), ("MTN", "MTN"), ("airtel", "Airtel"), ("AIRTEL", "Airtel")],
)
def test_network_is_spelled_as_the_api_does(network: str, spelled: str) -> None:
    dgs, recorder = recording()
    dgs.charges.mobile_money(**{**MOBILE_MONEY, "network": network})
    assert recorder.last_body["mobile_money_network"] == spelled
    dgs.disbursements.create(
        amount=5000, recipient=MobileMoneyRecipient(msisdn="0788123456", network=network)
    )
    assert recorder.last_body["recipient"]["network"] == spelled


@pytest.mark.acceptance(8)
def test_currency_of_mobile_money_may_be_in_small_letters() -> None:
    dgs, recorder = recording()
    dgs.charges.mobile_money(**MOBILE_MONEY, currency="rwf")
    assert recorder.last_body["currency"] == "RWF"


@pytest.mark.parametrize(
    "phone",
    [
        "789654321",
        "0789654321",
        "250789654321",
        "+250789654321",
        "+250 789 654 321",
        "(0789) 654-321",
    ],
)
def test_every_usual_form_of_a_phone_number_is_one(phone: str) -> None:
    dgs, recorder = recording()
    dgs.charges.mobile_money(**{**MOBILE_MONEY, "phone": phone})
    assert recorder.last_body["mobile_money_phone"] == "789654321"
    dgs.disbursements.create(
        amount=5000, recipient=MobileMoneyRecipient(msisdn=phone, network="MTN")
    )
    assert recorder.last_body["recipient"]["msisdn"] == "+250789654321"


@pytest.mark.parametrize(
    "phone",
    [
        "",
        "78965432",
        "7896543210",
        "0289654321",
        "+254789654321",
        "00250789654321",
        "\uff10789654321",
        "\u0660789654321",
        "0789654321\n",
        "0789654321;1",
        "++250789654321",
    ],
)
def test_what_is_no_rwandan_mobile_number_is_refused(phone: str) -> None:
    dgs, recorder = recording()
    with pytest.raises(ValueError, match="phone"):
        dgs.charges.mobile_money(**{**MOBILE_MONEY, "phone": phone})
    assert recorder.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "/relative",
        "//host/path",
        "ftp://host/",
        "https://",
        "https://host:99999/",
        "https://host/a b",
        "https://host/\n",
        "https://host/\\",
        "data:text/html,x",
        "https://host/" + "x" * 2048,
    ],
)
@pytest.mark.parametrize("field", ["redirect_url", "callback_url"])
def test_url_that_is_not_on_the_web_is_refused(field: str, url: str) -> None:
    dgs, recorder = recording()
    with pytest.raises(ValueError, match=field):
        dgs.charges.mobile_money(**{**MOBILE_MONEY, field: url})
    assert recorder.requests == []


@pytest.mark.parametrize("narration", ["", "   ", "a\0b", "half \ud83d a pair"])
def test_text_that_cannot_be_sent_is_refused(narration: str) -> None:
    dgs, recorder = recording()
    with pytest.raises(ValueError, match="narration"):
        dgs.charges.mobile_money(**MOBILE_MONEY, narration=narration)
    assert recorder.requests == []


@pytest.mark.parametrize(
    "narration",
    ["Murakoze \N{HEAVY BLACK HEART}", '"quoted" \\ back', "a\tb\nc", "a\u2028b", "<script>"],
)
def test_text_arrives_as_it_was_given(narration: str) -> None:
    dgs, recorder = recording()
    dgs.charges.mobile_money(**MOBILE_MONEY, narration=narration)
    assert recorder.last_body["narration"] == narration


class Label(str, enum.Enum):  # noqa: UP042 - the older kind, whose str() is its name
    INVOICE = "Invoice 5"


class SlyText(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "something else"


@pytest.mark.parametrize("text", [Label.INVOICE, SlyText("Invoice 5")])
def test_text_of_a_subclass_is_sent_with_its_own_characters(text: str) -> None:
    dgs, recorder = recording()
    dgs.charges.mobile_money(**MOBILE_MONEY, narration=text)
    assert recorder.last_body["narration"] == "Invoice 5"
    dgs.payment_links.create(**LINK, metadata={text: [text]})
    assert recorder.last_body["metadata"] == {"Invoice 5": ["Invoice 5"]}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "jane"),
        ("email", "jane@"),
        ("email", "jane@a@b"),
        ("email", "jane@example.com\nbcc: x@y.z"),
        ("first_name", " "),
        ("last_name", ""),
        ("phone", "abc"),
        ("phone", "+254700000000"),
        ("phone_country_code", "+250"),
        ("phone_country_code", "\u0662\u0665\u0660"),
    ],
)
def test_customer_that_would_be_refused_is_not_made(field: str, value: str) -> None:
    fields = {
        "email": "jane.doe@example.com",
        "first_name": "Jane",
        "last_name": "Doe",
        "phone": "0789654321",
    }
    with pytest.raises(ValueError, match=f"customer.{field}"):
        Customer(**{**fields, field: value})


@pytest.mark.parametrize("country", ["Rwanda", "R", "", "R1", "\uff32W"])
def test_country_that_is_no_code_is_refused(country: str) -> None:
    dgs, recorder = recording()
    with pytest.raises(ValueError, match="country"):
        dgs.banks.list(country)
    with pytest.raises(ValueError, match="country"):
        BillingAddress(line1="123 Main Street", country=country)
    with pytest.raises(ValueError, match="country"):
        MobileMoneyRecipient(msisdn="0788123456", network="MTN", country=country)
    assert recorder.requests == []


def test_raw_card_data_is_refused() -> None:
    dgs, recorder = recording()
    raw = {"number": "4532123456789010", "cvv": "123"}
    with pytest.raises(TypeError, match="EncryptedCard") as caught:
        dgs.charges.card(**{**CARD_CHARGE, "card": raw})
    assert "4532" not in str(caught.value)
    with pytest.raises(TypeError, match="EncryptedPin"):
        dgs.charges.authorize_pin("dgs_1", "1234")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="recipient"):
        dgs.disbursements.create(amount=5, recipient={"bank_key": "x"})  # type: ignore[arg-type]
    assert recorder.requests == []


@pytest.mark.parametrize(
    "otp", ["", "9", "987 456", "\uff11\uff12\uff13\uff14", "1" * 13, "98\n76"]
)
def test_otp_that_is_none_is_refused_unseen(otp: str) -> None:
    dgs, recorder = recording()
    with pytest.raises(ValueError, match="otp must be") as caught:
        dgs.charges.authorize_otp("dgs_1", otp)
    assert not otp or otp not in str(caught.value)
    assert recorder.requests == []


# --- scenarios ------------------------------------------------------------------------------


@pytest.mark.acceptance(11)
@pytest.mark.parametrize("give", ["text", "value"])
def test_scenario_against_production_is_refused(give: str) -> None:
    dgs, recorder = recording(api_key="sk_live_4eC39H", environment="production")
    wallet = Scenario.mobile_money("auth_pin")
    card = Scenario.card(auth="pin", issuer="approved")
    transfer = Scenario.transfer("successful")
    with pytest.raises(ConfigError, match="scenario"):
        dgs.charges.mobile_money(**MOBILE_MONEY, scenario=wallet if give == "value" else wallet.key)
    with pytest.raises(ConfigError, match="scenario"):
        dgs.charges.card(**CARD_CHARGE, scenario=card if give == "value" else card.key)
    with pytest.raises(ConfigError, match="scenario"):
        dgs.disbursements.create(
            amount=5000,
            recipient=RECIPIENT,
            scenario=transfer if give == "value" else transfer.key,
        )
    assert recorder.requests == []


@pytest.mark.acceptance(11)
@pytest.mark.parametrize("environment", ["sandbox", "emulator"])
def test_scenario_in_the_sandbox_is_sent(environment: str) -> None:
    dgs, recorder = recording(environment=environment)
    dgs.charges.card(**CARD_CHARGE, scenario=Scenario.card(auth="pin", issuer="approved"))
    assert recorder.last_body["scenario_key"] == "scenario:auth_pin&issuer:approved"
    dgs.charges.card(**CARD_CHARGE, scenario="issuer:approved&scenario:auth_pin")
    assert recorder.last_body["scenario_key"] == "issuer:approved&scenario:auth_pin"


@pytest.mark.acceptance(11)
@pytest.mark.parametrize(
    "scenario",
    [
        "",
        "auth_pin",
        "scenario:",
        "scenario:nonsense",
        "scenario:auth_pin&scenario:auth_pin",
        "issuer:approved",
        "scenario:auth_pin&",
        "scenario:auth_pin ",
        "SCENARIO:auth_pin",
        Scenario.transfer("successful"),
    ],
)
def test_scenario_the_guide_does_not_list_is_refused(scenario: Any) -> None:
    dgs, recorder = recording()
    with pytest.raises(ValueError, match="scenario"):
        dgs.charges.mobile_money(**MOBILE_MONEY, scenario=scenario)
    assert recorder.requests == []


# --- payment links --------------------------------------------------------------------------

KIGALI = timezone(timedelta(hours=2))
NEW_YEARS_EVE = datetime(2026, 12, 31, 23, 59, 59)  # noqa: DTZ001 - the API's times have no zone


@pytest.mark.acceptance(12)
def test_aware_expiry_needs_to_know_the_zone_of_the_api() -> None:
    aware = NEW_YEARS_EVE.replace(tzinfo=UTC)
    dgs, recorder = recording()
    with pytest.raises(ValueError, match="api_timezone"):
        dgs.payment_links.create(**LINK, expires_at=aware)
    with pytest.raises(ValueError, match="api_timezone"):
        dgs.payment_links.update("link_1", expires_at=aware)
    assert recorder.requests == []

    told, recorder = recording(api_timezone=KIGALI)
    told.payment_links.create(**LINK, expires_at=aware)
    assert recorder.last_body["expires_at"] == "2027-01-01 01:59:59"
    told.payment_links.create(**LINK, expires_at=NEW_YEARS_EVE)
    assert recorder.last_body["expires_at"] == "2026-12-31 23:59:59"


@pytest.mark.acceptance(12)
@pytest.mark.parametrize("moment", ["2026-12-31 23:59:59", 1767225599, date(2026, 12, 31)])
def test_expiry_that_is_no_datetime_is_refused(moment: Any) -> None:
    dgs, recorder = recording()
    with pytest.raises(TypeError, match="expires_at"):
        dgs.payment_links.create(**LINK, expires_at=moment)
    assert recorder.requests == []


@pytest.mark.acceptance(12)
@pytest.mark.parametrize(
    "fields",
    [
        {"amount_type": "flexible", "amount": 500},
        {"amount_type": "fixed"},
        {"amount_type": "fixed", "amount": 500, "min_amount": 100},
        {"amount_type": "fixed", "amount": 500, "max_amount": 900},
        {"amount_type": "flexible", "min_amount": 900, "max_amount": 100},
        {"amount_type": "free"},
        {"amount_type": ""},
        {"amount_type": "FIXED", "amount": 500},
    ],
)
def test_amounts_that_contradict_the_kind_of_link_are_refused(fields: dict[str, Any]) -> None:
    dgs, recorder = recording()
    with pytest.raises(ValueError, match="amount"):
        dgs.payment_links.create(title="x", **fields)
    assert recorder.requests == []


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("title", "", ValueError),
        ("max_uses", 0, ValueError),
        ("max_uses", -1, ValueError),
        ("max_uses", True, TypeError),
        ("max_uses", 1.0, TypeError),
        ("collect_phone", 1, TypeError),
        ("collect_phone", "false", TypeError),
        ("payment_types", [], ValueError),
        ("payment_types", ["cash"], ValueError),
        ("payment_types", "card", TypeError),
        ("payment_types", [None], TypeError),
        ("logo_url", "javascript:alert(1)", ValueError),
        ("slug", " ", ValueError),
        ("metadata", "text", TypeError),
        ("metadata", [("a", 1)], TypeError),
        ("metadata", {1: "a"}, ValueError),
        ("metadata", {"a": b"bytes"}, ValueError),
        ("metadata", {"a": {"b"}}, ValueError),
        ("metadata", {"a": float("nan")}, ValueError),
        ("metadata", {"a": Decimal("NaN")}, ValueError),
        ("metadata", {"a": Decimal("-Infinity")}, ValueError),
        ("metadata", {"a": Decimal("1E999999")}, ValueError),
        ("metadata", {"a": 10**5000}, ValueError),
        ("metadata", {"a": "\ud83d"}, ValueError),
        ("metadata", {"\ud83d": 1}, ValueError),
        ("metadata", {"a": NEW_YEARS_EVE.replace(tzinfo=UTC)}, ValueError),
        ("metadata", {"a": object()}, ValueError),
    ],
)
def test_field_of_a_link_that_would_be_refused(
    field: str, value: Any, error: type[Exception]
) -> None:
    dgs, recorder = recording()
    with pytest.raises(error, match=field):
        dgs.payment_links.create(**{**LINK, field: value})
    with pytest.raises(error, match=field):
        dgs.payment_links.update("link_1", **{field: value})
    assert recorder.requests == []


def test_metadata_that_holds_itself_or_nests_too_deeply_is_refused() -> None:
    dgs, recorder = recording()
    endless: dict[str, Any] = {}
    endless["again"] = endless
    deep: list[Any] = []
    for _ in range(200):
        deep = [deep]
    for metadata in (endless, {"deep": deep}):
        with pytest.raises(ValueError, match="metadata"):
            dgs.payment_links.create(**LINK, metadata=metadata)
    assert recorder.requests == []


def test_metadata_is_sent_exactly() -> None:
    dgs, recorder = recording()
    metadata = UserDict(
        {
            "order": 7,
            "price": Decimal("94.50"),
            "tags": ("a", "b"),
            "none": None,
            "when": NEW_YEARS_EVE,
        }
    )
    dgs.payment_links.create(**LINK, metadata=metadata)
    assert recorder.last_body["metadata"] == {
        "order": 7,
        "price": Decimal("94.50"),
        "tags": ["a", "b"],
        "none": None,
        "when": "2026-12-31 23:59:59",
    }
    body = recorder.requests[0].body
    assert body is not None
    assert b'"price":94.50,' in body


def test_update_sends_only_what_was_given() -> None:
    dgs, recorder = recording()
    dgs.payment_links.update("link_1", max_uses=None, description=None, title="New")
    assert recorder.last_body == {"max_uses": None, "description": None, "title": "New"}
    with pytest.raises(ValueError, match="at least one field"):
        dgs.payment_links.update("link_1")
    assert len(recorder.requests) == 1


def test_create_leaves_out_what_was_not_given() -> None:
    dgs, recorder = recording()
    dgs.payment_links.create(**LINK, payment_types=[PaymentMethod.CARD, "mobile_money"])
    assert recorder.last_body == {
        "title": "Invoice #123",
        "amount_type": "flexible",
        "currency": "RWF",
        "payment_types": ["card", "mobile_money"],
    }


# --- lists, prepare -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("page", 0, ValueError),
        ("page", True, TypeError),
        ("page", "1", TypeError),
        ("limit", 0, ValueError),
        ("limit", 101, ValueError),
        ("prefetch", 0, ValueError),
        ("prefetch", 1.5, TypeError),
        ("status", "successfull", ValueError),
        ("status", 1, TypeError),
    ],
)
def test_list_with_a_wrong_argument_is_refused_at_once(
    field: str, value: Any, error: type[Exception]
) -> None:
    dgs, recorder = recording()
    with pytest.raises(error, match=field):
        dgs.transactions.list(**{field: value})
    assert recorder.requests == []


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("success", "success"),
        ("successful", "success"),
        ("failed", "failed"),
        ("pending", "pending"),
    ],
)
def test_status_filter_uses_the_words_of_the_list(status: str, word: str) -> None:
    dgs, recorder = recording()
    dgs.transactions.list(status=status).first_page()
    assert recorder.requests[0].url.endswith(f"&status={word}")


def test_prepare_gives_what_is_sent_and_shows_no_secret() -> None:
    from dgspay.api import charges

    dgs, recorder = recording()
    operation = charges.card(**CARD_CHARGE, idempotency_key="order-7")
    prepared = dgs.prepare(operation)
    assert recorder.requests == []
    dgs.execute(operation)
    assert recorder.requests == [prepared]
    shown = f"{prepared!r} {prepared} {operation!r}"
    assert "order-7" in shown
    assert prepared.body is not None
    body = parse_json(prepared.body)
    for field, text in CARD.to_wire().items():
        assert body[field] == text
        assert text not in shown
    assert dgs.settings.api_key.reveal() not in shown

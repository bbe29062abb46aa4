"""Fields of requests: what DGS-Pay would refuse is refused here, naming the field."""

from __future__ import annotations

import enum
import re
from typing import Any

import attrs
import pytest

from dgspay import (
    BankRecipient,
    BillingAddress,
    Customer,
    EncryptedCard,
    MobileMoneyRecipient,
    NetworkWarning,
    Scenario,
)
from dgspay.errors import ConfigError
from dgspay.models.json_codec import parse_json
from tests.support.recorders import API_KEY, JANE, LINK, MOBILE_MONEY, recording

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


@pytest.mark.acceptance(8, "odd-network")
@pytest.mark.parametrize("currency", ["USD", "EUR", "usd", "RWX", "", "RW", "RWFF", "\uff32WF"])
def test_mobile_money_in_another_currency_is_refused(currency: str) -> None:
    dgs, recorder = recording()
    with pytest.raises(ValueError, match="currency"):
        dgs.charges.mobile_money(**MOBILE_MONEY, currency=currency)
    assert recorder.requests == []


@pytest.mark.acceptance(8, "odd-network")
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


@pytest.mark.acceptance(8, "odd-network")
@pytest.mark.parametrize(
    ("network", "spelled"),
    [("mtn", "MTN"), ("Mtn", "MTN"), ("MTN", "MTN"), ("airtel", "Airtel"), ("AIRTEL", "Airtel")],
)
def test_network_is_spelled_as_the_api_does(network: str, spelled: str) -> None:
    dgs, recorder = recording()
    phone = {"MTN": "0788123456", "Airtel": "0728123456"}[spelled]
    dgs.charges.mobile_money(**{**MOBILE_MONEY, "network": network, "phone": phone})
    assert recorder.last_body["mobile_money_network"] == spelled
    dgs.disbursements.create(
        amount=5000, recipient=MobileMoneyRecipient(msisdn=phone, network=network)
    )
    assert recorder.last_body["recipient"]["network"] == spelled


@pytest.mark.acceptance(8, "odd-network")
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
        "+250 0789 654 321",
        "2500789654321",
        "00250789654321",
        "00 250 0789-654-321",
        "(0789) 654-321",
        "\u200e+250\u00a0789\u2011654\u2011321\ufeff",
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
    ("code", "phone", "sent"),
    [
        ("250", "00250788123456", "788123456"),
        ("250", "2500788123456", "788123456"),
        ("250", "+250 0788 123 456", "788123456"),
        # Where the zero is a part of the number.
        ("225", "+225 07 01 02 03 04", "0701020304"),
        ("225", "0701020304", "0701020304"),
        ("225", "2250701020304", "0701020304"),
        ("242", "+242 06 612 3456", "066123456"),
        ("242", "00242066123456", "066123456"),
        ("39", "+39 06 1234 5678", "0612345678"),
        ("39", "+39 392 123 4567", "3921234567"),
        ("39", "06 1234 5678", "0612345678"),
        # A country code is never there twice.
        ("254", "254712345678", "712345678"),
        ("254", "+254712345678", "712345678"),
        ("257", "25779561234", "79561234"),
        ("1", "12025550123", "2025550123"),
        ("1", "2025550123", "2025550123"),
        ("7", "7012345678", "7012345678"),
        ("7", "77012345678", "7012345678"),
        ("44", "0044 7911 123456", "7911123456"),
    ],
)
def test_a_customers_phone_keeps_its_digits_and_has_its_country_code_once(
    code: str, phone: str, sent: str
) -> None:
    wire = attrs.evolve(JANE, phone=phone, phone_country_code=code).to_wire()
    assert (wire["customer_phone_country_code"], wire["customer_phone"]) == (code, sent)


def test_a_number_that_may_begin_with_its_country_code_is_to_be_written_with_a_plus() -> None:
    for phone in ("3921234567", "393921234567"):
        with pytest.raises(ValueError, match=r"customer.phone begins with .* with \+39 in front"):
            attrs.evolve(JANE, phone=phone, phone_country_code="39")
    with pytest.raises(ValueError, match=r"country code 250, which it is not: give its own"):
        attrs.evolve(JANE, phone="+254712345678")
    with pytest.raises(ValueError, match=r"more than a country code"):
        attrs.evolve(JANE, phone="+2250", phone_country_code="2250")


@pytest.mark.parametrize(
    ("phone", "name"),
    [
        ("0788 12345O", "U+004F, LATIN CAPITAL LETTER O"),
        ("0788\t123456", "U+0009"),
        ("0788123456\n", "U+000A"),
        ("\uff10788123456", "U+FF10, FULLWIDTH DIGIT ZERO"),
        ("0788123456\u202e", "U+202E"),
        ("\U0001f4de0788123456", "U+1F4DE, TELEPHONE RECEIVER"),
    ],
)
def test_a_character_that_no_phone_number_has_is_named(phone: str, name: str) -> None:
    with pytest.raises(ValueError, match=re.escape(name)) as caught:
        attrs.evolve(JANE, phone=phone)
    assert phone not in str(caught.value)


@pytest.mark.parametrize(
    ("phone", "network"),
    [
        ("0788123456", "MTN"),
        ("+250798123456", "MTN"),
        ("00250728123456", "Airtel"),
        ("738 123 456", "Airtel"),
    ],
)
def test_a_network_that_is_left_out_goes_by_the_number(phone: str, network: str) -> None:
    dgs, recorder = recording()
    without = {name: value for name, value in MOBILE_MONEY.items() if name != "network"}
    dgs.charges.mobile_money(**{**without, "phone": phone})
    assert recorder.last_body["mobile_money_network"] == network
    recipient = MobileMoneyRecipient(msisdn=phone)
    assert recipient == MobileMoneyRecipient(msisdn=phone, network=network)
    dgs.disbursements.create(amount=5000, recipient=recipient)
    assert recorder.last_body["recipient"]["network"] == network


def test_a_network_that_the_number_is_not_of_is_used_with_a_warning() -> None:
    dgs, recorder = recording()
    words = "network is Airtel, and a number that begins with 078 is one of MTN"
    with pytest.warns(NetworkWarning, match=words) as told:
        dgs.charges.mobile_money(**{**MOBILE_MONEY, "network": "airtel"})
    assert recorder.last_body["mobile_money_network"] == "Airtel"
    assert "789654321" not in str(told[0].message)
    with pytest.warns(NetworkWarning, match=r"recipient\.network is MTN"):
        recipient = MobileMoneyRecipient(msisdn="0738123456", network="mtn")
    assert recipient.to_wire()["network"] == "MTN"


@pytest.mark.parametrize(
    "phone",
    [
        "",
        "78965432",
        "7896543210",
        "0289654321",
        "+254789654321",
        "002500789654",
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
    mapping: Any = {"email": "jane@example.com"}
    with pytest.raises(TypeError, match="customer must be a Customer, not dict"):
        dgs.charges.mobile_money(**{**MOBILE_MONEY, "customer": mapping})
    with pytest.raises(TypeError, match="customer must be a Customer, not dict"):
        dgs.charges.card(**{**CARD_CHARGE, "customer": mapping})
    with pytest.raises(TypeError, match="address must be a BillingAddress, not dict"):
        dgs.charges.authorize_avs("dgs_1", mapping)
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


@pytest.mark.acceptance(11, "scenario-in-production")
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


@pytest.mark.acceptance(11, "scenario-in-production")
@pytest.mark.parametrize("environment", ["sandbox", "emulator"])
def test_scenario_in_the_sandbox_is_sent(environment: str) -> None:
    dgs, recorder = recording(environment=environment)
    dgs.charges.card(**CARD_CHARGE, scenario=Scenario.card(auth="pin", issuer="approved"))
    assert recorder.last_body["scenario_key"] == "scenario:auth_pin&issuer:approved"
    dgs.charges.card(**CARD_CHARGE, scenario="issuer:approved&scenario:auth_pin")
    assert recorder.last_body["scenario_key"] == "issuer:approved&scenario:auth_pin"


@pytest.mark.acceptance(11, "scenario-in-production")
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
    body = parse_json(prepared.reveal_body() or b"")
    for field, text in CARD.to_wire().items():
        assert body[field] == text
        assert text not in shown
    assert API_KEY not in shown


def test_a_mapping_in_place_of_a_customer_says_how_to_make_one() -> None:
    dgs, recorder = recording()
    with pytest.raises(TypeError, match=r"customer must be a Customer, not dict: .*Customer\(\*\*"):
        dgs.charges.mobile_money(**{**MOBILE_MONEY, "customer": attrs.asdict(JANE)})
    with pytest.raises(TypeError, match=r"customer must be a Customer, not str$"):
        dgs.charges.mobile_money(**{**MOBILE_MONEY, "customer": "Jane"})
    assert recorder.requests == []

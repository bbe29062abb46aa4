"""Every event of the guide becomes a typed value, exact to the digit; rows 44 and 45."""

from __future__ import annotations

import datetime as dt
import json
import pickle
from decimal import Decimal
from typing import Any, assert_never

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgspay.errors import DecodeError
from dgspay.models.enums import DestinationType, PaymentStatus
from dgspay.webhooks import (
    ConversionFailed,
    ConversionSucceeded,
    Destination,
    DisbursementFailed,
    DisbursementSucceeded,
    Event,
    EventEnvironment,
    PaymentFailed,
    PaymentSucceeded,
    UnknownEvent,
    sign,
    verify,
)
from dgspay.webhooks.events import EVENT_CLASSES
from tests.support.webhook_samples import (
    CONVERSION_FAILED,
    CONVERSION_SUCCESS,
    DISBURSEMENT_FAILED,
    DISBURSEMENT_SUCCESS,
    DOCUMENTED,
    PAYMENT_FAILED,
    PAYMENT_SUCCESS,
    SECRET,
    body_of,
)


def received(body: bytes) -> Event:
    return verify(body, sign(body, SECRET), SECRET)


def test_payment_success_has_every_field_of_the_guide() -> None:
    assert received(body_of(PAYMENT_SUCCESS)) == PaymentSucceeded(
        dgs_reference="dgs_123456789",
        flw_charge_id="flw_987654321",
        amount=Decimal(5000),
        currency="RWF",
        merchant_fee=Decimal(150),
        net_amount=Decimal(4850),
        status=PaymentStatus.SUCCESSFUL,
        timestamp=dt.datetime(2026, 4, 2, 10, 30, tzinfo=dt.UTC),
        environment=EventEnvironment.PRODUCTION,
    )


def test_payment_failed_is_failed_and_brings_nothing() -> None:
    event = received(body_of(PAYMENT_FAILED))
    assert isinstance(event, PaymentFailed)
    assert event.status is PaymentStatus.FAILED
    assert event.net_amount == 0


def test_disbursement_success_has_every_field_of_the_guide() -> None:
    event = received(body_of(DISBURSEMENT_SUCCESS))
    assert event == DisbursementSucceeded(
        dgs_reference="DGS123456789",
        flw_transfer_id=987654,
        status=PaymentStatus.SUCCESSFUL,
        amount=Decimal(10000),
        fee=Decimal(100),
        recipient_gets=Decimal(9900),
        currency="RWF",
        destination_type=DestinationType.BANK,
        recipient=Destination(account_number="1234567890", bank_key="kcb_rw", name="John Doe"),
        proof="FLW-PROOF-123456",
    )


def test_disbursement_failed_gives_the_reason() -> None:
    event = received(body_of(DISBURSEMENT_FAILED))
    assert isinstance(event, DisbursementFailed)
    assert event.fail_reason == "Invalid account details"
    assert event.recipient is None


def test_conversion_success_keeps_every_digit() -> None:
    body = body_of(CONVERSION_SUCCESS).replace(b"0.945,", b"0.945000,").replace(b"94.5,", b"94.50,")
    event = received(body)
    assert isinstance(event, ConversionSucceeded)
    assert str(event.to_amount) == "94.50"
    assert str(event.rate) == "0.945000"
    assert event.rate_display == "1 USD = 0.9450 EUR"


def test_conversion_failed_gives_the_refund() -> None:
    event = received(body_of(CONVERSION_FAILED))
    assert isinstance(event, ConversionFailed)
    assert (event.refund_amount, event.refund_currency) == (Decimal(100), "USD")


def outcome(event: Event) -> str:
    match event:
        case (
            PaymentSucceeded(dgs_reference=reference)
            | DisbursementSucceeded(dgs_reference=reference)
        ):
            return f"{reference} paid"
        case ConversionSucceeded(to_amount=amount, to_currency=currency):
            return f"{amount} {currency}"
        case PaymentFailed() | DisbursementFailed() | ConversionFailed():
            return f"{event.dgs_reference} failed"
        case UnknownEvent(event=name):
            return name
        case _:
            assert_never(event)


def test_events_are_made_for_match() -> None:
    bodies = [body_of(fields) for fields in (*DOCUMENTED, {"event": "chargeback.opened"})]
    assert [outcome(received(body)) for body in bodies] == [
        "dgs_123456789 paid",
        "dgs_123456789 failed",
        "DGS123456789 paid",
        "DGS123456789 failed",
        "94.5 EUR",
        "DGSCONV1A2B3C4D failed",
        "chargeback.opened",
    ]


@pytest.mark.parametrize("fields", DOCUMENTED, ids=lambda fields: fields["event"])
def test_what_the_guide_does_not_list_is_kept(fields: dict[str, Any]) -> None:
    event = received(body_of(fields, metadata={"order": 17}, extra="a field of that name"))
    assert event.extra == {"metadata": {"order": 17}, "extra": "a field of that name"}


@pytest.mark.parametrize("fields", DOCUMENTED, ids=lambda fields: fields["event"])
def test_only_what_an_event_means_nothing_without_is_required(fields: dict[str, Any]) -> None:
    cls = EVENT_CLASSES[fields["event"]]
    required = {field.name for field in attrs.fields(cls) if field.default is attrs.NOTHING}
    bare = {key: item for key, item in fields.items() if key in required | {"event"}}
    assert isinstance(received(body_of(bare)), cls)
    for name in required:
        with pytest.raises(DecodeError, match=name):
            received(body_of(bare, **{name: ...}))


@pytest.mark.parametrize("fields", DOCUMENTED, ids=lambda fields: fields["event"])
def test_an_event_is_a_value(fields: dict[str, Any]) -> None:
    event = received(body_of(fields))
    assert hash(event) == hash(received(body_of(fields)))
    assert pickle.loads(pickle.dumps(event)) == event
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        event.dgs_reference = "another"  # type: ignore[misc]


@pytest.mark.acceptance(44, "events-in-any-order")
def test_a_success_after_a_failure_has_another_key_and_a_later_time() -> None:
    failed, success = received(body_of(PAYMENT_FAILED)), received(body_of(PAYMENT_SUCCESS))
    assert failed.dedupe_key == "payment.failed:dgs_123456789"
    assert success.dedupe_key == "payment.success:dgs_123456789"
    assert isinstance(failed, PaymentFailed)
    assert isinstance(success, PaymentSucceeded)
    assert failed.timestamp is not None
    assert success.timestamp is not None
    assert success.timestamp < failed.timestamp


@pytest.mark.acceptance(44, "events-in-any-order")
def test_every_delivery_of_one_event_has_one_key() -> None:
    again = body_of(PAYMENT_SUCCESS, timestamp="2026-04-02T11:00:00Z", attempt=2)
    assert received(again).dedupe_key == received(body_of(PAYMENT_SUCCESS)).dedupe_key


@pytest.mark.acceptance(44, "events-in-any-order")
@pytest.mark.parametrize("text", ["7", "x" * 256])
def test_a_name_and_a_reference_are_1_to_256_characters(text: str) -> None:
    assert received(body_of(PAYMENT_SUCCESS, dgs_reference=text)).dgs_reference == text
    assert received(body_of({"event": text, "dgs_reference": text})).event == text


@pytest.mark.acceptance(45, "foreign-event")
@pytest.mark.parametrize(
    ("changes", "reference"),
    [
        ({}, "dgs_123456789"),
        ({"dgs_reference": ...}, None),
        ({"dgs_reference": 17}, None),
        ({"dgs_reference": "x" * 300}, None),
        ({"amount": "many", "timestamp": "later", "status": ["odd"]}, "dgs_123456789"),
    ],
)
def test_an_unknown_event_is_typed_as_unknown(
    changes: dict[str, Any], reference: str | None
) -> None:
    body = body_of(PAYMENT_SUCCESS, event="payment.reversed", **changes)
    event = received(body)
    assert isinstance(event, UnknownEvent)
    assert (event.event, event.dgs_reference) == ("payment.reversed", reference)
    everything = event.extra | {"event": event.event, "environment": event.environment}
    assert everything.keys() | {"dgs_reference"} == json.loads(body).keys() | {"dgs_reference"}
    assert received(body).dedupe_key == event.dedupe_key
    other = body.replace(b"4850", b"4851")
    assert received(other).dedupe_key != event.dedupe_key


@pytest.mark.parametrize("said", ["failed", "pending", "successfull", ""])
def test_a_success_that_contradicts_itself_never_counts_as_paid(said: str) -> None:
    with pytest.raises(DecodeError, match="contradicts itself") as caught:
        received(body_of(PAYMENT_SUCCESS, status=said))
    assert caught.value.path == "status"


@pytest.mark.parametrize(
    ("sample", "field", "value"),
    [
        (PAYMENT_SUCCESS, "timestamp", ""),
        (PAYMENT_SUCCESS, "timestamp", "yesterday"),
        (PAYMENT_SUCCESS, "merchant_fee", ""),
        (PAYMENT_SUCCESS, "flw_charge_id", 987654321),
        (DISBURSEMENT_SUCCESS, "flw_transfer_id", "987654"),
        (DISBURSEMENT_SUCCESS, "flw_transfer_id", 12.9),
        (DISBURSEMENT_SUCCESS, "recipient", []),
        (DISBURSEMENT_SUCCESS, "recipient", "John"),
    ],
)
def test_odd_field_that_decides_nothing_does_not_cost_the_event(
    sample: Any, field: str, value: Any
) -> None:
    event: Any = received(body_of(sample, **{field: value}))
    assert getattr(event, field) is None
    assert str(event.extra[field]) == str(value)
    assert event.amount == received(body_of(sample)).amount  # type: ignore[union-attr]


def test_odd_field_of_a_recipient_costs_that_field_only() -> None:
    event: Any = received(body_of(DISBURSEMENT_SUCCESS, recipient={"name": "Jane", "branch": 7}))
    assert (event.recipient.name, event.recipient.branch) == ("Jane", None)
    assert event.recipient.extra == {"branch": 7}


@pytest.mark.parametrize("said", ["SUCCESSFUL", "Success", " success "])
def test_success_in_another_spelling_is_no_contradiction(said: str) -> None:
    assert isinstance(received(body_of(PAYMENT_SUCCESS, status=said)), PaymentSucceeded)


def test_both_words_for_a_success_are_one() -> None:
    event = received(body_of(PAYMENT_SUCCESS, status="successful"))
    assert event == received(body_of(PAYMENT_SUCCESS))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"payment.success"',
        b"{}",
        b'{"event": null}',
        b'{"event": ""}',
        b'{"event": 5}',
        b'{"event": ["payment.success"]}',
        b'{"event": "a\\u0000b"}',
        b'{"event": "payment.success"}',
        b'{"event": "payment.success", "event": "payment.failed"}',
        b"\xff",
        b"[" * 200_000,
        body_of(PAYMENT_SUCCESS, dgs_reference=""),
        body_of(PAYMENT_SUCCESS, dgs_reference=None),
        body_of(PAYMENT_SUCCESS, dgs_reference="x" * 257),
        body_of(PAYMENT_SUCCESS, dgs_reference="a\x00b"),
        body_of(PAYMENT_SUCCESS, amount="many"),
        body_of(PAYMENT_SUCCESS, amount=float("nan")),
        body_of(PAYMENT_SUCCESS, amount=True),
    ],
    ids=lambda body: body[:40],
)
def test_what_is_signed_but_no_event_cannot_be_read(body: bytes) -> None:
    with pytest.raises(DecodeError):
        received(body)


@given(st.binary(max_size=200))
def test_no_signed_bytes_cause_another_error(body: bytes) -> None:
    with pytest.raises(DecodeError):
        received(body)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.sampled_from(DOCUMENTED),
    st.sampled_from(sorted({key for fields in DOCUMENTED for key in fields})),
    JSON_VALUES,
)
def test_no_odd_field_causes_another_error(fields: dict[str, Any], name: str, odd: Any) -> None:
    body = json.dumps({**fields, name: odd}).encode()
    try:
        event = received(body)
    except DecodeError:
        return
    assert event.dedupe_key.startswith(f"{event.event}:")


def test_what_a_field_named_like_a_secret_holds_is_not_printed() -> None:
    assert "778899" not in repr(received(body_of(PAYMENT_SUCCESS, otp="778899")))

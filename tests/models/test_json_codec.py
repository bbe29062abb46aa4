"""JSON out is exact, JSON in is strict; what the answers' tests do not reach."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgspay.errors import DecodeError
from dgspay.models.balances import Balance, Balances
from dgspay.models.banks import Bank
from dgspay.models.charges import Charge
from dgspay.models.conversions import Conversion
from dgspay.models.disbursements import Disbursement
from dgspay.models.enums import PaymentMethod, PaymentStatus
from dgspay.models.json_codec import dump_json, parse_json
from dgspay.models.payment_links import PaymentLink, PaymentLinkDetails
from dgspay.models.structuring import structure
from dgspay.models.transactions import Transaction
from dgspay.secret import Secret

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(
        st.characters(exclude_categories=["Cs"])), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(JSON)
def test_what_goes_out_comes_back(value: Any) -> None:
    assert parse_json(dump_json(value)) == value


@given(st.decimals(min_value=0, max_value=10**12, places=4, allow_nan=False))
def test_amounts_go_out_digit_for_digit(amount: Decimal) -> None:
    written = dump_json(amount)
    assert b"E" not in written
    assert Decimal(written.decode()) == amount


@given(st.binary(max_size=200))
def test_no_body_can_raise_anything_but_a_decode_error(body: bytes) -> None:
    try:
        parse_json(body)
    except DecodeError as error:
        assert error.__context__ is None  # noqa: PT017 - either way is fine, but not this


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal(2000), b"2000"),
        (Decimal("2000.00"), b"2000"),
        (Decimal("2E+3"), b"2000"),
        (Decimal("94.50"), b"94.50"),
        (Decimal("0.000001"), b"0.000001"),
        (1.5, b"1.5"),
        (PaymentMethod.CARD, b'"card"'),
        (Secret("otp"), b'"otp"'),
        (datetime(2026, 12, 31, 23, 59, 59), b'"2026-12-31 23:59:59"'),  # noqa: DTZ001
        (("a", None), b'["a",null]'),
        ({}, b"{}"),
        ([], b"[]"),
        ({"é": True}, '{"é":true}'.encode()),
    ],
)
def test_a_value_is_written_as_exact_json(value: Any, text: bytes) -> None:
    assert dump_json(value) == text


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (float("nan"), ValueError),
        (float("inf"), ValueError),
        ({1: 2}, TypeError),
        ({"a": object()}, TypeError),
        ({"a": "\ud800"}, ValueError),
        ({"a": b"bytes"}, TypeError),
    ],
)
def test_a_value_json_cannot_hold_is_refused(value: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        dump_json(value)


@pytest.mark.acceptance(27, "exact-values")
@pytest.mark.parametrize(
    ("cls", "body", "path"),
    [
        (PaymentLink, {"id": "1", "use_count": Decimal("12.9")}, "use_count"),
        (PaymentLink, {"id": "1", "use_count": True}, "use_count"),
        (PaymentLink, {"id": "1", "collect_phone": "false"}, "collect_phone"),
        (PaymentLink, {"id": "1", "collect_phone": 2}, "collect_phone"),
        (PaymentLink, {"id": None}, "id"),
        (PaymentLink, {"id": "1", "payment_types": "card"}, "payment_types"),
        (PaymentLink, {"id": "1", "payment_types": ["card", 1]}, "payment_types[1]"),
        (Balances, {"balances": "abc"}, "balances"),
        (Balances, {"balances": [{"currency": "RWF"}]}, "balances[0].available_balance"),
        (Transaction, {"status": "pending", "amount": ""}, "amount"),
        (Transaction, {"status": []}, "status"),
        (Transaction, {"status": "pending", "dgs_reference": 7}, "dgs_reference"),
        (Charge, {"status": "success", "dgs_reference": 7}, "dgs_reference"),
        (Charge, {"status": "success", "dgs_reference": "d", "currency": []}, "currency"),
        (
            Charge,
            {"status": "success", "dgs_reference": "d", "created_at": "", "amount": []},
            "amount",
        ),
    ],
)
def test_nothing_is_coerced(cls: type[Any], body: Any, path: str) -> None:
    with pytest.raises(DecodeError) as caught:
        structure(body, cls)
    assert caught.value.path == path
    assert caught.value.__context__ is None


ODD: list[tuple[type[Any], dict[str, Any], str, list[Any]]] = [
    (
        Transaction,
        {"status": "pending", "amount": 5},
        "created_at",
        ["", "0000-00-00 00:00:00", "0000-00-00", "yesterday", 20260101, [], {}, False],
    ),
    (Transaction, {"status": "pending"}, "merchant_fee", ["", "n/a", [], False]),
    (Transaction, {"status": "pending"}, "narration", [7, [], False, {"a": 1}]),
    (PaymentLink, {"id": "l"}, "metadata", [[], "", "abc", ["a"], 7]),
    (PaymentLink, {"id": "l"}, "description", [7, []]),
    (PaymentLink, {"id": "l"}, "logo_url", ["", [], "javascript:alert(1)", "logo.png"]),
    (PaymentLink, {"id": "l"}, "expires_at", ["", "0000-00-00 00:00:00"]),
    (PaymentLinkDetails, {"link": {"id": "l"}}, "stats", [[], ""]),
    (Disbursement, {"status": "success"}, "flw_transfer_id", ["987654", "", Decimal("12.9")]),
    (Charge, {"status": "success", "dgs_reference": "d"}, "message", [[], {"en": "ok"}, 7]),
    (Charge, {"status": "success", "dgs_reference": "d"}, "mobile_money_phone", [788123456]),
    (Bank, {"bank_key": "b"}, "code", [40]),
    (Balance, {"currency": "RWF", "available_balance": 5}, "pending_balance", ["", []]),
    (Conversion, {"status": "success", "dgs_conversion_ref": "c"}, "rate_display", [1]),
]


@pytest.mark.parametrize(
    ("cls", "body", "field", "value"),
    [(cls, body, field, value) for cls, body, field, values in ODD for value in values],
)
def test_odd_field_that_decides_nothing_costs_itself_only(
    cls: type[Any], body: dict[str, Any], field: str, value: Any
) -> None:
    whole = structure({**body, "unknown": 1}, cls)
    read = structure({**body, field: value, "unknown": 1}, cls)
    assert getattr(read, field) is None
    assert read.extra == {field: value, "unknown": 1}
    assert attrs.evolve(read, extra={"unknown": 1}) == whole


def test_null_and_absent_are_alike() -> None:
    body = {"status": "success", "dgs_reference": "d"}
    assert structure({**body, "message": None}, Charge) == structure(body, Charge)


def test_branch_required_is_0_or_1() -> None:
    assert structure({"bank_key": "x", "branch_required": 1}, Bank).branch_required is True
    assert structure({"bank_key": "x", "branch_required": 0}, Bank).branch_required is False


def test_times_keep_what_zone_they_have() -> None:
    naive = structure({"status": "pending", "created_at": "2026-04-03 11:00:00"}, Transaction)
    assert naive.created_at == datetime(2026, 4, 3, 11)  # noqa: DTZ001
    aware = structure({"status": "pending", "created_at": "2026-04-03T11:00:00Z"}, Transaction)
    assert aware.created_at == datetime(2026, 4, 3, 11, tzinfo=UTC)


def test_models_are_frozen_all_through() -> None:
    link = structure({"id": "1", "payment_types": ["card", "new"]}, PaymentLink)
    assert link.payment_types == (PaymentMethod.CARD, PaymentMethod("new"))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        link.id = "2"  # type: ignore[misc]
    assert not hasattr(link, "__dict__")


def test_an_open_enum_keeps_a_word_as_it_came() -> None:
    word = PaymentStatus("refunded")
    assert (word, str(word), word.is_known) == ("refunded", "refunded", False)
    assert PaymentStatus("refunded") == word
    assert PaymentStatus("success") is PaymentStatus.SUCCESSFUL
    assert "refunded" not in list(PaymentStatus)
    with pytest.raises(ValueError, match="None"):
        PaymentStatus(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("word", ["RWF", "rwf", "Rwf"])
def test_balances_are_found_however_the_currency_is_written(word: str) -> None:
    balances = structure({"balances": [{"currency": word, "available_balance": 5}]}, Balances)
    assert balances.available("RWF") == balances.available("rwf") == 5


def test_balances_are_found_by_currency() -> None:
    wallet = structure(
        {"balances": [{"currency": "RWF", "available_balance": Decimal("5000.00")}]}, Balances
    )
    assert wallet["rwf"].available_balance == 5000
    assert wallet.available("RWF") == 5000
    assert wallet.available("USD") == 0
    assert len(wallet) == len(list(wallet)) == 1
    with pytest.raises(KeyError):
        wallet["USD"]

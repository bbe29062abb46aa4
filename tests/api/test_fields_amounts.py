"""Amounts in requests: exact JSON numbers, or nothing is sent."""

from __future__ import annotations

import decimal
import enum
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgspay import BankRecipient, DGSPay, money
from tests.support.recorders import LINK, MOBILE_MONEY, recording

RECIPIENT = BankRecipient(bank_key="kcb_rw", account_number="1234567890")

CALLS: dict[str, Callable[[DGSPay, Any], Any]] = {
    "mobile_money": lambda dgs, v: dgs.charges.mobile_money(**{**MOBILE_MONEY, "amount": v}),
    "disbursement": lambda dgs, v: dgs.disbursements.create(amount=v, recipient=RECIPIENT),
    "preview": lambda dgs, v: dgs.conversions.preview(
        from_currency="USD", to_currency="EUR", from_amount=v
    ),
    "convert": lambda dgs, v: dgs.conversions.convert(
        from_currency="USD", to_currency="EUR", from_amount=v
    ),
    "fixed link": lambda dgs, v: dgs.payment_links.create(title="x", amount_type="fixed", amount=v),
    "link minimum": lambda dgs, v: dgs.payment_links.create(**LINK, min_amount=v),
    "link maximum": lambda dgs, v: dgs.payment_links.create(**LINK, max_amount=v),
    "link update": lambda dgs, v: dgs.payment_links.update("link_1", amount=v),
}


class SlyInt(int):
    """Lies about its size."""

    def __abs__(self) -> int:
        return 1

    def __ge__(self, other: object) -> bool:
        return False


class SlyDecimal(Decimal):
    """Lies about being finite and positive."""

    def is_finite(self) -> bool:
        return True

    def __le__(self, other: object) -> bool:
        return False


WRONG_TYPES = {
    "True": True,
    "False": False,
    "float": 2000.0,
    "float NaN": float("nan"),
    "bytes": b"2000",
    "list": [2000],
    "complex": 2000 + 0j,
}
WRONG_VALUES = {
    "NaN": Decimal("NaN"),
    "signalling NaN": Decimal("sNaN"),
    "infinity": Decimal("Infinity"),
    "NaN text": "NaN",
    "infinity text": "inf",
    "zero": 0,
    "zero text": "0",
    "zero with places": "0.00",
    "minus zero": Decimal("-0"),
    "negative": -1,
    "negative text": "-1",
    "negative decimal": Decimal("-0.01"),
    "1E400": Decimal("1E400"),
    "1E400 text": "1E400",
    "1E-400": Decimal("1E-400"),
    "below the smallest normal": Decimal("1E-9999999"),
    "more places than a context keeps": Decimal("1." + "0" * 34 + "1"),
    "16 digits": 10**15,
    "a million digits": 10**1_000_000,
    "a million digits of text": "1" * 1_000_000,
    "7 places": "1.0000001",
    "empty": "",
    "space": " 2000",
    "newline": "2000\n",
    "underscore": "2_000",
    "comma": "2,000",
    "plus": "+2000",
    "exponent": "2e3",
    "hexadecimal": "0x10",
    "no integer digits": ".5",
    "no fraction digits": "5.",
    "full-width digits": "\uff12\uff10\uff10\uff10",
    "Arabic digits": "\u0662\u0660\u0660\u0660",
    "superscript": "2\u00b3",
    "sly int": SlyInt(10**400),
    "sly negative": SlyInt(-5),
    "sly NaN": SlyDecimal("NaN"),
    "sly negative decimal": SlyDecimal("-5"),
}


@pytest.mark.acceptance(6, "odd-amount")
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("amount", WRONG_TYPES.values(), ids=WRONG_TYPES)
def test_amount_of_a_wrong_type_is_refused(call: Callable[[DGSPay, Any], Any], amount: Any) -> None:
    dgs, recorder = recording()
    with pytest.raises((TypeError, ValueError)) as caught:
        call(dgs, amount)
    assert type(caught.value) in (TypeError, ValueError)
    assert recorder.requests == []


@pytest.mark.acceptance(6, "odd-amount")
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("amount", WRONG_VALUES.values(), ids=WRONG_VALUES)
def test_amount_that_is_no_sum_of_money_is_refused(
    call: Callable[[DGSPay, Any], Any], amount: Any
) -> None:
    dgs, recorder = recording()
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the type is the promise
        call(dgs, amount)
    assert type(caught.value) is ValueError
    assert recorder.requests == []


class Price(enum.IntEnum):
    BASIC = 2000


class TextPrice(str, enum.Enum):  # noqa: UP042 - the older kind, whose str() is its name
    BASIC = "2000"


EXACT = [
    (2000, b"2000"),
    ("2000", b"2000"),
    (Decimal("94.50"), b"94.50"),
    ("94.50", b"94.50"),
    (Decimal("2E3"), b"2000"),
    (Decimal("2000.00"), b"2000"),
    ("0.000001", b"0.000001"),
    (999_999_999_999_999, b"999999999999999"),
    ("999999999999999.999999", b"999999999999999.999999"),
    ("0.1", b"0.1"),
    ("007", b"7"),
    (Price.BASIC, b"2000"),
    (TextPrice.BASIC, b"2000"),
]


@pytest.mark.acceptance(6, "odd-amount")
@pytest.mark.parametrize(("amount", "number"), EXACT)
def test_amount_is_an_exact_number_on_the_wire(amount: Any, number: bytes) -> None:
    dgs, recorder = recording()
    CALLS["convert"](dgs, amount)
    body = recorder.requests[0].reveal_body()
    assert body is not None
    assert body.endswith(b'"from_amount":' + number + b"}")


@pytest.mark.acceptance(6, "odd-amount")
@given(st.decimals(min_value="0.000001", max_value="999999999999999", places=6, allow_nan=False))
def test_every_amount_arrives_with_its_value(amount: Decimal) -> None:
    dgs, recorder = recording()
    CALLS["preview"](dgs, amount)
    body = recorder.requests[0].reveal_body()
    assert body is not None
    text = body.rpartition(b":")[2].removesuffix(b"}").decode()
    assert Decimal(text) == amount
    assert "e" not in text.lower()


@pytest.mark.acceptance(6, "odd-amount")
def test_the_programs_decimal_context_does_not_touch_amounts() -> None:
    with decimal.localcontext() as context:
        context.prec = 3
        context.traps[decimal.Inexact] = True
        context.traps[decimal.FloatOperation] = True
        dgs, recorder = recording()
        CALLS["convert"](dgs, "123456.78")
        assert recorder.last_body["from_amount"] == Decimal("123456.78")
        CALLS["disbursement"](dgs, 1_234_567)
        assert recorder.last_body["amount"] == 1_234_567
        assert money.gross_for(1_234_567, 890) == Decimal(1_235_457)
        with pytest.raises(ValueError, match="no minor unit"):
            CALLS["disbursement"](dgs, "123456.78")


@pytest.mark.acceptance(7, "rwf-fraction")
@pytest.mark.parametrize("amount", ["0.5", "2000.01", Decimal("94.50"), "2000.000001"])
@pytest.mark.parametrize(
    "name", ["mobile_money", "disbursement", "fixed link", "link minimum", "link update"]
)
def test_rwf_with_a_fraction_is_refused_unless_allowed(name: str, amount: Any) -> None:
    dgs, recorder = recording()
    with pytest.raises(ValueError, match="allow_rwf_fractions"):
        CALLS[name](dgs, amount)
    assert recorder.requests == []

    lenient, recorder = recording(allow_rwf_fractions=True)
    CALLS[name](lenient, amount)
    assert Decimal(str(amount)) in recorder.last_body.values()


@pytest.mark.acceptance(7, "rwf-fraction")
@pytest.mark.parametrize("amount", ["2000.00", Decimal("2000.000"), Decimal("2E+3")])
def test_rwf_with_a_fraction_of_zero_is_whole(amount: Any) -> None:
    dgs, recorder = recording()
    CALLS["mobile_money"](dgs, amount)
    body = recorder.requests[0].reveal_body()
    assert body is not None
    assert body.startswith(b'{"amount":2000,')


@pytest.mark.acceptance(7, "rwf-fraction")
@pytest.mark.parametrize("currency", ["RWF", "rwf", "UGX", "JPY"])
def test_no_spelling_of_a_currency_lets_a_fraction_through(currency: str) -> None:
    dgs, recorder = recording()
    with pytest.raises(ValueError, match="no minor unit"):
        dgs.conversions.convert(from_currency=currency, to_currency="USD", from_amount="1.5")
    assert recorder.requests == []

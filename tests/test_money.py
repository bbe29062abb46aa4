"""Amounts and currencies: what is exact, what is refused, and in which words."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

import iso4217
import pytest

from dgspay.money import (
    THREE_DECIMAL_CURRENCIES,
    ZERO_DECIMAL_CURRENCIES,
    Money,
    exact_difference,
    exact_sum,
    gross_for,
    minor_unit_digits,
    parse_amount,
    parse_currency,
    to_json_number,
)


@pytest.mark.acceptance(6, "odd-amount")
@pytest.mark.parametrize(
    ("value", "exact"),
    [
        (2000, "2000"),
        ("2000", "2000"),
        (Decimal("94.50"), "94.50"),
        ("0.000001", "0.000001"),
        (10**15 - 1, "999999999999999"),
        ("1" * 15 + "." + "1" * 6, "1" * 15 + "." + "1" * 6),
        (Decimal("1E3"), "1000"),
        (Decimal("2.500000000000000000000000000000"), "2.500000000000000000000000000000"),
    ],
)
def test_an_amount_keeps_its_digits(value: Any, exact: str) -> None:
    assert to_json_number(parse_amount(value)) == to_json_number(Decimal(exact))
    assert parse_amount(value) == Decimal(exact)


@pytest.mark.acceptance(6, "odd-amount")
@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "amount must be an int, a str or a Decimal, not bool"),
        (None, "amount must be an int, a str or a Decimal, not NoneType"),
        (
            94.5,
            (
                "amount must be an int, a str or a Decimal, not float; "
                'a float cannot hold money exactly, so write "94.50"'
            ),
        ),
    ],
)
def test_what_cannot_hold_money_is_a_type_error(value: Any, words: str) -> None:
    with pytest.raises(TypeError) as raised:
        parse_amount(value)
    assert str(raised.value) == words


PLAIN = 'amount must be a plain number such as "2000" or "94.50"'
TOO_LARGE = "amount has more than 15 digits before the point"
TOO_FINE = "amount has more than 6 digits after the point"


@pytest.mark.acceptance(6, "odd-amount")
@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("1e3", PLAIN),
        (" 2000", PLAIN),
        ("2,000", PLAIN),
        ("\u0662\u0660", PLAIN),
        ("", PLAIN),
        ("1" * 25, "amount has more digits than any amount of money"),
        ("0" + "1" * 15 + "." + "1" * 6, "amount has more digits than any amount of money"),
        (10**15, TOO_LARGE),
        (-(10**15), TOO_LARGE),
        ("1" * 16, TOO_LARGE),
        (Decimal("1E15"), TOO_LARGE),
        (Decimal("1E400"), TOO_LARGE),
        ("0.0000001", TOO_FINE),
        (Decimal("NaN"), "amount must be a finite number"),
        (Decimal("-Infinity"), "amount must be a finite number"),
        (0, "amount must be greater than 0"),
        ("0.00", "amount must be greater than 0"),
        (Decimal("-0.01"), "amount must be greater than 0"),
    ],
)
def test_what_is_no_amount_is_refused_by_its_rule(value: Any, words: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - its words are compared whole
        parse_amount(value)
    assert str(raised.value) == words


def test_a_refusal_names_the_field_it_was_given_for() -> None:
    for value in (1.5, "x", "1" * 25, 10**15, Decimal("NaN"), 0, "1" * 16, "0.0000001"):
        with pytest.raises((TypeError, ValueError), match=r"^maximum_amount (must|has)"):
            parse_amount(value, field="maximum_amount")  # type: ignore[arg-type]


def test_a_currency_is_three_letters_in_capitals() -> None:
    assert parse_currency("rwf") == "RWF"
    for value in ("RW", "RWFX", "R1F", "\uff32\uff37\uff26", ""):
        with pytest.raises(ValueError) as raised:  # noqa: PT011 - its words are compared whole
            parse_currency(value, field="source_currency")
        assert str(raised.value) == (
            "source_currency must be an ISO 4217 code of three letters such as 'RWF'"
        )
    with pytest.raises(TypeError) as refused:
        parse_currency(646)  # type: ignore[arg-type]
    assert str(refused.value) == "currency must be a str such as 'RWF', not int"


def test_minor_units_are_those_of_iso_4217() -> None:
    table = {currency.code: currency.exponent for currency in iso4217.Currency}
    assert {
        code: minor_unit_digits(code) for code, digits in table.items() if digits is not None
    } == {code: digits for code, digits in table.items() if digits is not None}
    for digits, codes in ((0, ZERO_DECIMAL_CURRENCIES), (3, THREE_DECIMAL_CURRENCIES)):
        assert codes == {code for code, has in table.items() if has == digits}


@pytest.mark.parametrize("currency", sorted(ZERO_DECIMAL_CURRENCIES))
def test_no_currency_without_a_minor_unit_takes_a_fraction(currency: str) -> None:
    assert Money.parse("94.50", currency).has_forbidden_fraction
    assert not Money.parse("94.50", "KWD").has_forbidden_fraction


@pytest.mark.acceptance(7, "rwf-fraction")
def test_money_knows_where_a_fraction_has_no_coin() -> None:
    assert Money.parse("94.50", "rwf").has_forbidden_fraction
    assert not Money.parse("94.00", "RWF").has_forbidden_fraction
    assert not Money.parse("94.50", "USD").has_forbidden_fraction
    assert Money.parse(1, "RWF") == Money(Decimal(1), "RWF", "amount")
    assert Money.parse(1, "RWF", field="amount_min").field == "amount_min"
    with pytest.raises(ValueError, match=r"^amount_min must be greater"):
        Money.parse(0, "RWF", field="amount_min")


def test_a_json_number_has_no_exponent() -> None:
    assert to_json_number(Decimal("1E+3")) == "1000"
    assert to_json_number(Decimal("94.50")) == "94.50"
    assert to_json_number(Decimal("94.00")) == "94"
    assert to_json_number(Decimal("1E-8")) == "0.00000001"


def test_the_gross_of_a_disbursement_is_net_and_fee() -> None:
    assert gross_for(10_000, 100) == 10_100
    assert gross_for("0.000001", "999999999999999") == Decimal("999999999999999.000001")
    with pytest.raises(ValueError, match=r"^net must"):
        gross_for(0, 100)
    with pytest.raises(ValueError, match=r"^fee must"):
        gross_for(100, 0)


def test_sums_and_differences_are_exact_whatever_the_programs_decimal_context_is() -> None:
    large, small = Decimal(10**15 - 1), Decimal("0.000001")
    with localcontext(prec=3):
        assert exact_sum([]) == 0
        total = exact_sum(iter([large, small, small]))
        assert total == Decimal("999999999999999.000002")
        assert exact_difference(total, small) == Decimal("999999999999999.000001")

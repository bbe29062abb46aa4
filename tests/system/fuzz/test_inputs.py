"""Whatever a program passes in: ValueError or TypeError, or exactly what was meant."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dgspay.models.phones import NETWORKS, local_part, mobile_local, network_name
from dgspay.models.validators import web_url
from dgspay.money import parse_amount, parse_currency, to_json_number
from tests.support.effort import ENOUGH_SECONDS, FUZZ, MEGABYTE, seconds_of
from tests.system.fuzz.hostile import ROWS_PER_BATCH

anything: st.SearchStrategy[Any] = (
    st.text()
    | st.integers()
    | st.booleans()
    | st.floats()
    | st.decimals()
    | st.none()
    | st.binary()
    | st.lists(st.integers(), max_size=3)
    | st.sampled_from(ROWS_PER_BATCH)
    | st.sampled_from(ROWS_PER_BATCH).filter(lambda text: not text.endswith("0" * 3)).map(repr)
)

REFUSALS = (ValueError, TypeError)


def taken(check: Callable[[Any], Any], value: Any) -> Any:
    """Return what a check makes of a value; refused is fine, anything else comes out."""
    try:
        return check(value)
    except REFUSALS as refusal:
        assume(str(refusal) != "")
        return None


# --- amounts ------------------------------------------------------------------------------------


@pytest.mark.acceptance(6, "odd-amount")
@FUZZ
@given(value=anything)
def test_an_amount_is_taken_exactly_or_refused(value: Any) -> None:
    amount = taken(parse_amount, value)
    if amount is None:
        return
    assert type(value) in (int, str, Decimal)
    assert amount == Decimal(value)
    assert amount > 0
    written = to_json_number(amount)
    assert re.fullmatch(r"[0-9]+(\.[0-9]+)?", written)
    assert Decimal(written) == amount
    assert parse_amount(written) == amount


@pytest.mark.acceptance(6, "odd-amount")
@FUZZ
@given(
    whole=st.integers(min_value=0, max_value=10**15 - 1),
    fraction=st.integers(min_value=0, max_value=999_999),
)
def test_every_real_amount_comes_through_digit_for_digit(whole: int, fraction: int) -> None:
    text = f"{whole}.{fraction:06}"
    assume(Decimal(text) > 0)
    assert Decimal(to_json_number(parse_amount(text))) == Decimal(text)
    assert to_json_number(parse_amount(Decimal(text))) == to_json_number(parse_amount(text))
    if whole:
        assert to_json_number(parse_amount(whole)) == str(whole)


# --- phones and networks --------------------------------------------------------------------------


@FUZZ
@given(value=anything | st.text("+0123456789 -()./\u0660\uff10", max_size=20))
def test_a_phone_is_nine_digits_or_refused(value: Any) -> None:
    number = taken(lambda phone: mobile_local(phone, field="phone"), value)
    if number is None:
        return
    assert re.fullmatch(r"7[0-9]{8}", number)
    # What was made of it has the digits of what was given, in that order and at its end.
    assert "".join(re.findall("[0-9]", value)).endswith(number)
    assert mobile_local(number, field="phone") == number


@FUZZ
@given(
    number=st.from_regex(r"7[2389][0-9]{7}", fullmatch=True),
    before=st.sampled_from(["", "0", "250", "+250", "+250 0", "+250-"]),
    gap=st.sampled_from(["", " ", "-"]),
)
def test_every_spelling_of_a_phone_is_the_same_phone(number: str, before: str, gap: str) -> None:
    spelled = before + gap.join([number[:3], number[3:6], number[6:]])
    assert mobile_local(spelled, field="phone") == number


@FUZZ
@given(value=anything, country=st.from_regex(r"[1-9][0-9]{0,2}", fullmatch=True))
def test_a_foreign_phone_is_ascii_digits_or_refused(value: Any, country: str) -> None:
    number = taken(lambda phone: local_part(phone, country, field="phone"), value)
    assert number is None or re.fullmatch(r"[0-9]{1,15}", number)


@FUZZ
@given(
    value=anything
    | st.sampled_from(["mtn", "MTN", "aIRTEL", "MTN ", "m\u0442n", "\uff2d\uff34\uff2e"])
)
def test_a_network_is_one_of_the_two_or_refused(value: Any) -> None:
    network = taken(lambda name: network_name(name, field="network"), value)
    assert network is None or (network in NETWORKS and network.casefold() == value.casefold())


@FUZZ
@given(value=anything | st.from_regex(r"[a-zA-Z\u0131]{3}", fullmatch=True))
def test_a_currency_is_three_capitals_or_refused(value: Any) -> None:
    code = taken(parse_currency, value)
    assert code is None or re.fullmatch("[A-Z]{3}", code)


@FUZZ
@given(
    value=anything
    | st.text("htps:/\\.@?#[]%javscrip\t\r\n ", max_size=40).map(lambda text: f"https://{text}")
)
def test_a_url_is_of_the_web_or_refused(value: Any) -> None:
    url = taken(lambda text: web_url(text, field="url"), value)
    assert url is None or re.match(r"https?://[^/\s]", url, re.IGNORECASE)


HUGE: dict[str, Callable[[], Any]] = {
    "digits as an amount": lambda: parse_amount("9" * 10 * MEGABYTE),
    "a number of 5,000 digits": lambda: parse_amount(10**5000),
    "a Decimal of 5,000 digits": lambda: parse_amount(Decimal(f"1.{'3' * 5000}")),
    "a Decimal beyond measure": lambda: parse_amount(Decimal("1E999999")),
    "a Decimal next to nothing": lambda: parse_amount(Decimal("1E-999999")),
    "digits as a phone": lambda: mobile_local("7" * 10 * MEGABYTE, field="phone"),
    "spaces as a phone": lambda: mobile_local(" " * 10 * MEGABYTE, field="phone"),
    "a long network": lambda: network_name("MTN" * 3 * MEGABYTE, field="network"),
    "a long currency": lambda: parse_currency("RWF" * 3 * MEGABYTE),
    "a long URL": lambda: web_url("https://" + "a." * MEGABYTE, field="url"),
}


@pytest.mark.parametrize("name", HUGE)
def test_what_is_huge_is_refused_at_once(name: str) -> None:
    def refuse() -> None:
        with pytest.raises(REFUSALS):
            HUGE[name]()

    assert seconds_of(refuse) < ENOUGH_SECONDS

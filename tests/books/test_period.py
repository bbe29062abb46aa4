"""Periods: whole days of Kigali."""

from __future__ import annotations

import datetime as dt

import pytest

from dgspay.books import Period
from dgspay.books.period import day_of


def moment(*parts: int) -> float:
    return dt.datetime(*parts, tzinfo=dt.UTC).timestamp()  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("2026-11", (2026, 10, 31, 22), (2026, 11, 30, 22)),
        ("2028-02", (2028, 1, 31, 22), (2028, 2, 29, 22)),
        ("2026", (2025, 12, 31, 22), (2026, 12, 31, 22)),
        ("2026-11-03..2026-11-03", (2026, 11, 2, 22), (2026, 11, 3, 22)),
    ],
)
def test_a_period_begins_and_ends_at_midnight_in_kigali(
    text: str, begin: tuple[int, ...], end: tuple[int, ...]
) -> None:
    period = Period.parse(text)
    assert (period.begin, period.end) == (moment(*begin), moment(*end))
    assert day_of(period.begin) == period.first
    assert day_of(period.end - 1) == period.last


@pytest.mark.parametrize(
    "text", ["", "november", "2026-13", "2026-1", "2026-11-30..", "2026-11-30..2026-11-01", "26-11"]
)
def test_what_is_no_period_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"2026-11-01\.\.2026-11-15|must not end before it begins"):
        Period.parse(text)

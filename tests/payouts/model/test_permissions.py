"""Standing permissions: which references a pattern matches, and what one never covers."""

from __future__ import annotations

from typing import Any

import pytest

from dgspay.errors import ConfigError
from dgspay.payouts import Permission
from dgspay.payouts.model.permissions import grouped

DAY = "2026-12-02"


def permission(pattern: str = "wages-{date}-*", **changes: Any) -> Permission:
    values: dict[str, Any] = {
        "reason": "casual workers are paid each evening",
        "begins": "2026-12-01",
        "ends": "2026-12-31",
    }
    return Permission(pattern=pattern, **{**values, **changes})


@pytest.mark.parametrize(
    "pattern",
    [
        *("", "*", "{date}", "*-{date}", "{date}-*", "w-{date}-*", "-wages-{date}", "wages-*"),
        *("wages-{date}*", "wages-*{date}", "wages-{date}-*-*", "wages-{date}-{date}"),
        *("wages {date}", "wages-{date}-[a-z]", "wages-{date}-é", "wages-{day}", "wages-{date}\n"),
        "wages-{date}-" + "x" * 60,
    ],
)
def test_a_pattern_that_matches_too_much_or_is_none_is_rejected(pattern: str) -> None:
    with pytest.raises(ConfigError, match="pattern of references"):
        permission(pattern)


@pytest.mark.parametrize(
    ("pattern", "reference", "date"),
    [
        ("wages-{date}-*", "wages-2026-12-01-jane", "2026-12-01"),
        ("wages-{date}-*", "wages-2026-12-01-jean-paul.2", "2026-12-01"),
        ("WAGES_{date}", "WAGES_2026-12-01", "2026-12-01"),
        ("emp*.{date}", "emp007.2026-12-01", "2026-12-01"),
    ],
)
def test_a_reference_matches_as_a_whole(pattern: str, reference: str, date: str) -> None:
    assert permission(pattern).date_of(reference) == date


@pytest.mark.parametrize(
    "reference",
    [
        *("Wages-2026-12-01-jane", "wages-2026-12-01- jane", "wages-2026-12-01-jane "),
        *(
            "wages\u20102026-12-01-jane",
            "wages-2026-12-01-jan\u00e9",
            "wages-2026-12-01-jane\u200b",
        ),
        *("\uff57ages-2026-12-01-jane", "wages-\uff12026-12-01-jane", "wages-2026-12-01-jane\n"),
        *("wages-2026-12-01-", "xwages-2026-12-01-jane", "wages-2026-13-01-jane"),
        *("wages-2026-1-1-jane", "wages-20261201-jane", "wagesX2026-12-01-jane"),
    ],
)
def test_a_reference_that_is_spelled_otherwise_does_not_match(reference: str) -> None:
    assert permission().date_of(reference) is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"reason": " "}, "reason"),
        ({"reason": "two\nlines"}, "plain text"),
        ({"ends": "2026-11-30"}, "on or after"),
        ({"ends": "2027-12-31"}, "366"),
        ({"begins": "1.12.2026"}, "written like"),
        ({"begins": "20261201"}, "written like"),
        ({"per_day": 0}, "per_day"),
        ({"largest": 0}, "largest"),
    ],
)
def test_a_permission_has_a_reason_an_end_and_bounds(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        permission(**changes)


def objection(
    reference: str = "wages-2026-12-02-jane",
    others: tuple[str, ...] = ("wages-2026-12-01-jane",),
    today: tuple[int, ...] = (),
    day: str = DAY,
    **changes: Any,
) -> str | None:
    return permission(**changes).objection(reference, 3000, others, today, day)


def test_the_wage_of_another_day_is_covered() -> None:
    assert objection() is None
    assert objection(others=("wages-2026-12-01-jane", "wages-2026-11-30-jane")) is None
    assert objection(today=(1000,), per_day=2, largest=4000) is None


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"others": ("wages-2026-12-02-jane",)}, "same day"),
        ({"others": ("wages-2026-12-02-jane-2",)}, "same day"),
        ({"others": ("wages-2026-12-01-jane", "salary-2026-12-jane")}, "no reference of"),
        ({"others": ("Wages-2026-12-01-jane",)}, "no reference of"),
        ({"today": (500,)}, "1 a day"),
        ({"today": (1001,), "per_day": 2, "largest": 4000}, "would get 4,001 RWF"),
        ({"day": "2026-12-01"}, "not come yet"),
        ({"day": "2027-01-01"}, "is for 2026-12-01 to 2026-12-31"),
        ({"day": "2026-11-30"}, "is for"),
        ({"reference": "wages-2026-11-30-jane"}, "is for"),
        ({"reference": "wages-2027-01-01-jane", "day": "2027-01-01"}, "is for"),
    ],
)
def test_what_is_not_the_wage_of_another_day_is_not_covered(
    values: dict[str, Any], why: str
) -> None:
    assert why in (objection(**values) or "")


def test_rows_are_told_by_their_permission() -> None:
    (rows,) = grouped([(f"wages-2026-12-02-{number}", permission()) for number in range(12)])
    words = str(rows)
    assert words.startswith("12 rows repeat an earlier payment, by the standing permission wages-")
    assert words.endswith("wages-2026-12-02-9, ...")

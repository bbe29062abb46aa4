"""How long a server asks to wait, in seconds or until a date, is read within bounds."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from dgspay.core.assessment import MAX_RETRY_AFTER, parse_retry_after

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
pytestmark = pytest.mark.acceptance(30, "retry-after")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        # Seconds
        ("7", 7.0),
        (" 7 ", 7.0),
        ("2.5", 2.5),
        ("1_0", 10.0),
        ("0", 0.0),
        ("0.001", 0.001),
        ("-0.001", 0.0),
        ("-5", 0.0),
        ("-inf", 0.0),
        ("86399", 86_399.0),
        ("86400", 86_400.0),
        ("86401", 86_400.0),
        ("1e9", MAX_RETRY_AFTER),
        ("inf", MAX_RETRY_AFTER),
        # Not a number that can be waited for
        ("nan", None),
        ("NaN", None),
        ("", None),
        ("soon", None),
        ("٣", None),
        ("9" * 400, None),
        # The longest text that is read
        ("0" * 63 + "7", 7.0),
        ("0" * 64 + "7", None),
        # Dates
        ("Thu, 01 Jan 2026 12:00:09 GMT", 9.0),
        ("Thu, 01 Jan 2026 14:00:09 +0200", 9.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 9999 07:28:00 GMT", MAX_RETRY_AFTER),
        # Not a date
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
        ("Wed, 21 Oct 2015 07:28:00 -9999", None),
        ("Wed, 21 Oct", None),
        ("1 2 3", None),
        (",", None),
    ],
)
def test_retry_after_is_read_or_clamped_or_ignored(header: str, seconds: float | None) -> None:
    assert parse_retry_after({"retry-after": header}, now=NOW.timestamp()) == seconds


def test_without_retry_after_the_pause_is_ours_to_choose() -> None:
    for headers in ({}, {"date": format_datetime(NOW, usegmt=True)}):
        assert parse_retry_after(headers, now=0.0) is None


@pytest.mark.parametrize(
    ("date", "now"),
    [
        # The server's own clock, whatever ours says.
        (format_datetime(NOW, usegmt=True), 0.0),
        # Ours where the server shows none.
        (None, NOW.timestamp()),
        ("yesterday", NOW.timestamp()),
    ],
)
def test_a_date_is_compared_with_the_clock_of_the_server_that_wrote_it(
    date: str | None, now: float
) -> None:
    headers = {"retry-after": format_datetime(NOW.replace(second=9), usegmt=True)}
    if date:
        headers["date"] = date
    assert parse_retry_after(headers, now=now) == 9.0

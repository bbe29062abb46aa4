"""Limits of networks and banks: a warning that names the row, and never a refusal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dgspay.errors import ConfigError
from dgspay.payouts import (
    PUBLISHED_LIMITS,
    AmountLimit,
    AsyncPayouts,
    LimitWatch,
    Payout,
    Preflight,
    SqliteLedger,
    State,
    read_amount_limits,
)
from dgspay.payouts.amount_limits import warnings_of
from tests.support.sheet_factory import in_process, phone, write_sheet

pytestmark = pytest.mark.acceptance(110, "limits-and-prefixes")

LIMITS = PUBLISHED_LIMITS["2026-12"]


def row(amount: int, number: int = 1, **to: Any) -> Payout:
    where = {"account": phone(1), "network": "MTN", **to}
    return Payout(number=number, reference=f"r{number}", amount=amount, name="Jane", **where)


@pytest.mark.parametrize(
    ("payout", "words"),
    [
        (row(2_000_001), "above its limit of 2,000,000 RWF for one payout"),
        (row(99), "below its least payout of 100 RWF"),
        (row(500_001, network="AIRTEL"), "to AIRTEL is above its limit of 500,000"),
        (row(999, bank_key="bk_rw", network=None), "to bk_rw is below its least payout"),
        (row(8_000_001, bank_key="bk_rw", network=None), "to bk_rw is above its limit"),
    ],
)
def test_a_row_beyond_a_limit_is_named(payout: Payout, words: str) -> None:
    (warning,) = warnings_of([payout], LIMITS)
    assert warning.startswith(f"r1 (Jane): {payout.amount:,} RWF ")
    assert words in warning


def test_rows_within_the_limits_and_unknown_networks_are_not() -> None:
    good = [row(2_000_000), row(100), row(1, network="Other"), row(500_000, network="Airtel")]
    assert warnings_of(good, LIMITS) == ()
    assert warnings_of([row(10**9)], {}) == ()


def test_what_one_account_gets_in_a_day_is_added_up_in_any_spelling() -> None:
    limits = {"mtn": AmountLimit(per_day=1_000)}
    spelled = [row(600), row(600, 2, account="0780000001"), row(600, 3), row(600, 4, account="1")]
    (warning,) = warnings_of(spelled, limits)
    assert warning.startswith("r2 (Jane)")
    assert "1,200 RWF, above its limit of 1,000 RWF for a day" in warning


def test_of_very_many_rows_the_first_are_named_and_the_others_counted() -> None:
    watch = LimitWatch(LIMITS)
    for number in range(1, 26):
        watch.look(row(1, number))
    assert len(watch.warnings) == 21
    assert watch.warnings[-1] == "5 more rows are beyond a limit"


def test_limits_come_from_a_month_or_a_file(tmp_path: Path) -> None:
    assert read_amount_limits("2026-12") is LIMITS
    path = tmp_path / "limits.toml"
    path.write_text("[MTN]\nmost = 5_000\nper_day = 9000\n")
    assert read_amount_limits(str(path)) == {"MTN": AmountLimit(most=5000, per_day=9000)}
    for text in ("[MTN]\nmoist = 1\n", "[MTN]\nmost = 1.5\n", "MTN = 5\n", "[MTN]\nmost = true\n"):
        path.write_text(text)
        with pytest.raises(ConfigError, match="must hold least, most, per_day"):
            read_amount_limits(str(path))
    path.write_text("[MTN")
    with pytest.raises(ConfigError, match="as TOML"):
        read_amount_limits(str(path))
    with pytest.raises(ConfigError, match="no limits of '2025-01'"):
        read_amount_limits("2025-01")


@pytest.mark.anyio
async def test_check_and_run_warn_and_pay_all_the_same(tmp_path: Path) -> None:
    sheet = write_sheet(tmp_path / "salaries.csv", 3)
    limits = {"MTN": AmountLimit(most=1_002)}
    shown: list[tuple[str, ...]] = []
    with in_process() as (_, dgs), SqliteLedger(tmp_path / "ledger.sqlite3") as ledger:
        for payouts in (AsyncPayouts(dgs), AsyncPayouts(dgs, ledger)):
            found = await payouts.check(sheet, amount_limits=limits)
            assert not found.problems
            shown.append(found.warnings)

        def confirm(found: Preflight) -> bool:
            shown.append(found.warnings)
            return True

        summary = await payouts.run(sheet, amount_limits=limits, confirm=confirm)
        assert summary.counts.count(State.CONFIRMED) == 3
    first, *others = shown
    assert "salary-3 (Person 3): 1,003 RWF" in first[0]
    assert others == [first, first]

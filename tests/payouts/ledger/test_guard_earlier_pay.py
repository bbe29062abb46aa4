"""What accounts got before, found in both databases whatever they are called by now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dgspay.payouts import (
    AsyncPayouts,
    Batch,
    Evidence,
    Learned,
    Payout,
    Preflight,
    SqliteLedger,
    Terms,
)
from dgspay.payouts.model.changes import EarlierPay
from tests.support.sheet_factory import in_process, payments, write_sheet

TERMS = Terms(environment="emulator", base_url="http://127.0.0.1", account_number="ACC")


class Clock:
    now = 1_796_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """Each kind of ledger, empty."""
    if request.param == "sqlite":
        with SqliteLedger(tmp_path / "ledger.sqlite3", clock=Clock()) as ledger:
            yield ledger
        return
    from dgspay.payouts import PostgresLedger

    url = request.getfixturevalue("postgres_ledger_url")
    with PostgresLedger(url, clock=Clock()) as server:
        yield server


def loaded(ledger: Any, name: str, *payouts: Payout) -> Batch:
    batch: Batch = ledger.load(Batch(name=name, digest=name, terms=TERMS, period=name), payouts)
    return batch


def sent(ledger: Any, batch: Batch, learned: Learned = Learned.ACCEPTED) -> None:
    ledger.start(batch.name)
    chunk = ledger.claim(batch, 0, 1, batch.count)
    for payout in ledger.take(chunk, after=0, limit=9):
        ledger.settle(batch, payout.number, Evidence(learned=learned))


def test_the_last_pay_of_the_same_account_in_any_spelling_is_found(ledger: Any) -> None:
    old = loaded(
        ledger,
        "2026-10",
        Payout(1, "jane", 100, "+250780000001", network="MTN"),
        Payout(2, "paul", 300, "00100-200", bank_key="bk_rw"),
        Payout(3, "rose", 500, "+250780000003", network="MTN"),
    )
    sent(ledger, old)
    refused = loaded(ledger, "2026-09", Payout(1, "rose", 7, "+250780000004", network="MTN"))
    sent(ledger, refused, Learned.REFUSED)
    new = loaded(
        ledger,
        "2026-11",
        Payout(1, "j", 900, "0780000001", network="MTN", name="Jane"),
        Payout(2, "p", 301, "100 200", bank_key="bk_rw"),
        Payout(3, "r", 500, "+250780000004", network="MTN"),
        Payout(4, "x", 500, "10", bank_key="bk_rw"),
    )
    found = ledger.earlier_pay(new)
    at = Clock.now
    assert found == [
        EarlierPay("j", "Jane", 900, 100, "2026-10", at),
        EarlierPay("p", None, 301, 300, "2026-10", at),
        EarlierPay("r", None, 500),
        EarlierPay("x", None, 500),
    ]
    assert ledger.compare(new, []).earlier_pay == []
    sent(ledger, new)
    assert ledger.earlier_pay(new) == []


@pytest.mark.anyio
async def test_a_salary_that_is_another_is_shown_by_check_and_before_a_run(tmp_path: Path) -> None:
    with in_process() as (_, dgs), SqliteLedger(tmp_path / "ledger.sqlite3") as ledger:
        payouts = AsyncPayouts(dgs, ledger)
        await payouts.run(write_sheet(tmp_path / "november.csv", 3), period="2026-11")
        rows = [*payments(4)]
        rows[1]["amount"] = "9018"
        december = write_sheet(tmp_path / "december.csv", rows)
        checked = await payouts.check(december, period="2026-12", repeat_days=0)
        assert "Person 2 (salary-2) gets 9,018 RWF, and got 1,002 RWF" in checked.warnings[0]
        assert "(+800 %)" in checked.warnings[0]
        newcomer = "one account was never paid from this ledger: Person 4 (salary-4)"
        assert newcomer in checked.remarks
        shown: list[tuple[str, ...]] = []

        def confirm(found: Preflight) -> bool:
            shown.append(found.warnings)
            return newcomer in found.remarks

        await payouts.run(december, period="2026-12", repeat_days=0, confirm=confirm)
        assert shown == [checked.warnings]

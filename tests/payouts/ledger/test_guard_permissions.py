"""Standing permissions in both databases: another day's wage passes, and nothing else does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dgspay.payouts import (
    AsyncPayouts,
    Batch,
    Evidence,
    Learned,
    NotApprovedError,
    Payout,
    Permission,
    PreflightError,
    SqliteLedger,
    State,
    Terms,
    backup_ledger,
    confirm_compared,
    restore_ledger,
)
from tests.support.crash_points import paid
from tests.support.sheet_factory import in_process, phone, write_sheet
from tests.support.signers import ALICE, BOB, two_eyes

TERMS = Terms(environment="emulator", base_url="http://127.0.0.1", account_number="ACC")
DAY = 24 * 3600.0
FIRST = 1_796_076_000.0 + 18 * 3600
"""The evening of 1 December 2026 in Kigali."""


class Clock:
    def __init__(self) -> None:
        self.now = FIRST

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Callable[[], Any]:
    """Opens one ledger again and again, as machines do that share it."""
    if request.param == "sqlite":
        return lambda: SqliteLedger(tmp_path / "ledger.sqlite3", clock=clock)
    from dgspay.payouts import PostgresLedger

    url = request.getfixturevalue("postgres_ledger_url")
    return lambda: PostgresLedger(url, clock=clock)


@pytest.fixture
def ledger(opened: Callable[[], Any]) -> Iterator[Any]:
    with opened() as ledger:
        yield ledger


def give(ledger: Any, pattern: str = "wages-{date}-*", **changes: Any) -> Permission:
    values: dict[str, Any] = {"reason": "daily", "begins": "2026-12-01", "ends": "2026-12-31"}
    permission = Permission(pattern=pattern, **{**values, **changes})
    ledger.change_policy(lambda policy: policy.with_permission(permission))
    return permission


def wage(date: str, who: str = "jane", amount: int = 3000, account: str = phone(1)) -> Payout:
    return Payout(number=1, reference=f"wages-{date}-{who}", amount=amount, account=account)


def batch_of(ledger: Any, name: str, *payouts: Payout, **options: Any) -> Batch:
    numbered = [payout._replace(number=number) for number, payout in enumerate(payouts, 1)]
    batch: Batch = ledger.load(Batch(name=name, digest=name, terms=TERMS, **options), numbered)
    ledger.start(name)
    return batch


def sent(ledger: Any, name: str, *payouts: Payout, **options: Any) -> list[str]:
    """Pay a batch as far as the guard lets it; return the references of what was sent."""
    batch = batch_of(ledger, name, *payouts, **options)
    chunk = ledger.claim(batch, 0, 1, batch.count)
    found, after = [], 0
    while page := ledger.take(chunk, after=after, limit=100):
        found += [payout.reference for payout in page]
        after = page[-1].number
    for number, _ in enumerate(found, 1):
        ledger.post(
            batch, number, Evidence(learned=Learned.ACCEPTED, dgs_reference=f"{name}{number}")
        )
    ledger.flush()
    return found


def reason(ledger: Any, name: str) -> str:
    (record, *_) = ledger.page(name, states=(State.BLOCKED,))
    return str(record.reason)


def test_daily_wages_repeat_without_being_allowed_one_by_one(ledger: Any, clock: Clock) -> None:
    assert sent(ledger, "monday", wage("2026-12-01"), wage("2026-12-01", "paul", account=phone(2)))
    clock.now += DAY
    rows = wage("2026-12-02"), wage("2026-12-02", "paul", account=phone(2))
    batch = batch_of(ledger, "tuesday", *rows)
    assert [overlap.count for overlap in ledger.overlaps(batch)] == [2]
    give(ledger)
    assert ledger.overlaps(batch) == []
    assert ledger.left_out(batch) == (0, 0)
    (permitted,) = ledger.permitted(batch)
    assert (permitted.count, permitted.permission.pattern) == (2, "wages-{date}-*")
    numbered = [row._replace(number=number) for number, row in enumerate(rows, 1)]
    assert ledger.compare(batch, numbered).overlaps == []
    assert len(ledger.take(ledger.claim(batch, 0, 1, 2), after=0, limit=9)) == 2
    line = ledger.audit_log("tuesday")[-1]
    assert (line.action, line.reason) == ("permit", "daily")
    assert "wages-2026-12-02-jane, wages-2026-12-02-paul" in line.what
    assert "standing permission wages-{date}-*" in line.what
    assert ledger.verify_audit_log() == []


def test_the_same_reference_is_never_paid_twice(ledger: Any, clock: Clock) -> None:
    give(ledger, per_day=9)
    assert sent(ledger, "one", wage("2026-12-01"))
    clock.now += DAY
    # Renamed, for another period, re-spelled, and for an account spelled otherwise.
    assert sent(ledger, "two", wage("2026-12-01")) == []
    assert sent(ledger, "three", wage("2026-12-01"), period="2027-01") == []
    for number, reference in enumerate(
        (
            "WAGES-2026-12-02-jane",
            "wages-2026-12-02-jan\u00e9",
            "wages 2026-12-02 jane",
            "\uff57ages-2026-12-02-jane",
            "wages-2026-12-02-jane\u200b",
        )
    ):
        row = Payout(1, reference, 3000, phone(1))
        assert sent(ledger, f"four{number}", row) == []
        assert "the same sum went to the same account" in reason(ledger, f"four{number}")


def test_one_day_is_paid_once_whatever_follows_it(ledger: Any, clock: Clock) -> None:
    give(ledger, per_day=9)
    assert sent(ledger, "one", wage("2026-12-01"))
    clock.now += DAY
    assert sent(ledger, "two", wage("2026-12-01", "jane-2")) == []
    assert "wages-2026-12-01-jane was for the same day" in reason(ledger, "two")
    # Nor twice within one sheet.
    assert sent(ledger, "three", wage("2026-12-02"), wage("2026-12-02", "jane-2")) == [
        "wages-2026-12-02-jane"
    ]


def test_no_account_gets_more_in_a_day_than_is_permitted(ledger: Any, clock: Clock) -> None:
    give(ledger, per_day=2, largest=8000)
    assert sent(ledger, "one", wage("2026-12-01"))
    clock.now += DAY
    assert sent(ledger, "two", wage("2026-12-02"))
    # What it got for something else counts, under whatever name.
    assert sent(ledger, "bonus", Payout(1, "bonus", 500, phone(1)))
    assert sent(ledger, "late", wage("2026-11-30")) == []
    assert sent(ledger, "three", wage("2026-12-01", "x", account=" 0" + phone(1)[4:])) == []
    # By the day of Kigali, and not by that of Greenwich.
    clock.now = FIRST + 2 * DAY - 18 * 3600 - 1
    assert sent(ledger, "four", wage("2026-12-02", "jane-3")) == []
    clock.now += 2
    assert sent(ledger, "five", wage("2026-12-03"))
    assert sent(ledger, "six", Payout(1, "bonus-2", 700, phone(1)))
    clock.now += DAY
    assert sent(ledger, "big", Payout(1, "bonus-3", 5002, phone(1)))
    assert sent(ledger, "seven", wage("2026-12-04")) == []
    assert "8,000 RWF a day to an account, which would get 8,002 RWF" in reason(ledger, "seven")


def test_a_clock_that_was_set_back_does_not_open_the_day_again(ledger: Any, clock: Clock) -> None:
    give(ledger)
    clock.now += DAY
    assert sent(ledger, "one", wage("2026-12-02"))
    clock.now -= DAY
    assert sent(ledger, "two", wage("2026-12-01")) == []
    assert "which got 1 today" in reason(ledger, "two")


def test_what_repeats_something_else_is_asked_about(ledger: Any, clock: Clock) -> None:
    give(ledger)
    assert sent(ledger, "salaries", Payout(1, "salary-jane", 3000, phone(1)))
    clock.now += DAY
    assert sent(ledger, "wages", wage("2026-12-02")) == []
    assert "salary-jane is no reference of its pattern" in reason(ledger, "wages")


def test_a_permission_counts_on_its_days_alone(ledger: Any, clock: Clock) -> None:
    give(ledger, ends="2026-12-03")
    for day in (1, 2, 3):
        assert sent(ledger, f"b{day}", wage(f"2026-12-0{day}"))
        clock.now += DAY
    assert sent(ledger, "b4", wage("2026-12-04")) == []
    assert sent(ledger, "again", wage("2026-12-03", "jane-2")) == []
    # Another one of another pattern does not stand in its way.
    give(ledger, "wages-{date}-j*")
    assert sent(ledger, "b5", wage("2026-12-04", "jane-b"))


def test_a_permission_that_is_withdrawn_counts_no_more_in_a_run_under_way(
    opened: Callable[[], Any], ledger: Any, clock: Clock
) -> None:
    give(ledger)
    accounts = [phone(1), phone(2)]
    sent(
        ledger, "one", *(wage("2026-12-01", account[-3:], account=account) for account in accounts)
    )
    clock.now += DAY
    rows = [wage("2026-12-02", account[-3:], account=account) for account in accounts]
    batch = batch_of(ledger, "two", *rows)
    chunk = ledger.claim(batch, 0, 1, 2)
    assert len(ledger.take(chunk, after=0, limit=1)) == 1
    with opened() as other:
        other.change_policy(lambda policy: policy.without_permission("wages-{date}-*"))
    assert ledger.take(chunk, after=1, limit=1) == []
    assert ledger.counts("two").count(State.BLOCKED) == 1
    assert [line.action for line in ledger.audit_log()].count("policy") == 2


def test_two_machines_do_not_pay_an_account_twice_in_a_day(
    opened: Callable[[], Any], ledger: Any, clock: Clock
) -> None:
    give(ledger)
    # Different sums, so that nothing but the permission's own bound holds them against each other.
    for number, amount in enumerate((3000, 4000)):
        assert sent(ledger, f"before{number}", wage("2026-12-01", f"a{number}", amount))
    clock.now += DAY
    batches = [
        batch_of(ledger, f"after{number}", wage("2026-12-02", f"a{number}", amount))
        for number, amount in enumerate((3000, 4000))
    ]
    together, taken = threading.Barrier(2), []

    def pay(batch: Batch) -> None:
        with opened() as machine:
            chunk = machine.claim(batch, 0, 1, 1)
            together.wait()
            taken.extend(machine.take(chunk, after=0, limit=1))

    threads = [threading.Thread(target=pay, args=(batch,)) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 1


def test_who_prepares_cannot_give_herself_a_permission(ledger: Any, clock: Clock) -> None:
    ledger.change_policy(two_eyes)
    permission = Permission(
        pattern="wages-{date}-*", reason="daily", begins="2026-12-01", ends="2026-12-31"
    )
    with pytest.raises(NotApprovedError, match="asks for the key"):
        ledger.change_policy(lambda policy: policy.with_permission(permission))
    state = ledger.change_policy(lambda policy: policy.with_permission(permission), signer=ALICE)
    assert (state.policy.permissions, state.pending_signers) == ((), ("Alice",))
    assert ledger.sign_policy(ALICE).policy.permissions == ()
    (given,) = ledger.sign_policy(BOB).policy.permissions
    assert given.given_by == "Alice"
    # Nor can it be made wider by who writes the database.
    ledger.transact(
        lambda database: database.change(
            "UPDATE dgspay_payout_policies SET document = replace(document, '-*', '*') "
            "WHERE revision = 2",
            (),
        )
    )
    assert ledger.policy().broken is not None


def test_a_backup_brings_no_permission_back_that_was_withdrawn(
    tmp_path: Path, clock: Clock
) -> None:
    place, copy = tmp_path / "ledger.sqlite3", tmp_path / "copy.sqlite3"
    with SqliteLedger(place, clock=clock) as ledger:
        give(ledger)
        backup_ledger(ledger, copy)
        ledger.change_policy(lambda policy: policy.without_permission("wages-{date}-*"))
    restore_ledger(place, copy)
    with SqliteLedger(place, clock=clock) as ledger:
        confirm_compared(ledger)
        ledger.load(Batch(name="b", digest="b", terms=TERMS), [wage("2026-12-01")])
        with pytest.raises(NotApprovedError, match="noted"):
            ledger.start("b")


@pytest.mark.anyio
async def test_a_sheet_of_wages_is_checked_and_paid_day_after_day(
    tmp_path: Path, clock: Clock
) -> None:
    def sheet(day: int) -> Path:
        rows = [
            {
                "reference": f"wages-2026-12-0{day}-{number}",
                "amount": 3000,
                "msisdn": phone(number),
                "network": "MTN",
            }
            for number in (1, 2)
        ]
        return write_sheet(tmp_path / f"wages-{day}.csv", rows)

    with in_process() as (emulator, dgs), SqliteLedger(tmp_path / "l", clock=clock) as ledger:
        payouts = AsyncPayouts(dgs, ledger)
        await payouts.run(sheet(1))
        clock.now += DAY
        with pytest.raises(PreflightError, match="same amount and account"):
            await payouts.run(sheet(2))
        give(ledger)
        found = await payouts.check(sheet(2))
        assert not found.problems
        assert any("2 rows repeat an earlier payment, by the standing" in r for r in found.remarks)
        summary = await payouts.run(sheet(2))
        assert summary.counts.count(State.CONFIRMED) == 2
        await payouts.report("wages-2", tmp_path / "report.html")
        assert "paid again by a standing permission" in (tmp_path / "report.html").read_text()
        # Given again, renamed or not, it pays nobody.
        assert (await payouts.run(sheet(2))).sent_before
        (tmp_path / "renamed.csv").write_bytes(sheet(2).read_bytes())
        with pytest.raises(PreflightError, match="same reference"):
            await payouts.run(tmp_path / "renamed.csv")
        assert len(emulator.executed) == 4
        assert set(paid(emulator).values()) == {2}

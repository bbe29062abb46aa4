"""What was sent is not sent again, under whatever name, sheet, spelling or way of paying."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from dgspay import DGSPay
from dgspay.emulator import Emulator
from dgspay.errors import ConfigError
from dgspay.payouts import (
    AsyncPayouts,
    Batch,
    BatchChangedError,
    ChunkRef,
    Evidence,
    Learned,
    Payout,
    Payouts,
    PostgresLedger,
    PreflightError,
    RowsInvalidError,
    Source,
    SqliteLedger,
    State,
    Terms,
    check_rows,
)
from dgspay.payouts.status import require_batch
from tests.support.crash_points import paid
from tests.support.sheet_factory import TRUSTING, in_process, payments, phone, write_sheet

pytestmark = pytest.mark.anyio

DAY = 24 * 3600.0
TERMS = Terms(environment="emulator", base_url="http://127.0.0.1", account_number="ACC")


class Clock:
    """Unix time that tests set."""

    def __init__(self) -> None:
        self.now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


@attrs.define
class Places:
    """Opens one ledger again and again, as machines do that share it."""

    open: Any
    clock: Clock


@pytest.fixture(params=["sqlite", "postgres"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Places:
    clock = Clock()
    if request.param == "sqlite":
        return Places(lambda: SqliteLedger(tmp_path / "ledger.sqlite3", clock=clock), clock)
    url = request.getfixturevalue("postgres_ledger_url")
    return Places(lambda: PostgresLedger(url, clock=clock), clock)


@pytest.fixture
def ledger(places: Places) -> Iterator[Any]:
    with places.open() as ledger:
        yield ledger


def one(reference: str, amount: int = 1000, account: str = phone(1), **more: Any) -> Payout:
    return Payout(number=0, reference=reference, amount=amount, account=account, **more)


def batch_of(ledger: Any, name: str, *payouts: Payout, **options: Any) -> Batch:
    numbered = [payout._replace(number=number) for number, payout in enumerate(payouts, 1)]
    batch: Batch = ledger.load(Batch(name=name, digest=name, terms=TERMS, **options), numbered)
    ledger.start(name)
    return batch


def taken(ledger: Any, batch: Batch, **options: Any) -> list[str]:
    """Take the whole batch up; return the references of what may be sent."""
    chunk = ledger.claim(batch, 0, 1, batch.count)
    found, after = [], 0
    while page := ledger.take(chunk, after=after, limit=100, **options):
        found += [payout.reference for payout in page]
        after = page[-1].number
    return found


def learn(ledger: Any, batch: Batch, *findings: Learned) -> None:
    for number, learned in enumerate(findings, 1):
        ledger.post(batch, number, Evidence(learned=learned))
    ledger.flush()


# --- references ---------------------------------------------------------------------------


@pytest.mark.acceptance(95, "reference-paid-elsewhere")
@pytest.mark.parametrize(
    "again",
    [
        "emp-007",
        "EMP-007",
        " emp-007\u00a0",
        "\ufeffemp-007",
        "emp\u200b-007",
        "\uff25\uff2d\uff30-007",
        "emp\u2011007",
        "emp 007",
        "Emp - 007",
        "\u00c9MP-007",
    ],
)
def test_a_reference_is_paid_once_however_it_is_spelled(ledger: Any, again: str) -> None:
    assert taken(ledger, batch_of(ledger, "one", one("emp-007"))) == ["emp-007"]
    second = batch_of(ledger, "two", one(again, amount=77, account=phone(9)))
    assert taken(ledger, second) == []
    (record,) = ledger.page("two")
    assert record.state is State.BLOCKED
    assert "its reference was used by emp-007 of batch one, 1,000 RWF, sent on" in record.reason


@pytest.mark.acceptance(95, "reference-paid-elsewhere")
def test_leading_zeros_that_a_spreadsheet_takes_away_make_no_other_reference(ledger: Any) -> None:
    assert taken(ledger, batch_of(ledger, "one", one("007"), one("100", account=phone(2))))
    assert taken(ledger, batch_of(ledger, "two", one("7", 5), one("1", 6, phone(3)))) == ["1"]


@pytest.mark.acceptance(95, "reference-paid-elsewhere")
@pytest.mark.parametrize("years", [0, 1, 20])
def test_a_reference_is_never_free_again(places: Places, ledger: Any, years: int) -> None:
    assert taken(ledger, batch_of(ledger, "one", one("a")))
    places.clock.now += years * 365 * DAY
    assert taken(ledger, batch_of(ledger, "two", one("a"))) == []


@pytest.mark.acceptance(95, "reference-paid-elsewhere")
@pytest.mark.parametrize(
    ("learned", "may_be_paid"),
    [
        (None, False),
        (Learned.LOST, False),
        (Learned.ACCEPTED, False),
        (Learned.PAID, False),
        (Learned.NOT_SENT, True),
        (Learned.REFUSED, True),
        (Learned.NOT_PAID, True),
    ],
)
def test_only_what_certainly_was_not_paid_may_be_paid_in_another_batch(
    ledger: Any, learned: Learned | None, may_be_paid: bool
) -> None:
    first = batch_of(ledger, "one", one("a"))
    assert taken(ledger, first) == ["a"]
    if learned is not None:
        learn(ledger, first, learned)
    assert taken(ledger, batch_of(ledger, "two", one("a"))) == (["a"] if may_be_paid else [])


@pytest.mark.acceptance(95, "reference-paid-elsewhere", 96, "same-account-and-sum")
@pytest.mark.parametrize("reason", ["came back", "Came back ", "CAME BACK"])
@pytest.mark.parametrize("reference", ["a", "a-2"])
def test_a_reason_to_pay_again_counts_once_however_it_is_typed(
    ledger: Any, reason: str, reference: str
) -> None:
    assert taken(ledger, batch_of(ledger, "one", one("a")))
    second = batch_of(ledger, "two", one("a", pay_again="came back"))
    assert taken(ledger, second) == ["a"]
    third = batch_of(ledger, "three", one(reference, pay_again=reason))
    assert [overlap.batch for overlap in ledger.overlaps(third)] == ["two"]
    assert taken(ledger, third) == []
    fourth = batch_of(ledger, "four", one(reference, pay_again="came back once more"))
    assert taken(ledger, fourth) == [reference]


@pytest.mark.acceptance(95, "reference-paid-elsewhere")
def test_each_who_claimed_a_reference_counts_and_not_only_the_last(ledger: Any) -> None:
    """The first failed, the second failed, and then the first turns out to have been paid."""
    first, second = batch_of(ledger, "one", one("a")), batch_of(ledger, "two", one("a"))
    assert taken(ledger, first)
    learn(ledger, first, Learned.REFUSED)
    assert taken(ledger, second) == ["a"]
    learn(ledger, second, Learned.REFUSED)
    ledger.settle(first, 1, Evidence(learned=Learned.PAID, source=Source.WEBHOOK))
    assert ledger.record("one", 1).state is State.HELD
    assert taken(ledger, batch_of(ledger, "three", one("a"))) == []


@pytest.mark.acceptance(58, "contradicting-evidence", 95, "reference-paid-elsewhere")
def test_what_was_ever_said_to_be_paid_is_paid_again_only_by_name(ledger: Any) -> None:
    first = batch_of(ledger, "one", one("a"))
    assert taken(ledger, first)
    for learned, source in (
        (Learned.PAID, Source.WEBHOOK),
        (Learned.NOT_PAID, Source.LOOK_UP),
        (Learned.NOT_PAID, Source.PERSON),
    ):
        ledger.settle(first, 1, Evidence(learned=learned, source=source))
    assert ledger.record("one", 1).state is State.FAILED
    for name, payout in (("two", one("a", 5)), ("three", one("b"))):
        batch = batch_of(ledger, name, payout)
        (overlap,) = ledger.overlaps(batch)
        assert (overlap.batch, overlap.count) == ("one", 1)
        assert taken(ledger, batch) == []
        reason = ledger.record(name, 1).reason
        assert "failed now, and yet: it was paid, and the look-up says it failed" in reason
    ledger.start("two", allowed={1: "the bank says that it came back"})
    assert taken(ledger, require_batch(ledger, "two")) == ["a"]


@pytest.mark.acceptance(95, "reference-paid-elsewhere")
def test_what_an_event_says_was_paid_before_it_was_sent_is_not_sent_elsewhere(ledger: Any) -> None:
    first = batch_of(ledger, "one", one("a"))
    ledger.settle(first, 1, Evidence(learned=Learned.PAID, source=Source.WEBHOOK))
    assert taken(ledger, batch_of(ledger, "two", one("a"))) == []


@pytest.mark.acceptance(95, "reference-paid-elsewhere")
def test_a_reference_is_unique_within_its_period(places: Places, ledger: Any) -> None:
    assert taken(ledger, batch_of(ledger, "nov", one("emp-1"), period="2026-11"))
    assert taken(ledger, batch_of(ledger, "again", one("emp-1", 5), period="2026-11")) == []
    # Another period does not lift what is held against account and sum.
    assert taken(ledger, batch_of(ledger, "dec", one("emp-1"), period="2026-12")) == []
    places.clock.now += 5 * DAY + 1
    assert taken(ledger, require_batch(ledger, "dec")) == []
    ledger.start("dec")
    assert taken(ledger, require_batch(ledger, "dec")) == ["emp-1"]
    assert taken(ledger, batch_of(ledger, "none", one("emp-1", 7))) == ["emp-1"]


# --- accounts and sums --------------------------------------------------------------------


@pytest.mark.acceptance(96, "same-account-and-sum")
@pytest.mark.parametrize("elsewhere", ["another batch", "the same batch"])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("bk_rw", "100-2003004-005"), ("bk_rw", "1002003004005")),
        (("bk_rw", "1234567890"), ("BK_RW", "1234 567 890")),
        (("bk_rw", "1234567890"), ("bk_rw", "1234\u00a0567\u00a0890")),
        (("bk_rw", "1234567890"), ("bk_rw", "1234567890\u200b")),
        (("bk_rw", "1234567890"), ("bk_rw", "\uff11\uff12\uff13\uff14567890")),
        (("bk_rw", "0012345"), ("bk_rw", "12345")),
        (("bk_rw", "RW12é"), ("bk_rw", "rw12e\u0301")),
        (("bk_rw", "RW12é"), ("bk_rw", "rw12e")),
        ((None, "+250788123456"), (None, "0788123456")),
        ((None, "+250788123456"), (None, "250 788 123 456")),
    ],
)
def test_an_account_is_one_however_it_is_spelled(
    ledger: Any,
    elsewhere: str,
    first: tuple[str | None, str],
    second: tuple[str | None, str],
) -> None:
    rows = [
        one(f"r{number}", account=account, bank_key=bank)
        for number, (bank, account) in enumerate((first, second))
    ]
    if elsewhere == "the same batch":
        assert taken(ledger, batch_of(ledger, "one", *rows)) == ["r0"]
        return
    assert taken(ledger, batch_of(ledger, "one", rows[0])) == ["r0"]
    assert taken(ledger, batch_of(ledger, "two", rows[1])) == []
    assert "the same sum went to the same account" in ledger.page("two")[0].reason


@pytest.mark.acceptance(96, "same-account-and-sum")
def test_another_account_or_another_sum_is_another_payment(ledger: Any) -> None:
    rows = [one("a", bank_key="bk_rw", account="1"), one("b", bank_key="bk_rw", account="2")]
    assert taken(ledger, batch_of(ledger, "one", *rows)) == ["a", "b"]
    rows = [one("c", 1001, "1", bank_key="bk_rw"), one("d", 1000, "1", bank_key="equity_rw")]
    assert taken(ledger, batch_of(ledger, "two", *rows)) == ["c", "d"]


@pytest.mark.acceptance(96, "same-account-and-sum")
@pytest.mark.parametrize(("days", "setting"), [(5, 5.0), (0.5, 0.5), (30, 30.0)])
def test_days_count_from_when_it_was_sent(
    places: Places, ledger: Any, days: float, setting: float
) -> None:
    first = batch_of(ledger, "one", one("a"))
    places.clock.now += 20 * DAY  # read long before it is sent
    assert taken(ledger, first)
    places.clock.now += days * DAY - 1
    second = batch_of(ledger, "two", one("b"), repeat_days=setting)
    assert taken(ledger, second) == []
    places.clock.now += 2
    ledger.start("two")
    assert taken(ledger, second) == ["b"]


# --- by name ------------------------------------------------------------------------------


@pytest.mark.acceptance(95, "reference-paid-elsewhere", 96, "same-account-and-sum")
def test_one_row_is_allowed_by_name_and_no_other_with_it(ledger: Any) -> None:
    rows = one("a"), one("b", account=phone(2))
    assert taken(ledger, batch_of(ledger, "one", *rows)) == ["a", "b"]
    second = batch_of(ledger, "two", *rows)
    assert taken(ledger, second) == []
    ledger.start("two", allowed={2: "the bank sent it back"})
    assert taken(ledger, second) == ["b"]
    # Both who have claimed it are in the way of a third.
    learn(ledger, require_batch(ledger, "one"), Learned.REFUSED, Learned.REFUSED)
    assert taken(ledger, batch_of(ledger, "three", *rows)) == ["a"]


@pytest.mark.acceptance(96, "same-account-and-sum")
@pytest.mark.parametrize("allowed", [1, 2])
def test_of_two_rows_of_a_sheet_that_look_alike_either_is_allowed(
    ledger: Any, allowed: int
) -> None:
    batch = batch_of(ledger, "one", one("a"), one("b"))
    ledger.start("one", allowed={allowed: "two jobs"})
    assert taken(ledger, batch) == ["a", "b"]


@pytest.mark.acceptance(96, "same-account-and-sum")
@pytest.mark.parametrize("allowed", [1, 2, 3])
def test_of_three_that_look_alike_all_but_one_must_be_allowed(ledger: Any, allowed: int) -> None:
    batch = batch_of(ledger, "one", one("a"), one("b"), one("c"))
    ledger.start("one", allowed={allowed: "two jobs"})
    assert len(taken(ledger, batch)) == 2


@pytest.mark.acceptance(95, "reference-paid-elsewhere")
def test_a_reason_in_the_sheet_allows_once_and_not_whenever_the_sheet_comes_again(
    ledger: Any,
) -> None:
    assert taken(ledger, batch_of(ledger, "one", one("a")))
    reason = "sent back by the bank"
    assert taken(ledger, batch_of(ledger, "two", one("a", pay_again=reason))) == ["a"]
    assert taken(ledger, batch_of(ledger, "copy", one("a", pay_again=reason))) == []
    assert ledger.page("two")[0].payout.pay_again == reason


@pytest.mark.parametrize("allowed", [True, "salary-1", 7, [7], b"salary-1"])
async def test_nothing_opens_a_whole_batch(tmp_path: Path, allowed: Any) -> None:
    sheet = write_sheet(tmp_path / "s.csv", 1)
    with in_process() as (emulator, dgs), SqliteLedger(tmp_path / "l") as ledger:
        own = AsyncPayouts(dgs, ledger)
        with pytest.raises(TypeError, match="allow_duplicates must hold"):
            await own.run(sheet, allow_duplicates=allowed)
        with pytest.raises(TypeError, match="allow_duplicates must hold"):
            await own.check(sheet, allow_duplicates=allowed)
        assert not emulator.executed


async def test_a_mistyped_name_is_reported_and_allows_nothing(tmp_path: Path) -> None:
    sheet = write_sheet(tmp_path / "s.csv", 2)
    with in_process() as (emulator, dgs), SqliteLedger(tmp_path / "l") as ledger:
        own = AsyncPayouts(dgs, ledger)
        with pytest.raises(ConfigError, match="no row has the reference 'salary-3'"):
            await own.run(sheet, allow_duplicates=["salary-3", "salary-1"])
        assert not emulator.executed
        await own.run(sheet, settle_within=0)
        with pytest.raises(ConfigError, match="no row has the reference 'salary-3'"):
            await own.run(sheet, allow_duplicates=["salary-3"])


# --- a sheet ------------------------------------------------------------------------------


def corrected(row: Mapping[str, Any], **cells: str) -> dict[str, Any]:
    return {**row, **cells}


@pytest.mark.acceptance(95, "reference-paid-elsewhere", 100, "every-way-of-paying")
@pytest.mark.parametrize(
    "cells",
    [
        {"amount": "2099"},
        {"msisdn": phone(77)},
        {"amount": "2099", "msisdn": phone(77), "name": "Somebody"},
        {"reference": " SALARY-1"},
    ],
)
async def test_a_corrected_sheet_pays_nobody_twice(tmp_path: Path, cells: dict[str, str]) -> None:
    (row,) = payments(1)
    with in_process() as (emulator, dgs), SqliteLedger(tmp_path / "l") as ledger:
        own = AsyncPayouts(dgs, ledger)
        await own.run([row], batch="one", settle_within=0)
        with pytest.raises(PreflightError, match="one row with the same reference on") as refusal:
            await own.run([corrected(row, **cells)], batch="two", settle_within=0)
        assert "--period" in str(refusal.value)
        assert len(emulator.executed) == 1
        summary = await own.run(
            [corrected(row, **cells)],
            batch="two",
            allow_duplicates={"salary-1": "the first one was sent back"},
            settle_within=0,
        )
        assert summary.counts.count(State.ACCEPTED) == 1
        assert len(emulator.executed) == 2


@pytest.mark.acceptance(55, "edited-sheet", 96, "same-account-and-sum")
async def test_references_of_a_sheet_that_differ_by_their_spelling_are_one(tmp_path: Path) -> None:
    first, second = payments(2)
    sheet = check_rows([first, corrected(second, reference="SALARY-1")])
    with pytest.raises(RowsInvalidError, match="line 1 has the same reference"):
        sheet.require_good()


@pytest.mark.acceptance(97, "paid-once-when-resumed")
async def test_what_another_batch_has_paid_is_left_out_of_one_that_goes_on(tmp_path: Path) -> None:
    rows = [*payments(4)]
    with in_process() as (emulator, dgs), SqliteLedger(tmp_path / "l") as ledger:
        own = AsyncPayouts(dgs, ledger)
        emulator.faults.fail_next("POST /disburse", error_code="91", times=9)
        assert (await own.run(rows, batch="one", settle_within=0)).unsent == 4
        emulator.faults.clear()
        await own.run(rows[:2], batch="rest", settle_within=0)
        async with own.open(rows, batch="one") as job:
            found = await job.preflight()
            assert not found.problems
            assert "batch 'rest' has paid, or may have paid, 2 rows" in found.remarks[-1]
            summary = await job.run(settle_within=0)
        assert summary.counts.count(State.BLOCKED) == 2
        assert summary.counts.count(State.ACCEPTED) == 2
        assert summary.unsent == 0
        assert set(paid(emulator).values()) == {1}


@pytest.mark.acceptance(97, "paid-once-when-resumed")
async def test_two_open_questions_pay_once(tmp_path: Path, places: Places) -> None:
    rows = [*payments(30)]
    with in_process() as (emulator, dgs), places.open() as hers, places.open() as his:
        async with (
            AsyncPayouts(dgs, hers).open(rows, batch="hers") as first,
            AsyncPayouts(dgs, his).open(rows, batch="his") as second,
        ):
            for job in (first, second):
                assert not (await job.preflight()).problems
            assert (await first.run(settle_within=0)).counts.count(State.ACCEPTED) == 30
            summary = await second.run(settle_within=0)
        assert summary.counts.count(State.BLOCKED) == 30
        assert set(paid(emulator).values()) == {1}


@pytest.mark.acceptance(95, "reference-paid-elsewhere", 100, "every-way-of-paying")
@pytest.mark.parametrize("trusted", [False, True])
async def test_a_task_of_a_queue_obeys(tmp_path: Path, places: Places, trusted: bool) -> None:
    rows = [*payments(6)]
    options = {"client": {"retry": TRUSTING}} if trusted else {}
    with in_process(**options) as (emulator, dgs), places.open() as ledger:
        own = AsyncPayouts(dgs, ledger)
        await own.run(rows[:3], batch="one", settle_within=0)
        async with own.open(rows, batch="two") as job:
            await job.start()
        for index in (0, 1):
            await own.pay_chunk(
                ChunkRef(batch="two", index=index, first=3 * index + 1, last=3 * index + 3)
            )
        assert (await own.status("two")).counts.count(State.BLOCKED) == 3
        assert set(paid(emulator).values()) == {1}


@pytest.mark.acceptance(95, "reference-paid-elsewhere")
def test_a_lost_answer_is_not_asked_for_again_where_another_row_was_allowed_in_its_place(
    ledger: Any,
) -> None:
    first = batch_of(ledger, "one", one("a"))
    assert taken(ledger, first)
    learn(ledger, first, Learned.LOST)
    assert taken(ledger, first, doubtful=True) == ["a"]
    learn(ledger, first, Learned.LOST)
    second = batch_of(ledger, "two", one("a"))
    ledger.start("two", allowed={1: "the portal has nothing of it"})
    assert taken(ledger, second) == ["a"]
    assert taken(ledger, first, doubtful=True) == []
    assert ledger.record("one", 1).state is State.HELD


# --- two machines at once -----------------------------------------------------------------


@pytest.mark.acceptance(97, "paid-once-when-resumed")
def test_the_database_decides_between_two_who_take_the_same_at_once(places: Places) -> None:
    rows = [one(f"r{number}", account=phone(number)) for number in range(120)]
    sent: list[str] = []
    with places.open() as ledger:
        batches = [batch_of(ledger, "one", *rows), batch_of(ledger, "two", *reversed(rows))]
    begin = threading.Barrier(2)

    def work(batch: Batch) -> None:
        with places.open() as own:
            chunk = own.claim(batch, 0, 1, batch.count)
            after = 0
            begin.wait(30)
            while page := own.take(chunk, after=after, limit=7):
                sent.extend(payout.reference for payout in page)
                after = page[-1].number

    threads = [threading.Thread(target=work, args=(batch,)) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(sent) == sorted(payout.reference for payout in rows)


# --- keys and periods ---------------------------------------------------------------------


@pytest.mark.acceptance(98, "same-sheet-next-month")
async def test_the_same_rows_in_a_new_ledger_are_never_answered_with_old_payouts(
    tmp_path: Path,
) -> None:
    rows = [*payments(3)]
    with in_process() as (emulator, dgs):
        for month in ("november", "december"):
            with SqliteLedger(tmp_path / month) as ledger:
                await AsyncPayouts(dgs, ledger).run(rows, batch="salaries", settle_within=0)
        assert len(emulator.executed) == 6


@pytest.mark.acceptance(98, "same-sheet-next-month")
async def test_a_period_belongs_to_its_batch(tmp_path: Path) -> None:
    sheet = write_sheet(tmp_path / "salaries.csv", 2)
    with in_process() as (emulator, dgs), SqliteLedger(tmp_path / "l") as ledger:
        own = AsyncPayouts(dgs, ledger)
        summary = await own.run(sheet, period="2026-11", settle_within=0)
        assert summary.batch == "salaries-2026-11"
        assert (await own.status("salaries-2026-11")).batch.period == "2026-11"
        with pytest.raises(BatchChangedError, match="began for period 2026-11"):
            await own.run(sheet, batch="salaries-2026-11", period="2026-12")
        with pytest.raises(BatchChangedError, match="it is run without a period"):
            await own.run(sheet, batch="salaries-2026-11")
        with pytest.raises(ConfigError, match="a period is"):
            await own.run(sheet, period="12/2026")
        for mistyped in ("2026-13", "2026-1", "202612", "2026-12-1", "2026.12"):
            with pytest.raises(ConfigError, match="is no month"):
                await own.run(sheet, period=mistyped)
        assert len(emulator.executed) == 2


def test_without_await_within_a_running_loop(tmp_path: Path) -> None:
    """As in a notebook, where a loop runs each cell."""
    import asyncio

    with (
        Emulator(settle_after=0) as emulator,
        emulator.serve() as served,
        SqliteLedger(tmp_path / "l") as ledger,
        DGSPay(
            api_key=emulator.api_key,
            account_number=emulator.account_number,
            environment="emulator",
            base_url=served.url,
        ) as dgs,
    ):

        async def cell() -> State:
            payouts = Payouts(dgs, ledger)
            assert payouts.check([*payments(1)]).count == 1
            payouts.run([*payments(1)], batch="b", settle_within=0)
            return payouts.row("b", "salary-1").state

        assert asyncio.run(cell()) is State.ACCEPTED

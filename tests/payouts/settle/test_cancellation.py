"""A payee who is not to be paid: never sent after that, or it is said that the money had left."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest

from dgspay.payouts import (
    AsyncPayouts,
    Batch,
    BatchClosedError,
    Evidence,
    Learned,
    NotCancelledError,
    Pace,
    Payout,
    PreflightError,
    Source,
    SqliteLedger,
    State,
    Terms,
    UnknownBatchError,
)
from dgspay.payouts.ledger import PausedError
from tests.support.crash_points import paid
from tests.support.sheet_factory import in_process, ledger_in, write_sheet
from tests.support.signers import ALICE, BOB, two_eyes

pytestmark = [pytest.mark.anyio, pytest.mark.acceptance(109, "cancelled-payee")]

TERMS = Terms(environment="emulator", base_url="http://127.0.0.1", account_number="ACC")


def started(ledger: Any, count: int = 6) -> Batch:
    rows = [
        Payout(number=number, reference=f"r{number}", amount=1000, account=f"1{number}")
        for number in range(1, count + 1)
    ]
    batch: Batch = ledger.load(Batch(name="b", digest="d", terms=TERMS), rows)
    ledger.start("b")
    return batch


def taken(ledger: Any, batch: Batch, limit: int = 99) -> list[int]:
    chunk = ledger.claim(batch, 0, 1, batch.count)
    return [payout.number for payout in ledger.take(chunk, after=0, limit=limit)]


def test_what_is_cancelled_is_not_handed_out_before_it_is_reinstated(ledger: Any) -> None:
    batch = started(ledger)
    assert ledger.cancel(batch, 2, "has left").state is State.CANCELLED
    assert taken(ledger, batch, 3) == [1, 3, 4]
    assert ledger.cancel(batch, 5, "has left").state is State.CANCELLED
    assert taken(ledger, batch) == [6]
    ledger.start("b")
    assert taken(ledger, batch) == []
    assert ledger.reinstate(batch, 5, "is back").state is State.NEW
    assert taken(ledger, batch) == [5]
    assert [line.what for line in ledger.audit_log("b") if line.action == "cancel"] == [
        "row r2, amount 1000",
        "row r5, amount 1000",
    ]
    assert ledger.verify_audit_log() == []


def test_what_had_left_stays_what_it_is(ledger: Any) -> None:
    batch = started(ledger)
    assert taken(ledger, batch) == [1, 2, 3, 4, 5, 6]
    ends = [
        Evidence(learned=Learned.ACCEPTED, dgs_reference="D1"),
        Evidence(learned=Learned.PAID, source=Source.WEBHOOK),
        Evidence(learned=Learned.REFUSED),
        Evidence(learned=Learned.LOST),
    ]
    for number, evidence in enumerate(ends, 1):
        before = ledger.settle(batch, number, evidence)
        assert ledger.cancel(batch, number, "no") == before
    assert ledger.cancel(batch, 5, "no").state is State.IN_DOUBT
    # One that was taken up and never left is cancelled like any other.
    ledger.settle(batch, 6, Evidence(learned=Learned.NOT_SENT))
    assert ledger.cancel(batch, 6, "no").state is State.CANCELLED
    assert [line.action for line in ledger.audit_log("b")] == ["confirm", "cancel"]


def test_an_event_about_a_cancelled_payout_is_believed(ledger: Any) -> None:
    """It was sent from a copy, or by hand, and the ledger must not say that it was not."""
    batch = started(ledger)
    ledger.cancel(batch, 1, "no")
    assert ledger.settle(batch, 1, Evidence(learned=Learned.NOT_SENT)).state is State.CANCELLED
    event = Evidence(learned=Learned.PAID, source=Source.WEBHOOK, dgs_reference="D1")
    assert ledger.settle(batch, 1, event).state is State.CONFIRMED


def test_a_cancelled_payout_is_in_nobodys_way(ledger: Any) -> None:
    batch = started(ledger)
    ledger.cancel(batch, 1, "no")
    rows = [Payout(number=1, reference="r1", amount=1000, account="11")]
    other = ledger.load(Batch(name="c", digest="c", terms=TERMS), rows)
    assert ledger.overlaps(other) == []
    ledger.start("c")
    assert taken(ledger, other) == [1]


def test_cancelled_and_taken_at_once_it_is_one_of_the_two(opened: Callable[[], Any]) -> None:
    count = 60
    with opened() as one, opened() as other:
        batch = started(one, count)
        cancelled: list[int] = []

        def cancel() -> None:
            records = (other.cancel(batch, number, "no") for number in range(count, 0, -1))
            cancelled.extend(
                record.payout.number for record in records if record.state is State.CANCELLED
            )

        thread = threading.Thread(target=cancel)
        thread.start()
        sent: list[int] = []
        chunk = one.claim(batch, 0, 1, count)
        while page := one.take(chunk, after=0, limit=1):
            sent.append(page[0].number)
        thread.join()
        assert not {*sent} & {*cancelled}
        assert sorted([*sent, *cancelled]) == [*range(1, count + 1)]
        assert one.counts("b").count(State.CANCELLED) == len(cancelled)


def test_a_closed_batch_sends_nothing_more_and_settles_what_was_sent(ledger: Any) -> None:
    batch = started(ledger)
    chunk = ledger.claim(batch, 0, 1, 6)
    ledger.take(chunk, after=0, limit=2)
    assert ledger.close_batch(batch, "wrong month") == 4
    with pytest.raises(PausedError):
        ledger.take(chunk, after=0, limit=2)
    acts: list[Callable[[], object]] = [
        lambda: ledger.start("b"),
        lambda: ledger.reinstate(batch, 6, None),
        lambda: ledger.close_batch(batch, "again"),
    ]
    for act in acts:
        with pytest.raises(BatchClosedError, match="wrong month"):
            act()
    assert ledger.settle(batch, 1, Evidence(learned=Learned.ACCEPTED)).state is State.ACCEPTED
    assert ledger.counts("b").count(State.CANCELLED) == 4


# --- by the methods a program calls -------------------------------------------------------


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    return write_sheet(tmp_path / "salaries.csv", 20)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SqliteLedger]:
    with ledger_in(tmp_path) as ledger:
        yield ledger


async def test_a_payee_cancelled_while_the_batch_is_paid_is_not_sent_or_had_left(
    sheet: Path, file: SqliteLedger
) -> None:
    answers: dict[str, str] = {}
    with in_process() as (emulator, dgs):
        payouts = AsyncPayouts(dgs, file)
        began = anyio.Event()

        async def cancel() -> None:
            await began.wait()
            for number in (20, 1, 15):
                reference = f"salary-{number}"
                try:
                    record = await payouts.cancel("salaries", reference, note="has left")
                    answers[reference] = record.state.value
                except NotCancelledError as error:
                    answers[reference] = error.message

        async with anyio.create_task_group() as group:
            group.start_soon(cancel)
            await payouts.run(
                sheet,
                pace=Pace(concurrency=1, per_second=20),
                on_result=lambda *_: began.set(),
            )
        sent = paid(emulator)
        for reference, answer in answers.items():
            was_sent = f"+25078{int(reference.split('-')[1]):07d}" in sent
            assert was_sent is ("had left" in answer), (reference, answer)
        assert "cancelled" in answers.values()
        assert any("had left" in answer for answer in answers.values())


async def test_some_are_paid_and_the_others_when_they_are_reinstated(
    sheet: Path, file: SqliteLedger
) -> None:
    with in_process(balances={"RWF": 2100}) as (emulator, dgs):
        payouts = AsyncPayouts(dgs, file)
        with pytest.raises(UnknownBatchError, match="salary-99"):
            await payouts.run(sheet, only=["salary-3", "salary-99"])
        assert file.counts("salaries").count(State.CANCELLED) == 0
        # The wallet is too short for all, and not for these.
        summary = await payouts.run(sheet, only=["salary-3", "salary-7"], skip=["salary-7"])
        assert summary.counts.count(State.CONFIRMED) == 1
        assert summary.counts.count(State.CANCELLED) == 19
        assert len(emulator.executed) == 1
        await payouts.reinstate("salaries", "salary-9", note="after all")
        again = await payouts.run(sheet)
        assert again.counts.count(State.CONFIRMED) == 2
        assert [*paid(emulator).values()] == [1, 1]


async def test_a_closed_batch_is_not_run_again(sheet: Path, file: SqliteLedger) -> None:
    with in_process() as (emulator, dgs):
        payouts = AsyncPayouts(dgs, file)
        await payouts.run(sheet, only=["salary-3"])
        assert await payouts.close_batch("salaries", note="enough") == 0
        with pytest.raises(PreflightError, match="was closed"):
            await payouts.run(sheet)
        assert len(emulator.executed) == 1


async def test_a_payee_of_an_approved_batch_may_be_cancelled(
    sheet: Path, file: SqliteLedger
) -> None:
    with in_process() as (emulator, dgs):
        payouts = AsyncPayouts(dgs, file)
        file.change_policy(two_eyes)
        await payouts.prepare(sheet, signer=ALICE)
        await payouts.approve("salaries", BOB)
        await payouts.cancel("salaries", "salary-4")
        summary = await payouts.run(sheet)
        assert summary.counts.count(State.CONFIRMED) == 19
        assert len(emulator.executed) == 19

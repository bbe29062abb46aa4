"""A batch that a person pauses, in both databases: nothing more is sent until it is resumed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dgspay.errors import ConfigError
from dgspay.payouts import (
    AsyncPayouts,
    Batch,
    BatchClosedError,
    BatchPausedError,
    ChunkRef,
    Evidence,
    Learned,
    Pace,
    Payout,
    PreflightError,
    SqliteLedger,
    State,
    Terms,
    backup_ledger,
    confirm_compared,
    restore_ledger,
)
from dgspay.payouts.ledger import PausedError
from tests.support.crash_points import paid
from tests.support.sheet_factory import in_process, ledger_in, write_sheet

pytestmark = pytest.mark.anyio

TERMS = Terms(environment="emulator", base_url="http://127.0.0.1", account_number="ACC")


def loaded(ledger: Any, count: int = 6) -> Batch:
    rows = [
        Payout(number=number, reference=f"r{number}", amount=1000, account=f"1{number}")
        for number in range(1, count + 1)
    ]
    batch: Batch = ledger.load(Batch(name="b", digest="d", terms=TERMS), rows)
    return batch


def test_no_row_is_taken_up_on_any_machine_once_it_is_paused(
    opened: Callable[[], Any], ledger: Any
) -> None:
    batch = loaded(ledger)
    ledger.start("b")
    chunk = ledger.claim(batch, 0, 1, 6)
    assert len(ledger.take(chunk, after=0, limit=2)) == 2
    assert ledger.may_send(chunk)
    with opened() as other:
        other.pause_batch(batch, "the month is wrong")
        with pytest.raises(BatchPausedError, match="the month is wrong"):
            other.pause_batch(batch, "again")
    with pytest.raises(PausedError, match=r"by a person: the month is wrong \(.+@.+ in Kigali\)"):
        ledger.take(chunk, after=0, limit=2)
    # Nor does what was taken up and waits leave when it is looked at again.
    assert not ledger.may_send(chunk)
    # What is in flight is settled as ever, and a stop by itself does not hide the person's.
    assert ledger.settle(batch, 1, Evidence(learned=Learned.ACCEPTED)).state is State.ACCEPTED
    ledger.pause("b", "the wallet does not hold enough")
    with pytest.raises(BatchPausedError, match="dgspay payouts resume b"):
        ledger.start("b")
    ledger.resume_batch(batch, "it was right")
    ledger.start("b")
    assert len(ledger.take(ledger.claim(batch, 0, 1, 6), after=0, limit=9)) == 4
    lines = [(line.action, line.reason) for line in ledger.audit_log("b")]
    assert lines == [
        ("confirm", None),
        ("pause", "the month is wrong"),
        ("resume", "it was right"),
        ("resume", None),
    ]
    assert ledger.verify_audit_log() == []


def test_a_person_pauses_what_had_stopped_by_itself_and_what_was_not_begun(ledger: Any) -> None:
    batch = loaded(ledger)
    ledger.pause_batch(batch, "wait")
    with pytest.raises(BatchPausedError):
        ledger.start("b")
    ledger.resume_batch(batch, None)
    ledger.start("b")
    ledger.pause("b", "the wallet does not hold enough")
    with pytest.raises(ConfigError, match="no person has paused"):
        ledger.resume_batch(batch, None)
    ledger.pause_batch(batch, "wait")
    with pytest.raises(BatchPausedError):
        ledger.start("b")
    ledger.close_batch(batch, "enough")
    for act in (ledger.pause_batch, ledger.resume_batch):
        with pytest.raises(BatchClosedError):
            act(batch, "why")


def test_a_restored_ledger_is_still_paused(tmp_path: Path) -> None:
    place, copy = tmp_path / "ledger.sqlite3", tmp_path / "copy.sqlite3"
    with SqliteLedger(place) as ledger:
        batch = loaded(ledger)
        ledger.start("b")
        ledger.pause_batch(batch, "wait")
        backup_ledger(ledger, copy)
    restore_ledger(place, copy)
    with SqliteLedger(place) as ledger:
        confirm_compared(ledger)
        with pytest.raises(BatchPausedError, match="by a person: wait"):
            ledger.start("b")


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    return write_sheet(tmp_path / "salaries.csv", 20)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SqliteLedger]:
    with ledger_in(tmp_path) as ledger:
        yield ledger


async def test_a_run_under_way_stops_and_the_next_says_who_has_paused_it(
    sheet: Path, file: SqliteLedger, tmp_path: Path
) -> None:
    with in_process() as (emulator, dgs), ledger_in(tmp_path) as other:
        payouts = AsyncPayouts(dgs, file)

        def pause(*_: object) -> None:
            batch = other.batch("salaries")
            if batch is not None and not batch.is_paused_by_a_person:
                other.pause_batch(batch, "wait")

        summary = await payouts.run(sheet, pace=Pace(concurrency=1, per_second=50), on_result=pause)
        assert summary.is_paused_by_a_person
        assert len(emulator.executed) < 5
        assert summary.unsent == 20 - len(emulator.executed)
        before = len(emulator.executed)
        for again in (payouts.run(sheet), payouts.run(sheet, skip=["salary-20"])):
            with pytest.raises(PreflightError, match="by a person: wait"):
                await again
        assert any("paused by a person" in found for found in (await payouts.check(sheet)).problems)
        assert "by a person: wait" in str(
            await payouts.pay_chunk(ChunkRef(batch="salaries", index=0, first=1, last=20))
        )
        assert len(emulator.executed) == before
        # Nothing but the person's own lines is in the log, whoever noticed the pause.
        actions = [line.action for line in await payouts.audit_log("salaries")]
        assert actions == ["confirm", "pause", "cancel"]
        await payouts.resume("salaries", note="go on")
        assert (await payouts.run(sheet)).counts.count(State.CONFIRMED) == 19
        assert set(paid(emulator).values()) == {1}


async def test_a_batch_paused_before_it_began_is_not_read_anew(
    sheet: Path, file: SqliteLedger
) -> None:
    with in_process() as (emulator, dgs):
        payouts = AsyncPayouts(dgs, file)
        await payouts.prepare(sheet)
        await payouts.pause("salaries", note="wait")
        with pytest.raises(BatchPausedError, match="wait"):
            await payouts.prepare(sheet)
        with pytest.raises(PreflightError, match="wait"):
            await payouts.run(sheet)
        with pytest.raises(ConfigError, match="say why"):
            await payouts.pause("salaries", note=" ")
        assert not emulator.executed


async def test_a_pause_between_the_question_and_the_answer_counts(
    sheet: Path, file: SqliteLedger, tmp_path: Path
) -> None:
    with in_process() as (emulator, dgs), ledger_in(tmp_path) as other:

        def confirm(_: object) -> bool:
            batch = other.batch("salaries")
            assert batch is not None
            other.pause_batch(batch, "wait")
            return True

        with pytest.raises(BatchPausedError, match="wait"):
            await AsyncPayouts(dgs, file).run(sheet, confirm=confirm)
        with pytest.raises(BatchPausedError, match="wait"):
            await AsyncPayouts(dgs, file).run(sheet)
        assert not emulator.executed

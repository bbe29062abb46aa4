"""What interrupts a run from beside it must not cost the answers of payouts in flight."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dgspay.payouts import (
    AsyncPayouts,
    Batch,
    Chunk,
    Evidence,
    Learned,
    LedgerError,
    Pace,
    Payout,
    PostgresLedger,
    SqliteLedger,
    State,
    Terms,
)
from tests.support.crash_points import paid
from tests.support.sheet_factory import in_process, ledger_in, write_sheet

TERMS = Terms(environment="emulator", base_url="http://127.0.0.1:1", account_number="ACC-1")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    with ledger_in(tmp_path) as ledger:
        yield ledger


def in_flight(ledger: Any, count: int = 2) -> tuple[Batch, Chunk]:
    """A batch with payouts that are on their way."""
    payouts = [
        Payout(number=n, reference=f"r{n}", amount=1000, account=str(n))
        for n in range(1, count + 1)
    ]
    batch = ledger.load(Batch(name="b", digest="d", terms=TERMS), payouts)
    ledger.start("b")
    chunk = ledger.claim(batch, 0, 1, count)
    assert len(ledger.take(chunk, after=0, limit=count)) == count
    return batch, chunk


# --- the run ------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.acceptance(54, "held-in-doubt")
async def test_a_callback_that_raises_costs_no_answer(ledger: SqliteLedger, tmp_path: Path) -> None:
    """A progress bar whose terminal is gone, say."""
    sheet = write_sheet(tmp_path / "salaries.csv", 40)
    told: list[int] = []

    def broken(payout: Payout, _: Evidence) -> None:
        told.append(payout.number)
        raise BrokenPipeError("nobody reads this any more")

    with in_process() as (emulator, dgs):
        emulator.faults.delay("POST /disburse", seconds=0.02, times=40)
        with pytest.raises(BrokenPipeError):
            await AsyncPayouts(dgs, ledger).run(
                sheet, on_result=broken, settle_within=0, pace=Pace(concurrency=8)
            )
        counts = ledger.counts("salaries")
        assert counts.count(State.ACCEPTED) == len(emulator.executed) == len(told)
        assert counts.count(State.NEW) == 40 - len(told) > 0
        await AsyncPayouts(dgs, ledger).run(sheet, settle_within=0)
        assert ledger.counts("salaries").count(State.ACCEPTED) == 40
        assert set(paid(emulator).values()) == {1}


class Failing(SqliteLedger):
    """A ledger that hands out one portion and then cannot be written for a moment."""

    take_size = 0

    def take(self, chunk: Chunk, **options: Any) -> list[Payout]:
        self.take_size += 1
        if self.take_size == 2:
            raise LedgerError("the ledger cannot be written at this moment")
        return super().take(chunk, **options)


@pytest.mark.anyio
@pytest.mark.acceptance(54, "held-in-doubt")
async def test_a_ledger_that_fails_to_hand_out_still_takes_the_answers_in(tmp_path: Path) -> None:
    sheet = write_sheet(tmp_path / "salaries.csv", 40)
    with in_process() as (emulator, dgs), Failing(tmp_path / "l.sqlite3") as ledger:
        emulator.faults.delay("POST /disburse", seconds=0.05, times=40)
        pace = Pace(concurrency=8)
        with pytest.raises(LedgerError, match="at this moment"):
            await AsyncPayouts(dgs, ledger).run(sheet, settle_within=0, pace=pace)
        counts = ledger.counts("salaries")
        assert counts.count(State.ACCEPTED) == len(emulator.executed) > 0
        assert counts.count(State.NEW) == 40 - len(emulator.executed) > 0


class Slow(SqliteLedger):
    """A ledger whose taking up is under way when the task that waits for it is cancelled."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.taking, self.cancelled, self.returned = (threading.Event() for _ in range(3))
        self.taken: list[int] = []

    def take(self, chunk: Chunk, **options: Any) -> list[Payout]:
        self.taking.set()
        assert self.cancelled.wait(60)
        page = super().take(chunk, **options)
        self.taken = [payout.number for payout in page]
        return page

    def post(self, batch: Batch, number: int, evidence: Evidence, **options: Any) -> None:
        super().post(batch, number, evidence, **options)
        self.taken.remove(number)
        if not self.taken:
            self.returned.set()


@pytest.mark.acceptance(20, "cancelled-post")
@pytest.mark.acceptance(52, "killed-run")
def test_what_a_thread_takes_up_for_a_cancelled_run_is_new_again(tmp_path: Path) -> None:
    """`asyncio.timeout` around a run, say: rows the thread comes back with are not sent."""

    async def cancelled(ledger: Slow, dgs: Any) -> None:
        run = asyncio.create_task(AsyncPayouts(dgs, ledger).run(sheet, settle_within=0))
        await asyncio.to_thread(ledger.taking.wait, 60)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        ledger.cancelled.set()

    sheet = write_sheet(tmp_path / "salaries.csv", 40)
    with in_process() as (emulator, dgs), Slow(tmp_path / "l.sqlite3") as ledger:
        asyncio.run(cancelled(ledger, dgs))
        assert ledger.returned.wait(60)
        ledger.flush()
        assert not emulator.executed
        assert ledger.counts("salaries").by_state == {State.NEW: (40, 40_820)}


# --- the ledger ---------------------------------------------------------------------------


@pytest.mark.acceptance(54, "held-in-doubt")
def test_what_was_learned_outlives_another_process_that_writes_for_long(tmp_path: Path) -> None:
    """Somebody reads a sheet of a million rows into the same file."""
    with SqliteLedger(tmp_path / "l.sqlite3", busy_timeout=0.05) as ledger:
        batch, _ = in_flight(ledger)
        other = sqlite3.connect(ledger.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        ledger.post(batch, 1, Evidence(learned=Learned.ACCEPTED, dgs_reference="DGS1"))
        refused = threading.Event()
        threading.Timer(0.5, refused.set).start()
        assert refused.wait(60)
        other.execute("COMMIT")
        other.close()
        ledger.flush()
        assert ledger.page("b")[0].dgs_reference == "DGS1"


@pytest.mark.acceptance(54, "held-in-doubt")
def test_what_was_learned_outlives_a_time_limit_of_the_server(postgres_ledger_url: str) -> None:
    """Somebody's migration holds the table for longer than a statement may take."""
    import psycopg

    limited = f"{postgres_ledger_url}&options=-cstatement_timeout%3D100"
    with PostgresLedger(limited) as ledger, psycopg.connect(postgres_ledger_url) as other:
        batch, _ = in_flight(ledger)
        other.execute("LOCK TABLE dgspay_payout_states IN EXCLUSIVE MODE")
        ledger.post(batch, 1, Evidence(learned=Learned.ACCEPTED, dgs_reference="DGS1"))
        refused = threading.Event()
        threading.Timer(0.8, refused.set).start()
        assert refused.wait(60)
        other.rollback()
        ledger.flush()
        assert ledger.page("b")[0].dgs_reference == "DGS1"

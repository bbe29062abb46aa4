"""What is taken up leaves: a process that dies holds nothing that was never sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from dgspay.emulator import Emulator
from dgspay.payouts import AsyncPayouts, Pace, Payout, Runner, State, Stop
from dgspay.payouts.ledger import FencedError
from dgspay.payouts.run.chunk_runner import FRESH_SECONDS
from dgspay.payouts.run.pacing import RateLimiter
from dgspay.payouts.run.take_size import TakeSize
from dgspay.payouts.status import require_batch
from tests.support.crash_points import Strike, environ_of, finish, paid, start, states, strike_at
from tests.support.sheet_factory import RICH, in_process, ledger_in, write_sheet


class HandMade:
    """Seconds that pass on demand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.acceptance(105, "slow-pace-stop")
@pytest.mark.parametrize("pace", [["--rate", "5"], ["--concurrency", "1"]], ids=" ".join)
def test_killed_at_a_slow_pace_it_holds_what_was_in_flight_and_nothing_else(
    tmp_path: Path, pace: list[str]
) -> None:
    sheet, ledger = write_sheet(tmp_path / "salaries.csv", 60), tmp_path / "ledger.sqlite3"
    command = ["run", str(sheet), "--yes", "--ledger", str(ledger)]
    with Emulator(settle_after=0, seed=1, balances=RICH) as emulator, emulator.serve() as server:
        environ = environ_of(emulator, server.url)
        process = start(*command, *pace, environ=environ)
        strike_at(emulator, "POST /disburse", 3, Strike(process, before=False))
        finish(process, [-9])
        sent = paid(emulator)
        assert 3 <= len(sent) <= 5
        finish(start(*command, environ=environ), [0, 5])
        stands = states(ledger, "salaries")
        # The third was killed for; one more may have been leaving at that moment.
        assert [*stands.values()].count(State.HELD) <= 3
        assert set(paid(emulator).values()) == {1}
        assert len(paid(emulator)) >= 59


@pytest.mark.acceptance(52, "killed-run", 105, "slow-pace-stop")
def test_killed_while_answers_take_long_it_holds_what_was_in_flight_and_nothing_else(
    tmp_path: Path,
) -> None:
    sheet, ledger = write_sheet(tmp_path / "salaries.csv", 60), tmp_path / "ledger.sqlite3"
    command = ["run", str(sheet), "--yes", "--concurrency", "8", "--ledger", str(ledger)]
    with Emulator(settle_after=0, seed=1, balances=RICH) as emulator, emulator.serve() as server:
        environ = environ_of(emulator, server.url)
        process = start(*command, environ=environ)
        emulator.faults.delay("POST /disburse", 2.0, times=7)
        emulator.faults.add("POST /disburse", Strike(process, before=True))
        finish(process, [-9])
        finish(start(*command, environ=environ), [5])
        stands = [*states(ledger, "salaries").values()]
    # Eight were in flight. Where a commit took long, some were taken up ahead: as many as leave
    # within half a second, where eight within a quarter of one are all that have left. All the
    # others were paid by the same command.
    held = stands.count(State.HELD)
    assert 8 <= held <= 8 + 8 / 0.25 * 0.5
    assert stands.count(State.CONFIRMED) == 60 - held


@pytest.mark.anyio
async def test_nothing_is_taken_up_while_all_workers_are_busy(tmp_path: Path) -> None:
    with in_process() as (_, dgs), ledger_in(tmp_path) as ledger:
        most = 0

        def look(*_: object) -> None:
            nonlocal most
            most = max(most, ledger.counts("s").count(State.IN_DOUBT))

        payouts = AsyncPayouts(dgs, ledger)
        pace = Pace(concurrency=3, per_second=200)
        await payouts.run(write_sheet(tmp_path / "s.csv", 30), pace=pace, on_result=look)
    # Those in flight, and what leaves within two hundredths of a second at this pace.
    assert most <= 3 + 4


class Slow:
    """A clock by which everything takes longer than a worker relies on what it was told."""

    def __init__(self) -> None:
        self.now = 1_796_000_000.0

    def monotonic(self) -> float:
        self.now += FRESH_SECONDS + 1
        return self.now

    time = monotonic


@pytest.mark.anyio
async def test_what_waited_for_longer_than_ten_seconds_does_not_leave_once_a_person_has_paused_it(
    tmp_path: Path,
) -> None:
    with in_process() as (emulator, dgs), ledger_in(tmp_path) as ledger:
        batch = await AsyncPayouts(dgs, ledger).prepare(write_sheet(tmp_path / "s.csv", 30))
        ledger.start("s")
        chunk = ledger.claim(batch, 0, 1, 30)
        take = ledger.take

        def take_and_pause(*args: Any, **options: Any) -> list[Payout]:
            taken = take(*args, **options)
            if not require_batch(ledger, "s").is_paused_by_a_person:
                ledger.pause_batch(batch, "wait")
            return taken

        ledger.take = take_and_pause  # type: ignore[method-assign]
        with pytest.raises(FencedError):
            await Runner(dgs, ledger, clock=Slow()).run(chunk)
        ledger.flush()
        assert not emulator.executed
        assert ledger.counts("s").count(State.NEW) == 30


def test_as_many_are_wanted_as_wait_and_ahead_of_them_what_leaves_at_once() -> None:
    clock = HandMade()
    take_size = TakeSize(clock)
    assert take_size.wanted(idle=32, ready=0) == 32
    # They all leave in one moment: that says nothing yet of how many leave in a second.
    take_size.leave(32)
    assert take_size.wanted(idle=0, ready=0) == 0
    wanted = 0
    for _ in range(100):
        clock.now += 0.01
        take_size.leave(10)
        wanted = take_size.wanted(idle=0, ready=0)
    assert 18 <= wanted <= 20  # at a thousand in a second
    assert take_size.wanted(idle=4, ready=5) == wanted + 4 - 5
    assert take_size.wanted(idle=0, ready=wanted // 2 + 1) == 0
    # A disk whose commits take long needs more ahead, though never more than half a second's.
    take_size.took(0.1)
    assert 180 <= take_size.wanted(idle=0, ready=0) <= 200
    take_size.took(60.0)
    assert 480 <= take_size.wanted(idle=0, ready=0) <= 500
    # Where nothing leaves any more, nothing more is taken up.
    take_size.took(0.001)
    clock.now += 2.0
    assert take_size.wanted(idle=0, ready=0) == 0
    assert take_size.wanted(idle=1, ready=0) == 1


def test_however_many_leave_a_portion_has_an_end() -> None:
    clock = HandMade()
    take_size = TakeSize(clock)
    take_size.leave(10**9)
    clock.now += 1.0
    assert take_size.wanted(idle=32, ready=0) == 4000


@pytest.mark.anyio
async def test_a_stop_is_heard_within_a_long_interval() -> None:
    stop = Stop()
    turns = RateLimiter(Pace(per_second=0.001), anyio.current_time)
    with anyio.fail_after(5):
        await turns.wait(lambda: True)
        async with anyio.create_task_group() as group:
            for _ in range(32):
                group.start_soon(turns.wait, lambda: not stop)
            await anyio.lowlevel.checkpoint()
            stop.set()

"""Many machines on one PostgreSQL: killed, stopped and woken workers, a restarted server."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dgspay.emulator import Emulator
from dgspay.payouts import Batch, Evidence, Finding, State
from dgspay.payouts.ledger import FencedError

from .killing import Strike, environ_of, finish, paid, start, strike_at
from .sheets import RICH, write_sheet
from .test_payout_ledger import TERMS, payouts

FULL = bool(os.environ.get("DGSPAY_TEST_FULL"))
ROWS = 10_000 if FULL else 600

Postgres = tuple[str, Callable[[], None]]


@pytest.fixture
def two(postgres_ledger_url: str) -> Iterator[tuple[Any, Any, Batch]]:
    """Two machines' ledgers on one server, and a batch of ten."""
    from dgspay.payouts import PostgresLedger

    with PostgresLedger(postgres_ledger_url) as one, PostgresLedger(postgres_ledger_url) as other:
        batch = one.load(Batch(name="b", digest="d", terms=TERMS), payouts(10))
        one.start("b")
        yield one, other, batch


@pytest.mark.acceptance(53)
def test_a_worker_that_woke_up_again_is_fenced(two: tuple[Any, Any, Batch]) -> None:
    one, other, batch = two
    chunk = one.claim(batch, 0, 1, 10)
    assert [payout.number for payout in one.take(chunk, after=0, limit=4)] == [1, 2, 3, 4]
    taken_over = other.claim(batch, 0, 1, 10)
    with pytest.raises(FencedError):
        one.take(chunk, after=4, limit=4)
    assert not one.is_ours(chunk)
    assert other.is_ours(taken_over)
    # What the first may have sent is held, and the second gets the rest.
    assert other.counts("b").count(State.HELD) == 4
    rest = other.take(taken_over, after=0, limit=99)
    assert [payout.number for payout in rest] == [*range(5, 11)]
    # What the first still learns counts all the same.
    one.post(batch, 1, Evidence(finding=Finding.ACCEPTED, dgs_reference="DGS1"))
    one.flush()
    assert other.who_is("DGS1") == ("b", 1)
    assert other.counts("b").count(State.ACCEPTED) == 1


@pytest.mark.acceptance(53)
def test_whoever_cuts_the_batch_otherwise_is_seen_too(two: tuple[Any, Any, Batch]) -> None:
    one, other, batch = two
    chunk = one.claim(batch, 1, 6, 10)
    other.claim(batch, 0, 1, 10)
    with pytest.raises(FencedError):
        one.take(chunk, after=0, limit=4)


def test_a_pause_stops_every_machine(two: tuple[Any, Any, Batch]) -> None:
    from dgspay.payouts.ledger import PausedError

    one, other, batch = two
    chunk = one.claim(batch, 0, 1, 10)
    other.pause("b", "enough")
    with pytest.raises(PausedError):
        one.take(chunk, after=0, limit=4)


def test_a_server_that_restarts_is_waited_for(
    two: tuple[Any, Any, Batch], payout_postgres: Postgres
) -> None:
    one, _, batch = two
    _, restart = payout_postgres
    chunk = one.claim(batch, 0, 1, 10)
    assert len(one.take(chunk, after=0, limit=4)) == 4
    one.post(batch, 1, Evidence(finding=Finding.ACCEPTED, dgs_reference="DGS1"))
    restart()
    one.post(batch, 2, Evidence(finding=Finding.ACCEPTED, dgs_reference="DGS2"))
    assert len(one.take(chunk, after=4, limit=4)) == 4
    assert one.counts("b").count(State.ACCEPTED) == 2


@contextmanager
def workers(count: int, url: str, environ: dict[str, str]) -> Iterator[list[Any]]:
    arguments = ["work", "--ledger", url, "--lease", "2", "--concurrency", "4"]
    started = [start(*arguments, environ=environ) for _ in range(count)]
    try:
        for process in started:
            assert process.stderr is not None
            process.stderr.readline()
        yield started
    finally:
        for process in started:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.communicate()


@pytest.mark.acceptance(52, 53)
def test_three_workers_one_killed_one_stopped_and_the_server_restarted(
    tmp_path: Path, postgres_ledger_url: str, payout_postgres: Postgres
) -> None:
    from dgspay.payouts import PostgresLedger

    url, restart = payout_postgres
    sheet = write_sheet(tmp_path / "salaries.csv", ROWS)
    with Emulator(settle_after=0, seed=1, balances=RICH) as emulator, emulator.serve() as server:
        environ = environ_of(emulator, server.url)
        with workers(3, url, environ) as (killed, stopped, survivor):
            share = ROWS // 10
            strike_at(emulator, "POST /disburse", share, Strike(killed, before=True))
            pause = Strike(stopped, before=False, signal=signal.SIGSTOP)
            strike_at(emulator, "POST /disburse", share, pause)
            command = ["run", str(sheet), "--yes", "--ledger", url, "--concurrency", "4"]
            running = start(*command, environ=environ)
            killed.wait()
            restart()
            said = finish(running, [0, 4, 5])
            # It wakes up long after its lease, with rows in hand that others answer for now.
            stopped.send_signal(signal.SIGCONT)
            again = start(*command, environ=environ)
            finish(again, [0, 5])
            for process in (stopped, survivor):
                process.send_signal(signal.SIGTERM)
                finish(process, [0])
        times = paid(emulator)
    assert set(times.values()) <= {1}, said
    with PostgresLedger(url) as ledger:
        counts = ledger.counts("salaries")
        found = {
            record.payout.account: record.state for record in ledger.page("salaries", limit=ROWS)
        }
    assert counts.count(State.CONFIRMED, State.FAILED, State.HELD) == ROWS
    assert {who for who, state in found.items() if state is State.CONFIRMED} <= times.keys()
    assert counts.count(State.HELD) < ROWS // 4

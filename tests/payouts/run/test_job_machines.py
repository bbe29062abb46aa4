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
from dgspay.payouts import State
from tests.support.crash_points import Strike, environ_of, finish, paid, start, strike_at
from tests.support.sheet_factory import RICH, write_sheet

FULL = bool(os.environ.get("DGSPAY_TEST_FULL"))
ROWS = 10_000 if FULL else 600

Postgres = tuple[str, Callable[[], None]]


@contextmanager
def workers(count: int, url: str, environ: dict[str, str]) -> Iterator[list[Any]]:
    arguments = ["work", "--ledger", url, "--lease", "2", "--concurrency", "4"]
    started = [start(*arguments, environ=environ) for _ in range(count)]
    try:
        for process in started:
            assert process.stderr is not None
            process.stderr.readline()
        yield started
    except BaseException as error:
        for process, (out, err) in _ended(started):
            error.add_note(f"a worker ended with {process.returncode}\n{out}\n{err}")
        raise
    finally:
        _ended(started)


def _ended(started: list[Any]) -> list[tuple[Any, tuple[str, str]]]:
    """End those that still work; return their unread output."""
    said = []
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        if not process.stdout.closed:
            said.append((process, process.communicate()))
    return said


@pytest.mark.acceptance(52, "killed-run", 53, "two-workers")
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
            said = finish(running, [0, 4, 5, 9])
            # It wakes up long after its lease, with rows in hand that others answer for now.
            stopped.send_signal(signal.SIGCONT)
            again = start(*command, environ=environ)
            finish(again, [0, 5, 6])
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

"""The commands as a person gives them: processes, signals, exit codes."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dgspay.emulator import Emulator
from dgspay.emulator.fault_kinds import Fault
from dgspay.payouts import SqliteLedger, State
from tests.cli.terminal import CommandLine, variables

from .killing import Strike, environ_of, finish, paid, start, states, strike_at
from .sheets import RICH, payments, write_sheet


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DGSPAY_PAYOUTS_LEDGER", raising=False)


@contextmanager
def served(**options: Any) -> Iterator[tuple[Emulator, str]]:
    settings: dict[str, Any] = {"settle_after": 0, "balances": RICH, "seed": 3, **options}
    with Emulator(**settings) as emulator, emulator.serve() as server:
        yield emulator, server.url


def test_check_lists_all_faults_and_sends_nothing(tmp_path: Path) -> None:
    rows = [*payments(3)]
    rows[0]["amount"], rows[2]["msisdn"] = "x", "7.88E+08"
    write_sheet(tmp_path / "s.csv", rows)
    with served() as (emulator, url):
        dgspay = CommandLine(variables(emulator, url))
        said = dgspay("payouts", "check", "s.csv")
        assert said.code == 2
        assert "line 2: amount" in said.err
        assert "line 4: msisdn" in said.err
        assert "2 faults. Nothing was sent." in said.err
        write_sheet(tmp_path / "s.csv", 3)
        good = dgspay("payouts", "check", "s.csv", "--fee", "100")
        assert (good.code, good.err) == (0, "")
        assert "3 payouts, 3,006 RWF: 3 to phones, 0 to bank accounts" in good.out
        assert "key sk_test_***" in good.out
        assert emulator.api_key not in good.out
        assert dgspay("payouts", "check", "s.csv", "--fee", "2000").code == 1
        assert not emulator.executed


def test_run_asks_with_sum_and_count_and_a_no_sends_nothing(tmp_path: Path) -> None:
    write_sheet(tmp_path / "s.csv", 3)
    with served() as (emulator, url):
        dgspay = CommandLine(variables(emulator, url))
        said = dgspay("payouts", "run", "s.csv", answers="n\n")
        assert said.code == 1
        assert "Pay 3,006 RWF to 3 recipients from emulator?" in said.err
        assert not emulator.executed
        assert dgspay("payouts", "run", "s.csv", "--dry-run").code == 0
        assert not emulator.executed
        done = dgspay("payouts", "run", "s.csv", answers="y\n")
        assert done.code == 0, done.err
        assert "confirmed" in done.out
        assert len(emulator.executed) == 3
        again = dgspay("payouts", "run", "s.csv", "--yes")
        assert (again.code, len(emulator.executed)) == (0, 3)
        told = json.loads(dgspay("payouts", "status", "s", "--json").out)
        assert told["states"]["confirmed"] == {"count": 3, "amount": 3006}
        assert dgspay("payouts", "status", "t").code == 2


def test_a_row_in_doubt_is_shown_and_a_person_settles_it(tmp_path: Path) -> None:
    write_sheet(tmp_path / "s.csv", 2)
    with served() as (emulator, url):
        dgspay = CommandLine(variables(emulator, url))
        emulator.faults.lose_answer("POST /disburse")
        said = dgspay("payouts", "run", "s.csv", "--yes", "--concurrency", "1")
        assert said.code == 5
        assert "1 are held" in said.err
        status = dgspay("payouts", "status", "s")
        assert status.code == 5
        assert "salary-1" in status.out
        assert dgspay("payouts", "resolve", "s", "salary-9", "--paid").code == 2
        assert dgspay("payouts", "resolve", "s", "salary-1").code == 2
        assert dgspay("payouts", "resolve", "s", "salary-2", "--paid", "-y").code == 1
        assert dgspay("payouts", "resolve", "s", "salary-1", "--paid", answers="n").code == 1
        settled = dgspay("payouts", "resolve", "s", "salary-1", "--paid", "-y", "--note", "portal")
        assert settled.code == 0
        assert "a person says so: portal" in settled.out
        assert dgspay("payouts", "status", "s").code == 0
        assert len(emulator.executed) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_finishes_what_is_in_flight_and_says_how_to_go_on(
    tmp_path: Path, number: int
) -> None:
    write_sheet(tmp_path / "s.csv", 60)
    command = ["run", "s.csv", "--yes", "--concurrency", "2"]
    with served() as (emulator, url):
        environ = environ_of(emulator, url)
        process = start(*command, environ=environ)
        strike_at(emulator, "POST /disburse", 20, Strike(process, before=True, signal=number))
        said = finish(process, [130])
        assert "still to be sent. To go on: dgspay payouts run s.csv" in said
        stands = states(tmp_path / "dgspay-payouts.sqlite3", "s")
        assert set(stands.values()) == {State.ACCEPTED, State.NEW}
        assert len(emulator.executed) == [*stands.values()].count(State.ACCEPTED)
        finish(start(*command, environ=environ), [0])
        assert len(paid(emulator)) == 60
        assert set(paid(emulator).values()) == {1}


def test_a_second_run_of_the_same_batch_fails_fast(tmp_path: Path) -> None:
    write_sheet(tmp_path / "s.csv", 2)
    with served() as (emulator, url):
        with SqliteLedger("dgspay-payouts.sqlite3") as ledger, ledger.only_run("s"):
            said = CommandLine(variables(emulator, url))("payouts", "run", "s.csv", "--yes")
        assert said.code == 2
        assert "run by another process" in said.err
        assert not emulator.executed


@pytest.mark.acceptance(54)
def test_listen_settles_what_a_lost_answer_left_in_doubt(tmp_path: Path) -> None:
    write_sheet(tmp_path / "s.csv", 20)
    with served(transfers_in_lookup=False) as (emulator, url):
        environ = environ_of(emulator, url)
        listener = start("listen", "--port", "0", environ=environ)
        try:
            assert listener.stderr is not None
            found = re.search(r"http://[\d.:]+", listener.stderr.readline())
            assert found is not None
            for _ in range(2):
                emulator.faults.add("POST /disburse", Fault(), times=9)
                emulator.faults.lose_answer("POST /disburse")
            command = ["run", "s.csv", "--yes", "--callback-url", f"{found.group()}/hooks"]
            finish(start(*command, environ=environ), [0])
        finally:
            listener.send_signal(signal.SIGTERM)
            finish(listener, [0])
        assert set(paid(emulator).values()) == {1}
    assert set(states(tmp_path / "dgspay-payouts.sqlite3", "s").values()) == {State.CONFIRMED}

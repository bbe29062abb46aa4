"""The commands as a person gives them: processes, signals, exit codes."""

from __future__ import annotations

import csv
import io
import json
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dgspay.emulator import Emulator
from dgspay.emulator.faults.kinds import Fault
from dgspay.payouts import PayoutWebhooks, SqliteLedger, State
from dgspay.webhooks import sign
from tests.cli.terminal import CommandLine, variables
from tests.support.crash_points import (
    Strike,
    environ_of,
    finish,
    ledger_of,
    paid,
    start,
    states,
    strike_at,
)
from tests.support.sheet_factory import RICH, payments, write_sheet


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
        assert (again.code, len(emulator.executed)) == (6, 3)
        assert "Batch s was sent before, on " in again.err
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
        assert "1 is held" in said.err
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
        assert re.search(r"still to be sent. To go on:\n  dgspay payouts run s.csv", said)
        stands = states(ledger_of(tmp_path), "s")
        assert set(stands.values()) == {State.ACCEPTED, State.NEW}
        assert len(emulator.executed) == [*stands.values()].count(State.ACCEPTED)
        assert CommandLine(environ)("payouts", *command).code == 0
        assert len(paid(emulator)) == 60
        assert set(paid(emulator).values()) == {1}


def test_a_second_run_of_the_same_batch_fails_fast(tmp_path: Path) -> None:
    write_sheet(tmp_path / "s.csv", 2)
    with served() as (emulator, url):
        with SqliteLedger("l.sqlite3") as ledger, ledger.only_run("s"):
            dgspay = CommandLine(variables(emulator, url))
            said = dgspay("payouts", "run", "s.csv", "--yes", "--ledger", "l.sqlite3")
        assert said.code == 2
        assert "run by another process" in said.err
        assert not emulator.executed


@pytest.mark.acceptance(54, "held-in-doubt")
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
            said = CommandLine(environ)("payouts", *command)
            assert said.code == 0, said
        finally:
            listener.send_signal(signal.SIGTERM)
            finish(listener, [0])
        assert set(paid(emulator).values()) == {1}
    assert set(states(ledger_of(tmp_path), "s").values()) == {State.CONFIRMED}


@pytest.mark.acceptance(55, "edited-sheet", 56, "preflight")
def test_what_is_found_before_the_run_stops_it_and_names_it(tmp_path: Path) -> None:
    rows = [*payments(2)]
    rows.append({**rows[0], "reference": "again"})
    write_sheet(tmp_path / "twice.csv", rows)
    write_sheet(
        tmp_path / "bank.csv",
        [
            {
                "reference": "b",
                "amount": "5000",
                "bank_key": "bpr_rw",
                "account_number": "0012345678",
            }
        ],
    )
    write_sheet(tmp_path / "rich.csv", [{**rows[1], "amount": "2000000000000"}])
    with served() as (emulator, url):
        dgspay = CommandLine(variables(emulator, url))
        for command, problem in (
            (["twice.csv"], "line 4 pays the same amount to the same account as 2"),
            (["bank.csv"], "'bpr_rw' needs a branch"),
            (["rich.csv"], "the wallet holds 1,000,000,000,000 RWF"),
            (["twice.csv", "--allow-duplicate", "again", "--fee", "1001"], "not above the fee"),
        ):
            for yes in ([], ["--yes"]):
                said = dgspay("payouts", "run", *command, *yes)
                assert (said.code, problem in said.err) == (1, True), said
                assert "Nothing was sent." in said.err
        assert not emulator.executed
        # Begun, and edited since.
        by_name = ("--yes", "--allow-duplicate", "again")
        assert dgspay("payouts", "run", "twice.csv", *by_name).code == 0
        write_sheet(tmp_path / "twice.csv", rows[:2])
        said = dgspay("payouts", "run", "twice.csv", *by_name)
        assert (said.code, "not those batch 'twice' began with" in said.err) == (2, True)
        assert len(emulator.executed) == 3


@pytest.mark.acceptance(58, "contradicting-evidence")
def test_a_contradiction_is_shown_in_status_and_report(tmp_path: Path) -> None:
    write_sheet(tmp_path / "s.csv", 2)
    with served() as (emulator, url):
        dgspay = CommandLine(variables(emulator, url))
        assert dgspay("payouts", "run", "s.csv", "--yes").code == 0
        with SqliteLedger(ledger_of(tmp_path)) as ledger:
            webhooks = PayoutWebhooks(ledger, emulator.webhook_secret)
            reference = ledger.page("s")[0].dgs_reference
            fields = {
                "event": "disbursement.failed",
                "dgs_reference": reference,
                "status": "failed",
                "amount": 1001,
                "currency": "RWF",
                "fail_reason": "Invalid account details",
            }
            body = json.dumps(fields).encode()
            assert webhooks.receive("/", body, sign(body, emulator.webhook_secret)).status == 200
        clash = "it was paid, and the webhook says it failed"
        status = dgspay("payouts", "status", "s")
        assert (status.code, clash in status.out) == (5, True)
        told = json.loads(dgspay("payouts", "status", "s", "--json").out)
        assert told["in_doubt"][0]["contradiction"] == clash
        page = dgspay("payouts", "report", "s").out
        assert page.index("Not known: 1 payout,") < page.index(clash) < page.index("Where they")
        assert dgspay("payouts", "reconcile", "s").out.startswith("Contradicts itself: 1")
        # A look-up has the last word, and the report remembers.
        assert dgspay("payouts", "run", "s.csv", "--yes").code == 0
        assert "Settled after a contradiction: 1" in dgspay("payouts", "report", "s").out
        (row, _) = csv.DictReader(
            io.StringIO(dgspay("payouts", "report", "s", "--format", "csv").out.lstrip("\ufeff"))
        )
        assert (row["state"], row["contradiction"]) == ("confirmed", clash)


def test_the_report_goes_to_a_file_whose_name_says_what_it_is(tmp_path: Path) -> None:
    write_sheet(tmp_path / "s.csv", 3)
    with served() as (emulator, url):
        dgspay = CommandLine(variables(emulator, url))
        assert dgspay("payouts", "run", "s.csv", "--yes").code == 0
    # From here on nothing is asked of DGS-Pay.
    dgspay = CommandLine({})
    assert dgspay("payouts", "report", "s", "-o", "s.json").err == "Written to s.json\n"
    told = json.loads((tmp_path / "s.json").read_text())
    assert (told["fees"], told["states"]["confirmed"]["amount"]) == (300, 3006)
    assert dgspay("payouts", "report", "s", "-o", "s.html").code == 0
    assert "3,006 RWF" in (tmp_path / "s.html").read_text()
    assert dgspay("payouts", "report", "s", "-o", "s.xlsx").code == 2
    assert dgspay("payouts", "report", "s", "-o", "nowhere/s.csv").code == 1
    assert dgspay("payouts", "report", "t").code == 2
    # Looking makes no ledger where there is none.
    for command in (["status", "s"], ["report", "s"], ["resolve", "s", "r", "--paid"]):
        said = dgspay("payouts", *command, "--ledger", "other.sqlite3")
        assert said.code == 2
        assert "There is no ledger at" in said.err
    assert not Path("other.sqlite3").exists()


def test_a_log_gets_plain_lines_and_each_transport_pays(tmp_path: Path) -> None:
    with served() as (emulator, url):
        dgspay = CommandLine(variables(emulator, url))
        for number, transport in enumerate(("httpx", "aiohttp"), 1):
            if transport == "aiohttp":
                pytest.importorskip("dgspay.transports.aiohttp")
            write_sheet(tmp_path / f"s{number}.csv", 29 + number)
            # The second sheet has the rows of the first.
            told = ("--yes", "--repeat-days", "0", "--period", transport, "--transport", transport)
            said = dgspay("payouts", "run", f"s{number}.csv", *told)
            assert said.code == 0, said.err
            (line,) = said.err.splitlines()
            figures = f"{29 + number} of {29 + number}  accepted 0  confirmed {29 + number}"
            assert line == f"Settling: {figures}  failed 0  in doubt 0"
            assert "\x1b" not in said.out + said.err
        assert dgspay("payouts", "run", "s1.csv", "--yes", "--transport", "carrier").code == 2


@pytest.mark.parametrize("command", ["", "run", "check", "status", "work"])
def test_the_help_has_the_exit_codes(command: str) -> None:
    said = CommandLine({})("payouts", *command.split(), "--help")
    assert "5    it is not known of some whether they were paid: they are held" in said.out

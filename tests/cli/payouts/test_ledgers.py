"""One ledger for an account, whichever folder a command is given in."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dgspay.emulator import Emulator
from dgspay.emulator.faults.kinds import Fault
from dgspay.payouts import SqliteLedger, State
from tests.cli.terminal import CommandLine, variables
from tests.support.crash_points import ledger_of, paid, states
from tests.support.old_ledger import write_old_ledger
from tests.support.sheet_factory import RICH, write_sheet

RUN = ("payouts", "run", "salaries.csv", "--yes", "--settle-within", "5")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DGSPAY_PAYOUTS_LEDGER", raising=False)
    return tmp_path


@contextmanager
def served() -> Iterator[tuple[Emulator, CommandLine]]:
    with Emulator(settle_after=0, balances=RICH, seed=3) as emulator, emulator.serve() as server:
        yield emulator, CommandLine(variables(emulator, server.url))


def in_folder(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str) -> Path:
    (folder / name).mkdir(exist_ok=True)
    monkeypatch.chdir(folder / name)
    return write_sheet(folder / name / "salaries.csv", 3)


@pytest.mark.acceptance(95, "reference-paid-elsewhere", 98, "same-sheet-next-month")
def test_the_same_sheet_in_another_folder_is_paid_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served() as (emulator, dgspay):
        in_folder(monkeypatch, folder, "Downloads")
        first = dgspay(*RUN)
        assert (first.code, "(new)" in first.out) == (0, True)
        assert f"Ledger: {ledger_of(folder)}" in first.out
        sheet = in_folder(monkeypatch, folder, "Documents")
        again = dgspay(*RUN)
        assert again.code == 6
        assert "Batch salaries was sent before, on " in again.err
        assert f"--period {time.strftime('%Y-%m')}" in again.err
        # Saved again, and under another name.
        sheet.write_bytes(sheet.read_bytes().replace(b"\r\n", b"\n"))
        assert dgspay(*RUN).code == 2
        sheet.rename("november.csv")
        refused = dgspay("payouts", "run", "november.csv", "--yes")
        assert refused.code == 1
        assert "batch 'salaries' has paid, or may have paid, 3 rows" in refused.err
        assert set(paid(emulator).values()) == {1}


@pytest.mark.acceptance(98, "same-sheet-next-month")
def test_a_check_never_approves_what_a_run_refuses(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = "Preflight passed. Nothing was sent."
    with served() as (emulator, dgspay):
        in_folder(monkeypatch, folder, "here")
        check = ("payouts", "check", "salaries.csv")
        assert good in dgspay(*check).out
        assert not (folder / "data").exists()
        emulator.faults.add("POST /disburse", Fault(), times=2)
        emulator.faults.fail_next("POST /disburse", error_code="91")
        assert dgspay(*RUN, "--concurrency", "1").code == 4
        going_on = dgspay(*check)
        assert good in going_on.out
        assert "batch salaries has begun, and a run goes on with what is left" in going_on.out
        assert dgspay(*RUN).code == 0
        again = dgspay(*check)
        assert (again.code, good in again.out) == (1, False)
        assert "batch salaries was sent before, on " in again.err
        in_folder(monkeypatch, folder, "there").rename("november.csv")
        refused = dgspay("payouts", "check", "november.csv")
        assert refused.code == 1
        assert "has paid, or may have paid, 3 rows" in refused.err
        for option in (("--period", "2026-12"), ("--period", "2026-12", "--repeat-days", "0")):
            said = dgspay("payouts", "check", "november.csv", *option)
            run = dgspay("payouts", "run", "november.csv", *option, "--yes", "--dry-run")
            assert said.code == run.code == int("--repeat-days" not in option)
        with SqliteLedger(ledger_of(folder)) as ledger:
            assert [batch.name for batch in ledger.batches()][:1] == ["salaries"]


@pytest.mark.acceptance(98, "same-sheet-next-month")
def test_every_command_finds_it_from_another_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served() as (_, dgspay):
        in_folder(monkeypatch, folder, "here")
        assert dgspay(*RUN).code == 0
        in_folder(monkeypatch, folder, "there")
        assert dgspay("payouts", "status", "salaries").code == 0
        assert "salary-3" in dgspay("payouts", "report", "salaries", "--format", "csv").out
        assert dgspay("payouts", "reconcile", "salaries").code == 0
        # The only one there is needs no account to be found.
        assert CommandLine({})("payouts", "status", "salaries").code == 0
    other = ledger_of(folder).with_name("sandbox-1.sqlite3")
    shutil.copy(ledger_of(folder), other)
    said = CommandLine({})("payouts", "status", "salaries")
    assert said.code == 2
    assert "Which ledger?" in said.err
    assert str(other) in said.err


def test_accounts_and_environments_have_ledgers_of_their_own(folder: Path) -> None:
    write_sheet(folder / "salaries.csv", 1)
    with served() as (_, dgspay):
        others = (
            dgspay,
            dgspay.having(DGSPAY_ACCOUNT_NUMBER="acc-emulator"),
            dgspay.having(DGSPAY_ACCOUNT_NUMBER="../../x"),
            dgspay.having(DGSPAY_ENVIRONMENT="sandbox"),
        )
        for account in others:
            account("payouts", "run", "salaries.csv", "--dry-run")
    found = sorted((folder / "data" / "dgspay" / "payouts").glob("*.sqlite3"))
    assert len(found) == len({path.name.lower() for path in found}) == 4
    assert all(re.fullmatch(r"[A-Za-z0-9.-]+", path.name) for path in found)


def test_an_older_ledger_beside_the_sheet_is_not_passed_over(folder: Path) -> None:
    older = write_old_ledger(folder / "dgspay-payouts.sqlite3", time.time())
    write_sheet(folder / "salaries.csv", 1)
    with served() as (emulator, dgspay):
        for command in (RUN, ("payouts", "status", "november"), ("payouts", "listen")):
            said = dgspay(*command)
            assert said.code == 2
            assert f"give --ledger {older}" in said.err
        assert not (folder / "data").exists()
        assert not emulator.executed
        assert dgspay(*RUN, "--ledger", str(older)).code == 0
        assert set(states(older, "salaries").values()) == {State.CONFIRMED}


class TestProduction:
    """A new ledger of real money is wanted expressly."""

    @pytest.fixture
    def dgspay(self) -> Iterator[CommandLine]:
        with served() as (_, dgspay):
            yield dgspay.having(
                DGSPAY_ENVIRONMENT="production",
                DGSPAY_API_KEY="sk_live_0123456789",
                DGSPAY_ACCOUNT_NUMBER="0123456789",
            )

    @pytest.mark.parametrize("place", [(), ("--ledger", "mistyped.sqlite3")])
    def test_none_begins_without_a_word(
        self, folder: Path, dgspay: CommandLine, place: tuple[str, ...]
    ) -> None:
        write_sheet(folder / "salaries.csv", 1)
        said = dgspay(*RUN, *place)
        assert said.code == 2
        assert "--new-ledger" in said.err
        assert "Nothing was sent" in said.err
        said = dgspay("payouts", "run", "salaries.csv", *place, answers="n\n")
        assert said.code == 1
        assert "Begin a new ledger?" in said.err
        assert [*folder.rglob("*.sqlite3")] == []

    def test_one_begins_that_is_wanted(self, folder: Path, dgspay: CommandLine) -> None:
        write_sheet(folder / "salaries.csv", 1)
        said = dgspay(*RUN, "--new-ledger")
        assert "(new)" in said.out
        assert ledger_of(folder).name == "production-0123456789.sqlite3"
        # Once it is there the question is not asked again.
        assert "--new-ledger" not in dgspay(*RUN).err

    def test_a_yes_begins_a_new_ledger(self, folder: Path, dgspay: CommandLine) -> None:
        write_sheet(folder / "salaries.csv", 1)
        dgspay("payouts", "run", "salaries.csv", answers="y\nn\n")
        with SqliteLedger(ledger_of(folder)) as ledger:
            assert not any(batch.started for batch in ledger.batches())

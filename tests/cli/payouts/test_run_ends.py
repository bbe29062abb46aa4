"""The end of a run: its exit code and last lines hide nothing from the person who goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from dgspay.cli.exit_codes import ExitCode
from dgspay.cli.payouts.display import exit_code
from dgspay.emulator import Emulator
from dgspay.emulator.faults.kinds import Fault
from dgspay.payouts import (
    AsyncPayouts,
    BatchBusyError,
    BatchChangedError,
    Counts,
    Pace,
    PreflightError,
    State,
    Summary,
)
from tests.cli.terminal import CommandLine, variables
from tests.support.sheet_factory import RICH, in_process, ledger_in, write_sheet


def leave_in_wallet(emulator: Emulator, rest: int) -> None:
    with emulator._engine.steering() as account:
        account.wallet.debit("RWF", account.wallet.available("RWF") - rest)


@pytest.mark.acceptance(102, "payroll-exit-codes")
@pytest.mark.parametrize(
    ("states", "stopped", "code"),
    [
        ([State.CONFIRMED], False, ExitCode.OK),
        ([State.CONFIRMED, State.ACCEPTED], True, ExitCode.OK),
        ([State.CONFIRMED, State.FAILED], False, ExitCode.NO),
        ([State.FAILED, State.NEW], False, ExitCode.NOT_SENT),
        ([State.FAILED, State.NEW], True, ExitCode.INTERRUPTED),
        ([State.FAILED, State.HELD], False, ExitCode.UNKNOWN),
        ([State.FAILED, State.HELD], True, ExitCode.UNKNOWN),
        ([State.ACCEPTED, State.IN_DOUBT], False, ExitCode.UNKNOWN),
        ([State.NEW, State.HELD], False, ExitCode.UNSENT_AND_UNKNOWN),
        ([State.NEW, State.HELD], True, ExitCode.UNSENT_AND_UNKNOWN),
        ([State.NEW, State.IN_DOUBT, State.FAILED], False, ExitCode.UNSENT_AND_UNKNOWN),
    ],
)
def test_the_exit_code_of_a_run_says_both_what_is_unsent_and_what_is_in_doubt(
    states: list[State], stopped: bool, code: ExitCode
) -> None:
    counts = Counts(dict.fromkeys(states, (1, 1000)))
    assert exit_code(Summary(batch="b", counts=counts, stopped=stopped)) is code


@pytest.mark.acceptance(102, "payroll-exit-codes")
def test_one_row_in_doubt_hides_not_that_others_are_unsent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_sheet(tmp_path / "s.csv", 20)
    command = ["payouts", "run", "s.csv", "--yes", "--concurrency", "1", "--settle-within", "1"]
    with Emulator(settle_after=0, balances=RICH, seed=3) as emulator, emulator.serve() as server:
        dgspay = CommandLine(variables(emulator, server.url))
        emulator.faults.lose_answer("POST /disburse")
        emulator.faults.fail_next("POST /disburse", error_code="91")
        both = dgspay(*command)
        assert both.code == 9
        assert "19 are still to be sent" in both.err
        assert "1 is held" in both.err
        assert dgspay("payouts", "status", "s").code == 9
        assert dgspay(*command).code == 5
        assert dgspay("payouts", "resolve", "s", "salary-1", "--paid", "--yes").code == 0
        # Nothing is wrong any more.
        assert dgspay("payouts", "status", "s").code == 0
        assert dgspay(*command).code == 6


def sent_three_of_six(emulator: Emulator) -> None:
    """Have the next run send three rows, and then be refused."""
    emulator.faults.add("POST /disburse", Fault(), times=3)
    emulator.faults.fail_next("POST /disburse", error_code="91")


@pytest.mark.acceptance(102, "payroll-exit-codes")
def test_a_wallet_that_is_short_does_not_hide_how_the_other_rows_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_sheet(tmp_path / "s.csv", 6)
    command = ["payouts", "run", "s.csv", "--yes", "--concurrency", "1"]
    with (
        Emulator(settle_after=None, balances=RICH, seed=3) as emulator,
        emulator.serve() as server,
    ):
        dgspay = CommandLine(variables(emulator, server.url))
        sent_three_of_six(emulator)
        assert dgspay(*command, "--settle-within", "0").code == 4
        emulator.settle()
        leave_in_wallet(emulator, 5)
        short = dgspay(*command, "--settle-within", "5")
    assert short.code == 4
    assert "the wallet holds 5 RWF" in short.err
    assert "This run sends nothing." in short.err
    assert "3 are still to be sent" in short.err
    assert "accepted" not in short.out
    assert "confirmed        3" in short.out


@pytest.mark.acceptance(102, "payroll-exit-codes")
@pytest.mark.anyio
async def test_the_api_looks_up_what_was_sent_before_it_refuses_to_send_more(
    tmp_path: Path,
) -> None:
    with in_process(settle_after=None) as (emulator, dgs), ledger_in(tmp_path) as ledger:
        payouts = AsyncPayouts(dgs, ledger)
        sheet = write_sheet(tmp_path / "s.csv", 6)
        sent_three_of_six(emulator)
        emulator.settle()
        first = await payouts.run(sheet, pace=Pace(concurrency=1), settle_within=5)
        # A run that pauses itself asks once how the others ended; these have not ended yet.
        assert (first.counts.count(State.ACCEPTED), first.unsent) == (3, 3)
        emulator.settle()
        leave_in_wallet(emulator, 5)
        with pytest.raises(PreflightError, match="the wallet holds 5 RWF"):
            await payouts.run(sheet, settle_within=5)
        assert ledger.counts("s").count(State.CONFIRMED) == 3


@pytest.mark.acceptance(102, "payroll-exit-codes")
@pytest.mark.anyio
async def test_a_run_that_pauses_itself_looks_up_what_it_has_sent(tmp_path: Path) -> None:
    with in_process(balances={"RWF": 1001 + 1002}) as (_, dgs), ledger_in(tmp_path) as ledger:
        payouts = AsyncPayouts(dgs, ledger)
        async with payouts.open(
            write_sheet(tmp_path / "s.csv", 6), pace=Pace(concurrency=1)
        ) as job:
            summary = await job.run(settle_within=5)
    assert summary.paused == "the wallet does not hold enough"
    assert (summary.counts.count(State.CONFIRMED), summary.unsent) == (2, 4)


@pytest.mark.acceptance(102, "payroll-exit-codes")
@pytest.mark.anyio
async def test_a_check_of_a_batch_that_has_begun_says_what_its_run_would(tmp_path: Path) -> None:
    heading = {"Net": "amount"}
    sheet = write_sheet(tmp_path / "s.csv", 6)
    sheet.write_text(sheet.read_text().replace("amount", "Net", 1))
    with in_process(settle_after=None) as (emulator, dgs), ledger_in(tmp_path) as ledger:
        payouts = AsyncPayouts(dgs, ledger)
        sent_three_of_six(emulator)
        await payouts.run(sheet, mapping=heading, pace=Pace(concurrency=1), settle_within=0)
        # The wallet need hold no more than what is left.
        leave_in_wallet(emulator, 1004 + 1005 + 1006)
        found = await payouts.check(sheet, mapping=heading)
        assert (found.problems, found.count, found.total) == ((), 3, 3015)
        assert found.remarks[0].endswith("a run goes on with what is left of it: 3 of 6")
        leave_in_wallet(emulator, 3014)
        (problem,) = (await payouts.check(sheet, mapping=heading)).problems
        assert problem == "the batch needs 3,015 RWF and the wallet holds 3,014 RWF"
        other = {"Net": "amount", "name": "narration"}
        with pytest.raises(BatchChangedError, match="another mapping"):
            await payouts.run(sheet, mapping=other)
        (problem, _) = (await payouts.check(sheet, mapping=other)).problems
        assert "began with another mapping" in problem
        with ledger.only_run("s"), pytest.raises(BatchBusyError):
            await payouts.check(sheet, mapping=heading)

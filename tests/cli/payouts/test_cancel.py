"""`dgspay payouts cancel`, `close` and `batches`, and whom `run` and `status` name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dgspay.emulator import Emulator
from tests.cli.terminal import PATIENCE, CommandLine, process, variables
from tests.support.crash_points import paid
from tests.support.sheet_factory import RICH, write_sheet


@pytest.fixture
def emulator() -> Iterator[tuple[Emulator, str]]:
    with (
        Emulator(settle_after=0, balances=RICH, seed=3) as emulator,
        emulator.serve() as server,
    ):
        yield emulator, server.url


@pytest.fixture
def dgspay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, emulator: tuple[Emulator, str]
) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DGSPAY_PAYOUTS_LEDGER", raising=False)
    write_sheet(tmp_path / "pay.csv", 4)
    return CommandLine(variables(*emulator))


@pytest.mark.acceptance(109, "cancelled-payee")
def test_a_payee_is_cancelled_and_reinstated_and_one_that_had_left_is_named(
    dgspay: CommandLine, emulator: tuple[Emulator, str]
) -> None:
    assert dgspay("payouts", "prepare", "pay.csv").code == 0
    said = dgspay("payouts", "cancel", "pay", "salary-2", "--note", "has left", "--yes")
    assert (said.code, "salary-2: cancelled" in said.out) == (0, True)
    assert dgspay("payouts", "run", "pay.csv", "--skip", "salary-3", "--yes").code == 0
    assert len(paid(emulator[0])) == 2
    said = dgspay("payouts", "cancel", "pay", "salary-1", "salary-2", "--yes")
    assert said.code == 6
    assert "Salary-1 had left before: it is confirmed" in said.err
    assert dgspay("payouts", "cancel", "pay", "salary-2", "--undo", "--yes").code == 0
    assert dgspay("payouts", "run", "pay.csv", "--yes").code == 0
    assert len(paid(emulator[0])) == 3
    assert "has left" in dgspay("payouts", "log", "pay").out


def test_a_batch_is_closed_and_listed(dgspay: CommandLine) -> None:
    dgspay("payouts", "prepare", "pay.csv")
    listed = dgspay("payouts", "batches")
    assert "prepared, 4 new" in listed.out
    said = dgspay("payouts", "close", "pay", "--note", "wrong month", "--yes")
    assert "4 payouts were cancelled" in said.out
    (batch,) = json.loads(dgspay("payouts", "batches", "--json").out)["batches"]
    assert (batch["closed"], batch["states"]["cancelled"]) == ("wrong month", 4)
    refused = dgspay("payouts", "run", "pay.csv", "--yes")
    assert refused.code == 1
    assert "wrong month" in refused.err


def test_run_and_status_name_those_who_failed(
    dgspay: CommandLine, emulator: tuple[Emulator, str]
) -> None:
    emulator[0].faults.fail_next("POST /disburse", error_code="90")
    said = dgspay("payouts", "run", "pay.csv", "--yes", "--concurrency", "1")
    assert said.code == 1
    assert "Failed, and not paid:" in said.err
    assert "salary-1  1,001 RWF  +250780000001  Person 1  failed" in said.err
    shown = dgspay("payouts", "status", "pay")
    assert "salary-1" in shown.out
    found = json.loads(dgspay("payouts", "status", "pay", "--json").out)
    assert [row["reference"] for row in found["failed"]] == ["salary-1"]


def test_a_healthy_run_shows_nothing_yellow_and_ends_with_0(
    dgspay: CommandLine, emulator: tuple[Emulator, str]
) -> None:
    coloured = {**dgspay.environ, "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    with process(
        *("payouts", "run", "pay.csv", "--fee", "100", "--yes"), environ=coloured
    ) as running:
        out, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 0, err
    assert "\x1b[" in out + err
    assert not re.search(r"\x1b\[([0-9]+;)*33m", out + err)

"""`dgspay payouts pause` and `resume`: what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from dgspay.emulator import Emulator
from tests.cli.terminal import CommandLine
from tests.support.crash_points import environ_of
from tests.support.sheet_factory import RICH, write_sheet


def test_pause_says_what_is_left_and_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DGSPAY_PAYOUTS_LEDGER", raising=False)
    write_sheet(tmp_path / "pay.csv", 4)
    with Emulator(settle_after=0, seed=1, balances=RICH) as emulator, emulator.serve() as server:
        dgspay = CommandLine(environ_of(emulator, server.url))
        assert dgspay("payouts", "prepare", "pay.csv").code == 0
        paused = dgspay("payouts", "pause", "pay", "--note", "wait")
        assert "Batch pay is paused; 4 payouts of it were not sent." in paused.out
        assert "  dgspay payouts resume pay" in paused.out
        again = dgspay("payouts", "pause", "pay", "--note", "wait")
        assert (again.code, "was paused by a person: wait" in again.err) == (2, True)
        assert dgspay("payouts", "pause", "pay").code == 2
        assert "paused by a person, prepared, 4 new" in dgspay("payouts", "batches").out
        assert dgspay("payouts", "resume", "pay").code == 0
        assert dgspay("payouts", "resume", "pay").code == 2
        assert dgspay("payouts", "run", "pay.csv", "--yes").code == 0

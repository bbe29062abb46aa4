"""`dgspay payouts log`: an auditor's questions, answered from the terminal."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from dgspay.payouts import Batch, Payout, SqliteLedger, Terms
from tests.cli.terminal import CommandLine


@pytest.fixture
def place(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.sqlite3"
    terms = Terms(environment="emulator", base_url="http://127.0.0.1", account_number="ACC")
    with SqliteLedger(path) as ledger:
        row = Payout(number=1, reference="r1", amount=1000, account="1")
        ledger.load(Batch(name="pay", digest="d", terms=terms), [row])
        ledger.start("pay")
        ledger.pause("pay", "the wallet is empty")
    return path


def test_the_log_is_shown_and_verified(place: Path) -> None:
    dgspay = CommandLine({"DGSPAY_PAYOUTS_LEDGER": str(place)})
    said = dgspay("payouts", "log")
    assert said.code == 0
    assert "confirm pay  by " in said.out
    assert "the wallet is empty" in said.out
    rows = json.loads(dgspay("payouts", "log", "pay", "--json").out)
    assert [row["action"] for row in rows] == ["confirm", "pause"]
    assert dgspay("payouts", "log", "--csv").out.count("\n") == 3
    said = dgspay("payouts", "log", "--verify")
    assert said.code == 0
    assert "as it was written: 2 lines" in said.out
    assert rows[-1]["hash"] in said.out
    assert dgspay("payouts", "log", "pay", "--verify").code == 2


@pytest.mark.acceptance(108, "log-tampered")
def test_a_changed_line_is_named(place: Path) -> None:
    with sqlite3.connect(place) as connection:
        connection.execute("DROP TRIGGER dgspay_payout_audit_log_update")
        connection.execute("UPDATE dgspay_payout_audit_log SET reason = 'x' WHERE number = 2")
    connection.close()
    said = CommandLine({"DGSPAY_PAYOUTS_LEDGER": str(place)})("payouts", "log", "--verify")
    assert said.code == 1
    assert said.err == "Line 2 was changed.\n"

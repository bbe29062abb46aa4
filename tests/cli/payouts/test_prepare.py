"""`payouts prepare` of a workbook: what is fixed is shown, and what was left out of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dgspay.emulator import Emulator
from tests.cli.terminal import CommandLine, variables
from tests.support.sheet_factory import RICH
from tests.support.workbook_factory import Rows, write_workbook

ROWS = [
    ("PAYROLL NOVEMBER 2026",),
    ("reference", "amount", "msisdn", "bank_key", "account_number"),
    ("1", 5000, "0788123456", None, None),
    ("2", 6000, None, "Bank of Kigali", "0012345678"),
    ("TOTAL", 11_000, None, None, None),
]
OPTIONS = ("--sheet", "Nov", "--bank", "Bank of Kigali=bk_rw")


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(settle_after=0, balances=RICH, seed=3) as emulator:
        yield emulator


@pytest.mark.acceptance(107, "approval-broken")
def test_a_sheet_of_a_workbook_is_prepared_and_only_that_is_paid(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openpyxl", reason="the extra excel is not installed")
    monkeypatch.chdir(tmp_path)
    sheets: dict[str, Rows] = {"Notes": [("x",)], "Nov": ROWS}
    write_workbook(Path("pay.xlsx"), sheets)
    with emulator.serve() as server:
        dgspay = CommandLine(variables(emulator, server.url))
        said = dgspay("payouts", "prepare", "pay.xlsx", *OPTIONS)
        assert said.code == 0, said.err
        assert "Batch pay-nov: 2 payouts, 11,000 RWF" in said.out
        assert "left out as a total, not paid: line 5 'TOTAL 11000'" in said.out
        write_workbook(Path("changed.xlsx"), {**sheets, "Nov": [*ROWS[:4], ("3", 1, "0788123457")]})
        other = dgspay("payouts", "run", "changed.xlsx", *OPTIONS, "--batch", "pay-nov", "--yes")
        assert other.code == 2
        assert not emulator.executed
        assert dgspay("payouts", "run", "pay.xlsx", *OPTIONS, "--yes").code == 0
        assert sorted(str(call.amount) for call in emulator.executed) == ["5000", "6000"]

"""`payouts results`: a sheet given back with what became of it, and the failed ones to correct."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from dgspay.emulator import Emulator
from tests.cli.terminal import CommandLine, variables
from tests.support.sheet_factory import RICH
from tests.support.workbook_factory import write_workbook

HEADINGS = ("Matricule", "Noms", "Net pay", "Phone", "Bank", "Account No")
MAP = (
    *("--map", "Matricule=reference", "--map", "Noms=name", "--map", "Net pay=amount"),
    *("--map", "Phone=msisdn", "--map", "Bank=bank_key", "--map", "Account No=account_number"),
)
STAFF = [
    ("PAYROLL NOVEMBER 2026",),
    HEADINGS,
    ("007", "Uwimana Jeanne", 150_000, "0788123456", None, None),
    (8, "Habimana Éric", 160_000, "0738123457", None, None),
    ("E-009", "Mukamana Béatrice", 170_000, None, "bk_rw", "00040123456789"),
    ("TOTAL", None, 480_000, None, None, None),
]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DGSPAY_PAYOUTS_LEDGER", raising=False)


@attrs.frozen
class Office:
    """An emulator, and a command line that pays through it."""

    emulator: Emulator
    dgspay: CommandLine

    def run(self, file: str, *options: str) -> int:
        said = self.dgspay("payouts", "run", file, *MAP, *options, "--yes", "--concurrency", "1")
        return said.code

    def paid(self) -> Counter[str]:
        return Counter(str(call.amount) for call in self.emulator.executed)


@pytest.fixture
def office() -> Iterator[Office]:
    pytest.importorskip("openpyxl", reason="the extra excel is not installed")
    with Emulator(settle_after=0, balances=RICH, seed=3) as emulator, emulator.serve() as server:
        yield Office(emulator, CommandLine(variables(emulator, server.url)))


def cells_of(path: str) -> list[list[Any]]:
    import openpyxl

    (table,) = openpyxl.load_workbook(path).worksheets
    return [[cell.value for cell in row] for row in table.iter_rows()]


def test_the_same_workbook_comes_back_with_what_became_of_each_row(office: Office) -> None:
    write_workbook(Path("pay.xlsx"), STAFF)
    office.emulator.faults.fail_next("POST /disburse", error_code="90")
    assert office.run("pay.xlsx") == 1
    said = office.dgspay("payouts", "results", "pay.xlsx", *MAP, "--out", "results.xlsx")
    assert (said.code, said.out) == (0, "3 rows written to results.xlsx.\n")
    title, headings, *rows, total = cells_of("results.xlsx")
    assert title[0] == "PAYROLL NOVEMBER 2026"
    assert headings == [*HEADINGS, "Result", "DGS-Pay reference", "Fee (RWF)", "Why"]
    assert [row[:6] for row in rows] == [list(cells) for cells in STAFF[2:5]]
    assert [row[6] for row in rows] == ["failed, not paid", "paid", "paid"]
    assert rows[0][9]
    assert all(row[7] and isinstance(row[8], int) for row in rows[1:])
    assert total[6:] == [None] * 4
    again = office.dgspay("payouts", "results", "pay.xlsx", *MAP, "--out", "results.xlsx")
    assert again.code == 2
    assert "is not written over" in again.err


@pytest.mark.acceptance(55, "edited-sheet")
def test_the_failed_ones_are_corrected_in_a_sheet_of_their_own_and_paid_once(
    office: Office,
) -> None:
    import openpyxl

    write_workbook(Path("pay.xlsx"), STAFF)
    office.emulator.faults.fail_next("POST /disburse", error_code="90")
    office.emulator.faults.lose_answer("POST /disburse", times=1)
    office.run("pay.xlsx")
    out = ("--only-failed", "--out", "failed.xlsx")
    said = office.dgspay("payouts", "results", "pay.xlsx", *MAP, *out)
    assert said.code == 0, said.err
    headings, row = cells_of("failed.xlsx")
    assert headings[:6] == [*HEADINGS]
    assert row[:7] == [*STAFF[2], "failed, not paid"]
    before = office.paid()
    book = openpyxl.load_workbook("failed.xlsx")
    book.worksheets[0]["D2"] = "0788123999"
    book.save("failed.xlsx")
    assert office.run("failed.xlsx") == 0
    assert office.paid() - before == Counter(["150000"])
    assert {*office.paid().values()} == {1}
    nothing = office.dgspay(
        "payouts", "results", "failed.xlsx", *MAP, "--only-failed", "-o", "none.xlsx"
    )
    assert nothing.out == "No payout of it failed, and nothing was written.\n"
    assert not Path("none.xlsx").exists()


def test_another_sheet_or_another_mapping_gets_no_results(office: Office) -> None:
    write_workbook(Path("pay.xlsx"), STAFF)
    assert office.run("pay.xlsx") == 0
    other = [*STAFF[:4], (*STAFF[4][:2], 1_700_000, *STAFF[4][3:])]
    write_workbook(Path("other.xlsx"), other)
    options = (*MAP, "--batch", "pay", "--out", "results.xlsx")
    said = office.dgspay("payouts", "results", "other.xlsx", *options)
    assert said.code == 2
    assert "is not the sheet that batch 'pay' was read from" in said.err
    otherwise = [option.replace("Noms=name", "Noms=narration") for option in options]
    said = office.dgspay("payouts", "results", "pay.xlsx", *otherwise)
    assert said.code == 2
    assert "with another --map or --bank" in said.err
    assert not Path("results.xlsx").exists()


# --- the same sheet in another format --------------------------------------------------------


def as_csv(path: Path) -> None:
    lines = [",".join("" if cell is None else str(cell) for cell in cells) for cells in STAFF[1:]]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.acceptance(55, "edited-sheet")
@pytest.mark.parametrize("first", [".csv", ".xlsx", ".ods", ".xls"])
@pytest.mark.parametrize("second", [".csv", ".xlsx", ".ods", ".xls"])
def test_a_sheet_saved_in_another_format_pays_nobody_twice(
    office: Office, first: str, second: str
) -> None:
    for name, suffix in (("pay", first), ("again", second)):
        path = Path(f"{name}{suffix}")
        as_csv(path) if suffix == ".csv" else write_workbook(path, STAFF)
    assert office.run(f"pay{first}") == 0
    said = office.dgspay("payouts", "check", f"again{second}", *MAP)
    assert said.code == 1
    assert "batch 'pay' has paid, or may have paid, 3 rows" in said.err
    assert office.run(f"again{second}") == 1
    # Under the name of the first, which has other bytes.
    if first != second:
        Path(f"again{second}").rename(f"pay{second}")
        assert office.run(f"pay{second}") in (2, 6)
    assert office.paid() == Counter({"150000": 1, "160000": 1, "170000": 1})


@pytest.mark.acceptance(55, "edited-sheet")
def test_a_workbook_that_was_saved_again_goes_on_and_one_that_was_changed_does_not(
    office: Office,
) -> None:
    import openpyxl

    path = write_workbook(Path("pay.xlsx"), STAFF)
    office.emulator.faults.fail_next("POST /disburse", error_code="91")  # pauses the run
    assert office.run("pay.xlsx") == 4
    book = openpyxl.load_workbook(path)
    book.worksheets[0]["C3"].number_format = "#,##0"
    book.save(path)
    book.worksheets[0]["C4"] = 165_000
    book.save("changed.xlsx")
    assert office.run("changed.xlsx", "--batch", "pay") == 2
    assert office.run("pay.xlsx") == 0
    assert office.paid() == Counter({"150000": 1, "160000": 1, "170000": 1})


@pytest.mark.acceptance(55, "edited-sheet")
def test_another_sheet_of_the_workbook_is_another_batch(office: Office) -> None:
    october = [("reference", "amount", "msisdn"), ("o-1", 1000, "0788000001")]
    november = [("reference", "amount", "msisdn"), ("n-1", 2000, "0788000001")]
    write_workbook(Path("2026.xlsx"), {"Oct": october, "Nov": november})
    for sheet, code in (("Oct", 0), ("Nov", 0), ("nov", 6)):
        said = office.dgspay("payouts", "run", "2026.xlsx", "--sheet", sheet, "--yes")
        assert said.code == code, said.err
    wrong = office.dgspay("payouts", "run", "2026.xlsx", "--sheet", "Nov", "--batch", "2026-oct")
    assert wrong.code == 2
    assert office.paid() == Counter({"1000": 1, "2000": 1})

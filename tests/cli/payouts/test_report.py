"""`dgspay payouts report`: a sheet that can be read again, and payslips."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.cli.terminal import CommandLine
from tests.support.sheet_factory import write_sheet


def paid(dgspay: CommandLine, folder: Path) -> CommandLine:
    sheet = write_sheet(folder / "s.csv", 3)
    dgspay = dgspay.having(DGSPAY_PAYOUTS_LEDGER=str(folder / "ledger.sqlite3"))
    said = dgspay("payouts", "run", str(sheet), "--yes")
    assert said.code == 0, said.err
    return dgspay


def test_the_csv_of_a_report_is_a_sheet_that_check_reads(
    dgspay: CommandLine, tmp_path: Path
) -> None:
    dgspay = paid(dgspay, tmp_path)
    report = tmp_path / "report.csv"
    assert dgspay("payouts", "report", "s", "--out", str(report)).code == 0
    said = dgspay("payouts", "check", str(report), "--offline")
    assert said.code == 0, said.err
    assert "3" in said.out
    # It asks for what was paid: nothing of it is sent again.
    said = dgspay("payouts", "run", str(report), "--yes")
    assert (said.code, "Nothing was sent." in said.err) == (1, True)
    assert "batch 's' has paid, or may have paid, 3 rows" in said.err


def test_payslips_go_to_a_file_of_their_own_beside_the_report(
    dgspay: CommandLine, tmp_path: Path
) -> None:
    dgspay = paid(dgspay, tmp_path)
    slips, page = tmp_path / "slips.csv", tmp_path / "page.html"
    said = dgspay("payouts", "report", "s", "--payslips", str(slips), "--out", str(page))
    assert said.err == f"Written to {slips}\nWritten to {page}\n"
    with slips.open(encoding="utf-8-sig", newline="") as file:
        assert [row["arrived"] for row in csv.DictReader(file)] == ["901", "902", "903"]
    # Alone, it writes nothing to stdout.
    assert dgspay("payouts", "report", "s", "--payslips", str(slips)).out == ""


def test_the_sheet_of_the_batch_is_never_the_place_of_a_report(
    dgspay: CommandLine, tmp_path: Path
) -> None:
    dgspay = paid(dgspay, tmp_path)
    before = (tmp_path / "s.csv").read_bytes()
    for option in ("--out", "--payslips"):
        said = dgspay("payouts", "report", "s", option, str(tmp_path / "s.csv"))
        assert (said.code, (tmp_path / "s.csv").read_bytes()) == (2, before)
        assert "Nothing was written" in said.err

"""`dgspay books`: a month, with `--help` alone, and its exit codes."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from dgspay.books import Period
from dgspay.books.period import day_of
from dgspay.emulator import Emulator
from tests.cli.terminal import CommandLine
from tests.support.sheet_factory import write_sheet

OPENING = ("--opening", "RWF=1000000", "--opening", "USD=1000")


@pytest.fixture
def period(emulator: Emulator) -> str:
    """Days around now, whatever midnight does to the test."""
    now = emulator.clock.time()
    return f"{day_of(now - 86_400)}..{day_of(now + 86_400)}"


@pytest.fixture
def dgspay(dgspay: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    write_sheet(tmp_path / "s.csv", 3)
    return dgspay


def test_the_books_of_a_payroll_and_a_charge_agree_with_the_wallet(
    dgspay: CommandLine, emulator: Emulator, period: str, tmp_path: Path
) -> None:
    assert dgspay("payouts", "run", "s.csv", "--yes").code == 0
    emulator.generate(4, seed=1)
    (tmp_path / "accounts.toml").write_text('wallet = "1010 Wallet"\npayouts = "6400 Salaries"\n')
    files = ("--out", "books.csv", "--journal", "journal.csv", "--accounts", "accounts.toml")
    said = dgspay("books", period, *OPENING, *files)
    assert said.code == 0, said.out + said.err
    assert "The books and the wallet agree." in said.out
    assert "Note: DGS-Pay's list has no disbursements" in said.out
    assert said.err == "Written to books.csv\nWritten to journal.csv\n"
    with Path("journal.csv").open(encoding="utf-8-sig", newline="") as file:
        accounts = {row["account"] for row in csv.DictReader(file)}
    assert {"1010 Wallet", "6400 Salaries", "Sales"} <= accounts
    said = dgspay("books", period, *OPENING, "--out", "books.csv")
    assert (said.code, "books.csv is there" in said.err) == (2, True)
    said = dgspay("books", period, *OPENING, "--out", "books.xlsx")
    assert said.code == 0, said.err
    assert Path("books.xlsx").read_bytes().startswith(b"PK")


def test_a_difference_is_named_and_the_exit_code_says_so(dgspay: CommandLine, period: str) -> None:
    assert dgspay("payouts", "run", "s.csv", "--yes", "--ledger", "other.sqlite3").code == 0
    said = dgspay("books", period, *OPENING)
    assert said.code == 1
    assert "Differs: RWF: the wallet holds 3,006 RWF less than the books." in said.err
    assert "agree" not in said.out
    assert dgspay("books", period, *OPENING, "--ledger", "other.sqlite3").code == 0
    own = dgspay.having(DGSPAY_PAYOUTS_LEDGER="other.sqlite3")
    assert own("books", period, *OPENING).code == 0


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("november",), "a period looks like 2026-11"),
        (("2026-11", "--opening", "RWF"), "--opening must look like RWF=1000000"),
        (("2026-11", "--opening", "RWF=-1"), "opening must be a plain number"),
        (("2026-11", "--ledger", "none.sqlite3"), "There is no ledger at"),
        (("2026-11", "--orders", "none.sqlite3"), "There are no orders at"),
        (("2026-11", "--also", "none.csv"), "none.csv cannot be read"),
        (("2026-11", "--accounts", "none.toml"), "none.toml cannot be read"),
        (("2026-11", "--api-timezone", "Mars/Base"), "--api-timezone must be a zone"),
        (("2026-11", "--out", "books.pdf"), "must end in .csv or .xlsx"),
        (("2026-11", "--journal", "journal.xlsx"), "The journal is a .csv"),
    ],
)
def test_what_cannot_be_right_is_said_and_nothing_is_written(
    dgspay: CommandLine, tmp_path: Path, arguments: tuple[str, ...], fault: str
) -> None:
    before = {path.name for path in tmp_path.iterdir()}
    said = dgspay("books", *arguments)
    assert (said.code, fault in said.err) == (2, True), said.err
    assert {path.name for path in tmp_path.iterdir()} == before


def test_a_month_without_anything_is_an_empty_one(dgspay: CommandLine) -> None:
    said = dgspay("books", "2024-02", *OPENING)
    assert (said.code, said.err) == (0, ""), said.out
    assert str(Period.parse("2024-02")) in said.out

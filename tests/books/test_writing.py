"""Files of the books: they add up for who opens them, and no text in them is a formula."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path

import pytest

from dgspay.books import Accounts, Statement, write_journal, write_statement, write_workbook
from dgspay.books.writing import JOURNAL_COLUMNS, STATEMENT_COLUMNS
from tests.books.conftest import Business, salaries


@pytest.fixture
def statement(business: Business) -> Statement:
    business.sell("A-1", 5_000)
    business.sell("=cmd()", 1_001)
    business.charge_card("25.50", "USD")
    business.convert(10)
    rows = salaries(2)
    rows[0]["name"] = "=HYPERLINK(1)"
    rows[0]["reference"] = "@s"
    business.pay("salaries", rows)
    return business.books()


def rows_of(written: io.StringIO) -> list[dict[str, str]]:
    text = written.getvalue()
    assert text.startswith("\ufeff")
    return [*csv.DictReader(io.StringIO(text[1:]))]


def test_the_statement_runs_from_opening_to_closing(
    statement: Statement, business: Business
) -> None:
    written = io.StringIO()
    write_statement(statement, written)
    rows = rows_of(written)
    assert tuple(rows[0]) == STATEMENT_COLUMNS
    for currency in ("RWF", "USD"):
        ours = [row for row in rows if row["currency"] == currency]
        assert (ours[0]["kind"], ours[-1]["kind"]) == ("opening", "closing")
        balance = Decimal(ours[0]["balance"])
        for row in ours[1:-1]:
            balance += Decimal(row["wallet"])
            assert Decimal(row["balance"]) == balance
        assert Decimal(ours[-1]["balance"]) == balance == business.emulator.balance(currency)
    charge = next(row for row in rows if row["text"].endswith("order A-1"))
    assert (charge["amount"], charge["fee"], charge["wallet"]) == ("5000", "150", "4850")
    assert (charge["date"], charge["time"]) == ("2026-11-01", "00:10:00")
    assert any(row["text"].startswith("'@s =HYPERLINK") for row in rows)


def test_the_journal_balances_for_who_adds_its_columns_up(statement: Statement) -> None:
    written = io.StringIO()
    write_journal(statement, Accounts(), written)
    rows = rows_of(written)
    assert tuple(rows[0]) == JOURNAL_COLUMNS
    for currency in ("RWF", "USD"):
        ours = [row for row in rows if row["currency"] == currency]
        debits, credits_ = (
            sum(Decimal(row[side] or 0) for row in ours) for side in ("debit", "credit")
        )
        assert debits == credits_ > 0


def test_the_workbook_has_numbers_as_numbers_and_no_formula(
    statement: Statement, tmp_path: Path
) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is not installed")
    path = tmp_path / "books.xlsx"
    write_workbook(statement, Accounts(), path)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Summary", "Movements", "Journal"]
    for sheet in book:
        assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    summary = {row[0]: row for row in book["Summary"].iter_rows(values_only=True) if row[0]}
    assert summary["Difference"][1] == 0
    movements = [*book["Movements"].iter_rows(values_only=True)]
    assert movements[0] == STATEMENT_COLUMNS
    paid = next(row for row in movements if str(row[4]).startswith("@s"))
    assert (paid[2], paid[6], paid[7], paid[8]) == ("payout", -30_001, 100, -30_001)
    journal = [*book["Journal"].iter_rows(min_row=2, values_only=True)]
    assert sum(row[3] or 0 for row in journal) == pytest.approx(sum(row[4] or 0 for row in journal))
    with pytest.raises(FileExistsError):
        write_workbook(statement, Accounts(), path)

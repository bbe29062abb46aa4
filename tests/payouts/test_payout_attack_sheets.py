"""Sheets as they come on a Friday evening: separators, the same rows once more, another mapping."""

from __future__ import annotations

from pathlib import Path

import pytest

from dgspay.payouts import check_rows

from .sheets import payments, write_sheet


def sheet_of(folder: Path, amount: str) -> Path:
    row = {**next(payments(1)), "amount": amount}
    return write_sheet(folder / "salaries.csv", [row])


@pytest.mark.acceptance(6)
@pytest.mark.parametrize("amount", ["10.000", "1.000.000", "250.000"])
def test_a_thousands_separator_is_no_decimal_point(tmp_path: Path, amount: str) -> None:
    """Everybody would have got a thousandth of the salary, where all are whole thousands."""
    survey = check_rows(sheet_of(tmp_path, amount))
    (fault,) = survey.faults
    assert fault.column == "amount"
    assert amount not in fault.message.replace("10.000 is", "")


@pytest.mark.parametrize("amount", ["10000", "10000.0", "10000.00", "10000.000"])
def test_a_fraction_of_zeros_is_whole(tmp_path: Path, amount: str) -> None:
    survey = check_rows(sheet_of(tmp_path, amount))
    assert (survey.fault_count, survey.total) == (0, 10_000)

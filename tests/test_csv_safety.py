"""Cells of a CSV file: formulas are disarmed, and numbers stay as they are."""

from __future__ import annotations

import io
from decimal import Decimal

import attrs
import pytest

from dgspay.cli.output import write_csv
from dgspay.csv_safety import safe_cell

FORMULAS = [
    "=1+1", "+1+1", "-1+2", "@SUM(A1)", "|calc", "%0A=1", "  =1+1", "\t=1", "\u00a0=1",
    "\uff1d1+1", "\uff0b1+1", "\uff0d1+2", "\uff20SUM(A1)", "+250 788 123 456", "-", "+",
    "+\u0661", "-1\n",
]  # fmt: skip
HARMLESS = ["", "Uwimana", "a=b", "+250788123456", "-94", "0788123456", "'=1", "1+1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_text_that_could_be_a_formula_gets_an_apostrophe(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_and_whole_numbers_are_left_alone(text: str) -> None:
    assert safe_cell(text) == text


@attrs.frozen
class _Row:
    account: str
    name: str
    amount: Decimal


def test_the_command_line_guards_what_the_report_of_payouts_guards(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_csv([_Row("+250788123456", "\uff1d1+1", Decimal(-5))], ("account", "name", "amount"))
    (_, row) = io.StringIO(capsys.readouterr().out)
    assert row == "+250788123456,'\uff1d1+1,-5\n"

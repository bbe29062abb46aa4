"""Models as JSON and CSV: amounts stay exact, and no text acts as a formula."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal

import pytest

from dgspay.cli.output import csv_cell, json_text
from dgspay.emulator import Emulator
from tests.cli.terminal import CommandLine


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1+1", "-1+2", "@SUM(A1)", "\t=1+1", "\r=1", " =1+1", "|calc", "%0A=1", "\n-1"],
)
def test_no_text_of_a_csv_is_a_formula(text: str) -> None:
    cell = csv_cell(text)
    assert cell.startswith(("'", "\\"))
    assert cell.isprintable()


def test_amounts_of_a_csv_stay_numbers() -> None:
    assert csv_cell(Decimal("-94.50")) == "-94.50"
    assert csv_cell(Decimal("2E+3")) == "2000"


def test_a_csv_survives_hostile_text(dgspay: CommandLine, emulator: Emulator) -> None:
    listed = {"id": "1", "status": "success", "narration": '=cmd|"/C calc"!A0,\nx', "amount": 1}
    body = json.dumps({"status": "success", "data": [listed]}).encode()
    emulator.faults.answer_next("GET /transactions", body=body)
    (row,) = csv.DictReader(io.StringIO(dgspay("transactions", "list", "--csv").out))
    assert row["narration"] == '\'=cmd|"/C calc"!A0,\\nx'
    assert row["amount"] == "1"


def test_json_escapes_what_a_terminal_would_obey() -> None:
    assert json.loads(json_text({"a": "\U000e0001\x7f"})) == {"a": "\U000e0001\x7f"}

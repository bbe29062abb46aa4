"""`dgspay balance`: a table, JSON and CSV, exact to the digit."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal

from dgspay.emulator import Emulator
from tests.cli.terminal import CommandLine

HOSTILE = "\x1b[31m\u009b2J\u202e[bold]x[/bold] :smile: \x07"


def test_balance_is_a_table_in_the_writing_of_each_currency(dgspay: CommandLine) -> None:
    said = dgspay("balance")
    assert (said.code, said.err) == (0, "")
    assert [line.split() for line in said.out.splitlines()] == [
        ["currency", "available", "pending", "total"],
        ["USD", "1,000.00", "0.00", "1,000.00"],
        ["RWF", "1,000,000", "0", "1,000,000"],
    ]


def test_balance_as_json_keeps_every_digit(dgspay: CommandLine, emulator: Emulator) -> None:
    body = (
        b'{"status": "success", "balances": [{"currency": "EUR",'
        b' "available_balance": 94.500000000000000001, "total_balance": "500.00"}]}'
    )
    emulator.faults.answer_next("GET /balance", body=body)
    said = dgspay("balance", "--json")
    shown = json.loads(said.out, parse_float=Decimal)["balances"][0]
    assert shown["available_balance"] == Decimal("94.500000000000000001")
    assert shown["total_balance"] == 500
    assert shown["pending_balance"] is None


def test_an_error_of_the_server_cannot_steer_the_terminal(
    dgspay: CommandLine, emulator: Emulator
) -> None:
    body = json.dumps({"status": "failed", "error_code": "92", "message": HOSTILE}).encode()
    emulator.faults.answer_next("GET /balance", body=body)
    said = dgspay("balance")
    assert said.code == 3
    assert said.err.replace("\n", "").isprintable()


def test_balance_as_csv_is_exact_and_excludes_json(dgspay: CommandLine, emulator: Emulator) -> None:
    wallet = list(csv.DictReader(io.StringIO(dgspay("balance", "--csv").out)))
    available = {row["currency"]: Decimal(row["available_balance"]) for row in wallet}
    assert available["RWF"] == emulator.balance("RWF")
    assert dgspay("balance", "--csv", "--json").code == 2

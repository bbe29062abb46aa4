"""`dgspay banks`: what can be paid to, and text that cannot steer a terminal."""

from __future__ import annotations

import csv
import io
import json

from dgspay.emulator import Emulator
from tests.cli.terminal import CommandLine

HOSTILE = "\x1b[31m\u009b2J\u202e[bold]x[/bold] :smile: \x07"


def test_banks_are_listed_with_their_keys(dgspay: CommandLine) -> None:
    assert "Banque de Kigali" in dgspay("banks").out
    assert {bank["bank_key"] for bank in json.loads(dgspay("banks", "rw", "--json").out)} >= {
        "bk_rw",
        "mtn_rw",
    }


def test_a_country_that_dgs_pay_does_not_serve_is_refused(dgspay: CommandLine) -> None:
    said = dgspay("banks", "FR")
    assert (said.code, said.out) == (3, "")
    assert "92" in said.err


def test_an_argument_the_library_refuses_is_usage(dgspay: CommandLine) -> None:
    said = dgspay("banks", "Rwanda")
    assert said.code == 2
    assert "two letters" in said.err
    assert "Nothing was sent" in said.err


def test_what_a_server_sends_cannot_steer_the_terminal(
    dgspay: CommandLine, emulator: Emulator
) -> None:
    body = json.dumps({"status": "success", "data": [{"bank_key": "k", "name": HOSTILE}]}).encode()
    emulator.faults.answer_next("GET /banks/{country}", body=body, times=2)
    table, as_json = dgspay("banks").out, dgspay("banks", "--json").out
    for text in (table, as_json):
        assert text.replace("\n", "").isprintable()
        assert "[bold]x[/bold] :smile:" in text
    assert r"\x1b[31m\x9b2J" in table
    assert json.loads(as_json)[0]["name"] == HOSTILE


def test_banks_as_csv_have_a_header_and_exclude_json(dgspay: CommandLine) -> None:
    listed = list(csv.DictReader(io.StringIO(dgspay("banks", "--csv").out)))
    assert {"bank_key": "bk_rw", "type": "bank"}.items() <= listed[0].items()
    assert dgspay("banks", "--csv", "--json").code == 2

"""Balance, banks and transactions: tables, JSON and CSV, exact and harmless."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal

import pytest

from dgspay import DGSPay
from dgspay.cli.output import csv_cell, json_text
from dgspay.cli.terminal import figure, visible
from dgspay.emulator import Emulator
from tests.cli.terminal import CommandLine

HOSTILE = "\x1b[31m\u009b2J\u202e[bold]x[/bold] :smile: \x07"


def rows(count: int) -> bytes:
    listed = [
        {"id": f"id-{n}", "dgs_reference": f"dgs_{n}", "amount": 1000 + n, "currency": "RWF",
         "status": "success", "payment_method_type": "card", "created_at": "2026-04-03 11:00:00"}
        for n in range(count)
    ]  # fmt: skip
    return json.dumps({"status": "success", "data": listed}).encode()


def pay_a_link(emulator: Emulator, base_url: str, times: int) -> None:
    with DGSPay(
        api_key=emulator.api_key,
        account_number=emulator.account_number,
        environment="emulator",
        base_url=base_url,
    ) as dgs:
        link = dgs.payment_links.create(title="T", amount_type="fixed", amount=500)
    for _ in range(times):
        emulator.pay_link(link.id)


def test_balance_as_a_table(dgspay: CommandLine) -> None:
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


def test_banks(dgspay: CommandLine) -> None:
    assert "Banque de Kigali" in dgspay("banks").out
    assert {bank["bank_key"] for bank in json.loads(dgspay("banks", "rw", "--json").out)} >= {
        "bk_rw",
        "mtn_rw",
    }


def test_the_wallet_and_the_banks_as_csv(dgspay: CommandLine, emulator: Emulator) -> None:
    wallet = list(csv.DictReader(io.StringIO(dgspay("balance", "--csv").out)))
    available = {row["currency"]: Decimal(row["available_balance"]) for row in wallet}
    assert available["RWF"] == emulator.balance("RWF")
    listed = list(csv.DictReader(io.StringIO(dgspay("banks", "--csv").out)))
    assert {"bank_key": "bk_rw", "type": "bank"}.items() <= listed[0].items()
    for command in ("balance", "banks"):
        assert dgspay(command, "--csv", "--json").code == 2


def test_a_country_nobody_serves_is_refused_by_dgs_pay(dgspay: CommandLine) -> None:
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


def test_an_error_of_the_server_cannot_either(dgspay: CommandLine, emulator: Emulator) -> None:
    body = json.dumps({"status": "failed", "error_code": "92", "message": HOSTILE}).encode()
    emulator.faults.answer_next("GET /balance", body=body)
    said = dgspay("balance")
    assert said.code == 3
    assert said.err.replace("\n", "").isprintable()


def test_transactions_in_each_form(dgspay: CommandLine, emulator: Emulator, base_url: str) -> None:
    pay_a_link(emulator, base_url, 3)
    references = [payment.dgs_reference for payment in reversed(emulator.transactions)]
    table = dgspay("transactions", "list")
    assert [line.split()[2] for line in table.out.splitlines()[1:]] == references
    listed = json.loads(dgspay("transactions", "list", "--json").out)
    assert [row["dgs_reference"] for row in listed] == references
    assert listed[0]["amount"] == 500
    assert listed[0]["extra"] == {}
    read = list(csv.DictReader(io.StringIO(dgspay("transactions", "list", "--csv").out)))
    assert [row["dgs_reference"] for row in read] == references
    assert (read[0]["amount"], read[0]["status"]) == ("500", "successful")


def test_pages_are_walked_and_no_more_than_asked_for(
    dgspay: CommandLine, emulator: Emulator, base_url: str
) -> None:
    pay_a_link(emulator, base_url, 5)

    def fetched() -> int:
        return sum(a.operation == "GET /transactions" for a in emulator.requests)

    all_rows = json.loads(dgspay("transactions", "list", "--limit", "2", "--json").out)
    assert (len(all_rows), fetched()) == (5, 3)
    some = json.loads(
        dgspay("transactions", "list", "--limit", "2", "--limit-rows", "3", "--json").out
    )
    assert some == all_rows[:3]
    assert fetched() == 5
    second = dgspay("transactions", "list", "--limit", "2", "--page", "2", "--limit-rows", "2")
    assert all_rows[2]["dgs_reference"] in second.out
    assert second.out.count("dgs_") == 2


def test_every_filter_reaches_dgs_pay(dgspay: CommandLine, emulator: Emulator) -> None:
    said = dgspay(
        "transactions", "list", "--status", "success", "--payment-link-id", "link-1",
        "--dgs-reference", "dgs_1", "--flw-reference", "flw_1",
    )  # fmt: skip
    assert (said.code, said.err) == (0, "There are none.\n")
    query = emulator.requests[-1].query
    for part in ("status=success", "payment_link_id=link-1", "dgs_reference=dgs_1"):
        assert part in query
    assert "flw_reference=flw_1" in query


def test_a_wrong_filter_is_usage(dgspay: CommandLine) -> None:
    assert dgspay("transactions", "list", "--status", "paid?").code == 2
    assert dgspay("transactions", "list", "--json", "--csv").code == 2
    assert dgspay("transactions", "list", "--limit", "1000").code == 2


def test_a_listing_that_breaks_off_cannot_pass_for_a_whole_one(
    dgspay: CommandLine, emulator: Emulator, base_url: str
) -> None:
    pay_a_link(emulator, base_url, 3)
    first = {"status": "success", "pagination": {"page": 1, "pages": 2}}
    first["data"] = json.loads(rows(2))["data"]
    emulator.faults.answer_next("GET /transactions", body=json.dumps(first).encode())
    emulator.faults.fail_next("GET /transactions", error_code="91")
    said = dgspay("transactions", "list", "--json")
    assert said.code == 3
    assert said.out.count('"dgs_reference"') == 2
    with pytest.raises(json.JSONDecodeError):
        json.loads(said.out)


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1+1", "\r=1", " =1+1", "|calc", "%0A=1", "\n-1"],
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


def test_show_one_transaction(dgspay: CommandLine, emulator: Emulator, base_url: str) -> None:
    pay_a_link(emulator, base_url, 1)
    reference = emulator.transactions[0].dgs_reference
    assert json.loads(dgspay("transactions", "show", reference, "--json").out)["amount"] == 500
    text = dgspay("transactions", "show", reference).out
    assert reference in text
    assert "successful" in text
    assert dgspay("transactions", "show", "dgs_0").code == 3
    assert dgspay("transactions", "show", "../balance").code == 2


def test_text_is_made_visible_and_nothing_else() -> None:
    assert visible("Uwimana é 世界 ✓") == "Uwimana é 世界 ✓"
    assert visible("a\u202fb") == "a b"
    assert visible("\ud800") == r"\ud800"
    assert json.loads(json_text({"a": "\U000e0001\x7f"})) == {"a": "\U000e0001\x7f"}


def test_figures_lose_no_digit() -> None:
    assert figure(Decimal(1_000_000)) == "1,000,000"
    assert figure(Decimal("500.00")) == "500"
    assert figure(Decimal("500.5")) == "500.50"
    assert figure(Decimal("0.945001"), "EUR") == "0.945001"
    assert figure(Decimal("1E+3"), "USD") == "1,000.00"

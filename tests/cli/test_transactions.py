"""`dgspay transactions`: tables, JSON and CSV, page by page."""

from __future__ import annotations

import csv
import io
import json

import pytest

from dgspay import DGSPay
from dgspay.emulator import Emulator
from tests.cli.terminal import CommandLine


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

    all_rows = json.loads(dgspay("transactions", "list", "--page-size", "2", "--json").out)
    assert (len(all_rows), fetched()) == (5, 3)
    some = json.loads(
        dgspay("transactions", "list", "--page-size", "2", "--limit", "3", "--json").out
    )
    assert some == all_rows[:3]
    assert fetched() == 5
    second = dgspay("transactions", "list", "--page-size", "2", "--page", "2", "--limit", "2")
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
    assert dgspay("transactions", "list", "--page-size", "1000").code == 2


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


def test_a_transaction_is_shown_by_its_reference(
    dgspay: CommandLine, emulator: Emulator, base_url: str
) -> None:
    pay_a_link(emulator, base_url, 1)
    reference = emulator.transactions[0].dgs_reference
    assert json.loads(dgspay("transactions", "show", reference, "--json").out)["amount"] == 500
    text = dgspay("transactions", "show", reference).out
    assert reference in text
    assert "successful" in text
    assert dgspay("transactions", "show", "dgs_0").code == 3
    assert dgspay("transactions", "show", "../balance").code == 2

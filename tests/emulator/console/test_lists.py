"""The console's lists: searched, filtered and counted by the server, and saved as CSV."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from dgspay.emulator import Emulator
from dgspay.emulator.console.lists import LISTS
from tests.emulator.emulator_calls import (
    CONVERT,
    LINK,
    MOBILE_MONEY,
    PATIENCE,
    TO_BANK,
    TO_HANDSET,
)


@pytest.fixture
def console(emulator: Emulator) -> Iterator[httpx.Client]:
    with (
        emulator.serve() as served,
        httpx.Client(
            base_url=f"{served.origin}/_emulator", trust_env=False, timeout=PATIENCE
        ) as client,
    ):
        yield client


def listed(console: httpx.Client, name: str, **query: str | int) -> Any:
    answer = console.get("/state", params={"list": name, **query})
    assert answer.status_code == 200, answer.text
    return answer.json()["list"]


def test_a_list_goes_past_the_newest_fifty(console: httpx.Client, emulator: Emulator) -> None:
    emulator.generate(180)
    references = [payment.dgs_reference for payment in reversed(emulator.transactions)]
    for count in (50, 150, 1000):
        shown = listed(console, "transactions", count=count)
        assert [row["reference"] for row in shown["rows"]] == references[:count]
        assert (shown["found"], shown["total"]) == (180, 180)
    for wrong in ("0", "1001", "-1", "many", "\u00b2"):
        refused = console.get("/state", params={"list": "transactions", "count": wrong})
        assert refused.status_code == 400
    assert console.get("/state?list=nothing").status_code == 404


def test_counts_follow_the_search_and_chips_the_status(
    console: httpx.Client, emulator: Emulator
) -> None:
    emulator.generate(500)
    found = [p for p in emulator.transactions if p.payer.first_name == "Jean"]
    failed = [p for p in found if p.status == "failed"]
    shown = listed(console, "transactions", search="JEAN")
    assert shown["found"] == len(found)
    assert shown["statuses"]["failed"] == len(failed)
    narrowed = listed(console, "transactions", search="jean", status="failed")
    assert {row["reference"] for row in narrowed["rows"]} == {p.dgs_reference for p in failed}
    assert narrowed["statuses"] == shown["statuses"]


def test_every_list_is_found_by_what_it_shows(
    console: httpx.Client, client: httpx.Client, emulator: Emulator
) -> None:
    link = client.post("/payment-links", json=LINK).json()["link"]
    payouts = [client.post("/disburse", json=b).json() for b in (TO_BANK, TO_HANDSET)]
    client.post("/convert", json=CONVERT)
    charge = client.post("/charges", json=MOBILE_MONEY).json()["dgs_reference"]
    emulator.approve(charge)
    searches = {
        "requests": ["/convert", "POST"],
        "transactions": [charge, "doe 0789654321", "invoice #5678"],
        "links": ["invoice-123", "Invoice #123", link["id"], "50000 rwf"],
        "payouts": [payouts[0]["dgs_reference"], "kcb_rw 1234567890", "Vendor", "john"],
        "conversions": ["usd eur", "100"],
        "webhooks": [charge, "payment.success"],
    }
    assert searches.keys() == LISTS.keys()
    for name, search in itertools.chain(*([(n, s) for s in all_] for n, all_ in searches.items())):
        assert listed(console, name, search=search)["rows"], (name, search)
        assert listed(console, name, search=f"{search} nobody")["rows"] == [], (name, search)


def test_a_saved_list_has_all_that_is_found_and_runs_no_formula(
    console: httpx.Client, client: httpx.Client, emulator: Emulator
) -> None:
    emulator.generate(1_200)
    evil = {**MOBILE_MONEY, "customer_first_name": '=HYPERLINK("http://evil")', "narration": "-1+1"}
    client.post("/charges", json=evil)
    answer = console.get("/lists/transactions.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["dgs_reference"] for row in rows] == [
        payment.dgs_reference for payment in emulator.transactions
    ]
    assert rows[-1]["customer_first_name"] == '\'=HYPERLINK("http://evil")'
    assert (rows[-1]["narration"], rows[-1]["amount"]) == ("'-1+1", "2000")
    failed = console.get("/lists/transactions.csv?status=failed").text.splitlines()
    assert len(failed) - 1 == sum(p.status == "failed" for p in emulator.transactions)
    assert console.get("/lists/conversions.csv").text.count("\n") == 1
    assert console.get("/lists/requests.csv").status_code == 404

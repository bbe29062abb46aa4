"""The transaction list and single look-ups."""

from __future__ import annotations

import httpx
import pytest

from dgspay.emulator import Emulator, VirtualClock
from tests.emulator.emulator_calls import MOBILE_MONEY, card_charge


def charged(client: httpx.Client, count: int) -> list[str]:
    return [
        client.post("/charges", json=MOBILE_MONEY).json()["dgs_reference"] for _ in range(count)
    ]


def listed(client: httpx.Client, **filters: object) -> list[str]:
    answer = client.get("/transactions", params={k: str(v) for k, v in filters.items()})
    assert answer.status_code == 200, answer.text
    return [row["dgs_reference"] for row in answer.json()["data"]]


def test_a_row_and_the_pagination_have_the_guides_fields(client: httpx.Client) -> None:
    (reference,) = charged(client, 1)
    body = client.get("/transactions").json()
    assert body == {
        "status": "success",
        "data": [
            {
                "id": body["data"][0]["id"],
                "dgs_reference": reference,
                "amount": 2000,
                "currency": "RWF",
                "status": "pending",
                "payment_method_type": "mobile_money",
                "created_at": "2026-04-03 10:00:00",
            }
        ],
        "pagination": {"page": 1, "limit": 20, "total": 1, "pages": 1},
    }


def test_pages_are_newest_first_and_end(client: httpx.Client) -> None:
    newest_first = charged(client, 5)[::-1]
    assert listed(client, limit=2, page=1) == newest_first[:2]
    assert listed(client, limit=2, page=3) == newest_first[4:]
    assert listed(client, limit=2, page=4) == []
    assert listed(client, page=999999999) == []
    pages = client.get("/transactions?limit=2").json()["pagination"]
    assert pages == {"page": 1, "limit": 2, "total": 5, "pages": 3}


def test_nothing_has_no_pages(client: httpx.Client) -> None:
    assert client.get("/transactions").json() == {
        "status": "success",
        "data": [],
        "pagination": {"page": 1, "limit": 20, "total": 0, "pages": 0},
    }


def test_filters_can_be_combined(
    client: httpx.Client, emulator: Emulator, clock: VirtualClock
) -> None:
    first, second, third = charged(client, 3)
    emulator.approve(first)
    emulator.decline(second)
    assert listed(client, status="success") == [first]
    assert listed(client, status="failed") == [second]
    assert listed(client, status="pending") == [third]
    assert listed(client, dgs_reference=second) == [second]
    assert listed(client, dgs_reference=second, status="success") == []
    assert listed(client, flw_reference=emulator.transactions[2].flw_reference) == [third]
    assert listed(client, flw_reference=third) == []


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=-1", "page=x", "page=", "page=1.5", "page=²", "limit=101", "limit=0"],
)
def test_a_page_that_cannot_be_is_refused(client: httpx.Client, query: str) -> None:
    answer = client.get(f"/transactions?{query}")
    assert (answer.status_code, answer.json()["error_code"]) == (400, "90")
    assert query.partition("=")[0] in answer.json()["message"]


def test_an_unknown_status_is_refused(client: httpx.Client) -> None:
    answer = client.get("/transactions?status=successful")
    assert (answer.status_code, answer.json()["error_code"]) == (400, "90")


def test_a_transaction_is_found_by_any_of_its_names(
    client: httpx.Client, emulator: Emulator
) -> None:
    client.post("/charges", json=card_charge(emulator))
    payment = emulator.transactions[0]
    answers = {
        client.get(f"/transactions/{name}").text
        for name in (payment.id, payment.transaction_id, payment.dgs_reference)
    }
    (only,) = answers
    assert '"card_brand":"visa","card_last4":"9010"' in only


@pytest.mark.parametrize("name", ["nowhere", "%2e%2e", "a%2Fb", "a%00b", "..%2Fbalance"])
def test_what_is_not_there_is_not_found(client: httpx.Client, name: str) -> None:
    answer = client.get(f"/transactions/{name}")
    assert (answer.status_code, answer.json()["error_code"]) == (404, "92")
    assert answer.json()["message"] == "transaction not found"

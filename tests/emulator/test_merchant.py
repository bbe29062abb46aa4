"""Two merchants under one roof: neither sees, moves or blocks what is the other's."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from dgspay.emulator import Emulator, VirtualClock
from dgspay.emulator.merchant import Merchant
from dgspay.emulator.routes import API_OPERATIONS
from tests.emulator.emulator_calls import LINK, MOBILE_MONEY, TO_BANK, card_charge

PIN_CARD = "4000000000003055"


@pytest.fixture
def emulator(clock: VirtualClock) -> Iterator[Emulator]:
    with Emulator(clock=clock, merchants=["shop-2"], settle_after=None) as emulator:
        yield emulator


def keys(merchant: Merchant) -> dict[str, str]:
    return {
        "X-DGS-API-Key": merchant.api_key,
        "X-DGS-ACCOUNT-NUMBER": merchant.account_number,
    }


@pytest.fixture
def first(emulator: Emulator) -> Iterator[httpx.Client]:
    with emulator.http_client() as client:
        client.headers.update(keys(emulator))
        yield client


@pytest.fixture
def second(emulator: Emulator) -> Iterator[httpx.Client]:
    with emulator.http_client() as client:
        client.headers.update(keys(emulator.merchant("shop-2")))
        yield client


@pytest.mark.parametrize("operation", API_OPERATIONS)
def test_a_key_opens_no_account_but_its_own(emulator: Emulator, operation: str) -> None:
    method, path = operation.split(" ")
    other = emulator.merchant("shop-2")
    for key, number in (
        (emulator.api_key, other.account_number),
        (other.api_key, emulator.account_number),
    ):
        with emulator.http_client() as client:
            headers = {"X-DGS-API-Key": key, "X-DGS-ACCOUNT-NUMBER": number}
            answer = client.request(method, path.replace("{", "").replace("}", ""), headers=headers)
        assert (answer.status_code, answer.json()["error_code"]) == (401, "91")
    assert emulator.executed == other.executed == ()


def test_what_one_has_the_other_cannot_find_or_change(
    emulator: Emulator, first: httpx.Client, second: httpx.Client
) -> None:
    link = second.post("/payment-links", json=LINK).json()["link"]
    charge = second.post("/charges", json=card_charge(emulator.merchant("shop-2"), PIN_CARD)).json()
    transfer = second.post("/disburse", json=TO_BANK).json()
    done = emulator.merchant("shop-2").executed
    avs = {"auth_type": "avs", "avs_line1": "x", "avs_country": "RW"}
    for answer in (
        first.get(f"/payment-links/{link['id']}"),
        first.get(f"/payment-links/{link['slug']}"),
        first.patch(f"/payment-links/{link['id']}", json={"title": "mine"}),
        first.delete(f"/payment-links/{link['id']}"),
        first.get(f"/transactions/{charge['dgs_reference']}"),
        first.get(f"/transactions/{charge['transaction_id']}"),
        first.get(f"/transactions/{transfer['dgs_reference']}"),
        first.post("/authorize", json={**avs, "dgs_reference": charge["dgs_reference"]}),
    ):
        assert (answer.status_code, answer.json()["error_code"]) == (404, "92")
    for query in ("", f"payment_link_id={link['id']}", f"dgs_reference={charge['dgs_reference']}"):
        assert first.get(f"/transactions?{query}").json()["data"] == []
    assert first.get("/payment-links").json()["data"] == []
    # Its page is for everyone, so its address is taken.
    assert first.post("/payment-links", json={**LINK, "slug": link["slug"]}).status_code == 400
    assert emulator.executed == ()
    assert emulator.merchant("shop-2").executed == done
    assert emulator.balance("RWF") == emulator.merchant("shop-2").balance("RWF") + TO_BANK["amount"]


@pytest.mark.acceptance(47, "idempotent-replay")
def test_the_same_idempotency_key_is_each_ones_own(
    emulator: Emulator, first: httpx.Client, second: httpx.Client
) -> None:
    headers = {"Idempotency-Key": "order-1"}
    mine = first.post("/charges", json=MOBILE_MONEY, headers=headers)
    theirs = second.post("/charges", json={**MOBILE_MONEY, "amount": 3000}, headers=headers)
    assert (mine.status_code, theirs.status_code) == (200, 200)
    assert mine.json()["dgs_reference"] != theirs.json()["dgs_reference"]
    assert first.post("/charges", json=MOBILE_MONEY, headers=headers).content == mine.content
    assert len(emulator.executed) == len(emulator.merchant("shop-2").executed) == 1
    # Each deed keeps the route's name, of which there is one.
    assert emulator.executed[0].operation is emulator.merchant("shop-2").executed[0].operation


def test_a_card_sealed_for_one_is_of_no_use_to_the_other(
    emulator: Emulator, first: httpx.Client
) -> None:
    sealed = card_charge(emulator.merchant("shop-2"))
    answer = first.post("/charges", json=sealed)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "90")
    assert emulator.executed == ()

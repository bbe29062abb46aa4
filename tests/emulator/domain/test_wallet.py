"""Balances and conversions: money moves exactly as far as the answers say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from dgspay.emulator import Emulator, VirtualClock
from tests.emulator.emulator_calls import CONVERT, credentials


@pytest.fixture
def wallet(clock: VirtualClock) -> Iterator[tuple[Emulator, httpx.Client]]:
    with (
        Emulator(clock=clock, balances={"USD": 150, "RWF": "5000"}) as emulator,
        emulator.http_client() as client,
    ):
        client.headers.update(credentials(emulator))
        yield emulator, client


def balances(client: httpx.Client) -> dict[str, tuple[Any, Any, Any]]:
    return {
        row["currency"]: (
            row["available_balance"],
            row["pending_balance"],
            row["total_balance"],
        )
        for row in client.get("/balance").json()["balances"]
    }


def test_the_balance_has_the_guides_fields(wallet: tuple[Emulator, httpx.Client]) -> None:
    _, client = wallet
    body = client.get("/balance").json()
    assert body == {
        "status": "success",
        "error_code": "00",
        "merchant_id": body["merchant_id"],
        "balances": [
            {
                "currency": "USD",
                "pending_balance": 0,
                "available_balance": 150,
                "total_balance": 150,
            },
            {
                "currency": "RWF",
                "pending_balance": 0,
                "available_balance": 5000,
                "total_balance": 5000,
            },
        ],
    }


def test_a_preview_is_the_guides_and_moves_nothing(
    wallet: tuple[Emulator, httpx.Client],
) -> None:
    emulator, client = wallet
    answer = client.post("/convert", json={**CONVERT, "action": "preview"})
    assert answer.json() == {
        "status": "success",
        "message": "Conversion preview — no funds moved",
        "from_currency": "USD",
        "from_amount": 100,
        "to_currency": "EUR",
        "to_amount": 94.5,
        "rate": 0.945,
        "rate_display": "1 USD = 0.9450 EUR",
        "fee": 0,
    }
    assert b'"to_amount":94.50,"rate":0.945000' in answer.content
    assert emulator.executed == ()
    assert emulator.balance("USD") == 150


def test_a_conversion_is_the_guides_and_arrives(
    wallet: tuple[Emulator, httpx.Client], clock: VirtualClock
) -> None:
    emulator, client = wallet
    body = client.post("/convert", json=CONVERT).json()
    reference = body["dgs_conversion_ref"]
    assert body == {
        "status": "success",
        "message": "Conversion initiated. EUR balance will be credited shortly.",
        "dgs_conversion_ref": reference,
        "conversion_status": "processing",
        "from_currency": "USD",
        "from_amount": 100,
        "to_currency": "EUR",
        "to_amount": 94.5,
        "rate": 0.945,
        "fee": 0,
    }
    assert balances(client)["USD"] == (50, 0, 50)
    assert balances(client)["EUR"] == (0, 94.5, 94.5)
    clock.advance(2)
    assert balances(client)["EUR"] == (94.5, 0, 94.5)
    assert json.loads(emulator.webhooks.deliveries[0].body) == {
        "event": "conversion.success",
        "dgs_reference": reference,
        "status": "success",
        "from_currency": "USD",
        "from_amount": 100,
        "to_currency": "EUR",
        "to_amount": 94.5,
        "rate": 0.945,
        "rate_display": "1 USD = 0.9450 EUR",
    }


def test_a_failed_conversion_is_refunded_and_emits_its_event(
    wallet: tuple[Emulator, httpx.Client],
) -> None:
    emulator, client = wallet
    reference = client.post("/convert", json=CONVERT).json()["dgs_conversion_ref"]
    emulator.decline(reference, "Insufficient balance")
    assert balances(client) == {"USD": (150, 0, 150), "RWF": (5000, 0, 5000), "EUR": (0, 0, 0)}
    assert json.loads(emulator.webhooks.deliveries[0].body) == {
        "event": "conversion.failed",
        "dgs_reference": reference,
        "status": "failed",
        "from_currency": "USD",
        "from_amount": 100,
        "to_currency": "EUR",
        "fail_reason": "Insufficient balance",
        "refund_amount": 100,
        "refund_currency": "USD",
    }


def test_a_conversion_of_more_than_there_is_is_refused_as_in_the_guide(
    wallet: tuple[Emulator, httpx.Client],
) -> None:
    emulator, client = wallet
    answer = client.post("/convert", json={**CONVERT, "from_amount": 150.01})
    assert answer.status_code == 400
    assert answer.json() == {
        "status": "failed",
        "message": "Insufficient USD balance",
        "error_code": "VALIDATION_ERROR",
        "available_balance": 150,
        "required": 150.01,
        "currency": "USD",
    }
    assert emulator.conversions == ()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"action": "do"}, "action"),
        ({"from_currency": "XXX"}, "from_currency"),
        ({"to_currency": None}, "to_currency"),
        ({"to_currency": "USD"}, "to_currency"),
        ({"from_amount": 0}, "from_amount"),
        ({"from_amount": 0.001}, "from_amount"),
    ],
)
def test_a_wrong_field_is_refused_by_name(
    client: httpx.Client, changes: dict[str, Any], named: str
) -> None:
    answer = client.post("/convert", json={**CONVERT, **changes})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "90")
    assert named in answer.json()["message"]


@pytest.mark.parametrize("balances", [{"RWF": -1}, {"R": 1}, {"RWF": "NaN"}])
def test_a_wallet_that_cannot_be_is_refused(balances: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"balance|currency"):
        Emulator(balances=balances)


def test_an_empty_purse_may_be_opened() -> None:
    with Emulator(balances={"RWF": 0}) as emulator:
        assert emulator.balance("RWF") == 0
        assert emulator.balance("USD") == 0

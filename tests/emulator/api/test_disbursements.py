"""Disbursements and banks: validation, the fee, how transfers end, and the wallet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from dgspay.emulator import Emulator, VirtualClock
from tests.emulator.emulator_calls import TO_BANK, TO_HANDSET, credentials


def disbursed(client: httpx.Client, request: dict[str, Any], **changes: Any) -> dict[str, Any]:
    answer = client.post("/disburse", json={**request, **changes})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.fixture
def poor(clock: VirtualClock) -> Iterator[tuple[Emulator, httpx.Client]]:
    with (
        Emulator(clock=clock, balances={"RWF": 5000}) as emulator,
        emulator.http_client() as client,
    ):
        client.headers.update(credentials(emulator))
        yield emulator, client


def test_a_transfer_is_queued_and_the_wallet_pays_the_gross(
    client: httpx.Client, emulator: Emulator
) -> None:
    before = emulator.balance("RWF")
    body = disbursed(client, TO_BANK)
    assert body == {
        "status": "success",
        "message": "Disbursement queued for processing",
        "dgs_reference": body["dgs_reference"],
        "transaction_status": "pending",
        "amount": 10000,
        "fee": 100,
        "recipient_gets": 9900,
        "currency": "RWF",
        "destination_type": "bank",
    }
    assert emulator.balance("RWF") == before - 10000


def test_the_success_event_is_the_one_of_the_guide(
    client: httpx.Client, emulator: Emulator, clock: VirtualClock
) -> None:
    reference = disbursed(client, TO_BANK)["dgs_reference"]
    clock.advance(2)
    payload = json.loads(emulator.webhooks.deliveries[0].body)
    assert payload == {
        "event": "disbursement.success",
        "dgs_reference": reference,
        "flw_transfer_id": emulator.disbursements[0].flw_transfer_id,
        "status": "success",
        "amount": 10000,
        "fee": 100,
        "recipient_gets": 9900,
        "currency": "RWF",
        "destination_type": "bank",
        "recipient": {
            "account_number": "1234567890",
            "bank_key": "kcb_rw",
            "name": "John Doe",
        },
        "proof": emulator.disbursements[0].proof,
    }
    assert payload["proof"].startswith("FLW-PROOF-")


@pytest.mark.parametrize(
    ("scenario", "reason"),
    [
        ("insufficient_balance", "Insufficient balance"),
        ("invalid_currency", "Invalid currency"),
    ],
)
def test_the_failure_event_is_the_one_of_the_guide_and_refunds(
    client: httpx.Client, emulator: Emulator, clock: VirtualClock, scenario: str, reason: str
) -> None:
    before = emulator.balance("RWF")
    reference = disbursed(client, TO_HANDSET, scenario_key=f"scenario:{scenario}")["dgs_reference"]
    assert emulator.balance("RWF") == before - 5000
    clock.advance(2)
    assert emulator.balance("RWF") == before
    assert json.loads(emulator.webhooks.deliveries[0].body) == {
        "event": "disbursement.failed",
        "dgs_reference": reference,
        "flw_transfer_id": emulator.disbursements[0].flw_transfer_id,
        "status": "failed",
        "amount": 5000,
        "fee": 100,
        "recipient_gets": 4900,
        "currency": "RWF",
        "destination_type": "mobile_money",
        "fail_reason": reason,
    }


def test_a_transfer_is_found_under_its_reference(
    client: httpx.Client, emulator: Emulator, clock: VirtualClock
) -> None:
    reference = disbursed(client, TO_HANDSET)["dgs_reference"]
    clock.advance(2)
    found = client.get(f"/transactions/{reference}").json()["data"]
    assert (found["dgs_reference"], found["status"], found["fee"]) == (reference, "success", 100)
    assert client.get("/transactions").json()["data"] == []


def test_transfers_may_be_hidden_and_left_pending(clock: VirtualClock) -> None:
    with (
        Emulator(clock=clock, settle_transfers=False, transfers_in_lookup=False) as emulator,
        emulator.http_client() as client,
    ):
        client.headers.update(credentials(emulator))
        plain = disbursed(client, TO_BANK)["dgs_reference"]
        disbursed(client, TO_BANK, scenario_key="scenario:successful")
        clock.advance(2)
        assert [transfer.status for transfer in emulator.disbursements] == [
            "pending",
            "successful",
        ]
        assert client.get(f"/transactions/{plain}").status_code == 404
        emulator.decline(plain, "Invalid account details")
        assert emulator.webhooks.deliveries[-1].event == "disbursement.failed"


def test_more_than_the_wallet_holds_is_refused_in_the_guides_form(
    poor: tuple[Emulator, httpx.Client],
) -> None:
    emulator, client = poor
    answer = client.post("/disburse", json=TO_BANK)
    assert answer.status_code == 400
    assert answer.json() == {
        "status": "failed",
        "message": "Insufficient RWF balance",
        "error_code": "VALIDATION_ERROR",
        "available_balance": 5000,
        "required": 10000,
        "currency": "RWF",
    }
    assert (emulator.disbursements, emulator.executed) == ((), ())
    assert emulator.balance("RWF") == 5000


def test_the_last_franc_can_be_sent(poor: tuple[Emulator, httpx.Client]) -> None:
    emulator, client = poor
    disbursed(client, TO_HANDSET)
    assert emulator.balance("RWF") == 0


def bank(**changes: Any) -> dict[str, Any]:
    recipient: dict[str, Any] = {**TO_BANK["recipient"], **changes}
    return {"recipient": recipient}


def handset(**changes: Any) -> dict[str, Any]:
    recipient: dict[str, Any] = {**TO_HANDSET["recipient"], **changes}
    return {"destination_type": "mobile_money", "recipient": recipient}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"amount": 100}, "amount"),
        ({"amount": None}, "amount"),
        ({"destination_type": "cash"}, "destination_type"),
        ({"recipient": None}, "recipient"),
        ({"recipient": "1234567890"}, "recipient"),
        (bank(bank_key=None), "recipient.bank_key"),
        (bank(bank_key="mtn_rw"), "recipient.bank_key"),
        (bank(account_number=None), "recipient.account_number"),
        (bank(account_number=1234567890), "recipient.account_number"),
        (bank(bank_key="bpr_rw", branch=None), "recipient.branch"),
        (handset(msisdn="788123456"), "recipient.msisdn"),
        (handset(msisdn="+254788123456"), "recipient.msisdn"),
        (handset(network="Vodacom"), "recipient.network"),
        (handset(country="KE"), "recipient.country"),
        (handset(country=None), "recipient.country"),
        ({"callback_url": "mailto:a@b.c"}, "callback_url"),
        ({"scenario_key": "scenario:auth_pin"}, "scenario_key"),
    ],
)
def test_a_wrong_field_is_refused_by_name(
    client: httpx.Client, emulator: Emulator, changes: dict[str, Any], named: str
) -> None:
    before = emulator.balance("RWF")
    answer = client.post("/disburse", json={**TO_BANK, **changes})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "90")
    assert named in answer.json()["message"]
    assert (emulator.executed, emulator.balance("RWF")) == ((), before)


@pytest.mark.parametrize("msisdn", ["0788123456", "+250788123456", "250788123456"])
def test_both_forms_of_a_number_are_accepted(
    client: httpx.Client, emulator: Emulator, msisdn: str
) -> None:
    disbursed(client, TO_HANDSET, **handset(msisdn=msisdn))
    assert emulator.executed[0].recipient == msisdn


def test_banks_are_listed_as_in_the_guide(client: httpx.Client) -> None:
    body = client.get("/banks/RW").json()
    assert (body["status"], body["country"]) == ("success", "RW")
    rows = {row["bank_key"]: row for row in body["data"]}
    assert rows["bk_rw"] == {
        "bank_key": "bk_rw",
        "name": "Banque de Kigali",
        "type": "bank",
        "code": "40",
        "currency": "RWF",
        "branch_required": 0,
    }
    assert rows["mtn_rw"] == {
        "bank_key": "mtn_rw",
        "name": "MTN Mobile Money",
        "type": "mobile_money",
        "network": "MTN",
        "currency": "RWF",
        "branch_required": 0,
    }
    assert [key for key, row in rows.items() if row["branch_required"]] == ["bpr_rw"]
    assert client.get("/banks/XX").json()["error_code"] == "92"

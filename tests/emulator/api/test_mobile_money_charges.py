"""Mobile-money charges: the guide's three answers, scenarios, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest

from dgspay.emulator import Emulator, VirtualClock
from tests.emulator.emulator_calls import MOBILE_MONEY, credentials


def test_the_guides_example_is_answered_with_exactly_its_fields(client: httpx.Client) -> None:
    answer = client.post("/charges", json=MOBILE_MONEY)
    assert answer.status_code == 200
    body = answer.json()
    number = body["transaction_id"]
    assert body == {
        "status": "success",
        "message": "Charge initiated",
        "transaction_id": number,
        "dgs_reference": f"dgs_{number}",
        "amount": 2000,
        "currency": "RWF",
        "transaction_status": "pending",
        "payment_method_type": "mobile_money",
        "next_action_type": "redirect_url",
        "next_action_redirect_url": f"http://127.0.0.1/generation/authorize/dgs_{number}",
        "display_text": "Complete payment on your mobile device",
    }


def test_a_charge_settles_after_its_delay_and_credits_the_wallet(
    emulator: Emulator, client: httpx.Client, clock: VirtualClock
) -> None:
    before = emulator.balance("RWF")
    reference = client.post("/charges", json=MOBILE_MONEY).json()["dgs_reference"]
    clock.advance(1.9)
    assert client.get(f"/transactions/{reference}").json()["data"]["status"] == "pending"
    clock.advance(0.1)
    details = client.get(f"/transactions/{reference}").json()["data"]
    assert (details["status"], details["merchant_fee"], details["net_amount"]) == (
        "success",
        60,
        1940,
    )
    assert emulator.balance("RWF") == before + 1940


def test_with_no_delay_the_next_look_shows_it_settled(clock: VirtualClock) -> None:
    with Emulator(clock=clock, settle_after=0) as emulator, emulator.http_client() as client:
        client.headers.update(credentials(emulator))
        charge = client.post("/charges", json=MOBILE_MONEY).json()
        assert charge["transaction_status"] == "pending"
        found = client.get(f"/transactions/{charge['transaction_id']}").json()
        assert found["data"]["status"] == "success"


def test_without_a_delay_only_a_person_settles(clock: VirtualClock) -> None:
    with Emulator(clock=clock, settle_after=None) as emulator, emulator.http_client() as client:
        client.headers.update(credentials(emulator))
        first, second = (
            client.post("/charges", json=MOBILE_MONEY).json()["dgs_reference"] for _ in range(2)
        )
        clock.advance(10**6)
        assert [payment.status for payment in emulator.transactions] == ["pending"] * 2
        emulator.approve(first)
        emulator.decline(second, "Customer rejected the request")
        assert [payment.status for payment in emulator.transactions] == ["successful", "failed"]
        shown = client.get(f"/transactions/{second}").json()["data"]
        assert shown["processor_response"] == "Customer rejected the request"
        with pytest.raises(ValueError, match="ended already"):
            emulator.approve(second)
        with pytest.raises(LookupError):
            emulator.approve("dgs_0")


def test_auth_pin_is_approved_at_once_with_the_guides_second_answer(
    client: httpx.Client,
) -> None:
    body = client.post(
        "/charges", json={**MOBILE_MONEY, "scenario_key": "scenario:auth_pin"}
    ).json()
    number = body["transaction_id"]
    assert body == {
        "status": "success",
        "message": "Payment completed",
        "transaction_id": number,
        "dgs_reference": f"dgs_{number}",
        "amount": 2000,
        "currency": "RWF",
        "transaction_status": "successful",
        "payment_method_type": "mobile_money",
        "mobile_money_network": "MTN",
        "mobile_money_phone": "789654321",
        "mobile_money_country_code": "250",
    }


def test_a_magic_phone_is_declined_with_the_guides_third_answer(client: httpx.Client) -> None:
    answer = client.post("/charges", json={**MOBILE_MONEY, "mobile_money_phone": "789000001"})
    assert answer.status_code == 200
    body = answer.json()
    number = body["transaction_id"]
    assert body == {
        "status": "failed",
        "message": "Charge failed",
        "transaction_id": number,
        "dgs_reference": f"dgs_{number}",
        "amount": 2000,
        "currency": "RWF",
        "transaction_status": "failed",
        "payment_method_type": "mobile_money",
        "issuer_response_type": "declined",
        "issuer_response_code": "05",
        "processor_response": "Insufficient funds",
    }


@pytest.mark.parametrize(
    ("phone", "status", "reason"),
    [
        ("729000002", "failed", "Insufficient funds"),
        ("789000003", "failed", "Customer rejected the request"),
        ("789000004", "pending", None),
    ],
)
def test_magic_phones_end_later_or_never(
    client: httpx.Client, clock: VirtualClock, phone: str, status: str, reason: str | None
) -> None:
    charge = client.post("/charges", json={**MOBILE_MONEY, "mobile_money_phone": phone}).json()
    assert charge["transaction_status"] == "pending"
    clock.advance(2)
    shown = client.get(f"/transactions/{charge['dgs_reference']}").json()["data"]
    assert (shown["status"], shown.get("processor_response")) == (status, reason)


def test_auth_redirect_waits_until_its_page_decides(
    emulator: Emulator, client: httpx.Client, clock: VirtualClock
) -> None:
    charge = client.post(
        "/charges", json={**MOBILE_MONEY, "scenario_key": "scenario:auth_redirect"}
    ).json()
    assert charge["next_action_type"] == "redirect_url"
    clock.advance(10**6)
    assert emulator.transactions[0].status == "pending"
    with emulator.http_client() as browser:
        page = browser.get(charge["next_action_redirect_url"])
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert emulator.transactions[0].status == "pending"
        url = f"{charge['next_action_redirect_url']}/decision"
        ended = browser.post(url, json={"decision": "approve"}).json()
    assert ended["redirect_url"] == "https://yourdomain.com/payment-success"
    assert ended["status"] == emulator.transactions[0].status == "successful"


def test_an_amount_keeps_its_digits(client: httpx.Client, emulator: Emulator) -> None:
    body = b'{"amount": 2000.50, ' + httpx.Request(
        "POST", "http://x", json={k: v for k, v in MOBILE_MONEY.items() if k != "amount"}
    ).read().removeprefix(b"{")
    answer = client.post("/charges", content=body)
    assert b'"amount":2000.50,' in answer.content
    assert emulator.transactions[0].amount == Decimal("2000.50")


REQUIRED = [name for name in MOBILE_MONEY if name != "narration"]


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_field_is_named(client: httpx.Client, emulator: Emulator, name: str) -> None:
    answer = client.post("/charges", json={k: v for k, v in MOBILE_MONEY.items() if k != name})
    assert answer.status_code == 400
    assert answer.json()["error_code"] == "90"
    assert name in answer.json()["message"]
    assert emulator.executed == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("amount", "2000"),
        ("amount", True),
        ("amount", 0),
        ("amount", -1),
        ("amount", 10**16),
        ("currency", "USD"),
        ("currency", "rwf"),
        ("currency", 7),
        ("payment_type", "cash"),
        ("customer_email", "jane"),
        ("customer_phone", "+250789654321"),
        ("customer_phone_country_code", "+250"),
        ("mobile_money_network", "mtn"),
        ("mobile_money_phone", "0789654321"),
        ("mobile_money_phone", "٧٨٩٦٥٤٣٢١"),
        ("redirect_url", "javascript:alert(1)"),
        ("callback_url", "ftp://example.com"),
        ("callback_url", "http://"),
        ("callback_url", "http://example.com:99999/"),
        ("narration", ["x"]),
    ],
)
def test_a_wrong_field_is_refused_by_name(
    client: httpx.Client, emulator: Emulator, name: str, value: Any
) -> None:
    answer = client.post("/charges", json={**MOBILE_MONEY, name: value})
    assert answer.status_code == 400
    assert answer.json()["error_code"] == "90"
    assert name in answer.json()["message"]
    assert emulator.executed == ()


@pytest.mark.acceptance(48, "odd-scenario")
@pytest.mark.parametrize(
    "key",
    [
        "",
        "auth_pin",
        "scenario:",
        "scenario:auth_3ds",
        "scenario:auth_pin&scenario:auth_pin",
        "scenario:auth_pin&",
        "issuer:approved",
        " scenario:auth_pin",
        7,
        ["scenario:auth_pin"],
    ],
)
def test_a_malformed_scenario_is_refused(client: httpx.Client, key: Any) -> None:
    answer = client.post("/charges", json={**MOBILE_MONEY, "scenario_key": key})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "90")
    assert "scenario_key" in answer.json()["message"]


def test_a_card_number_in_a_note_is_not_kept(client: httpx.Client, emulator: Emulator) -> None:
    client.post("/charges", json={**MOBILE_MONEY, "narration": "card 4242 4242 4242 4242"})
    assert "4242" not in repr(emulator.transactions)
    assert "4242" not in repr(emulator.requests)

"""Idempotency keys: replays byte for byte, conflicts, and what is not remembered."""

from __future__ import annotations

import httpx
import pytest

from dgspay.emulator import Emulator, VirtualClock
from dgspay.emulator.http import Request, Response, Wait
from dgspay.models.json_codec import dump_json
from tests.emulator.emulator_calls import LINK, MOBILE_MONEY, TO_BANK, credentials

pytestmark = pytest.mark.acceptance(47, "idempotent-replay")

KEY = {"Idempotency-Key": "0123456789abcdef0123456789abcdef"}


@pytest.mark.parametrize("header", ["Idempotency-Key", "X-Idempotency-Key", "x-idempotency-key"])
def test_the_same_request_again_is_replayed_byte_for_byte(
    client: httpx.Client, emulator: Emulator, clock: VirtualClock, header: str
) -> None:
    first = client.post("/disburse", json=TO_BANK, headers={header: "payout-0001"})
    clock.advance(60)
    second = client.post("/disburse", json=TO_BANK, headers={header: "payout-0001"})
    assert (second.status_code, second.content) == (200, first.content)
    assert "x-idempotency-cache-hit" not in first.headers
    assert second.headers["x-idempotency-cache-hit"] == "true"
    assert [deed.idempotency_key for deed in emulator.executed] == ["payout-0001"]


def test_another_body_with_the_key_is_a_conflict(client: httpx.Client, emulator: Emulator) -> None:
    client.post("/disburse", json=TO_BANK, headers=KEY)
    for path, body in (
        ("/disburse", {**TO_BANK, "amount": 10001}),
        ("/charges", MOBILE_MONEY),
        ("/disburse?x=1", TO_BANK),
    ):
        answer = client.post(path, json=body, headers=KEY)
        assert (answer.status_code, answer.json()["error_code"]) == (409, "93")
    assert len(emulator.executed) == 1


def test_a_key_in_flight_is_a_conflict_then_a_replay(clock: VirtualClock) -> None:
    with Emulator(clock=clock, latency=30) as emulator:
        headers = {name.lower(): value for name, value in credentials(emulator).items()}
        headers["idempotency-key"] = KEY["Idempotency-Key"]
        request = Request("POST", "/generation/v2/disburse", "", headers, dump_json(TO_BANK))
        first = emulator._engine.exchange(request)
        assert next(first) == Wait(30)
        (conflict,) = emulator._engine.exchange(request)
        assert isinstance(conflict, Response)
        assert conflict.status == 409
        assert b'"error_code":"93"' in conflict.body
        answer = next(first)
        first.close()
        (replay,) = emulator._engine.exchange(request)
        assert isinstance(answer, Response)
        assert isinstance(replay, Response)
        assert replay.body == answer.body
        assert len(emulator.executed) == 1


def test_a_client_that_gave_up_waiting_can_still_ask_for_its_answer(clock: VirtualClock) -> None:
    with Emulator(clock=clock, latency=30) as emulator:
        headers = {name.lower(): value for name, value in credentials(emulator).items()}
        headers["idempotency-key"] = KEY["Idempotency-Key"]
        request = Request("POST", "/generation/v2/disburse", "", headers, dump_json(TO_BANK))
        first = emulator._engine.exchange(request)
        next(first)
        first.close()
        (replay,) = emulator._engine.exchange(request)
        assert isinstance(replay, Response)
        assert ("x-idempotency-cache-hit", "true") in replay.headers
        assert len(emulator.executed) == 1


def test_a_refusal_is_not_remembered(client: httpx.Client, emulator: Emulator) -> None:
    assert client.post("/disburse", json={**TO_BANK, "amount": 1}, headers=KEY).status_code == 400
    assert client.post("/disburse", content=b"{", headers=KEY).status_code == 400
    emulator.faults.fail_next("POST /disburse", error_code="99")
    assert client.post("/disburse", json=TO_BANK, headers=KEY).status_code == 500
    stranger = {**KEY, "X-DGS-API-Key": "sk_test_other"}
    assert client.post("/disburse", json=TO_BANK, headers=stranger).status_code == 401
    answer = client.post("/disburse", json=TO_BANK, headers=KEY)
    assert answer.status_code == 200
    assert "x-idempotency-cache-hit" not in answer.headers
    assert len(emulator.executed) == 1


def test_a_lost_answer_is_remembered(client: httpx.Client, emulator: Emulator) -> None:
    emulator.faults.lose_answer("POST /disburse")
    with pytest.raises(httpx.RemoteProtocolError):
        client.post("/disburse", json=TO_BANK, headers=KEY)
    answer = client.post("/disburse", json=TO_BANK, headers=KEY)
    assert answer.headers["x-idempotency-cache-hit"] == "true"
    assert answer.json()["dgs_reference"] == emulator.executed[0].reference
    assert len(emulator.executed) == 1


def test_a_declined_payment_is_remembered(client: httpx.Client, emulator: Emulator) -> None:
    body = {**MOBILE_MONEY, "mobile_money_phone": "789000001"}
    first, second = (client.post("/charges", json=body, headers=KEY) for _ in range(2))
    assert first.content == second.content
    assert len(emulator.transactions) == 1


def test_patch_and_delete_have_keys_too(client: httpx.Client, emulator: Emulator) -> None:
    path = f"/payment-links/{client.post('/payment-links', json=LINK).json()['link']['id']}"
    for method, body in (("PATCH", {"title": "x"}), ("DELETE", None)):
        key = {"Idempotency-Key": f"{method}-1"}
        first = client.request(method, path, json=body, headers=key)
        second = client.request(method, path, json=body, headers=key)
        assert (first.status_code, second.content) == (200, first.content)
    assert len(emulator.executed) == 3


def test_a_read_has_no_key(client: httpx.Client) -> None:
    first = client.get("/balance", headers=KEY)
    second = client.get("/transactions", headers=KEY)
    assert (first.status_code, second.status_code) == (200, 200)


@pytest.mark.parametrize(
    "headers",
    [
        {"Idempotency-Key": ""},
        {"Idempotency-Key": "k" * 256},
        {"Idempotency-Key": "clé"},
        {"Idempotency-Key": "a", "X-Idempotency-Key": "b"},
    ],
)
def test_a_key_that_cannot_be_is_refused(
    client: httpx.Client, emulator: Emulator, headers: dict[str, str]
) -> None:
    raw = {name.encode(): value.encode() for name, value in headers.items()}
    answer = client.post("/disburse", json=TO_BANK, headers=raw)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "90")
    assert emulator.executed == ()

"""The ways in: sync, async on two event loops, a real socket; and that nothing stays behind."""

from __future__ import annotations

import threading

import anyio
import httpx
import pytest

from dgspay.emulator import Emulator, VirtualClock
from dgspay.emulator.fidelity import FIDELITY
from dgspay.emulator.webhooks.modes import MODES
from tests.emulator.emulator_calls import (
    CONVERT,
    LINK,
    MOBILE_MONEY,
    PATIENCE,
    TO_BANK,
    credentials,
)


def threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("dgspay-emulator")]


@pytest.mark.anyio
async def test_an_async_client_needs_no_socket(clock: VirtualClock) -> None:
    with Emulator(clock=clock) as emulator:
        async with emulator.async_http_client() as client:
            client.headers.update(credentials(emulator))
            charge = (await client.post("/charges", json=MOBILE_MONEY)).json()
            clock.advance(2)
            found = await client.get(f"/transactions/{charge['dgs_reference']}")
            assert found.json()["data"]["status"] == "success"
        assert threads() == []


@pytest.mark.anyio
async def test_waiting_for_an_answer_blocks_no_other_task(clock: VirtualClock) -> None:
    """Twenty answers that take 0.2 s each take 0.2 s together."""
    with Emulator(clock=clock, latency=0.2) as emulator:
        async with emulator.async_http_client() as client:
            client.headers.update(credentials(emulator))
            with anyio.fail_after(3):
                async with anyio.create_task_group() as tasks:
                    for _ in range(20):
                        tasks.start_soon(client.get, "/balance")
        assert len(emulator.requests) == 20


def test_many_threads_share_one_emulator(emulator: Emulator) -> None:
    def pay() -> None:
        with emulator.http_client() as client:
            client.headers.update(credentials(emulator))
            for _ in range(20):
                client.post("/disburse", json={**TO_BANK, "amount": 1000})

    before = emulator.balance("RWF")
    workers = [threading.Thread(target=pay) for _ in range(5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert emulator.balance("RWF") == before - 100_000
    assert len({deed.reference for deed in emulator.executed}) == 100


def test_urls_in_answers_lead_to_the_server(emulator: Emulator) -> None:
    with (
        emulator.serve() as served,
        httpx.Client(
            base_url=served.url, headers=credentials(emulator), trust_env=False, timeout=PATIENCE
        ) as client,
    ):
        charge = client.post("/charges", json=MOBILE_MONEY).json()
        link = client.post("/payment-links", json=LINK).json()["link"]
        assert charge["next_action_redirect_url"].startswith(f"{served.origin}/generation/")
        page = httpx.get(charge["next_action_redirect_url"], trust_env=False, timeout=PATIENCE)
        assert page.status_code == 200
        assert httpx.get(link["url"], trust_env=False, timeout=PATIENCE).status_code == 200


def test_serving_stops_cleanly_and_can_begin_again(emulator: Emulator) -> None:
    for _ in range(2):
        with emulator.serve() as served:
            assert len(threads()) == 2
            assert (
                httpx.get(f"{served.url}/balance", trust_env=False, timeout=PATIENCE).status_code
                == 401
            )
        assert threads() == []
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{served.url}/balance", trust_env=False, timeout=PATIENCE)


def test_a_seed_replays_every_id() -> None:
    def story() -> list[bytes]:
        with Emulator(clock=VirtualClock(), seed="story") as emulator:
            with emulator.http_client() as client:
                client.headers.update(credentials(emulator))
                answers = [
                    client.post(path, json=body).content
                    for path, body in (
                        ("/charges", MOBILE_MONEY),
                        ("/disburse", TO_BANK),
                        ("/convert", CONVERT),
                        ("/payment-links", LINK),
                    )
                ]
                emulator.settle()
            return answers + [delivery.body for delivery in emulator.webhooks.deliveries]

    assert story() == story()


def test_reset_begins_again(client: httpx.Client, emulator: Emulator) -> None:
    first = client.post("/charges", json=MOBILE_MONEY).content
    client.post("/disburse", json=TO_BANK)
    emulator.faults.fail_next("GET /balance")
    emulator.reset()
    assert (emulator.executed, emulator.disbursements) == ((), ())
    assert emulator.balance("RWF") == 1_000_000
    assert client.get("/balance").status_code == 200
    assert client.post("/charges", json=MOBILE_MONEY).content == first


def test_settle_ends_all_that_waits_for_time_alone(
    client: httpx.Client, emulator: Emulator
) -> None:
    client.post("/charges", json=MOBILE_MONEY)
    client.post("/disburse", json=TO_BANK)
    client.post("/convert", json=CONVERT)
    emulator.settle()
    assert [delivery.event for delivery in emulator.webhooks.deliveries] == [
        "payment.success",
        "disbursement.success",
        "conversion.success",
    ]
    emulator.settle()
    assert len(emulator.webhooks.deliveries) == 3


def test_executed_lists_what_was_done_in_order(client: httpx.Client, emulator: Emulator) -> None:
    client.post("/charges", json=MOBILE_MONEY)
    client.post("/disburse", json=TO_BANK, headers={"Idempotency-Key": "payout-1"})
    client.get("/balance")
    charge, payout = emulator.executed
    assert (charge.operation, charge.currency) == ("POST /charges", "RWF")
    assert charge.amount == 2000
    assert (payout.operation, payout.recipient, payout.idempotency_key) == (
        "POST /disburse",
        "1234567890",
        "payout-1",
    )


def test_a_clock_only_moves_forward() -> None:
    with pytest.raises(ValueError, match="forward"):
        VirtualClock().advance(-1)


def test_every_behaviour_says_where_it_is_from() -> None:
    assert len({row.does for row in FIDELITY}) == len(FIDELITY) > 40
    assert all(row.source for row in FIDELITY)
    told = " ".join(row.does for row in FIDELITY if row.area == "webhooks")
    assert all(mode in told for mode in MODES)
    assert any(row.area == "merchants" for row in FIDELITY)

"""A history of many payments: made in a moment, the same each time, paged as fast at its end."""

from __future__ import annotations

import time

import httpx
import pytest

from dgspay.emulator import Emulator, VirtualClock
from tests.emulator.emulator_calls import MOBILE_MONEY

# A walk through so many rows takes longer than five pages of ten.
MANY = 40_000


def test_a_seed_makes_the_same_history(clock: VirtualClock) -> None:
    def history(seed: int) -> list[tuple[str, str, str]]:
        with Emulator(clock=clock) as emulator:
            emulator.generate(300, seed=seed)
            return [(p.id, p.dgs_reference, str(p.status)) for p in emulator.transactions]

    assert history(1) == history(1) != history(2)
    assert {status for _, _, status in history(1)} == {"successful", "failed", "pending"}


def test_the_wallet_holds_what_a_history_brought_in(
    client: httpx.Client, emulator: Emulator
) -> None:
    before = emulator.balance("RWF")
    emulator.generate(200)
    earned = sum(payment.net_amount for payment in emulator.transactions)
    assert emulator.balance("RWF") == before + earned > before
    assert emulator.webhooks.deliveries == ()
    row = client.get("/transactions", params={"limit": 1}).json()["data"][0]
    assert client.get(f"/transactions/{row['dgs_reference']}").json()["data"]["id"] == row["id"]


def test_the_last_page_of_many_thousand_is_as_fast_as_the_first(
    client: httpx.Client, emulator: Emulator
) -> None:
    emulator.generate(MANY)

    def best(page: int, **filters: str) -> float:
        times = []
        for _ in range(15):
            query = {"page": str(page), "limit": "10", **filters}
            started = time.thread_time()
            answer = client.get("/transactions", params=query)
            times.append(time.thread_time() - started)
            assert answer.json()["data"]
        return min(times)

    # Five times is far from the noise; a walk through the rows would be more.
    first = best(1)
    assert best(MANY // 10) < 5 * first
    for status in ("success", "failed", "pending"):
        pages = client.get("/transactions", params={"limit": 10, "status": status}).json()
        assert best(1, status=status) < 5 * first
        assert best(pages["pagination"]["pages"], status=status) < 5 * first
    paid = [payment for payment in emulator.transactions if payment.status == "successful"]
    for payment in (paid[0], paid[-1]):
        assert best(1, dgs_reference=payment.dgs_reference) < 5 * first
        assert best(1, flw_reference=payment.flw_reference, status="success") < 5 * first


def test_every_status_has_its_payments_in_order(client: httpx.Client, emulator: Emulator) -> None:
    """Whatever order they end in, and with a history beside them."""
    emulator.generate(30)
    made = [client.post("/charges", json=MOBILE_MONEY).json()["dgs_reference"] for _ in range(9)]
    emulator.approve(made[7])
    emulator.approve(made[2])
    emulator.decline(made[4])
    emulator.approve(made[0])
    emulator.generate(20, seed=2)
    for word, status in (("success", "successful"), ("failed", "failed"), ("pending", "pending")):
        expected = [p.dgs_reference for p in emulator.transactions if p.status == status][::-1]
        listed: list[str] = []
        for page in range(1, 20):
            query = {"status": word, "limit": "7", "page": str(page)}
            rows = client.get("/transactions", params=query).json()["data"]
            listed += [row["dgs_reference"] for row in rows]
        assert listed == expected


@pytest.mark.parametrize("count", [0, -1, 1_000_001])
def test_a_history_of_an_impossible_length_is_refused(emulator: Emulator, count: int) -> None:
    with pytest.raises(ValueError, match="transactions"):
        emulator.generate(count)

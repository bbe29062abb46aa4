"""A history of many payments: made in a moment, the same each time, paged as fast at its end."""

from __future__ import annotations

import time

import httpx
import pytest

from dgspay.emulator import Emulator, VirtualClock


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
    assert emulator.deliveries == ()
    row = client.get("/transactions", params={"limit": 1}).json()["data"][0]
    assert client.get(f"/transactions/{row['dgs_reference']}").json()["data"]["id"] == row["id"]


def test_the_last_page_of_a_hundred_thousand_is_as_fast_as_the_first(
    client: httpx.Client, emulator: Emulator
) -> None:
    emulator.generate(100_000)

    def best(page: int) -> float:
        times = []
        for _ in range(15):
            started = time.perf_counter()
            answer = client.get("/transactions", params={"page": page, "limit": 100})
            times.append(time.perf_counter() - started)
            assert len(answer.json()["data"]) == 100
        return min(times)

    # Ten times is far from the noise; a walk through the rows would be a hundred times.
    assert best(1000) < 10 * best(1)


@pytest.mark.parametrize("count", [0, -1, 1_000_001])
def test_a_history_of_an_impossible_length_is_refused(emulator: Emulator, count: int) -> None:
    with pytest.raises(ValueError, match="transactions"):
        emulator.generate(count)

"""The emulator when its state file can take no more, and when it can again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from dgspay.emulator import Emulator, VirtualClock
from tests.emulator.emulator_calls import MOBILE_MONEY, PATIENCE, TO_BANK, credentials


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "emulator.db"


@pytest.fixture
def emulator(path: Path, clock: VirtualClock) -> Iterator[Emulator]:
    with Emulator(state=path, clock=clock) as emulator:
        yield emulator


def fill_disk(emulator: Emulator) -> None:
    """Let the file have the pages it has and none more, as on a disk that is full."""
    connection = _connection(emulator)
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")


def free_disk(emulator: Emulator) -> None:
    _connection(emulator).execute("PRAGMA max_page_count = 1000000")


def _connection(emulator: Emulator) -> sqlite3.Connection:
    file = emulator._controls._store._file
    assert file is not None
    return file._connection


def until_refused(client: httpx.Client) -> httpx.Response:
    """Pay out until a page is full."""
    for number in range(200):
        key = {"Idempotency-Key": f"payout-{number:08d}"}
        answer = client.post("/disburse", json={**TO_BANK, "amount": 500}, headers=key)
        if answer.status_code != 200:
            return answer
    raise AssertionError("the disk was never full")


def test_nothing_is_promised_that_is_not_kept_and_all_is_kept_once_there_is_room(
    emulator: Emulator, client: httpx.Client, path: Path, clock: VirtualClock
) -> None:
    fill_disk(emulator)
    answer = until_refused(client)
    assert answer.status_code == 500
    assert "state file cannot be written" in answer.text
    assert "error_code" not in answer.text  # whether it was done is not known
    key = {"Idempotency-Key": answer.request.headers["idempotency-key"]}
    done = len(emulator.disbursements)
    again = client.post("/disburse", content=answer.request.content, headers=key)
    assert again.status_code == 500
    # The clock and the webhooks go on meanwhile.
    clock.advance(5)
    assert {transfer.status for transfer in emulator.disbursements} == {"successful"}

    free_disk(emulator)
    client.post("/charges", json=MOBILE_MONEY)
    again = client.post("/disburse", content=answer.request.content, headers=key)
    assert (again.status_code, len(emulator.disbursements)) == (200, done)
    emulator.close()
    with Emulator(state=path, clock=clock) as restarted:
        assert len(restarted.disbursements) == done
        assert {transfer.status for transfer in restarted.disbursements} == {"successful"}
        assert len(restarted.webhooks.deliveries) == done


def test_the_console_says_so(emulator: Emulator, client: httpx.Client) -> None:
    fill_disk(emulator)
    until_refused(client)
    with (
        emulator.serve() as served,
        httpx.Client(base_url=served.origin, trust_env=False, timeout=PATIENCE) as page,
    ):
        assert "cannot be written" in page.get("/_emulator/state").json()["state_trouble"]
        refused = page.post("/_emulator/snapshots", json={"name": "now"})
        assert (refused.status_code, refused.json()["status"]) == (507, "failed")
        free_disk(emulator)
        client.get("/balance", headers=credentials(emulator))
        assert page.post("/_emulator/clock", json={"advance": 0}).status_code == 200
        assert page.get("/_emulator/state").json()["state_trouble"] is None

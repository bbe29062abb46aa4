"""Trusted keys: a payout is sent again only while its key surely lives."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from dgspay.payouts import AsyncPayouts, Batch, PostgresLedger, SqliteLedger, State
from dgspay.payouts.ledger.sql_payouts import KEY_SECONDS
from dgspay.payouts.status import require_batch
from tests.payouts.ledger.test_contract import TERMS, payouts
from tests.support.crash_points import paid
from tests.support.sheet_factory import TRUSTING, in_process, write_sheet

pytestmark = pytest.mark.anyio

HOUR = 3600.0


class StopRule:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """What opens the same ledger again, by a clock."""
    if request.param == "sqlite":
        return lambda clock: SqliteLedger(tmp_path / "l.sqlite3", clock=clock)
    url = request.getfixturevalue("postgres_ledger_url")
    return lambda clock: PostgresLedger(url, clock=clock)


@pytest.mark.acceptance(54, "held-in-doubt")
@pytest.mark.parametrize(
    ("passed", "sent_again"),
    [
        (HOUR, True),
        (-HOUR, True),  # the clock was set back
        (KEY_SECONDS + HOUR, False),
        (-2 * 365 * 24 * HOUR, False),  # nobody knows how old the key is
    ],
)
async def test_a_key_that_may_be_forgotten_is_not_sent_again(
    place: Any, tmp_path: Path, passed: float, sent_again: bool
) -> None:
    """The answer was lost on Friday, and the run goes on, trusting, on Monday."""
    sheet = write_sheet(tmp_path / "salaries.csv", 3)
    clock = StopRule()
    with in_process() as (emulator, dgs), place(clock) as ledger:
        emulator.faults.lose_answer("POST /disburse")
        await AsyncPayouts(dgs, ledger).run(sheet, settle_within=0)
        assert ledger.counts("salaries").count(State.HELD) == 1
        clock.now += passed
        requests = len(emulator.requests)
        trusting = dgs_that_trusts(emulator, dgs)
        await AsyncPayouts(trusting, ledger).run(sheet, settle_within=0)
        sent = [r for r in emulator.requests[requests:] if r.path.endswith("/disburse")]
        assert bool(sent) == sent_again
        left = ledger.counts("salaries").count(State.HELD)
        assert left == (0 if sent_again else 1)
        assert set(paid(emulator).values()) == {1}


def dgs_that_trusts(emulator: Any, dgs: Any) -> Any:
    from dgspay.transports.httpx import HttpxTransport
    from tests.support.sheet_factory import client_of

    transport = HttpxTransport(emulator.async_http_client())
    return client_of(emulator, emulator.base_url, transport=transport, retry=TRUSTING)


async def test_sending_again_does_not_make_a_key_younger(place: Any, tmp_path: Path) -> None:
    sheet = write_sheet(tmp_path / "salaries.csv", 1)
    clock = StopRule()
    with in_process() as (emulator, dgs), place(clock) as ledger:
        emulator.faults.lose_answer("POST /disburse")
        await AsyncPayouts(dgs, ledger).run(sheet, settle_within=0)
        first = clock.now
        batch = require_batch(ledger, "salaries")
        for _ in range(3):
            clock.now += KEY_SECONDS / 2 - HOUR
            chunk = ledger.claim(batch, 0, 1, 1)
            taken = ledger.take(chunk, after=0, limit=1, doubtful=True)
            assert bool(taken) == (clock.now - first <= KEY_SECONDS)
        assert ledger.record("salaries", 1).sent_at == pytest.approx(first)


@pytest.mark.acceptance(54, "held-in-doubt")
@pytest.mark.parametrize("wrong", [-20 * HOUR, 20 * HOUR])
def test_keys_age_by_the_clock_of_the_server_whatever_a_machine_believes(
    postgres_ledger_url: str, monkeypatch: pytest.MonkeyPatch, wrong: float
) -> None:
    import psycopg

    right = time.time
    with PostgresLedger(postgres_ledger_url) as ledger:
        batch = ledger.load(Batch(name="b", digest="d", terms=TERMS), payouts(1))
        ledger.start("b")
        chunk = ledger.claim(batch, 0, 1, 1)
        monkeypatch.setattr(time, "time", lambda: right() + wrong)
        assert len(ledger.take(chunk, after=0, limit=1)) == 1
        record = ledger.record("b", 1)
        assert record is not None
        assert record.sent_at == pytest.approx(right(), abs=60)
        # Half an hour younger than a key may be, and then half an hour older.
        for older, is_sent in ((KEY_SECONDS - HOUR / 2, True), (HOUR, False)):
            with psycopg.connect(postgres_ledger_url, autocommit=True) as connection:
                connection.execute(
                    "UPDATE dgspay_payout_states SET sent_at = sent_at - %s", (older,)
                )
            assert bool(ledger.take(chunk, after=0, limit=1, doubtful=True)) is is_sent

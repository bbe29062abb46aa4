"""The guard looks claims up for rows, and never rows for claims, of which there may be millions."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dgspay.payouts import Batch, Payout, PostgresLedger, SqliteLedger, Terms
from dgspay.payouts.ledger.guard import sources_of
from tests.support.sheet_factory import phone

FULL = os.environ.get("DGSPAY_TEST_FULL") == "1"
BEFORE, NOW = (1_000_000, 100_000) if FULL else (20_000, 2_000)
TERMS = Terms(environment="emulator", base_url="http://127.0.0.1", account_number="ACC")


def rows(count: int, first: int = 1) -> Iterator[Payout]:
    for number in range(1, count + 1):
        yield Payout(
            number=number,
            reference=f"salary-{first + number - 1}",
            amount=1000,
            account=phone(first + number - 1),
        )


def load(ledger: Any, name: str, payouts: Iterator[Payout]) -> Batch:
    batch: Batch = ledger.load(Batch(name=name, digest=name, terms=TERMS), payouts)
    return batch


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    if request.param == "sqlite":
        with SqliteLedger(tmp_path / "l.sqlite3") as sqlite:
            yield sqlite
        return
    with PostgresLedger(request.getfixturevalue("postgres_ledger_url")) as postgres:
        yield postgres


@pytest.mark.acceptance(95, "reference-paid-elsewhere")
def test_what_was_paid_is_found_quickly_whatever_the_statistics_say(
    ledger: Any, request: pytest.FixtureRequest
) -> None:
    before = load(ledger, "before", rows(BEFORE))
    ledger.start("before")
    chunk, after = ledger.claim(before, 0, 1, BEFORE), 0
    while page := ledger.take(chunk, after=after, limit=4000):
        after = page[-1].number
    if isinstance(ledger, PostgresLedger):
        import psycopg

        # As autovacuum does it, before the rows of the next batch are there.
        with psycopg.connect(
            request.getfixturevalue("postgres_ledger_url"), autocommit=True
        ) as connection:
            connection.execute("ANALYZE")
    batch = load(ledger, "now", rows(NOW, BEFORE - NOW // 2 + 1))
    began = time.perf_counter()
    (overlap,) = ledger.overlaps(batch)
    assert overlap.count == NOW // 2
    assert time.perf_counter() - began < 2.0


def test_sqlite_looks_claims_up_for_rows(tmp_path: Path) -> None:
    with SqliteLedger(tmp_path / "l.sqlite3") as ledger:
        batch = load(ledger, "b", rows(10))
    connection = sqlite3.connect(tmp_path / "l.sqlite3")
    for _, source, values in sources_of(batch, (), 0.0):
        plan = connection.execute(f"EXPLAIN QUERY PLAN SELECT p.id FROM {source}", values)
        steps = [step for *_, step in plan if step.startswith("SEARCH")]
        assert steps[0].startswith("SEARCH p USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)")
        assert any("(scope=? AND key=?" in step for step in steps)
    connection.close()

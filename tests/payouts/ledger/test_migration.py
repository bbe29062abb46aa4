"""A ledger that an older dgspay has filled: it goes on, and what it has paid is guarded."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dgspay.payouts import Batch, LedgerError, Payout, PostgresLedger, SqliteLedger, State, Terms
from dgspay.payouts.status import require_batch
from tests.support.old_ledger import PAYOUTS, POSTGRES, statements, write_old_ledger

pytestmark = pytest.mark.acceptance(
    95, "reference-paid-elsewhere", 96, "same-account-and-sum", 99, "lost-history"
)

TERMS = Terms(environment="emulator", base_url="http://127.0.0.1", account_number="ACC")


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    now = time.time()
    if request.param == "sqlite":
        with SqliteLedger(write_old_ledger(tmp_path / "old.sqlite3", now)) as ledger:
            yield ledger
        return
    psycopg = pytest.importorskip("psycopg")
    url = request.getfixturevalue("postgres_ledger_url")
    drop, make = "DROP SCHEMA IF EXISTS old CASCADE", "CREATE SCHEMA old"
    old = f"{url}&options=-csearch_path%3Dold"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(drop)
        connection.execute(make)
    with psycopg.connect(old, autocommit=True) as connection:
        connection.execute(POSTGRES)
        for statement in statements(now):
            connection.execute(statement)
    with PostgresLedger(old) as ledger:
        yield ledger
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(drop)


def taken(ledger: Any, name: str, *payouts: Payout) -> list[str]:
    batch = ledger.load(Batch(name=name, digest=name, terms=TERMS), payouts)
    ledger.start(name)
    chunk = ledger.claim(batch, 0, 1, batch.count)
    return [payout.reference for payout in ledger.take(chunk, after=0, limit=100)]


def test_what_it_has_paid_is_not_paid_again(ledger: Any) -> None:
    rows = [
        Payout(
            number=number, reference=reference.lower(), amount=7, account=f"+25078900000{number}"
        )
        for number, reference, *_ in PAYOUTS
    ]
    assert taken(ledger, "again", *rows) == ["emp-4", "emp-5"]
    # Nor the same sums to the same accounts.
    others = [
        Payout(number=1, reference="x", amount=2000, account="100 200", bank_key="bk_rw"),
        Payout(number=2, reference="y", amount=3000, account="0780000003"),
        Payout(number=3, reference="z", amount=5000, account="0780000005"),
    ]
    assert taken(ledger, "others", *others) == ["z"]


def test_its_batches_go_on_under_their_own_keys(ledger: Any) -> None:
    batch = require_batch(ledger, "november")
    text = "dgspay payout\nnovember\nd\n5"
    assert batch.key_of(5) == hashlib.sha256(text.encode()).hexdigest()[:32]
    assert (batch.period, batch.repeat_days) == (None, 5.0)
    chunk = ledger.claim(batch, 0, 1, 5)
    assert [payout.number for payout in ledger.take(chunk, after=0, limit=9)] == [5]
    assert ledger.record("november", 3).state is State.HELD


def test_a_file_that_cannot_be_brought_forward_stays_as_it_was(tmp_path: Path) -> None:
    path = write_old_ledger(tmp_path / "old.sqlite3", time.time())
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE dgspay_payout_claims (odd)")
    connection.close()
    with pytest.raises(LedgerError, match="already exists"):
        SqliteLedger(path)
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    assert "key_seed" not in str(
        connection.execute("PRAGMA table_info(dgspay_payout_batches)").fetchall()
    )
    connection.close()

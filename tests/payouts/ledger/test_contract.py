"""The ledgers, one contract: what is on disk when, and who may have what."""

from __future__ import annotations

import os
import sqlite3
import stat
import warnings
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dgspay.errors import ConfigError
from dgspay.payouts import (
    Batch,
    BatchBusyError,
    BatchChangedError,
    Evidence,
    Learned,
    LedgerError,
    Payout,
    Source,
    SqliteLedger,
    State,
    Terms,
    UnknownBatchError,
)
from dgspay.payouts.ledger import PausedError
from dgspay.payouts.model.batch import Chunk
from dgspay.payouts.status import require_batch

TERMS = Terms(environment="emulator", base_url="http://127.0.0.1", account_number="ACC")


def payouts(count: int) -> Iterator[Payout]:
    for number in range(1, count + 1):
        yield Payout(
            number=number,
            reference=f"r{number}",
            amount=1000,
            account=f"+25078{number:07d}",
            network="MTN",
            country="RW",
        )


def loaded(ledger: Any, count: int = 10, name: str = "b") -> Batch:
    batch: Batch = ledger.load(Batch(name=name, digest="d", terms=TERMS), payouts(count))
    ledger.start(name)
    return batch


def claimed(ledger: Any, batch: Batch) -> Chunk:
    chunk: Chunk = ledger.claim(batch, 0, 1, batch.count)
    return chunk


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """Each kind of ledger, empty."""
    if request.param == "sqlite":
        with SqliteLedger(tmp_path / "ledger.sqlite3") as ledger:
            yield ledger
        return
    from dgspay.payouts import PostgresLedger

    with PostgresLedger(request.getfixturevalue("postgres_ledger_url")) as server:
        yield server


@pytest.fixture
def sqlite_ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    with SqliteLedger(tmp_path / "ledger.sqlite3") as ledger:
        yield ledger


def test_a_batch_comes_back_as_it_was(ledger: Any) -> None:
    batch = loaded(ledger, 3)
    found = require_batch(ledger, "b")
    assert (found.count, found.total, found.terms) == (3, 3000, TERMS)
    assert found.token_secret == batch.token_secret
    assert [record.payout for record in ledger.page("b")] == [*payouts(3)]
    with pytest.raises(BatchChangedError, match="already"):
        loaded(ledger)
    with pytest.raises(ConfigError, match="it has: b"):
        require_batch(ledger, "c")


def test_an_error_among_the_rows_leaves_nothing_behind(ledger: Any) -> None:
    def broken() -> Iterator[Payout]:
        yield from payouts(5)
        raise ConfigError("row 6")

    with pytest.raises(ConfigError, match="row 6"):
        ledger.load(Batch(name="b", digest="d", terms=TERMS), broken())
    assert ledger.batch("b") is None
    assert ledger.page("b") == []
    loaded(ledger)


@pytest.mark.acceptance(52, "killed-run")
def test_a_row_is_in_doubt_on_disk_before_it_is_handed_out(
    sqlite_ledger: SqliteLedger, tmp_path: Path
) -> None:
    taken = sqlite_ledger.take(claimed(sqlite_ledger, loaded(sqlite_ledger)), after=0, limit=4)
    assert [payout.number for payout in taken] == [1, 2, 3, 4]
    # Read by a connection that knows nothing but the file.
    with sqlite3.connect(tmp_path / "ledger.sqlite3") as other:
        rows = other.execute(
            "SELECT id % 4294967296, attempts FROM dgspay_payout_states WHERE state = 1"
        )
        assert rows.fetchall() == [(1, 1), (2, 1), (3, 1), (4, 1)]
    other.close()
    assert [
        p.number
        for p in sqlite_ledger.take(
            claimed(sqlite_ledger, loaded_again(sqlite_ledger)), after=4, limit=9
        )
    ] == [*range(5, 11)]


def loaded_again(ledger: SqliteLedger) -> Batch:
    return require_batch(ledger, "b")


def test_keys_are_a_batch_s_own_and_the_token_cannot_be_guessed() -> None:
    batch = Batch(name="b", digest="d", terms=TERMS)
    twin = Batch(name="b", digest="d", terms=TERMS)
    assert batch.key_of(1) == batch.key_of(1) != batch.key_of(2)
    assert batch.key_of(1) != twin.key_of(1)
    assert len(batch.key_of(1)) == 32
    assert batch.token_of(1) != twin.token_of(1)
    assert batch.token_of(1) != batch.token_of(2)
    assert batch.token_secret.reveal() not in repr(batch)
    assert batch.is_token_of(1, batch.token_of(1))
    assert not batch.is_token_of(1, batch.token_of(2))
    assert not batch.is_token_of(1, "\udcff")


@pytest.mark.acceptance(54, "held-in-doubt")
def test_what_a_dead_run_left_in_doubt_is_held_and_not_handed_out(ledger: Any) -> None:
    batch = loaded(ledger)
    ledger.take(claimed(ledger, batch), after=0, limit=4)
    chunk = ledger.claim(batch, 0, 1, batch.count)
    assert ledger.counts("b").count(State.HELD) == 4
    assert [payout.number for payout in ledger.take(chunk, after=0, limit=99)] == [*range(5, 11)]
    chunk = ledger.claim(batch, 0, 1, batch.count)
    again = ledger.take(chunk, after=0, limit=99, doubtful=True)
    assert [payout.number for payout in again] == [*range(1, 11)]
    assert [record.attempts for record in ledger.page("b")] == [2] * 10


@pytest.mark.acceptance(54, "held-in-doubt")
def test_what_may_have_arrived_is_not_handed_out_even_when_idempotency_is_trusted(
    ledger: Any,
) -> None:
    batch = loaded(ledger, 3)
    ledger.take(claimed(ledger, batch), after=0, limit=3)
    ledger.post(batch, 1, Evidence(learned=Learned.ACCEPTED, dgs_reference="DGS1"))
    webhook = Evidence(learned=Learned.PAID, source=Source.WEBHOOK, dgs_reference="DGS2")
    ledger.settle(batch, 2, webhook)
    contradiction = Evidence(learned=Learned.NOT_PAID, source=Source.WEBHOOK)
    assert ledger.settle(batch, 2, contradiction).state is State.HELD
    chunk = ledger.claim(batch, 0, 1, 3)
    assert [p.number for p in ledger.take(chunk, after=0, limit=9, doubtful=True)] == [3]


def test_what_was_posted_is_written_together_and_in_order(ledger: Any) -> None:
    batch = loaded(ledger)
    ledger.take(claimed(ledger, batch), after=0, limit=10)
    for number in range(1, 9):
        ledger.post(batch, number, Evidence(learned=Learned.ACCEPTED, dgs_reference=f"DGS{number}"))
    ledger.post(batch, 9, Evidence(learned=Learned.LOST, reason="reset"))
    ledger.post(batch, 10, Evidence(learned=Learned.NOT_SENT))
    ledger.flush()
    counts = ledger.counts("b")
    assert counts.count(State.ACCEPTED) == 8
    assert counts.amount(State.ACCEPTED) == 8000
    assert (counts.count(State.HELD), counts.count(State.NEW)) == (1, 1)
    assert ledger.find_by_dgs_reference("DGS3") == ("b", 3)
    assert ledger.find_by_dgs_reference("DGS9") is None
    found = ledger.find("b", "r9")
    assert found is not None
    assert (found.reason, found.doubtful) == ("reset", True)


def test_a_paused_batch_hands_nothing_out_until_it_is_started_again(ledger: Any) -> None:
    batch = loaded(ledger)
    ledger.pause("b", "first reason")
    ledger.pause("b", "second reason")
    assert require_batch(ledger, "b").paused == "first reason"
    with pytest.raises(PausedError):
        ledger.take(claimed(ledger, batch), after=0, limit=1)
    ledger.start("b")
    assert len(ledger.take(claimed(ledger, batch), after=0, limit=1)) == 1


def test_only_what_was_never_started_can_be_discarded(ledger: Any) -> None:
    ledger.load(Batch(name="b", digest="d", terms=TERMS), payouts(2))
    ledger.discard("b")
    assert ledger.batch("b") is None
    loaded(ledger, 2)
    ledger.discard("b")
    assert len(ledger.page("b")) == 2


def test_a_second_run_of_a_batch_fails_fast(ledger: Any) -> None:
    with ledger.only_run("b"):
        with pytest.raises(BatchBusyError, match="another process"), ledger.only_run("b"):
            pytest.fail("two runs at once")
        with ledger.only_run("c"):
            pass
    with ledger.only_run("b"):
        pass


def test_only_its_owner_may_read_the_file(sqlite_ledger: SqliteLedger, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "ledger.sqlite3").stat().st_mode) == 0o600


@pytest.mark.acceptance(57, "pause-and-full-disk")
def test_a_full_disk_hands_nothing_out(sqlite_ledger: SqliteLedger) -> None:
    batch = loaded(sqlite_ledger, 500)
    chunk = claimed(sqlite_ledger, batch)
    # SQLite's own "database or disk is full": the file may not grow any more.
    sqlite_ledger._writer.run(lambda connection: connection.query("PRAGMA max_page_count = 1", ()))
    reason = "x" * 5000
    sqlite_ledger.post(batch, 1, Evidence(learned=Learned.LOST, reason=reason))
    for _ in range(2):
        with pytest.raises(LedgerError, match="full"):
            sqlite_ledger.take(chunk, after=1, limit=10)
    # What was learned is kept, and written once there is room again.
    sqlite_ledger.post(batch, 2, Evidence(learned=Learned.ACCEPTED))
    make_room = "PRAGMA max_page_count = 100000"
    sqlite_ledger._writer.run(lambda connection: connection.query(make_room, ()), alone=True)
    assert [payout.number for payout in sqlite_ledger.take(chunk, after=2, limit=2)] == [3, 4]
    known = {record.payout.number: record.state for record in sqlite_ledger.page("b", limit=4)}
    assert known == {1: State.HELD, 2: State.ACCEPTED, 3: State.IN_DOUBT, 4: State.IN_DOUBT}


@pytest.mark.parametrize("path", ["", ":memory:"])
def test_a_ledger_must_outlive_the_process(path: str) -> None:
    with pytest.raises(ConfigError, match="needs a file"):
        SqliteLedger(path)


def test_what_is_no_ledger_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to be looked at" * 30)
    with pytest.raises(LedgerError, match="no ledger"):
        SqliteLedger(path)
    with pytest.raises(LedgerError, match="cannot be opened"):
        SqliteLedger(tmp_path / "nowhere" / "ledger.sqlite3")


@pytest.mark.parametrize("version", [1, 9])
def test_a_ledger_of_another_version_is_not_touched(tmp_path: Path, version: int) -> None:
    path = tmp_path / "ledger.sqlite3"
    SqliteLedger(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    with pytest.raises(LedgerError, match=f"of version {version}"):
        SqliteLedger(path)


@pytest.mark.parametrize("shape", ["phones", "banks", "mixed"])
def test_whatever_columns_are_used_they_come_back(ledger: Any, shape: str) -> None:
    rows = []
    for payout in payouts(1047):
        bank = {"phones": False, "banks": True, "mixed": payout.number % 3 == 0}[shape]
        banked = payout._replace(bank_key="bk_rw", branch="Kigali", network=None, country=None)
        rows.append(banked if bank else payout)
    ledger.load(Batch(name="b", digest="d", terms=TERMS), iter(rows))
    assert [record.payout for record in ledger.page("b", limit=2000)] == rows


def test_answers_with_and_without_a_fee_are_taken_together(ledger: Any) -> None:
    batch = loaded(ledger, 100)
    ledger.take(claimed(ledger, batch), after=0, limit=100)
    for number in range(1, 101):
        fee = Decimal("100.50") if number % 3 == 0 else None
        accepted = Evidence(learned=Learned.ACCEPTED, dgs_reference=f"DGS{number}", fee=fee)
        ledger.post(batch, number, accepted)
    ledger.flush()
    for record in ledger.page("b"):
        number = record.payout.number
        assert (record.state, record.dgs_reference) == (State.ACCEPTED, f"DGS{number}")
        assert record.fee == ("100.50" if number % 3 == 0 else None)


@pytest.mark.acceptance(58, "contradicting-evidence")
def test_an_acceptance_is_taken_whatever_is_known_before_it(ledger: Any) -> None:
    batch = loaded(ledger, 100)
    ledger.take(claimed(ledger, batch), after=0, limit=50)
    ledger.settle(batch, 1, Evidence(learned=Learned.PAID, source=Source.WEBHOOK))
    ledger.settle(batch, 2, Evidence(learned=Learned.NOT_PAID, dgs_reference="DGS2"))
    ledger.settle(batch, 3, Evidence(learned=Learned.LOST, reason="reset"))
    ledger.settle(batch, 4, Evidence(learned=Learned.REFUSED))
    ledger.settle(batch, 99, Evidence(learned=Learned.PAID, dgs_reference="another"))
    for number in range(1, 101):
        ledger.post(batch, number, Evidence(learned=Learned.ACCEPTED, dgs_reference=f"DGS{number}"))
    ledger.flush()
    found = {record.payout.number: record for record in ledger.page("b")}
    odd = {1: State.CONFIRMED, 2: State.FAILED, 4: State.HELD, 99: State.HELD}
    for number, record in found.items():
        assert record.state is odd.get(number, State.ACCEPTED), number
        assert record.dgs_reference == ("another" if number == 99 else f"DGS{number}")
        # What was never taken up here counts no attempt.
        assert record.attempts == int(number <= 50)


def test_nothing_is_taken_in_of_a_payout_the_batch_does_not_have(ledger: Any) -> None:
    batch = loaded(ledger, 3)
    for number in (0, 4):
        with pytest.raises(UnknownBatchError, match=f"no payout {number}"):
            ledger.post(batch, number, Evidence(learned=Learned.ACCEPTED, dgs_reference="DGS"))
        with pytest.raises(UnknownBatchError, match=f"no payout {number}"):
            ledger.settle(batch, number, Evidence(learned=Learned.ACCEPTED, dgs_reference="DGS"))
    ledger.flush()
    assert ledger.find_by_dgs_reference("DGS") is None


def test_a_page_ends_at_its_last_number(ledger: Any) -> None:
    batch = loaded(ledger)
    ledger.take(claimed(ledger, batch), after=0, limit=4)
    new = ledger.page("b", after=2, last=6, states=(State.NEW,))
    assert [record.payout.number for record in new] == [5, 6]
    taken = ledger.page("b", after=2, last=6, states=(State.IN_DOUBT,))
    assert [record.payout.number for record in taken] == [3, 4]


def test_a_batch_that_was_read_again_is_another_one(ledger: Any) -> None:
    first = ledger.load(Batch(name="b", digest="d", terms=TERMS), payouts(2))
    ledger.discard("b")
    second = ledger.load(Batch(name="b", digest="e", terms=TERMS), payouts(3))
    ledger.start("b")
    assert first.id != second.id
    with pytest.raises(PausedError):
        ledger.take(claimed(ledger, first), after=0, limit=1)
    assert len(ledger.take(claimed(ledger, second), after=0, limit=9)) == 3


def test_an_error_of_what_is_asked_does_not_undo_what_was_posted(ledger: Any) -> None:
    batch = loaded(ledger)
    ledger.take(claimed(ledger, batch), after=0, limit=1)

    def fail(connection: Any) -> None:
        raise ValueError("of the work's own")

    ledger.post(batch, 1, Evidence(learned=Learned.ACCEPTED, dgs_reference="DGS1"))
    with pytest.raises(ValueError, match="own"):
        ledger._writer.run(fail)
    assert ledger.record("b", 1).state is State.ACCEPTED


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_gets_an_error_instead_of_waiting_for_ever(
    sqlite_ledger: SqliteLedger,
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that there is a thread is the point
        child = os.fork()
    if child == 0:
        try:
            sqlite_ledger.batches()
        except LedgerError as error:
            os._exit(7 if "forked" in str(error) else 8)
        os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_a_closed_ledger_says_so(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite3")
    ledger.close()
    ledger.close()
    with pytest.raises(LedgerError, match="closed"):
        ledger.batches()

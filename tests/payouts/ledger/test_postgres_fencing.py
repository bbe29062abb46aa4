"""Several workers on one PostgreSQL: who may send what, and what a lost commit may mean."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from dgspay.emulator.faults.kinds import Fault
from dgspay.emulator.http import Effect, Response
from dgspay.payouts import (
    Batch,
    BatchBusyError,
    Evidence,
    Learned,
    LedgerError,
    Pace,
    State,
    open_job,
)
from dgspay.payouts.ledger import FencedError
from dgspay.payouts.ledger.sql_batches import SCHEMA_VERSION
from dgspay.payouts.run.chunk_runner import Runner
from tests.payouts.ledger.test_contract import TERMS, payouts
from tests.support.crash_points import paid
from tests.support.cut_proxy import CutWire
from tests.support.sheet_factory import in_process, write_sheet

Postgres = tuple[str, Callable[[], None]]
NOT_SENT = Evidence(learned=Learned.NOT_SENT)


@pytest.fixture
def two(postgres_ledger_url: str) -> Iterator[tuple[Any, Any, Batch]]:
    """Two machines' ledgers on one server, and a batch of ten."""
    from dgspay.payouts import PostgresLedger

    with PostgresLedger(postgres_ledger_url) as one, PostgresLedger(postgres_ledger_url) as other:
        batch = one.load(Batch(name="b", digest="d", terms=TERMS), payouts(10))
        one.start("b")
        yield one, other, batch


@pytest.mark.acceptance(53, "two-workers")
def test_a_worker_that_woke_up_again_is_fenced(two: tuple[Any, Any, Batch]) -> None:
    one, other, batch = two
    chunk = one.claim(batch, 0, 1, 10)
    assert [payout.number for payout in one.take(chunk, after=0, limit=4)] == [1, 2, 3, 4]
    taken_over = other.claim(batch, 0, 1, 10)
    with pytest.raises(FencedError):
        one.take(chunk, after=4, limit=4)
    assert not one.may_send(chunk)
    assert other.may_send(taken_over)
    # What the first may have sent is held, and the second gets the rest.
    assert other.counts("b").count(State.HELD) == 4
    rest = other.take(taken_over, after=0, limit=99)
    assert [payout.number for payout in rest] == [*range(5, 11)]
    # What the first still learns counts all the same.
    one.post(batch, 1, Evidence(learned=Learned.ACCEPTED, dgs_reference="DGS1"))
    one.flush()
    assert other.find_by_dgs_reference("DGS1") == ("b", 1)
    assert other.counts("b").count(State.ACCEPTED) == 1


@pytest.mark.acceptance(53, "two-workers")
def test_a_worker_with_other_chunks_of_the_batch_fences_off_the_first(
    two: tuple[Any, Any, Batch],
) -> None:
    one, other, batch = two
    chunk = one.claim(batch, 1, 6, 10)
    other.claim(batch, 0, 1, 10)
    with pytest.raises(FencedError):
        one.take(chunk, after=0, limit=4)


@pytest.mark.acceptance(53, "two-workers")
def test_two_that_cut_the_batch_differently_at_once_do_not_both_have_it(
    two: tuple[Any, Any, Batch], payout_postgres: Postgres
) -> None:
    import psycopg

    one, other, batch = two
    connection = one._writer.run(lambda connection: connection)
    commit = connection.commit
    claimed: list[Any] = []
    claiming = threading.Thread(target=lambda: claimed.append(other.claim(batch, 0, 1, 5)))

    def commit_while_the_other_claims() -> None:
        connection.commit = commit
        claiming.start()
        until = time.monotonic() + 60
        with psycopg.connect(payout_postgres[0], autocommit=True) as looking:
            while claiming.is_alive() and time.monotonic() < until:
                if looking.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
                    break
        commit()

    connection.commit = commit_while_the_other_claims
    chunk = one.claim(batch, 0, 1, 10)
    claiming.join()
    assert other.may_send(claimed[0])
    assert not one.may_send(chunk)


def test_a_pause_stops_every_machine(two: tuple[Any, Any, Batch]) -> None:
    from dgspay.payouts.ledger import PausedError

    one, other, batch = two
    chunk = one.claim(batch, 0, 1, 10)
    other.pause("b", "enough")
    with pytest.raises(PausedError):
        one.take(chunk, after=0, limit=4)


def test_a_server_that_restarts_is_waited_for(
    two: tuple[Any, Any, Batch], payout_postgres: Postgres
) -> None:
    one, _, batch = two
    _, restart = payout_postgres
    chunk = one.claim(batch, 0, 1, 10)
    assert len(one.take(chunk, after=0, limit=4)) == 4
    one.post(batch, 1, Evidence(learned=Learned.ACCEPTED, dgs_reference="DGS1"))
    restart()
    one.post(batch, 2, Evidence(learned=Learned.ACCEPTED, dgs_reference="DGS2"))
    assert len(one.take(chunk, after=4, limit=4)) == 4
    assert one.counts("b").count(State.ACCEPTED) == 2


@pytest.mark.acceptance(52, "killed-run", 53, "two-workers")
def test_never_left_counts_only_from_the_holder_of_the_chunk(
    two: tuple[Any, Any, Batch],
) -> None:
    one, other, batch = two
    chunk = one.claim(batch, 0, 1, 10)
    one.take(chunk, after=0, limit=1)
    one.post(batch, 1, NOT_SENT, chunk=chunk)
    one.flush()
    taken_over = other.claim(batch, 0, 1, 10)
    assert [payout.number for payout in other.take(taken_over, after=0, limit=1)] == [1]
    # The first did not hear of its commit, and says it again while the second is sending.
    one.post(batch, 1, NOT_SENT, chunk=chunk)
    one.flush()
    assert other.record("b", 1).state is State.IN_DOUBT
    other.post(batch, 1, NOT_SENT, chunk=taken_over)
    other.flush()
    assert other.record("b", 1).state is State.NEW


@pytest.mark.acceptance(53, "two-workers", 105, "slow-pace-stop")
def test_a_worker_presumed_dead_may_report_that_its_payouts_never_left(
    two: tuple[Any, Any, Batch],
) -> None:
    one, other, batch = two
    chunk = one.claim(batch, 0, 1, 10)
    one.take(chunk, after=0, limit=3)
    taken_over = other.claim(batch, 0, 1, 10)
    assert other.counts("b").count(State.HELD) == 3
    # The first was sent; the second had not left, nor had the third.
    for _ in range(2):
        one.post(batch, 2, NOT_SENT, chunk=chunk)
        one.flush()
        assert [record.state for record in one.page("b", last=3)] == [
            State.HELD,
            State.NEW,
            State.HELD,
        ]
    # Since then another one has sent it, and that one is not spoken for.
    assert [payout.number for payout in other.take(taken_over, after=0, limit=1)] == [2]
    one.post(batch, 2, NOT_SENT, chunk=chunk)
    one.flush()
    assert other.record("b", 2).state is State.IN_DOUBT
    one.claim(batch, 0, 1, 10)
    one.post(batch, 2, NOT_SENT, chunk=chunk)
    one.flush()
    assert other.record("b", 2).state is State.HELD


@pytest.mark.acceptance(105, "slow-pace-stop")
def test_what_is_known_of_a_payout_outlives_that_it_is_said_not_to_have_left(
    two: tuple[Any, Any, Batch],
) -> None:
    one, other, batch = two
    chunk = one.claim(batch, 0, 1, 10)
    one.take(chunk, after=0, limit=2)
    other.claim(batch, 0, 1, 10)
    other.settle(batch, 1, Evidence(learned=Learned.LOST, dgs_reference="DGS1"))
    other.settle(batch, 2, Evidence(learned=Learned.PAID, dgs_reference="DGS2"))
    for number in (1, 2):
        one.post(batch, number, NOT_SENT, chunk=chunk)
    one.flush()
    assert [record.state for record in one.page("b", last=2)] == [State.HELD, State.CONFIRMED]


@pytest.mark.acceptance(53, "two-workers", 58, "contradicting-evidence")
def test_an_event_that_overtakes_the_taking_up_keeps_its_row_from_being_sent(
    two: tuple[Any, Any, Batch],
) -> None:
    one, other, batch = two
    chunk = one.claim(batch, 0, 1, 10)
    event = Evidence(learned=Learned.PAID, dgs_reference="DGS3")
    connection = one._writer.run(lambda connection: connection)
    query = connection.query
    done: list[Any] = []

    def query_and_be_overtaken(statement: str, values: Any) -> Any:
        rows = query(statement, values)
        if "LIMIT" in statement and not done:
            done.append(other.settle(batch, 3, event))
        return rows

    connection.query = query_and_be_overtaken
    assert [payout.number for payout in one.take(chunk, after=0, limit=4)] == [1, 2, 4]
    assert one.record("b", 3).state is State.CONFIRMED


@pytest.mark.acceptance(52, "killed-run")
def test_rows_of_a_commit_whose_answer_was_lost_are_held_and_not_sent(
    two: tuple[Any, Any, Batch], payout_postgres: Postgres, tmp_path: Path
) -> None:
    from dgspay.payouts import PostgresLedger

    url, _ = payout_postgres
    _, other, batch = two
    with CutWire(url, tmp_path) as wire, PostgresLedger(wire.url) as ledger:
        chunk = ledger.claim(batch, 0, 1, 10)
        wire.cut_after(b"COMMIT")
        # The server has committed 1 to 4; what the run gets instead are the next ones.
        assert [p.number for p in ledger.take(chunk, after=0, limit=4)] == [5, 6, 7, 8]
        assert wire.cuts == 1
        assert other.counts("b").count(State.IN_DOUBT) == 8
        for number in (5, 6, 7, 8):
            accepted = Evidence(learned=Learned.ACCEPTED, dgs_reference=f"DGS{number}")
            ledger.post(batch, number, accepted, chunk=chunk)
        ledger.finish(chunk)
    states = {record.payout.number: record.state for record in other.page("b")}
    assert {n for n, state in states.items() if state is State.HELD} == {1, 2, 3, 4}
    assert {n for n, state in states.items() if state is State.NEW} == {9, 10}


def test_a_run_whose_machine_died_keeps_others_out_for_as_long_as_its_lease(
    two: tuple[Any, Any, Batch], payout_postgres: Postgres
) -> None:
    import psycopg

    one, other, _ = two
    with contextlib.ExitStack() as dead:
        dead.enter_context(one.only_run("b"))
        with pytest.raises(BatchBusyError, match="30 s ago"), other.only_run("b"):
            pytest.fail("two runs at once")
        with psycopg.connect(payout_postgres[0], autocommit=True) as server:
            server.execute("UPDATE dgspay_payout_runs SET until = clock_timestamp()")
        # The first one is still there, and does not get it back while the other has it.
        with other.only_run("b"), pytest.raises(BatchBusyError), one.only_run("b"):
            pytest.fail("two runs at once")
    with other.only_run("b"):  # the server's clock was an hour ahead for a while
        with psycopg.connect(payout_postgres[0], autocommit=True) as server:
            server.execute("UPDATE dgspay_payout_runs SET until = until + interval '1 hour'")
        with one.only_run("b"):
            pass


@pytest.mark.acceptance(52, "killed-run")
def test_commits_are_on_disk_whatever_the_default_of_the_server(
    payout_postgres: Postgres, two: tuple[Any, Any, Batch]
) -> None:
    import psycopg

    from dgspay.payouts import PostgresLedger

    url, _ = payout_postgres
    ask = "SELECT current_setting('synchronous_commit')"
    with psycopg.connect(url, autocommit=True) as connection:
        for setting, used in (("off", "on"), ("local", "on"), ("remote_apply", "remote_apply")):
            connection.execute(f"ALTER ROLE shop SET synchronous_commit = {setting}".encode())
            try:
                with PostgresLedger(url) as ledger:
                    found = ledger._writer.run(lambda connection: connection.query(ask, ()))
            finally:
                connection.execute("ALTER ROLE shop RESET synchronous_commit")
            assert found == [(used,)]


def test_every_wait_for_the_server_has_a_bound_unless_its_string_has_one() -> None:
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    from psycopg.conninfo import conninfo_to_dict

    from dgspay.postgres.connections import bounded

    found = conninfo_to_dict(bounded("postgresql://h/d?connect_timeout=3"))
    assert (found["connect_timeout"], found["tcp_user_timeout"]) == ("3", "25000")
    assert found["target_session_attrs"] == "read-write"


def test_a_ledger_of_another_version_is_refused(
    two: tuple[Any, Any, Batch], payout_postgres: Postgres
) -> None:
    import psycopg

    from dgspay.payouts import PostgresLedger

    url, _ = payout_postgres
    mark = "COMMENT ON TABLE dgspay_payout_states IS 'dgspay payout ledger {}'"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(mark.format(9).encode())
        try:
            with pytest.raises(LedgerError, match="another version"):
                PostgresLedger(url)
        finally:
            connection.execute(mark.format(SCHEMA_VERSION).encode())


class _Leap:
    """A clock that leaps on demand."""

    leap = 0.0

    def monotonic(self) -> float:
        return time.monotonic()

    def time(self) -> float:
        return time.time() + self.leap


@pytest.mark.acceptance(53, "two-workers")
@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_who_wakes_up_with_payouts_in_hand_sends_none_that_another_one_has(
    postgres_ledger_url: str, tmp_path: Path
) -> None:
    from dgspay.payouts import PostgresLedger

    clock = _Leap()
    sheet = write_sheet(tmp_path / "salaries.csv", 40)
    with PostgresLedger(postgres_ledger_url) as one, PostgresLedger(postgres_ledger_url) as other:
        with in_process() as (emulator, dgs):
            async with open_job(dgs, one, sheet) as job:
                await job.start()
                chunk = one.claim(job.batch, 0, 1, 40)

                class TakenOver(Fault):
                    def afterwards(self, answer: Response) -> tuple[Effect, ...]:
                        other.claim(job.batch, 0, 1, 40)
                        clock.leap = 3600.0
                        return super().afterwards(answer)

                emulator.faults.add("POST /disburse", TakenOver())
                runner = Runner(dgs, one, pace=Pace(concurrency=1), clock=clock)
                with pytest.raises(FencedError), anyio.fail_after(60):
                    await runner.run(chunk)
                taken = one.counts("salaries")
            assert (len(emulator.executed), set(paid(emulator).values())) == (1, {1})
        # The one that was sent has its answer, and nothing was taken up that has not left.
        assert taken.count(State.ACCEPTED) == 1
        assert taken.count(State.NEW) == 39

"""Behind PgBouncer, which lends each transaction another connection of the server."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import pytest

from dgspay.payouts import (
    AsyncPayouts,
    Batch,
    BatchBusyError,
    ChunkPayer,
    Evidence,
    Learned,
    LedgerError,
    Payout,
    PostgresLedger,
    State,
    Stop,
    Terms,
)
from tests.support.crash_points import paid
from tests.support.poolers import poolers
from tests.support.sheet_factory import in_process, write_sheet

TERMS = Terms(environment="emulator", base_url="http://127.0.0.1:1", account_number="ACC-1")


@pytest.fixture
def pooler(postgres_ledger_url: str) -> Iterator[Callable[[int], str]]:
    """Starts a PgBouncer with so many connections of the server, and gives its URL."""
    with poolers(Path(postgres_ledger_url.partition("host=")[2])) as start:
        yield start


def loaded(ledger: PostgresLedger, name: str, count: int) -> Batch:
    payouts = [
        Payout(number=n, reference=f"r{n}", amount=1000, account=str(n))
        for n in range(1, count + 1)
    ]
    batch = ledger.load(
        Batch(name=name, digest="d", terms=TERMS, period=name, repeat_days=0), payouts
    )
    ledger.start(name)
    return batch


@pytest.mark.acceptance(53, "two-workers")
def test_a_pooler_does_not_lend_the_lock_of_a_run_to_another(pooler: Callable[[int], str]) -> None:
    url = pooler(4)
    with PostgresLedger(url) as one, PostgresLedger(url) as two:
        with one.only_run("b"), pytest.raises(BatchBusyError), two.only_run("b"):
            pytest.fail("two runs at once")
        with two.only_run("b"):  # and gives it back
            pass


@pytest.mark.acceptance(52, "killed-run")
def test_what_a_pooler_lends_still_commits_to_the_disk(pooler: Callable[[int], str]) -> None:
    """Another program, on the same connection of the server, did not care."""
    import psycopg

    url = pooler(1)
    with PostgresLedger(url) as ledger:
        with psycopg.connect(url, autocommit=True) as other:
            other.execute("SET synchronous_commit = off")

        def asked(connection: object) -> str:
            ((setting,),) = connection.query("SHOW synchronous_commit", ())  # type: ignore[attr-defined]
            return str(setting)

        assert ledger._writer.run(asked) == "on"


@pytest.mark.acceptance(53, "two-workers")
def test_two_ledgers_behind_a_pooler_lose_nothing(pooler: Callable[[int], str]) -> None:
    url = pooler(2)
    with PostgresLedger(url) as one, PostgresLedger(url) as two:
        batches = {
            name: (ledger, loaded(ledger, name, 60)) for name, ledger in (("a", one), ("b", two))
        }
        chunks = {name: ledger.claim(b, 0, 1, 60) for name, (ledger, b) in batches.items()}
        for _ in range(20):
            for name, (ledger, batch) in batches.items():
                for payout in ledger.take(chunks[name], after=0, limit=3):
                    named = Evidence(
                        learned=Learned.ACCEPTED, dgs_reference=f"{name}{payout.number}"
                    )
                    ledger.post(batch, payout.number, named, chunk=chunks[name])
        for name, (ledger, _) in batches.items():
            ledger.flush()
            assert ledger.counts(name).by_state == {State.ACCEPTED: (60, 60_000)}


@pytest.mark.acceptance(53, "two-workers", 101, "database-trouble")
@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_run_and_a_worker_behind_a_pooler_pay_and_leave_nothing_on_its_connections(
    pooler: Callable[[int], str], postgres_ledger_url: str, tmp_path: Path
) -> None:
    """Whatever is set, prepared or listened to there belongs to other applications next."""
    import psycopg

    from dgspay.payouts import PgQueuerEngine

    url = pooler(3)
    asked = (
        "SELECT current_setting('idle_in_transaction_session_timeout'), "
        "current_setting('synchronous_commit'), current_setting('tcp_keepalives_idle'), "
        "(SELECT count(*) FROM pg_prepared_statements), "
        "(SELECT count(*) FROM pg_listening_channels())"
    )
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as other:
        before = other.execute(asked).fetchone()
    sheet = write_sheet(tmp_path / "salaries.csv", 300)
    with in_process() as (emulator, dgs), PostgresLedger(url) as ledger:
        async with anyio.create_task_group() as group:
            with PostgresLedger(url) as elsewhere:
                stop = Stop()
                worker = ChunkPayer(dgs, elsewhere, stop=stop)
                group.start_soon(PgQueuerEngine(url).work, worker, stop)
                with anyio.fail_after(120):
                    summary = await AsyncPayouts(dgs, ledger).run(
                        sheet, settle_within=0, engine=PgQueuerEngine(url)
                    )
                    assert (summary.unsent, summary.in_doubt) == (0, 0)
                stop.set()
                group.cancel_scope.deadline = anyio.current_time() + 60
        assert list(paid(emulator).values()) == [1] * 300
    # Each of the pooler's connections, at once.
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            other = stack.enter_context(psycopg.connect(url, prepare_threshold=None))
            assert other.execute(asked).fetchone() == before


@pytest.mark.acceptance(101, "database-trouble")
def test_an_unforeseen_refusal_is_quoted_from_the_pooler(
    pooler: Callable[[int], str],
) -> None:
    with pytest.raises(LedgerError, match=r"cannot be reached \(bouncer config error\)"):
        PostgresLedger(pooler(1).replace("/postgres", "/payrol"))

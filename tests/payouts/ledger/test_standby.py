"""A PostgreSQL that went back in time: a standby that lacks commits took over, or a backup did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dgspay.payouts import (
    AsyncPayouts,
    Batch,
    ChunkPayer,
    ChunkRef,
    Evidence,
    Learned,
    LedgerError,
    PreflightError,
    State,
    WentBackError,
    open_job,
)
from dgspay.payouts.ledger import FencedError, PausedError
from dgspay.payouts.ledger.backups import confirm_compared
from tests.payouts.ledger.test_contract import TERMS, payouts
from tests.support.crash_points import paid
from tests.support.sheet_factory import in_process, write_sheet

pytestmark = [pytest.mark.acceptance(52, "killed-run", 99, "lost-history")]

Sql = Callable[..., list[tuple[Any, ...]]]
TABLES = (
    "dgspay_payout_sessions",
    "dgspay_payout_states",
    "dgspay_payout_batches",
    "dgspay_payouts",
    "dgspay_payout_chunk_epochs",
    "dgspay_payout_claims",
    "dgspay_payout_shared_claims",
)
OTHER_TIMELINE = "UPDATE dgspay_payout_ledger SET timeline = timeline - 1"


@pytest.fixture
def sql(postgres_ledger_url: str) -> Iterator[Sql]:
    import psycopg

    with psycopg.connect(postgres_ledger_url, autocommit=True) as connection:

        def ask(statement: str) -> list[tuple[Any, ...]]:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

        yield ask


@pytest.fixture
def ledger(postgres_ledger_url: str) -> Iterator[Any]:
    from dgspay.payouts import PostgresLedger

    with PostgresLedger(postgres_ledger_url) as ledger:
        yield ledger


def loaded(ledger: Any, name: str = "b") -> Batch:
    batch: Batch = ledger.load(Batch(name=name, digest="d", terms=TERMS), payouts(10))
    ledger.start(name)
    return batch


def keep(sql: Sql) -> Callable[[], None]:
    """Keep the ledger as it is now; return what brings it back, as a backup or a standby does."""
    for table in TABLES:
        sql(f"DROP TABLE IF EXISTS kept_{table}")
        sql(f"CREATE TABLE kept_{table} AS TABLE {table}")

    def bring_back() -> None:
        for table in TABLES:
            sql(f"TRUNCATE {table}")
            sql(f"INSERT INTO {table} SELECT * FROM kept_{table}")
            sql(f"DROP TABLE kept_{table}")

    return bring_back


def test_the_very_process_that_took_rows_up_holds_what_may_have_been_sent(
    ledger: Any, sql: Sql
) -> None:
    batch = loaded(ledger)
    chunk = ledger.claim(batch, 0, 1, 10)
    bring_back = keep(sql)
    assert len(ledger.take(chunk, after=0, limit=4)) == 4
    bring_back()
    # What had been sent and is answered now is taken in; nothing more is handed out.
    ledger.post(batch, 1, Evidence(learned=Learned.ACCEPTED, dgs_reference="DGS1"))
    with pytest.raises(PausedError):
        ledger.take(chunk, after=4, limit=4)
    counts = ledger.counts("b")
    assert (counts.count(State.ACCEPTED), counts.count(State.HELD)) == (1, 9)
    assert "lacks commits it once had" in ledger.batch("b").paused


@pytest.mark.parametrize("meanwhile", ["nothing was seen", "another process saw"])
def test_a_later_process_of_this_machine_notices_by_its_note(
    ledger: Any, sql: Sql, postgres_ledger_url: str, meanwhile: str
) -> None:
    from dgspay.payouts import PostgresLedger

    batch = loaded(ledger)
    bring_back = keep(sql)
    ledger.take(ledger.claim(batch, 0, 1, 10), after=0, limit=4)
    bring_back()
    for _ in range(2 if meanwhile == "another process saw" else 1):
        with PostgresLedger(postgres_ledger_url) as later:
            assert later.counts("b").count(State.HELD) == 10
    ((losses,),) = sql("SELECT losses FROM dgspay_payout_ledger")
    assert losses == 1


def test_another_timeline_is_a_failover_though_this_process_lost_nothing(
    ledger: Any, sql: Sql
) -> None:
    """Others may have lost something: who cannot know holds."""
    batch = loaded(ledger)
    chunk = ledger.claim(batch, 0, 1, 10)
    sql(OTHER_TIMELINE)
    with pytest.raises(PausedError):
        ledger.take(chunk, after=0, limit=4)
    assert ledger.counts("b").count(State.HELD) == 10


def test_another_machine_that_never_saw_the_old_server_notices_too(
    ledger: Any,
    sql: Sql,
    postgres_ledger_url: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    from dgspay.payouts import PostgresLedger

    batch = loaded(ledger)
    sql(OTHER_TIMELINE)
    monkeypatch.setenv("DGSPAY_STATE_FOLDER", str(tmp_path))
    with PostgresLedger(postgres_ledger_url) as stranger, pytest.raises(PausedError):
        stranger.take(stranger.claim(batch, 0, 1, 10), after=0, limit=4)
    assert ledger.counts("b").count(State.HELD) == 10


def test_a_failover_that_lost_nothing_by_synchronous_replication_goes_on(
    ledger: Any, sql: Sql
) -> None:
    batch = loaded(ledger)
    sql("UPDATE dgspay_payout_ledger SET synchronous = 1")
    sql(OTHER_TIMELINE)
    chunk = ledger.claim(batch, 0, 1, 10)
    assert len(ledger.take(chunk, after=0, limit=4)) == 4
    assert sql("SELECT losses FROM dgspay_payout_ledger") == [(0,)]


def test_whether_commits_wait_for_a_standby_is_written_down(ledger: Any, sql: Sql) -> None:
    loaded(ledger)
    known = "SELECT synchronous FROM dgspay_payout_ledger"
    assert sql(known) == [(0,)]
    # For the asking connection alone: a real standby would have to be there.
    sql("UPDATE dgspay_payout_ledger SET synchronous = 1")
    ledger.start("b")
    assert sql(known) == [(0,)]


def test_a_failover_is_noticed_without_the_right_to_ask_for_the_timeline(
    sql: Sql, postgres_ledger_url: str
) -> None:
    from dgspay.payouts import PostgresLedger

    told = (
        "pg_walfile_name(pg_lsn)",
        "pg_control_system()",
    )
    for function in told:
        sql(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC")
    sql("CREATE ROLE plain LOGIN")
    sql("GRANT ALL ON ALL TABLES IN SCHEMA public TO plain; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO plain; GRANT CREATE ON SCHEMA public TO plain")  # fmt: skip  # noqa: E501
    try:
        with PostgresLedger(postgres_ledger_url.replace("shop@", "plain@")) as ledger:
            batch = loaded(ledger)
            chunk = ledger.claim(batch, 0, 1, 10)
            bring_back = keep(sql)
            assert len(ledger.take(chunk, after=0, limit=4)) == 4
            bring_back()
            with pytest.raises(PausedError):
                ledger.take(chunk, after=4, limit=4)
            assert ledger.counts("b").count(State.HELD) == 10
    finally:
        for function in told:
            sql(f"GRANT EXECUTE ON FUNCTION {function} TO PUBLIC")
        sql("DROP OWNED BY plain")
        sql("DROP ROLE plain")


def test_a_batch_that_the_standby_lacks_is_not_paid_again_blindly(ledger: Any, sql: Sql) -> None:
    bring_back = keep(sql)
    batch = loaded(ledger)
    chunk = ledger.claim(batch, 0, 1, 10)
    assert len(ledger.take(chunk, after=0, limit=4)) == 4
    bring_back()
    with pytest.raises(FencedError):
        ledger.take(chunk, after=4, limit=4)
    fresh = Batch(name="b", digest="d", terms=TERMS)
    with pytest.raises(WentBackError):
        ledger.load(fresh, payouts(10))
    again = ledger.load(fresh, payouts(10))
    with pytest.raises(PreflightError, match=r"may have been paid already.*--compared"):
        ledger.start("b")
    confirm_compared(ledger)
    ledger.start("b")
    assert again.id


def test_tables_that_were_emptied_under_a_process_hand_nothing_out(ledger: Any, sql: Sql) -> None:
    batch = loaded(ledger)
    chunk = ledger.claim(batch, 0, 1, 10)
    sql("TRUNCATE dgspay_payout_ledger, dgspay_payout_sessions")
    with pytest.raises(LedgerError, match="emptied or removed"):
        ledger.take(chunk, after=0, limit=4)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_run_that_loses_its_server_to_an_older_one_pays_nobody_twice(
    ledger: Any, sql: Sql, tmp_path: Path
) -> None:
    sheet = write_sheet(tmp_path / "salaries.csv", 30)
    with in_process() as (emulator, dgs):
        async with open_job(dgs, ledger, sheet) as job:
            await job.start()
        bring_back = keep(sql)
        payer = ChunkPayer(dgs, ledger)
        assert await payer(ChunkRef(batch="salaries", index=0, first=1, last=12)) is None
        bring_back()
        assert await payer(ChunkRef(batch="salaries", index=1, first=13, last=30)) is not None
        summary = await AsyncPayouts(dgs, ledger).run(sheet, settle_within=0)
        assert (summary.unsent, summary.in_doubt) == (0, 30)
        assert list(paid(emulator).values()) == [1] * 12

"""A PostgreSQL in trouble: workers recover or end loudly, and never eat a chunk."""

from __future__ import annotations

import contextlib
import logging
import random
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import attrs
import httpx
import pytest

from dgspay.emulator import Emulator
from dgspay.emulator.faults.kinds import Fault
from dgspay.emulator.http import Effect, Response
from dgspay.payouts import (
    AsyncPayouts,
    Batch,
    ChunkPayer,
    ChunkRef,
    Evidence,
    Learned,
    LedgerError,
    Pace,
    State,
    Stop,
    open_job,
)
from dgspay.webhooks import SIGNATURE_HEADER, sign
from tests.payouts.ledger.test_contract import TERMS, payouts
from tests.payouts.settle.test_webhooks import event_of
from tests.support.crash_points import environ_of, finish, paid, start
from tests.support.cut_proxy import CutWire
from tests.support.sheet_factory import in_process, payments, write_sheet

pytestmark = [pytest.mark.acceptance(101, "database-trouble"), pytest.mark.anyio]

FULL = """
CREATE OR REPLACE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN RAISE EXCEPTION 'disk full' USING errcode = '53100'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON dgspay_payout_states
EXECUTE FUNCTION full_disk()
"""
ROOM = "DROP FUNCTION IF EXISTS full_disk CASCADE"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"  # PgQueuer knows no other


@pytest.fixture
def sql(postgres_ledger_url: str) -> Iterator[Callable[[str], list[tuple[Any, ...]]]]:
    import psycopg

    with psycopg.connect(postgres_ledger_url, autocommit=True) as connection:

        def ask(statement: str) -> list[tuple[Any, ...]]:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

        yield ask
        ask(ROOM)


@pytest.fixture
def ledger(postgres_ledger_url: str) -> Iterator[Any]:
    from dgspay.payouts import PostgresLedger

    with PostgresLedger(postgres_ledger_url, patience=2) as ledger:
        yield ledger


@attrs.frozen
class Then(Fault):
    """Does something once a request was carried out."""

    do: Callable[[], object]

    def afterwards(self, answer: Response) -> tuple[Effect, ...]:
        self.do()
        return super().afterwards(answer)


def loaded(ledger: Any) -> Batch:
    batch: Batch = ledger.load(Batch(name="b", digest="d", terms=TERMS), payouts(10))
    ledger.start("b")
    return batch


async def test_a_disk_that_is_full_for_a_while_costs_no_answer_and_no_chunk(
    ledger: Any, sql: Any, postgres_ledger_url: str, tmp_path: Path
) -> None:
    from dgspay.payouts import PgQueuerEngine

    sheet = write_sheet(tmp_path / "salaries.csv", 40)
    with in_process() as (emulator, dgs):
        async with open_job(dgs, ledger, sheet) as job:
            await job.start()
        await PgQueuerEngine(postgres_ledger_url).submit(
            [
                ChunkRef(batch="salaries", index=n, first=20 * n + 1, last=20 * n + 20)
                for n in (0, 1)
            ]
        )
        emulator.faults.add("POST /disburse", Then(lambda: sql(FULL)), times=1)

        class MakesRoom(logging.Handler):
            """There is room again once the worker has met the full disk."""

            def emit(self, record: logging.LogRecord) -> None:
                sql(ROOM)

        handler = MakesRoom()
        logging.getLogger("dgspay.payouts").addHandler(handler)
        try:
            with anyio.fail_after(60):
                # An engine that has submitted nothing: a worker as on another machine.
                await PgQueuerEngine(postgres_ledger_url).work(
                    ChunkPayer(dgs, ledger), Stop(), until_idle=True
                )
        finally:
            logging.getLogger("dgspay.payouts").removeHandler(handler)
        assert sql("SELECT count(*) FROM pgqueuer WHERE status = 'failed'") == [(0,)]
        assert ledger.counts("salaries").count(State.ACCEPTED) == 40
        assert list(paid(emulator).values()) == [1] * 40


async def test_a_disk_that_stays_full_ends_the_run_and_leaves_the_chunk_to_the_next(
    ledger: Any, sql: Any, postgres_ledger_url: str, tmp_path: Path
) -> None:
    from dgspay.payouts import PgQueuerEngine

    sheet = write_sheet(tmp_path / "salaries.csv", 10)
    with in_process() as (emulator, dgs):
        async with open_job(dgs, ledger, sheet) as job:
            await job.start()
        engine = PgQueuerEngine(postgres_ledger_url, patience=0.5)
        await engine.submit([ChunkRef(batch="salaries", index=0, first=1, last=10)])
        sql(FULL)
        with pytest.raises(LedgerError, match="DiskFull"), anyio.fail_after(60):
            await engine.work(ChunkPayer(dgs, ledger), Stop(), until_idle=True)
        assert not emulator.executed
        sql(ROOM)
        summary = await AsyncPayouts(dgs, ledger).run(sheet, settle_within=0, engine=engine)
        assert (summary.unsent, len(emulator.executed)) == (0, 10)


async def test_a_run_pays_its_own_batch_and_waits_for_no_other(
    ledger: Any, sql: Any, postgres_ledger_url: str, tmp_path: Path
) -> None:
    from dgspay.payouts import PgQueuerEngine

    own = write_sheet(tmp_path / "own.csv", 5)
    others = [{**row, "amount": str(9000 + number)} for number, row in enumerate(payments(5))]
    other = write_sheet(
        tmp_path / "other.csv", [{**row, "reference": f"o{row['reference']}"} for row in others]
    )
    with in_process() as (emulator, dgs):
        async with open_job(dgs, ledger, other) as job:
            await job.start()
        await PgQueuerEngine(postgres_ledger_url).submit(
            [ChunkRef(batch="other", index=0, first=1, last=5)]
        )
        with anyio.fail_after(60):
            summary = await AsyncPayouts(dgs, ledger).run(
                own, settle_within=0, engine=PgQueuerEngine(postgres_ledger_url)
            )
        assert (summary.batch, summary.unsent, summary.paused) == ("own", 0, None)
        assert ledger.counts("other").count(State.NEW) == 5
        assert len(emulator.executed) == 5
        assert sql("SELECT status::text FROM pgqueuer") == [("queued",)]


def test_answers_outlast_a_server_that_is_away_longer_than_any_timeout(
    postgres_ledger_url: str, tmp_path: Path
) -> None:
    from dgspay.payouts import PostgresLedger

    with (
        CutWire(postgres_ledger_url, tmp_path) as wire,
        PostgresLedger(wire.url, patience=0.1, answer_within=0.5) as ledger,
        PostgresLedger(postgres_ledger_url) as elsewhere,
    ):
        batch = loaded(ledger)
        chunk = ledger.claim(batch, 0, 1, 10)
        assert len(ledger.take(chunk, after=0, limit=3)) == 3
        wire.fall_silent()
        ledger.post(batch, 1, Evidence(learned=Learned.ACCEPTED, dgs_reference="DGS1"))
        for _ in range(2):
            with pytest.raises(LedgerError, match="has not answered"):
                ledger.take(chunk, after=3, limit=3)
        ledger.post(batch, 2, Evidence(learned=Learned.ACCEPTED, dgs_reference="DGS2"))
        wire.flow_again()
        until = time.monotonic() + 60
        while elsewhere.counts("b").count(State.ACCEPTED) < 2:
            assert time.monotonic() < until
    # A row taken by an abandoned call is in doubt: held, and never sent.


def test_a_server_that_is_read_only_for_a_moment_is_waited_for(ledger: Any, sql: Any) -> None:
    batch = loaded(ledger)
    chunk = ledger.claim(batch, 0, 1, 10)
    sql("ALTER SYSTEM SET default_transaction_read_only = on")
    sql("SELECT pg_reload_conf()")
    try:
        until = time.monotonic() + 60
        while sql("SHOW default_transaction_read_only") != [("on",)]:
            assert time.monotonic() < until
        with pytest.raises(LedgerError, match="ReadOnlySqlTransaction"):
            ledger.take(chunk, after=0, limit=3)  # longer than its patience of two seconds
    finally:
        sql("SET default_transaction_read_only = off")
        sql("ALTER SYSTEM RESET default_transaction_read_only")
        sql("SELECT pg_reload_conf()")
    assert len(ledger.take(chunk, after=0, limit=3)) == 3


def test_a_listener_answers_503_within_seconds_while_its_database_is_away(
    postgres_ledger_url: str, tmp_path: Path
) -> None:
    from dgspay.payouts import PostgresLedger

    with PostgresLedger(postgres_ledger_url) as ledger:
        batch = loaded(ledger)
        ledger.take(ledger.claim(batch, 0, 1, 10), after=0, limit=1)
    with Emulator() as emulator, CutWire(postgres_ledger_url, tmp_path) as wire:
        environ = environ_of(emulator, "http://127.0.0.1:9")
        body, _ = event_of("DGS1")
        headers = {SIGNATURE_HEADER: sign(body, emulator.webhook_secret)}
        listener = start("listen", "--port", "0", "--ledger", wire.url, environ=environ)
        try:
            assert listener.stderr is not None
            found = re.search(r"http://[\d.:]+", listener.stderr.readline())
            assert found is not None
            address = f"{found.group()}/p/b/1/{batch.token_of(1)}"

            def deliver() -> int:
                return httpx.post(address, content=body, headers=headers, timeout=9).status_code

            wire.fall_silent()
            assert deliver() == 503
            wire.flow_again()
            assert deliver() == 200
        finally:
            listener.send_signal(signal.SIGTERM)
            said = finish(listener, [0])
    assert "asked for again" in said
    assert "confirmed" in said


async def test_clocks_that_jump_by_an_hour_again_and_again(
    tmp_path: Path, postgres_ledger_url: str
) -> None:
    from dgspay.payouts import PostgresLedger

    chance = random.Random(101)
    sheet = write_sheet(tmp_path / "salaries.csv", 600)

    def jumping() -> float:
        return time.time() + chance.choice((-3600, 0, 3600))

    with in_process() as (emulator, dgs):
        with (
            PostgresLedger(postgres_ledger_url, clock=jumping) as one,
            PostgresLedger(postgres_ledger_url, clock=jumping) as two,
        ):
            payouts = AsyncPayouts(dgs, one)
            async with payouts.open(sheet) as job:
                await job.start()
            listed = await payouts.chunks("salaries", 50)
            payers = [ChunkPayer(dgs, ledger, pace=Pace(concurrency=4)) for ledger in (one, two)]
            async with anyio.create_task_group() as group:
                for payer in payers:
                    for ref in chance.sample(listed, len(listed)):
                        group.start_soon(payer, ref)
            for ref in listed:
                with contextlib.suppress(LedgerError):
                    await payers[0](ref)
        with PostgresLedger(postgres_ledger_url) as ledger:
            counts = ledger.counts("salaries")
        assert list(paid(emulator).values()) == [1] * 600
        assert counts.count(State.ACCEPTED, State.CONFIRMED) == 600

"""Mistakes of the people who run a batch: the wrong account, sheet, address, file or word."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from dgspay import DGSPay, errors
from dgspay.cli.signals import stop_signals
from dgspay.core.messages import Request, Response, Timeout
from dgspay.emulator import Emulator
from dgspay.emulator import http as emulated
from dgspay.emulator.faults.kinds import Fault
from dgspay.errors import ConfigError
from dgspay.payouts import (
    AsyncPayouts,
    Batch,
    BatchBusyError,
    BatchChangedError,
    ChunkPayer,
    ChunkRef,
    Evidence,
    Learned,
    LedgerError,
    Limits,
    NotInDoubtError,
    Pace,
    Payouts,
    PayoutWebhooks,
    PreflightError,
    Source,
    SqliteLedger,
    State,
    Stop,
    Terms,
    open_job,
)
from dgspay.payouts.run.limits import StopRule
from dgspay.transports.httpx import HttpxTransport
from dgspay.webhooks import sign
from tests.payouts.ledger.test_contract import payouts
from tests.support.crash_points import paid
from tests.support.sheet_factory import RICH, client_of, in_process, ledger_in, write_sheet

pytestmark = pytest.mark.anyio


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    return write_sheet(tmp_path / "salaries.csv", 40)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    with ledger_in(tmp_path) as ledger:
        yield ledger


# --- another account ----------------------------------------------------------------------

OTHERS: list[dict[str, Any]] = [
    {"account_number": "DGS-OTHER"},
    {"base_url": "http://127.0.0.1:1"},
    {"idempotency_header": "X-Idempotency-Key"},
    {"environment": "production", "base_url": None, "api_key": "sk_live_1234567890"},
]


@pytest.mark.acceptance(55, "edited-sheet")
@pytest.mark.parametrize("other", OTHERS, ids=[next(iter(other)) for other in OTHERS])
async def test_a_batch_is_paid_and_settled_only_from_its_own_account(
    sheet: Path, ledger: SqliteLedger, other: dict[str, Any]
) -> None:
    with in_process() as (emulator, dgs):
        async with open_job(dgs, ledger, sheet) as job:
            await job.start()
        transport = HttpxTransport(emulator.async_http_client())
        async with client_of(
            emulator, emulator.base_url, **{"transport": transport, **other}
        ) as stranger:
            chunk = ChunkRef(batch="salaries", index=0, first=1, last=40)
            with pytest.raises(BatchChangedError, match=f"another .*{next(iter(other))}"):
                await ChunkPayer(stranger, ledger)(chunk)
            with pytest.raises(BatchChangedError):
                await AsyncPayouts(stranger, ledger).run(sheet)
            with pytest.raises(BatchChangedError):
                _ = [found async for found in AsyncPayouts(stranger, ledger).reconcile("salaries")]
        assert not emulator.executed
        assert ledger.counts("salaries").count(State.NEW) == 40
        assert await ChunkPayer(dgs, ledger)(chunk) is None
        assert set(paid(emulator).values()) == {1}


@pytest.mark.acceptance(53, "two-workers")
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_worker_of_another_account_leaves_the_chunk_to_others(
    sheet: Path, postgres_ledger_url: str
) -> None:
    from dgspay.payouts import PgQueuerEngine, PostgresLedger

    with in_process() as (emulator, dgs), PostgresLedger(postgres_ledger_url) as ledger:
        async with open_job(dgs, ledger, sheet) as job:
            await job.start()
        engine = PgQueuerEngine(postgres_ledger_url)
        await engine.submit([ChunkRef(batch="salaries", index=0, first=1, last=40)])
        async with client_of(emulator, emulator.base_url, account_number="OTHER") as stranger:
            with anyio.fail_after(60):
                await PgQueuerEngine(postgres_ledger_url).work(
                    ChunkPayer(stranger, ledger), Stop(), until_idle=True
                )
        assert not emulator.executed
        with anyio.fail_after(60):
            await engine.work(ChunkPayer(dgs, ledger), Stop(), until_idle=True)
        assert len(emulator.executed) == 40


# --- the sheet again, under another name --------------------------------------------------


@pytest.mark.acceptance(55, "edited-sheet")
async def test_the_same_sheet_under_another_name_is_reported_before_anybody_is_paid_twice(
    sheet: Path, ledger: SqliteLedger, tmp_path: Path
) -> None:
    with in_process() as (emulator, dgs):
        own = AsyncPayouts(dgs, ledger)
        await own.run(sheet)
        copy = write_sheet(tmp_path / "salaries (1).csv", 40)
        with pytest.raises(PreflightError, match="batch 'salaries' has paid, or may have paid, 40"):
            await own.run(copy)
        assert set(paid(emulator).values()) == {1}


# --- a wrong address, and rows that are all refused ---------------------------------------


@pytest.mark.acceptance(57, "pause-and-full-disk")
async def test_a_run_of_the_same_refusal_pauses(sheet: Path, ledger: SqliteLedger) -> None:
    with in_process() as (emulator, dgs):
        emulator.faults.fail_next("POST /disburse", error_code="90", times=40)
        pace, limits = Pace(concurrency=2), Limits(refused_in_a_row=5)
        async with open_job(dgs, ledger, sheet, pace=pace, limits=limits) as job:
            summary = await job.run(settle_within=0)
        assert (summary.paused or "").startswith("5 payouts in a row were refused alike: ")
        assert 5 <= summary.counts.count(State.FAILED) <= 6
        assert summary.unsent == 40 - summary.counts.count(State.FAILED)
        assert not emulator.executed


def test_refusals_of_rows_for_what_they_are_do_not_pause() -> None:
    watch = StopRule(Limits(refused_in_a_row=2))
    for number in range(20):
        refused = Evidence(learned=Learned.REFUSED, reason=f"no account {number}")
        assert watch.look(refused, None) is None
    again = Evidence(learned=Learned.REFUSED, reason="closed")
    assert watch.look(again, None) is None
    assert watch.look(Evidence(learned=Learned.ACCEPTED), None) is None
    assert watch.look(again, None) is None
    assert watch.look(again, None) == "2 payouts in a row were refused alike: closed"


class _Answers:
    """A server that says the same to everything: a wrong address, or a proxy."""

    def __init__(self, status: int, body: bytes) -> None:
        self.response = Response(status=status, headers={}, body=body)

    async def send(self, request: Request, timeout: Timeout) -> Response:
        return self.response

    async def aclose(self) -> None:
        pass


@pytest.mark.acceptance(57, "pause-and-full-disk", 61, "unclear-refusal")
@pytest.mark.parametrize(
    ("status", "body"),
    [(404, b"<h1>Not Found</h1>"), (404, b'{"detail": "Not Found"}'), (405, b""), (403, b"no")],
)
async def test_behind_a_wrong_address_no_row_fails_and_the_run_pauses(
    sheet: Path, ledger: SqliteLedger, status: int, body: bytes
) -> None:
    with Emulator() as emulator:
        transport = _Answers(status, body)
        async with (
            client_of(emulator, "http://127.0.0.1:1", transport=transport) as dgs,
            open_job(dgs, ledger, sheet, pace=Pace(concurrency=2)) as job,
        ):
            summary = await job.run(settle_within=0)
    # A proxy may have made the page of an answer, after the payment: what was sent is held.
    assert summary.paused == "the answers of 10 payouts in a row were lost"
    assert summary.counts.count(State.FAILED) == 0
    assert 10 <= summary.counts.count(State.HELD) <= 12
    assert summary.unsent == 40 - summary.counts.count(State.HELD)


# --- the ledger taken away ----------------------------------------------------------------


async def test_a_row_in_doubt_says_what_happened_and_not_what_a_programmer_should_do(
    sheet: Path, ledger: SqliteLedger
) -> None:
    with in_process() as (emulator, dgs):
        emulator.faults.lose_answer("POST /disburse")
        async with open_job(dgs, ledger, sheet) as job:
            await job.run(settle_within=0)
    (held,) = ledger.page("salaries", states=(State.HELD,))
    assert held.reason == "The connection ended before a whole answer had come."


@pytest.mark.acceptance(57, "pause-and-full-disk")
@pytest.mark.parametrize("how", ["deleted", "replaced"])
async def test_without_the_ledgers_file_nothing_more_is_sent(
    sheet: Path, ledger: SqliteLedger, tmp_path: Path, how: str
) -> None:
    class TakenAway(Fault):
        def afterwards(self, answer: emulated.Response) -> tuple[emulated.Effect, ...]:
            ledger.path.rename(tmp_path / "elsewhere.sqlite3")
            if how == "replaced":
                ledger.path.touch()
            return super().afterwards(answer)

    with in_process() as (emulator, dgs):
        emulator.faults.add("POST /disburse", TakenAway())
        with pytest.raises(LedgerError, match="deleted or replaced"):
            async with open_job(dgs, ledger, sheet, pace=Pace(concurrency=2)) as job:
                await job.run()
        # What was on disk already, and no more.
        assert len(emulator.executed) < 20
        (tmp_path / "elsewhere.sqlite3").replace(ledger.path)
        async with open_job(dgs, ledger, sheet) as job:
            summary = await job.run(settle_within=0)
        assert summary.unsent == 0
        assert set(paid(emulator).values()) == {1}


# --- words too early, and words of another world ------------------------------------------


@pytest.mark.acceptance(58, "contradicting-evidence")
async def test_a_decision_made_before_the_answer_is_contradicted_by_it(
    sheet: Path, ledger: SqliteLedger
) -> None:
    with in_process() as (_, dgs):
        async with open_job(dgs, ledger, sheet) as job:
            await job.start()
            (payout,) = ledger.take(ledger.claim(job.batch, 0, 1, 40), after=0, limit=1)
            # It is in flight at this moment, and a person's word has to wait.
            with pytest.raises(NotInDoubtError, match="is being sent at this moment"):
                await AsyncPayouts(dgs, ledger).resolve(
                    "salaries", payout.reference, paid=False, wait=0
                )
            person = Evidence(learned=Learned.NOT_PAID, source=Source.PERSON)
            assert ledger.settle(job.batch, payout.number, person).state is State.FAILED
            answer = Evidence(learned=Learned.ACCEPTED, dgs_reference="DGS1")
            record = ledger.settle(job.batch, payout.number, answer)
            assert record.state is State.HELD
            assert "said not to be paid" in (record.contradiction or "")
            looked_up = Evidence(learned=Learned.PAID, source=Source.LOOK_UP)
            settled = ledger.settle(job.batch, payout.number, looked_up)
            assert settled.state is State.CONFIRMED


@pytest.mark.acceptance(45, "foreign-event")
@pytest.mark.parametrize(
    ("says", "status", "state"), [("test", 403, State.HELD), (None, 200, State.CONFIRMED)]
)
def test_a_simulated_event_confirms_no_real_payout(
    ledger: SqliteLedger, says: str | None, status: int, state: State
) -> None:
    terms = Terms(environment="production", base_url="https://api.example", account_number="ACC")
    batch = ledger.load(Batch(name="b", digest="d", terms=terms), payouts(1))
    ledger.start("b")
    ledger.settle(batch, 1, Evidence(learned=Learned.LOST))
    event = {"event": "disbursement.success", "dgs_reference": "DGS1", "amount": 1000}
    event |= {"currency": "RWF", "status": "successful"}
    if says is not None:
        event["environment"] = says
    body = json.dumps(event).encode()
    path = f"/hooks/b/1/{batch.token_of(1)}"
    answer = PayoutWebhooks(ledger, "secret").receive(path, body, sign(body, "secret"))
    assert answer.status == status
    record = ledger.record("b", 1)
    assert record is not None
    assert record.state is state


# --- what a blocking client was given -----------------------------------------------------


class _Own:
    is_async = False

    def send(self, request: Request, timeout: Timeout) -> Response:
        raise AssertionError("nothing may be sent through it")

    def close(self) -> None:
        pass


def blocking(emulator: Emulator, **options: Any) -> DGSPay:
    return DGSPay(
        api_key=emulator.api_key,
        account_number=emulator.account_number,
        environment="emulator",
        base_url=emulator.base_url,
        **options,
    )


def test_the_hooks_of_a_blocking_client_receive_its_payouts(
    tmp_path: Path, ledger: SqliteLedger
) -> None:
    told: list[str] = []
    sheet = write_sheet(tmp_path / "s.csv", 2)
    with Emulator(settle_after=0, balances=RICH) as emulator, emulator.serve() as server:
        options: dict[str, Any] = {"hooks": [lambda event: told.append(event.operation)]}
        with DGSPay(
            api_key=emulator.api_key,
            account_number=emulator.account_number,
            environment="emulator",
            base_url=server.url,
            **options,
        ) as dgs:
            Payouts(dgs, ledger).run(sheet, settle_within=0)
    assert "POST /disburse" in told


def test_the_proxy_of_a_blocking_client_is_that_of_its_payouts(tmp_path: Path) -> None:
    with Emulator() as emulator, emulator.serve() as server:
        # Nobody listens there: what goes round the proxy would get through to the emulator.
        transport = HttpxTransport.blocking(proxy="http://127.0.0.1:1")
        with (
            DGSPay(
                api_key=emulator.api_key,
                account_number=emulator.account_number,
                environment="emulator",
                base_url=server.url,
                transport=transport,
            ) as dgs,
            pytest.raises(errors.TransportError),
        ):
            Payouts(dgs).check(write_sheet(tmp_path / "s.csv", 2))


def test_a_transport_without_a_twin_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    with Emulator() as emulator:
        import httpx

        sheet = write_sheet(tmp_path / "s.csv", 2)
        with httpx.Client() as own:
            for transport in (_Own(), HttpxTransport(own)):
                with (
                    blocking(emulator, transport=transport) as dgs,
                    pytest.raises(ConfigError, match="no asynchronous twin"),
                ):
                    Payouts(dgs).check(sheet)


# --- a disk without locks -----------------------------------------------------------------


@pytest.mark.acceptance(53, "two-workers")
@pytest.mark.parametrize(
    ("number", "error"), [(errno.ENOLCK, LedgerError), (errno.EAGAIN, BatchBusyError)]
)
async def test_without_a_lock_nothing_is_sent_and_the_reason_is_the_true_one(
    sheet: Path,
    ledger: SqliteLedger,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    error: type[Exception],
) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("dgspay.payouts.ledger.file_lock._lock", refuse)
    with in_process() as (emulator, dgs):
        with pytest.raises(error, match=r"Nothing was sent|This one sends nothing"):
            await AsyncPayouts(dgs, ledger).run(sheet)
        assert not emulator.executed


# --- the reader of the log is gone ---------------------------------------------------------

_TELL = """
import os, sys, anyio
from dgspay.cli.payouts import progress as module
from dgspay.payouts import Counts, State

module._SECONDS_BETWEEN_LINES = 0.0
sys.stdin.readline()  # by now nobody reads standard error any more

async def run():
    progress = module.Progress(2)
    progress.on_counts(Counts({State.NEW: (2, 2)}))
    progress.on_counts(Counts({State.ACCEPTED: (2, 2)}))
    async with module.telling(progress):
        for _ in range(20):
            await anyio.lowlevel.checkpoint()

anyio.run(run)
os._exit(7)  # it went on to the end; rich has closed what could be written to
"""


def test_a_log_whose_reader_is_gone_does_not_end_a_run() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _TELL],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stderr is not None
    process.stderr.close()
    process.stdin.write("\n")
    process.stdin.close()
    assert process.wait() == 7


# --- the terminal goes away ---------------------------------------------------------------


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="only POSIX has terminals that hang up")
@pytest.mark.parametrize("nohup", [False, True])
def test_a_terminal_that_goes_away_stops_a_run_in_order_but_under_nohup(nohup: bool) -> None:
    assert threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN if nohup else signal.SIG_DFL)
    try:
        with stop_signals() as stopped:
            os.kill(os.getpid(), signal.SIGHUP)
            assert stopped.wait(0 if nohup else 30) is not nohup
    finally:
        signal.signal(signal.SIGHUP, before)

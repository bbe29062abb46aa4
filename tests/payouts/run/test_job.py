"""A run: what it sends, when it stops, and what becomes of what is in doubt."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import anyio
import pytest

from dgspay import DGSPay, errors
from dgspay.emulator import Emulator
from dgspay.emulator.faults.kinds import Fault
from dgspay.emulator.http import Effect, Response
from dgspay.payouts import (
    BatchChangedError,
    Evidence,
    Job,
    Learned,
    LedgerError,
    Limits,
    Pace,
    Payouts,
    PayoutWebhooks,
    Preflight,
    Source,
    SqliteLedger,
    State,
    Stop,
    Summary,
    open_job,
)
from dgspay.payouts.run.chunk_runner import Runner
from dgspay.payouts.status import require_batch
from dgspay.webhooks import sign
from tests.support.crash_points import paid
from tests.support.sheet_factory import (
    RICH,
    TRUSTING,
    client_of,
    in_process,
    ledger_in,
    payments,
    write_sheet,
)

pytestmark = pytest.mark.anyio

FULL = bool(os.environ.get("DGSPAY_TEST_FULL"))


async def run(dgs: Any, ledger: SqliteLedger, sheet: Path, **options: Any) -> Summary:
    settle_within = options.pop("settle_within", 0)
    async with open_job(dgs, ledger, sheet, **options) as job:
        return await job.run(settle_within=settle_within)


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    return write_sheet(tmp_path / "salaries.csv", 40)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    with ledger_in(tmp_path) as ledger:
        yield ledger


async def test_everybody_is_paid_once_and_running_again_pays_nobody(
    sheet: Path, ledger: SqliteLedger
) -> None:
    with in_process() as (emulator, dgs):
        first = await run(dgs, ledger, sheet, settle_within=5)
        assert first.counts.by_state == {State.CONFIRMED: (40, 40_820)}
        assert set(paid(emulator).values()) == {1}
        # Each under the key that follows from batch and row.
        batch = require_batch(ledger, "salaries")
        keys = {deed.idempotency_key for deed in emulator.executed}
        assert keys == {batch.key_of(number) for number in range(1, 41)}
        again = await run(dgs, ledger, sheet, settle_within=5)
        assert again.counts == first.counts
        assert len(emulator.executed) == 40


@pytest.mark.acceptance(55, "edited-sheet")
async def test_a_file_that_was_edited_after_the_start_is_refused(
    sheet: Path, ledger: SqliteLedger
) -> None:
    with in_process() as (emulator, dgs):
        await run(dgs, ledger, sheet)
        write_sheet(sheet, [*payments(40), {**next(payments(1)), "reference": "new"}])
        with pytest.raises(BatchChangedError, match="not those batch 'salaries' began with"):
            await run(dgs, ledger, sheet)
        assert len(emulator.executed) == 40


async def test_other_settings_after_the_start_are_refused(
    sheet: Path, ledger: SqliteLedger
) -> None:
    with in_process() as (_, dgs):
        await run(dgs, ledger, sheet)
        with pytest.raises(BatchChangedError, match="another callback_url"):
            await run(dgs, ledger, sheet, callback_url="https://shop.example/hooks")


async def test_a_batch_that_was_only_read_may_be_corrected(
    sheet: Path, ledger: SqliteLedger
) -> None:
    with in_process() as (emulator, dgs):
        async with open_job(dgs, ledger, sheet):
            pass  # not confirmed
        write_sheet(sheet, 3)
        await run(dgs, ledger, sheet)
        assert len(emulator.executed) == 3


@pytest.mark.acceptance(54, "held-in-doubt")
async def test_a_lost_answer_is_held_and_never_sent_again(
    sheet: Path, ledger: SqliteLedger
) -> None:
    with in_process() as (emulator, dgs):
        emulator.faults.lose_answer("POST /disburse", times=3)
        for _ in range(2):
            summary = await run(dgs, ledger, sheet, settle_within=1)
            assert summary.in_doubt == 3
        assert (len(emulator.executed), set(paid(emulator).values())) == (40, {1})


@pytest.mark.acceptance(54, "held-in-doubt")
async def test_with_trusted_keys_nothing_stays_in_doubt(sheet: Path, ledger: SqliteLedger) -> None:
    with in_process(client={"retry": TRUSTING}) as (emulator, dgs):
        emulator.faults.lose_answer("POST /disburse", times=9)
        pace = Pace(concurrency=4)
        summary = await run(dgs, ledger, sheet, settle_within=5, pace=pace)
        assert summary.counts.by_state == {State.CONFIRMED: (40, 40_820)}
        assert (len(emulator.executed), set(paid(emulator).values())) == (40, {1})


@pytest.mark.acceptance(57, "pause-and-full-disk")
async def test_a_run_of_lost_answers_pauses(sheet: Path, ledger: SqliteLedger) -> None:
    with in_process() as (emulator, dgs):
        emulator.faults.lose_answer("POST /disburse", times=40)
        pace, limits = Pace(concurrency=2), Limits(lost_in_a_row=5)
        summary = await run(dgs, ledger, sheet, pace=pace, limits=limits)
        assert summary.paused == "the answers of 5 payouts in a row were lost"
        assert 5 <= summary.in_doubt <= 6
        assert summary.unsent + summary.in_doubt == 40
        assert require_batch(ledger, "salaries").paused == summary.paused
        emulator.faults.clear()
        again = await run(dgs, ledger, sheet, pace=pace)
        assert (again.paused, again.unsent) == (None, 0)
        assert set(paid(emulator).values()) == {1}


async def test_error_91_pauses_at_once_and_nothing_is_lost(
    sheet: Path, ledger: SqliteLedger
) -> None:
    with in_process() as (emulator, dgs):
        emulator.faults.fail_next("POST /disburse", error_code="91", times=1)
        summary = await run(dgs, ledger, sheet, pace=Pace(concurrency=1))
        assert "code 91" in (summary.paused or "")
        assert summary.unsent == 40
        assert (await run(dgs, ledger, sheet)).unsent == 0
        assert set(paid(emulator).values()) == {1}


async def test_an_empty_wallet_pauses_and_a_topped_up_one_goes_on(
    sheet: Path, ledger: SqliteLedger
) -> None:
    with in_process(balances={"RWF": 1001 + 1002}) as (emulator, dgs):
        summary = await run(dgs, ledger, sheet, pace=Pace(concurrency=1))
        assert summary.paused == "the wallet does not hold enough"
        assert (summary.unsent, len(emulator.executed)) == (38, 2)
        with emulator._engine.steering() as account:
            account.wallet.credit("RWF", 10**9)  # type: ignore[arg-type]
        assert (await run(dgs, ledger, sheet)).unsent == 0
        assert set(paid(emulator).values()) == {1}


async def test_a_refused_row_fails_and_the_others_go_on(tmp_path: Path) -> None:
    rows = [*payments(3)]
    rows[1]["amount"] = "100"  # not above the emulator's fee
    with in_process() as (emulator, dgs), ledger_in(tmp_path) as ledger:
        summary = await run(dgs, ledger, write_sheet(tmp_path / "s.csv", rows), settle_within=5)
        assert summary.counts.count(State.CONFIRMED) == 2
        failed = ledger.find("s", "salary-2")
        assert failed is not None
        assert failed.state is State.FAILED
        assert "fee" in (failed.reason or "")
        assert len(emulator.executed) == 2


async def test_a_transfer_that_fails_later_is_failed(sheet: Path, ledger: SqliteLedger) -> None:
    with in_process(settle_after=None) as (emulator, dgs):
        await run(dgs, ledger, sheet)
        assert ledger.counts("salaries").count(State.ACCEPTED) == 40
        emulator.decline(emulator.disbursements[0].dgs_reference, "Invalid account details")
        emulator.settle()
        summary = await run(dgs, ledger, sheet, settle_within=5)
        assert summary.counts.count(State.FAILED) == 1
        assert summary.counts.count(State.CONFIRMED) == 39


async def test_where_disbursements_cannot_be_looked_up_they_stay_accepted(
    sheet: Path, ledger: SqliteLedger
) -> None:
    with in_process(transfers_in_lookup=False) as (_, dgs):
        summary = await run(dgs, ledger, sheet, settle_within=60)
        assert summary.counts.count(State.ACCEPTED) == 40
        assert summary.look_ups is not None
        assert summary.look_ups.unlisted == 40


class StopAfter(Fault):
    def __init__(self, stop: Stop) -> None:
        self.stop = stop

    def afterwards(self, answer: Response) -> tuple[Effect, ...]:
        self.stop.set()
        return super().afterwards(answer)


async def test_a_stop_finishes_what_is_in_flight_and_leaves_nothing_in_doubt(
    sheet: Path, ledger: SqliteLedger
) -> None:
    stop = Stop()
    with in_process() as (emulator, dgs):
        emulator.faults.add("POST /disburse", Fault(), times=10)
        emulator.faults.add("POST /disburse", StopAfter(stop))
        summary = await run(dgs, ledger, sheet, stop=stop, pace=Pace(concurrency=3))
        assert summary.stopped
        assert summary.in_doubt == 0
        sent = len(emulator.executed)
        assert 11 <= sent <= 14
        assert (summary.counts.count(State.ACCEPTED), summary.unsent) == (sent, 40 - sent)
        assert (await run(dgs, ledger, sheet)).unsent == 0
        assert set(paid(emulator).values()) == {1}


@pytest.mark.acceptance(20, "cancelled-post")
async def test_cancelled_in_mid_post_the_row_is_in_doubt(
    tmp_path: Path, ledger: SqliteLedger
) -> None:
    sheet = write_sheet(tmp_path / "one.csv", 1)
    with anyio.CancelScope() as scope:

        class Cancel(Fault):
            def afterwards(self, answer: Response) -> tuple[Effect, ...]:
                scope.cancel()
                return super().afterwards(answer)

        with in_process() as (emulator, dgs):
            emulator.faults.add("POST /disburse", Cancel())
            with anyio.move_on_after(30):
                await run(dgs, ledger, sheet)
    (record,) = ledger.page("one")
    assert record.state in (State.IN_DOUBT, State.ACCEPTED)


@pytest.mark.acceptance(20, "cancelled-post")
async def test_cancelled_what_was_taken_up_and_not_begun_is_new_again(
    sheet: Path, ledger: SqliteLedger
) -> None:
    with anyio.CancelScope() as scope:

        class Cancel(Fault):
            def afterwards(self, answer: Response) -> tuple[Effect, ...]:
                scope.cancel()
                return super().afterwards(answer)

        with in_process() as (emulator, dgs):
            emulator.faults.add("POST /disburse", Cancel())
            await run(dgs, ledger, sheet, pace=Pace(concurrency=2))
    ledger.flush()
    counts = ledger.counts("salaries")
    assert 1 <= counts.count(State.IN_DOUBT, State.ACCEPTED) <= 2
    assert counts.count(State.NEW) >= 38
    with in_process() as (second, dgs):
        assert (await run(dgs, ledger, sheet)).unsent == 0
        assert len(second.executed) == counts.count(State.NEW)


class _JumpyClock:
    """Its wall clock is set forward and back again between any two readings."""

    def __init__(self) -> None:
        self.readings = 0

    def monotonic(self) -> float:
        return time.monotonic()

    def time(self) -> float:
        self.readings += 1
        return time.time() + (86_400.0 if self.readings % 2 else -86_400.0)


@pytest.mark.acceptance(53, "two-workers")
async def test_a_clock_that_jumps_changes_nothing(sheet: Path, ledger: SqliteLedger) -> None:
    with in_process() as (emulator, dgs):
        async with open_job(dgs, ledger, sheet) as job:
            await job.start()
            chunk = ledger.claim(job.batch, 0, 1, 40)
            clock = _JumpyClock()
            assert (
                await Runner(dgs, ledger, pace=Pace(concurrency=3), clock=clock).run(chunk) is None
            )
        assert clock.readings > 40
        assert (len(emulator.executed), set(paid(emulator).values())) == (40, {1})
    assert ledger.counts("salaries").count(State.ACCEPTED) == 40


@pytest.mark.acceptance(57, "pause-and-full-disk")
async def test_a_ledger_that_cannot_be_written_stops_everything(
    sheet: Path, ledger: SqliteLedger
) -> None:
    with in_process() as (emulator, dgs):
        async with open_job(dgs, ledger, sheet) as job:
            await job.start()
            ledger._writer.run(lambda connection: connection.query("PRAGMA query_only = 1", ()))
            with pytest.raises(LedgerError, match="cannot be written"):
                await job.run()
        assert not emulator.executed


@pytest.mark.acceptance(57, "pause-and-full-disk")
async def test_a_ledger_that_cannot_be_written_any_more_while_settling_says_so(
    sheet: Path, ledger: SqliteLedger
) -> None:
    class WriteProtected(Fault):
        def afterwards(self, answer: Response) -> tuple[Effect, ...]:
            with suppress(LedgerError):
                ledger._writer.run(lambda connection: connection.query("PRAGMA query_only = 1", ()))
            return super().afterwards(answer)

    with in_process() as (emulator, dgs):
        # At the second, what was learned from the first cannot be written.
        emulator.faults.add("GET /transactions/{id}", WriteProtected(), times=40)
        with pytest.raises(LedgerError, match="cannot be written"):
            await run(dgs, ledger, sheet, settle_within=5, pace=Pace(concurrency=1))


@pytest.mark.acceptance(53, "two-workers")
async def test_two_runs_over_the_same_rows_send_each_row_once(
    sheet: Path, ledger: SqliteLedger
) -> None:
    with in_process() as (emulator, dgs):
        async with open_job(dgs, ledger, sheet) as job:
            await job.start()
            chunk = ledger.claim(job.batch, 0, 1, 40)
            async with anyio.create_task_group() as group:
                for _ in range(2):
                    group.start_soon(Runner(dgs, ledger, pace=Pace(concurrency=3)).run, chunk)
        assert sum(paid(emulator).values()) == 40
        assert set(paid(emulator).values()) == {1}


def test_the_blocking_way(sheet: Path, tmp_path: Path) -> None:
    asked: list[Preflight] = []

    def say_no(found: Preflight) -> bool:
        asked.append(found)
        return False

    with (
        Emulator(settle_after=0, balances=RICH) as emulator,
        emulator.serve() as server,
        ledger_in(tmp_path) as ledger,
        DGSPay(
            api_key=emulator.api_key,
            account_number=emulator.account_number,
            environment="emulator",
            base_url=server.url,
        ) as dgs,
    ):
        with pytest.raises(errors.ConfigError, match="not confirmed"):
            Payouts(dgs, ledger).run(sheet, confirm=say_no)
        assert not emulator.executed
        summary = Payouts(dgs, ledger).run(sheet, fee=100, settle_within=10)
    assert summary.counts.count(State.CONFIRMED) == 40
    assert asked[0].count == 40


# --- webhooks -----------------------------------------------------------------------------


@contextmanager
def webhook_server(webhooks: PayoutWebhooks) -> Iterator[str]:
    """Serve deliveries on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = webhooks.receive(self.path, body, self.headers.get("X-DGS-Signature"))
            self.send_response(answer.status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/hooks"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.acceptance(54, "held-in-doubt")
async def test_every_tenth_answer_is_lost_and_webhooks_settle_them_all(
    tmp_path: Path, ledger: SqliteLedger
) -> None:
    rows = 10_000 if FULL else 100
    sheet = write_sheet(tmp_path / "salaries.csv", rows)
    with (
        Emulator(settle_after=0, balances=RICH, transfers_in_lookup=False) as emulator,
        emulator.serve() as server,
        webhook_server(PayoutWebhooks(ledger, emulator.webhook_secret)) as url,
    ):
        for _ in range(rows // 10):
            emulator.faults.add("POST /disburse", Fault(), times=9)
            emulator.faults.lose_answer("POST /disburse")
        async with client_of(emulator, server.url) as dgs:
            summary = await run(dgs, ledger, sheet, callback_url=url, settle_within=900)
        assert summary.counts.count(State.CONFIRMED) == rows
        assert (len(emulator.executed), set(paid(emulator).values())) == (rows, {1})


async def held_row(dgs: Any, emulator: Emulator, ledger: SqliteLedger, folder: Path) -> Job:
    emulator.faults.lose_answer("POST /disburse")
    sheet = write_sheet(folder / "one.csv", 1)
    async with open_job(dgs, ledger, sheet, callback_url="https://shop.example/hooks") as job:
        await job.run(settle_within=0)
    return job


def delivery(reference: str, event: str = "success", amount: int = 1001) -> tuple[bytes, str]:
    fields = {
        "event": f"disbursement.{event}",
        "dgs_reference": reference,
        "status": event,
        "amount": amount,
        "currency": "RWF",
        "fee": 100,
    }
    body = json.dumps(fields).encode()
    return body, sign(body, "secret")


async def test_a_webhook_counts_only_with_its_token_and_its_signature(
    tmp_path: Path, ledger: SqliteLedger
) -> None:
    with in_process() as (emulator, dgs):
        batch = (await held_row(dgs, emulator, ledger, tmp_path)).batch
    webhooks = PayoutWebhooks(ledger, "secret")
    body, signature = delivery("DGS1")
    path = (batch.callback_of(1) or "").removeprefix("https://shop.example")
    assert path.startswith("/hooks/one/1/")
    for wrong in ("/hooks/one/1/" + "A" * 32, "/hooks/two/1/x", "/hooks/one/x/y", "/", ""):
        assert webhooks.receive(wrong, body, signature).status == 503
    assert webhooks.receive(path, body, "0" * 64).status == 401
    assert ledger.counts("one").count(State.HELD) == 1
    for _ in range(2):
        assert webhooks.receive(path, body, signature).status == 200
    (record,) = ledger.page("one")
    assert (record.state, record.dgs_reference, record.fee) == (State.CONFIRMED, "DGS1", "100")


@pytest.mark.acceptance(58, "contradicting-evidence")
async def test_failed_after_success_is_merged_and_the_contradiction_shown(
    tmp_path: Path, ledger: SqliteLedger
) -> None:
    with in_process() as (emulator, dgs):
        batch = (await held_row(dgs, emulator, ledger, tmp_path)).batch
    webhooks = PayoutWebhooks(ledger, "secret")
    path = batch.callback_of(1) or ""
    webhooks.receive(path, *delivery("DGS1"))
    webhooks.receive(path, *delivery("DGS1", "failed"))
    (record,) = ledger.page("one")
    assert record.state is State.HELD
    assert record.contradiction == "it was paid, and the webhook says it failed"
    person = Evidence(learned=Learned.PAID, source=Source.PERSON)
    assert ledger.settle(batch, 1, person).state is State.CONFIRMED


async def test_a_webhook_about_another_amount_does_not_confirm(
    tmp_path: Path, ledger: SqliteLedger
) -> None:
    with in_process() as (emulator, dgs):
        batch = (await held_row(dgs, emulator, ledger, tmp_path)).batch
    PayoutWebhooks(ledger, "secret").receive(batch.callback_of(1) or "", *delivery("D", amount=5))
    (record,) = ledger.page("one")
    assert (record.state, record.contradiction) == (State.HELD, "the webhook reports 5 RWF")

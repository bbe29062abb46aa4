"""Approval by two, whichever way a batch is paid: it is what was approved, or nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import attrs
import pytest

from dgspay.payouts import (
    AsyncPayouts,
    BatchChangedError,
    ChunkPayer,
    ChunkRef,
    NotApprovedError,
    PreflightError,
    SqliteLedger,
    State,
    Stop,
    open_job,
)
from tests.support.crash_points import paid
from tests.support.sheet_factory import in_process, ledger_in, write_sheet
from tests.support.signers import ALICE, BOB, two_eyes

pytestmark = [pytest.mark.anyio, pytest.mark.acceptance(107, "approval-broken")]


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    return write_sheet(tmp_path / "salaries.csv", 12)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    with ledger_in(tmp_path) as ledger:
        ledger.change_policy(two_eyes)
        yield ledger


def change_a_byte(sheet: Path) -> None:
    sheet.write_bytes(sheet.read_bytes().replace(b"1001", b"9001"))


async def test_a_sheet_is_prepared_by_one_approved_by_another_and_paid(
    sheet: Path, ledger: SqliteLedger
) -> None:
    with in_process() as (emulator, dgs):
        payouts = AsyncPayouts(dgs, ledger)
        with pytest.raises(PreflightError, match="was not prepared"):
            await payouts.run(sheet)
        batch = await payouts.prepare(sheet, signer=ALICE)
        assert (batch.count, batch.total) == (12, 12_078)
        with pytest.raises(PreflightError, match="is not approved"):
            await payouts.run(sheet)
        assert (await payouts.approve("salaries", BOB, source=sheet)).are_enough
        summary = await payouts.run(sheet)
        assert summary.counts.count(State.CONFIRMED) == 12
        assert set(paid(emulator).values()) == {1}
        with pytest.raises(BatchChangedError, match="begun already"):
            await payouts.prepare(sheet, signer=ALICE)


async def test_a_sheet_changed_in_a_byte_is_not_paid_nor_approved(
    sheet: Path, ledger: SqliteLedger
) -> None:
    with in_process() as (emulator, dgs):
        payouts = AsyncPayouts(dgs, ledger)
        await payouts.prepare(sheet, signer=ALICE)
        change_a_byte(sheet)
        with pytest.raises(BatchChangedError, match="not the sheet"):
            await payouts.approve("salaries", BOB, source=sheet)
        await payouts.approve("salaries", BOB)
        with pytest.raises(BatchChangedError, match="not those"):
            await payouts.run(sheet)
        # Prepared anew it waits for another approval, and so it does under another name or period.
        await payouts.prepare(sheet, signer=ALICE)
        renamed: list[dict[str, Any]] = [{}, {"batch": "renamed"}, {"period": "2026-12"}]
        for options in renamed:
            with pytest.raises(PreflightError, match="asks for one approval"):
                await payouts.run(sheet, **options)
        assert not emulator.executed


async def test_a_prepared_batch_is_held_against_the_fee_of_its_run(
    sheet: Path, ledger: SqliteLedger
) -> None:
    with in_process() as (emulator, dgs):
        payouts = AsyncPayouts(dgs, ledger)
        await payouts.prepare(sheet, fee=100, signer=ALICE)
        await payouts.approve("salaries", BOB)
        with pytest.raises(PreflightError, match="salary-1: 1,001 RWF is not above the fee"):
            await payouts.run(sheet, fee=1001)
        async with open_job(dgs, ledger, sheet) as job:
            assert not any("fee" in note for note in (await job.preflight(fee=100)).remarks)
        assert not emulator.executed


@pytest.mark.parametrize("option", ["callback_url", "repeat_days", "period", "allow_duplicates"])
async def test_a_run_with_other_options_than_those_approved_sends_nothing(
    sheet: Path, ledger: SqliteLedger, option: str
) -> None:
    values: dict[str, Any] = {
        "callback_url": "https://shop.example/hooks",
        "repeat_days": 0.0,
        "period": "2027-01",
        "allow_duplicates": ["salary-3"],
    }
    with in_process() as (emulator, dgs):
        payouts = AsyncPayouts(dgs, ledger)
        await payouts.prepare(sheet, batch="b", signer=ALICE)
        await payouts.approve("b", BOB)
        with pytest.raises((BatchChangedError, NotApprovedError)):
            await payouts.run(sheet, batch="b", **{option: values[option]})
        assert not emulator.executed


async def test_a_chunk_given_out_by_any_engine_is_refused_once_the_approval_is_void(
    sheet: Path, ledger: SqliteLedger
) -> None:
    with in_process() as (emulator, dgs):
        payouts = AsyncPayouts(dgs, ledger)
        await payouts.prepare(sheet, signer=ALICE)
        await payouts.approve("salaries", BOB)
        async with open_job(dgs, ledger, sheet) as job:
            await job.start()
        ledger.change_policy(lambda policy: policy.without_key("bob"), signer=ALICE)
        ledger.sign_policy(BOB)
        chunk = ChunkRef(batch="salaries", index=0, first=1, last=12)
        assert "not registered" in str(await payouts.pay_chunk(chunk))
        assert "paused" in str(await ChunkPayer(dgs, ledger)(chunk))
        assert not emulator.executed
        assert [line.action for line in ledger.audit_log("salaries")][-1] == "pause"


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_worker_on_another_machine_pays_nothing_that_was_not_approved(
    sheet: Path, postgres_ledger_url: str
) -> None:
    from dgspay.payouts import PgQueuerEngine, PostgresLedger

    with in_process() as (emulator, dgs), PostgresLedger(postgres_ledger_url) as ledger:
        async with open_job(dgs, ledger, sheet) as job:
            await job.start()
        ledger.change_policy(two_eyes)
        engine = PgQueuerEngine(postgres_ledger_url)
        await engine.submit([ChunkRef(batch="salaries", index=0, first=1, last=12)])
        payer = ChunkPayer(dgs, ledger)
        with anyio.fail_after(60):
            await engine.work(payer, Stop(), until_idle=True)
        assert "was not prepared" in str(payer.paused)
        assert not emulator.executed
        assert ledger.counts("salaries").count(State.NEW) == 12


async def test_a_batch_prepared_without_a_policy_is_paid_as_it_was_prepared(
    sheet: Path, tmp_path: Path
) -> None:
    with in_process() as (emulator, dgs), SqliteLedger(tmp_path / "free.sqlite3") as ledger:
        payouts = AsyncPayouts(dgs, ledger)
        prepared = await payouts.prepare(sheet, allow_duplicates=["salary-2"])
        summary = await payouts.run(sheet)
        assert summary.counts.count(State.CONFIRMED) == 12
        found = (await payouts.status("salaries")).batch
        assert attrs.evolve(found, started=False) == prepared
        assert len(emulator.executed) == 12


async def test_what_another_batch_has_paid_is_a_problem_of_a_prepared_one_too(
    sheet: Path, tmp_path: Path
) -> None:
    with in_process() as (_, dgs), SqliteLedger(tmp_path / "free.sqlite3") as ledger:
        payouts = AsyncPayouts(dgs, ledger)
        await payouts.prepare(sheet, batch="first")
        await payouts.prepare(sheet, batch="second")
        await payouts.run(sheet, batch="first")
        with pytest.raises(PreflightError, match="'first' has paid"):
            await payouts.run(sheet, batch="second")

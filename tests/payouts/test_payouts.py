"""The Python API: the same methods for `await` and without, and nothing the commands do besides."""

from __future__ import annotations

import ast
import inspect
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import assert_type

import pytest

import dgspay.cli.payouts
from dgspay import DGSPay
from dgspay.emulator import Emulator
from dgspay.errors import ConfigError
from dgspay.payouts import (
    AsyncPayouts,
    ChunkRef,
    Difference,
    NotInDoubtError,
    Payouts,
    PreflightError,
    RowsInvalidError,
    SqliteLedger,
    State,
    Status,
    Summary,
    UnknownBatchError,
)
from tests.support.crash_points import paid
from tests.support.sheet_factory import RICH, in_process, ledger_in, payments, write_sheet

METHODS = (
    *("check", "run", "pay_chunk", "chunks", "status", "row", "report", "resolve", "withdraw"),
)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    with ledger_in(tmp_path) as ledger:
        yield ledger


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(settle_after=0, balances=RICH, seed=5) as emulator:
        yield emulator


@pytest.fixture
def dgs(emulator: Emulator) -> Iterator[DGSPay]:
    with (
        emulator.serve() as server,
        DGSPay(
            api_key=emulator.api_key,
            account_number=emulator.account_number,
            environment="emulator",
            base_url=server.url,
        ) as dgs,
    ):
        yield dgs


def test_without_await_from_the_check_to_the_reconciliation(
    tmp_path: Path, emulator: Emulator, dgs: DGSPay, ledger: SqliteLedger
) -> None:
    sheet = write_sheet(tmp_path / "salaries.csv", 20)
    payouts = Payouts(dgs, ledger)
    assert payouts.check(sheet, fee=100).question.startswith("Pay 20,210 RWF to 20")
    emulator.faults.lose_answer("POST /disburse")
    summary = payouts.run(sheet, fee=100, settle_within=5)
    assert (summary.unsent, summary.in_doubt) == (0, 1)
    status = payouts.status("salaries")
    assert status.counts.count(State.CONFIRMED) == 19
    (doubt,) = status.in_doubt
    reference = doubt.payout.reference
    assert payouts.row("salaries", reference) == doubt
    (difference,) = payouts.reconcile("salaries")
    assert difference.reference == reference
    settled = payouts.resolve("salaries", reference, paid=True, note="the portal")
    assert (settled.state, settled.reason) == (State.CONFIRMED, "a person says so: the portal")
    report = payouts.report("salaries", tmp_path / "salaries.html")
    assert report.counts.count(State.CONFIRMED) == 20
    assert set(paid(emulator).values()) == {1}


@pytest.mark.anyio
async def test_without_await_in_a_running_loop_as_in_a_notebook(
    tmp_path: Path, emulator: Emulator, dgs: DGSPay, ledger: SqliteLedger
) -> None:
    sheet = write_sheet(tmp_path / "salaries.csv", 5)
    payouts = Payouts(dgs, ledger)
    payouts.check(sheet, fee=100).require_good()
    summary = payouts.run(sheet, fee=100, settle_within=60)
    assert summary.counts.count(State.CONFIRMED) == 5
    assert payouts.reconcile("salaries") == []
    assert set(paid(emulator).values()) == {1}


@pytest.mark.anyio
async def test_with_await_it_is_the_same(tmp_path: Path, ledger: SqliteLedger) -> None:
    sheet = write_sheet(tmp_path / "salaries.csv", 20)
    with in_process() as (emulator, dgs):
        payouts = AsyncPayouts(dgs, ledger)
        (await payouts.check(sheet, fee=100)).require_good()
        emulator.faults.lose_answer("POST /disburse")
        summary = await payouts.run(sheet, fee=100, settle_within=5, confirm=lambda _: True)
        assert (summary.unsent, summary.in_doubt) == (0, 1)
        (doubt,) = (await payouts.status("salaries")).in_doubt
        reference = doubt.payout.reference
        (difference,) = [found async for found in payouts.reconcile("salaries")]
        assert difference.reference == reference
        settled = await payouts.resolve("salaries", reference, paid=False)
        assert (settled.state, settled.reason) == (State.FAILED, "a person says it was not paid")
        assert (await payouts.report("salaries")).reasons["a person says it was not paid"] == 1


@pytest.mark.acceptance(56, "preflight")
@pytest.mark.anyio
async def test_nothing_is_sent_that_was_not_checked_and_confirmed(
    tmp_path: Path, ledger: SqliteLedger
) -> None:
    sheet = write_sheet(tmp_path / "salaries.csv", 3)
    with in_process() as (emulator, dgs):
        payouts = AsyncPayouts(dgs, ledger)
        with pytest.raises(PreflightError, match="not above the fee"):
            await payouts.run(sheet, fee=5000)
        with pytest.raises(ConfigError, match="not confirmed"):
            await payouts.run(sheet, confirm=lambda found: found.total != 3006)
        with pytest.raises(RowsInvalidError, match="amount is missing"):
            await payouts.check([{**next(payments(1)), "amount": None}])
        assert not emulator.executed


@pytest.mark.acceptance(53, "two-workers")
@pytest.mark.anyio
async def test_chunks_pay_a_batch_once_however_often_they_are_paid(
    tmp_path: Path, ledger: SqliteLedger
) -> None:
    sheet = write_sheet(tmp_path / "salaries.csv", 25)
    with in_process() as (emulator, dgs):
        payouts = AsyncPayouts(dgs, ledger)
        async with payouts.open(sheet) as job:
            with pytest.raises(ConfigError, match="not confirmed"):
                await payouts.pay_chunk(ChunkRef(batch="salaries", index=0, first=1, last=2))
            await job.start()
        chunks = await payouts.chunks("salaries", 10)
        assert [(ref.index, ref.first, ref.last) for ref in chunks] == [
            (0, 1, 10),
            (1, 11, 20),
            (2, 21, 25),
        ]
        for ref in (*chunks, *chunks):
            assert await payouts.pay_chunk(ref) is None
        assert len(emulator.executed) == 25
        assert set(paid(emulator).values()) == {1}
        with pytest.raises(ConfigError, match="no batch 'wages'"):
            await payouts.pay_chunk(ChunkRef(batch="wages", index=0, first=1, last=2))


def test_what_is_missing_is_said(tmp_path: Path, ledger: SqliteLedger, dgs: DGSPay) -> None:
    sheet = write_sheet(tmp_path / "salaries.csv", 2)
    with pytest.raises(ConfigError, match="this method needs a client"):
        Payouts(ledger=ledger).check(sheet)
    with pytest.raises(ConfigError, match="this method needs a ledger"):
        Payouts(dgs).status("salaries")
    payouts = Payouts(dgs, ledger)
    payouts.run(sheet)
    with pytest.raises(NotInDoubtError, match="salary-1 is confirmed, and not in doubt"):
        payouts.resolve("salaries", "salary-1", paid=True)
    with pytest.raises(UnknownBatchError, match="no row 'salary-3'"):
        payouts.resolve("salaries", "salary-3", paid=True)
    with pytest.raises(UnknownBatchError, match="it has: salaries"):
        payouts.chunks("wages")


@pytest.mark.parametrize("name", METHODS)
def test_both_have_the_same_signature_and_the_same_help(name: str) -> None:
    awaited = inspect.signature(getattr(AsyncPayouts, name))
    blocking = getattr(Payouts(), name)
    parameters = [*awaited.parameters.values()][1:]
    assert [*inspect.signature(blocking).parameters.values()] == parameters
    assert blocking.__doc__ == getattr(AsyncPayouts, name).__doc__
    assert not inspect.iscoroutinefunction(blocking)


async def checked_and_never_run(blocking: Payouts, awaited: AsyncPayouts) -> None:
    assert_type(blocking.status("b"), Status)
    assert_type(await awaited.status("b"), Status)
    assert_type(blocking.run("b.csv", fee=100), Summary)
    assert_type(blocking.reconcile("b"), list[Difference])
    assert_type(awaited.reconcile("b"), AsyncGenerator[Difference])
    blocking.resolve("b", "r")  # type: ignore[call-arg]  # paid or not?
    blocking.run("b.csv", fees=100)  # type: ignore[call-arg]


def test_the_commands_call_only_what_is_public() -> None:
    folder = Path(dgspay.cli.payouts.__file__).parent
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
                "dgspay.payouts"
            ):
                assert node.module == "dgspay.payouts", path
                assert {alias.name for alias in node.names} <= {*dgspay.payouts.__all__}, path


def test_every_public_name_is_there() -> None:
    pytest.importorskip("psycopg")
    pytest.importorskip("pgqueuer")
    for name in dgspay.payouts.__all__:
        assert getattr(dgspay.payouts, name) is not None

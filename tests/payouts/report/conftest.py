"""A ledger whose batch was paid, with a refused payout and two in doubt."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from dgspay.payouts import Batch, Pace, SqliteLedger, open_job
from dgspay.payouts.status import require_batch
from tests.support.sheet_factory import in_process, ledger_in, payments, write_sheet

NASTY = "<script>alert(1)</script>"


async def pay_a_batch(folder: Path, ledger: SqliteLedger) -> None:
    rows = [*payments(30)]
    rows[20]["amount"] = "50"  # not above the emulator's fee
    rows[1]["name"] = NASTY
    rows[2]["reference"] = "=cmd()"
    rows[3]["name"] = " @SUM(1)"
    rows[4]["name"] = "-2+3"
    rows[5]["reference"] = "+9"
    rows[6]["name"] = '\'quoted, "name"'
    with in_process() as (emulator, dgs):
        emulator.faults.lose_answer("POST /disburse", times=2)
        sheet = write_sheet(folder / "salaries.csv", rows)
        # One after the other, so that it is the first two whose answers are lost.
        async with open_job(dgs, ledger, sheet, pace=Pace(concurrency=1)) as job:
            await job.run(settle_within=5)


@pytest.fixture(scope="module")
def paid_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("paid")
    with ledger_in(folder) as ledger:
        anyio.run(pay_a_batch, folder, ledger)
        return ledger.path


@pytest.fixture
def ledger(
    paid_ledger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SqliteLedger]:
    """A copy of a ledger whose batch was paid, all but for one refused and two in doubt."""
    # Each as if on a machine of its own: of two copies on one, only one may be written.
    monkeypatch.setenv("DGSPAY_STATE_FOLDER", str(tmp_path / "state"))
    shutil.copy(paid_ledger, tmp_path)
    with ledger_in(tmp_path) as ledger:
        yield ledger


@pytest.fixture
def batch(ledger: SqliteLedger) -> Batch:
    return require_batch(ledger, "salaries")

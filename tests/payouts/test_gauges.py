"""The metrics of payouts, read from a ledger of either kind."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from dgspay.payouts import Pace, PayoutGauges, PostgresLedger, SqliteLedger, open_job
from dgspay.payouts.gauges import SECONDS_OF_A_READING
from tests.support.sheet_factory import in_process, ledger_in, write_sheet

AnyLedger = SqliteLedger | PostgresLedger


class Times:
    """The two clocks of a machine, which stand until they are moved."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


async def pay(folder: Path, ledger: AnyLedger) -> None:
    """Pay three rows, of which the first one's answer is lost, and load two that are not paid."""
    with in_process() as (emulator, dgs):
        emulator.faults.lose_answer("POST /disburse")
        sheet = write_sheet(folder / "salaries.csv", 3)
        async with open_job(dgs, ledger, sheet, pace=Pace(concurrency=1)) as job:
            await job.run(settle_within=0)
        async with open_job(dgs, ledger, write_sheet(folder / "rents.csv", 2)):
            pass


def values(gauges: PayoutGauges) -> dict[str, float]:
    return {
        ".".join([each.instrument.name.removeprefix("dgspay.payouts."), *each.labels.values()]): (
            each.value
        )
        for each in gauges.read()
    }


def check(folder: Path, ledger: AnyLedger) -> None:
    times = Times(0.0)
    assert values(PayoutGauges(ledger))["count.new"] == 0
    anyio.run(pay, folder, ledger)
    record = ledger.record("salaries", 1)
    assert record is not None
    assert record.sent_at is not None
    times.now = record.sent_at + 3600
    gauges = PayoutGauges(ledger, clock=times, monotonic=times)
    found = values(gauges)
    assert (found["count.held"], found["count.new"], found["count.failed"]) == (1, 2, 0)
    assert found["count.accepted"] + found["count.confirmed"] == 2
    assert found["oldest.held"] == 3600
    assert found["oldest.in doubt"] == 0
    assert found["batches.paused"] == 0

    ledger.pause("rents", "the wallet is empty")
    assert values(gauges)["batches.paused"] == 0
    times.now += SECONDS_OF_A_READING
    assert values(gauges)["batches.paused"] == 1
    assert values(gauges)["oldest.held"] == 3600 + SECONDS_OF_A_READING
    labels = repr([each.labels for each in gauges.read()])
    assert "salary" not in labels
    assert "78" not in labels


def test_payouts_are_measured_by_state_and_age(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger:
        check(tmp_path, ledger)


def test_payouts_on_a_server_are_measured_alike(tmp_path: Path, postgres_ledger_url: str) -> None:
    with PostgresLedger(postgres_ledger_url) as ledger:
        check(tmp_path, ledger)


def test_a_ledger_that_cannot_be_read_is_an_error_each_time(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger:
        gauges = PayoutGauges(ledger)
    for _ in range(2):
        with pytest.raises(Exception, match="closed"):
            gauges.read()

"""Sheets as they come on a Friday evening: separators, the same rows once more, another mapping."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dgspay.errors import ConfigError
from dgspay.payouts import (
    AsyncPayouts,
    BatchChangedError,
    PostgresLedger,
    PreflightError,
    SqliteLedger,
    State,
    check_rows,
)
from tests.support.crash_points import paid
from tests.support.sheet_factory import in_process, ledger_in, payments, write_sheet

DAY = 24 * 3600.0


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    with ledger_in(tmp_path) as ledger:
        yield ledger


# --- amounts ------------------------------------------------------------------------------


def sheet_of(folder: Path, amount: str) -> Path:
    row = {**next(payments(1)), "amount": amount}
    return write_sheet(folder / "salaries.csv", [row])


@pytest.mark.acceptance(6, "odd-amount")
@pytest.mark.parametrize("amount", ["10.000", "1.000.000", "250.000"])
def test_a_thousands_separator_is_no_decimal_point(tmp_path: Path, amount: str) -> None:
    """Everybody would have got a thousandth of the salary, where all are whole thousands."""
    sheet = check_rows(sheet_of(tmp_path, amount))
    (fault,) = sheet.faults
    assert fault.column == "amount"
    assert amount not in fault.message.replace("10.000 is", "")


@pytest.mark.parametrize("amount", ["10000", "10000.0", "10000.00", "10000.000"])
def test_a_fraction_of_zeros_is_whole(tmp_path: Path, amount: str) -> None:
    sheet = check_rows(sheet_of(tmp_path, amount))
    assert (sheet.fault_count, sheet.total) == (0, 10_000)


# --- the same rows once more --------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """What opens the same ledger again, by a clock."""
    if request.param == "sqlite":
        return lambda clock=time.time: SqliteLedger(tmp_path / "l.sqlite3", clock=clock)
    url = request.getfixturevalue("postgres_ledger_url")
    return lambda clock=time.time: PostgresLedger(url, clock=clock)


@pytest.mark.anyio
@pytest.mark.acceptance(55, "edited-sheet")
@pytest.mark.parametrize("edit", ["saved again", "one row more", "one row changed", "columns"])
async def test_a_sheet_that_was_touched_and_got_another_name_pays_nobody_twice(
    place: Any, tmp_path: Path, edit: str
) -> None:
    rows = list(payments(10))
    sheet = write_sheet(tmp_path / "salaries.csv", rows)
    if edit == "one row more":
        rows = list(payments(11))
    if edit == "one row changed":
        rows[3]["amount"] = "77"
    if edit == "columns":
        rows = [dict(reversed(row.items())) for row in rows]
    again = write_sheet(tmp_path / "salaries-final.csv", rows)
    if edit == "saved again":
        again.write_bytes(again.read_bytes() + b"\n")
    with in_process() as (emulator, dgs), place() as ledger:
        own = AsyncPayouts(dgs, ledger)
        await own.run(sheet, settle_within=0)
        with pytest.raises(PreflightError, match="may have paid, 10 rows"):
            await own.run(again, settle_within=0)
        assert set(paid(emulator).values()) == {1}


@pytest.mark.anyio
@pytest.mark.acceptance(55, "edited-sheet")
async def test_what_failed_may_be_paid_as_a_batch_of_another_name(
    ledger: SqliteLedger, tmp_path: Path
) -> None:
    rows = list(payments(3))
    with in_process() as (emulator, dgs):
        own = AsyncPayouts(dgs, ledger)
        emulator.faults.fail_next("POST /disburse", error_code="90")
        await own.run(write_sheet(tmp_path / "salaries.csv", rows), settle_within=0)
        failed = [r.payout.number for r in ledger.page("salaries") if r.state is State.FAILED]
        sheet = write_sheet(tmp_path / "again.csv", [rows[number - 1] for number in failed])
        await own.run(sheet, settle_within=0)
        assert set(paid(emulator).values()) == {1}
        assert len(emulator.executed) == 3


@pytest.mark.anyio
async def test_the_same_rows_on_another_payday_are_paid_for_a_period_of_their_own(
    place: Any, tmp_path: Path
) -> None:
    sheet = write_sheet(tmp_path / "october.csv", 3)
    with in_process() as (_, dgs):
        with place(lambda: time.time() - 30 * DAY) as ledger:
            await AsyncPayouts(dgs, ledger).run(sheet, settle_within=0)
        later = write_sheet(tmp_path / "november.csv", 4)
        with place() as ledger:
            own = AsyncPayouts(dgs, ledger)
            with pytest.raises(PreflightError, match="batch 'october' has paid, or may have paid"):
                await own.run(later, settle_within=0)
            summary = await own.run(later, period="2026-11", settle_within=0)
            assert summary.batch == "november-2026-11"
            assert summary.counts.count(State.ACCEPTED) == 4


# --- what was confirmed is what is paid ---------------------------------------------------


@pytest.mark.anyio
@pytest.mark.acceptance(55, "edited-sheet")
async def test_what_was_read_anew_since_is_not_paid_on_an_old_yes(
    place: Any, tmp_path: Path
) -> None:
    """The lock of a run is lost with the server that kept it, while a person reads the question."""
    sheet = tmp_path / "salaries.csv"
    with in_process() as (emulator, dgs), place() as ledger:
        own = AsyncPayouts(dgs, ledger)
        async with own.open(write_sheet(sheet, 2)) as job:
            ledger.discard("salaries")
            batch = job.batch
            ledger.load(batch, (record_of(number) for number in range(1, 9)))
            with pytest.raises(BatchChangedError, match="read again"):
                await job.run(settle_within=0)
        assert not emulator.executed


def record_of(number: int) -> Any:
    from dgspay.payouts import Payout

    return Payout(number=number, reference=f"r{number}", amount=10**6, account="+250788000001")


@pytest.mark.anyio
@pytest.mark.acceptance(55, "edited-sheet")
async def test_another_mapping_after_the_start_is_refused(
    ledger: SqliteLedger, tmp_path: Path
) -> None:
    rows = [{"gross": "9999", "net": row.pop("amount"), **row} for row in payments(3)]
    sheet = write_sheet(tmp_path / "salaries.csv", rows)
    with in_process() as (emulator, dgs):
        own = AsyncPayouts(dgs, ledger)
        emulator.faults.fail_next("POST /disburse", error_code="91")
        await own.run(sheet, mapping={"net": "amount"}, settle_within=0)
        with pytest.raises(BatchChangedError, match="another mapping"):
            await own.run(sheet, mapping={"gross": "amount"}, settle_within=0)
        await own.run(sheet, mapping={"net": "amount"}, settle_within=0)
        assert sorted(str(deed.amount) for deed in emulator.executed) == ["1001", "1002", "1003"]


# --- a report in the wrong place ----------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.acceptance(52, "killed-run")
async def test_a_report_is_not_written_over_the_sheet_or_the_ledger(
    ledger: SqliteLedger, tmp_path: Path
) -> None:
    """`report salaries --out salaries.csv`: without its sheet the batch could not go on."""
    sheet = write_sheet(tmp_path / "salaries.csv", 3)
    before = sheet.read_bytes()
    with in_process() as (_, dgs):
        own = AsyncPayouts(dgs, ledger)
        await own.run(sheet, settle_within=0)
        with pytest.raises(ConfigError, match="is a sheet that a batch was read from"):
            await own.report("salaries", sheet)
        with pytest.raises(ConfigError, match="is no report"):
            await own.report("salaries", ledger.path, form="csv")
        assert sheet.read_bytes() == before
        for _ in range(2):  # an older report may go
            await own.report("salaries", tmp_path / "report.csv")
        assert ledger.counts("salaries").count(State.ACCEPTED) == 3

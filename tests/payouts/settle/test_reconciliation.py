"""The ledger against DGS-Pay: each kind of difference by its name, by API and by command."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from dgspay import errors
from dgspay.emulator import Emulator
from dgspay.payouts import AsyncPayouts, Evidence, Kind, Learned, Pace, Source, SqliteLedger
from dgspay.payouts.status import require_batch
from tests.cli.terminal import CommandLine, variables
from tests.support.crash_points import ledger_of
from tests.support.sheet_factory import RICH, in_process, ledger_in, write_sheet

MAY_BE_PAID = "it may have been paid. Do not pay for it again before you have looked at DGS-Pay"


def have_listed(emulator: Emulator, *transfers: dict[str, Any]) -> None:
    """Have the transaction list hold these rows, as one that holds disbursements would."""
    answer = {
        "status": "success",
        "data": transfers,
        "pagination": {"page": 1, "limit": 100, "total": len(transfers), "pages": 1},
    }
    emulator.faults.answer_next("GET /transactions", body=json.dumps(answer).encode())


def transfer(reference: str, amount: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"id-{reference}",
        "dgs_reference": reference,
        "amount": amount,
        "currency": "RWF",
        "status": "success",
        "payment_method_type": "mobile_money",
        "destination_type": "mobile_money",
        **fields,
    }


async def paid_batch(payouts: AsyncPayouts, folder: Path, count: int = 5) -> None:
    await payouts.run(write_sheet(folder / "s.csv", count), settle_within=5)


async def differences(payouts: AsyncPayouts) -> list[tuple[Kind, str | None, str]]:
    return [
        (found.kind, found.reference, found.what)
        async for found in payouts.reconcile("s", pace=Pace(concurrency=2))
    ]


def names(ledger: SqliteLedger) -> list[str]:
    return [record.dgs_reference or "" for record in ledger.page("s")]


@pytest.mark.anyio
async def test_it_agrees_with_look_ups_and_with_a_list(tmp_path: Path) -> None:
    with in_process() as (emulator, dgs), ledger_in(tmp_path) as ledger:
        payouts = AsyncPayouts(dgs, ledger)
        await paid_batch(payouts, tmp_path, 3)
        assert await differences(payouts) == []
        rows = [transfer(name, 1001 + at) for at, name in enumerate(names(ledger))]
        # What the list holds is not looked up.
        emulator.faults.answer_next("GET /transactions/{id}", status=500)
        have_listed(emulator, *rows)
        assert await differences(payouts) == []


@pytest.mark.anyio
async def test_each_kind_of_difference_is_named(tmp_path: Path) -> None:
    with in_process() as (emulator, dgs), ledger_in(tmp_path) as ledger:
        payouts = AsyncPayouts(dgs, ledger)
        await paid_batch(payouts, tmp_path, 6)
        first, second, third, fourth, fifth, _ = names(ledger)
        emulator._engine.account.disbursements.pop(third)
        batch = require_batch(ledger, "s")
        ledger.settle(batch, 6, Evidence(learned=Learned.NOT_PAID, source=Source.WEBHOOK))
        rows = (
            transfer(first, 999),
            transfer(second, 1002, status="failed"),
            transfer(fourth, 1004, id="again"),
            transfer(fourth, 1004),
            transfer(fifth, 1005, status="new word"),
        )
        have_listed(emulator, *rows)
        found = await differences(payouts)
    assert found == [
        (Kind.AMOUNT, "salary-1", "it is of 1,001 RWF, and DGS-Pay says 999 RWF"),
        (Kind.STATUS, "salary-2", "it is confirmed, and DGS-Pay says failed"),
        (
            Kind.NOT_LISTED,
            "salary-3",
            f"it is confirmed, and DGS-Pay does not find it by its name: {MAY_BE_PAID}",
        ),
        (Kind.TWICE, "salary-4", "DGS-Pay lists it twice: it may have been paid twice"),
        (Kind.STATUS, "salary-5", "it is confirmed, and DGS-Pay says new word"),
        (Kind.CONTRADICTION, "salary-6", "it was paid, and the webhook says it failed"),
        (Kind.STATUS, "salary-6", "it is held, and DGS-Pay says successful"),
    ]


@pytest.mark.anyio
async def test_what_only_the_list_holds_is_matched_with_the_row_whose_answer_was_lost(
    tmp_path: Path,
) -> None:
    with in_process() as (emulator, dgs), ledger_in(tmp_path) as ledger:
        emulator.faults.lose_answer("POST /disburse")
        payouts = AsyncPayouts(dgs, ledger)
        await paid_batch(payouts, tmp_path, 1)
        strangers = (
            transfer("DGS-A", 1001, recipient={"msisdn": "0780000001", "network": "MTN"}),
            transfer("DGS-B", 77, recipient={"account_number": "5"}),
            # Of another year, and no payout at all.
            transfer("DGS-C", 1001, created_at="2001-01-01 00:00:00"),
            {"id": "charge", "dgs_reference": "X", "status": "success", "amount": 1001},
        )
        have_listed(emulator, *strangers)
        found = await differences(payouts)
    assert [(kind, reference) for kind, reference, _ in found] == [
        (Kind.IN_DOUBT, "salary-1"),
        (Kind.NOT_IN_LEDGER, "salary-1"),
        (Kind.NOT_IN_LEDGER, None),
    ]
    assert found[1][2] == (
        "DGS-Pay lists a payout of 1,001 RWF (successful) that is in no batch of the ledger; "
        "it pays what salary-1 should: it may be that row, paid already"
    )


@pytest.mark.acceptance(104, "reconcile-never-repeats")
@pytest.mark.anyio
async def test_of_no_row_that_may_have_been_paid_it_says_that_it_was_not(tmp_path: Path) -> None:
    with in_process(settle_after=3600) as (emulator, dgs), ledger_in(tmp_path) as ledger:
        payouts = AsyncPayouts(dgs, ledger)
        emulator.faults.lose_answer("POST /disburse", times=2)
        sheet = write_sheet(tmp_path / "s.csv", 5)
        await payouts.run(sheet, pace=Pace(concurrency=1), settle_within=0)
        batch = require_batch(ledger, "s")
        named = Evidence(learned=Learned.LOST, dgs_reference="DGS-LOST")
        ledger.settle(batch, 2, named)
        emulator._engine.account.disbursements.pop(names(ledger)[2])
        person = Evidence(learned=Learned.NOT_PAID, source=Source.PERSON)
        ledger.settle(batch, 4, person)
        ledger.settle(batch, 5, person)
        emulator._engine.account.disbursements.pop(names(ledger)[4])
        found = {reference: (kind, what) for kind, reference, what in await differences(payouts)}
    assert {reference: kind for reference, (kind, _) in found.items()} == {
        "salary-1": Kind.IN_DOUBT,
        "salary-2": Kind.IN_DOUBT,
        "salary-3": Kind.IN_DOUBT,
        "salary-4": Kind.STATUS,
    }
    assert found["salary-1"][1] == (
        f"it is held, and DGS-Pay's name for it is not known: {MAY_BE_PAID}"
    )
    assert found["salary-3"][1] == (
        f"it is accepted, and DGS-Pay does not find it by its name: {MAY_BE_PAID}"
    )
    assert found["salary-4"][1].endswith(f"DGS-Pay says pending: {MAY_BE_PAID}")


@pytest.mark.acceptance(99, "lost-history", 104, "reconcile-never-repeats")
@pytest.mark.anyio
async def test_what_an_older_ledger_calls_new_is_matched_with_what_dgs_pay_lists(
    tmp_path: Path,
) -> None:
    with in_process() as (emulator, dgs), ledger_in(tmp_path) as ledger:
        payouts = AsyncPayouts(dgs, ledger)
        async with payouts.open(write_sheet(tmp_path / "s.csv", 2)) as job:
            await job.start()
        have_listed(emulator, transfer("DGS-A", 1001, recipient={"msisdn": "0780000001"}))
        ((kind, reference, what),) = await differences(payouts)
    assert (kind, reference) == (Kind.NOT_IN_LEDGER, "salary-1")
    assert what.endswith("it may be that row, paid already")


@pytest.mark.anyio
async def test_a_look_up_that_fails_is_a_difference_and_a_list_that_fails_an_error(
    tmp_path: Path,
) -> None:
    with in_process() as (emulator, dgs), ledger_in(tmp_path) as ledger:
        payouts = AsyncPayouts(dgs, ledger)
        await paid_batch(payouts, tmp_path, 1)
        emulator.faults.fail_next("GET /transactions/{id}", error_code="91")
        ((kind, _, what),) = await differences(payouts)
        assert kind is Kind.NOT_KNOWN
        assert "could not be looked up" in what
        emulator.faults.fail_next("GET /transactions", error_code="91")
        with pytest.raises(errors.AuthenticationError):
            await differences(payouts)


def test_the_command_lists_differences_under_their_kinds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DGSPAY_PAYOUTS_LEDGER", raising=False)
    write_sheet(tmp_path / "s.csv", 3)
    with (
        Emulator(settle_after=0, balances=RICH, seed=3) as emulator,
        emulator.serve() as server,
    ):
        dgspay = CommandLine(variables(emulator, server.url))
        assert dgspay("payouts", "run", "s.csv", "--yes").code == 0
        good = dgspay("payouts", "reconcile", "s")
        assert (good.code, good.out) == (0, "The ledger and DGS-Pay agree.\n")
        with SqliteLedger(ledger_of(tmp_path)) as ledger:
            first, second, _ = names(ledger)
        emulator._engine.account.disbursements.pop(second)
        have_listed(emulator, transfer(first, 5))
        said = dgspay("payouts", "reconcile", "s")
        assert said.code == 1
        not_found = f"it is confirmed, and DGS-Pay does not find it by its name: {MAY_BE_PAID}"
        assert said.out.splitlines() == [
            "Amounts differ: 1",
            f"  salary-1  {first}  it is of 1,001 RWF, and DGS-Pay says 5 RWF",
            "Paid by the ledger, not found by DGS-Pay: 1",
            f"  salary-2  {second}  {not_found}",
        ]
        assert said.err.splitlines() == [
            "2 differences.",
            "No difference proves that a payout was not made: pay none of them again for it.",
        ]
        (row,) = json.loads(dgspay("payouts", "reconcile", "s", "--json").out)
        assert (row["kind"], row["reference"]) == (Kind.NOT_LISTED, "salary-2")
        listed = dgspay("payouts", "reconcile", "s", "--csv").out
        assert [*csv.DictReader(io.StringIO(listed))] == [
            {name: row[name] for name in ("reference", "dgs_reference", "kind", "what")}
        ]
        assert dgspay("payouts", "reconcile", "t").code == 2

"""A person's word on a payout: when it counts, and how it is taken back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

from dgspay import AsyncDGSPay, errors
from dgspay.emulator import Emulator
from dgspay.payouts import (
    AsyncPayouts,
    Batch,
    Evidence,
    Learned,
    NotInDoubtError,
    Source,
    SqliteLedger,
    State,
    open_job,
)
from tests.cli.terminal import CommandLine, variables
from tests.support.sheet_factory import RICH, client_of, in_process, ledger_in, write_sheet

pytestmark = pytest.mark.anyio

PERSON_PAID = Evidence(learned=Learned.PAID, source=Source.PERSON)


@contextmanager
def accepted(folder: Path) -> Iterator[tuple[Emulator, AsyncDGSPay, SqliteLedger]]:
    """A batch of which DGS-Pay has accepted two payouts that are pending."""
    with in_process(settle_after=None) as (emulator, dgs), ledger_in(folder) as ledger:
        yield emulator, dgs, ledger


async def sent(dgs: AsyncDGSPay, ledger: SqliteLedger, folder: Path) -> Batch:
    async with open_job(dgs, ledger, write_sheet(folder / "s.csv", 2)) as job:
        await job.run(settle_within=0)
    return job.batch


def state_of(ledger: SqliteLedger, number: int = 1) -> State:
    record = ledger.record("s", number)
    assert record is not None
    return record.state


@pytest.mark.acceptance(54, "held-in-doubt")
async def test_an_accepted_payout_is_looked_up_before_a_word_on_it_counts(tmp_path: Path) -> None:
    with accepted(tmp_path) as (emulator, dgs, ledger):
        await sent(dgs, ledger, tmp_path)
        payouts = AsyncPayouts(dgs, ledger)
        with pytest.raises(NotInDoubtError, match="salary-1 is pending: it may be paid yet"):
            await payouts.resolve("s", "salary-1", paid=False)
        with pytest.raises(errors.ConfigError, match="give the payouts a client"):
            await AsyncPayouts(ledger=ledger).resolve("s", "salary-1", paid=False)
        emulator.faults.fail_next("GET /transactions/{id}", error_code="91")
        with pytest.raises(errors.AuthenticationError):
            await payouts.resolve("s", "salary-1", paid=False)
        assert state_of(ledger) is State.ACCEPTED
        emulator.settle()
        with pytest.raises(NotInDoubtError, match="says that salary-1 was paid, and so it is con"):
            await payouts.resolve("s", "salary-1", paid=False)
        assert state_of(ledger) is State.CONFIRMED
        # Where both say the same, it is DGS-Pay's word that is written down.
        settled = await payouts.resolve("s", "salary-2", paid=True, note="portal")
        assert (settled.state, settled.reason) == (State.CONFIRMED, None)


async def test_of_one_that_dgs_pay_does_not_find_the_word_of_a_person_counts(
    tmp_path: Path,
) -> None:
    with accepted(tmp_path) as (emulator, dgs, ledger):
        await sent(dgs, ledger, tmp_path)
        payouts = AsyncPayouts(dgs, ledger)
        emulator.faults.fail_next("GET /transactions/{id}", error_code="92", times=2)
        settled = await payouts.resolve("s", "salary-1", paid=False)
        assert settled.state is State.FAILED
        settled = await payouts.resolve("s", "salary-2", paid=True)
        assert (settled.state, settled.reason) == (State.CONFIRMED, "a person says it was paid")


async def test_a_payout_of_another_account_is_not_looked_up_with_this_one(tmp_path: Path) -> None:
    with accepted(tmp_path) as (emulator, dgs, ledger):
        await sent(dgs, ledger, tmp_path)
        async with client_of(emulator, "http://127.0.0.1:9", account_number="OTHER") as stranger:
            with pytest.raises(errors.ConfigError, match="account_number"):
                await AsyncPayouts(stranger, ledger).resolve("s", "salary-1", paid=True)
        assert state_of(ledger) is State.ACCEPTED


@pytest.mark.acceptance(54, "held-in-doubt", 58, "contradicting-evidence")
async def test_a_word_on_a_payout_in_flight_waits_for_its_answer(tmp_path: Path) -> None:
    with accepted(tmp_path) as (_, dgs, ledger):
        async with open_job(dgs, ledger, write_sheet(tmp_path / "s.csv", 2)) as job:
            await job.start()
            (payout,) = ledger.take(ledger.claim(job.batch, 0, 1, 2), after=0, limit=1)
            said: list[State] = []

            async def say() -> None:
                payouts = AsyncPayouts(ledger=ledger)
                record = await payouts.resolve("s", payout.reference, paid=True, wait=60)
                said.append(record.state)

            with anyio.fail_after(60):
                async with anyio.create_task_group() as group:
                    group.start_soon(say)
                    await anyio.sleep(0.1)
                    assert not said
                    ledger.settle(job.batch, 1, Evidence(learned=Learned.LOST))
            assert said == [State.CONFIRMED]


@pytest.mark.acceptance(54, "held-in-doubt")
async def test_what_a_dead_process_was_sending_is_held_before_a_word_on_it_counts(
    tmp_path: Path,
) -> None:
    with accepted(tmp_path) as (_, dgs, ledger):
        sheet = write_sheet(tmp_path / "s.csv", 2)
        async with open_job(dgs, ledger, sheet) as job:
            await job.start()
            ledger.take(ledger.claim(job.batch, 0, 1, 2), after=0, limit=1)
        # Nobody runs the batch any more: there is nothing to wait for.
        payouts = AsyncPayouts(dgs, ledger)
        with anyio.fail_after(30), pytest.raises(NotInDoubtError, match="Run batch s again first"):
            await payouts.resolve("s", "salary-1", paid=True)
        async with open_job(dgs, ledger, sheet) as job:
            await job.run(settle_within=0)
        assert (await payouts.resolve("s", "salary-1", paid=True)).state is State.CONFIRMED


@pytest.mark.acceptance(58, "contradicting-evidence")
@pytest.mark.parametrize("paid", [True, False])
async def test_a_word_that_was_wrong_is_taken_back_until_dgs_pay_says_the_same(
    tmp_path: Path, paid: bool
) -> None:
    with accepted(tmp_path) as (emulator, dgs, ledger):
        emulator.faults.lose_answer("POST /disburse", times=2)
        batch = await sent(dgs, ledger, tmp_path)
        payouts = AsyncPayouts(ledger=ledger)
        said = await payouts.resolve("s", "salary-1", paid=paid, note="portal")
        assert said.state is (State.CONFIRMED if paid else State.FAILED)
        back = await payouts.withdraw("s", "salary-1", note="another Jane")
        assert (back.state, back.settled_at) == (State.HELD, None)
        assert back.reason == "what a person had said was taken back: another Jane"
        with pytest.raises(NotInDoubtError, match="nothing to take back"):
            await payouts.withdraw("s", "salary-1")
        # It is said once more, and then DGS-Pay says the same.
        await payouts.resolve("s", "salary-1", paid=paid)
        event = Evidence(
            learned=Learned.PAID if paid else Learned.NOT_PAID,
            source=Source.WEBHOOK,
            dgs_reference="DGS1",
            reason=None if paid else "Account closed",
        )
        known = ledger.settle(batch, 1, event)
        assert known.reason == (None if paid else "Account closed")
        with pytest.raises(NotInDoubtError, match="not by the word of a person"):
            await payouts.withdraw("s", "salary-1")
        # What another person has said of the other one stays as it is.
        assert state_of(ledger, 2) is State.HELD


def test_the_commands_say_what_they_did_and_ask_dgs_pay_where_it_can_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_sheet(tmp_path / "s.csv", 3)
    with (
        Emulator(settle_after=None, balances=RICH, seed=3) as emulator,
        emulator.serve() as server,
    ):
        dgspay = CommandLine(variables(emulator, server.url))
        emulator.faults.lose_answer("POST /disburse")
        run = ["payouts", "run", "s.csv", "--yes", "--concurrency", "1", "--settle-within", "0"]
        assert dgspay(*run).code == 5
        resolve = ["payouts", "resolve", "s"]
        assert dgspay(*resolve, "salary-1", "--undo", "--paid").code == 2
        assert dgspay(*resolve, "salary-1", "--undo", "--yes").code == 1
        # Without an account to ask from: this one has no name.
        alone = CommandLine({})
        assert alone(*resolve, "salary-1", "--not-paid", "--yes").code == 0
        assert alone(*resolve, "salary-1", "--undo", answers="n\n").code == 1
        undone = alone(*resolve, "salary-1", "--undo", "--yes", "--note", "wrong row")
        assert (undone.code, "taken back: wrong row" in undone.out) == (0, True)
        assert alone("payouts", "status", "s").code == 5
        pending = dgspay(*resolve, "salary-2", "--not-paid", "--yes")
        assert pending.code == 1
        assert "it may be paid yet. Nothing was noted" in pending.err
        emulator.settle()
        settled = dgspay(*resolve, "salary-2", "--paid", "--yes")
        assert (settled.code, "confirmed" in settled.out) == (0, True)
        wrong = dgspay(*resolve, "salary-3", "--not-paid", "--yes")
        assert wrong.code == 1
        assert "What you say was not noted" in wrong.err

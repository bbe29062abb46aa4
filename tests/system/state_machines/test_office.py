"""A model of an office: two people, sheets that change hands, names, spellings and months.

Hypothesis makes stories of sheets that are corrected, renamed, spelled otherwise, saved in another
folder, paid in two windows at once, stopped and gone on with; of ledgers that are moved and put
back; of days and months that pass. DGS-Pay forgets every key. After each step:

- nobody was paid twice for one reference within one period,
- nobody was sent the same sum at the same account twice within five days,
- nobody is called paid who was not.
"""

from __future__ import annotations

import contextlib
import shutil
from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

import anyio
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from dgspay import AsyncDGSPay
from dgspay.emulator import Emulator
from dgspay.errors import DGSPayError
from dgspay.payouts import AsyncPayouts, Pace, SqliteLedger, State
from dgspay.transports.httpx import HttpxTransport
from tests.support.effort import STORIES, story_folder

DAY = 24 * 3600.0
PEOPLE = 4

names = st.sampled_from(["salaries", "november", "salaries-final"])
periods = st.sampled_from([None, None, "2026-11", "2026-12"])
who = st.sampled_from(["her", "him"])
some = st.sets(st.integers(min_value=0, max_value=PEOPLE - 1), min_size=1)
# How a sheet differs from the one it was made of.
raises = st.sampled_from([0, 0, 500])
spellings = st.integers(min_value=0, max_value=3)


def reference(person: int, spelling: int) -> str:
    return [f"emp-00{person}", f"EMP-00{person}", f" emp-00{person}\u200b", f"emp\u201000{person}"][
        spelling
    ]


def account(person: int, spelling: int) -> str:
    digits = f"10020030{person}"
    return [digits, f"100-200-30{person}", f"100 200 30{person}", f"0{digits}"][spelling]


def sheet(people: set[int], more: int, spelling: int, period: str | None) -> list[dict[str, Any]]:
    return [
        {
            "reference": reference(person, spelling),
            "amount": 10_000 + person + more,
            "bank_key": "bk_rw",
            "account_number": account(person, spelling),
            "narration": f"{period or ''} {person}",
        }
        for person in sorted(people)
    ]


class Office(RuleBasedStateMachine):
    """Two people who pay from one account."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_795_000_000.0
        self.folder = story_folder()
        self.path = self.folder / "ledger.sqlite3"
        self.emulator = Emulator(settle_after=0, balances={"RWF": 10**9}, seed=7)
        self.emulator.__enter__()
        self.ledgers = {name: self._opened() for name in ("her", "him")}
        self.given: list[tuple[str, str | None, list[dict[str, Any]]]] = []
        self.sent_at: list[float] = []
        self.moves = 0

    def _opened(self) -> SqliteLedger:
        return SqliteLedger(self.path, clock=lambda: self.now)

    def _client(self) -> AsyncDGSPay:
        return AsyncDGSPay(
            api_key=self.emulator.api_key,
            account_number=self.emulator.account_number,
            environment="emulator",
            base_url=self.emulator.base_url,
            transport=HttpxTransport(self.emulator.async_http_client()),
            idempotency_header="X-Forgotten",
        )

    def _pay(self, person: str, name: str, period: str | None, rows: list[dict[str, Any]]) -> None:
        async def run() -> None:
            async with self._client() as dgs:
                with contextlib.suppress(DGSPayError):
                    await AsyncPayouts(dgs, self.ledgers[person]).run(
                        rows, batch=name, period=period, pace=Pace(concurrency=1), settle_within=1
                    )

        anyio.run(run)
        self.given.append((name, period, rows))

    def _note(self) -> None:
        made = len(self.emulator.disbursements)
        self.sent_at += [self.now] * (made - len(self.sent_at))

    # --- what people do -------------------------------------------------------------------

    @rule(person=who, name=names, period=periods, people=some, more=raises, spelling=spellings)
    def pays_a_sheet(
        self,
        *,
        person: str,
        name: str,
        period: str | None,
        people: set[int],
        more: int,
        spelling: int,
    ) -> None:
        self._pay(person, name, period, sheet(people, more, spelling, period))

    @precondition(lambda self: self.given)
    @rule(person=who, which=st.integers(min_value=0), data=names | st.none())
    def gives_one_again(self, person: str, which: int, data: str | None) -> None:
        name, period, rows = self.given[which % len(self.given)]
        self._pay(person, data or name, period, rows)

    @rule(people=some, period=periods, spelling=spellings)
    def both_have_the_question_open(
        self, people: set[int], period: str | None, spelling: int
    ) -> None:
        async def run() -> None:
            async with self._client() as dgs, contextlib.AsyncExitStack() as stack:
                jobs = []
                for number, person in enumerate(("her", "him")):
                    rows = sheet(people, 0, spelling * number, period)
                    with contextlib.suppress(DGSPayError):
                        job = await stack.enter_async_context(
                            AsyncPayouts(dgs, self.ledgers[person]).open(
                                rows, batch=f"window-{person}", period=period
                            )
                        )
                        (await job.preflight()).require_good()
                        jobs.append(job)
                for job in jobs:
                    with contextlib.suppress(DGSPayError):
                        await job.run(settle_within=1)

        anyio.run(run)

    @rule(after=st.integers(min_value=0, max_value=3))
    def the_next_run_is_stopped(self, after: int) -> None:
        """DGS-Pay refuses the API key, so that the run pauses."""
        from dgspay.emulator.faults.kinds import Fault

        if after:
            self.emulator.faults.add("POST /disburse", Fault(), times=after)
        self.emulator.faults.fail_next("POST /disburse", error_code="91")

    @rule()
    def an_answer_is_lost(self) -> None:
        self.emulator.faults.lose_answer("POST /disburse")

    @rule(days=st.sampled_from([1, 4, 6, 31]))
    def days_pass(self, days: int) -> None:
        self.now += days * DAY

    # --- what becomes of the file ---------------------------------------------------------

    @rule()
    def the_ledger_is_moved(self) -> None:
        for ledger in self.ledgers.values():
            ledger.close()
        self.moves += 1
        folder = self.folder / f"folder-{self.moves % 3}-{self.moves}"
        folder.mkdir()
        for file in self.path.parent.glob("ledger.sqlite3*"):
            file.rename(folder / file.name)
        self.path = folder / "ledger.sqlite3"
        self.ledgers = {name: self._opened() for name in ("her", "him")}

    @rule(name=names, people=some)
    def an_older_copy_is_put_in_its_place_for_a_while(self, name: str, people: set[int]) -> None:
        """It may be refused when it is opened, or when it is written; it never pays anybody."""
        older, latest = self.folder / "older", self.folder / "latest"
        for ledger in self.ledgers.values():
            ledger.close()
        shutil.copy(self.path, older)
        self.ledgers = {name: self._opened() for name in ("her", "him")}
        before = len(self.emulator.disbursements)
        self._pay("her", name, None, sheet(people, 1, 0, None))
        self._note()
        has_paid = len(self.emulator.disbursements) > before
        for ledger in self.ledgers.values():
            ledger.close()
        self.path.rename(latest)
        shutil.copy(older, self.path)
        made = len(self.emulator.disbursements)
        with contextlib.suppress(DGSPayError):
            self.ledgers = {"her": self._opened()}
            self._pay("her", f"{name}-again", None, sheet(people, 1, 0, None))
        if has_paid:
            assert len(self.emulator.disbursements) == made
        for ledger in self.ledgers.values():
            ledger.close()
        for file in self.path.parent.glob("ledger.sqlite3-*"):
            file.unlink()
        latest.rename(self.path)
        self.ledgers = {name: self._opened() for name in ("her", "him")}

    # --- what must hold -------------------------------------------------------------------

    @invariant()
    def nobody_is_paid_twice(self) -> None:
        self._note()
        made = self.emulator.disbursements
        per_reference = Counter(each.narration for each in made)
        assert all(times == 1 for times in per_reference.values()), per_reference
        payments: defaultdict[tuple[str, Any], list[float]] = defaultdict(list)
        for each, moment in zip(made, self.sent_at, strict=True):
            digits = each.recipient["account_number"].replace("-", "").replace(" ", "")
            payments[digits.lstrip("0"), each.amount].append(moment)
        for moments in payments.values():
            later = sorted(moments)
            assert all(b - a >= 5 * DAY for a, b in pairwise(later)), payments

    @invariant()
    def nobody_is_called_paid_who_was_not(self) -> None:
        paid = {each.dgs_reference: each.narration for each in self.emulator.disbursements}
        ledger = self.ledgers["her"]
        claimed = Counter(
            record.dgs_reference
            for batch in ledger.batches()
            for record in ledger.page(batch.name, states=(State.ACCEPTED, State.CONFIRMED))
        )
        assert all(times == 1 for times in claimed.values())
        assert claimed.keys() <= paid.keys()

    def teardown(self) -> None:
        for ledger in self.ledgers.values():
            ledger.close()
        self.emulator.__exit__(None, None, None)
        shutil.rmtree(self.folder)


@pytest.mark.acceptance(
    95,
    "reference-paid-elsewhere",
    96,
    "same-account-and-sum",
    97,
    "paid-once-when-resumed",
    98,
    "same-sheet-next-month",
    99,
    "lost-history",
)
def test_an_office_pays_nobody_twice() -> None:
    """Without an assertion: every step of the story checks who was paid."""
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(Office, settings=STORIES)

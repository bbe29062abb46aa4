"""A model of bulk payouts: whatever happens in whatever order, money moves as the ledger says.

Hypothesis makes stories of runs, lost answers, deaths of the machine, restarts, webhooks that
are repeated, late, early or out of order, look-ups and decisions by a person. After each step:

- each intended payment was made at most once,
- none is claimed that was not made, and none that was made is denied,
- none is forgotten: each row has its record, and at the end its end.

Unless the client was told to trust in idempotency keys, the server of these stories forgets them.
A story that fails is printed as the steps that lead to it. `DGSPAY_TEST_FULL=1` tells thousands.
"""

from __future__ import annotations

import random
import shutil
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dgspay import PaymentStatus
from dgspay.payouts import State
from tests.support.effort import STORIES, story_folder
from tests.system.state_machines.payout_world import Plan, World

ROUTE = "POST /disburse"

# What goes wrong with a request, at DGS-Pay or on the way; the last of them does nothing here, so
# that what goes wrong may strike a later one.
MISHAPS: dict[str, dict[str, Any]] = {
    "lose_answer": {},
    "lose_request": {},
    "cut_answer": {},
    "truncate": {},
    "bad_gateway": {"after_work": True},
    "fail_next": {"error_code": "99"},
    "too_many": {"retry_after": 1000},
    "repeat_rows": {},
}

# What each claim leaves possible of what was done: how the transfer ended, or None for no transfer.
POSSIBLE: dict[State, set[PaymentStatus | None]] = {
    State.NEW: {None},
    State.ACCEPTED: {PaymentStatus.PENDING, PaymentStatus.SUCCESSFUL, PaymentStatus.FAILED},
    State.CONFIRMED: {PaymentStatus.SUCCESSFUL},
    State.FAILED: {None, PaymentStatus.FAILED},
    State.IN_DOUBT: {None, *PaymentStatus},
    State.HELD: {None, *PaymentStatus},
}

places = st.integers(min_value=0, max_value=50)
sad = st.lists(st.sampled_from([*MISHAPS]), max_size=5)
plans = st.builds(
    Plan,
    dies_at=st.none() | st.integers(min_value=1, max_value=6),
    after_work=st.booleans(),
    answers_late=st.booleans(),
    concurrency=st.integers(min_value=1, max_value=3),
)


class PayoutStory(RuleBasedStateMachine):
    """One batch, from its first run until everybody is paid or known not to be."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = story_folder()

    @initialize(
        rows=st.integers(min_value=2, max_value=8), trusting=st.booleans(), plan=plans, sad=sad
    )
    def begin(self, rows: int, trusting: bool, plan: Plan, sad: list[str]) -> None:
        self.world = World(self.folder, rows=rows, trusting=trusting)
        self.world.read()
        self.nobody_is_paid_twice_and_the_ledger_is_true()
        self.run(plan, sad)

    # --- the program ---

    @rule(plan=plans, sad=sad)
    def run(self, plan: Plan, sad: list[str]) -> None:
        if not self.world.trusting:
            self.world.forget_keys()
        faults = self.world.emulator.faults
        faults.clear()
        for kind in sad:
            getattr(faults, kind)(ROUTE, **MISHAPS[kind])
        self.world.run(plan)

    @rule()
    def restart(self) -> None:
        self.world.restart()

    @rule()
    def look_up(self) -> None:
        self.world.look_up()

    # --- DGS-Pay, the network and the post ---

    @rule(well=st.booleans(), place=places)
    def end_of_a_transfer(self, well: bool, place: int) -> None:
        self.world.end(well=well, place=place)

    # No step is drawn by what there is at the moment: how far the tasks of a run have come differs
    # from one telling of a story to the next, and each telling must draw the same.

    @rule(place=places)
    def webhook(self, place: int) -> None:
        self.world.deliver(place)

    @rule(order=st.integers(min_value=0, max_value=2**32))
    def post_in_any_order(self, order: int) -> None:
        deliveries = [*range(len(self.world.emulator.webhooks.deliveries))] * 2
        random.Random(order).shuffle(deliveries)
        for place in deliveries:
            self.world.deliver(place)

    # --- a person ---

    @rule(place=places)
    def decision(self, place: int) -> None:
        self.world.decide(place)

    # --- the promise ---

    @invariant()
    def nobody_is_paid_twice_and_the_ledger_is_true(self) -> None:
        records = self.world.records()
        assert [record.payout.reference for record in records] == [
            row["reference"] for row in self.world.rows
        ]
        for record in records:
            transfers = self.world.transfers_to(record.payout.account)
            assert len(transfers) <= 1, f"{record.payout.reference} was paid twice"
            done = transfers[0] if transfers else None
            assert done in POSSIBLE[record.state], f"{record} and in truth {done}"

    def teardown(self) -> None:
        if hasattr(self, "world"):
            try:
                self._come_to_an_end()
            finally:
                self.world.close()
        shutil.rmtree(self.folder)

    def _come_to_an_end(self) -> None:
        """All is mended, all transfers end, all post arrives, and a person looks at the rest."""
        world = self.world
        for _ in range(3):
            self.run(Plan(), [])
        world.emulator.settle()
        for place in range(len(world.emulator.webhooks.deliveries)):
            world.deliver(place)
        self.nobody_is_paid_twice_and_the_ledger_is_true()
        world.look_up()
        for _ in world.records(State.HELD):
            world.decide(0)
        self.nobody_is_paid_twice_and_the_ledger_is_true()
        states = {record.state for record in world.records()}
        assert states <= {State.CONFIRMED, State.FAILED}, "somebody was forgotten"


PayoutStory.TestCase.settings = STORIES

TestPayoutStory = pytest.mark.acceptance(
    52, "killed-run", 54, "held-in-doubt", 58, "contradicting-evidence"
)(PayoutStory.TestCase)

"""A model of the webhook inbox: each event handled once, whatever the post and the machines do.

Hypothesis makes stories of deliveries that repeat, cross and come in any order, to processes that
fail, are killed, or are so slow that their lease ends. After each step the answer was the one the
model knows, and:

- an event is handled once, but for each process that was killed after its handler and before its
  "done", or outlived its lease: those are the documented exceptions,
- what was answered with 200 was handled, and what was not is handled when it comes again.
"""

from __future__ import annotations

import shutil
from collections import Counter

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from dgspay.models.json_codec import dump_json
from dgspay.webhooks import (
    PaymentFailed,
    PaymentSucceeded,
    SQLiteInbox,
    WebhookReceiver,
    sign,
    verify,
)
from dgspay.webhooks.inbox import Claim
from tests.support.effort import STORIES, story_folder

SECRET = "whsec_model"
LEASE = 60.0

# Success and failure of the same payment are two events, in whatever order they come.
BODIES = [
    dump_json(
        {
            "event": f"payment.{word}",
            "dgs_reference": f"dgs_{number}",
            "amount": 1000,
            "currency": "RWF",
            "status": word,
        }
    )
    for number in range(3)
    for word in ("success", "failed")
]

places = st.integers(min_value=0, max_value=len(BODIES) - 1)


class InboxStory(RuleBasedStateMachine):
    """Some events, and two processes that share an inbox."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = story_folder()
        self.now = 1000.0
        self.handled: Counter[str] = Counter()
        self.excused: Counter[str] = Counter()
        self.done: set[str] = set()
        self.leased_until: dict[str, float] = {}
        self.conduct = "good"
        self.processes = [self._process(), self._process()]

    def _inbox(self) -> SQLiteInbox:
        return SQLiteInbox(self.folder / "inbox.sqlite3", monotonic=lambda: self.now)

    def _process(self) -> WebhookReceiver:
        receiver = WebhookReceiver(secret=SECRET, inbox=self._inbox(), lease=LEASE)
        receiver.on(PaymentSucceeded, PaymentFailed)(self._handle)
        return receiver

    def _handle(self, event: PaymentSucceeded | PaymentFailed) -> None:
        conduct, self.conduct = self.conduct, "good"
        body = next(body for body in BODIES if _key(body) == event.dedupe_key)
        match conduct:
            case "bad":
                raise RuntimeError("the shop's database is away")
            case "asked again meanwhile":
                assert self._post(body, 1) == 409
            case "slow":
                self.now += LEASE + 1
                # The lease is over: another process may have it, and handles it, too.
                assert self._post(body, 1) == 200
                self.excused[event.dedupe_key] += 1
        self.handled[event.dedupe_key] += 1

    def _post(self, body: bytes, process: int) -> int:
        return self.processes[process].receive(body, sign(body, SECRET)).status

    # --- the post ---

    @rule(
        place=places,
        process=st.integers(min_value=0, max_value=1),
        conduct=st.sampled_from(["good", "good", "bad", "asked again meanwhile", "slow"]),
    )
    def delivery(self, place: int, process: int, conduct: str) -> None:
        body = BODIES[place]
        key, before = _key(body), self.handled.copy()
        is_free = key not in self.done and self.leased_until.get(key, 0.0) <= self.now
        self.conduct = conduct if is_free else "good"
        status = self._post(body, process)
        if key in self.done:
            assert status == 200
            assert self.handled == before
        elif not is_free:
            assert status == 409
            assert self.handled == before
        elif conduct == "bad":
            assert status == 500
            self.leased_until.pop(key, None)
        else:
            assert status == 200
            self.done.add(key)

    @rule(order=st.permutations(range(len(BODIES))))
    def everything_again(self, order: list[int]) -> None:
        for place in order:
            self.delivery(place, place % 2, "good")

    # --- the machines ---

    @rule(place=places, after_handler=st.booleans())
    def killed_in_the_middle(self, place: int, after_handler: bool) -> None:
        key = _key(BODIES[place])
        claim = self._inbox().claim(key, lease=LEASE)
        is_free = key not in self.done and self.leased_until.get(key, 0.0) <= self.now
        assert isinstance(claim, Claim) is is_free
        if is_free:
            self.leased_until[key] = self.now + LEASE
            if after_handler:
                self.handled[key] += 1
                self.excused[key] += 1

    @rule()
    def restart(self) -> None:
        self.processes = [self._process(), self._process()]

    @rule(seconds=st.sampled_from([1.0, LEASE / 2, LEASE + 1]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    # --- the promise ---

    @invariant()
    def handled_once_and_not_forgotten(self) -> None:
        for body in BODIES:
            key = _key(body)
            assert self.handled[key] <= 1 + self.excused[key]
            assert key not in self.done or self.handled[key] >= 1

    def teardown(self) -> None:
        self.now += LEASE + 1
        self.everything_again([*range(len(BODIES))])
        self.handled_once_and_not_forgotten()
        assert all(self.handled[_key(body)] for body in BODIES)
        shutil.rmtree(self.folder)


def _key(body: bytes) -> str:
    return verify(body, sign(body, SECRET), SECRET).dedupe_key


InboxStory.TestCase.settings = STORIES

TestInboxStory = pytest.mark.acceptance(43, "handled-once", 44, "events-in-any-order")(
    InboxStory.TestCase
)

"""The exact place of each boundary: a second, an attempt, a retry on this side or on that."""

from __future__ import annotations

import math
from typing import Any

import attrs
import pytest

from dgspay.core.assessment import Verdict, assess
from dgspay.core.messages import Response, Send, Timeout
from dgspay.core.operation import Repeat
from dgspay.core.retry import History, RetryBudget, RetryPolicy, Step, decide
from dgspay.errors import DGSPayError, Outcome, RateLimitError
from tests.support.scripted_server import OK, REFUSED, Story, answer, code, operation

READ, CHARGE, PAYOUT, NEVER_AFTER_UNKNOWN = (
    Repeat.READ,
    Repeat.CHARGE,
    Repeat.PAYOUT,
    Repeat.NEVER_AFTER_UNKNOWN,
)
WRITES = (CHARGE, PAYOUT, NEVER_AFTER_UNKNOWN)


def verdict(response: Response, repeat: Repeat = PAYOUT, **options: Any) -> Verdict:
    return assess(response, operation(repeat, **options), now=0.0).verdict


def refusal(story: Story, repeat: Repeat = PAYOUT) -> DGSPayError:
    with pytest.raises(DGSPayError) as caught:
        story.run(operation(repeat))
    return caught.value


# --- attempts and the deadline ------------------------------------------------------------


@pytest.mark.parametrize("attempts", [2, 3])
def test_used_up_is_said_from_the_second_attempt_on(attempts: int) -> None:
    story = Story(*[REFUSED] * attempts, retry=RetryPolicy(attempts=attempts))
    error = refusal(story)
    assert error.attempts == len(story.requests) == attempts
    assert error.message.endswith("All attempts are used up.")


@pytest.mark.acceptance(30, "retry-after")
def test_a_pause_to_the_very_end_of_the_deadline_leaves_no_room() -> None:
    story = Story(REFUSED, OK, deadline=0.5, random=1.0)
    assert refusal(story).message.endswith("the deadline leaves no room for it.")
    assert (len(story.requests), story.sleeps) == (1, [])

    story = Story(REFUSED, OK, deadline=0.501, random=1.0)
    story.run(operation(PAYOUT))
    assert story.sleeps == [0.5]


@pytest.mark.acceptance(16, "dripping-server")
@pytest.mark.parametrize("each_takes", [5.0, 5.1, 99.0])
@pytest.mark.parametrize("repeat", Repeat)
def test_once_the_deadline_has_passed_nothing_is_sent_again(
    each_takes: float, repeat: Repeat
) -> None:
    # Not even where there is no pause to make: the attempt would be cut off after it was sent,
    # and what is known to be refused would end as unknown.
    story = Story(answer({}, 429), OK, deadline=5.0, random=0.0, each_takes=each_takes)
    error = refusal(story, repeat)
    assert isinstance(error, RateLimitError)
    assert error.outcome is Outcome.REJECTED
    assert error.message.endswith("the deadline leaves no room for it.")
    assert len(story.requests) == 1


@pytest.mark.acceptance(16, "dripping-server")
def test_an_attempt_after_a_pause_that_overshot_has_a_millisecond() -> None:
    story = Story(deadline=10.0)
    steps = story.runner.run(operation(PAYOUT))
    next(steps)
    steps.send(REFUSED)
    story.clock.now += 11.0
    effect = next(steps)
    assert isinstance(effect, Send)
    assert effect.timeout == Timeout(connect=1e-3, write=1e-3, read=1e-3, pool=1e-3, total=1e-3)
    steps.close()


def test_the_pause_doubles_to_a_bound_and_its_exponent_has_one_too() -> None:
    policy = RetryPolicy(initial_delay=1.0, max_delay=float("inf"))
    assert [policy.delay_bound(attempt) for attempt in (1, 2, 3, 65)] == [1.0, 2.0, 4.0, 2.0**64]
    assert policy.delay_bound(66) == policy.delay_bound(100_000) == 2.0**64


def test_no_part_of_an_attempt_outlives_the_whole() -> None:
    timeout = Timeout(connect=1.0, write=2.0, read=3.0, pool=4.0)
    assert timeout.within(9.0) == Timeout(connect=1.0, write=2.0, read=3.0, pool=4.0, total=9.0)
    assert timeout.within(2.5) == Timeout(connect=1.0, write=2.0, read=2.5, pool=2.5, total=2.5)
    assert timeout.within(0.5) == Timeout(connect=0.5, write=0.5, read=0.5, pool=0.5, total=0.5)


def test_for_ever_is_a_day_to_a_socket() -> None:
    endless = Timeout(connect=math.inf, write=math.inf, read=1e300, pool=math.inf)
    day = Timeout(connect=86_400.0, write=86_400.0, read=86_400.0, pool=86_400.0)
    assert endless.within(math.inf) == attrs.evolve(day, total=math.inf)
    assert endless.within(1e300) == attrs.evolve(day, total=1e300)


# --- the table and what is remembered for it ----------------------------------------------


@pytest.mark.acceptance(31, "retry-table")
@pytest.mark.parametrize("repeat", WRITES)
def test_a_call_remembers_what_its_attempts_left_behind(repeat: Repeat) -> None:
    history = History(own_key=False)
    assert history == History(own_key=False, reached=False, unknown=False, accepted=False)
    history.note(Verdict.NOT_SENT)
    assert history == History(own_key=False)
    assert decide(Verdict.KEY_CONFLICT, repeat, history, trusted=True) is Step.STOP
    history.note(Verdict.RATE_LIMITED)
    assert history == History(own_key=False, reached=True)
    history.note(Verdict.NOT_SENT)
    assert history == History(own_key=False, reached=True)
    assert decide(Verdict.KEY_CONFLICT, repeat, history, trusted=True) is Step.AGAIN
    history.note(Verdict.KEY_CONFLICT)
    assert history == History(own_key=False, reached=True, accepted=True)
    history.note(Verdict.SAFE_TO_RETRY)
    assert history == History(own_key=False, reached=True, unknown=True, accepted=True)


@pytest.mark.acceptance(61, "unclear-refusal")
@pytest.mark.parametrize(
    ("verdict_", "leaves_doubt"),
    [
        (Verdict.NOT_SENT, False),
        (Verdict.RATE_LIMITED, False),
        (Verdict.KEY_CONFLICT, False),
        (Verdict.UNKNOWN, True),
        (Verdict.SAFE_TO_RETRY, True),
        (Verdict.REJECTED_BY_STATUS, True),
    ],
)
def test_after_what_the_earlier_attempt_may_have_been_carried_out(
    verdict_: Verdict, leaves_doubt: bool
) -> None:
    history = History(own_key=True)
    history.note(verdict_)
    assert history.unknown is leaves_doubt


@pytest.mark.acceptance(31, "retry-table")
@pytest.mark.parametrize("verdict_", Verdict)
@pytest.mark.parametrize("repeat", WRITES)
def test_trust_repeats_what_is_unknown_and_nothing_else(verdict_: Verdict, repeat: Repeat) -> None:
    if verdict_ is Verdict.OK:
        return
    fresh = History(own_key=False)
    steps = [decide(verdict_, repeat, fresh, trusted=trusted) for trusted in (False, True)]
    unknown = (Verdict.UNKNOWN, Verdict.REJECTED_BY_STATUS)
    if verdict_ in unknown and repeat is not NEVER_AFTER_UNKNOWN:
        assert steps == [Step.STOP, Step.AGAIN]
    else:
        assert steps[0] is steps[1]


@pytest.mark.acceptance(32, "retry-budget")
@pytest.mark.parametrize(("budget", "retries"), [(0.0, 0), (0.9, 0), (1.0, 1), (2.5, 2), (3.0, 3)])
def test_a_budget_buys_whole_retries_only(budget: float, retries: int) -> None:
    store = RetryBudget(RetryPolicy(budget=budget))
    assert [store.spend() for _ in range(retries + 2)] == [True] * retries + [False] * 2


@pytest.mark.acceptance(32, "retry-budget")
def test_successes_earn_a_retry_bit_by_bit() -> None:
    store = RetryBudget(RetryPolicy(budget=2.0, budget_refill=0.5))
    assert [store.spend(), store.spend(), store.spend()] == [True, True, False]
    store.refill()
    assert not store.spend()
    store.refill()
    assert [store.spend(), store.spend()] == [True, False]


@pytest.mark.acceptance(32, "retry-budget")
def test_only_a_success_earns_and_only_a_retry_costs() -> None:
    story = Story(OK, REFUSED, OK, code("90"), retry=RetryPolicy(budget=1.0, budget_refill=1.0))
    story.run(operation(PAYOUT))
    story.run(operation(PAYOUT))
    refusal(story)
    assert [story.runner.budget.spend(), story.runner.budget.spend()] == [True, False]

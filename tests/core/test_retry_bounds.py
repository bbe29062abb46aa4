"""What bounds the retries: attempts, the deadline, Retry-After and the retry budget."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from dgspay.core.messages import Timeout, TransportFailure
from dgspay.core.operation import Repeat
from dgspay.core.retry import RetryBudget, RetryPolicy
from dgspay.errors import Outcome, RateLimitError, ServerError, TransportError
from tests.support.scripted_server import LOST, OK, REFUSED, Story, answer, code, operation

READ = Repeat.READ


def test_full_jitter_doubles_from_half_a_second_to_eight() -> None:
    policy = RetryPolicy(attempts=8)
    story = Story(*[REFUSED] * 7, OK, retry=policy, random=1.0)
    story.run(operation(READ))
    assert story.sleeps == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]

    story = Story(*[REFUSED] * 7, OK, retry=policy, random=0.0)
    story.run(operation(READ))
    assert story.sleeps == [0.0] * 7

    assert RetryPolicy().delay_bound(10_000) == 8.0


def test_the_deadline_covers_attempts_and_pauses() -> None:
    story = Story(*[LOST] * 9, retry=RetryPolicy(attempts=9), deadline=10.0, each_takes=3.0)
    with pytest.raises(TransportError, match="the deadline leaves no room") as caught:
        story.run(operation(READ))
    # 3 + 0.5 + 3 + 1 + 3 = 10.5: the third attempt is the last.
    assert caught.value.attempts == 3
    assert [timeout.total for timeout in story.timeouts] == [10.0, 6.5, 2.5]
    assert story.timeouts[2] == Timeout(connect=2.5, write=2.5, read=2.5, pool=2.5, total=2.5)


def test_an_attempt_after_an_overshot_pause_still_has_a_positive_time() -> None:
    story = Story(REFUSED, OK, deadline=1.0, random=0.9, each_takes=0.0)

    def late() -> TransportFailure:
        story.clock.now += 0.549
        return REFUSED

    story.answers = iter([late, OK])
    story.run(operation(READ))
    assert story.timeouts[1].total == pytest.approx(0.001)


@pytest.mark.acceptance(30, "retry-after")
@pytest.mark.parametrize("repeat", Repeat)
def test_429_waits_as_long_as_asked_where_it_fits(repeat: Repeat) -> None:
    story = Story(code("99", 429, retry_after="20"), OK)
    story.run(operation(repeat))
    assert story.sleeps == [20.0]


@pytest.mark.acceptance(30, "retry-after")
def test_429_waits_until_the_date_it_names() -> None:
    until = datetime.fromtimestamp(Story().clock.time() + 9, UTC)
    story = Story(answer({}, 429, retry_after=format_datetime(until, usegmt=True)), OK, random=0.0)
    story.run(operation(Repeat.PAYOUT))
    assert story.sleeps == [9.0]


@pytest.mark.acceptance(30, "retry-after")
@pytest.mark.parametrize("repeat", Repeat)
def test_429_past_the_deadline_is_raised_with_retry_after(repeat: Repeat) -> None:
    story = Story(answer({}, 429, retry_after="3600"), OK)
    with pytest.raises(RateLimitError, match="deadline") as caught:
        story.run(operation(repeat))
    assert caught.value.retry_after == 3600.0
    assert caught.value.outcome is Outcome.REJECTED
    assert story.sleeps == []


def test_a_pause_is_never_shorter_than_retry_after() -> None:
    story = Story(code("99", 500, retry_after="4"), OK, random=0.1)
    story.run(operation(Repeat.PAYOUT))
    assert story.sleeps == [4.0]


@pytest.mark.acceptance(32, "retry-budget")
def test_an_outage_drains_the_budget_and_then_calls_fail_fast() -> None:
    policy = RetryPolicy(attempts=3, budget=4.0, budget_refill=0.5)
    story = Story(*[REFUSED] * 100, retry=policy)
    for attempts in (3, 3, 1, 1):
        with pytest.raises(TransportError) as caught:
            story.run(operation(READ))
        assert caught.value.attempts == attempts
    assert "retry budget is used up" in str(caught.value)

    story.answers = iter([OK, OK, REFUSED, OK])
    for _ in range(3):
        story.run(operation(READ))
    assert story.attempts[-2].retry_delay is not None


@pytest.mark.acceptance(32, "retry-budget")
def test_the_budget_is_never_fuller_than_full() -> None:
    budget = RetryBudget(RetryPolicy(budget=1.0, budget_refill=1.0))
    for _ in range(5):
        budget.refill()
    assert budget.spend()
    assert not budget.spend()


def test_one_attempt_means_one_attempt() -> None:
    story = Story(code("99", 500), retry=RetryPolicy(attempts=1))
    with pytest.raises(ServerError) as caught:
        story.run(operation(READ))
    assert caught.value.attempts == 1
    assert "used up" not in str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"attempts": 0},
        {"initial_delay": -1},
        {"max_delay": -1},
        {"budget": -1},
        {"budget_refill": -1},
    ],
)
def test_a_policy_refuses_numbers_that_mean_nothing(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        RetryPolicy(**wrong)  # type: ignore[arg-type]

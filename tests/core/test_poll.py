"""Waiting for a payment, in a clock of its own: a hundred seconds in no time."""

from __future__ import annotations

import pytest

from dgspay.api import charges
from dgspay.core.messages import Response
from dgspay.core.retry import RetryPolicy
from dgspay.errors import NotFoundError, TransportError, WaitTimeoutError
from dgspay.models.enums import PaymentStatus
from tests.support.scripted_server import BAD_CERTIFICATE, REFUSED, Story, answer, code


def seen(status: str, **more: object) -> Response:
    record = {"id": "d", "dgs_reference": "dgs_1", "status": status, **more}
    return answer({"status": "success", "data": record})


def test_it_polls_with_growing_pauses_until_settled() -> None:
    story = Story(*[seen("pending")] * 9, seen("success"), random=0.5)
    transaction = story.run(charges.wait("dgs_1", timeout=100))
    assert transaction.is_paid
    assert story.sleeps == pytest.approx([1, 1.5, 2.25, 3.375, 5.0625, 7.59375, 10, 10, 10])


def test_a_failed_payment_is_settled_too() -> None:
    assert Story(seen("failed")).run(charges.wait("d")).status is PaymentStatus.FAILED


def test_a_word_never_seen_is_waited_on() -> None:
    assert Story(seen("successfull"), seen("success")).run(charges.wait("d")).is_paid


def test_when_the_time_is_up_it_says_how_it_was_seen_last() -> None:
    story = Story(*[seen("pending")] * 50, random=0.5)
    with pytest.raises(WaitTimeoutError, match="After 30 seconds") as caught:
        story.run(charges.wait("dgs_1", timeout=30, interval=2))
    assert caught.value.last.status is PaymentStatus.PENDING
    assert story.clock.now == pytest.approx(1030.0)
    assert caught.value.attempts == len(story.requests)
    assert caught.value.operation == "GET /transactions/{id}"


def test_an_outage_is_outlived() -> None:
    story = Story(
        seen("pending"), *[REFUSED] * 3, code("99", 500), answer({}, 429), seen("success")
    )
    assert story.run(charges.wait("d", timeout=60)).is_paid


@pytest.mark.parametrize("body", [b"<html>", b"{}", b""], ids=["html", "no record", "empty"])
def test_an_answer_that_cannot_be_read_is_outlived_like_an_outage(body: bytes) -> None:
    story = Story(seen("pending"), answer(body), seen("success"))
    assert story.run(charges.wait("d", timeout=60)).is_paid


@pytest.mark.parametrize("status", [408, 409, 425, 499])
def test_an_answer_that_says_nothing_is_outlived_like_an_outage(status: int) -> None:
    story = Story(seen("pending"), answer(b"", status), seen("success"))
    assert story.run(charges.wait("d", timeout=60)).is_paid


def test_an_outage_to_the_end_is_the_cause() -> None:
    story = Story(seen("pending"), *[REFUSED] * 200)
    with pytest.raises(WaitTimeoutError, match="the last look-up failed") as caught:
        story.run(charges.wait("d", timeout=20))
    assert isinstance(caught.value.__cause__, TransportError)
    assert caught.value.last.status is PaymentStatus.PENDING


def test_a_payment_that_is_not_found_yet_is_looked_for_again() -> None:
    story = Story(code("92", 404), code("92", 404), seen("pending"), seen("success"))
    assert story.run(charges.wait("d")).is_paid


def test_a_wrong_reference_is_raised_after_ten_seconds() -> None:
    story = Story(*[code("92", 404)] * 30, random=0.5)
    with pytest.raises(NotFoundError):
        story.run(charges.wait("nothing"))
    assert 1010 <= story.clock.now < 1015


def test_a_payment_that_shows_itself_just_before_ten_seconds_was_only_late() -> None:
    story = Story(code("92", 404), code("92", 404), seen("success"), random=0.5)
    assert story.run(charges.wait("dgs_1", timeout=60, interval=9.75)).is_paid


def test_a_payment_that_vanishes_is_raised_at_once() -> None:
    with pytest.raises(NotFoundError):
        Story(seen("pending"), code("92", 404)).run(charges.wait("d"))


def test_what_cannot_get_better_is_raised_at_once() -> None:
    with pytest.raises(TransportError) as caught:
        Story(BAD_CERTIFICATE).run(charges.wait("d"))
    assert caught.value.permanent


def test_waiting_spends_none_of_the_retry_budget() -> None:
    story = Story(*[REFUSED] * 500, retry=RetryPolicy(budget=1.0))
    with pytest.raises(WaitTimeoutError):
        story.run(charges.wait("d", timeout=60))
    assert story.runner.budget.spend()
    assert len(story.requests) == len(story.sleeps) + 1


def test_a_server_that_asks_for_time_gets_it() -> None:
    story = Story(answer({}, 429, retry_after="25"), seen("success"))
    story.run(charges.wait("d"))
    assert story.sleeps == [25.0]


def test_no_look_up_outlives_the_wait() -> None:
    story = Story(*[seen("pending")] * 9, each_takes=4.0, random=0.0)
    with pytest.raises(WaitTimeoutError):
        story.run(charges.wait("d", timeout=10, interval=1))
    totals = [timeout.total for timeout in story.timeouts]
    assert totals == pytest.approx([10.0, 5.25, 1.0], abs=0.2)


@pytest.mark.parametrize("wrong", [{"timeout": 0}, {"timeout": -1}, {"interval": 0}])
def test_times_must_be_positive(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        charges.wait("d", **wrong)

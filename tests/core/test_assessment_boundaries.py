"""The exact place of each boundary: a status, a code, a date on this side or on that."""

from __future__ import annotations

from typing import Any

import pytest

from dgspay.core.assessment import Verdict, assess, assess_failure
from dgspay.core.messages import Response, TransportFailure
from dgspay.core.operation import Repeat
from dgspay.core.retry import RetryPolicy
from dgspay.errors import ContradictoryOutcomeError, DGSPayError, Outcome
from tests.support.scripted_server import OK, Story, answer, operation

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


# --- statuses -----------------------------------------------------------------------------


@pytest.mark.acceptance(13, "redirect", 22, "no-json-answer")
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, Verdict.OK),
        (299, Verdict.OK),
        (300, Verdict.UNKNOWN),
        (399, Verdict.UNKNOWN),
        (400, Verdict.REJECTED_BY_STATUS),
        (407, Verdict.REJECTED_BY_STATUS),
        (408, Verdict.UNKNOWN),
        (409, Verdict.UNKNOWN),
        (410, Verdict.REJECTED_BY_STATUS),
        (425, Verdict.UNKNOWN),
        (428, Verdict.REJECTED_BY_STATUS),
        (429, Verdict.RATE_LIMITED),
        (430, Verdict.REJECTED_BY_STATUS),
        (498, Verdict.REJECTED_BY_STATUS),
        (499, Verdict.UNKNOWN),
        (500, Verdict.UNKNOWN),
        (599, Verdict.UNKNOWN),
    ],
)
@pytest.mark.parametrize("repeat", Repeat)
def test_what_a_status_says_where_the_body_says_nothing(
    status: int, kind: Verdict, repeat: Repeat
) -> None:
    assert verdict(answer({"message": "?"}, status), repeat) is kind


@pytest.mark.acceptance(13, "redirect")
@pytest.mark.parametrize("body", [{"status": "success"}, {"error_code": "90"}])
def test_a_redirect_is_no_answer_whatever_it_says(body: dict[str, str]) -> None:
    response = answer({**body, "transaction_status": "pending"}, 307, retry_after="5")
    assessment = assess(response, operation(PAYOUT), now=0.0)
    assert assessment.verdict is Verdict.UNKNOWN
    assert assessment.reason == "the server redirected (HTTP 307), which is never followed"
    assert assessment.retry_after == 5.0
    assert not assessment.contradicts


@pytest.mark.acceptance(23, "error-in-200")
@pytest.mark.parametrize(
    ("status", "known", "unknown"),
    [
        (200, Verdict.REJECTED, Verdict.UNCONFIRMED),
        (499, Verdict.REJECTED, Verdict.UNCONFIRMED),
        (500, Verdict.REJECTED, Verdict.UNKNOWN),
    ],
)
def test_a_code_of_the_guide_decides_and_another_only_below_500(
    status: int, known: Verdict, unknown: Verdict
) -> None:
    assert verdict(answer({"error_code": "92"}, status)) is known
    assert verdict(answer({"error_code": "E-1"}, status)) is unknown


@pytest.mark.acceptance(23, "error-in-200")
@pytest.mark.parametrize("error_code", ["90", "91", "92", "VALIDATION_ERROR"])
@pytest.mark.parametrize("said", ["success", "pending"])
@pytest.mark.parametrize("repeat", WRITES)
def test_429_with_a_plain_no_and_a_yes_is_not_repeated(
    error_code: str, said: str, repeat: Repeat
) -> None:
    # Without the 429 the code would be believed, and nothing repeated. With it, it would be.
    body = {"status": said, "error_code": error_code}
    story = Story(answer(body, 429), OK)
    assert isinstance(refusal(story, repeat), ContradictoryOutcomeError)
    assert len(story.requests) == 1
    assert verdict(answer(body, 400), repeat) is Verdict.REJECTED


@pytest.mark.acceptance(24, "declined-payment")
@pytest.mark.parametrize("status", [200, 400, 500])
def test_only_a_payments_own_word_makes_a_refusal_by_status_a_declined_one(status: int) -> None:
    declined = {"status": "failed", "transaction_status": "failed", "dgs_reference": "d"}
    assert verdict(answer(declined, status), CHARGE, failure_is_result=True) is Verdict.OK
    # The same words about a transfer, or with a "success" on top, are not.
    assert verdict(answer(declined, status)) is not Verdict.OK
    if status >= 400:
        bare = {"status": "failed", "dgs_reference": "d"}
        assert verdict(answer(bare, status), CHARGE, failure_is_result=True) is not Verdict.OK
        both = {**declined, "status": "success"}
        assert verdict(answer(both, status), CHARGE, failure_is_result=True) is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("body", "repeat", "kind"),
    [
        ({"dgs_reference": "d"}, PAYOUT, Verdict.OK),
        ({"status": "pending"}, PAYOUT, Verdict.OK),
        ({"status": "queued"}, PAYOUT, Verdict.UNKNOWN),
        # Whether a value that is no text can be read is for the result to say.
        ({"status": 1}, PAYOUT, Verdict.OK),
        ({"status": "queued"}, READ, Verdict.OK),
        ({}, READ, Verdict.OK),
    ],
)
def test_when_an_answer_counts_as_taken(body: Any, repeat: Repeat, kind: Verdict) -> None:
    assert verdict(answer(body), repeat) is kind


def test_a_charge_has_a_status_of_its_own() -> None:
    body = {"status": "queued", "dgs_reference": "d"}
    assert verdict(answer(body), CHARGE, failure_is_result=True) is Verdict.OK


@pytest.mark.acceptance(14, "not-reached", 15, "lost-answer")
@pytest.mark.parametrize(
    ("sent", "permanent", "kind", "outcome"),
    [
        (False, False, Verdict.NOT_SENT, Outcome.NOT_SENT),
        (False, True, Verdict.NOT_SENT_FOR_GOOD, Outcome.NOT_SENT),
        (True, False, Verdict.UNKNOWN, Outcome.UNKNOWN),
        # What may have left may have been carried out, however hopeless a second try is.
        (True, True, Verdict.UNKNOWN, Outcome.UNKNOWN),
    ],
)
def test_what_an_attempt_without_an_answer_came_to(
    sent: bool, permanent: bool, kind: Verdict, outcome: Outcome
) -> None:
    failure = TransportFailure("the line went dead", sent=sent, permanent=permanent)
    assert (failure.sent, failure.permanent) == (sent, permanent)
    assessment = assess_failure(failure)
    assert (assessment.verdict, assessment.reason) == (kind, "the line went dead")
    error = refusal(Story(failure, retry=RetryPolicy(attempts=1)))
    assert error.outcome is outcome

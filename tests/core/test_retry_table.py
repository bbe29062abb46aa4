"""Every cell of the retry table, with a fake clock: what is sent again, with which key."""

from __future__ import annotations

import pytest

from dgspay.core.assessment import Verdict
from dgspay.core.messages import EffectResult
from dgspay.core.operation import Repeat
from dgspay.core.retry import History, RetryPolicy, Step, decide
from dgspay.errors import (
    APIError,
    AuthenticationError,
    ContradictoryOutcomeError,
    DecodeError,
    DGSPayError,
    IdempotencyError,
    InvalidRequestError,
    NotFoundError,
    Outcome,
    OutcomeUnknownError,
    RateLimitError,
    TransportError,
    UnlistedCodeError,
)
from tests.support.scripted_server import (
    BAD_CERTIFICATE,
    LOST,
    OK,
    REFUSED,
    Story,
    answer,
    code,
    operation,
)

READ, CHARGE, PAYOUT, NEVER_AFTER_UNKNOWN = (
    Repeat.READ,
    Repeat.CHARGE,
    Repeat.PAYOUT,
    Repeat.NEVER_AFTER_UNKNOWN,
)
WRITES = (CHARGE, PAYOUT, NEVER_AFTER_UNKNOWN)
ALL = (READ, *WRITES)

RATE_LIMITED = code("90", 429)
HTML_502 = answer(b"<html>Bad gateway</html>", 502)
HTML_404 = answer(b"<html><h1>404 Not Found</h1><hr>nginx</html>", 404)
JSON_404 = answer({"message": "no Route matched with those values"}, 404)
BARE_NO = answer({"status": "failed", "message": "An error occured. Please contact support"})
KEY_IN_USE = code("93", 409)
AGAIN, STOPS = 2, 1


def same_key(story: Story) -> bool:
    first = story.requests[0]
    return all(request == first for request in story.requests)


# (what the first attempt was, kinds of operation, trusted, attempts until OK, error if it stops)
CELLS: list[tuple[str, EffectResult, tuple[Repeat, ...], bool, int, type[DGSPayError] | None]] = [
    ("not sent", REFUSED, ALL, False, AGAIN, None),
    ("certificate", BAD_CERTIFICATE, ALL, False, STOPS, TransportError),
    ("unknown", LOST, (READ,), False, AGAIN, None),
    ("unknown", LOST, WRITES, False, STOPS, OutcomeUnknownError),
    ("unknown, trusted", LOST, (READ, CHARGE, PAYOUT), True, AGAIN, None),
    ("unknown, trusted", LOST, (NEVER_AFTER_UNKNOWN,), True, STOPS, OutcomeUnknownError),
    ("502 without envelope", HTML_502, (READ,), False, AGAIN, None),
    ("502 without envelope", HTML_502, WRITES, False, STOPS, OutcomeUnknownError),
    ("502, trusted", HTML_502, (CHARGE, PAYOUT), True, AGAIN, None),
    ("429", RATE_LIMITED, ALL, False, AGAIN, None),
    ("99", code("99", 500), ALL, False, AGAIN, None),
    ("93", KEY_IN_USE, (READ,), False, STOPS, IdempotencyError),
    ("93, generated key", KEY_IN_USE, WRITES, False, AGAIN, None),
    ("93, generated key, trusted", KEY_IN_USE, WRITES, True, AGAIN, None),
    ("HTML 404", HTML_404, (READ,), True, STOPS, NotFoundError),
    ("HTML 404", HTML_404, WRITES, False, STOPS, OutcomeUnknownError),
    ("HTML 404, trusted", HTML_404, (CHARGE, PAYOUT), True, AGAIN, None),
    ("HTML 404, trusted", HTML_404, (NEVER_AFTER_UNKNOWN,), True, STOPS, OutcomeUnknownError),
    ("JSON 404 without a code", JSON_404, (READ,), True, STOPS, NotFoundError),
    ("JSON 404 without a code", JSON_404, WRITES, False, STOPS, OutcomeUnknownError),
    ("bare failed", BARE_NO, (READ,), True, STOPS, APIError),
    ("bare failed", BARE_NO, WRITES, True, STOPS, OutcomeUnknownError),
    ("90", code("90"), ALL, True, STOPS, InvalidRequestError),
    ("91", code("91", 401), ALL, True, STOPS, AuthenticationError),
    ("92", code("92", 404), ALL, True, STOPS, NotFoundError),
    ("VALIDATION_ERROR", code("VALIDATION_ERROR"), ALL, True, STOPS, InvalidRequestError),
    ("unheard of", code("77"), (READ,), True, STOPS, APIError),
    ("unheard of", code("77"), WRITES, True, STOPS, UnlistedCodeError),
]


@pytest.mark.acceptance(29, "same-bytes-again", 31, "retry-table")
@pytest.mark.parametrize(
    ("first", "repeat", "trusted", "attempts", "error"),
    [
        pytest.param(first, repeat, trusted, attempts, error, id=f"{name}-{repeat.value}")
        for name, first, repeats, trusted, attempts, error in CELLS
        for repeat in repeats
    ],
)
def test_each_result_is_tried_again_as_often_as_its_cell_says(
    first: EffectResult,
    repeat: Repeat,
    trusted: bool,
    attempts: int,
    error: type[DGSPayError] | None,
) -> None:
    story = Story(first, OK, retry=RetryPolicy(trust_idempotency=trusted))
    if error is None:
        story.run(operation(repeat))
    else:
        with pytest.raises(error) as caught:
            story.run(operation(repeat))
        assert caught.value.attempts == 1
        assert caught.value.operation == operation(repeat).name
        assert caught.value.idempotency_key == story.keys[0]
    assert len(story.requests) == attempts
    assert same_key(story)
    assert (story.keys[0] is None) == (repeat is READ)


@pytest.mark.acceptance(29, "same-bytes-again", 31, "retry-table", 59, "conflict-on-own-key")
@pytest.mark.parametrize("repeat", WRITES)
@pytest.mark.parametrize("attempts", [1, 2, 3, 5])
def test_93_on_a_generated_key_is_this_very_request_and_its_key_stays(
    repeat: Repeat, attempts: int
) -> None:
    story = Story(*[KEY_IN_USE] * attempts, retry=RetryPolicy(attempts=attempts))
    with pytest.raises(OutcomeUnknownError, match="already uses its key") as caught:
        story.run(operation(repeat))
    assert caught.value.likely_accepted
    assert caught.value.outcome is Outcome.UNKNOWN
    assert caught.value.error_code == "93"
    assert caught.value.idempotency_key == "generated-1"
    assert story.keys == ["generated-1"] * attempts
    assert len(story.sleeps) == attempts - 1
    assert same_key(story)


# What may follow a 93 on a generated key, and whether the call goes on after it.
AFTER_A_93: dict[str, EffectResult] = {
    "not sent": REFUSED,
    "certificate": BAD_CERTIFICATE,
    "lost": LOST,
    "429": RATE_LIMITED,
    "90": code("90"),
    "91": code("91", 401),
    "92": code("92", 404),
    "99": code("99", 500),
    "HTML 404": HTML_404,
    "HTML 502": HTML_502,
    "bare failed": BARE_NO,
    "unlisted code": code("77"),
    "shortfall": answer({"error_code": "VALIDATION_ERROR", "required": 2, "available_balance": 1}),
    "no JSON": answer(b"<html>"),
    "redirect": answer(b"", 302),
    "yes and no": answer({"status": "success", "error_code": "99"}, 500),
}


@pytest.mark.acceptance(31, "retry-table", 59, "conflict-on-own-key")
@pytest.mark.parametrize("repeat", WRITES)
@pytest.mark.parametrize("last", AFTER_A_93.values(), ids=AFTER_A_93)
@pytest.mark.parametrize("trusted", [False, True])
def test_nothing_that_follows_a_93_takes_back_that_the_request_arrived(
    repeat: Repeat, last: EffectResult, trusted: bool
) -> None:
    policy = RetryPolicy(attempts=2, trust_idempotency=trusted)
    story = Story(KEY_IN_USE, last, retry=policy)
    with pytest.raises(OutcomeUnknownError, match="already uses its key") as caught:
        story.run(operation(repeat))
    assert caught.value.likely_accepted
    assert caught.value.outcome is Outcome.UNKNOWN
    assert story.call.outcome is Outcome.UNKNOWN
    assert story.keys == ["generated-1"] * 2
    assert "Nothing was sent" not in str(caught.value)


@pytest.mark.acceptance(59, "conflict-on-own-key")
@pytest.mark.parametrize("repeat", WRITES)
def test_93_and_then_the_deadline_or_the_budget_is_likely_accepted(repeat: Repeat) -> None:
    for story in (
        Story(KEY_IN_USE, deadline=0.1),
        Story(KEY_IN_USE, retry=RetryPolicy(budget=0.0)),
        Story(code("93", 409, retry_after="500")),
    ):
        with pytest.raises(OutcomeUnknownError, match="Not tried again") as caught:
            story.run(operation(repeat))
        assert caught.value.likely_accepted
        assert len(story.requests) == 1


@pytest.mark.acceptance(59, "conflict-on-own-key")
@pytest.mark.parametrize("repeat", WRITES)
@pytest.mark.parametrize("key", [None, "mine"], ids=["generated", "callers"])
def test_a_limit_on_requests_does_not_hide_that_the_key_is_in_use(
    repeat: Repeat, key: str | None
) -> None:
    story = Story(*[code("93", 429, retry_after="1")] * 3)
    with pytest.raises(DGSPayError) as caught:
        story.run(operation(repeat, key=key))
    if key is None:
        assert isinstance(caught.value, OutcomeUnknownError)
        assert caught.value.likely_accepted
        assert len(story.requests) == 3
    else:
        assert isinstance(caught.value, IdempotencyError)
        assert len(story.requests) == 1


@pytest.mark.acceptance(59, "conflict-on-own-key")
def test_a_93_that_contradicts_itself_is_likely_accepted_too() -> None:
    body = {"status": "failed", "error_code": "93", "transaction_status": "pending"}
    with pytest.raises(ContradictoryOutcomeError) as caught:
        Story(answer(body, 409)).run(operation(CHARGE))
    assert caught.value.likely_accepted


@pytest.mark.acceptance(31, "retry-table", 59, "conflict-on-own-key")
@pytest.mark.parametrize("repeat", WRITES)
def test_93_after_attempts_that_never_left(repeat: Repeat) -> None:
    story = Story(REFUSED, KEY_IN_USE, OK)
    story.run(operation(repeat))
    assert story.keys == ["generated-1"] * 3
    # Under the caller's key something else may have been sent before.
    story = Story(REFUSED, KEY_IN_USE, OK)
    with pytest.raises(IdempotencyError):
        story.run(operation(repeat, key="mine"))


@pytest.mark.acceptance(20, "cancelled-post", 59, "conflict-on-own-key")
@pytest.mark.parametrize("repeat", WRITES)
def test_a_call_cancelled_in_the_pause_after_a_93_is_unknown(repeat: Repeat) -> None:
    story = Story()
    steps = story.runner.run(operation(repeat))
    next(steps)
    steps.send(KEY_IN_USE)
    steps.close()
    assert story.call.outcome is Outcome.UNKNOWN


@pytest.mark.acceptance(31, "retry-table", 61, "unclear-refusal")
@pytest.mark.parametrize("repeat", WRITES)
@pytest.mark.parametrize("attempts", [1, 3])
@pytest.mark.parametrize("retry_99", [True, False])
def test_99_to_the_end_is_unknown(repeat: Repeat, attempts: int, retry_99: bool) -> None:
    policy = RetryPolicy(attempts=attempts, retry_99=retry_99)
    story = Story(*[code("99", 500)] * attempts, retry=policy)
    with pytest.raises(OutcomeUnknownError) as caught:
        story.run(operation(repeat))
    assert caught.value.outcome is Outcome.UNKNOWN
    assert not caught.value.likely_accepted
    assert not isinstance(caught.value, APIError)
    assert caught.value.error_code == "99"
    assert len(story.requests) == (attempts if retry_99 else 1)
    assert same_key(story)


@pytest.mark.acceptance(31, "retry-table", 61, "unclear-refusal")
@pytest.mark.parametrize(
    "last",
    [code("90"), code("91", 401), code("92", 404), RATE_LIMITED, REFUSED, BAD_CERTIFICATE],
    ids=["90", "91", "92", "429", "refused", "certificate"],
)
@pytest.mark.parametrize("repeat", WRITES)
def test_no_refusal_of_the_second_attempt_is_about_the_first_that_got_a_99(
    repeat: Repeat, last: EffectResult
) -> None:
    # The first one may have emptied the wallet for which the second one is refused.
    story = Story(code("99", 500), last, retry=RetryPolicy(attempts=2))
    with pytest.raises(OutcomeUnknownError) as caught:
        story.run(operation(repeat))
    assert caught.value.outcome is Outcome.UNKNOWN
    assert story.call.outcome is Outcome.UNKNOWN


@pytest.mark.acceptance(31, "retry-table")
def test_a_read_is_repeated_after_a_99_whatever_the_policy_says_of_money() -> None:
    story = Story(code("99", 500), OK, retry=RetryPolicy(retry_99=False))
    story.run(operation(READ))
    assert len(story.requests) == 2


@pytest.mark.acceptance(61, "unclear-refusal")
@pytest.mark.parametrize("repeat", WRITES)
@pytest.mark.parametrize("no", [HTML_404, JSON_404, BARE_NO, code("77"), answer(b"", 403)])
def test_only_the_vendors_own_no_is_a_no(repeat: Repeat, no: EffectResult) -> None:
    with pytest.raises(OutcomeUnknownError) as caught:
        Story(no).run(operation(repeat, key="mine"))
    assert caught.value.outcome is Outcome.UNKNOWN
    with pytest.raises(APIError) as read:
        Story(no).run(operation(READ))
    assert read.value.outcome is Outcome.REJECTED


@pytest.mark.acceptance(31, "retry-table")
@pytest.mark.parametrize("repeat", WRITES)
@pytest.mark.parametrize("key", [None, "mine"], ids=["generated", "callers"])
@pytest.mark.parametrize("first", [code("99", 500), RATE_LIMITED], ids=["99", "429"])
def test_93_on_a_later_attempt_means_an_earlier_one_is_in(
    repeat: Repeat, key: str | None, first: EffectResult
) -> None:
    story = Story(first, code("93", 409), OK)
    story.run(operation(repeat, key=key))
    assert same_key(story)

    story = Story(first, code("93", 409), code("93", 409))
    with pytest.raises(OutcomeUnknownError) as caught:
        story.run(operation(repeat, key=key))
    assert caught.value.likely_accepted
    assert caught.value.outcome is Outcome.UNKNOWN
    assert caught.value.attempts == 3
    assert same_key(story)


@pytest.mark.acceptance(31, "retry-table")
@pytest.mark.parametrize("repeat", WRITES)
@pytest.mark.parametrize(
    "last",
    [code("90"), code("91", 401), code("92", 404), code("99", 500), RATE_LIMITED, REFUSED],
    ids=["90", "91", "92", "99", "429", "refused"],
)
def test_what_comes_after_a_later_93_does_not_take_it_back(
    repeat: Repeat, last: EffectResult
) -> None:
    story = Story(code("99", 500), code("93", 409), last, last)
    with pytest.raises(OutcomeUnknownError, match="already uses its key") as caught:
        story.run(operation(repeat, key="mine"))
    assert caught.value.likely_accepted
    assert caught.value.outcome is Outcome.UNKNOWN
    assert story.call.outcome is Outcome.UNKNOWN


@pytest.mark.acceptance(31, "retry-table")
@pytest.mark.parametrize("spaced", [" 93", "93 ", "93\n"])
def test_a_code_with_space_around_it_is_the_same_code(spaced: str) -> None:
    story = Story(code("99", 500), code(spaced, 409), code(spaced, 409))
    with pytest.raises(OutcomeUnknownError) as caught:
        story.run(operation(PAYOUT))
    assert caught.value.likely_accepted


@pytest.mark.acceptance(31, "retry-table")
@pytest.mark.parametrize("repeat", [CHARGE, PAYOUT])
def test_93_after_an_unknown_attempt_that_was_trusted(repeat: Repeat) -> None:
    story = Story(LOST, code("93", 409), code("93", 409), retry=RetryPolicy(trust_idempotency=True))
    with pytest.raises(OutcomeUnknownError) as caught:
        story.run(operation(repeat))
    assert caught.value.likely_accepted


@pytest.mark.acceptance(31, "retry-table")
@pytest.mark.parametrize("repeat", WRITES)
def test_93_on_the_callers_key_is_raised_at_once(repeat: Repeat) -> None:
    story = Story(code("93", 409), OK)
    with pytest.raises(IdempotencyError) as caught:
        story.run(operation(repeat, key="mine"))
    assert caught.value.outcome is Outcome.REJECTED
    assert caught.value.idempotency_key == "mine"
    assert story.keys == ["mine"]


@pytest.mark.acceptance(29, "same-bytes-again")
@pytest.mark.parametrize("repeat", [CHARGE, PAYOUT])
def test_every_attempt_is_the_first_one_byte_for_byte(repeat: Repeat) -> None:
    story = Story(code("99", 500), REFUSED, OK)
    story.run(operation(repeat, key="mine", body={"b": 1, "a": "é"}))
    assert story.requests == [story.requests[0]] * 3
    assert story.requests[0].reveal_body() is story.requests[2].reveal_body()


@pytest.mark.parametrize(
    ("answers", "error", "outcome"),
    [
        ([REFUSED] * 3, TransportError, Outcome.NOT_SENT),
        ([RATE_LIMITED] * 3, RateLimitError, Outcome.REJECTED),
        ([code("99", 500)] * 3, OutcomeUnknownError, Outcome.UNKNOWN),
    ],
)
@pytest.mark.parametrize("repeat", WRITES)
def test_the_last_attempt_decides_when_all_are_used_up(
    repeat: Repeat, answers: list[EffectResult], error: type[DGSPayError], outcome: Outcome
) -> None:
    story = Story(*answers)
    with pytest.raises(error, match="All attempts are used up") as caught:
        story.run(operation(repeat))
    assert caught.value.outcome is outcome
    assert caught.value.attempts == 3


@pytest.mark.acceptance(31, "retry-table")
@pytest.mark.parametrize(
    "later", [REFUSED, code("90"), code("91", 401), code("99", 500), RATE_LIMITED, BAD_CERTIFICATE]
)
@pytest.mark.parametrize("repeat", [CHARGE, PAYOUT])
def test_once_unknown_no_refusal_makes_it_known(repeat: Repeat, later: EffectResult) -> None:
    story = Story(LOST, later, later, later, retry=RetryPolicy(trust_idempotency=True))
    with pytest.raises(OutcomeUnknownError, match="An earlier attempt got no usable answer"):
        story.run(operation(repeat))


def test_a_read_is_never_an_unknown_outcome_for_money() -> None:
    story = Story(LOST, LOST, LOST)
    with pytest.raises(TransportError, match="nothing changed") as caught:
        story.run(operation(READ))
    assert caught.value.outcome is Outcome.UNKNOWN
    assert not isinstance(caught.value, OutcomeUnknownError)


@pytest.mark.parametrize(
    ("first", "outcome"),
    [(code("99", 500), Outcome.UNKNOWN), (RATE_LIMITED, Outcome.REJECTED)],
    ids=["99", "429"],
)
@pytest.mark.parametrize("last", [REFUSED, BAD_CERTIFICATE], ids=["refused", "certificate"])
@pytest.mark.parametrize("repeat", WRITES)
def test_nothing_was_sent_is_never_said_after_an_answer(
    repeat: Repeat, first: EffectResult, outcome: Outcome, last: EffectResult
) -> None:
    story = Story(first, last, last)
    with pytest.raises(DGSPayError, match="and then") as caught:
        story.run(operation(repeat))
    assert caught.value.outcome is outcome
    assert "Nothing was sent" not in str(caught.value)


# --- the table by itself ------------------------------------------------------------------

LETTERS = {"A": Step.AGAIN, ".": Step.STOP}

# (what an attempt was, what follows where keys are not trusted, and where they are); a letter
# for each of a read, a charge, a payout and what spends a PIN.
WHOLE_TABLE = [
    (Verdict.NOT_SENT, "AAAA", "AAAA"),
    (Verdict.NOT_SENT_FOR_GOOD, "....", "...."),
    (Verdict.UNKNOWN, "A...", "AAA."),
    (Verdict.UNREADABLE, "....", "...."),
    (Verdict.RATE_LIMITED, "AAAA", "AAAA"),
    (Verdict.SAFE_TO_RETRY, "AAAA", "AAAA"),
    (Verdict.REJECTED, "....", "...."),
    (Verdict.REJECTED_BY_STATUS, "....", ".AA."),
    (Verdict.UNCONFIRMED, "....", "...."),
]

# (what went before a 93, what follows); trust in keys changes nothing here.
AFTER_93 = [
    (History(own_key=True), ".AAA"),
    (History(own_key=True, reached=True), ".AAA"),
    (History(own_key=False), "...."),
    (History(own_key=False, reached=True), ".AAA"),
]


@pytest.mark.acceptance(31, "retry-table")
@pytest.mark.parametrize(("verdict", "untrusted", "trusted"), WHOLE_TABLE)
@pytest.mark.parametrize("own_key", [True, False])
@pytest.mark.parametrize("earlier", [True, False])
def test_every_cell_is_what_it_should_be(
    verdict: Verdict, untrusted: str, trusted: str, own_key: bool, earlier: bool
) -> None:
    history = History(own_key=own_key, reached=earlier, unknown=earlier, accepted=earlier)
    for at, repeat in enumerate(ALL):
        assert decide(verdict, repeat, history, trusted=False) is LETTERS[untrusted[at]]
        assert decide(verdict, repeat, history, trusted=True) is LETTERS[trusted[at]]
        off = decide(verdict, repeat, history, trusted=True, retry_99=False)
        is_99 = verdict is Verdict.SAFE_TO_RETRY and repeat is not READ
        assert off is (Step.STOP if is_99 else LETTERS[trusted[at]])


def test_the_table_has_every_verdict_but_those_with_a_test_of_their_own() -> None:
    told = {verdict for verdict, *_ in WHOLE_TABLE}
    assert told == set(Verdict) - {Verdict.OK, Verdict.KEY_CONFLICT}


@pytest.mark.acceptance(31, "retry-table")
@pytest.mark.parametrize(("history", "row"), AFTER_93)
@pytest.mark.parametrize("trusted", [True, False])
def test_every_cell_of_93_is_what_it_should_be(history: History, row: str, trusted: bool) -> None:
    for at, repeat in enumerate(ALL):
        step = decide(Verdict.KEY_CONFLICT, repeat, history, trusted=trusted)
        assert step is LETTERS[row[at]]


@pytest.mark.acceptance(26, "odd-fields", 31, "retry-table")
@pytest.mark.parametrize("repeat", ALL)
def test_what_was_answered_unreadably_is_never_sent_again(repeat: Repeat) -> None:
    def no_reference(_: object) -> object:
        raise DecodeError("the reference is missing")

    story = Story(OK, OK, retry=RetryPolicy(trust_idempotency=True))
    with pytest.raises(DecodeError):
        story.run(operation(repeat, read=no_reference))
    assert len(story.requests) == 1

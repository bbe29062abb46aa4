"""A status that no final response has is not a response, whatever comes with it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest

from dgspay.core.messages import Response
from dgspay.core.operation import Repeat
from dgspay.errors import Outcome, OutcomeUnknownError, TransportError
from tests.support.scripted_server import Story, operation

NONE = [-1, 0, 1, 99, 100, 101, 103, 199, 600, 999, 10**5000, True, None, "200", 200.0, b"200"]
GOOD = b'{"status": "success", "dgs_reference": "dgs_1", "transaction_status": "successful"}'
REFUSAL = b'{"status": "failed", "error_code": "90"}'


def said(status: Any, body: bytes = GOOD) -> Response:
    return Response(status, {}, body)


@pytest.mark.acceptance(64, "endless-answer")
@pytest.mark.parametrize("body", [GOOD, REFUSAL, b""], ids=["good", "refusal", "empty"])
@pytest.mark.parametrize("status", NONE, ids=[str(position) for position in range(len(NONE))])
@pytest.mark.parametrize("repeat", [Repeat.CHARGE, Repeat.PAYOUT, Repeat.NEVER_AFTER_UNKNOWN])
def test_it_is_unknown_on_what_moves_money(status: Any, body: bytes, repeat: Repeat) -> None:
    story = Story(said(status, body))
    with pytest.raises(OutcomeUnknownError, match=r"final response|no valid HTTP status") as caught:
        story.run(operation(repeat))
    assert caught.value.outcome is Outcome.UNKNOWN
    assert caught.value.attempts == 1


@pytest.mark.acceptance(64, "endless-answer")
@pytest.mark.parametrize("status", [101, 600, "200"])
def test_read_is_tried_again(status: Any) -> None:
    story = Story(said(status), said(status), said(200))
    story.run(operation(Repeat.READ))
    assert len(story.requests) == 3
    story = Story(said(status), said(status), said(status))
    with pytest.raises(TransportError) as caught:
        story.run(operation(Repeat.READ))
    assert caught.value.outcome is Outcome.UNKNOWN


@pytest.mark.acceptance(64, "endless-answer")
@pytest.mark.parametrize("status", [200, 299, HTTPStatus.OK])
def test_status_of_an_answer_is_one(status: int) -> None:
    assert Story(said(status)).run(operation(Repeat.PAYOUT))


def test_message_names_the_status_where_it_is_a_number() -> None:
    with pytest.raises(OutcomeUnknownError, match="HTTP 101 is not the status of a final response"):
        Story(said(101)).run(operation(Repeat.PAYOUT))
    with pytest.raises(OutcomeUnknownError) as caught:
        Story(said("sk_test_secret")).run(operation(Repeat.PAYOUT))
    assert "secret" not in caught.value.message

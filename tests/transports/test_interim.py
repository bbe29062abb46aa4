"""Interim answers: some are skipped, a flood of them is an error before it can hold a loop up."""

from __future__ import annotations

import pytest

from dgspay.transports.interim import (
    MAX_INTERIM_ANSWERS,
    InterimAnswers,
    TooManyInterimAnswersError,
)

HINT = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
FINAL = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
# Text of an answer that looks like the beginning of another.
DECOY = b"HTTP/1.1 200 OK\r\n\r\n" + b"\nHTTP/1.1 100 Continue" * 200


def checked(pieces: list[bytes]) -> None:
    interim = InterimAnswers()
    for piece in pieces:
        interim.check(piece)


@pytest.mark.acceptance(64, "endless-answer")
@pytest.mark.parametrize("size", [1, 2, 10, 11, 12, 40, 41, 10**6])
def test_bound_holds_however_they_are_cut(size: int) -> None:
    text = HINT * MAX_INTERIM_ANSWERS + FINAL + DECOY
    checked([text[start : start + size] for start in range(0, len(text), size)])
    text = HINT * (MAX_INTERIM_ANSWERS + 1) + FINAL
    with pytest.raises(TooManyInterimAnswersError):
        checked([text[start : start + size] for start in range(0, len(text), size)])


@pytest.mark.acceptance(64, "endless-answer")
def test_what_is_within_an_answer_does_not_count() -> None:
    """Without an assertion: what counted would raise."""
    checked([FINAL, DECOY])
    checked([DECOY])


@pytest.mark.acceptance(64, "endless-answer")
def test_beginning_of_an_answer_within_another_line_ends_nothing() -> None:
    decoy = [b"HTTP/1.1 103 Early Hints\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n"]
    with pytest.raises(TooManyInterimAnswersError):
        checked([*decoy, HINT * (MAX_INTERIM_ANSWERS + 1)])


@pytest.mark.acceptance(64, "endless-answer")
def test_each_request_has_its_own() -> None:
    interim = InterimAnswers()
    for _ in range(3):
        interim.begin()
        interim.check(HINT * MAX_INTERIM_ANSWERS)
        interim.check(FINAL)

"""What of an answer is quoted: cut before it is masked, so that no answer holds a loop up."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from dgspay import DGSPay, RetryPolicy
from dgspay.core.excerpts import kept_of, one_line
from dgspay.core.messages import Request, Response, Timeout
from dgspay.errors import APIError, DGSPayError
from dgspay.secret import Secret, masked_text
from dgspay.transports.base import MAX_BODY_BYTES
from tests.support.calls import payout, read

API_KEY = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"
KEY = Secret(API_KEY)

# In seconds of this thread's processor. It is 0.05 on a machine that does nothing else.
STANDSTILL = 1.0


def with_message(words: bytes) -> bytes:
    head, tail = b'{"status":"failed","message":"', b'"}'
    return head + words * ((MAX_BODY_BYTES - len(head) - len(tail)) // len(words)) + tail


BODIES: dict[str, Callable[[], bytes]] = {
    "one word": lambda: with_message(b"x"),
    "words": lambda: with_message(b"Murakoze cyane "),
    "phone numbers": lambda: with_message(b"0788123456 "),
    "digits": lambda: with_message(b"1"),
    "groups of digits": lambda: with_message(b"1 2-"),
    "control characters": lambda: with_message(b"\\u0000"),
    "letters with two small ones": lambda: with_message("\u0130".encode()),
    "the API key": lambda: with_message(API_KEY.encode()),
    "the API key in texts": lambda: (
        with_message(API_KEY.encode() * 100 + b'","')
        .replace(b'"message":"', b'"message":["')
        .replace(b'""', b'"]')
        .replace(b',"]', b"]")
    ),
    "the API key's beginning": lambda: with_message(API_KEY[:-1].encode()),
    "zeros for a code": lambda: with_message(b"0 ").replace(b"message", b"error_code"),
    "blanks around a status": lambda: b'{"status":"' + b" " * (MAX_BODY_BYTES - 13) + b'"}',
    "a long name": lambda: with_message(b"x4").replace(b"message", b"x" * 7),
    "many texts": lambda: (
        b'{"error_code":"90",'
        + b",".join(b'"%d":"0788123456 4111111111111111"' % number for number in range(29_000))
        + b"}"
    ),
    "text that is no JSON": lambda: b"<html>" + b"0788123456 " * (MAX_BODY_BYTES // 11 - 1),
}


class Says:
    """A transport that has one answer to everything."""

    is_async = False

    def __init__(self, status: int, body: bytes) -> None:
        self.answer = Response(status, {}, body)

    def send(self, request: Request, timeout: Timeout) -> Response:
        return self.answer

    def close(self) -> None:
        pass


def failed(status: int, body: bytes, act: Callable[[Any], Any]) -> tuple[DGSPayError, float]:
    dgs = DGSPay(
        api_key=API_KEY,
        account_number="ACC-1",
        base_url="http://127.0.0.1:1",
        transport=Says(status, body),
        retry=RetryPolicy(attempts=1),
    )
    began = time.thread_time()
    with pytest.raises(DGSPayError) as caught:
        act(dgs)
    return caught.value, time.thread_time() - began


@pytest.mark.acceptance(64, "endless-answer")
@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("act", [read, payout])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_ten_mebibytes_of_anything_are_an_error_at_once(
    body: Callable[[], bytes], act: Callable[[Any], Any], status: int
) -> None:
    failed(status, b"{}", act)  # loads and warms everything
    error, took = failed(status, body(), act)
    assert API_KEY not in f"{error} {vars(error)}"
    assert took < STANDSTILL


# --- what an error keeps of a body ------------------------------------------------------------


def test_body_of_a_refusal_is_kept_whole() -> None:
    body = {"status": "failed", "error_code": "90", "errors": [{"field": "amount"}] * 100}
    assert kept_of(body, []) == body
    assert kept_of(None, []) is None


def test_what_is_left_out_is_said() -> None:
    kept = kept_of({"rows": list(range(5_000)), "last": 1}, [])
    assert kept is not None
    assert kept["rows"] == [*range(1_998), "... 3002 more"]
    assert kept["..."] == "1 more"
    kept = kept_of({"text": "word " * 10_000}, [])
    assert kept is not None
    assert kept["text"].startswith("word word ")
    assert kept["text"].endswith(" word... (50000 characters)")
    assert len(kept["text"]) < 11_000


@pytest.mark.acceptance(68, "hostile-server-text")
@pytest.mark.parametrize("secret", [API_KEY, "4111 1111 1111 1111", "4111-1111-1111-1111"])
def test_secret_at_the_cut_of_a_text_does_not_show_its_first_half(secret: str) -> None:
    for shown in range(1, len(secret) + 1):
        text = ("word " * 3_000)[: 9_999 - shown] + " " + secret + " more" * 1_000
        kept = kept_of({"text": text}, [KEY])
        assert kept is not None
        assert secret[:4] not in kept["text"]
    error, _ = failed(400, b'{"error_code":"90","text":"%s"}' % text.encode(), read)
    assert isinstance(error, APIError)
    assert error.body is not None
    assert secret[:4] not in error.body["text"]


@pytest.mark.acceptance(68, "hostile-server-text")
def test_message_is_quoted_to_its_two_hundredth_character() -> None:
    assert one_line("x" * 200, []) == "x" * 200
    assert one_line("x" * 10**6, []) == "x" * 200 + "..."
    assert one_line("a" + " " * 10**6 + "b", []) == "a"


@pytest.mark.acceptance(68, "hostile-server-text")
@pytest.mark.parametrize("around", ["", "\u00e9", "\u201c", "\u0130", "\U0001f600", " "])
def test_secret_is_masked_in_any_letters_around_it_and_as_often_as_it_stands(around: str) -> None:
    text = f"{around}{API_KEY}{around}" * 1_000
    assert masked_text(text, [KEY]) == f"{around}***{around}" * 1_000
    assert masked_text(text + API_KEY, [KEY]) == "***"

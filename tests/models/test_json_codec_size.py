"""An answer is refused for its number of values before any is built: an event loop waits for it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from dgspay.api import balances, transactions
from dgspay.errors import DecodeError
from dgspay.models.json_codec import parse_json
from dgspay.transports.base import MAX_BODY_BYTES

# In seconds of this thread's processor, which others on a busy machine do not lengthen.
STANDSTILL = 1.0


def filled(unit: bytes, head: bytes = b'{"x":[', tail: bytes = b"]}") -> bytes:
    """Return a body as long as an answer may be, full of one thing."""
    units = (MAX_BODY_BYTES - len(head) - len(tail)) // (len(unit) + 1)
    return head + b",".join([unit] * units) + tail


HOSTILE: dict[str, Callable[[], bytes]] = {
    "nested": lambda: filled(b"[" * 90 + b"]" * 90),
    "objects in arrays": lambda: filled(b'[{"a":' * 40 + b"1" + b"}]" * 40),
    "integers": lambda: filled(b"1"),
    "decimals": lambda: filled(b"1.5"),
    "empty objects": lambda: filled(b"{}"),
    "texts": lambda: filled(b'"a"'),
    "members": lambda: filled(b'"a":1', b'{"x":{', b"}}"),
    "nested behind much text": lambda: filled(
        b"[" * 90 + b"]" * 90, b'{"m":"' + b"m" * 9**7 + b'","x":['
    ),
}


@pytest.mark.acceptance(28, "hostile-json", 64, "endless-answer")
@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_ten_mebibytes_of_values_are_refused_at_once(body: Callable[[], bytes]) -> None:
    text = body()
    began = time.thread_time()
    with pytest.raises(DecodeError, match="more than 30,000 values"):
        parse_json(text)
    assert time.thread_time() - began < STANDSTILL


HARMLESS: dict[str, Callable[[], bytes]] = {
    "blanks": lambda: b'{"a":1}'.ljust(MAX_BODY_BYTES),
    "line breaks": lambda: b"\n" * (MAX_BODY_BYTES - 7) + b'{"a":1}',
    "text": lambda: b'{"a":"' + b"x" * (MAX_BODY_BYTES - 8) + b'"}',
    "escapes": lambda: b'{"a":"' + b"\\n" * (MAX_BODY_BYTES // 2 - 4) + b'"}',
    "pairs of surrogates": lambda: (
        b'{"a":"' + b"\\ud83d\\ude00" * (MAX_BODY_BYTES // 12 - 1) + b'"}'
    ),
}


@pytest.mark.acceptance(64, "endless-answer")
@pytest.mark.parametrize("body", HARMLESS.values(), ids=HARMLESS)
def test_ten_mebibytes_of_text_are_read_and_take_no_time(body: Callable[[], bytes]) -> None:
    text = body()
    began = time.thread_time()
    assert set(parse_json(text)) == {"a"}
    assert time.thread_time() - began < STANDSTILL


@pytest.mark.acceptance(28, "hostile-json", 64, "endless-answer")
def test_half_a_surrogate_pair_in_much_text_is_found_at_once() -> None:
    text = b'{"a":"' + b"x" * (MAX_BODY_BYTES - 14) + b'\\ud800"}'
    began = time.thread_time()
    with pytest.raises(DecodeError, match="half a surrogate pair"):
        parse_json(text)
    assert time.thread_time() - began < STANDSTILL


def transaction(number: int) -> dict[str, Any]:
    return {
        "id": f"txn_{number}",
        "dgs_reference": f"dgs_{number}",
        "status": "successful",
        "amount": "5000.00",
        "currency": "RWF",
        "customer": {"email": "jane@example.com", "first_name": "Jane", "phone": "0789654321"},
        "narration": "Rent, water, light, and what else there is" * 5,
        "meta": {f"field {field}": [field, str(field)] for field in range(20)},
    }


@pytest.mark.acceptance(64, "endless-answer")
def test_full_page_with_a_long_message_is_read() -> None:
    rows = [transaction(number) for number in range(100)]
    body = json.dumps({"status": "success", "message": "Murakoze. " * 100_000, "data": rows})
    page = transactions.list().fetch(1).read(parse_json(body.encode()))
    assert len(page.rows) == 100


@pytest.mark.acceptance(64, "endless-answer")
def test_bound_is_where_it_is_said_to_be() -> None:
    # The brackets and commas count: one for each value, and the array around them.
    most = b"[" + b",".join([b"1"] * 30_000) + b"]"
    assert len(parse_json(most)) == 30_000
    with pytest.raises(DecodeError, match="more than 30,000 values"):
        parse_json(most[:-1] + b",1]")


@pytest.mark.acceptance(64, "endless-answer")
def test_first_of_many_faults_is_named_and_the_others_are_not_looked_for() -> None:
    rows = [{"currency": "RWF", "available_balance": "1"}, *[{"currency": "RWF"}] * 13_000]
    envelope = {"status": "success", "balances": rows}
    began = time.thread_time()
    with pytest.raises(DecodeError, match=r"balances\[1\].*available_balance is missing"):
        balances.list().read(envelope)
    assert time.thread_time() - began < STANDSTILL

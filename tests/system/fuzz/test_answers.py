"""Whatever a server answers, a call returns or raises a DGSPayError, and says what it means.

About forged bytes an SDK can promise little, because without TLS a changed digit is as good as
the real one. What is promised, and tested here for each byte of each answer: one wrong byte, or
another status, never turns the answer to a call that was carried out into "not sent" or
"rejected". It is read, perhaps with a wrong digit, or its outcome is UNKNOWN.
"""

from __future__ import annotations

import json
import math
import random
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dgspay import BankRecipient, Customer, DGSPay, Outcome, RetryPolicy, errors
from dgspay.core.assessment import MAX_RETRY_AFTER, parse_retry_after
from dgspay.core.messages import Request, Response, Timeout
from dgspay.emulator import Emulator
from dgspay.errors import DecodeError
from dgspay.models.json_codec import parse_json
from dgspay.transports.base import MAX_BODY_BYTES
from dgspay.transports.httpx import HttpxTransport
from tests.support.effort import ENOUGH_SECONDS, FULL, FUZZ, seconds_of
from tests.system.fuzz.hostile import ROWS_PER_BATCH, bodies

JANE = Customer(email="jane@example.com", first_name="Jane", last_name="Doe", phone="0789654321")

READS: dict[str, Callable[[DGSPay], Any]] = {
    "balances": lambda dgs: dgs.balances.list(),
    "banks": lambda dgs: dgs.banks.list("RW"),
    "transaction": lambda dgs: dgs.transactions.retrieve("dgs_1"),
    "transactions": lambda dgs: dgs.transactions.list().first_page(),
    "links": lambda dgs: dgs.payment_links.list().first_page(),
    "preview": lambda dgs: dgs.conversions.preview(
        from_currency="USD", to_currency="EUR", from_amount=1
    ),
}

WRITES: dict[str, Callable[[DGSPay], Any]] = {
    "charge": lambda dgs: dgs.charges.mobile_money(
        amount=2000,
        network="MTN",
        phone="0788123456",
        customer=JANE,
        redirect_url="https://shop.example/thanks",
    ),
    "link": lambda dgs: dgs.payment_links.create(title="Invoice", amount_type="fixed", amount=1),
    "disburse": lambda dgs: dgs.disbursements.create(
        amount=5000, recipient=BankRecipient(bank_key="bk_rw", account_number="1234567890")
    ),
    "convert": lambda dgs: dgs.conversions.convert(
        from_currency="USD", to_currency="EUR", from_amount=1
    ),
}


class Canned:
    """A transport that gives one answer, and keeps the last one a real transport gave."""

    def __init__(self, inner: Any = None) -> None:
        self._inner = inner
        self.answer = Response(200, {}, b"")

    def send(self, request: Request, timeout: Timeout) -> Response:
        """Give the answer."""
        if self._inner is not None:
            self.answer = self._inner.send(request, timeout)
        return self.answer

    def close(self) -> None:
        """Nothing is open."""


def client(transport: Any, **options: Any) -> DGSPay:
    settings: dict[str, Any] = {
        "api_key": "sk_test_1234567890",
        "account_number": "ACC-1",
        "environment": "sandbox",
        "retry": RetryPolicy(attempts=1),
        **options,
    }
    return DGSPay(transport=transport, **settings)


CANNED = Canned()
DGS = client(CANNED)

headers = st.dictionaries(
    st.sampled_from(["retry-after", "date", "content-type", "location"]),
    st.text(max_size=30) | st.sampled_from([*ROWS_PER_BATCH, "Wed, 21 Oct 2026 07:28:00 GMT"]),
    max_size=3,
)


@FUZZ
@example(call="disburse", status=400, headers={}, body=b'{"status":[]}')
@example(call="charge", status=400, headers={}, body=b'{"transaction_status":{}}')
@given(
    call=st.sampled_from([*READS, *WRITES]),
    status=st.sampled_from([200, 201, 202, 204, 302, 400, 404, 409, 429, 500, 502])
    | st.integers(min_value=100, max_value=599),
    headers=headers,
    body=bodies,
)
def test_an_answer_is_a_result_or_an_error_of_ours(
    call: str, status: int, headers: dict[str, str], body: bytes
) -> None:
    CANNED.answer = Response(status, headers, body)
    came: object
    try:
        came = {**READS, **WRITES}[call](DGS)
    except errors.DGSPayError as error:
        came = error
    assert len(repr(came)) < 20_000
    if isinstance(came, errors.DGSPayError):
        is_unknown = came.outcome is Outcome.UNKNOWN
        assert is_unknown or came.outcome is Outcome.REJECTED
        assert call in READS or isinstance(came, errors.OutcomeUnknownError) is is_unknown


@FUZZ
@given(body=bodies)
def test_json_is_read_as_everybody_reads_it_or_refused(body: bytes) -> None:
    try:
        value = parse_json(body)
    except DecodeError:
        return
    assert _as_floats(value) == json.loads(body.removeprefix(b"\xef\xbb\xbf"))


def _as_floats(value: Any) -> Any:
    """Give Decimals up for what the standard library reads; see that they are the same number."""
    match value:
        case dict():
            return {key: _as_floats(item) for key, item in value.items()}
        case list():
            return [_as_floats(item) for item in value]
        case None | str() | int():
            return value
        case _:
            return float(value)


HUGE = {
    "a nest": b"[" * MAX_BODY_BYTES,
    "a nest of objects": b'{"a":' * (MAX_BODY_BYTES // 5),
    "a closed nest": b"[" * (MAX_BODY_BYTES // 2) + b"]" * (MAX_BODY_BYTES // 2),
    "a wide nest": b"[" + b"[[]]," * (MAX_BODY_BYTES // 40) + b"1]",
    "a number": b"1" * MAX_BODY_BYTES,
    "a fraction": b"0." + b"1" * (MAX_BODY_BYTES - 2),
    "an exponent": b"1e" + b"9" * (MAX_BODY_BYTES - 2),
    "a number in an object": b'{"amount":' + b"7" * 5000 + b"}",
    "a string": b'"' + b"\\u0041" * (MAX_BODY_BYTES // 6) + b'"',
    "a string without an end": b'"' + b"\\" * (MAX_BODY_BYTES - 1),
    "spaces": b" " * MAX_BODY_BYTES,
    "the same key": b"{" + b'"a":1,' * (MAX_BODY_BYTES // 6 - 2) + b'"a":1}',
    "surrogates": b'["' + b"\\ud83d\\ude00" * (MAX_BODY_BYTES // 12 - 1) + b'"]',
    "bad UTF-8": b'"' + b"\xff" * (MAX_BODY_BYTES - 2) + b'"',
}


@pytest.mark.acceptance(28, "hostile-json")
@pytest.mark.parametrize("name", HUGE)
def test_the_largest_answers_are_read_or_refused_in_time(name: str) -> None:
    CANNED.answer = Response(200, {}, HUGE[name])

    def read() -> None:
        with pytest.raises(errors.DGSPayError):
            DGS.disbursements.create(
                amount=5000, recipient=BankRecipient(bank_key="bk_rw", account_number="1234567890")
            )

    assert seconds_of(read) < ENOUGH_SECONDS


@pytest.mark.acceptance(28, "hostile-json")
@pytest.mark.parametrize("name", ["a nest", "a nest of objects", "a number", "a string"])
def test_the_largest_answers_take_no_more_memory_than_a_few_of_themselves(name: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(DecodeError):
            # An array is no envelope; what is in it does not matter here.
            raise DecodeError("read") if parse_json(HUGE[name]) else AssertionError
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 6 * MAX_BODY_BYTES


# --- one forged byte --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def answers() -> dict[str, Response]:
    """What a real server says to calls it has carried out."""
    with Emulator(settle_after=None, balances={"RWF": 10**9, "USD": 10**9}, seed=5) as emulator:
        real = Canned(HttpxTransport(emulator.http_client()))
        found = {}
        for name, call in WRITES.items():
            with client(
                real,
                api_key=emulator.api_key,
                account_number=emulator.account_number,
                environment="emulator",
                base_url=emulator.base_url,
            ) as dgs:
                call(dgs)
            found[name] = real.answer
    return found


def outcome_of(call: str, answer: Response) -> Outcome:
    CANNED.answer = answer
    try:
        WRITES[call](DGS)
    except errors.DGSPayError as error:
        return error.outcome
    return Outcome.COMPLETED


TRUE = (Outcome.COMPLETED, Outcome.UNKNOWN)


@pytest.mark.parametrize("call", WRITES)
def test_one_wrong_byte_never_denies_what_was_done(call: str, answers: dict[str, Response]) -> None:
    whole = answers[call]
    chance = random.Random(call)
    every = range(256)
    for place in range(len(whole.reveal_body())):
        for byte in every if FULL else {0, 0xFF, 0x22, *chance.sample(every, 1)}:
            body = whole.reveal_body()[:place] + bytes([byte]) + whole.reveal_body()[place + 1 :]
            outcome = outcome_of(call, Response(whole.status, whole.reveal_headers(), body))
            assert outcome in TRUE, body


@pytest.mark.parametrize("call", WRITES)
def test_another_status_never_denies_what_was_done(call: str, answers: dict[str, Response]) -> None:
    whole = answers[call]
    for status in range(100, 600):
        outcome = outcome_of(call, Response(status, whole.reveal_headers(), whole.reveal_body()))
        assert outcome in TRUE, status


@pytest.mark.acceptance(22, "no-json-answer")
@pytest.mark.parametrize("call", WRITES)
def test_an_answer_cut_anywhere_is_unknown(call: str, answers: dict[str, Response]) -> None:
    whole = answers[call]
    for length in range(len(whole.reveal_body())):
        for status in (200, 502):
            cut = Response(status, whole.reveal_headers(), whole.reveal_body()[:length])
            assert outcome_of(call, cut) is Outcome.UNKNOWN, cut.reveal_body()


# --- Retry-After --------------------------------------------------------------------------------


@pytest.mark.acceptance(30, "retry-after")
@FUZZ
@given(
    text=st.text(max_size=80)
    | st.sampled_from(ROWS_PER_BATCH)
    | st.datetimes().map(lambda moment: moment.strftime("%a, %d %b %Y %H:%M:%S GMT"))
    | st.floats().map(str),
    date=st.text(max_size=40) | st.just("Wed, 21 Oct 2026 07:28:00 GMT"),
    now=st.floats(min_value=0, max_value=1e11),
)
def test_retry_after_is_seconds_within_a_day_or_nothing(text: str, date: str, now: float) -> None:
    seconds = parse_retry_after({"retry-after": text, "date": date}, now=now)
    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER
    assert seconds is None or math.isfinite(seconds)

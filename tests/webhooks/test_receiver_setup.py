"""How a receiver is set up, and which set-ups are refused; acceptance row 41."""

from __future__ import annotations

import functools
import json
import pickle
import traceback
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from dgspay.errors import ConfigError
from dgspay.webhooks import (
    Event,
    MemoryInbox,
    PaymentFailed,
    PaymentSucceeded,
    WebhookReceiver,
    sign,
)
from dgspay.webhooks.inbox import Claim, Refusal
from tests.support.receiving import BODY, delivered_on, memory_receiver
from tests.support.webhook_samples import PAYMENT_FAILED, PAYMENT_SUCCESS, SECRET, body_of


def test_the_default_inbox_is_a_file_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path in (None, "named.sqlite3", tmp_path / "other.sqlite3"):
        seen: list[Event] = []
        for _ in range(2):
            receiver = WebhookReceiver(secret=SECRET, inbox=path)
            receiver.on(Event)(seen.append)
            assert receiver.receive(BODY, sign(BODY, SECRET)).status == 200
        assert len(seen) == 1
    found = {path.name for path in tmp_path.iterdir()}
    assert found == {"dgspay-webhooks.sqlite3", "named.sqlite3", "other.sqlite3"}


def test_a_handler_may_be_any_callable() -> None:
    class Shop:
        def __init__(self) -> None:
            self.seen: list[Event] = []

        async def __call__(self, event: Event) -> None:
            self.seen.append(event)

        def paid(self, event: Event, note: str = "") -> None:
            self.seen.append(event)

    shop = Shop()
    receiver = memory_receiver()
    receiver.on(PaymentSucceeded)(shop)
    receiver.on(PaymentFailed)(functools.partial(shop.paid, note="x"))
    for fields in (PAYMENT_SUCCESS, PAYMENT_FAILED):
        assert receiver.receive(body_of(fields), sign(body_of(fields), SECRET)).status == 200
    assert len(shop.seen) == 2


def with_a_default(event: Event, note: str = "") -> None:
    """Its second parameter is its own."""


def with_the_rest(event: Event, *rest: Any, **options: Any) -> None:
    """A handler with a parameter that the receiver has no value for."""


@pytest.mark.parametrize("function", [with_a_default, with_the_rest])
def test_only_what_must_be_given_in_order_counts(function: Any) -> None:
    receiver = memory_receiver()
    receiver.on(PaymentSucceeded)(function)
    assert receiver.receive(BODY, sign(BODY, SECRET)).status == 200


@pytest.mark.acceptance(43, "handled-once")
def test_an_event_is_leased_for_five_minutes_unless_the_shop_says_otherwise() -> None:
    leases: list[float] = []

    class Asked(MemoryInbox):
        def claim(self, key: str, *, lease: float, group: str = "") -> Claim | Refusal:
            leases.append(lease)
            return super().claim(key, lease=lease, group=group)

    for receiver in (memory_receiver(inbox=Asked()), memory_receiver(inbox=Asked(), lease=7.5)):
        receiver.on(PaymentSucceeded)(lambda event: None)
        assert receiver.receive(BODY, sign(BODY, SECRET)).status == 200
    assert leases == [300.0, 7.5]


@pytest.mark.parametrize(
    ("kinds", "function", "hint"),
    [
        ((), print, "at least one"),
        ((dict,), lambda event: None, "event classes"),
        (("payment.success",), lambda event: None, "event classes"),
        ((PaymentSucceeded | None,), lambda event: None, "event classes"),
        ((PaymentSucceeded,), lambda: None, "takes the event"),
        ((PaymentSucceeded,), lambda a, b, c: None, "takes the event"),
        ((PaymentSucceeded,), lambda event, *, note: None, "parameter 'note' must have a default"),
        ((PaymentSucceeded,), "paid", "must be a function"),
    ],
)
def test_a_handler_that_cannot_work_is_refused(kinds: Any, function: Any, hint: str) -> None:
    with pytest.raises(ConfigError, match=hint):
        memory_receiver().on(*kinds)(function)


def passed_on(function: Any, event: Event) -> Any:
    return function(event)


def with_yield(event: Event) -> Iterator[Event]:
    yield event


async def with_async_yield(event: Event) -> AsyncIterator[Event]:
    yield event


class WithYield:
    def __call__(self, event: Event) -> Iterator[Event]:
        yield event


@pytest.mark.acceptance(43, "handled-once")
@pytest.mark.parametrize(
    "function",
    [
        with_yield,
        with_async_yield,
        WithYield(),
        functools.partial(with_yield),
        WithYield().__call__,
    ],
)
def test_a_generator_is_rejected_as_a_handler_that_would_never_run(function: Any) -> None:
    receiver = memory_receiver()
    with pytest.raises(TypeError, match="yield"):
        receiver.on(PaymentSucceeded)(function)
    receiver.on(PaymentSucceeded)(lambda event: None)


@pytest.mark.acceptance(43, "handled-once")
@pytest.mark.parametrize("function", [with_yield, with_async_yield])
def test_a_handler_that_hands_back_a_generator_has_not_handled_it(
    function: Any, caplog: pytest.LogCaptureFixture
) -> None:
    receiver = memory_receiver()
    receiver.on(PaymentSucceeded)(functools.partial(passed_on, function))
    assert receiver.receive(BODY, sign(BODY, SECRET)).status == 500
    assert "generator" in caplog.text


def test_an_event_has_one_handler() -> None:
    receiver = memory_receiver()
    receiver.on(PaymentSucceeded)(lambda event: None)
    with pytest.raises(ConfigError, match="PaymentSucceeded has a handler already"):
        receiver.on(Event)(lambda event: None)


@pytest.mark.acceptance(41, "webhook-secrets")
@pytest.mark.parametrize(
    "options",
    [
        {"secret": ""},
        {"secret": None},
        {"secret": []},
        {"secret": [SECRET, ""]},
        {"environment": "live"},
        {"lease": 5, "answer_within": 5},
        {"answer_within": 0},
        {"lease": float("nan")},
        {"lease": float("inf")},
        {"lease": "300"},
        {"lease": None},
        {"answer_within": True},
        {"max_body": 0},
        {"max_body": "1000"},
        {"max_body": 1.5},
        {"max_body": True},
        {"inbox": object()},
        {"inbox": 17},
    ],
)
def test_a_set_up_that_makes_no_sense_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        memory_receiver(**options)
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in report.stack if "dgspay/webhooks" in frame.filename]
    assert not any(SECRET in text for frame in ours for text in (frame.locals or {}).values())


def test_a_receiver_does_not_show_its_secret() -> None:
    receiver = memory_receiver()
    assert SECRET not in repr(receiver) + repr(vars(receiver))
    with pytest.raises(TypeError):
        pickle.dumps(receiver)


@pytest.mark.acceptance(42, "raw-body-only")
@pytest.mark.parametrize("backend", ["sync", "asyncio", "trio"])
@pytest.mark.parametrize("body", [None, BODY.decode(), json.loads(BODY), bytearray(BODY), 17])
def test_only_bytes_are_a_body(backend: str, body: Any) -> None:
    receiver, signature = memory_receiver(max_body=1), sign(BODY, SECRET)
    with pytest.raises(TypeError, match="raw bytes"):
        if backend == "sync":
            receiver.receive(body, signature)
        else:
            delivered_on(backend, receiver, body, signature)

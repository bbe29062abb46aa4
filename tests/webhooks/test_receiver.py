"""The receiver hands over each event exactly once and says the truth about it; rows 43 to 45."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from dgspay.errors import ConfigError
from dgspay.webhooks import (
    Event,
    MemoryInbox,
    PaymentFailed,
    PaymentSucceeded,
    UnknownEvent,
    WebhookReceiver,
    WebhookResponse,
    sign,
)
from dgspay.webhooks.inbox import Claim
from tests.support.receiving import (
    BODY,
    AsyncMemoryInbox,
    delivered_on,
    delivered_sync,
    memory_receiver,
    no_events,
    status,
)
from tests.support.webhook_samples import (
    DISBURSEMENT_SUCCESS,
    OTHER_SECRET,
    PAYMENT_FAILED,
    PAYMENT_SUCCESS,
    SECRET,
    body_of,
)

Deliver = Callable[..., WebhookResponse]


@pytest.fixture(params=["sync", "asyncio", "trio"])
def deliver(request: pytest.FixtureRequest) -> Deliver:
    """Give one signed body to a receiver, through each of its entries."""
    entry = (
        delivered_sync
        if request.param == "sync"
        else functools.partial(delivered_on, request.param)
    )

    def signed(
        receiver: WebhookReceiver, body: bytes, signature: str | None = None
    ) -> WebhookResponse:
        return entry(receiver, body, sign(body, SECRET) if signature is None else signature)

    return signed


@pytest.fixture(params=["plain", "async"])
def handling(request: pytest.FixtureRequest) -> Callable[..., Callable[..., Any]]:
    """Make a handler, plain or async, of a plain function."""
    if request.param == "plain":
        return lambda function: function

    def make(function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
        async def handler(event: Event) -> None:
            await anyio.lowlevel.checkpoint()
            function(event)

        return handler

    return make


@pytest.mark.acceptance(43, "handled-once")
def test_an_event_is_handled_once_however_often_it_comes(deliver: Deliver, handling: Any) -> None:
    receiver, seen = memory_receiver(), no_events()
    receiver.on(PaymentSucceeded)(handling(seen.append))
    answers = [status(deliver(receiver, BODY)) for _ in range(3)]
    assert answers == [(200, "received"), (200, "duplicate"), (200, "duplicate")]
    (event,) = seen
    assert event.dgs_reference == PAYMENT_SUCCESS["dgs_reference"]


@pytest.mark.acceptance(43, "handled-once")
def test_a_handler_that_raises_is_run_again_at_the_next_delivery(
    deliver: Deliver, handling: Any, caplog: pytest.LogCaptureFixture
) -> None:
    receiver, failures = memory_receiver(), [ValueError("shop is down"), StopIteration()]
    seen: list[Event] = []

    def paid(event: Event) -> None:
        if failures:
            raise failures.pop(0)
        seen.append(event)

    receiver.on(PaymentSucceeded)(handling(paid))
    answers = [status(deliver(receiver, BODY)) for _ in range(4)]
    assert answers == [
        (500, "failed"),
        (500, "failed"),
        (200, "received"),
        (200, "duplicate"),
    ]
    assert len(seen) == 1
    assert "shop is down" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.acceptance(43, "handled-once")
def test_an_event_in_other_hands_is_not_acknowledged(deliver: Deliver) -> None:
    inbox = MemoryInbox()
    receiver, seen = memory_receiver(inbox=inbox), no_events()
    receiver.on(PaymentSucceeded)(seen.append)
    elsewhere = inbox.claim("payment.success:dgs_123456789", lease=60)
    assert isinstance(elsewhere, Claim)
    answer = deliver(receiver, BODY)
    assert status(answer) == (409, "in_progress")
    assert int(answer.headers["Retry-After"]) > 0
    inbox.release(elsewhere)
    assert status(deliver(receiver, BODY)) == (200, "received")
    assert len(seen) == 1


@pytest.mark.acceptance(44, "events-in-any-order")
@pytest.mark.parametrize(
    "order", [(PAYMENT_FAILED, PAYMENT_SUCCESS), (PAYMENT_SUCCESS, PAYMENT_FAILED)]
)
def test_a_success_and_a_failure_of_one_payment_are_both_delivered(
    deliver: Deliver, order: tuple[dict[str, Any], ...]
) -> None:
    receiver = memory_receiver()
    seen: list[PaymentSucceeded | PaymentFailed] = []
    receiver.on(PaymentSucceeded, PaymentFailed)(seen.append)
    for fields in order:
        assert deliver(receiver, body_of(fields)).status == 200
    assert [event.event for event in seen] == [fields["event"] for fields in order]
    last = max(seen, key=lambda event: str(event.timestamp))
    assert isinstance(last, PaymentFailed)


@pytest.mark.acceptance(45, "foreign-event")
def test_an_unknown_event_is_delivered(deliver: Deliver) -> None:
    receiver, seen = memory_receiver(), no_events()
    receiver.on(UnknownEvent)(seen.append)
    body = body_of(PAYMENT_SUCCESS, event="chargeback.opened")
    assert status(deliver(receiver, body)) == (200, "received")
    assert status(deliver(receiver, body)) == (200, "duplicate")
    assert [event.event for event in seen] == ["chargeback.opened"]


@pytest.mark.acceptance(45, "foreign-event")
def test_a_test_event_at_a_production_receiver_is_refused(deliver: Deliver) -> None:
    receiver = memory_receiver(environment="production")
    receiver.on(Event)(lambda _: pytest.fail("it must not be handled"))
    body = body_of(PAYMENT_SUCCESS, environment="test")
    assert status(deliver(receiver, body)) == (403, "wrong_environment")


@pytest.mark.acceptance(45, "foreign-event")
def test_a_body_over_the_cap_is_refused_before_anything_else(deliver: Deliver) -> None:
    receiver = memory_receiver()
    receiver.on(Event)(lambda _: pytest.fail("it must not be handled"))
    assert status(deliver(receiver, b" " * 10_000_000, "0" * 64)) == (413, "too_large")
    assert status(deliver(receiver, b" " * (1024 * 1024 + 1))) == (413, "too_large")
    assert status(deliver(receiver, b" " * (1024 * 1024))) == (422, "unreadable")


@pytest.mark.acceptance(40, "bad-signature")
@pytest.mark.parametrize("signature", ["", "0" * 64, "é", sign(BODY, OTHER_SECRET)])
def test_what_is_not_signed_is_refused(deliver: Deliver, signature: str) -> None:
    receiver = memory_receiver()
    receiver.on(Event)(lambda _: pytest.fail("it must not be handled"))
    assert status(deliver(receiver, BODY, signature)) == (401, "unauthorized")


def test_what_is_signed_but_no_event_is_refused(deliver: Deliver) -> None:
    assert status(deliver(memory_receiver(), b"[]")) == (422, "unreadable")


@pytest.mark.acceptance(41, "webhook-secrets")
def test_either_secret_of_a_rotation_is_taken(deliver: Deliver) -> None:
    receiver, seen = memory_receiver(secret=[OTHER_SECRET, SECRET]), no_events()
    receiver.on(Event)(seen.append)
    assert deliver(receiver, BODY).status == 200
    other = body_of(DISBURSEMENT_SUCCESS)
    assert deliver(receiver, other, sign(other, OTHER_SECRET)).status == 200
    assert len(seen) == 2


def test_an_event_without_a_handler_is_acknowledged_and_not_remembered(
    deliver: Deliver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver, seen = memory_receiver(), no_events()
    caplog.set_level(logging.INFO, "dgspay.webhooks")
    assert status(deliver(receiver, BODY)) == (200, "received")
    assert "no handler for payment.success" in caplog.text
    receiver.on(PaymentSucceeded)(seen.append)
    assert status(deliver(receiver, BODY)) == (200, "received")
    assert len(seen) == 1


class BrokenInbox(MemoryInbox):
    """Fails in one method."""

    def __init__(self, method: str) -> None:
        super().__init__()
        self._method = method

    def __getattribute__(self, name: str) -> Any:
        if name in ("claim", "done", "release") and name == super().__getattribute__("_method"):

            def fail(*_: Any, **__: Any) -> Any:
                raise sqlite3.OperationalError("disk is full")

            return fail
        return super().__getattribute__(name)


def test_an_inbox_that_cannot_claim_lets_nothing_be_handled(deliver: Deliver) -> None:
    receiver = memory_receiver(inbox=BrokenInbox("claim"))
    receiver.on(Event)(lambda _: pytest.fail("it must not be handled"))
    assert status(deliver(receiver, BODY)) == (503, "unavailable")


def test_what_was_handled_is_acknowledged_though_the_inbox_fails(
    deliver: Deliver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver, seen = memory_receiver(inbox=BrokenInbox("done")), no_events()
    receiver.on(Event)(seen.append)
    assert status(deliver(receiver, BODY)) == (200, "received")
    assert len(seen) == 1
    assert "cannot remember it" in caplog.text


def test_a_failure_is_answered_though_the_inbox_fails_too(deliver: Deliver) -> None:
    receiver = memory_receiver(inbox=BrokenInbox("release"))
    receiver.on(Event)(lambda _: 1 / 0)
    assert status(deliver(receiver, BODY)) == (500, "failed")
    assert status(deliver(receiver, BODY)) == (409, "in_progress")


def map_one(function: Callable[[Event], Any], event: Event) -> Any:
    return function(event)


def test_a_plain_function_that_returns_an_awaitable_has_not_handled_it(
    deliver: Deliver, caplog: pytest.LogCaptureFixture
) -> None:
    async def save(_: Event) -> None:
        pytest.fail("nobody awaits it")

    receiver = memory_receiver()
    receiver.on(Event)(functools.partial(map_one, save))
    assert status(deliver(receiver, BODY)) == (500, "failed")
    assert "async def" in caplog.text


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_async_inbox_is_awaited(backend: str, handling: Any) -> None:
    receiver, seen = memory_receiver(inbox=AsyncMemoryInbox()), no_events()
    receiver.on(Event)(handling(seen.append))
    signature = sign(BODY, SECRET)
    assert delivered_on(backend, receiver, BODY, signature).status == 200
    assert status(delivered_on(backend, receiver, BODY, signature)) == (200, "duplicate")
    assert len(seen) == 1
    with pytest.raises(ConfigError, match="areceive"):
        receiver.receive(BODY, signature)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("inbox", [MemoryInbox, AsyncMemoryInbox])
def test_a_slow_handler_is_not_waited_for(backend: str, inbox: type) -> None:
    shared = inbox()
    receiver = memory_receiver(inbox=shared, answer_within=0.01)
    patient = memory_receiver(inbox=shared, answer_within=60)

    async def story() -> list[tuple[int, str]]:
        goes_on, seen = anyio.Event(), no_events()
        patient.on(PaymentSucceeded)(seen.append)

        @receiver.on(PaymentSucceeded)
        async def paid(event: PaymentSucceeded) -> None:
            await goes_on.wait()
            seen.append(event)

        signature = sign(BODY, SECRET)
        answers = [await receiver.areceive(BODY, signature) for _ in range(2)]
        goes_on.set()
        await receiver.drain()
        assert len(seen) == 1
        answers.append(await patient.areceive(BODY, signature))
        return [status(answer) for answer in answers]

    assert anyio.run(story, backend=backend) == [
        (409, "in_progress"),
        (409, "in_progress"),
        (200, "duplicate"),
    ]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_request_that_is_cancelled_does_not_stop_its_handler(backend: str) -> None:
    receiver, seen = memory_receiver(), no_events()

    async def story() -> None:
        began, goes_on = anyio.Event(), anyio.Event()

        @receiver.on(PaymentSucceeded)
        async def paid(event: PaymentSucceeded) -> None:
            began.set()
            await goes_on.wait()
            seen.append(event)

        async with anyio.create_task_group() as requests:
            requests.start_soon(receiver.areceive, BODY, sign(BODY, SECRET))
            await began.wait()
            requests.cancel_scope.cancel()
        goes_on.set()
        await receiver.drain()

    anyio.run(story, backend=backend)
    assert len(seen) == 1


@pytest.mark.acceptance(43, "handled-once")
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("inbox", [MemoryInbox, AsyncMemoryInbox])
def test_a_handler_that_is_stopped_with_the_program_gives_the_event_back(
    backend: str, inbox: type
) -> None:
    shared, seen = inbox(), no_events()
    stopped = memory_receiver(inbox=shared, answer_within=0.01)
    restarted = memory_receiver(inbox=shared, answer_within=60)
    restarted.on(PaymentSucceeded)(seen.append)

    @stopped.on(PaymentSucceeded)
    async def paid(event: PaymentSucceeded) -> None:
        await anyio.sleep_forever()

    signature = sign(BODY, SECRET)
    # The event loop ends with the handler in the middle of its work.
    assert delivered_on(backend, stopped, BODY, signature).status == 409
    assert status(delivered_on(backend, restarted, BODY, signature)) == (200, "received")
    assert len(seen) == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_handler_sees_the_context_of_its_request(backend: str, handling: Any) -> None:
    shop: contextvars.ContextVar[str] = contextvars.ContextVar("shop")
    receiver, seen = memory_receiver(), []
    receiver.on(Event)(handling(lambda _: seen.append(shop.get())))

    async def request() -> None:
        shop.set("Kigali")
        assert (await receiver.areceive(BODY, sign(BODY, SECRET))).status == 200

    anyio.run(request, backend=backend)
    assert seen == ["Kigali"]


def test_many_deliveries_at_once_are_handled_once_each() -> None:
    receiver = memory_receiver()
    seen: list[str] = []

    @receiver.on(PaymentSucceeded)
    async def paid(event: PaymentSucceeded) -> None:
        await anyio.lowlevel.checkpoint()
        seen.append(event.dgs_reference)

    bodies = [body_of(PAYMENT_SUCCESS, dgs_reference=f"dgs_{n % 50}") for n in range(150)]

    async def story() -> list[WebhookResponse]:
        deliveries = (receiver.areceive(body, sign(body, SECRET)) for body in bodies)
        return await asyncio.gather(*deliveries)

    assert {answer.status for answer in asyncio.run(story())} <= {200, 409}
    assert sorted(seen) == sorted({f"dgs_{n}" for n in range(50)})

"""A program that ends without `drain` repeats nothing that succeeded; acceptance row 43."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import anyio
import anyio.to_thread
import pytest

from dgspay.webhooks import (
    AsyncPostgresInbox,
    Event,
    MemoryInbox,
    PaymentSucceeded,
    PostgresInbox,
    sign,
)
from dgspay.webhooks.inbox import Claim, Refusal
from tests.support.receiving import BODY, delivered_on, memory_receiver, status
from tests.support.webhook_samples import PAYMENT_SUCCESS, SECRET, body_of

pytestmark = pytest.mark.acceptance(43, "handled-once")

BACKENDS = ["asyncio", "trio"]
SIGNATURE = sign(BODY, SECRET)
KEY = "[/production]payment.success:dgs_123456789"


class Clock:
    """Moved by the test, to the end of a lease."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class HeldInbox:
    """An inbox whose "done" waits until the test lets it through, in a thread or awaited."""

    def __init__(self, clock: Clock) -> None:
        self.kept = MemoryInbox(clock=clock)
        self.asked = threading.Event()
        self.goes_on = threading.Event()

    def claim(self, key: str, *, lease: float) -> Claim | Refusal:
        return self.kept.claim(key, lease=lease)

    def done(self, claim: Claim) -> None:
        self.asked.set()
        self.goes_on.wait(60)
        self.kept.done(claim)

    def release(self, claim: Claim) -> None:
        self.kept.release(claim)


class AsyncHeldInbox:
    """The same with `await`; its "done" is a few turns of the event loop, as over a socket."""

    def __init__(self, clock: Clock) -> None:
        self.kept = MemoryInbox(clock=clock)
        self.asked = threading.Event()
        self.goes_on = threading.Event()
        self.tries = 0

    async def claim(self, key: str, *, lease: float) -> Claim | Refusal:
        await anyio.lowlevel.checkpoint()
        return self.kept.claim(key, lease=lease)

    async def done(self, claim: Claim) -> None:
        self.tries += 1
        self.asked.set()
        while not self.goes_on.is_set():
            await anyio.lowlevel.checkpoint()
        for _ in range(5):
            await anyio.lowlevel.checkpoint()
        self.kept.done(claim)

    async def release(self, claim: Claim) -> None:
        for _ in range(5):
            await anyio.lowlevel.checkpoint()
        self.kept.release(claim)


async def until(happened: Callable[[], bool]) -> None:
    while not happened():
        await anyio.lowlevel.checkpoint()


def redelivered(backend: str, inbox: Any, seen: list[Event]) -> tuple[int, str]:
    """What a delivery to the next program gets."""
    receiver = memory_receiver(inbox=inbox, answer_within=60)
    receiver.on(PaymentSucceeded)(seen.append)
    return status(delivered_on(backend, receiver, BODY, SIGNATURE))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("make_inbox", [HeldInbox, AsyncHeldInbox])
@pytest.mark.parametrize("kind", ["plain", "async"])
def test_what_succeeded_is_marked_done_though_the_program_ends(
    backend: str, make_inbox: Any, kind: str
) -> None:
    clock = Clock()
    inbox = make_inbox(clock)
    receiver = memory_receiver(inbox=inbox, answer_within=0.01)
    seen: list[Event] = []

    if kind == "plain":
        receiver.on(PaymentSucceeded)(seen.append)
    else:

        @receiver.on(PaymentSucceeded)
        async def paid(event: PaymentSucceeded) -> None:
            await anyio.lowlevel.checkpoint()
            seen.append(event)

    async def program() -> None:
        answer = await receiver.areceive(BODY, SIGNATURE)
        assert answer.status == 409
        await until(inbox.asked.is_set)
        # The program ends now, with "done" on its way to the inbox.
        threading.Timer(0.05, inbox.goes_on.set).start()

    anyio.run(program, backend=backend)
    clock.now += 10_000
    assert redelivered(backend, inbox, seen) == (200, "duplicate")
    assert len(seen) == 1


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("make_inbox", [HeldInbox, AsyncHeldInbox])
@pytest.mark.parametrize("fails", [False, True])
def test_a_plain_handler_that_the_programs_end_overtakes_is_waited_for(
    backend: str, make_inbox: Any, fails: bool
) -> None:
    clock = Clock()
    inbox = make_inbox(clock)
    inbox.goes_on.set()
    receiver = memory_receiver(inbox=inbox, answer_within=0.01)
    began, goes_on, seen = threading.Event(), threading.Event(), list[Event]()

    @receiver.on(PaymentSucceeded)
    def paid(event: PaymentSucceeded) -> None:
        began.set()
        goes_on.wait(60)
        seen.append(event)
        if fails:
            raise ValueError("the shop is down")

    async def program() -> None:
        await receiver.areceive(BODY, SIGNATURE)
        await until(began.is_set)
        threading.Timer(0.05, goes_on.set).start()

    anyio.run(program, backend=backend)
    assert len(seen) == 1
    # What failed was given back at once: no lease has to end first.
    assert redelivered(backend, inbox, seen) == (200, "received" if fails else "duplicate")


@pytest.mark.parametrize("make_inbox", [HeldInbox, AsyncHeldInbox])
def test_a_plain_handler_that_had_no_thread_yet_is_not_begun(make_inbox: Any) -> None:
    inbox = make_inbox(Clock())
    inbox.goes_on.set()
    receiver = memory_receiver(inbox=inbox, answer_within=0.01)
    seen: list[Event] = []
    receiver.on(PaymentSucceeded)(seen.append)

    async def program() -> None:
        limiter = anyio.to_thread.current_default_thread_limiter()
        limiter.total_tokens = 1
        await limiter.acquire_on_behalf_of(inbox)
        assert (await receiver.areceive(BODY, SIGNATURE)).status == 409

    asyncio.run(program())
    assert seen == []
    assert isinstance(inbox.kept.claim(KEY, lease=60), Claim)


def test_a_program_that_cancels_its_tasks_more_than_once_does_not_lose_it() -> None:
    inbox = AsyncHeldInbox(Clock())
    receiver = memory_receiver(inbox=inbox, answer_within=0.01)
    seen: list[Event] = []
    receiver.on(PaymentSucceeded)(seen.append)

    async def program() -> None:
        await receiver.areceive(BODY, SIGNATURE)
        await until(inbox.asked.is_set)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for tries in (2, 3):
            for task in others:
                task.cancel()
            await until(lambda tries=tries: inbox.tries == tries)  # type: ignore[misc]
        inbox.goes_on.set()

    asyncio.run(program())
    assert inbox.kept.claim(KEY, lease=60) is Refusal.DONE


def test_a_finished_event_is_recorded_on_a_real_server_though_the_program_ends(
    postgres_url: str, reference: str
) -> None:
    inbox = AsyncPostgresInbox(postgres_url)
    receiver = memory_receiver(inbox=inbox, answer_within=0.01)
    body = body_of(PAYMENT_SUCCESS, dgs_reference=reference)
    handled: list[asyncio.Event] = []

    @receiver.on(PaymentSucceeded)
    async def paid(event: PaymentSucceeded) -> None:
        handled[0].set()

    async def program() -> None:
        handled.append(asyncio.Event())
        request = asyncio.create_task(receiver.areceive(body, sign(body, SECRET)))
        await handled[0].wait()
        # "done" has only begun to connect.
        request.cancel()

    asyncio.run(program())
    claim = PostgresInbox(postgres_url).claim(f"[/production]payment.success:{reference}", lease=60)
    assert claim is Refusal.DONE

"""What goes on after the answer: kept alive, let go when it is over, and waited for by `drain`."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import weakref
from collections.abc import Callable
from typing import Any

import anyio
import pytest
import trio.testing

from dgspay.webhooks import MemoryInbox, PaymentSucceeded, WebhookReceiver, sign
from dgspay.webhooks.inbox import Claim, Refusal
from tests.support.receiving import BODY, AsyncMemoryInbox, memory_receiver, status
from tests.support.webhook_samples import SECRET

pytestmark = pytest.mark.acceptance(43, "handled-once")

SIGNATURE = sign(BODY, SECRET)
KEY = "payment.success:dgs_123456789"
BACKENDS = ["asyncio", "trio"]
# Seconds that nothing here takes: what waits for ever fails then, and does not hang.
ENOUGH = 60


def run(backend: str, program: Callable[[], Any]) -> None:
    async def in_time() -> None:
        with anyio.fail_after(ENOUGH):
            await program()

    anyio.run(in_time, backend=backend)


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_answer_does_not_wait_for_a_handler_and_drain_does(backend: str) -> None:
    receiver, story = memory_receiver(answer_within=0.01), list[str]()

    async def program() -> None:
        goes_on = anyio.Event()

        @receiver.on(PaymentSucceeded)
        async def paid(event: PaymentSucceeded) -> None:
            await goes_on.wait()
            for _ in range(5):
                await anyio.lowlevel.checkpoint()
            story.append("handled")

        assert status(await receiver.areceive(BODY, SIGNATURE)) == (409, "in_progress")
        story.append("answered")
        goes_on.set()
        await receiver.drain()
        story.append("drained")
        # With nothing in progress it ends at once, as often as it is asked.
        await receiver.drain()

    run(backend, program)
    assert story == ["answered", "handled", "drained"]


def test_a_shop_waits_five_seconds_for_a_slow_handler_unless_it_says_otherwise() -> None:
    receiver, answered_at = WebhookReceiver(secret=SECRET, inbox=MemoryInbox()), list[float]()

    @receiver.on(PaymentSucceeded)
    async def paid(event: PaymentSucceeded) -> None:
        await anyio.sleep(60)

    async def program() -> None:
        began = trio.current_time()
        assert (await receiver.areceive(BODY, SIGNATURE)).status == 409
        answered_at.append(trio.current_time() - began)
        await receiver.drain()

    # A clock that jumps to the next moment a task waits for.
    clock = trio.testing.MockClock(autojump_threshold=0)
    trio.run(program, clock=clock)
    assert answered_at == [5.0]


def test_a_handler_that_only_its_task_refers_to_is_not_lost_to_the_garbage_collector() -> None:
    receiver, waited_for = memory_receiver(answer_within=0.01), list[weakref.ref[Any]]()
    handled: list[str] = []

    async def program() -> None:
        began = asyncio.Event()

        @receiver.on(PaymentSucceeded)
        async def paid(event: PaymentSucceeded) -> None:
            answer = asyncio.get_running_loop().create_future()
            waited_for.append(weakref.ref(answer))
            began.set()
            handled.append(await answer)

        assert (await receiver.areceive(BODY, SIGNATURE)).status == 409
        await began.wait()
        gc.collect()
        answer = waited_for[0]()
        assert answer is not None
        answer.set_result("dgs_123456789")
        del answer
        await receiver.drain()

    run("asyncio", program)
    assert handled == ["dgs_123456789"]


def test_a_task_that_is_over_is_let_go(caplog: pytest.LogCaptureFixture) -> None:
    # In no thread: of an older anyio, a thread that is idle holds on to whom it worked for last.
    receiver, tasks = memory_receiver(inbox=AsyncMemoryInbox()), list[weakref.ref[Any]]()

    @receiver.on(PaymentSucceeded)
    async def paid(event: PaymentSucceeded) -> None:
        tasks.append(weakref.ref(asyncio.current_task()))

    async def program() -> None:
        assert (await receiver.areceive(BODY, SIGNATURE)).status == 200
        await receiver.drain()
        # Its last callbacks are due in the next turns of the event loop.
        for _ in range(5):
            await asyncio.sleep(0)
        gc.collect()
        assert [task() for task in tasks] == [None]

    run("asyncio", program)
    # Nor has the event loop anything to complain of.
    assert caplog.records == []


class ShopClosed(BaseException):
    """What a shop raises to get past every `except Exception`."""


class ClosingInbox(MemoryInbox):
    """Fails as nothing should, once its handler is through."""

    def done(self, claim: Claim) -> None:
        raise ShopClosed


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_abandoned_failure_is_logged(backend: str, caplog: pytest.LogCaptureFixture) -> None:
    receiver = memory_receiver(inbox=ClosingInbox(), answer_within=0.01)

    async def program() -> None:
        goes_on = anyio.Event()

        @receiver.on(PaymentSucceeded)
        async def paid(event: PaymentSucceeded) -> None:
            await goes_on.wait()

        assert (await receiver.areceive(BODY, SIGNATURE)).status == 409
        goes_on.set()
        await receiver.drain()

    run(backend, program)
    (told,) = caplog.records
    assert (told.name, told.levelno) == ("dgspay.webhooks", logging.CRITICAL)
    assert told.getMessage() == "a webhook was answered before its handling raised this"
    assert told.exc_info is not None
    assert told.exc_info[0] is ShopClosed


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_awaited_failure_is_raised_and_not_logged(
    backend: str, caplog: pytest.LogCaptureFixture
) -> None:
    receiver = memory_receiver(inbox=ClosingInbox(), answer_within=ENOUGH)
    receiver.on(PaymentSucceeded)(lambda event: None)

    async def program() -> None:
        with pytest.raises(ShopClosed):
            await receiver.areceive(BODY, SIGNATURE)

    run(backend, program)
    assert caplog.records == []


def test_a_claim_that_the_programs_end_breaks_off_is_not_made_anew() -> None:
    class SlowToClaim(AsyncMemoryInbox):
        claims = 0

        async def claim(self, key: str, *, lease: float) -> Claim | Refusal:
            self.claims += 1
            if self.claims > 1:
                return Refusal.BUSY
            await asyncio.get_running_loop().create_future()
            pytest.fail("nobody answers it")

    inbox = SlowToClaim()
    receiver = memory_receiver(inbox=inbox, answer_within=0.01)

    @receiver.on(PaymentSucceeded)
    async def paid(event: PaymentSucceeded) -> None:
        pytest.fail("it was not claimed")

    async def program() -> None:
        assert (await receiver.areceive(BODY, SIGNATURE)).status == 409
        (delivery,) = asyncio.all_tasks() - {asyncio.current_task()}
        delivery.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait_for(delivery, ENOUGH)
        assert delivery.cancelled()

    run("asyncio", program)
    assert inbox.claims == 1

"""A handler that raises what is no Exception has failed, and takes nothing down with it; row 43."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from dgspay.webhooks import Event, MemoryInbox, PaymentSucceeded, sign
from dgspay.webhooks.inbox import Claim
from tests.support.receiving import (
    BODY,
    AsyncMemoryInbox,
    delivered_on,
    delivered_sync,
    memory_receiver,
    status,
)
from tests.support.webhook_samples import SECRET

pytestmark = pytest.mark.acceptance(43, "handled-once")

SIGNATURE = sign(BODY, SECRET)
BACKENDS = ["asyncio", "trio"]


class ShopClosed(BaseException):
    """What a shop raises to get past every `except Exception`."""


def raising(kind: type[BaseException], *, is_async: bool) -> Callable[[Event], Any]:
    def paid(event: Event) -> None:
        raise kind("shop")

    async def paid_later(event: Event) -> None:
        await anyio.lowlevel.checkpoint()
        raise kind("shop")

    return paid_later if is_async else paid


def handled_next(backend: str, inbox: Any) -> tuple[int, str]:
    receiver = memory_receiver(inbox=inbox)
    receiver.on(PaymentSucceeded)(lambda event: None)
    return status(delivered_on(backend, receiver, BODY, SIGNATURE))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("inbox", [MemoryInbox, AsyncMemoryInbox])
@pytest.mark.parametrize(
    ("kind", "is_async"),
    [
        (ShopClosed, True),
        (asyncio.CancelledError, True),
        (ShopClosed, False),
        (asyncio.CancelledError, False),
        # No signal arrives in a worker thread: these are not the program's.
        (SystemExit, False),
        (KeyboardInterrupt, False),
    ],
)
def test_the_handler_has_failed_and_the_program_goes_on(
    backend: str,
    inbox: type,
    kind: type[BaseException],
    is_async: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    held = inbox()
    receiver = memory_receiver(inbox=held)
    receiver.on(PaymentSucceeded)(raising(kind, is_async=is_async))
    assert status(delivered_on(backend, receiver, BODY, SIGNATURE)) == (500, "failed")
    assert kind.__name__ in caplog.text
    assert handled_next(backend, held) == (200, "received")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_an_exit_in_an_async_handler_comes_out_of_the_request(
    backend: str, kind: type[BaseException]
) -> None:
    inbox = MemoryInbox()
    receiver = memory_receiver(inbox=inbox)
    receiver.on(PaymentSucceeded)(raising(kind, is_async=True))
    with pytest.raises(kind):
        delivered_on(backend, receiver, BODY, SIGNATURE)
    assert handled_next(backend, inbox) == (200, "received")


async def _delivered_late(receiver: Any, goes_on: list[anyio.Event]) -> None:
    goes_on.append(anyio.Event())
    assert (await receiver.areceive(BODY, SIGNATURE)).status == 409
    goes_on[0].set()
    await receiver.drain()


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_exit_that_no_request_waits_for(backend: str, caplog: pytest.LogCaptureFixture) -> None:
    inbox, goes_on = MemoryInbox(), list[anyio.Event]()
    receiver = memory_receiver(inbox=inbox, answer_within=0.01)

    @receiver.on(PaymentSucceeded)
    async def paid(event: PaymentSucceeded) -> None:
        await goes_on[0].wait()
        raise SystemExit("shop")

    program = functools.partial(anyio.run, _delivered_late, receiver, goes_on, backend=backend)
    if backend == "asyncio":
        # As from any task of asyncio's own.
        with pytest.raises(SystemExit, match="shop"):
            program()
    else:
        # Trio would call it a fault of its own, and lose every other task.
        program()
        assert "SystemExit" in caplog.text
    assert handled_next(backend, inbox) == (200, "received")


@pytest.mark.parametrize("kind", [ShopClosed, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("is_async", [False, True])
def test_a_blocking_receiver_lets_it_through_and_gives_the_event_back(
    kind: type[BaseException], is_async: bool
) -> None:
    inbox = MemoryInbox()
    receiver = memory_receiver(inbox=inbox)
    receiver.on(PaymentSucceeded)(raising(kind, is_async=is_async))
    with pytest.raises(kind):
        delivered_sync(receiver, BODY, SIGNATURE)
    assert isinstance(inbox.claim("payment.success:dgs_123456789", lease=60), Claim)

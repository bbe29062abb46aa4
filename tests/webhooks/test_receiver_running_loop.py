"""`receive`, which blocks, where an event loop runs in its thread."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from dgspay.webhooks import PaymentSucceeded, sign
from tests.support.receiving import BODY, memory_receiver, no_events
from tests.support.webhook_samples import SECRET

SIGNED = (BODY, sign(BODY, SECRET))


async def received_in_a_task(receive: Callable[..., Any]) -> Any:
    return receive(*SIGNED)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_async_handler_runs_in_a_loop_of_its_own_as_in_a_notebook(backend: str) -> None:
    receiver, seen = memory_receiver(), no_events()

    @receiver.on(PaymentSucceeded)
    async def paid(event: PaymentSucceeded) -> None:
        await anyio.lowlevel.checkpoint()
        seen.append(event)

    async def cell() -> list[int]:
        return [receiver.receive(*SIGNED).status, receiver.receive(*SIGNED).status]

    assert anyio.run(cell, backend=backend) == [200, 200]
    assert len(seen) == 1  # the second delivery was of the same event


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_async_handler_that_fails_there_gives_its_event_back(backend: str) -> None:
    receiver, seen = memory_receiver(), no_events()

    @receiver.on(PaymentSucceeded)
    async def paid(event: PaymentSucceeded) -> None:
        seen.append(event)
        if len(seen) == 1:
            raise RuntimeError("the shop's database is down")

    async def cell() -> list[int]:
        return [receiver.receive(*SIGNED).status, receiver.receive(*SIGNED).status]

    assert anyio.run(cell, backend=backend) == [500, 200]
    assert len(seen) == 2


def test_what_interrupts_the_wait_is_raised_once_the_event_is_done() -> None:
    receiver, seen = memory_receiver(), no_events()

    @receiver.on(PaymentSucceeded)
    async def paid(event: PaymentSucceeded) -> None:
        signal.raise_signal(signal.SIGUSR1)
        await anyio.lowlevel.checkpoint()
        seen.append(event)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    async def cell() -> int:
        before = signal.signal(signal.SIGUSR1, interrupt)
        try:
            with pytest.raises(KeyboardInterrupt):
                receiver.receive(*SIGNED)
        finally:
            signal.signal(signal.SIGUSR1, before)
        return receiver.receive(*SIGNED).status

    assert anyio.run(cell) == 200
    assert len(seen) == 1


@pytest.mark.parametrize("begun", [True, False])
def test_an_interrupt_while_the_thread_starts_leaves_no_event_half_handled(
    begun: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver, seen = memory_receiver(), no_events()
    started = threading.Event()

    @receiver.on(PaymentSucceeded)
    async def paid(event: PaymentSucceeded) -> None:
        started.set()
        await anyio.lowlevel.checkpoint()
        seen.append(event)

    def interrupted_start(thread: threading.Thread) -> None:
        if begun:
            start(thread)
            assert started.wait(30)
        raise KeyboardInterrupt

    async def cell() -> int:
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", interrupted_start)
            with pytest.raises(KeyboardInterrupt):
                receiver.receive(*SIGNED)
        return receiver.receive(*SIGNED).status

    start = threading.Thread.start
    assert anyio.run(cell) == 200
    assert len(seen) == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_plain_handler_needs_no_loop_and_works(backend: str) -> None:
    receiver, seen = memory_receiver(), no_events()
    receiver.on(PaymentSucceeded)(seen.append)
    assert anyio.run(received_in_a_task, receiver.receive, backend=backend).status == 200
    assert len(seen) == 1


def test_a_worker_thread_of_a_loop_has_none_of_its_own() -> None:
    receiver, seen = memory_receiver(), no_events()

    @receiver.on(PaymentSucceeded)
    async def paid(event: PaymentSucceeded) -> None:
        seen.append(event)

    async def serve() -> int:
        answer = await anyio.to_thread.run_sync(receiver.receive, *SIGNED)
        return answer.status

    for backend in ("asyncio", "trio"):
        assert anyio.run(serve, backend=backend) == 200
    assert len(seen) == 1

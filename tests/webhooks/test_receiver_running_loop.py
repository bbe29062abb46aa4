"""`receive`, which blocks, where an event loop runs in its thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from dgspay.errors import ConfigError
from dgspay.webhooks import PaymentSucceeded, sign
from tests.support.receiving import BODY, memory_receiver, no_events
from tests.support.webhook_samples import SECRET

SIGNED = (BODY, sign(BODY, SECRET))


async def received_in_a_task(receive: Callable[..., Any]) -> Any:
    return receive(*SIGNED)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_async_handler_is_refused_before_its_event_is_claimed(backend: str) -> None:
    receiver, seen = memory_receiver(), no_events()

    @receiver.on(PaymentSucceeded)
    async def paid(event: PaymentSucceeded) -> None:
        seen.append(event)

    with pytest.raises(ConfigError, match="areceive"):
        anyio.run(received_in_a_task, receiver.receive, backend=backend)
    assert seen == []
    # Nothing of it is left behind: where no loop runs, it is handled.
    assert receiver.receive(*SIGNED).status == 200
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

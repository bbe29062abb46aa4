"""Cancellation: re-raised as it came, reported as UNKNOWN, and without cost to the pool."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import anyio
import pytest
import trio

from dgspay import AsyncDGSPay, Outcome, RetryPolicy, TelemetryEvent, Timeout
from dgspay.core.events import AttemptEvent, CallEvent
from tests.support.calls import ACCOUNT, API_KEY, AT_ONCE, charge, payout, read
from tests.support.gated_server import Gate
from tests.support.raw_server import Connection, RawServer, http
from tests.support.transport_matrix import ASYNC_WAYS, Way

GOOD = http({"status": "success", "dgs_reference": "dgs_1", "balances": []})


def never_answer(connection: Connection) -> None:
    connection.read_request()
    connection.stall()


ON_ASYNCIO = [way for way in ASYNC_WAYS if way.mode == "asyncio"]
ON_TRIO = [way for way in ASYNC_WAYS if way.mode == "trio"]


@pytest.fixture
def anyio_backend(async_way: Way) -> str:
    return async_way.mode


def client(way: Way, url: str, events: list[TelemetryEvent], **options: Any) -> AsyncDGSPay:
    settings: dict[str, Any] = {"retry": AT_ONCE, "transport": way.transport(), **options}
    return AsyncDGSPay(
        api_key=API_KEY,
        account_number=ACCOUNT,
        base_url=url,
        hooks=[events.append],
        **settings,
    )


async def until(condition: Callable[[], bool]) -> None:
    """Wait for the server's thread."""
    with anyio.fail_after(60):
        while not condition():  # noqa: ASYNC110 - a thread cannot set an Event of anyio's
            await anyio.sleep(0.005)


def assert_told_as_unknown(events: list[TelemetryEvent]) -> None:
    attempt, call = events
    assert isinstance(attempt, AttemptEvent)
    assert isinstance(call, CallEvent)
    assert (attempt.outcome, call.outcome) == (Outcome.UNKNOWN, Outcome.UNKNOWN)
    assert call.error == "cancelled"


@pytest.mark.acceptance(20, "cancelled-post")
@pytest.mark.anyio
async def test_cancel_scope_around_a_post_is_unknown(async_way: Way) -> None:
    events: list[TelemetryEvent] = []
    with RawServer(never_answer) as server:
        async with client(async_way, server.url, events) as dgs:
            async with anyio.create_task_group() as group:
                group.start_soon(payout, dgs)
                await until(lambda: bool(server.requests))
                group.cancel_scope.cancel()
            assert group.cancel_scope.cancelled_caught
    assert_told_as_unknown(events)
    assert len(server.requests) == 1


@pytest.mark.acceptance(20, "cancelled-post")
@pytest.mark.parametrize("async_way", ON_ASYNCIO, ids=str)
@pytest.mark.parametrize("message", [(), ("shutting down",)])
def test_cancelled_asyncio_task_raises_its_own_error(
    async_way: Way, message: tuple[str, ...]
) -> None:
    events: list[TelemetryEvent] = []

    async def main(server: RawServer) -> None:
        async with client(async_way, server.url, events) as dgs:
            task = asyncio.ensure_future(payout(dgs))
            await until(lambda: bool(server.requests))
            task.cancel(*message)
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            assert caught.value.args == message
            assert task.cancelled()

    with RawServer(never_answer) as server:
        asyncio.run(main(server))
    assert_told_as_unknown(events)


@pytest.mark.acceptance(20, "cancelled-post")
@pytest.mark.parametrize("async_way", ON_ASYNCIO, ids=str)
def test_asyncio_timeout_around_a_post_is_a_timeout_error(async_way: Way) -> None:
    events: list[TelemetryEvent] = []

    async def main(server: RawServer) -> None:
        async with client(async_way, server.url, events) as dgs:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(None) as limit:
                    task = asyncio.ensure_future(until(lambda: bool(server.requests)))
                    task.add_done_callback(lambda _: limit.reschedule(0))
                    await payout(dgs)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(charge(dgs), 1)

    with RawServer(never_answer) as server:
        asyncio.run(main(server))
    assert_told_as_unknown(events[:2])
    assert_told_as_unknown(events[2:])


@pytest.mark.acceptance(20, "cancelled-post")
@pytest.mark.parametrize("async_way", ON_TRIO, ids=str)
def test_trio_cancellation_goes_through(async_way: Way) -> None:
    events: list[TelemetryEvent] = []

    async def main(server: RawServer) -> None:
        async with client(async_way, server.url, events) as dgs:
            with trio.CancelScope() as scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(payout, dgs)
                    await until(lambda: bool(server.requests))
                    scope.cancel()
            assert scope.cancelled_caught

    with RawServer(never_answer) as server:
        trio.run(main, server)
    assert_told_as_unknown(events)


@pytest.mark.acceptance(20, "cancelled-post")
@pytest.mark.anyio
async def test_cancellation_during_a_pause_keeps_what_the_last_attempt_was(async_way: Way) -> None:
    """Between two attempts that were refused nothing can have happened."""
    events: list[TelemetryEvent] = []
    slow = RetryPolicy(initial_delay=60, max_delay=60)
    with RawServer(never_answer) as server:
        url = server.url
    async with (
        client(async_way, url, events, retry=slow) as dgs,
        anyio.create_task_group() as group,
    ):
        group.start_soon(payout, dgs)
        await until(lambda: bool(events))
        group.cancel_scope.cancel()
    call = events[-1]
    assert isinstance(call, CallEvent)
    assert (call.outcome, call.error) == (Outcome.NOT_SENT, "cancelled")


@pytest.mark.acceptance(19, "cancelled-under-contention")
@pytest.mark.anyio
async def test_500_cancelled_requests_leave_every_connection_usable(async_way: Way) -> None:
    gate = Gate()
    patient = Timeout(connect=60, pool=60)
    with RawServer(gate) as server:
        async with client(
            async_way, server.url, [], timeout=patient, retry=RetryPolicy(attempts=1)
        ) as dgs:
            async with anyio.create_task_group() as group:
                for _ in range(500):
                    group.start_soon(read, dgs)
                # The pool is full, the others queue for it; all are cancelled where they are.
                await until(lambda: gate.waiting >= 50)
                group.cancel_scope.cancel()

            gate.waiting = 0
            gate.opened.clear()
            with anyio.fail_after(60):
                async with anyio.create_task_group() as group:
                    for _ in range(100):
                        group.start_soon(read, dgs)
                    # All at the same time: a lost slot would leave one of them waiting.
                    await until(lambda: gate.waiting >= 100)
                    gate.opened.set()


@pytest.mark.acceptance(19, "cancelled-under-contention")
@pytest.mark.anyio
async def test_requests_cancelled_while_answers_come_in_leave_the_client_working(
    async_way: Way,
) -> None:
    gate = Gate()
    gate.opened.set()
    with RawServer(gate) as server:
        async with client(async_way, server.url, [], retry=RetryPolicy(attempts=1)) as dgs:

            async def call_and_be_cancelled(after: float) -> None:
                with anyio.move_on_after(after):
                    await read(dgs)

            for wave in range(5):
                async with anyio.create_task_group() as group:
                    for number in range(100):
                        group.start_soon(call_and_be_cancelled, 0.0004 * (number + wave))
            with anyio.fail_after(60):
                async with anyio.create_task_group() as group:
                    for _ in range(100):
                        group.start_soon(read, dgs)

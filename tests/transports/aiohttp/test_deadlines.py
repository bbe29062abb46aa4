"""The deadlines of many calls on one timer: each ends its own call, in time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from dgspay.transports.aiohttp.deadlines import Deadlines

SOON, LATER = 0.01, 600.0

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def deadlines() -> Deadlines:
    return Deadlines(asyncio.get_running_loop())


async def never() -> None:
    await asyncio.get_running_loop().create_future()


async def call(deadlines: Deadlines, seconds: float | None, work: Callable[[], Any]) -> Any:
    with deadlines.within(seconds):
        return await work()


async def begun(deadlines: Deadlines, seconds: float | None) -> asyncio.Task[Any]:
    """Begin a call that never ends by itself."""
    task = asyncio.ensure_future(call(deadlines, seconds, never))
    await asyncio.sleep(0)
    return task


@pytest.mark.acceptance(16, "dripping-server")
async def test_call_ends_when_its_time_is_over(deadlines: Deadlines) -> None:
    with pytest.raises(TimeoutError):
        await call(deadlines, SOON, never)
    current = asyncio.current_task()
    assert current is not None
    assert not current.cancelling()


@pytest.mark.parametrize("others", [(LATER, SOON), (SOON, LATER), (None, SOON)])
async def test_each_ends_in_its_own_time(
    deadlines: Deadlines, others: tuple[float | None, ...]
) -> None:
    calls = {seconds: await begun(deadlines, seconds) for seconds in others}
    with pytest.raises(TimeoutError):
        await calls.pop(SOON)
    (other,) = calls.values()
    assert not other.done()
    other.cancel()
    with pytest.raises(asyncio.CancelledError):
        await other


async def test_timer_that_rang_is_set_for_the_next(deadlines: Deadlines) -> None:
    calls = [await begun(deadlines, SOON * (1 + number)) for number in range(3)]
    ended, running = await asyncio.wait(calls, timeout=60)
    assert not running
    assert {type(call.exception()) for call in ended} == {TimeoutError}


async def test_timer_of_a_finished_request_cancels_nothing(deadlines: Deadlines) -> None:
    async def at_once() -> str:
        return "an answer"

    async def after_the_ring() -> str:
        await asyncio.wait_for(rung.wait(), 60)
        return "an answer"

    rung = asyncio.Event()
    assert await call(deadlines, SOON, at_once) == "an answer"
    asyncio.get_running_loop().call_later(2 * SOON, rung.set)
    assert await call(deadlines, LATER, after_the_ring) == "an answer"
    with pytest.raises(TimeoutError):
        await call(deadlines, SOON, never)


async def test_who_is_cancelled_by_another_stays_cancelled(deadlines: Deadlines) -> None:
    deadline = deadlines.within(LATER)

    async def work() -> None:
        with deadline:
            await never()

    task = asyncio.ensure_future(work())
    await asyncio.sleep(0)
    deadline.pass_by()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_call_within_a_call_ends_alone(deadlines: Deadlines) -> None:
    async def outer() -> str:
        with pytest.raises(TimeoutError):
            await call(deadlines, SOON, never)
        return "an answer"

    assert await call(deadlines, LATER, outer) == "an answer"


async def test_an_error_of_its_own_is_not_taken_for_the_deadline(deadlines: Deadlines) -> None:
    async def fails() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await call(deadlines, LATER, fails)


async def test_many_calls_set_one_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    deadlines, timers = Deadlines(loop), []
    call_at = loop.call_at

    def counted(when: float, *told: Any, **more: Any) -> asyncio.TimerHandle:
        timers.append(when)
        return call_at(when, *told, **more)

    monkeypatch.setattr(loop, "call_at", counted)
    calls = [await begun(deadlines, LATER) for _ in range(50)]
    for one in calls:
        one.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    assert len(timers) == 1


def test_deadline_is_for_a_task() -> None:
    loop = asyncio.new_event_loop()
    failed: list[BaseException] = []

    def outside_of_a_task() -> None:
        try:
            with Deadlines(loop).within(LATER):
                pass
        except RuntimeError as error:
            failed.append(error)

    loop.call_soon(outside_of_a_task)
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    assert "for a task" in str(failed[0])

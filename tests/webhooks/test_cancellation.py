"""Steps that neither the end of a program nor a handler breaks off; row 43."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import Future

import anyio
import pytest

from dgspay.webhooks.cancellation import (
    HandlerStoppedError,
    Uninterrupted,
    _settle,
    _waiting_for,
    call_handler,
    call_handler_in_thread,
)

pytestmark = pytest.mark.acceptance(43, "handled-once")


class ShopClosed(BaseException):
    """What a shop raises to get past every `except Exception`."""


async def closes() -> None:
    raise ShopClosed


async def closes_in_company() -> None:
    raise BaseExceptionGroup("shop", [ShopClosed(), ValueError()])


async def cancels_itself() -> None:
    raise asyncio.CancelledError


async def interrupts_in_company() -> None:
    raise BaseExceptionGroup("shop", [ValueError(), BaseExceptionGroup("", [SystemExit()])])


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_handler_that_stopped_is_named_by_what_it_raised(backend: str) -> None:
    for handling, name in (
        (closes, "ShopClosed"),
        (closes_in_company, "BaseExceptionGroup"),
        (cancels_itself, "CancelledError"),
    ):
        with pytest.raises(HandlerStoppedError) as stopped:
            anyio.run(call_handler, handling, backend=backend)
        assert str(stopped.value) == f"the handler raised {name}"


def test_an_exit_within_a_group_is_the_programs() -> None:
    with pytest.raises(BaseExceptionGroup):
        anyio.run(call_handler, interrupts_in_company)


def test_in_a_thread_even_an_exit_is_the_handlers_own() -> None:
    def leaves() -> None:
        raise SystemExit

    with pytest.raises(HandlerStoppedError) as stopped:
        call_handler_in_thread(leaves)
    assert str(stopped.value) == "the handler raised SystemExit"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_handler_that_is_cancelled_is_not_a_failure(backend: str) -> None:
    async def program() -> None:
        with anyio.CancelScope() as scope:

            async def handling() -> None:
                scope.cancel()
                await anyio.sleep_forever()

            await call_handler(handling)
            pytest.fail("the cancellation was swallowed")
        assert scope.cancelled_caught

    anyio.run(program, backend=backend)


def test_a_step_is_begun_anew_and_its_cancellation_kept() -> None:
    tries: list[int] = []

    async def step() -> str:
        tries.append(1)
        if len(tries) == 1:
            task = asyncio.current_task()
            assert task is not None
            task.cancel("the program ends")
            await asyncio.sleep(0)
        return "done"

    async def program() -> None:
        unbroken = Uninterrupted()
        unbroken.raise_cancellation()  # none came yet
        assert await unbroken.finish(step) == "done"
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        with pytest.raises(asyncio.CancelledError, match="the program ends"):
            unbroken.raise_cancellation()

    asyncio.run(program())
    assert len(tries) == 2


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_step_that_raises_a_cancellation_of_its_own_is_not_repeated(backend: str) -> None:
    tries: list[int] = []

    async def step() -> None:
        tries.append(1)
        assert len(tries) == 1
        raise asyncio.CancelledError

    async def program() -> None:
        unbroken = Uninterrupted()
        with pytest.raises(asyncio.CancelledError):
            await unbroken.finish(step)
        unbroken.raise_cancellation()  # it was not one of the task

    anyio.run(program, backend=backend)


def test_only_what_was_asked_during_the_step_is_answered() -> None:
    tries: list[int] = []

    async def step() -> None:
        task = asyncio.current_task()
        assert task is not None
        tries.append(1)
        if len(tries) == 1:
            # Twice, as by a server that stops and a program that ends.
            task.cancel()
            task.cancel()
            await asyncio.sleep(0)

    async def program() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel("before the step")
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
        assert task.cancelling() == 1
        await Uninterrupted().finish(step)
        # Another process answers that request.
        assert task.cancelling() == 1
        task.uncancel()

    asyncio.run(program())
    assert len(tries) == 2


def test_a_thread_that_has_begun_is_waited_for_through_a_cancellation() -> None:
    begun, goes_on = threading.Event(), threading.Event()

    def work() -> str:
        begun.set()
        goes_on.wait(60)
        return "done"

    async def program() -> None:
        unbroken = Uninterrupted()

        async def delivery() -> str:
            return await unbroken.in_thread(work)

        task = asyncio.create_task(delivery())
        await asyncio.to_thread(begun.wait, 60)
        task.cancel("the program ends")
        await asyncio.sleep(0)
        goes_on.set()
        assert await task == "done"
        with pytest.raises(asyncio.CancelledError, match="the program ends"):
            unbroken.raise_cancellation()

    asyncio.run(program())


def test_work_that_a_thread_has_taken_up_is_settled_with_what_it_came_to() -> None:
    came: Future[str] = Future()
    _settle(came, lambda: "done")
    assert came.result(timeout=0) == "done"
    failed: Future[str] = Future()
    _settle(failed, closes_at_once)
    assert isinstance(failed.exception(timeout=0), ShopClosed)


def closes_at_once() -> str:
    raise ShopClosed


def test_work_that_was_called_off_before_its_thread_is_not_begun() -> None:
    called_off: Future[str] = Future()
    assert called_off.cancel()
    _settle(called_off, lambda: pytest.fail("nobody wants it any more"))


def test_a_wait_for_a_thread_ends_when_it_is_settled_and_can_be_broken_off() -> None:
    async def program() -> None:
        outcome: Future[str] = Future()
        first = asyncio.ensure_future(_waiting_for(outcome)())
        second = asyncio.ensure_future(_waiting_for(outcome)())
        await asyncio.sleep(0)
        assert not first.done()
        second.cancel()
        await asyncio.sleep(0)
        assert not outcome.cancelled()
        outcome.set_result("done")
        for _ in range(5):
            await asyncio.sleep(0)
        assert first.done()

    asyncio.run(program())

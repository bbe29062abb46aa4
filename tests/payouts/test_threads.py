"""Functions that are called in a worker thread."""

from __future__ import annotations

import threading

import anyio
import pytest

from dgspay.payouts.threads import in_thread

pytestmark = pytest.mark.anyio


async def test_function_gets_its_arguments_in_another_thread_and_its_result_comes_back() -> None:
    def called(one: int, *, two: str) -> tuple[int, str, int]:
        return one, two, threading.get_ident()

    one, two, thread = await in_thread(called, 1, two="x")
    assert (one, two) == (1, "x")
    assert thread != threading.get_ident()


async def test_cancelled_caller_waits_until_a_transaction_that_has_begun_is_over() -> None:
    begun, may_end = threading.Event(), threading.Event()
    course: list[str] = []

    def transaction() -> None:
        begun.set()
        may_end.wait(60)
        course.append("committed")

    async def ask() -> None:
        try:
            await in_thread(transaction)
        finally:
            course.append("returned")

    async with anyio.create_task_group() as group:
        group.start_soon(ask)
        with anyio.fail_after(60):
            while not begun.is_set():
                await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            for _ in range(20):
                await anyio.lowlevel.checkpoint()
        may_end.set()
    assert course == ["committed", "returned"]

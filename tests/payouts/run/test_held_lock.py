"""A lock of the ledger: the event loop goes on meanwhile, and it is released whatever happens."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType

import anyio
import pytest

from dgspay.payouts.run.held_lock import held

PATIENCE = 60


class Lock:
    """A lock whose server answers when a test says so."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.answered = threading.Event()
        self.released = threading.Event()

    def __enter__(self) -> None:
        self.asked.set()
        assert self.answered.wait(PATIENCE)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert not self.released.is_set()
        self.released.set()


@pytest.mark.anyio
async def test_the_loop_goes_on_while_the_lock_is_asked_for() -> None:
    lock = Lock()

    async def answer() -> None:
        await anyio.to_thread.run_sync(lock.asked.wait, PATIENCE)
        lock.answered.set()

    with anyio.fail_after(PATIENCE):
        async with anyio.create_task_group() as group:
            group.start_soon(answer)
            async with held(lock):
                assert not lock.released.is_set()
    assert lock.released.is_set()


@pytest.mark.anyio
async def test_an_error_within_releases_the_lock_and_comes_out_as_it_was() -> None:
    lock = Lock()
    lock.answered.set()
    with pytest.raises(KeyError, match="mine"):
        async with held(lock):
            raise KeyError("mine")
    assert lock.released.is_set()


@pytest.mark.anyio
async def test_a_lock_that_is_refused_is_not_released() -> None:
    class Refused(Lock):
        def __enter__(self) -> None:
            raise OSError("busy")

    lock = Refused()
    with pytest.raises(OSError, match="busy"):
        async with held(lock):
            pytest.fail("it was held")
    assert not lock.released.is_set()


@pytest.mark.anyio
async def test_a_cancelled_scope_within_releases_the_lock() -> None:
    lock = Lock()
    lock.answered.set()
    with anyio.CancelScope() as scope:
        async with held(lock):
            scope.cancel()
            await anyio.sleep_forever()
    assert lock.released.is_set()


def test_a_lock_acquired_after_its_task_was_cancelled_is_released() -> None:
    lock = Lock()

    async def run() -> None:
        async with held(lock):
            pytest.fail("it was held")

    async def main() -> None:
        task = asyncio.create_task(run())
        await asyncio.to_thread(lock.asked.wait, PATIENCE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not lock.released.is_set()
        lock.answered.set()

    asyncio.run(main())
    assert lock.released.wait(PATIENCE)

"""Several walks through one pager, and one that goes on after its failure."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from dgspay import AsyncDGSPay, DGSPay
from dgspay.core.pagination import Page
from dgspay.errors import TransportError
from dgspay.pagers import AsyncPager, Pager
from tests.core.test_pagination import listing, pages_of


@pytest.mark.acceptance(35, "failed-page")
@pytest.mark.anyio
@pytest.mark.parametrize("prefetch", [1, 3])
async def test_two_walks_at_once_leave_each_other_alone(prefetch: int) -> None:
    rows = [f"r{number}" for number in range(40)]
    serve = pages_of(rows, 5)

    async def fetch(number: Any) -> Page[str]:
        await anyio.lowlevel.checkpoint()
        return serve(number)

    pager = AsyncPager(listing(prefetch=prefetch), fetch)
    walked: list[list[str]] = []

    async def walk_through() -> None:
        walked.append([row async for row in pager])

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(walk_through)
    assert walked == [rows] * 3


@pytest.mark.acceptance(35, "failed-page")
def test_two_blocking_walks_at_once_leave_each_other_alone() -> None:
    rows = [f"r{number}" for number in range(40)]
    serve = pages_of(rows, 5)
    between: list[str] = []

    def fetch_while_another_walks(number: Any) -> Page[str]:
        if number == 1 and not between:
            between.append("begun")
            between[:] = pager
        return serve(number)

    pager = Pager(listing(), fetch_while_another_walks)
    assert list(pager) == rows
    assert between == rows


@pytest.mark.acceptance(35, "failed-page")
@pytest.mark.anyio
async def test_walk_that_goes_on_after_its_failure_is_not_broken_off_any_more() -> None:
    serve = pages_of([f"r{number}" for number in range(10)], 5)
    failures = [TransportError("the line broke")]

    async def fetch(number: Any) -> Page[str]:
        if number == 2 and failures:
            raise failures.pop()
        return serve(number)

    pager = AsyncPager(listing(), fetch)
    pages = pager.pages()
    assert (await anext(pages)).page == 1
    with pytest.raises(TransportError):
        await anext(pages)
    assert [page.page async for page in pages] == [2]
    assert [page.page async for page in pager.pages()] == [1, 2]


async def paused(page: Page[str]) -> Page[str]:
    """Give the other tasks their turns before a page arrives."""
    for _ in range(3):
        await anyio.lowlevel.checkpoint()
    return page


@pytest.mark.acceptance(65, "shared-pager")
@pytest.mark.anyio
@pytest.mark.parametrize("prefetch", [1, 3])
@pytest.mark.parametrize("by_page", [False, True])
async def test_ten_tasks_that_share_a_walk_get_each_row_once(prefetch: int, by_page: bool) -> None:
    rows = [f"r{number}" for number in range(40)]
    serve = pages_of(rows, 3)
    asked: list[int] = []

    async def fetch(number: Any) -> Page[str]:
        asked.append(number)
        return await paused(serve(number))

    pager = AsyncPager(listing(prefetch=prefetch), fetch)
    pages, shared = pager.pages(), aiter(pager)
    taken: list[str] = []

    async def work() -> None:
        if by_page:
            async for page in pages:
                taken.extend(page)
        else:
            taken.extend([row async for row in shared])

    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(work)
    assert sorted(taken) == sorted(rows)
    assert len(set(asked)) == len(asked) == 14


@pytest.mark.acceptance(35, "failed-page", 65, "shared-pager")
@pytest.mark.anyio
async def test_task_that_is_cancelled_or_fails_takes_no_row_from_the_others() -> None:
    rows = [f"r{number}" for number in range(40)]
    serve = pages_of(rows, 3)
    failures = [TransportError("the line broke")]
    fetching = anyio.Event()
    taken: list[str] = []
    failed: list[str] = []

    async def fetch(number: Any) -> Page[str]:
        if number == 2 and not fetching.is_set():
            fetching.set()
            await anyio.sleep_forever()
        if number == 5 and failures:
            raise failures.pop()
        return await paused(serve(number))

    shared = aiter(AsyncPager(listing(), fetch))

    async def work() -> None:
        try:
            async for row in shared:
                taken.append(row)  # noqa: PERF401 - those before a failure count, too
        except TransportError as error:
            failed.append(str(error))

    async with anyio.create_task_group() as group, anyio.create_task_group() as impatient:
        impatient.start_soon(work)
        await fetching.wait()
        for _ in range(5):
            group.start_soon(work)
        await anyio.lowlevel.checkpoint()
        impatient.cancel_scope.cancel()
    assert failed == ["the line broke"]
    assert sorted(taken) == sorted(rows)


@pytest.mark.acceptance(65, "shared-pager")
@pytest.mark.parametrize("prefetch", [1, 3])
@pytest.mark.parametrize("by_page", [False, True])
def test_threads_that_share_a_walk_get_each_row_once(prefetch: int, by_page: bool) -> None:
    rows = [f"r{number}" for number in range(400)]
    serve: Any = pages_of(rows, 3)
    pager: Pager[str] = Pager(listing(prefetch=prefetch), serve)
    pages, shared = pager.pages(), iter(pager)
    ready = threading.Barrier(8)

    def work(_: int) -> list[str]:
        ready.wait()
        if by_page:
            return [row for page in pages for row in page]
        return list(shared)

    with ThreadPoolExecutor(8) as pool:
        taken = [row for part in pool.map(work, range(8)) for row in part]
    assert sorted(taken) == sorted(rows)


@pytest.mark.acceptance(65, "shared-pager")
def test_walk_that_is_advanced_from_within_its_own_fetch_is_refused_and_never_hangs() -> None:
    serve = pages_of(["r1", "r2"], 1)
    refusals: list[str] = []

    def fetch(number: Any) -> Page[str]:
        try:
            next(shared)
        except RuntimeError as refused:
            refusals.append(str(refused))
        return serve(number)

    shared = iter(Pager(listing(), fetch))
    assert list(shared) == ["r1", "r2"]
    assert "an iterator of its own" in refusals[0]


def test_each_pager_is_iterable_in_its_own_way_alone(dgs: DGSPay, async_dgs: AsyncDGSPay) -> None:
    # A framework that streams rows asks for this.
    blocking, asynchronous = dgs.transactions.list(), async_dgs.transactions.list()
    assert isinstance(blocking, Iterable)
    assert not isinstance(blocking, AsyncIterable)
    assert isinstance(asynchronous, AsyncIterable)
    assert not isinstance(asynchronous, Iterable)

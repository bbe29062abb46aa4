"""Several walks through one pager, and one that goes on after its failure."""

from __future__ import annotations

from typing import Any

import anyio
import anyio.lowlevel
import pytest

from dgspay.core.pagination import Page
from dgspay.errors import TransportError
from dgspay.pagers import AsyncPager, Pager
from tests.core.test_pagination import listing, pages_of


@pytest.mark.acceptance(35)
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


@pytest.mark.acceptance(35)
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


@pytest.mark.acceptance(35)
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

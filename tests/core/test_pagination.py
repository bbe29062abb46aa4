"""Walking through pages that change, repeat and lie: it ends, and no row comes twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgspay.api.transactions import list as list_transactions
from dgspay.core.operation import Operation
from dgspay.core.pagination import MOST_BARREN_PAGES, Listing, Page, PageWalk
from dgspay.errors import TransportError
from dgspay.pagers import AsyncPager, Pager


def listing(**options: Any) -> Listing[str]:
    return Listing(fetch=lambda number: number, identity=lambda row: row, **options)  # type: ignore[arg-type, return-value]


def walk(server: Callable[[int], Page[str]], most: int = 300, **options: Any) -> list[str]:
    """Walk as the pagers do, against a function from page number to page."""
    rows: list[str] = []
    steps = PageWalk(listing(**options))
    fetched = 0
    while window := steps.window():
        pages = [server(number) for number in window]
        fetched += len(pages)
        assert fetched <= most, "the walk does not end"
        for page in pages:
            if steps.finished:
                break
            rows.extend(steps.take(page))
    return rows


def pages_of(rows: list[str], limit: int) -> Callable[[int], Page[str]]:
    """A server that pages honestly through the rows it has at that moment."""

    def server(number: int) -> Page[str]:
        return Page(
            rows=tuple(rows[(number - 1) * limit : number * limit]),
            page=number,
            limit=limit,
            total=len(rows),
            pages=-(-len(rows) // limit),
        )

    return server


@settings(deadline=None)  # a busy machine is no fault
@given(st.integers(0, 40), st.integers(1, 7), st.integers(1, 9))
def test_every_row_once_in_order(count: int, limit: int, prefetch: int) -> None:
    rows = [f"r{number}" for number in range(count)]
    assert walk(pages_of(rows, limit), prefetch=prefetch) == rows


@pytest.mark.acceptance(34, "moving-pages")
@settings(deadline=None)
@given(st.integers(1, 30), st.integers(1, 5), st.lists(st.integers(0, 6), max_size=40))
def test_rows_inserted_at_the_head_are_never_given_twice(
    count: int, limit: int, inserted: list[int]
) -> None:
    rows = [f"r{number}" for number in range(count)]
    fresh = iter(range(10_000))
    waves = iter(inserted)

    def server(number: int) -> Page[str]:
        page = pages_of(rows, limit)(number)
        rows[:0] = [f"new{next(fresh)}" for _ in range(next(waves, 0))]
        return page

    got = walk(server, most=1000)
    assert len(got) == len(set(got))
    assert [row for row in got if row.startswith("r")] == [f"r{number}" for number in range(count)]


@pytest.mark.acceptance(34, "moving-pages")
def test_the_number_of_pages_shrinks() -> None:
    rows = [f"r{number}" for number in range(10)]
    server = pages_of(rows, 2)

    def shrinking(number: int) -> Page[str]:
        page = server(number)
        del rows[6:]
        return page

    assert walk(shrinking) == ["r0", "r1", "r2", "r3", "r4", "r5"]


@pytest.mark.acceptance(34, "moving-pages")
@pytest.mark.parametrize("echo", [True, False], ids=["echoes the page", "says page 1"])
@pytest.mark.parametrize("pages", [None, 3, "growing"])
def test_a_server_that_ignores_the_page(echo: bool, pages: Any) -> None:
    def server(number: int) -> Page[str]:
        many = number + 1 if pages == "growing" else pages
        return Page(rows=("a", "b"), page=number if echo else 1, pages=many)

    assert walk(server) == ["a", "b"]
    assert walk(server, prefetch=4) == ["a", "b"]


@pytest.mark.acceptance(34, "moving-pages")
def test_a_server_going_in_circles_is_left_in_the_end() -> None:
    fetched: list[int] = []

    def server(number: int) -> Page[str]:
        fetched.append(number)
        return Page(rows=("a",), page=number, pages=number + 1)

    assert walk(server) == ["a"]
    assert len(fetched) == MOST_BARREN_PAGES + 1


@pytest.mark.acceptance(34, "moving-pages")
def test_a_wrong_page_number_alone_loses_no_rows() -> None:
    def server(number: int) -> Page[str]:
        return Page(rows=(f"r{number}",), page=1, pages=3)

    assert walk(server) == ["r1", "r2", "r3"]


@pytest.mark.acceptance(34, "moving-pages")
@pytest.mark.parametrize("pages", [0, None, 9])
def test_an_empty_page_is_the_end(pages: int | None) -> None:
    assert walk(lambda number: Page(rows=(), page=number, pages=pages)) == []


@pytest.mark.acceptance(34, "moving-pages")
def test_rows_are_kept_though_the_page_count_is_zero() -> None:
    assert walk(lambda number: Page(rows=("a",), page=number, pages=0)) == ["a"]


@pytest.mark.acceptance(34, "moving-pages")
def test_duplicates_within_a_page_come_once_and_rows_without_identity_always() -> None:
    assert walk(lambda number: Page(rows=("a", "a", "b"), page=1, pages=1)) == ["a", "b"]
    steps: PageWalk[str] = PageWalk(
        Listing(fetch=lambda _: None, identity=lambda _: None)  # type: ignore[arg-type, return-value]
    )
    assert steps.take(Page(rows=("a", "a"), pages=1)).rows == ("a", "a")


@pytest.mark.acceptance(34, "moving-pages")
def test_counts_that_are_text_or_nonsense_steer_nothing_wrong() -> None:
    read = list_transactions().fetch(1).read
    row = {"id": "1", "status": "success"}
    for total, expected in (
        ("50", 50),
        (50, 50),
        ("x", None),
        (-1, None),
        (None, None),
        (1.5, None),
    ):
        page = read({"status": "success", "data": [row], "pagination": {"total": total}})
        assert page.total == expected
    assert read({"status": "success", "data": [], "pagination": "none"}).pages is None
    assert read({"data": [], "pagination": {"pages": "9" * 400}}).pages is None


def inserting(rows: list[str], limit: int, waves: dict[int, int]) -> Callable[[int], Page[str]]:
    """A server that gets so many new rows at its head after it has answered a page."""
    fresh = iter(range(10_000_000))

    def server(number: int) -> Page[str]:
        page = pages_of(rows, limit)(number)
        rows[:0] = [f"new{next(fresh)}" for _ in range(waves.pop(number, 0))]
        return page

    return server


@pytest.mark.acceptance(34, "moving-pages")
@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 12),
    st.dictionaries(st.integers(1, 30), st.integers(0, 300), max_size=4),
    st.integers(1, 4),
)
def test_more_rows_inserted_than_were_given_out_move_none_in_twice(
    limit: int, waves: dict[int, int], prefetch: int
) -> None:
    originals = [f"r{number}" for number in range(200)]
    got = walk(inserting(list(originals), limit, waves), most=3_000, prefetch=prefetch)
    assert len(got) == len(set(got))
    assert [row for row in got if row.startswith("r")] == originals


@pytest.mark.acceptance(34, "moving-pages")
def test_an_hours_pause_between_two_pages_at_full_size() -> None:
    originals = [f"r{number}" for number in range(30_000)]
    # After 200 pages, 15,000 rows at once: 150 pages of rows that were given out before.
    got = walk(inserting(list(originals), 100, {200: 15_000}), most=600)
    assert got == originals


@pytest.mark.acceptance(34, "moving-pages")
def test_a_count_that_grows_without_end_ends_nevertheless() -> None:
    fetched: list[int] = []

    def server(number: int) -> Page[str]:
        fetched.append(number)
        return Page(rows=("a",), page=number, pages=number + 1, total=10**12 * number)

    assert walk(server) == ["a"]
    # One row was given out, so one page may hold nothing but rows that were moved.
    assert len(fetched) == MOST_BARREN_PAGES + 2


def test_rounds_grow_so_that_the_latency_shows_ever_less() -> None:
    steps: PageWalk[str] = PageWalk(listing(prefetch=8))
    server = pages_of([f"r{number}" for number in range(200)], 1)
    rounds = []
    while window := steps.window():
        rounds.append(len(window))
        for number in window:
            steps.take(server(number))
    assert rounds == [1, 8, 16, 32, 64, 64, 15]

    alone: PageWalk[str] = PageWalk(listing())
    alone.take(server(1))
    assert len(alone.window()) == 1
    wide: PageWalk[str] = PageWalk(listing(prefetch=100))
    wide.take(server(1))
    assert [len(wide.window()), len(wide.window())] == [100, 100]


# --- the pagers -------------------------------------------------------------------------------


@attrs.define
class FlakyServer:
    """Serves pages, and fails on given page numbers a given number of times."""

    rows: list[str]
    limit: int = 2
    failures: dict[int, int] = attrs.field(factory=dict)
    asked: list[int] = attrs.field(factory=list)

    def execute(self, operation: Operation[Page[str]]) -> Page[str]:
        number: int = operation  # type: ignore[assignment]
        self.asked.append(number)
        if self.failures.get(number, 0) > 0:
            self.failures[number] -= 1
            raise TransportError("down")
        return pages_of(self.rows, self.limit)(number)

    async def aexecute(self, operation: Operation[Page[str]]) -> Page[str]:
        return self.execute(operation)


ROWS = [f"r{number}" for number in range(9)]


@pytest.mark.acceptance(35, "failed-page")
@pytest.mark.parametrize("prefetch", [1, 2, 3, 8])
def test_a_failure_on_page_3_is_resumed_there(prefetch: int) -> None:
    server = FlakyServer(ROWS, failures={3: 1})
    pager = Pager(listing(prefetch=prefetch), server.execute)
    got: list[str] = []
    with pytest.raises(TransportError):
        for row in pager:
            got.append(row)  # noqa: PERF402 - what came before the failure must be kept
    assert got == ROWS[:4]
    assert pager.next_page == 3
    got.extend(pager)
    assert got == ROWS
    # Somebody else can go on from there, too.
    elsewhere = Pager(listing(first=3), server.execute)
    assert list(elsewhere) == ROWS[4:]


@pytest.mark.anyio
@pytest.mark.acceptance(35, "failed-page")
@pytest.mark.parametrize("prefetch", [1, 2, 3, 8])
async def test_a_failure_on_page_3_is_resumed_there_async(prefetch: int) -> None:
    server = FlakyServer(ROWS, failures={3: 1})
    pager = AsyncPager(listing(prefetch=prefetch), server.aexecute)
    got: list[str] = []
    with pytest.raises(TransportError):
        async for row in pager:
            got.append(row)  # noqa: PERF401 - what came before the failure must be kept
    assert got == ROWS[:4]
    assert pager.next_page == 3
    got.extend([row async for row in pager])
    assert got == ROWS


def test_a_pager_starts_again_after_an_end_or_a_break() -> None:
    pager = Pager(listing(), FlakyServer(ROWS).execute)
    assert list(pager) == ROWS
    assert next(iter(pager)) == "r0"
    assert list(pager) == ROWS
    assert repr(pager) == "Pager(next_page=6)"


@pytest.mark.anyio
async def test_the_first_page_costs_one_request_and_pages_go_to_the_last() -> None:
    server = FlakyServer(ROWS)
    pager = AsyncPager(listing(), server.aexecute)
    first = await pager.first_page()
    assert (first.rows, first.total, len(first)) == (("r0", "r1"), 9, 2)
    assert server.asked == [1]
    assert [list(page) async for page in pager.pages()][-1] == ["r8"]

    blocking = Pager(listing(), server.execute)
    assert blocking.first_page() == first
    assert [page.page for page in blocking.pages()] == [1, 2, 3, 4, 5]


def test_prefetch_asks_for_the_first_page_alone_and_never_past_the_last() -> None:
    server = FlakyServer(ROWS)
    assert list(Pager(listing(prefetch=3), server.execute)) == ROWS
    assert server.asked[0] == 1
    assert sorted(server.asked) == [1, 2, 3, 4, 5]


@pytest.mark.anyio
async def test_prefetch_is_concurrent_in_order_and_within_its_window() -> None:
    import anyio

    running = most = 0
    server = FlakyServer([f"r{number}" for number in range(40)])
    all_in = anyio.Event()

    async def execute(operation: Operation[Page[str]]) -> Page[str]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 4:
            all_in.set()
        if operation != 1:  # type: ignore[comparison-overlap]
            # Nobody goes on before four are under way: only true concurrency gets past this.
            with anyio.fail_after(60):
                await all_in.wait()
        running -= 1
        return server.execute(operation)

    pager = AsyncPager(listing(prefetch=4), execute)
    assert [row async for row in pager] == server.rows
    assert most == 4


def test_blocking_prefetch_is_concurrent() -> None:
    from threading import Barrier

    barrier = Barrier(4, timeout=60)
    server = FlakyServer([f"r{number}" for number in range(10)])

    def execute(operation: Operation[Page[str]]) -> Page[str]:
        if operation != 1:  # type: ignore[comparison-overlap]
            barrier.wait()
        return server.execute(operation)

    assert list(Pager(listing(prefetch=4), execute)) == server.rows


def test_nothing_is_asked_for_behind_a_failure_or_an_empty_page() -> None:
    rows = [f"r{number}" for number in range(100)]
    server = FlakyServer(rows, limit=1, failures={3: 1})
    pager = Pager(listing(prefetch=2), server.execute)
    with pytest.raises(TransportError):
        list(pager)
    assert max(server.asked) <= 4

    emptied = FlakyServer(rows[:2], limit=1)
    execute = emptied.execute

    def claims_more(operation: Operation[Page[str]]) -> Page[str]:
        return attrs.evolve(execute(operation), pages=100)

    assert list(Pager(listing(prefetch=2), claims_more)) == rows[:2]
    assert max(emptied.asked) <= 5


@pytest.mark.anyio
@pytest.mark.acceptance(34, "moving-pages")
async def test_a_page_that_overtook_the_one_before_it_is_fetched_again() -> None:
    import anyio

    rows = [f"r{number}" for number in range(12)]
    later_page_answered = anyio.Event()
    asked: list[int] = []

    async def execute(operation: Operation[Page[str]]) -> Page[str]:
        number: int = operation  # type: ignore[assignment]
        asked.append(number)
        if number == 2:
            with anyio.fail_after(60):
                await later_page_answered.wait()
        page = pages_of(rows, 2)(number)
        if number == 3 and not later_page_answered.is_set():
            # Answered before page 2; meanwhile a payment comes in and moves a row from 2 to 3.
            rows.insert(0, "new")
            later_page_answered.set()
        return page

    got = [row async for row in AsyncPager(listing(prefetch=2), execute)]
    assert got == [f"r{number}" for number in range(12)]
    assert asked.count(3) == 2


@pytest.mark.acceptance(34, "moving-pages")
def test_a_page_that_overtook_the_one_before_it_is_fetched_again_blocking() -> None:
    from threading import Event

    rows = [f"r{number}" for number in range(12)]
    later_page_answered = Event()

    def execute(operation: Operation[Page[str]]) -> Page[str]:
        number: int = operation  # type: ignore[assignment]
        if number == 2:
            assert later_page_answered.wait(60)
        page = pages_of(rows, 2)(number)
        if number == 3 and not later_page_answered.is_set():
            rows.insert(0, "new")
            later_page_answered.set()
        return page

    assert list(Pager(listing(prefetch=2), execute)) == [f"r{number}" for number in range(12)]


def test_fewer_rows_in_all_are_fetched_again_once_and_then_believed() -> None:
    server = FlakyServer([f"r{number}" for number in range(12)])

    def execute(operation: Operation[Page[str]]) -> Page[str]:
        page = server.execute(operation)
        return attrs.evolve(page, total=100 - (page.page or 0))

    assert list(Pager(listing(prefetch=3), execute)) == server.rows

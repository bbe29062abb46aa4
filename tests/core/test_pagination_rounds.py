"""The walk through pages, step by step: its rounds, its memory and where exactly it ends."""

from __future__ import annotations

from typing import Any

import pytest

from dgspay.core.pagination import MOST_BARREN_PAGES, Listing, Page, PageWalk
from dgspay.core.seen_rows import SeenRows
from tests.core.test_pagination import listing


def walk(**options: Any) -> PageWalk[str]:
    return PageWalk(listing(**options))


def page(*rows: str, **counts: int | None) -> Page[str]:
    return Page(rows=rows, **counts)


def taken(steps: PageWalk[str], *pages: Page[str]) -> list[tuple[str, ...]]:
    return [steps.take(each).rows for each in pages]


def test_a_walk_begins_before_its_first_page() -> None:
    for first in (1, 7):
        steps = walk(first=first, prefetch=5)
        assert (steps.next_page, steps.finished) == (first, False)
        # Nothing is known of how many pages there are, so one is asked for alone.
        assert list(steps.window()) == [first]


def test_a_page_is_its_rows() -> None:
    assert (len(page("a", "b")), list(page("a", "b"))) == (2, ["a", "b"])
    assert page() == Page(rows=(), page=None, limit=None, total=None, pages=None)


def test_what_is_given_out_is_the_page_with_its_counts() -> None:
    steps = walk()
    first = page("a", "b", page=1, limit=2, total=3, pages=2)
    assert steps.take(first) == first
    again = page("b", "c", page=2, limit=2, total=4, pages=2)
    assert steps.take(again) == page("c", page=2, limit=2, total=4, pages=2)


@pytest.mark.acceptance(34, "moving-pages")
@pytest.mark.parametrize(
    ("pages", "windows"),
    [
        (1, []),
        (2, [[2]]),
        (3, [[2, 3]]),
        (4, [[2, 3], [4]]),
        (9, [[2, 3], [4, 5, 6, 7], [8, 9]]),
    ],
)
def test_a_round_never_goes_past_the_last_page(pages: int, windows: list[list[int]]) -> None:
    steps = walk(prefetch=2)
    steps.take(page("r1", page=1, pages=pages))
    asked = []
    while window := steps.window():
        asked.append(list(window))
        for number in window:
            steps.take(page(f"r{number}", page=number, pages=pages))
    assert asked == windows
    assert steps.finished
    assert steps.next_page == pages + 1


@pytest.mark.acceptance(34, "moving-pages")
def test_where_a_page_says_nothing_of_pages_the_next_is_asked_for_alone() -> None:
    steps = walk(prefetch=3)
    taken(steps, page("a", page=1, pages=5), page("b", page=2, pages=None))
    assert list(steps.window()) == [3]


@pytest.mark.parametrize(
    ("prefetch", "rounds"),
    [
        (1, [1, 1, 1, 1, 1]),
        (2, [2, 4, 8, 16, 32, 64, 64]),
        (33, [33, 64, 64]),
        (64, [64, 64]),
        (65, [65, 65]),
    ],
)
def test_rounds_double_up_to_64_pages(prefetch: int, rounds: list[int]) -> None:
    steps = walk(prefetch=prefetch)
    steps.take(page("r1", page=1, pages=10_000))
    assert [len(steps.window()) for _ in rounds] == rounds


@pytest.mark.acceptance(34, "moving-pages")
@pytest.mark.parametrize(
    ("before", "later", "overtook"),
    [(12, 11, True), (12, 12, False), (12, 13, False), (None, 1, False), (1, None, False)],
)
def test_fewer_rows_than_before_within_a_round_overtook(
    before: int | None, later: int | None, overtook: bool
) -> None:
    steps = walk(prefetch=2)
    steps.take(page("a", page=1, pages=9, total=12))
    steps.window()
    # The first page of a round was asked for after the one before it was taken.
    assert not steps.overtook(page("b", page=2, pages=9, total=1))
    steps.take(page("b", page=2, pages=9, total=before))
    assert steps.overtook(page("c", page=3, pages=9, total=later)) is overtook


@pytest.mark.acceptance(34, "moving-pages")
@pytest.mark.parametrize(
    ("pages", "finished"), [(None, False), (1, True), (2, True), (3, False), (0, True)]
)
def test_the_last_page_is_the_one_the_server_names(pages: int | None, finished: bool) -> None:
    steps = walk(first=2)
    steps.take(page("a", page=2, pages=pages))
    assert steps.finished is finished
    assert steps.next_page == 3
    assert bool(steps.window()) is not finished


@pytest.mark.acceptance(34, "moving-pages")
@pytest.mark.parametrize(
    ("echoed", "pages", "finished"),
    [(2, 9, False), (1, 9, True), (3, 9, True), (None, 9, True), (2, None, True)],
)
def test_a_page_of_known_rows_ends_the_walk_where_it_is_not_the_page_asked_for(
    echoed: int | None, pages: int | None, finished: bool
) -> None:
    steps = walk()
    steps.take(page("a", page=1, pages=pages))
    assert steps.take(page("a", page=echoed, pages=pages)).rows == ()
    assert steps.finished is finished


def barren_pages(total: int | None, limit: int, given: int, before: int | None = 0) -> int:
    """How many pages of known rows in a row a walk takes before it ends."""
    steps = walk()
    rows = [f"r{number}" for number in range(given)]
    steps.take(page(*rows, page=1, pages=10_000, total=before))
    count = 0
    while not steps.finished:
        number = steps.next_page
        steps.take(page(*rows[:limit], page=number, pages=10_000, total=total))
        count += 1
        # What the server says of its rows later on changes nothing.
        total = 10**9
    return count


@pytest.mark.acceptance(34, "moving-pages")
@pytest.mark.parametrize(
    ("total", "limit", "given", "more"),
    [
        (None, 1, 5, 0),
        (0, 1, 5, 0),
        (1, 1, 5, 1),
        (3, 1, 5, 3),
        (5, 1, 5, 5),
        (6, 1, 5, 5),
        (5, 2, 5, 2),
        (-3, 1, 5, 0),
    ],
)
def test_so_many_more_barren_pages_are_taken_as_were_moved_by_insertions(
    total: int | None, limit: int, given: int, more: int
) -> None:
    assert barren_pages(total, limit, given) == MOST_BARREN_PAGES + more
    assert barren_pages(total, limit, given, before=None) == MOST_BARREN_PAGES + more


@pytest.mark.acceptance(34, "moving-pages")
def test_only_what_was_inserted_since_the_page_before_moves_rows() -> None:
    assert barren_pages(8, 1, 9, before=5) == MOST_BARREN_PAGES + 3


@pytest.mark.acceptance(34, "moving-pages")
def test_one_new_row_begins_the_count_of_barren_pages_anew() -> None:
    steps = walk()
    steps.take(page("a", page=1, pages=10_000))
    for again in range(2):
        for _ in range(MOST_BARREN_PAGES - 1):
            steps.take(page("a", page=steps.next_page, pages=10_000))
        assert not steps.finished
        steps.take(page(f"new{again}", "a", page=steps.next_page, pages=10_000))
    assert not steps.finished


def test_a_finished_walk_asks_for_nothing() -> None:
    steps = walk(prefetch=4)
    steps.take(page())
    assert (steps.finished, steps.next_page, list(steps.window())) == (True, 2, [])


def test_a_row_without_an_identity_is_always_new() -> None:
    some: Listing[str] = Listing(
        fetch=listing().fetch, identity=lambda row: None if row == "?" else row
    )
    steps = PageWalk(some)
    given = taken(steps, page("?", "a", "?", pages=2), page("a", "?", page=2, pages=2))
    assert given == [("?", "a", "?"), ("?",)]


@pytest.mark.acceptance(34, "moving-pages")
@pytest.mark.parametrize(
    "counts",
    [{}, {"page": 1}, {"page": 1, "pages": 9}, {"pages": None, "page": 2}],
    ids=["none", "no pages", "the first page", "a page of none"],
)
def test_a_server_that_ignores_the_page_ends_though_its_rows_have_no_identity(
    counts: dict[str, int | None],
) -> None:
    steps: PageWalk[str] = PageWalk(Listing(fetch=listing().fetch, identity=lambda _: None))
    assert taken(steps, page("?", "!", **counts), page("?", "!", **counts)) == [("?", "!"), ()]
    assert steps.finished


def test_a_page_that_is_named_may_look_like_the_one_before() -> None:
    steps: PageWalk[str] = PageWalk(Listing(fetch=listing().fetch, identity=lambda _: None))
    assert taken(steps, page("?", page=1, pages=3), page("?", page=2, pages=3)) == [("?",)] * 2
    assert not steps.finished


# --- the memory of rows ---------------------------------------------------------------------


@pytest.mark.acceptance(34, "moving-pages")
def test_rows_are_forgotten_by_generations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dgspay.core.seen_rows.REMEMBERED_ROWS", 3)
    rows = SeenRows()
    assert [rows.add(name) for name in "abcabc"] == [True] * 3 + [False] * 3
    assert len(rows) == 3
    # The fourth begins a new generation; the first three are still known.
    assert [rows.add(name) for name in "dabc"] == [True, False, False, False]
    assert len(rows) == 4
    assert [rows.add(name) for name in "ef"] == [True, True]
    assert len(rows) == 6
    # The seventh begins another, and the oldest three are gone.
    assert [rows.add(name) for name in "gdefa"] == [True, False, False, False, True]
    assert len(rows) == 5

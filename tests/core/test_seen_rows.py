"""The memory of rows given out: exact, small, and bounded."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgspay.core import seen_rows
from dgspay.core.seen_rows import SeenRows


@pytest.mark.acceptance(34, "moving-pages")
@settings(deadline=None)
@given(st.lists(st.text(max_size=3), max_size=300))
def test_it_knows_what_came_before_like_a_set(identities: list[str]) -> None:
    rows, known = SeenRows(), set[str]()
    for identity in identities:
        assert rows.add(identity) is (identity not in known)
        known.add(identity)
    assert len(rows) == len(known)


def test_half_a_surrogate_pair_is_an_identity_like_any_other() -> None:
    rows = SeenRows()
    assert rows.add("\ud800")
    assert not rows.add("\ud800")


def test_a_mark_across_two_others_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    generation = seen_rows._Generation()
    generation.add(0, b"abcdef")
    generation.add(0, b"ghijkl")
    assert not generation.has(0, b"defghi")
    assert not generation.has(1, b"abcdef")
    generation.add(0, b"defghi")
    assert generation.has(0, b"defghi")
    assert generation.has(0, b"ghijkl")


@pytest.mark.acceptance(34, "moving-pages")
@pytest.mark.parametrize(
    ("marks", "known"),
    [
        ((b"xabcde", b"fxxxxx"), False),
        ((b"xxxxxa", b"bcdefx"), False),
        ((b"abcdef", b"xxxabc", b"defxxx"), True),
        ((b"xxxabc", b"defxxx", b"abcdef", b"xxxabc", b"defxxx"), True),
        ((b"xxxabc", b"defabc", b"defxxx"), False),
    ],
)
def test_a_mark_is_found_where_it_stands_by_itself_and_only_there(
    marks: tuple[bytes, ...], known: bool
) -> None:
    generation = seen_rows._Generation()
    for mark in marks:
        generation.add(0, mark)
    assert generation.has(0, b"abcdef") is known


@pytest.mark.acceptance(34, "moving-pages")
def test_a_mark_that_begins_right_after_a_false_one_is_found() -> None:
    generation = seen_rows._Generation()
    generation.add(0, b"xxxxxa")
    generation.add(0, b"aaaaaa")
    assert generation.has(0, b"aaaaaa")


@pytest.mark.acceptance(34, "moving-pages")
def test_a_shift_by_fifty_thousand_rows_is_still_seen_through() -> None:
    rows = SeenRows()
    identities = [f"transaction-{number}" for number in range(50_000)]
    assert all(map(rows.add, identities))
    assert not any(map(rows.add, identities))


def test_a_row_takes_few_bytes() -> None:
    count = 20_000
    tracemalloc.start()
    try:
        rows = SeenRows()
        for number in range(count):
            rows.add(f"0195f5b2-0000-7000-8000-{number:012d}")
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Six each and the buckets, which show less the more rows there are. A set takes 150.
    assert size < 40 * count


def test_rows_are_spread_over_the_buckets_so_that_one_is_found_soon() -> None:
    rows = SeenRows()
    for number in range(8_192):
        rows.add(f"dgs_{number}")
    marks = rows._young._marks
    # By chance one bucket in e squared stays empty; the fullest has a few times its share of two.
    assert 3_400 < len(marks) <= 4_096
    assert max(map(len, marks.values())) < 6 * 20


def test_memory_is_bounded_by_two_generations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen_rows, "REMEMBERED_ROWS", 10)
    rows = SeenRows()
    for number in range(1_000):
        assert rows.add(f"{number}")
        assert len(rows) <= 20
        # What came within the last ten is always known.
        assert not any(rows.add(f"{earlier}") for earlier in range(max(0, number - 9), number + 1))

"""The search index finds what a look at every text would find."""

from __future__ import annotations

import random

from dgspay.emulator.domain.search_index import SearchIndex, places_in


def test_a_search_finds_the_texts_with_each_of_its_words_in_any_case() -> None:
    index = SearchIndex()
    for text in ("Jane Doe 2000 RWF", "JANE Uwase\n500 RWF", "John Doe 2000 USD"):
        index.add(text)
    blocks = index.blocks()
    assert places_in(blocks, "jane") == [0, 1]
    assert places_in(blocks, "2000 doe") == [0, 2]
    assert places_in(blocks, "UWASE 500") == [1]
    assert places_in(blocks, "nobody") == []
    assert places_in(blocks, "  ") == [0, 1, 2]


def test_a_search_over_many_blocks_is_a_look_at_every_text() -> None:
    chance = random.Random("search")
    texts = [f"{chance.randrange(10_000)} {chance.choice('abc')}" for _ in range(3_210)]
    index = SearchIndex()
    for text in texts:
        index.add(text)
    for search in ("7", "a", "99 b", "1 2", ""):
        wanted = [p for p, t in enumerate(texts) if all(w in t for w in search.split())]
        assert places_in(index.blocks(), search) == wanted


def test_blocks_once_taken_do_not_grow() -> None:
    index = SearchIndex()
    assert index.blocks() == ()
    index.add("one")
    taken = index.blocks()
    index.add("two")
    assert places_in(taken, "") == [0]

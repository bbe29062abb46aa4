"""Index of short texts: which of a hundred thousand have some words in them, in milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_LINES_IN_A_BLOCK: Final = 1_000


class SearchIndex:
    """Texts in the order in which they came, many to a block of lines.

    A block without a word is passed over by one look at one long string, which also takes half the
    memory of a string for each text.
    """

    def __init__(self) -> None:
        self._closed: tuple[str, ...] = ()
        self._open: list[str] = []

    def add(self, text: str) -> None:
        """Add the next text."""
        self._open.append(text.lower().replace("\n", " "))
        if len(self._open) == _LINES_IN_A_BLOCK:
            self._closed += ("\n".join(self._open),)
            self._open = []

    def blocks(self) -> Sequence[str]:
        """Return the texts added so far as blocks of lines, to search while others are added."""
        return (*self._closed, "\n".join(self._open)) if self._open else self._closed


def places_in(blocks: Sequence[str], search: str) -> list[int]:
    """Return the places of the texts that have each word of a search in them, in any case.

    Args:
        blocks: From `SearchIndex.blocks`; its first text has the place 0.
        search: Words with space between them; without any, every text is found.
    """
    # The longest word is in the fewest texts.
    first, *others = sorted(search.lower().split(), key=len, reverse=True) or [""]
    found: list[int] = []
    for number, block in enumerate(blocks):
        if first not in block:
            continue
        lines = block.split("\n")
        places = [place for place, line in enumerate(lines) if first in line]
        for word in others:
            places = [place for place in places if word in lines[place]]
        start = number * _LINES_IN_A_BLOCK
        found += [start + place for place in places]
    return found

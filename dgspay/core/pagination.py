"""Pages as values, and the walk through them: which to fetch next and which rows are new.

Rows are inserted at the head while somebody pages, so each insertion moves a row that was
already seen on to the next page. The walk remembers the last rows it gave out and drops them
when they come again. It ends at the last page the server names, at an empty page, or where
the server repeats itself; it never trusts a count to be the same on the next page.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import attrs

from dgspay.core.operation import Operation

T = TypeVar("T")

# Rows inserted between two fetches before one could be given out twice. Enough for a hundred
# full pages, and no more than a few megabytes.
REMEMBERED_ROWS = 10_000

# Pages in a row without one new row, after which the server can only be going in circles.
MOST_BARREN_PAGES = 100


@attrs.frozen(kw_only=True)
class Page(Generic[T]):
    """One page of a list.

    Attributes:
        rows: Its rows, in the server's order.
        page: The number the server gives it, from 1; None where it gives none.
        limit: Rows per page.
        total: Rows in all, as of this page.
        pages: Pages in all, as of this page.
    """

    rows: tuple[T, ...]
    page: int | None = None
    limit: int | None = None
    total: int | None = None
    pages: int | None = None

    def __iter__(self) -> Iterator[T]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


@attrs.frozen(kw_only=True)
class Listing(Generic[T]):
    """A list that is fetched page by page.

    Attributes:
        fetch: The operation that fetches a page of a given number.
        identity: What makes a row the same row on another page; None if it has nothing.
        first: The page to begin with.
        prefetch: How many pages to fetch at once.
    """

    fetch: Callable[[int], Operation[Page[T]]]
    identity: Callable[[T], str | None]
    first: int = 1
    prefetch: int = 1


class PageWalk(Generic[T]):
    """The state of one walk through a listing: sans-I/O, so that both clients share it."""

    def __init__(self, listing: Listing[T]) -> None:
        self._listing = listing
        self._remembered: set[str] = set()
        self._order: deque[str] = deque()
        self._barren = 0
        self._pages: int | None = None
        self.next_page = listing.first
        """The page that comes next; after a failure, the page that failed."""
        self.finished = False
        """Whether there is nothing more to fetch."""

    def window(self) -> range:
        """Return the numbers of the pages to fetch now; all of them may be fetched at once."""
        if self.finished:
            return range(0)
        # How many pages there are is known from the first on; before, one is fetched alone.
        size = 1 if self._pages is None else self._listing.prefetch
        end = self.next_page + size
        if self._pages is not None:
            end = min(end, self._pages + 1)
        return range(self.next_page, max(end, self.next_page + 1))

    def take(self, page: Page[T]) -> Page[T]:
        """Accept the next page in order and return it with only the rows not given out yet."""
        fresh = tuple(row for row in page.rows if self._is_new(row))
        self._barren = 0 if fresh else self._barren + 1
        self._pages = page.pages
        at_end = page.pages is not None and self.next_page >= page.pages
        self.finished = not page.rows or at_end or self._repeats(page)
        self.next_page += 1
        return attrs.evolve(page, rows=fresh)

    def _repeats(self, page: Page[T]) -> bool:
        """Whether the server ignores the page it is asked for.

        A page without a new row is no proof: as many rows may have been inserted at the head.
        It is one where the server says that it is another page, or says nothing of pages.
        """
        if not self._barren:
            return False
        ignored = page.page != self.next_page or page.pages is None
        return ignored or self._barren >= MOST_BARREN_PAGES

    def _is_new(self, row: T) -> bool:
        identity = self._listing.identity(row)
        if identity is None:
            return True
        if identity in self._remembered:
            return False
        self._remembered.add(identity)
        self._order.append(identity)
        if len(self._order) > REMEMBERED_ROWS:
            self._remembered.discard(self._order.popleft())
        return True

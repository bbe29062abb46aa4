"""Pages as values, and the walk through them: which to fetch next and which rows are new.

Rows are inserted at the head during a walk, so each insertion moves a row that was
already seen on to the next page. The walk remembers what it gave out (`dgspay.core.seen_rows`) and
drops it when it comes again. It ends at the last page the server names, at an empty page, or
where the server repeats itself; it never trusts a count to be the same on the next page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import attrs

from dgspay.core.operation import Operation
from dgspay.core.seen_rows import SeenRows

T = TypeVar("T")

# Pages in a row without one new row, beyond those that were moved here by insertions, after which
# the server can only be going in circles.
MOST_BARREN_PAGES = 100

# A round is fetched as a whole before its first page is given out. The more pages it has, the
# less the next one's latency shows; the first rounds are small, for those who want few rows.
_LONGEST_ROUND = 64


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
        prefetch: How many pages to fetch at once; `PageWalk.window` says how far ahead.
    """

    fetch: Callable[[int], Operation[Page[T]]]
    identity: Callable[[T], str | None]
    first: int = 1
    prefetch: int = 1


class PageWalk(Generic[T]):
    """The state of one walk through a listing: sans-I/O, so that both clients share it."""

    def __init__(self, listing: Listing[T]) -> None:
        self._listing = listing
        self._seen = SeenRows()
        self._barren = 0
        self._most_barren = MOST_BARREN_PAGES
        self._rows: tuple[T, ...] = ()
        self._pages: int | None = None
        self._total: int | None = None
        self._round = listing.prefetch
        self._round_began = listing.first
        self.next_page = listing.first
        """The page that comes next; after a failure, the page that failed."""
        self.finished = False
        """Whether there is nothing more to fetch."""

    def window(self) -> range:
        """Return the numbers of the pages to fetch now, `prefetch` of them at once.

        There are `prefetch` of them at first, and then more from round to round, up to 64.
        """
        if self.finished:
            return range(0)
        self._round_began = self.next_page
        # How many pages there are is known from the first on; before, one is fetched alone.
        size = 1 if self._pages is None else self._next_round()
        end = self.next_page + size
        if self._pages is not None:
            end = min(end, self._pages + 1)
        return range(self.next_page, max(end, self.next_page + 1))

    def _next_round(self) -> int:
        prefetch, size = self._listing.prefetch, self._round
        if prefetch > 1:
            self._round = max(prefetch, min(2 * size, _LONGEST_ROUND))
        return size

    def overtook(self, page: Page[T]) -> bool:
        """Return whether the next page was fetched before the last, and must be fetched again.

        Of pages that are fetched at once, a later one may be answered first. If rows were
        inserted in between, those that they moved from one page to the other are on neither.
        """
        if self.next_page == self._round_began or page.total is None or self._total is None:
            return False
        return page.total < self._total

    def take(self, page: Page[T]) -> Page[T]:
        """Accept the next page in order and return it with only the rows not given out yet."""
        fresh = tuple([row for row in page.rows if self._is_new(row)])
        if page.rows == self._rows and self._is_not_named(page):
            fresh = ()  # rows without an identity do not show by themselves that they came before
        self._rows = page.rows
        self._count_barren(page, fresh)
        self._pages, self._total = page.pages, page.total
        at_end = page.pages is not None and self.next_page >= page.pages
        self.finished = not page.rows or at_end or self._repeats(page)
        self.next_page += 1
        return attrs.evolve(page, rows=fresh)

    def _count_barren(self, page: Page[T], fresh: tuple[T, ...]) -> None:
        if fresh or not page.rows:
            self._barren = 0
            return
        self._barren += 1
        if self._barren == 1:
            # So many rows were inserted since the page before, and they moved at most what was
            # given out on to the pages that come now.
            inserted = (page.total or 0) - (self._total or 0)
            moved = max(0, min(inserted, len(self._seen)))
            self._most_barren = MOST_BARREN_PAGES + moved // len(page.rows)

    def _repeats(self, page: Page[T]) -> bool:
        """Return whether the server ignores the page it is asked for.

        A page without a new row is no proof: as many rows may have been inserted at the head.
        It is one where the server says that it is another page, or says nothing of pages.
        """
        if not self._barren:
            return False
        return self._is_not_named(page) or self._barren >= self._most_barren

    def _is_not_named(self, page: Page[T]) -> bool:
        """Return whether the server says that it is another page, or says nothing of pages."""
        return page.page != self.next_page or page.pages is None

    def _is_new(self, row: T) -> bool:
        identity = self._listing.identity(row)
        return identity is None or self._seen.add(identity)

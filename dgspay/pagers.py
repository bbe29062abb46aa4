"""Pagers: returned by `list` at once, they fetch pages as they are iterated."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar

from dgspay.core.pagination import Listing, Page, PageWalk
from dgspay.errors import DGSPayError
from dgspay.forks import new_lock, undivided

if TYPE_CHECKING:
    from dgspay.core.operation import Operation

T = TypeVar("T")


class _Walker(Generic[T]):
    """State that both pagers share: the walk in progress, and its position."""

    def __init__(self, listing: Listing[T]) -> None:
        self._listing = listing
        self._walk = PageWalk(listing)
        self._is_broken_off = False

    @property
    def next_page(self) -> int:
        """The page that comes next; after a failure, the page that failed.

        Keep it to go on in another process: `list(page=...)`.
        """
        return self._walk.next_page

    def _begin(self) -> PageWalk[T]:
        """Start from the beginning, or go on at the page that failed."""
        if not self._is_broken_off:
            self._walk = PageWalk(self._listing)
        self._is_broken_off = False
        return self._walk

    def break_off(self, walk: PageWalk[T]) -> None:
        """Remember where a walk ended too early, by an error or by a cancellation, say."""
        self._walk, self._is_broken_off = walk, True

    def take(self, walk: PageWalk[T], fetched: Page[T] | DGSPayError) -> Page[T] | None:
        """Accept a page that was fetched, or raise what came in its place.

        Returns None where the page, and what lies behind it, has to be fetched again.
        """
        if isinstance(fetched, DGSPayError):
            self.break_off(walk)
            raise fetched
        if walk.overtook(fetched):
            return None
        if self._walk is walk:  # which may have been broken off, and goes on
            self._is_broken_off = False
        return walk.take(fetched)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(next_page={self.next_page})"


class _Round(Generic[T]):
    """Pages that are fetched in order, several at once, until all are here or one is the end."""

    def __init__(self, window: range) -> None:
        self._waiting = deque(window)
        self._fetched: dict[int, Page[T] | DGSPayError] = {}

    def next(self) -> int | None:
        """Return the page to fetch next, if there is one."""
        try:
            return self._waiting.popleft()
        except IndexError:
            return None

    def put(self, number: int, fetched: Page[T] | DGSPayError) -> None:
        """Keep what came. Nothing is asked for behind a failure or an empty page."""
        self._fetched[number] = fetched
        if isinstance(fetched, DGSPayError) or not fetched.rows:
            self._waiting.clear()

    def in_order(self) -> deque[Page[T] | DGSPayError]:
        """Return all that came. As pages are begun in order, none is missing in between."""
        return deque(fetched for _, fetched in sorted(self._fetched.items()))


class AsyncPager(_Walker[T]):
    """A list of the API, fetched page by page while it is walked through.

    `async for row in pager` walks from the beginning each time it is used, and several may walk
    at once. Workers that take rows from one `aiter(pager)` or `pager.pages()` share one walk: each
    row goes to one of them. After an error the next walk goes on at the page that failed: nothing
    comes twice, nothing is left out.
    """

    def __init__(
        self,
        listing: Listing[T],
        execute: Callable[[Operation[Page[T]]], Awaitable[Page[T]]],
    ) -> None:
        super().__init__(listing)
        self._execute = execute

    def __aiter__(self) -> AsyncIterator[T]:
        return _AsyncRows(self.pages())

    if not TYPE_CHECKING:  # a type checker rejects them, and Python would not say what to do

        def __await__(self) -> NoReturn:
            raise TypeError(
                "a list is not awaited: write `async for row in ...`, or `await ....first_page()`"
            )

        def __getitem__(self, index: object) -> NoReturn:
            # `for` asks for it, and, unlike `__iter__`, it makes nothing of this an Iterable.
            raise TypeError("a list of AsyncDGSPay is walked with `async for row in ...`")

    def pages(self) -> AsyncIterator[Page[T]]:
        """Walk page by page; rows that were given out before are dropped from a page."""
        return _AsyncPages(self, self._begin())

    async def first_page(self) -> Page[T]:
        """Fetch the page the list begins with, and nothing else."""
        return await self._execute(self._listing.fetch(self._listing.first))

    async def fetch_round(self, window: range) -> deque[Page[T] | DGSPayError]:
        """Fetch pages, `prefetch` of them at once, and return them in order."""
        this: _Round[T] = _Round(window)

        async def work() -> None:
            while (number := this.next()) is not None:
                this.put(number, await self._fetch(number))

        at_once = min(len(window), self._listing.prefetch)
        if at_once == 1:
            await work()
            return this.in_order()
        with undivided:
            import anyio  # noqa: PLC0415 - only a prefetching pager needs it

        # The group begins and ends within this call: no task is left behind by a `break`.
        async with anyio.create_task_group() as group:
            for _ in range(at_once):
                group.start_soon(work)
        return this.in_order()

    async def _fetch(self, number: int) -> Page[T] | DGSPayError:
        try:
            return await self._execute(self._listing.fetch(number))
        except DGSPayError as error:
            return error


class _Course(Generic[T]):
    """Position of one walk: its pages that were fetched and not yielded yet."""

    def __init__(self, pager: _Walker[T], walk: PageWalk[T]) -> None:
        self._pager = pager
        self._walk = walk
        self._fetched: deque[Page[T] | DGSPayError] = deque()

    def window(self) -> range | None:
        """Return the pages to fetch before there is one to take: empty at the end."""
        return None if self._fetched else self._walk.window()

    def put(self, fetched: deque[Page[T] | DGSPayError]) -> None:
        """Keep what was fetched."""
        self._fetched = fetched

    def break_off(self) -> None:
        """Remember that fetching ended the walk too early, by a cancellation or Ctrl-C, say."""
        self._pager.break_off(self._walk)

    def take(self) -> Page[T] | None:
        """Take the next page, or raise what came in its place; None where it has to come again."""
        page = None
        try:
            page = self._pager.take(self._walk, self._fetched.popleft())
        finally:
            # What lies behind a page that failed or has to come again is fetched again, too.
            if page is None or self._walk.finished:
                self._fetched.clear()
        return page


class _AsyncPages(AsyncIterator[Page[T]]):
    """The pages of one walk.

    An object and not an asynchronous generator: a `break` in the middle of one would leave it
    to the garbage collector, which trio warns of, and workers could not share it.
    """

    def __init__(self, pager: AsyncPager[T], walk: PageWalk[T]) -> None:
        self._pager = pager
        self._course = _Course(pager, walk)
        self._turn = _async_turn()

    async def __anext__(self) -> Page[T]:
        # One at a time: two that fetch the next page would both get it, and the walk would take
        # the second one for the page behind it.
        async with self._turn:
            page = None
            while page is None:
                window = self._course.window()
                if window is not None:
                    if not window:
                        raise StopAsyncIteration
                    await self._fetch(window)
                page = self._course.take()
            return page

    async def _fetch(self, window: range) -> None:
        try:
            self._course.put(await self._pager.fetch_round(window))
        except BaseException:
            self._course.break_off()
            raise


class _AsyncRows(AsyncIterator[T]):
    """The rows of the pages of one walk."""

    def __init__(self, pages: AsyncIterator[Page[T]]) -> None:
        self._pages = pages
        self._rows: Iterator[T] = iter(())
        self._turn = _async_turn()

    async def __anext__(self) -> T:
        for row in self._rows:
            return row
        async with self._turn:  # or each would drop the rows of the page another one fetched
            while True:
                for row in self._rows:
                    return row
                self._rows = iter(await anext(self._pages))


def _async_turn() -> AbstractAsyncContextManager[object]:
    import anyio  # noqa: PLC0415 - as in `fetch_round`

    return anyio.Lock(fast_acquire=True)


class Pager(_Walker[T]):
    """The same as `AsyncPager`, for blocking code: `for row in pager`.

    Threads that take rows from one `iter(pager)` or `pager.pages()` share one walk.
    """

    def __init__(
        self, listing: Listing[T], execute: Callable[[Operation[Page[T]]], Page[T]]
    ) -> None:
        super().__init__(listing)
        self._execute = execute

    def __iter__(self) -> Iterator[T]:
        return _Rows(self.pages())

    def pages(self) -> Iterator[Page[T]]:
        """Walk page by page; rows that were given out before are dropped from a page."""
        return _Pages(self, self._begin())

    def first_page(self) -> Page[T]:
        """Fetch the page the list begins with, and nothing else."""
        return self._execute(self._listing.fetch(self._listing.first))

    def fetch_round(self, window: range) -> deque[Page[T] | DGSPayError]:
        """Fetch pages, `prefetch` of them at once, and return them in order."""
        this: _Round[T] = _Round(window)

        def work() -> None:
            while (number := this.next()) is not None:
                this.put(number, self._fetch(number))

        at_once = min(len(window), self._listing.prefetch)
        if at_once == 1:
            work()
            return this.in_order()
        with undivided:
            from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - as above

        with ThreadPoolExecutor(at_once, thread_name_prefix="dgspay-pages") as pool:
            working = [pool.submit(work) for _ in range(at_once)]
        for worker in working:
            worker.result()
        return this.in_order()

    def _fetch(self, number: int) -> Page[T] | DGSPayError:
        try:
            return self._execute(self._listing.fetch(number))
        except DGSPayError as error:
            return error


class _Pages(Iterator[Page[T]]):
    """Blocking counterpart of `_AsyncPages`."""

    def __init__(self, pager: Pager[T], walk: PageWalk[T]) -> None:
        self._pager = pager
        self._course = _Course(pager, walk)
        self._turn = _Turn()

    def __next__(self) -> Page[T]:
        return self._turn.take(self._next)

    def _next(self) -> Page[T]:
        page = None
        while page is None:
            window = self._course.window()
            if window is not None:
                if not window:
                    raise StopIteration
                self._fetch(window)
            page = self._course.take()
        return page

    def _fetch(self, window: range) -> None:
        try:
            self._course.put(self._pager.fetch_round(window))
        except BaseException:
            self._course.break_off()
            raise


class _Rows(Iterator[T]):
    """Blocking counterpart of `_AsyncRows`."""

    def __init__(self, pages: Iterator[Page[T]]) -> None:
        self._pages = pages
        self._rows: Iterator[T] = iter(())
        self._turn = _Turn()

    def __next__(self) -> T:
        for row in self._rows:
            return row
        return self._turn.take(self._next)

    def _next(self) -> T:
        while True:
            for row in self._rows:
                return row
            self._rows = iter(next(self._pages))


class _Turn:
    """Lets threads advance a walk one after the other."""

    def __init__(self) -> None:
        self._lock = new_lock()
        self._taker = 0

    def take(self, step: Callable[[], T]) -> T:
        """Take a step of the walk, when those that came before have taken theirs."""
        if self._taker == threading.get_ident():  # it would wait for itself
            raise RuntimeError(
                "a hook or signal handler takes from the iterator of a pager that this thread is "
                "taking from at this moment: walk with an iterator of its own"
            )
        with self._lock:
            self._taker = threading.get_ident()
            try:
                return step()
            finally:
                self._taker = 0

"""The progress of a run: two live lines on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager

import anyio
from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from dgspay.cli.terminal import console
from dgspay.errors import DGSPayError
from dgspay.payouts import Counts, Evidence, Learned, Payout, State

_SECONDS_BETWEEN_LINES = 5.0
_FRAMES_A_SECOND = 5.0
_SECONDS_BETWEEN_COUNTS = 1.0
# Counting a million rows takes a while: no more than this share of the time.
_SHARE_OF_COUNTING = 0.05


class Progress:
    """Progress of a run: results counted as they come, or the ledger's own counts.

    Args:
        left: Payouts that are still to be sent; None where that is unknown, as in `work`.
        monotonic: Seconds that never run backwards.
    """

    def __init__(self, left: int | None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._began = monotonic()
        self._total = left or 0
        self._is_endless = left is None
        self._accepted = self._failed = self._in_doubt = self._unsent = 0
        self._until: float | None = None
        self._is_over = False
        self._counts: Counts | None = None
        self._was_open: int | None = None

    def on_result(self, _payout: Payout, evidence: Evidence) -> None:
        """Count one payout that was sent here."""
        match evidence.learned:
            case Learned.ACCEPTED:
                self._accepted += 1
            case Learned.REFUSED:
                self._failed += 1
            case Learned.LOST:
                self._in_doubt += 1
            case _:
                self._unsent += 1

    def on_counts(self, counts: Counts) -> None:
        """Take what the ledger counts, whichever machine it was paid by."""
        self._counts = counts
        if self._was_open is None:
            self._was_open = counts.count(State.NEW, State.IN_DOUBT)

    def settle(self, within: float) -> None:
        """All is sent; from now on it is looked up how the payouts ended."""
        self._until = self._monotonic() + within
        self._counts = None

    def end(self, counts: Counts) -> None:
        """Take the last counts: nothing more comes."""
        self.on_counts(counts)
        self._is_over = True

    @property
    def _is_settling(self) -> bool:
        return self._until is not None

    @property
    def done(self) -> int:
        """How many are done of what this phase is about."""
        if self._counts is not None and self._is_settling:
            return self._counts.count(State.CONFIRMED, State.FAILED)
        if self._counts is not None:
            return (self._was_open or 0) - self._counts.count(State.NEW, State.IN_DOUBT)
        return self._accepted + self._failed + self._in_doubt

    @property
    def total(self) -> int:
        """How many there are of what this phase is about."""
        if self._counts is not None and self._is_settling:
            return self._counts.count(*State)
        return self._total if self._was_open is None else self._was_open

    @property
    def title(self) -> str:
        """What is being done."""
        return "Settling" if self._is_settling else "Paying"

    @property
    def how_far(self) -> str:
        """How many are done, of how many where that is known."""
        return f"{self.done:,}" if self._is_endless else f"{self.done:,} of {self.total:,}"

    def words(self) -> Text:
        """Return everything but the bar."""
        if self._until is not None:
            time_left = span(max(self._until - self._monotonic(), 0))
            return self._figures([] if self._is_over else [f"up to {time_left} more"])
        rate = self.done / max(self._monotonic() - self._began, 0.001)
        if self._is_endless:
            return self._figures([f"{rate:,.0f}/s"])
        left = span(max(self.total - self.done, 0) / max(rate, 0.001)) if self.done else "-:--"
        return self._figures([f"{rate:,.0f}/s", f"{left} left"])

    def _figures(self, times: list[str]) -> Text:
        figures = [
            Text(f"{name} {count:,}", style if count else "")
            for name, count, style in self._tally()
            if count is not None
        ]
        return Text("  ").join([*map(Text, times), *figures])

    def _tally(self) -> list[tuple[str, int | None, str]]:
        counts = self._counts
        if counts is None:
            return [
                ("accepted", self._accepted, ""),
                ("failed", self._failed, "red"),
                ("in doubt", self._in_doubt, "yellow"),
                ("not sent", self._unsent or None, "yellow"),
            ]
        doubtful = (State.HELD, State.IN_DOUBT) if self._is_settling else (State.HELD,)
        return [
            ("accepted", counts.count(State.ACCEPTED), ""),
            ("confirmed", counts.count(State.CONFIRMED) or None, ""),
            ("failed", counts.count(State.FAILED), "red"),
            ("in doubt", counts.count(*doubtful), "yellow"),
        ]

    def frame(self) -> RenderableType:
        """Return two lines: the bar, and the figures; one where there is no end to be seen."""
        if self._is_endless:
            return Text("  ").join([Text(f"{self.title} {self.how_far}"), self.words()])
        line = Table.grid(padding=(0, 2, 0, 0), expand=True)
        line.add_column(no_wrap=True)
        line.add_column(ratio=1)
        line.add_column(no_wrap=True, justify="right")
        bar = ProgressBar(
            total=max(self.total, 1), completed=self.done, complete_style="cyan", style="dim"
        )
        line.add_row(self.title, bar, self.how_far)
        return Group(line, self.words())

    def line(self) -> str:
        """Return one plain line."""
        return f"{self.title}: {self.how_far}  {self.words().plain}"


def span(seconds: float) -> str:
    """Return a time as `0:07`, `12:05` or `1:02:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@contextmanager
def shown(progress: Progress) -> Generator[None]:
    """Keep two live lines at the bottom of a terminal; elsewhere, see `telling`."""
    out = console(stderr=True)
    if not out.is_terminal or out.is_dumb_terminal:
        yield
        return
    with Live(
        get_renderable=progress.frame, console=out, refresh_per_second=_FRAMES_A_SECOND
    ) as live:
        yield
        live.refresh()


Count = Callable[[], Awaitable[Counts | None]]
"""Asks the ledger for its counts; None from it where results are counted as they come."""


@asynccontextmanager
async def telling(progress: Progress, count: Count | None = None) -> AsyncGenerator[None]:
    """Count by the ledger while that is wanted, and print a line now and then.

    Args:
        progress: What is shown.
        count: Asks the ledger, where it is to be asked at all.
    """
    out = console(stderr=True)
    plain = not out.is_terminal or out.is_dumb_terminal

    def say() -> None:
        # Where the reader has gone (`| head`), rich ends the program. Not with payouts in flight.
        with contextlib.suppress(OSError, SystemExit):
            out.print(progress.line(), soft_wrap=True)

    async def counting(count: Count) -> None:
        while True:
            began = time.monotonic()
            # A count that failed is for the run to notice; the next may do.
            with contextlib.suppress(DGSPayError):
                counts = await count()
                if counts is not None:
                    progress.on_counts(counts)
            took = time.monotonic() - began
            await anyio.sleep(max(_SECONDS_BETWEEN_COUNTS, took / _SHARE_OF_COUNTING))

    async def report() -> None:
        while True:
            await anyio.sleep(_SECONDS_BETWEEN_LINES)
            say()

    error: Exception | None = None
    async with anyio.create_task_group() as group:
        if count is not None:
            group.start_soon(counting, count)
        if plain:
            group.start_soon(report)
        try:
            yield
        except Exception as raised:  # noqa: BLE001 - a full disk, say: raised below as it is
            error = raised
        group.cancel_scope.cancel()
    if error is not None:
        raise error
    if plain and progress.done:
        say()

"""The progress of a run: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from dgspay.cli.terminal import console
from dgspay.payouts import Evidence, Finding, Payout
from dgspay.payouts.runner import OnResult

_SECONDS_BETWEEN_LINES = 5.0


class _Tally:
    """Counts results as they come."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.accepted = self.failed = self.in_doubt = self.unsent = 0
        self._began = time.monotonic()

    def count(self, evidence: Evidence) -> None:
        match evidence.finding:
            case Finding.ACCEPTED:
                self.accepted += 1
            case Finding.REFUSED:
                self.failed += 1
            case Finding.LOST:
                self.in_doubt += 1
            case _:
                self.unsent += 1

    @property
    def done(self) -> int:
        return self.accepted + self.failed + self.in_doubt

    @property
    def rate(self) -> float:
        return self.done / max(time.monotonic() - self._began, 0.001)

    def words(self) -> str:
        return (
            f"{self.rate:,.0f}/s  accepted {self.accepted:,}  failed {self.failed:,}  "
            f"in doubt {self.in_doubt:,}"
        )


@contextmanager
def progress_of(total: int) -> Generator[OnResult]:
    """Show how far a run is; gives what is to be told of each result.

    Args:
        total: Payouts that are still to be sent.
    """
    out = console(stderr=True)
    tally = _Tally(total)
    if not out.is_terminal:
        with _lines(tally) as on_result:
            yield on_result
        return
    with Progress(
        TextColumn("Paying"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[words]}"),
        TimeRemainingColumn(),
        console=out,
        refresh_per_second=5,
    ) as progress:
        task: TaskID = progress.add_task("", total=total, words=tally.words())

        def show(_payout: Payout, evidence: Evidence) -> None:
            tally.count(evidence)
            progress.update(task, completed=tally.done, words=tally.words())

        yield show


@contextmanager
def _lines(tally: _Tally) -> Generator[OnResult]:
    out = console(stderr=True)
    told = time.monotonic()

    def line() -> None:
        left = max(tally.total - tally.done, 0) / max(tally.rate, 0.001)
        out.print(
            f"{tally.done:,} of {tally.total:,}  {tally.words()}  {left:,.0f} s left",
            soft_wrap=True,
        )

    def show(_payout: Payout, evidence: Evidence) -> None:
        nonlocal told
        tally.count(evidence)
        if time.monotonic() - told >= _SECONDS_BETWEEN_LINES:
            told = time.monotonic()
            line()

    yield show
    if tally.done:
        line()

"""Turns and ratios: every contestant once a round, compared only within that round.

A machine has slow moments. Where the contestants take turns, such a moment meets all of them,
and the ratio within a round says what a time of its own cannot.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import attrs

T = TypeVar("T")
Name = TypeVar("Name")
Subject = Callable[[], Any]

# From this many rounds on, the outermost twentieths are left out of a spread.
_MANY_ROUNDS = 20


@attrs.frozen
class Spread:
    """What many rounds came to: the middle, and how far they lie apart."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Sum up: lowest to highest, or 5 % to 95 % where there are many rounds."""
        ordered = sorted(values)
        low, high = ordered[0], ordered[-1]
        if len(ordered) >= _MANY_ROUNDS:
            cuts = statistics.quantiles(ordered, n=20)
            low, high = cuts[0], cuts[-1]
        return cls(statistics.median(ordered), low, high)

    def times(self, factor: float) -> Spread:
        """Return it in another unit."""
        return Spread(self.median * factor, self.low * factor, self.high * factor)

    def show(self, digits: int = 2) -> str:
        """Return it as text, such as `1.25 (1.10 to 1.42)`."""
        median, low, high = (f"{part:,.{digits}f}" for part in attrs.astuple(self))
        return f"{median} ({low} to {high})"


def take_turns(
    names: Sequence[Name], rounds: int, measure: Callable[[Name], T]
) -> dict[Name, list[T]]:
    """Measure everybody once a round, another one first each time."""
    measured: dict[Name, list[T]] = {name: [] for name in names}
    for turn in range(rounds):
        shift = turn % len(names)
        for name in (*names[shift:], *names[:shift]):
            measured[name].append(measure(name))
    return measured


def ratios(own: Iterable[float], base: Iterable[float]) -> list[float]:
    """Return the ratio of each round."""
    return [ours / theirs for ours, theirs in zip(own, base, strict=True)]


def seconds_per_call(
    subjects: Mapping[str, Callable[[], Subject]], *, rounds: int, calls: int
) -> dict[str, list[float]]:
    """Time small functions in this process, with the garbage collector at rest within a round.

    Args:
        subjects: By name, what builds each function.
        rounds: How many turns each takes.
        calls: How many calls a turn is.
    """
    built = {name: build() for name, build in subjects.items()}

    def turn(name: str) -> float:
        call = built[name]
        gc.collect()
        gc.disable()
        began = time.perf_counter()
        for _ in range(calls):
            call()
        ended = time.perf_counter()
        gc.enable()
        return (ended - began) / calls

    for name in built:
        turn(name)  # to get warm
    return take_turns(list(built), rounds, turn)

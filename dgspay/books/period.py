"""A period of the books: whole days of Kigali."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from typing import Self

import attrs

from dgspay.clock import KIGALI

_DAY = dt.timedelta(days=1)
_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])", re.ASCII)
_YEAR = re.compile(r"[0-9]{4}", re.ASCII)


def _check_end(period: Period, _: object, last: dt.date) -> None:
    if last < period.first:
        raise ValueError("a period must not end before it begins")


@attrs.frozen
class Period:
    """Whole days in Kigali, from the first to the last, both included.

    Attributes:
        first: The first day.
        last: The last day.
    """

    first: dt.date
    last: dt.date = attrs.field(validator=_check_end)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `2026-11`, `2026`, or two days as `2026-11-01..2026-11-15`.

        Raises:
            ValueError: it is none of these.
        """
        if month := _MONTH.fullmatch(text):
            year, number = int(month[1]), int(month[2])
            days = calendar.monthrange(year, number)[1]
            return cls(dt.date(year, number, 1), dt.date(year, number, days))
        if _YEAR.fullmatch(text):
            return cls(dt.date(int(text), 1, 1), dt.date(int(text), 12, 31))
        first, dots, last = text.partition("..")
        try:
            if dots:
                return cls(dt.date.fromisoformat(first), dt.date.fromisoformat(last))
        except ValueError as error:
            reason = f" ({error})"
        else:
            reason = ""
        raise ValueError(
            f"a period looks like 2026-11, 2026 or 2026-11-01..2026-11-15, not {text!r}{reason}"
        )

    @property
    def begin(self) -> float:
        """Unix time at which it begins."""
        return _midnight(self.first)

    @property
    def end(self) -> float:
        """Unix time at which it is over."""
        return _midnight(self.last) + _DAY.total_seconds()

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


def day_of(moment: float) -> dt.date:
    """Return the day in Kigali of a Unix time."""
    return dt.datetime.fromtimestamp(moment, KIGALI).date()


def _midnight(day: dt.date) -> float:
    return dt.datetime.combine(day, dt.time(), KIGALI).timestamp()

"""Standing permissions: daily wages that repeat on purpose, by a pattern of their references."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from dgspay.errors import ConfigError
from dgspay.payouts.model.spellings import reference_key

DATE = "{date}"
"""What stands in a pattern for the day that is paid for, written as 2026-12-31."""

_DATE = "(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
_REST = "[A-Za-z0-9._-]+"
# At its beginning something of its own, so that no pattern is one of all references.
_PATTERN = re.compile(r"[A-Za-z0-9]{3}(?:[A-Za-z0-9._-]|\{date\}|\*)*", re.ASCII)
_LONGEST = 64
_LONGEST_REASON = 200
_MOST_DAYS = 366
_MOST_PER_DAY = 24
_NAMED = 10


@attrs.frozen(kw_only=True)
class Permission:
    """A permission to pay accounts the same sum again, one day after the other.

    A row is covered where its reference, as it is written, matches the pattern, and so does that of
    each payment that it looks like, for another day. The same reference is never paid twice by it,
    nor is one day.

    Attributes:
        pattern: How the references are written, such as `wages-{date}-*`: `{date}` stands for the
            day that is paid for, `*` for one or more letters, digits, dots, hyphens and
            underscores. It is about the whole reference, and capitals matter.
        reason: Why the sums repeat.
        begins: The first day, as 2026-12-01, that may be paid for, and on which it counts.
        ends: The last such day.
        per_day: How many payouts an account may get in a day of Kigali, by whatever reference.
        largest: What an account may get in such a day, in RWF; None for any sum.
        given_by: Who has given it. The ledger fills it in.

    Raises:
        ConfigError: the pattern is none, or matches too much; or a value is none.
    """

    pattern: str
    reason: str
    begins: str
    ends: str
    per_day: int = 1
    largest: int | None = None
    given_by: str = ""

    def __attrs_post_init__(self) -> None:
        _require_pattern(self.pattern)
        if not self.reason.strip() or len(self.reason) > _LONGEST_REASON:
            raise ConfigError("a standing permission needs a reason, of 200 characters at most")
        if not self.reason.isprintable():
            raise ConfigError("the reason of a standing permission is one line of plain text")
        days = (_day(self.ends) - _day(self.begins)).days
        if not 0 <= days < _MOST_DAYS:
            raise ConfigError(
                f"a standing permission ends on or after the day it begins, and within {_MOST_DAYS}"
                " days"
            )
        if not 1 <= self.per_day <= _MOST_PER_DAY:
            raise ConfigError(f"per_day must be a number from 1 to {_MOST_PER_DAY}")
        if self.largest is not None and self.largest < 1:
            raise ConfigError("the largest sum of a day must be an amount in RWF")

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Permission:
        """Return a permission from its part of a policy's document.

        Raises:
            TypeError, ConfigError: it is none.
        """
        return cls(**document)

    def date_of(self, reference: str) -> str | None:
        """Return the day a reference is of, as 2026-12-01; None where it does not match."""
        found = _matcher(self.pattern).fullmatch(reference)
        if found is None:
            return None
        date: str = found["date"]
        return date if _is_day(date) else None

    def objection(
        self, reference: str, amount: int, others: Iterable[str], today: Sequence[int], day: str
    ) -> str | None:
        """Return why a row that matches is not covered, or None where it is.

        Args:
            reference: That of the row.
            amount: That of the row, in RWF.
            others: References of the payments that it looks like.
            today: What the account got this day, or may have got, in RWF.
            day: This day in Kigali.
        """
        date = self.date_of(reference)
        if (
            date is None
            or not self.begins <= date <= self.ends
            or not self.begins <= day <= self.ends
        ):
            return f"it is for {self.begins} to {self.ends}"
        if date > day:
            return f"{date} has not come yet"
        for other in others:
            before = self.date_of(other)
            if before is None:
                return f"{other} is no reference of its pattern"
            if before == date or reference_key(other) == reference_key(reference):
                return f"{other} was for the same day"
        if len(today) >= self.per_day:
            return f"it allows {self.per_day} a day to an account, which got {len(today)} today"
        if self.largest is not None and sum(today) + amount > self.largest:
            return (
                f"it allows {self.largest:,} RWF a day to an account, which would get "
                f"{sum(today) + amount:,} RWF"
            )
        return None

    @property
    def words(self) -> str:
        """The permission for a person."""
        largest = "" if self.largest is None else f", {self.largest:,} RWF at most"
        by = f", given by {self.given_by}" if self.given_by else ""
        return (
            f"{self.pattern} may repeat from {self.begins} to {self.ends}, {self.per_day} a day to "
            f"an account{largest}{by}: {self.reason}"
        )


@attrs.frozen(kw_only=True)
class PermittedRows:
    """Rows that repeat earlier payments, and are covered by a standing permission.

    Attributes:
        permission: The permission.
        references: Theirs, some of them.
        count: How many there are.
    """

    permission: Permission
    references: tuple[str, ...]
    count: int

    def __str__(self) -> str:
        """The rows for a person."""
        rows = "one row repeats" if self.count == 1 else f"{self.count:,} rows repeat"
        more = ", ..." if self.count > len(self.references) else ""
        return (
            f"{rows} an earlier payment, by the standing permission {self.permission.pattern} "
            f"({self.permission.reason}; until {self.permission.ends}): "
            f"{', '.join(self.references)}{more}"
        )


def grouped(rows: Iterable[tuple[str, Permission]]) -> list[PermittedRows]:
    """Put rows, by their references, together that one permission covers."""
    found: dict[Permission, list[str]] = {}
    for reference, permission in rows:
        found.setdefault(permission, []).append(reference)
    return [
        PermittedRows(
            permission=permission, references=tuple(references[:_NAMED]), count=len(references)
        )
        for permission, references in found.items()
    ]


def _require_pattern(pattern: str) -> None:
    if (
        len(pattern) > _LONGEST
        or not _PATTERN.fullmatch(pattern)
        or pattern.count(DATE) != 1
        or pattern.count("*") > 1
        or f"*{DATE}" in pattern
        or f"{DATE}*" in pattern
    ):
        raise ConfigError(
            f"a pattern of references is written like wages-{DATE}-*: three or more letters or "
            f"digits of its own first, {DATE} once, * once at most and not beside {DATE}, and "
            f"otherwise letters, digits, dots, hyphens and underscores; {_LONGEST} characters at "
            "most"
        )


@functools.lru_cache(maxsize=64)
def _matcher(pattern: str) -> re.Pattern[str]:
    text = re.escape(pattern).replace(re.escape(DATE), _DATE).replace(re.escape("*"), _REST)
    return re.compile(text, re.ASCII)


def _day(text: str) -> dt.date:
    try:
        day = dt.date.fromisoformat(text)
    except (ValueError, TypeError):
        day = None
    if day is None or day.isoformat() != text:
        raise ConfigError(f"a day is written like 2026-12-31, not {text!r}")
    return day


def _is_day(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True

"""Limits of networks and banks for one payout and for a day: dated settings, which only warn."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import attrs

from dgspay.errors import ConfigError
from dgspay.payouts.model.payout import Payout
from dgspay.payouts.model.spellings import account_key

BANK = "bank"
"""What stands for all banks in the place of a network."""

_SHOWN = 20
_FIELDS = ("least", "most", "per_day")


@attrs.frozen(kw_only=True)
class AmountLimit:
    """The limits of one network, in RWF; None where there is none.

    Attributes:
        least: The smallest payout.
        most: The largest payout.
        per_day: The largest sum of payouts to one account in a day.
    """

    least: int | None = None
    most: int | None = None
    per_day: int | None = None


AmountLimits = Mapping[str, AmountLimit]
"""Limits by the name of a network, or by `BANK`."""

PUBLISHED_LIMITS: Mapping[str, AmountLimits] = {
    # As one provider of payouts in Rwanda published them: docs.rafiki-api.com.
    "2026-12": {
        "MTN": AmountLimit(least=100, most=2_000_000),
        "Airtel": AmountLimit(least=100, most=500_000),
        BANK: AmountLimit(least=1_000, most=8_000_000),
    },
}
"""Limits as they were published, by the month in which they were looked up.

DGS-Pay documents none, and they change: they warn and refuse nothing.
"""


def read_amount_limits(named: str) -> AmountLimits:
    """Return published limits by their month, or those of a TOML file.

    ::

        [MTN]
        most = 2_000_000
        per_day = 4_000_000

    Raises:
        ConfigError: there are none of that month, or the file holds none.
    """
    published = PUBLISHED_LIMITS.get(named)
    if published is not None:
        return published
    path = Path(named)
    if not path.exists():
        months = ", ".join(PUBLISHED_LIMITS)
        raise ConfigError(f"there are no limits of {named!r}: give a month ({months}) or a file")
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read as TOML: {error}") from None
    return {network: _limit_of(network, table) for network, table in tables.items()}


def _limit_of(network: str, table: object) -> AmountLimit:
    if isinstance(table, dict) and all(
        name in _FIELDS and type(value) is int and value >= 0 for name, value in table.items()
    ):
        return AmountLimit(**table)
    raise ConfigError(f"[{network}] must hold {', '.join(_FIELDS)}, each a whole number of RWF")


class LimitWatch:
    """Compares payouts with limits, one after the other.

    Args:
        limits: The limits.
    """

    def __init__(self, limits: AmountLimits) -> None:
        self._limits = {name.casefold(): limit for name, limit in limits.items()}
        self._sums: defaultdict[str, int] = defaultdict(int)
        self._found: list[str] = []
        self._count = 0

    def look(self, payout: Payout) -> None:
        """Compare a payout."""
        network = BANK if payout.bank_key is not None else (payout.network or "")
        limit = self._limits.get(network.casefold())
        if limit is None:
            return
        to = payout.bank_key or network
        if limit.most is not None and payout.amount > limit.most:
            self._warn(payout, f"to {to} is above its limit of {limit.most:,} RWF for one payout")
        if limit.least is not None and payout.amount < limit.least:
            self._warn(payout, f"to {to} is below its least payout of {limit.least:,} RWF")
        if limit.per_day is None:
            return
        key = account_key(payout)
        before, self._sums[key] = self._sums[key], self._sums[key] + payout.amount
        if before <= limit.per_day < self._sums[key]:
            self._warn(
                payout,
                f"to {to} brings what this account gets here to {self._sums[key]:,} RWF, above "
                f"its limit of {limit.per_day:,} RWF for a day",
            )

    def _warn(self, payout: Payout, words: str) -> None:
        self._count += 1
        if len(self._found) < _SHOWN:
            name = "" if payout.name is None else f" ({payout.name})"
            self._found.append(f"{payout.reference}{name}: {payout.amount:,} RWF {words}")

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was found, each with its row; beyond a number they are counted."""
        left = self._count - len(self._found)
        more = (f"{left:,} more rows are beyond a limit",) if left else ()
        return (*self._found, *more)


def warnings_of(payouts: Iterable[Payout], limits: AmountLimits) -> tuple[str, ...]:
    """Compare payouts with limits, and return a warning for each that is beyond one."""
    watch = LimitWatch(limits)
    for payout in payouts:
        watch.look(payout)
    return watch.warnings

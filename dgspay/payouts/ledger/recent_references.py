"""DGS-Pay's references that came lately, so that one given twice is noticed at once.

To look for each of a million in the ledger would take as long as to write them, and to remember
them all would take a hundred megabytes. What answers twice, a cache on the way for one, does so
soon; one name for two payouts that is further apart is found in the ledger when it is settled.

Unlike `dgspay.core.seen_rows` it is exact and takes a whole group at once, for a name it reports
costs a look-up in the ledger; it needs no million of them, which is what digests are for there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

REMEMBERED_NAMES = 20_000
"""Names of a generation. There are two at most, so between so many and twice as many are known."""


class LatestNames:
    """A bounded memory of names."""

    def __init__(self) -> None:
        self._young: set[str] = set()
        self._old: set[str] = set()

    def repeated(self, names: Sequence[str]) -> AbstractSet[str]:
        """Remember names that came together; return those that came before, or more than once."""
        fresh = set(names)
        again = (fresh & self._young) | (fresh & self._old)
        if len(fresh) < len(names):
            again |= {name for name, times in Counter(names).items() if times > 1}
        self._young |= fresh
        if len(self._young) >= REMEMBERED_NAMES:
            self._old, self._young = self._young, set()
        return again

"""Notes about good rows: what was worked out for them, and what looks odd about them."""

from __future__ import annotations

from collections import Counter

import attrs

from dgspay.models.phones import usual_network
from dgspay.payouts.model.payout import Payout
from dgspay.payouts.sheet.words import line_words

_LISTED = 20
_SHORT_ACCOUNT = 6
_COUNTRY_CODE = len("+250")


@attrs.define
class Notes:
    """What a person should know of good rows, found while they go by."""

    _guessed: Counter[str] = attrs.field(factory=Counter)
    _moved: list[int] = attrs.field(factory=list)
    _short: list[int] = attrs.field(factory=list)
    _lettered: list[int] = attrs.field(factory=list)

    def look(self, line: int, payout: Payout, *, has_network: bool) -> None:
        """Look at a row.

        Args:
            line: Where it stands.
            payout: What it pays.
            has_network: Whether it names the network.
        """
        if payout.bank_key is not None:
            if sum(map(str.isdigit, payout.account)) < _SHORT_ACCOUNT:
                self._short.append(line)
            if any(map(str.isalpha, payout.account)):
                self._lettered.append(line)
        elif not has_network:
            self._guessed[payout.network or ""] += 1
        elif payout.network != usual_network(payout.account[_COUNTRY_CODE:]):
            self._moved.append(line)

    def remarks(self) -> list[str]:
        """Return the notes, for a person."""
        found = []
        if self._guessed:
            each = ", ".join(f"{count:,} {name}" for name, count in self._guessed.most_common())
            found.append(f"rows without a network get it from the phone's prefix: {each}")
        if self._moved:
            found.append(
                f"{_listed(self._moved)}: the prefix of the phone is another network's than the "
                "one named. Look at the number; it is paid as written"
            )
        if self._short:
            found.append(f"{_listed(self._short)}: the account number is very short")
        if self._lettered:
            found.append(
                f"{_listed(self._lettered)}: the account number has letters, and accounts in "
                "Rwanda are digits"
            )
        return found


def _listed(lines: list[int]) -> str:
    more = f" and {len(lines) - _LISTED:,} more" if len(lines) > _LISTED else ""
    return f"{line_words(lines[:_LISTED])}{more}"

"""How the pay of a batch differs from what the same accounts got before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dgspay.payouts.model.repeats import day_of

MOST_ROWS = 20_000
"""Of a batch that is compared: in a longer one a person reads no list of changes."""

_NOTABLE = 50
_SHOWN = 10
_NAMED = 5


class EarlierPay(NamedTuple):
    """A row, and what its account got last from another batch.

    Attributes:
        reference: The row's own reference.
        name: Who is paid.
        amount: Now, in RWF.
        earlier: Before, in RWF; None where the account was never paid from this ledger.
        batch: In which batch that was.
        sent_at: Unix time.
    """

    reference: str
    name: str | None
    amount: int
    earlier: int | None = None
    batch: str | None = None
    sent_at: float = 0.0

    @property
    def percent(self) -> int:
        """By how much it changes."""
        return 0 if not self.earlier else round((self.amount - self.earlier) * 100 / self.earlier)

    @property
    def who(self) -> str:
        """Who is paid, with the row's reference."""
        return self.reference if self.name is None else f"{self.name} ({self.reference})"


def change_words(rows: Sequence[EarlierPay]) -> tuple[str, ...]:
    """Return whose pay changes by half or more, the greatest change first.

    Args:
        rows: The rows of a batch that are to be sent.
    """
    changed = sorted(
        (row for row in rows if abs(row.percent) >= _NOTABLE),
        key=lambda row: abs(row.percent),
        reverse=True,
    )
    words = [
        f"{row.who} gets {row.amount:,} RWF, and got {row.earlier:,} RWF in batch {row.batch} on "
        f"{day_of(row.sent_at)} ({row.percent:+,} %)"
        for row in changed[:_SHOWN]
    ]
    if len(changed) > _SHOWN:
        words.append(f"{len(changed) - _SHOWN:,} more change by {_NOTABLE} % or more")
    return tuple(words)


def newcomer_words(rows: Sequence[EarlierPay]) -> tuple[str, ...]:
    """Return who was never paid before, where others were."""
    new = [row for row in rows if row.earlier is None]
    if not new or len(new) == len(rows):
        return ()
    names = ", ".join(row.who for row in new[:_NAMED]) + (", ..." if len(new) > _NAMED else "")
    count = "one account was" if len(new) == 1 else f"{len(new):,} accounts were"
    return (f"{count} never paid from this ledger: {names}",)

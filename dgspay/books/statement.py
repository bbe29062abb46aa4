"""The statement of a period: what came in and went out, and whether the wallet agrees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import attrs

from dgspay.books.movement import Doubt, Kind, Movement
from dgspay.books.period import Period
from dgspay.money import exact_difference, exact_sum


@attrs.frozen(kw_only=True)
class Reconciliation:
    """The books of one currency against the wallet.

    Attributes:
        currency: The currency.
        opening: The balance at the beginning of the period.
        is_opening_given: Whether a person gave it; else it is what the history adds up to from 0.
        by_kind: What the wallet had more or less by each kind of movement in the period.
        fees: The fees of charges that are known, which are in no movement.
        after: What the movements between the end of the period and now come to.
        balance: What the wallet holds now, available and pending; None where DGS-Pay names none.
    """

    currency: str
    opening: Decimal
    is_opening_given: bool
    by_kind: Mapping[Kind, Decimal]
    fees: Decimal
    after: Decimal
    balance: Decimal | None

    @property
    def closing(self) -> Decimal:
        """The balance at the end of the period: opening and movements."""
        return exact_sum((self.opening, *self.by_kind.values()))

    @property
    def expected(self) -> Decimal:
        """What the wallet would hold now if nothing were missing."""
        return exact_sum((self.closing, self.after))

    @property
    def difference(self) -> Decimal:
        """What the wallet holds now beyond what is expected; below 0 where it holds less."""
        return exact_difference(self.balance or Decimal(0), self.expected)


@attrs.frozen(kw_only=True)
class Statement:
    """The books of an account for a period.

    Attributes:
        account_number: The merchant account.
        environment: The client's environment.
        period: The period.
        movements: Those of the period, oldest first.
        doubts: What may have moved the wallet up to now, and is in no sum.
        reconciliations: One for each currency.
        differences: What does not agree, a sentence each; empty where all does.
        notes: What the sources do not say, a sentence each.
    """

    account_number: str
    environment: str
    period: Period
    movements: Sequence[Movement]
    doubts: Sequence[Doubt]
    reconciliations: Sequence[Reconciliation]
    differences: Sequence[str]
    notes: Sequence[str]

    @property
    def is_reconciled(self) -> bool:
        """Whether opening and movements come to what the wallet holds, and nothing differs."""
        return not self.differences


def reconcile(
    movements: Iterable[Movement],
    period: Period,
    opening: Mapping[str, Decimal],
    balances: Mapping[str, Decimal],
) -> list[Reconciliation]:
    """Add movements up, and hold them against the wallet.

    Args:
        movements: All that are known up to now.
        period: The period.
        opening: The balances at its beginning, by currency, where a person knows them.
        balances: What the wallet holds now, by currency.
    """
    all_movements = [*movements]
    currencies = (
        {movement.currency for movement in all_movements} | opening.keys() | balances.keys()
    )
    return [
        _of_currency(
            currency,
            [each for each in all_movements if each.currency == currency],
            period,
            opening.get(currency),
            balances.get(currency),
        )
        for currency in sorted(currencies)
    ]


def _of_currency(
    currency: str,
    movements: Sequence[Movement],
    period: Period,
    opening: Decimal | None,
    balance: Decimal | None,
) -> Reconciliation:
    within = [each for each in movements if period.begin <= each.at < period.end]
    before = exact_sum(each.wallet for each in movements if each.at < period.begin)
    kinds = [kind for kind in Kind if any(each.kind is kind for each in within)]
    return Reconciliation(
        currency=currency,
        opening=before if opening is None else opening,
        is_opening_given=opening is not None,
        by_kind={
            kind: exact_sum(each.wallet for each in within if each.kind is kind) for kind in kinds
        },
        fees=exact_sum(
            each.fee for each in within if each.kind is Kind.CHARGE and each.fee is not None
        ),
        after=exact_sum(each.wallet for each in movements if each.at >= period.end),
        balance=balance,
    )

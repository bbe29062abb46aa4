"""Differences between the books and the wallet, in words, and what may explain each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from dgspay.books.movement import Doubt, Kind, Movement
from dgspay.books.sources import counted
from dgspay.books.statement import Reconciliation
from dgspay.money import exact_sum

_NAMED = 5


def differences_of(
    reconciliations: Sequence[Reconciliation],
    movements: Sequence[Movement],
    doubts: Sequence[Doubt],
) -> Iterator[str]:
    """Yield what of the wallet the movements do not explain, a sentence each."""
    for each in reconciliations:
        currency, difference = each.currency, each.difference
        if each.balance is None and each.expected:
            yield (
                f"{currency}: DGS-Pay names no balance, and the books come to "
                f"{_money(each.expected, currency)}"
            )
        elif difference:
            more = "more" if difference > 0 else "less"
            explained = "; ".join(_explanations(each, movements, doubts)) or (
                "nothing that is known explains it: disbursements and conversions that are in no "
                "ledger and came by no kept webhook, and what was paid in or taken out in the "
                "merchant portal, are not in DGS-Pay's list (--also FILE)"
            )
            size = _money(difference.copy_abs(), currency)
            because = f"{explained[:1].upper()}{explained[1:]}"
            yield f"{currency}: the wallet holds {size} {more} than the books. {because}"


def _explanations(
    each: Reconciliation, movements: Sequence[Movement], doubts: Sequence[Doubt]
) -> Iterator[str]:
    """Yield what comes to just the difference, or is certain to be part of it."""
    currency, difference = each.currency, each.difference
    if not each.is_opening_given:
        yield (
            "the opening balance is what the history adds up to from 0: give it (--opening) where "
            "the account held money before"
        )
    ours = [doubt for doubt in doubts if doubt.currency == currency]
    alike = [doubt.reference for doubt in ours if doubt.wallet == difference]
    if alike:
        yield f"it is as much as {_names(alike)}, of which it is not known whether it moved money"
    elif len(ours) > 1 and exact_sum(doubt.wallet for doubt in ours) == difference:
        yield f"it is as much as all {len(ours)} that are in doubt together"
    elif ours:
        yield f"it is not known whether {_names([doubt.reference for doubt in ours])} moved money"
    feeless = [
        movement
        for movement in movements
        if movement.kind is Kind.CHARGE and movement.fee is None and movement.currency == currency
    ]
    if feeless and difference < 0:
        total = _money(exact_sum(movement.wallet for movement in feeless), currency)
        yield (
            f"the fees of {counted(len(feeless), 'charge')} of {total} are not known, and are part "
            "of it"
        )


def missing_from_list(unlisted: Iterable[str], orders: Mapping[str, str]) -> Iterator[str]:
    """Yield what a shop's orders have as paid, and DGS-Pay's list has not."""
    for reference in sorted(unlisted):
        yield (
            f"order {orders[reference]} was paid by {reference}, and DGS-Pay's list of "
            "transactions does not have it"
        )


def _money(amount: Decimal, currency: str) -> str:
    return f"{amount:,f} {currency}"


def _names(references: Sequence[str]) -> str:
    more = "" if len(references) <= _NAMED else f" and {len(references) - _NAMED:,} more"
    return ", ".join(references[:_NAMED]) + more

"""Wallet of a merchant: the available and pending balance of each currency."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import attrs

from dgspay.emulator.http import RefusedError
from dgspay.money import AmountInput, parse_amount, parse_currency

# Enough for every example of the guide.
DEFAULT_BALANCES: Mapping[str, AmountInput] = {"USD": 1_000, "RWF": 1_000_000}


@attrs.define
class Balance:
    """The balance of one currency."""

    available: Decimal = Decimal(0)
    pending: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        """Pending and available together."""
        return self.available + self.pending


class Wallet:
    """The balances of a merchant. A debit that is not covered is rejected whole."""

    def __init__(self, balances: Mapping[str, AmountInput]) -> None:
        self.purses = {
            parse_currency(currency): Balance(_opening(amount))
            for currency, amount in balances.items()
        }

    def available(self, currency: str) -> Decimal:
        """Return the available balance; 0 for a currency never held."""
        balance = self.purses.get(currency)
        return balance.available if balance else Decimal(0)

    def credit(self, currency: str, amount: Decimal) -> None:
        """Add to the available balance."""
        self.purses.setdefault(currency, Balance()).available += amount

    def debit(self, currency: str, amount: Decimal) -> None:
        """Subtract from the available balance.

        Raises:
            RefusedError: in the guide's form of an insufficient balance ("Currency Conversion").
        """
        available = self.available(currency)
        if amount > available:
            raise RefusedError(
                "VALIDATION_ERROR",
                f"Insufficient {currency} balance",
                available_balance=available,
                required=amount,
                currency=currency,
            )
        self.purses[currency].available -= amount

    def expect(self, currency: str, amount: Decimal) -> None:
        """Add to the pending balance."""
        self.purses.setdefault(currency, Balance()).pending += amount

    def forget(self, currency: str, amount: Decimal) -> None:
        """Subtract from the pending balance, because it arrived or never will."""
        self.purses[currency].pending -= amount


def _opening(amount: AmountInput) -> Decimal:
    """Read an opening balance: an amount, or nothing at all."""
    return Decimal(0) if amount in (0, "0") else parse_amount(amount, field="a balance")

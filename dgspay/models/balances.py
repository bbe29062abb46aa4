"""Balances of the merchant wallet (guide, "Merchant Balances")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import attrs

from dgspay.models.enums import CallStatus
from dgspay.models.extra_fields import extra_fields, incidental, shown
from dgspay.models.results import Result


@attrs.frozen(kw_only=True, field_transformer=shown)
class Balance(Result):
    """The wallet in one currency.

    Attributes:
        available_balance: Can be disbursed at once.
        pending_balance: Received but not settled.
        total_balance: Both together.
        extra: Fields this version does not know.
    """

    currency: str
    available_balance: Decimal
    pending_balance: Decimal | None = incidental()
    total_balance: Decimal | None = incidental()
    extra: Mapping[str, Any] = extra_fields()


@attrs.frozen(kw_only=True, field_transformer=shown)
class Balances(Result):
    """The wallet in all its currencies; iterate over it, or ask for one.

    Attributes:
        balances: One entry per currency.
        extra: Fields this version does not know.
    """

    balances: tuple[Balance, ...]
    status: CallStatus | None = None
    error_code: str | None = None
    merchant_id: str | None = incidental()
    extra: Mapping[str, Any] = extra_fields()

    def __iter__(self) -> Iterator[Balance]:
        return iter(self.balances)

    def __len__(self) -> int:
        return len(self.balances)

    def __getitem__(self, currency: str) -> Balance:
        for balance in self.balances:
            if balance.currency.upper() == currency.upper():
                return balance
        raise KeyError(currency)

    def available(self, currency: str) -> Decimal:
        """Return what can be disbursed in a currency: 0 where the wallet has none of it."""
        try:
            return self[currency].available_balance
        except KeyError:
            return Decimal(0)

"""Balances of the merchant wallet."""

from __future__ import annotations

from decimal import Decimal

from dgspay.api.fields import reads
from dgspay.core.operation import Operation, Repeat
from dgspay.models.balances import Balances
from dgspay.models.json_codec import JSONObject
from dgspay.money import parse_currency

_read_balances = reads(Balances)


def list() -> Operation[Balances]:  # noqa: A001 - the public name
    """Read the wallet in all its currencies (guide, "Merchant Balances")."""
    return Operation(method="GET", path="/balance", read=_read_balances, repeat=Repeat.READ)


def available(currency: str = "RWF") -> Operation[Decimal]:
    """Read what can be disbursed in a currency: 0 where the wallet has none of it.

    Args:
        currency: ISO 4217 code.
    """
    code = parse_currency(currency)

    def read(envelope: JSONObject) -> Decimal:
        return _read_balances(envelope).available(code)

    return Operation(method="GET", path="/balance", read=read, repeat=Repeat.READ)

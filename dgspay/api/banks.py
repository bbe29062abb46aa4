"""Banks and mobile-money providers that can be paid to."""

from __future__ import annotations

import builtins

from dgspay.api.pages import page_of, rows_of
from dgspay.core.operation import Operation, Repeat
from dgspay.models.banks import Bank
from dgspay.models.json_codec import JSONObject
from dgspay.models.validators import country_code

_read_banks = page_of(rows_of(Bank))


def list(country: str = "RW") -> Operation[builtins.list[Bank]]:  # noqa: A001 - the public name
    """List the banks and providers of a country (guide, "List Banks & Providers").

    Providers change over time: ask each time instead of keeping bank keys in your code.

    Args:
        country: ISO 3166 code of two letters.
    """
    return Operation(
        method="GET",
        path="/banks/{country}",
        path_values={"country": country_code(country, field="country")},
        read=_read_list,
        repeat=Repeat.READ,
    )


def _read_list(envelope: JSONObject) -> builtins.list[Bank]:
    return [*_read_banks(envelope)]

"""Exact amounts: Decimal in, a JSON number with the same digits out, never a float."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from decimal import Context, Decimal

import attrs

# ISO 4217, "minor unit". A test compares all of it with the table of the maintenance agency.
ZERO_DECIMAL_CURRENCIES = frozenset(
    {
        "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND",
        "VUV", "XAF", "XOF", "XPF",
    }
)  # fmt: skip
"""Currencies whose smallest unit is 1: a fraction of them cannot be paid."""

THREE_DECIMAL_CURRENCIES = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
"""Currencies of which the smallest unit is a thousandth."""

_FOUR_DECIMAL_CURRENCIES = frozenset({"CLF", "UYW"})

MAX_INTEGER_DIGITS = 15
MAX_FRACTION_DIGITS = 6
_TOO_MUCH = 10**MAX_INTEGER_DIGITS

_PLAIN_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)
# The program's own decimal context may round to any number of digits; sums of money do not.
_EXACT = Context(prec=60, traps=[])
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)

AmountInput = int | str | Decimal
"""Types an amount may have: `2000`, `"94.50"` or `Decimal("94.50")`. Never a float."""


def parse_amount(value: AmountInput, *, field: str = "amount") -> Decimal:
    """Return a positive amount as an exact Decimal.

    Raises:
        TypeError: for a float, a bool, or anything else that is not an int, str or Decimal.
        ValueError: for zero, a negative, NaN, infinity, text that is not a plain number, or
            more digits than any amount of money has.
    """
    if type(value) is int and 0 < value < _TOO_MUCH:  # as most are, and nothing to reject
        return Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        hint = (
            '; a float cannot hold money exactly, so write "94.50"'
            if isinstance(value, float)
            else ""
        )
        raise TypeError(
            f"{field} must be an int, a str or a Decimal, not {type(value).__name__}{hint}"
        )
    if isinstance(value, str) and not _PLAIN_NUMBER.fullmatch(value):
        raise ValueError(f'{field} must be a plain number such as "2000" or "94.50"')
    if isinstance(value, str) and len(value) > MAX_INTEGER_DIGITS + MAX_FRACTION_DIGITS + 1:
        raise ValueError(f"{field} has more digits than any amount of money")
    # An int is compared before it becomes a Decimal: one of a million digits is cheap to reject.
    if isinstance(value, int) and abs(value) >= _TOO_MUCH:
        raise ValueError(f"{field} has more than {MAX_INTEGER_DIGITS} digits before the point")
    amount = Decimal(value)
    if not amount.is_finite():
        raise ValueError(f"{field} must be a finite number")
    if amount <= 0:
        raise ValueError(f"{field} must be greater than 0")
    if amount.adjusted() >= MAX_INTEGER_DIGITS:
        raise ValueError(f"{field} has more than {MAX_INTEGER_DIGITS} digits before the point")
    if _fraction_digits(amount) > MAX_FRACTION_DIGITS:
        raise ValueError(f"{field} has more than {MAX_FRACTION_DIGITS} digits after the point")
    return amount


def parse_currency(value: str, *, field: str = "currency") -> str:
    """Return an ISO 4217 code in capitals, such as `RWF`.

    Raises:
        TypeError: when it is not text.
        ValueError: when it is not three ASCII letters.
    """
    if not isinstance(value, str):
        raise TypeError(f"{field} must be a str such as 'RWF', not {type(value).__name__}")
    code = value.upper()
    if not _CURRENCY.fullmatch(code):
        raise ValueError(f"{field} must be an ISO 4217 code of three letters such as 'RWF'")
    return code


def minor_unit_digits(currency: str) -> int:
    """Return how many digits after the point amounts of a currency have: 0 for RWF, 2 for USD.

    Args:
        currency: ISO 4217 code in capitals; one that is not in the table has 2, as most have.
    """
    if currency in ZERO_DECIMAL_CURRENCIES:
        return 0
    if currency in THREE_DECIMAL_CURRENCIES:
        return 3
    return 4 if currency in _FOUR_DECIMAL_CURRENCIES else 2


@attrs.frozen
class Money:
    """An amount that still knows its currency, on its way to a request body."""

    amount: Decimal
    currency: str
    field: str = "amount"

    @classmethod
    def parse(cls, amount: AmountInput, currency: str, *, field: str = "amount") -> Money:
        """Check and hold both parts; see `parse_amount` and `parse_currency`."""
        return cls(parse_amount(amount, field=field), parse_currency(currency), field)

    @property
    def has_forbidden_fraction(self) -> bool:
        """Return whether it has a fraction in a currency without a minor unit."""
        if self.currency not in ZERO_DECIMAL_CURRENCIES:
            return False
        return self.amount != self.amount.to_integral_value()


def to_json_number(amount: Decimal) -> str:
    """Write an amount as a JSON number with exactly its digits: no exponent, no float."""
    whole = amount.to_integral_value()
    return format(whole if amount == whole else amount, "f")


def gross_for(net: AmountInput, fee: AmountInput) -> Decimal:
    """Return the amount to disburse so that the recipient gets `net` after `fee`.

    The fee of a disbursement is taken from what the recipient gets (guide, "Disburse
    Funds"): to land 10,000 RWF with a fee of 100, send 10,100.
    """
    return _EXACT.add(parse_amount(net, field="net"), parse_amount(fee, field="fee"))


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """Return the sum of amounts to the last digit, whatever the program's decimal context is."""
    return functools.reduce(_EXACT.add, amounts, Decimal(0))


def exact_difference(amount: Decimal, less: Decimal) -> Decimal:
    """Return an amount less another one, to the last digit; see `exact_sum`."""
    return _EXACT.subtract(amount, less)


def _fraction_digits(amount: Decimal) -> int:
    # Not `normalize`, which rounds to the precision of the program's decimal context.
    _, digits, exponent = amount.as_tuple()
    if not isinstance(exponent, int) or exponent >= 0:
        return 0
    trailing_zeros = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    return max(0, -exponent - trailing_zeros)

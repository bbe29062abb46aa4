"""Rows that may be paid although they look as if they had been: named one by one, with a reason."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from dgspay.errors import ConfigError
from dgspay.payouts.model.payout import Payout
from dgspay.payouts.model.spellings import reference_key

Allowed = Collection[str] | Mapping[str, str]
"""References of rows, or references and why each may be paid again."""

_BY_NAME = "it was allowed by its reference"
_SHOWN = 5


class Allowances:
    """Which rows of a batch are allowed by name.

    Args:
        allowed: What a caller allows.

    Attributes:
        numbers: Those that were found among the rows, by their numbers, and why each is allowed.

    Raises:
        TypeError: it names no rows.
    """

    def __init__(self, allowed: Allowed) -> None:
        if not isinstance(allowed, Collection) or isinstance(allowed, str | bytes):
            raise TypeError(
                "allow_duplicates must hold the references of the rows that may be paid again, "
                f"such as ['2026-11-jane'], and is a {type(allowed).__name__}: nothing opens a "
                "whole batch to paying twice"
            )
        if not all(isinstance(reference, str) for reference in allowed):
            raise TypeError("allow_duplicates must hold references, each of them a str")
        reasons = allowed if isinstance(allowed, Mapping) else dict.fromkeys(allowed, _BY_NAME)
        self._reasons = {reference_key(name): reason for name, reason in reasons.items()}
        self._missing = {reference_key(name): name for name in reasons}
        self.numbers: dict[int, str] = {}

    def __bool__(self) -> bool:
        """Return whether any row is named."""
        return bool(self._reasons)

    def look(self, payout: Payout) -> bool:
        """Return whether a row may be paid again, by its name or by its own column."""
        if self._reasons:
            key = reference_key(payout.reference)
            if key in self._reasons:
                self._missing.pop(key, None)
                self.numbers[payout.number] = self._reasons[key]
                return True
        return payout.pay_again is not None

    def require_found(self) -> None:
        """Refuse names that no row has: a mistyped one would allow nothing.

        Raises:
            ConfigError: naming them.
        """
        if self._missing:
            names = ", ".join(repr(name) for name in [*self._missing.values()][:_SHOWN])
            raise ConfigError(
                f"no row has the reference {names} that is to be paid again. Nothing was sent"
            )

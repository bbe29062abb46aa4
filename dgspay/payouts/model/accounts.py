"""Accounts named by answers and events, compared with those that were to be paid."""

from __future__ import annotations

from collections.abc import Mapping

_SEPARATORS = str.maketrans("", "", " -+")


def account_in(recipient: object) -> str | None:
    """Return the account or phone of a `recipient` as DGS-Pay writes it; None where it has none."""
    if not isinstance(recipient, Mapping):
        return None
    account = recipient.get("account_number") or recipient.get("msisdn")
    return account if isinstance(account, str) else None


def digits_of(account: str) -> str:
    """Return what is left of a number when it is spelled in another way."""
    return account.translate(_SEPARATORS).removeprefix("250").lstrip("0")


def is_another(ours: str, theirs: str) -> bool:
    """Say whether an account is certainly not ours: a masked one may be."""
    plain = theirs.translate(_SEPARATORS)
    return plain.isascii() and plain.isdigit() and digits_of(theirs) != digits_of(ours)

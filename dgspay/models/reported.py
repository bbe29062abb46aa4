"""Comparison of what DGS-Pay reports of a payment with what was asked for.

A success with another amount, in another currency or from or to another account is no success of
this payment. Answers, look-ups and webhooks are compared here, for payouts and orders alike.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from dgspay.models.characters import printable

_SEPARATORS = str.maketrans("", "", " -+")
_LONGEST_REFERENCE = 256
_LONGEST_CURRENCY = 16


class Matter(enum.StrEnum):
    """In what a report may differ from what was asked for."""

    CURRENCY = "currency"
    AMOUNT = "amount"
    ACCOUNT = "account"


class PaymentFacts(NamedTuple):
    """Facts of a payment, as it was asked for or as it is reported. None is not reported.

    A tuple, because a million of them come in a run.

    Attributes:
        amount: In `currency`.
        currency: An ISO 4217 code; one that is reported may be in any case.
        account: The account or the phone that pays or is paid.
    """

    amount: Decimal | int | None = None
    currency: str | None = None
    account: str | None = None


class Disagreement(NamedTuple):
    """One way in which a report differs from what was asked for.

    Attributes:
        matter: In what.
        reported: What is reported instead, for a person; an account is not shown.
    """

    matter: Matter
    reported: str


def disagreements(asked: PaymentFacts, reported: PaymentFacts) -> Iterator[Disagreement]:
    """Return how a report differs from what was asked for; what it leaves out does not differ.

    An amount in another currency differs once, by its currency.
    """
    amount, currency, account = reported
    if currency is not None and asked.currency is not None and currency.upper() != asked.currency:
        sum_of = "an amount" if amount is None else f"{amount:f}"
        yield Disagreement(
            Matter.CURRENCY, f"{sum_of} in {printable(currency)[:_LONGEST_CURRENCY]}"
        )
    elif amount is not None and asked.amount is not None and amount != asked.amount:
        yield Disagreement(Matter.AMOUNT, f"{amount:f} {asked.currency or ''}".rstrip())
    if account is not None and asked.account is not None and is_another(asked.account, account):
        yield Disagreement(Matter.ACCOUNT, "another account")


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
    """Return whether an account is certainly not ours: a masked one may be."""
    plain = theirs.translate(_SEPARATORS)
    return plain.isascii() and plain.isdigit() and digits_of(theirs) != digits_of(ours)


def usable_reference(dgs_reference: str | None) -> str | None:
    """Return DGS-Pay's reference where it can be one; see `check_segment` of the core.

    An empty one, or one with control characters, cannot be looked up, and PostgreSQL cannot even
    hold it: what it was given to was accepted all the same.
    """
    if dgs_reference is None or len(dgs_reference) > _LONGEST_REFERENCE:
        return None
    return dgs_reference if dgs_reference.isprintable() and dgs_reference.strip() else None

"""Movements of the wallet, and what may have been one."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from decimal import Decimal

import attrs

from dgspay.money import exact_difference


class Kind(enum.StrEnum):
    """Kind of a movement."""

    CHARGE = "charge"
    """A payer has paid; the wallet gets the amount less DGS-Pay's fee."""
    PAYOUT = "payout"
    """A disbursement; its fee is taken from what the recipient gets."""
    PAYOUT_RETURNED = "payout returned"
    """A disbursement failed after the wallet was debited."""
    REFUND = "refund"
    """Money that went back to the payer of an order, by a disbursement."""
    CONVERSION = "conversion"
    """Money that went from one currency of the wallet to another: two movements."""
    DEPOSIT = "deposit"
    """Money that was paid in otherwise, as the merchant portal has it."""
    WITHDRAWAL = "withdrawal"
    """Money that was taken out otherwise, such as a settlement to the merchant's bank."""


@attrs.frozen(kw_only=True)
class Movement:
    """A change of the wallet in one currency.

    Attributes:
        at: Unix time.
        kind: See `Kind`.
        reference: DGS-Pay's reference, or the caller's own where that is not known.
        currency: Its currency.
        wallet: What the wallet has more, or less, by it.
        fee: DGS-Pay's fee; None where it is not known. It is part of what the payer of a charge
            paid and the recipient of a payout did not get; of a refund, what was sent on top so
            that the payer gets all.
        text: What it was for, such as the order or the batch.
        group: The batch of a payout, by which its account is found; empty for others.
    """

    at: float
    kind: Kind
    reference: str
    currency: str
    wallet: Decimal
    fee: Decimal | None = Decimal(0)
    text: str = ""
    group: str = ""


@attrs.frozen(kw_only=True)
class Doubt:
    """Something that may have moved the wallet, and is in no sum.

    Attributes:
        at: Unix time.
        reference: Its name.
        currency: Its currency.
        wallet: What it would have changed.
        reason: Why it is not known.
    """

    at: float
    reference: str
    currency: str
    wallet: Decimal
    reason: str


def credit_of(
    amount: Decimal, merchant_fee: Decimal | None, net_amount: Decimal | None
) -> Decimal | None:
    """Return what the wallet was credited with for a payment (guide, "Payment Event Payloads")."""
    if net_amount is not None:
        return net_amount
    return None if merchant_fee is None else exact_difference(amount, merchant_fee)


def conversion(
    *, at: float, reference: str, out: tuple[Decimal, str], into: tuple[Decimal, str]
) -> Iterator[Movement]:
    """Yield the two movements of a conversion."""
    for amount, currency in ((out[0].copy_negate(), out[1]), into):
        yield Movement(
            at=at,
            kind=Kind.CONVERSION,
            reference=reference,
            currency=currency,
            wallet=amount,
            text=f"{out[0]:f} {out[1]} to {into[0]:f} {into[1]}",
        )

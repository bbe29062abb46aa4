"""Decisions by hand on pending payments, disbursements and conversions."""

from __future__ import annotations

from dgspay.emulator.domain.account import Account
from dgspay.emulator.domain.records import Conversion, Decline, Disbursement, Payment
from dgspay.emulator.domain.settlement import settle
from dgspay.models.enums import ConversionStatus, PaymentStatus

Settling = Payment | Disbursement | Conversion

_PENDING = (PaymentStatus.PENDING, ConversionStatus.PROCESSING)


def approve(account: Account, reference: str) -> None:
    """Make something succeed, whatever was planned for it."""
    match _pending(account, reference):
        case Payment() | Disbursement() as planned:
            planned.verdict = None
        case Conversion() as conversion:
            conversion.fail_reason = None
    settle(account, reference)


def decline(account: Account, reference: str, reason: str) -> None:
    """Make something fail, whatever was planned for it."""
    match _pending(account, reference):
        case Payment() as payment:
            payment.verdict = Decline(reason)
        case Disbursement() as disbursement:
            disbursement.verdict = reason
        case Conversion() as conversion:
            conversion.fail_reason = reason
    settle(account, reference)


def settle_one(account: Account, reference: str) -> None:
    """Settle something as planned."""
    _pending(account, reference)
    settle(account, reference)


def settle_all(account: Account) -> None:
    """Settle as planned everything that waits for nothing but time."""
    for payment in tuple(account.history.with_status(PaymentStatus.PENDING)):
        if not payment.awaits:
            settle(account, payment.dgs_reference)
    for reference in (*account.disbursements, *account.conversions):
        settle(account, reference)


def _pending(account: Account, reference: str) -> Settling:
    found = (
        account.payment(reference)
        or account.disbursements.get(reference)
        or account.conversions.get(reference)
    )
    if found is None:
        raise LookupError(f"no payment, disbursement or conversion {reference!r}")
    if found.status not in _PENDING:
        raise ValueError(f"{reference} has ended already: {found.status}")
    return found

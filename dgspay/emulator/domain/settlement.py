"""Settlement: payments, disbursements and conversions become final, once."""

from __future__ import annotations

import functools
from decimal import ROUND_HALF_UP, Decimal

from dgspay.emulator.domain.account import Account
from dgspay.emulator.domain.event_payloads import (
    conversion_event,
    disbursement_event,
    payment_event,
)
from dgspay.emulator.domain.records import Conversion, Decline, Disbursement, Link, Payment
from dgspay.models.enums import ConversionStatus, PaymentStatus
from dgspay.money import minor_unit_digits

# The guide's one example of a payment event has a fee of 150 on 5,000.
MERCHANT_FEE_RATE = Decimal("0.03")


def settle_due(account: Account, before: float, *, conversions_only: bool = False) -> None:
    """Settle what settles before a moment, seconds since 1970."""
    among = account.conversions if conversions_only else None
    while (reference := account.pop_due(before, among)) is not None:
        settle(account, reference)


def settle(account: Account, reference: str) -> None:
    """Settle something as planned; nothing happens when it has ended already."""
    if (payment := account.payment(reference)) is not None:
        settle_payment(account, payment)
    elif (disbursement := account.disbursements.get(reference)) is not None:
        settle_disbursement(account, disbursement)
    elif (conversion := account.conversions.get(reference)) is not None:
        settle_conversion(account, conversion)


def settle_payment(account: Account, payment: Payment) -> None:
    """Make a pending payment successful, or failed when it has a verdict, and send its event."""
    if payment.status is not PaymentStatus.PENDING:
        return
    now = account.clock.time()
    payment.settled_at = now
    payment.awaits = ()
    if payment.verdict is None:
        payment.status = PaymentStatus.SUCCESSFUL
        payment.merchant_fee = merchant_fee(payment.amount, payment.currency)
        account.wallet.credit(payment.currency, payment.net_amount)
    else:
        payment.status = PaymentStatus.FAILED
    account.end_payment(payment)
    if payment.link_id is not None:
        link = account.links[payment.link_id]
        _count_use(link, payment)
        account.touch("link", link.id, link)
    account.announce(payment_event(payment, now), payment.callback_url)


def _count_use(link: Link, payment: Payment) -> None:
    """Turn the use that a pending payment held into a real one, or release it."""
    link.held -= 1
    link.used += payment.status is PaymentStatus.SUCCESSFUL


def decline_payment(account: Account, payment: Payment, verdict: Decline) -> None:
    """Make a pending payment failed, and send its event."""
    if payment.status is PaymentStatus.PENDING:
        payment.verdict = verdict
        settle_payment(account, payment)


def settle_disbursement(account: Account, disbursement: Disbursement) -> None:
    """Make a queued transfer successful, or failed with a refund, and send its event."""
    if disbursement.status is not PaymentStatus.PENDING:
        return
    disbursement.settled_at = account.clock.time()
    if disbursement.verdict is None:
        disbursement.status = PaymentStatus.SUCCESSFUL
        disbursement.proof = f"FLW-PROOF-{account.identifiers.number(6)}"
    else:
        disbursement.status = PaymentStatus.FAILED
        account.wallet.credit(disbursement.currency, disbursement.amount)
    account.touch("disbursement", disbursement.dgs_reference, disbursement)
    account.announce(disbursement_event(disbursement), disbursement.callback_url)


def settle_conversion(account: Account, conversion: Conversion) -> None:
    """Credit a conversion, or refund it when it has a reason to fail, and send its event."""
    if conversion.status is not ConversionStatus.PROCESSING:
        return
    conversion.settled_at = account.clock.time()
    account.wallet.forget(conversion.to_currency, conversion.to_amount)
    if conversion.fail_reason is None:
        conversion.status = ConversionStatus.SUCCESSFUL
        account.wallet.credit(conversion.to_currency, conversion.to_amount)
    else:
        conversion.status = ConversionStatus.FAILED
        account.wallet.credit(conversion.from_currency, conversion.from_amount)
    account.touch("conversion", conversion.dgs_reference, conversion)
    account.announce(conversion_event(conversion), None)


# Prices come again and again, and so do their fees: one of each is kept.
@functools.lru_cache(maxsize=1024)
def merchant_fee(amount: Decimal, currency: str) -> Decimal:
    """Return what the merchant pays for a collection, in the currency's smallest unit."""
    unit = Decimal(1).scaleb(-minor_unit_digits(currency))
    return (amount * MERCHANT_FEE_RATE).quantize(unit, ROUND_HALF_UP)

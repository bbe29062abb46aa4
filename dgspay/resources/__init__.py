"""The areas of the API on each client: every call of `dgspay.api`, bound twice.

Each area is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dgspay import _lazy

if TYPE_CHECKING:
    from dgspay.resources.balances import AsyncBalances, Balances
    from dgspay.resources.banks import AsyncBanks, Banks
    from dgspay.resources.charges import AsyncCharges, Charges
    from dgspay.resources.conversions import AsyncConversions, Conversions
    from dgspay.resources.disbursements import AsyncDisbursements, Disbursements
    from dgspay.resources.payment_links import AsyncPaymentLinks, PaymentLinks
    from dgspay.resources.transactions import AsyncTransactions, Transactions

__all__ = [
    "AsyncBalances",
    "AsyncBanks",
    "AsyncCharges",
    "AsyncConversions",
    "AsyncDisbursements",
    "AsyncPaymentLinks",
    "AsyncTransactions",
    "Balances",
    "Banks",
    "Charges",
    "Conversions",
    "Disbursements",
    "PaymentLinks",
    "Transactions",
]

__getattr__ = _lazy.attach(
    __name__,
    {
        "balances": "AsyncBalances Balances",
        "banks": "AsyncBanks Banks",
        "charges": "AsyncCharges Charges",
        "conversions": "AsyncConversions Conversions",
        "disbursements": "AsyncDisbursements Disbursements",
        "payment_links": "AsyncPaymentLinks PaymentLinks",
        "transactions": "AsyncTransactions Transactions",
    },
)

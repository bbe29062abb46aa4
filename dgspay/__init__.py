"""dgspay: the Python SDK for DGS-Pay, Rwanda's payment infrastructure.

Every name below loads what it needs when it is first used, so that `import dgspay` is cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dgspay import _lazy
from dgspay._version import __version__

if TYPE_CHECKING:
    from dgspay import encryption, errors, money, webhooks
    from dgspay.api_keys import ApiKey
    from dgspay.client import AsyncDGSPay, DGSPay
    from dgspay.core.events import AttemptEvent, CallEvent, Hook, TelemetryEvent
    from dgspay.core.messages import Request, Response, Timeout
    from dgspay.core.operation import Operation, Reply
    from dgspay.core.pagination import Page
    from dgspay.core.retry import RetryPolicy
    from dgspay.errors import Outcome
    from dgspay.merchants import Merchants
    from dgspay.models.addresses import BillingAddress
    from dgspay.models.balances import Balance, Balances
    from dgspay.models.banks import Bank
    from dgspay.models.cards import EncryptedCard, EncryptedPin
    from dgspay.models.charges import Charge
    from dgspay.models.conversions import Conversion, ConversionPreview
    from dgspay.models.customers import Customer
    from dgspay.models.disbursements import Disbursement
    from dgspay.models.enums import (
        AmountType,
        CallStatus,
        ConversionStatus,
        DestinationType,
        LinkStatus,
        PaymentMethod,
        PaymentStatus,
    )
    from dgspay.models.next_actions import (
        AddressRequired,
        NextAction,
        OtpRequired,
        PinRequired,
        RedirectRequired,
        UnknownAction,
    )
    from dgspay.models.payment_links import (
        ArchivedLink,
        LinkStats,
        PaymentLink,
        PaymentLinkDetails,
        RecentCharge,
    )
    from dgspay.models.phones import NetworkWarning
    from dgspay.models.recipients import BankRecipient, MobileMoneyRecipient
    from dgspay.models.results import Result
    from dgspay.models.scenario import Scenario
    from dgspay.models.standing import Standing
    from dgspay.models.transactions import Transaction
    from dgspay.pagers import AsyncPager, Pager

_HOME = {
    "api_keys": "ApiKey",
    "client": "AsyncDGSPay DGSPay",
    "core.events": "AttemptEvent CallEvent Hook TelemetryEvent",
    "core.messages": "Request Response Timeout",
    "core.operation": "Operation Reply",
    "core.pagination": "Page",
    "core.retry": "RetryPolicy",
    "errors": "Outcome",
    "merchants": "Merchants",
    "models.addresses": "BillingAddress",
    "models.balances": "Balance Balances",
    "models.banks": "Bank",
    "models.cards": "EncryptedCard EncryptedPin",
    "models.charges": "Charge",
    "models.conversions": "Conversion ConversionPreview",
    "models.customers": "Customer",
    "models.disbursements": "Disbursement",
    "models.enums": (
        "AmountType CallStatus ConversionStatus DestinationType LinkStatus PaymentMethod "
        "PaymentStatus"
    ),
    "models.next_actions": (
        "AddressRequired NextAction OtpRequired PinRequired RedirectRequired UnknownAction"
    ),
    "models.payment_links": "ArchivedLink LinkStats PaymentLink PaymentLinkDetails RecentCharge",
    "models.phones": "NetworkWarning",
    "models.recipients": "BankRecipient MobileMoneyRecipient",
    "models.results": "Result",
    "models.scenario": "Scenario",
    "models.standing": "Standing",
    "models.transactions": "Transaction",
    "pagers": "AsyncPager Pager",
}
_MODULES = ("encryption", "errors", "money", "webhooks")

__all__ = [
    "AddressRequired",
    "AmountType",
    "ApiKey",
    "ArchivedLink",
    "AsyncDGSPay",
    "AsyncPager",
    "AttemptEvent",
    "Balance",
    "Balances",
    "Bank",
    "BankRecipient",
    "BillingAddress",
    "CallEvent",
    "CallStatus",
    "Charge",
    "Conversion",
    "ConversionPreview",
    "ConversionStatus",
    "Customer",
    "DGSPay",
    "DestinationType",
    "Disbursement",
    "EncryptedCard",
    "EncryptedPin",
    "Hook",
    "LinkStats",
    "LinkStatus",
    "Merchants",
    "MobileMoneyRecipient",
    "NetworkWarning",
    "NextAction",
    "Operation",
    "OtpRequired",
    "Outcome",
    "Page",
    "Pager",
    "PaymentLink",
    "PaymentLinkDetails",
    "PaymentMethod",
    "PaymentStatus",
    "PinRequired",
    "RecentCharge",
    "RedirectRequired",
    "Reply",
    "Request",
    "Response",
    "Result",
    "RetryPolicy",
    "Scenario",
    "Standing",
    "TelemetryEvent",
    "Timeout",
    "Transaction",
    "UnknownAction",
    "__version__",
    "encryption",
    "errors",
    "money",
    "webhooks",
]


__getattr__ = _lazy.attach(__name__, _HOME, modules=_MODULES)


def __dir__() -> list[str]:
    return sorted(__all__)

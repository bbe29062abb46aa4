"""Webhooks of DGS-Pay: verify them, read them as typed events, handle each exactly once.

    event = verify(body, signature, secret)
    match event:
        case PaymentSucceeded(dgs_reference=reference, amount=amount):
            ...

See the guide's section "Webhooks".
"""

from __future__ import annotations

from dgspay.webhooks.events import (
    ConversionFailed,
    ConversionSucceeded,
    Destination,
    DisbursementFailed,
    DisbursementSucceeded,
    Event,
    EventEnvironment,
    KnownEvent,
    PaymentFailed,
    PaymentSucceeded,
    UnknownEvent,
)
from dgspay.webhooks.signature import SIGNATURE_HEADER, sign, verify

__all__ = [
    "SIGNATURE_HEADER",
    "ConversionFailed",
    "ConversionSucceeded",
    "Destination",
    "DisbursementFailed",
    "DisbursementSucceeded",
    "Event",
    "EventEnvironment",
    "KnownEvent",
    "PaymentFailed",
    "PaymentSucceeded",
    "UnknownEvent",
    "sign",
    "verify",
]

"""Webhooks of DGS-Pay: verify them, read them as typed events, handle each exactly once.

    event = verify(body, signature, secret)
    match event:
        case PaymentSucceeded(dgs_reference=reference, amount=amount):
            ...

See the guide's section "Webhooks".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dgspay import _lazy
from dgspay.webhooks.delivery import Delivery
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

if TYPE_CHECKING:
    from dgspay.webhooks.inbox import (
        AsyncInbox,
        AsyncPostgresInbox,
        AsyncRedisInbox,
        Inbox,
        MemoryInbox,
        PostgresInbox,
        RedisInbox,
        SQLiteInbox,
    )
    from dgspay.webhooks.receiver import WebhookReceiver
    from dgspay.webhooks.responses import WebhookResponse

__all__ = [
    "SIGNATURE_HEADER",
    "AsyncInbox",
    "AsyncPostgresInbox",
    "AsyncRedisInbox",
    "ConversionFailed",
    "ConversionSucceeded",
    "Delivery",
    "Destination",
    "DisbursementFailed",
    "DisbursementSucceeded",
    "Event",
    "EventEnvironment",
    "Inbox",
    "KnownEvent",
    "MemoryInbox",
    "PaymentFailed",
    "PaymentSucceeded",
    "PostgresInbox",
    "RedisInbox",
    "SQLiteInbox",
    "UnknownEvent",
    "WebhookReceiver",
    "WebhookResponse",
    "sign",
    "verify",
]

# A program that only verifies loads no event loop, no thread pool and no database driver.
__getattr__ = _lazy.attach(
    __name__,
    {
        "responses": "WebhookResponse",
        "receiver": "WebhookReceiver",
        "inbox": (
            "AsyncInbox AsyncPostgresInbox AsyncRedisInbox Inbox MemoryInbox PostgresInbox "
            "RedisInbox SQLiteInbox"
        ),
    },
)

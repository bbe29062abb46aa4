"""Webhooks of DGS-Pay: verify them, read them as typed events, handle each exactly once.

    event = verify(body, signature, secret)
    match event:
        case PaymentSucceeded(dgs_reference=reference, amount=amount):
            ...

See the guide's section "Webhooks".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    from dgspay.webhooks.answers import Answer
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

__all__ = [
    "SIGNATURE_HEADER",
    "Answer",
    "AsyncInbox",
    "AsyncPostgresInbox",
    "AsyncRedisInbox",
    "ConversionFailed",
    "ConversionSucceeded",
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
    "sign",
    "verify",
]

# A program that only verifies loads no event loop, no thread pool and no database driver.
_HOMES = {
    "Answer": "answers",
    "WebhookReceiver": "receiver",
    **dict.fromkeys(
        (
            "AsyncInbox",
            "AsyncPostgresInbox",
            "AsyncRedisInbox",
            "Inbox",
            "MemoryInbox",
            "PostgresInbox",
            "RedisInbox",
            "SQLiteInbox",
        ),
        "inbox",
    ),
}


def __getattr__(name: str) -> Any:
    """Load the receiver and the inboxes when they are first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # noqa: PLC0415 - only needed here

    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value

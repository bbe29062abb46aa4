"""The inbox: who remembers which event was handled, across threads, processes and crashes.

An event is claimed before its handler runs and marked done after it. The claim is atomic:
of any number of processes that hold the same event, one gets it. It is also a lease: when the
process dies in between, the event can be claimed again once the lease is over.

    claim ──▶ done            handled; every later delivery is a duplicate
          ──▶ release         the handler failed; the next delivery is handled at once
          ──▶ (a crash)       the next delivery after the lease is handled
"""

from __future__ import annotations

import enum
import secrets
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

import attrs

if TYPE_CHECKING:
    from dgspay.webhooks.inbox.memory import MemoryInbox
    from dgspay.webhooks.inbox.postgres import AsyncPostgresInbox, PostgresInbox
    from dgspay.webhooks.inbox.redis import AsyncRedisInbox, RedisInbox
    from dgspay.webhooks.inbox.sqlite import SQLiteInbox

__all__ = [
    "AsyncInbox",
    "AsyncPostgresInbox",
    "AsyncRedisInbox",
    "AsyncTransactionalInbox",
    "Claim",
    "ClaimLostError",
    "Inbox",
    "MemoryInbox",
    "PostgresInbox",
    "RedisInbox",
    "Refusal",
    "SQLiteInbox",
    "TransactionalInbox",
    "new_claim",
]

_HOMES = {
    "MemoryInbox": "memory",
    "SQLiteInbox": "sqlite",
    "PostgresInbox": "postgres",
    "AsyncPostgresInbox": "postgres",
    "RedisInbox": "redis",
    "AsyncRedisInbox": "redis",
}


def __getattr__(name: str) -> Any:
    """Load an inbox when it is first asked for: each stands on another library."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # noqa: PLC0415 - only needed here

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


@attrs.frozen
class Claim:
    """The right to handle one event until the lease is over.

    Attributes:
        key: The `dedupe_key` of the event.
        token: What tells this claim from a later one of the same event, made after its lease.
    """

    key: str
    token: str


class Refusal(enum.Enum):
    """Why an event was not given out."""

    DONE = "done"
    """It was handled."""
    BUSY = "busy"
    """Someone else is handling it, and their lease is not over."""


class ClaimLostError(Exception):
    """The lease was over before the handler, and somebody else has the event now."""


def new_claim(key: str) -> Claim:
    """Return a claim with a token nobody else has."""
    return Claim(key, secrets.token_hex(16))


class Inbox(Protocol):
    """What the receiver asks of an inbox. Every method may be called from any thread."""

    def claim(self, key: str, *, lease: float) -> Claim | Refusal:
        """Take an event for `lease` seconds, unless it is done or someone else's."""
        ...

    def done(self, claim: Claim) -> None:
        """Remember that the event was handled, whoever has claimed it since."""
        ...

    def release(self, claim: Claim) -> None:
        """Give the event back, unless it is done or someone else's by now."""
        ...


class TransactionalInbox(Inbox, Protocol):
    """An inbox whose "done" can be committed together with what the handler writes."""

    def transaction(self, claim: Claim) -> AbstractContextManager[Any]:
        """A transaction for the handler; it ends with the event marked done, or not at all.

        Raises:
            ClaimLostError: on entering, when the event is done or someone else's by now.
        """
        ...


class AsyncInbox(Protocol):
    """The same for a driver with `await`."""

    async def claim(self, key: str, *, lease: float) -> Claim | Refusal:
        """Take an event for `lease` seconds, unless it is done or someone else's."""
        ...

    async def done(self, claim: Claim) -> None:
        """Remember that the event was handled, whoever has claimed it since."""
        ...

    async def release(self, claim: Claim) -> None:
        """Give the event back, unless it is done or someone else's by now."""
        ...


class AsyncTransactionalInbox(AsyncInbox, Protocol):
    """The same for a driver with `await`, with transactions."""

    def transaction(self, claim: Claim) -> AbstractAsyncContextManager[Any]:
        """A transaction for the handler; it ends with the event marked done, or not at all.

        Raises:
            ClaimLostError: on entering, when the event is done or someone else's by now.
        """
        ...

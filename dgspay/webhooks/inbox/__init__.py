"""The inbox: a record of the events that were handled, across threads, processes and crashes.

An event is claimed before its handler runs and marked done after it. The claim is atomic:
of any number of processes that hold the same event, one gets it. It is also a lease: when the
process dies in between, the event can be claimed again once the lease is over.

    claim ──▶ done            handled; every later delivery is a duplicate
          ──▶ release         the handler failed; the next delivery is handled at once
          ──▶ (a crash)       the next delivery after the lease is handled

An event is claimed together with its group, the events of one reference: while one of them is
being handled, another is not given out, so that two workers never decide about one payment at
once. Its delivery is answered that it is in progress, and DGS-Pay repeats it.

No wall clock decides alone that a lease is over, as a clock can be set. On one machine a lease
is measured on the clock that counts from its start (`MemoryInbox`, `SQLiteInbox`). On servers it
is stated anew while its handler lives (`renew`), and one that seems to be over, or to have been
taken in the future, is watched for that before the event goes to another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dgspay import _lazy
from dgspay.webhooks.inbox.protocol import (
    PATIENCE,
    AsyncGroupingInbox,
    AsyncInbox,
    AsyncRenewableInbox,
    AsyncTransactionalInbox,
    Claim,
    ClaimLostError,
    GroupingInbox,
    Inbox,
    Refusal,
    RenewableInbox,
    TransactionalInbox,
    new_claim,
    watching,
)

if TYPE_CHECKING:
    from dgspay.webhooks.inbox.memory import MemoryInbox
    from dgspay.webhooks.inbox.postgres import AsyncPostgresInbox, PostgresInbox
    from dgspay.webhooks.inbox.redis import AsyncRedisInbox, RedisInbox
    from dgspay.webhooks.inbox.sqlite import SQLiteInbox

__all__ = [
    "PATIENCE",
    "AsyncGroupingInbox",
    "AsyncInbox",
    "AsyncPostgresInbox",
    "AsyncRedisInbox",
    "AsyncRenewableInbox",
    "AsyncTransactionalInbox",
    "Claim",
    "ClaimLostError",
    "GroupingInbox",
    "Inbox",
    "MemoryInbox",
    "PostgresInbox",
    "RedisInbox",
    "Refusal",
    "RenewableInbox",
    "SQLiteInbox",
    "TransactionalInbox",
    "new_claim",
    "watching",
]

# Each stands on another library.
__getattr__ = _lazy.attach(
    __name__,
    {
        "memory": "MemoryInbox",
        "sqlite": "SQLiteInbox",
        "postgres": "PostgresInbox AsyncPostgresInbox",
        "redis": "RedisInbox AsyncRedisInbox",
    },
)

"""A handler that takes a connection gets its event's own transaction, and nothing else; row 43.

`test_webhook_transactions.py` holds the same on a real PostgreSQL. Here the inbox is in memory, so
that every way out of the handler can be tried.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anyio
import pytest

from dgspay.webhooks import Event, MemoryInbox, PaymentSucceeded, sign
from dgspay.webhooks.inbox import Claim, ClaimLostError, Refusal
from tests.support.receiving import (
    BODY,
    AsyncMemoryInbox,
    delivered_on,
    delivered_sync,
    memory_receiver,
    status,
)
from tests.support.webhook_samples import SECRET

pytestmark = pytest.mark.acceptance(43, "handled-once")

SIGNATURE = sign(BODY, SECRET)
KEY = "[/production]payment.success:dgs_123456789"

Orders = list[str]


class Shop:
    """What the transactions of an inbox have committed, and whose events they were."""

    def __init__(self) -> None:
        self.orders: Orders = []
        self.claims: list[Claim] = []
        self.is_lost = False

    @contextlib.contextmanager
    def transaction(self, claim: Claim) -> Iterator[Orders]:
        if self.is_lost:
            raise ClaimLostError
        written: Orders = []
        yield written
        self.orders += written
        self.claims.append(claim)


class SharingInbox(MemoryInbox):
    def __init__(self, shop: Shop) -> None:
        super().__init__()
        self.shop = shop
        self.told: list[Claim] = []

    @contextlib.contextmanager
    def transaction(self, claim: Claim) -> Iterator[Orders]:
        with self.shop.transaction(claim) as connection:
            yield connection
        super().done(claim)

    def done(self, claim: Claim) -> None:
        self.told.append(claim)
        super().done(claim)


class AsyncSharingInbox(AsyncMemoryInbox):
    def __init__(self, shop: Shop) -> None:
        super().__init__()
        self.shop = shop
        self.told: list[Claim] = []

    @contextlib.asynccontextmanager
    async def transaction(self, claim: Claim) -> AsyncIterator[Orders]:
        with self.shop.transaction(claim) as connection:
            yield connection
        await super().done(claim)

    async def done(self, claim: Claim) -> None:
        self.told.append(claim)
        await super().done(claim)


def handler_of(inbox: Any, paid: Callable[[Event, Orders], None]) -> Callable[..., Any]:
    """The handler as its inbox needs it, plain or async."""
    if isinstance(inbox, SharingInbox):
        return paid

    async def awaited(event: Event, connection: Orders) -> None:
        await anyio.lowlevel.checkpoint()
        paid(event, connection)

    return awaited


def must_not_run(event: Event, connection: Orders) -> None:
    pytest.fail("somebody else has the event")


ENTRIES = [
    pytest.param(SharingInbox, delivered_sync, id="blocking"),
    pytest.param(SharingInbox, functools.partial(delivered_on, "asyncio"), id="thread-asyncio"),
    pytest.param(SharingInbox, functools.partial(delivered_on, "trio"), id="thread-trio"),
    pytest.param(AsyncSharingInbox, functools.partial(delivered_on, "asyncio"), id="asyncio"),
    pytest.param(AsyncSharingInbox, functools.partial(delivered_on, "trio"), id="trio"),
]


@pytest.mark.parametrize(("make_inbox", "deliver"), ENTRIES)
def test_what_the_handler_writes_is_committed_with_its_own_event(
    make_inbox: Any, deliver: Any
) -> None:
    shop = Shop()
    inbox = make_inbox(shop)
    receiver = memory_receiver(inbox=inbox)
    receiver.on(PaymentSucceeded)(
        handler_of(inbox, lambda event, connection: connection.append(str(event.dgs_reference)))
    )
    answers = [status(deliver(receiver, BODY, SIGNATURE)) for _ in range(2)]
    assert answers == [(200, "received"), (200, "duplicate")]
    assert shop.orders == ["dgs_123456789"]
    assert [claim.key for claim in shop.claims] == [KEY]
    # The commit said so: a second "done" after it could only fail.
    assert inbox.told == []


@pytest.mark.parametrize(("make_inbox", "deliver"), ENTRIES)
def test_what_a_failing_handler_wrote_is_not_committed(make_inbox: Any, deliver: Any) -> None:
    shop, failures = Shop(), [ValueError("the shop is down")]
    inbox = make_inbox(shop)
    receiver = memory_receiver(inbox=inbox)

    def paid(event: Event, connection: Orders) -> None:
        connection.append(str(event.dgs_reference))
        if failures:
            raise failures.pop()

    receiver.on(PaymentSucceeded)(handler_of(inbox, paid))
    assert status(deliver(receiver, BODY, SIGNATURE)) == (500, "failed")
    assert shop.orders == []
    assert status(deliver(receiver, BODY, SIGNATURE)) == (200, "received")
    assert shop.orders == ["dgs_123456789"]


@pytest.mark.parametrize(("make_inbox", "deliver"), ENTRIES)
def test_a_claim_lost_before_the_transaction_is_raised_and_not_acknowledged(
    make_inbox: Any, deliver: Any, caplog: pytest.LogCaptureFixture
) -> None:
    shop = Shop()
    shop.is_lost = True
    inbox = make_inbox(shop)
    receiver = memory_receiver(inbox=inbox)
    receiver.on(PaymentSucceeded)(handler_of(inbox, must_not_run))
    assert status(deliver(receiver, BODY, SIGNATURE)) == (409, "in_progress")
    (told,) = caplog.records
    assert (told.levelname, told.getMessage()) == (
        "WARNING",
        "payment.success:dgs_123456789 was not handled here: another delivery has claimed it",
    )


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_awaitable_from_a_plain_handler_commits_nothing(backend: str) -> None:
    async def save(event: Event, connection: Orders) -> None:
        pytest.fail("nobody awaits it")

    shop = Shop()
    inbox = SharingInbox(shop)
    receiver = memory_receiver(inbox=inbox)

    @receiver.on(PaymentSucceeded)
    def paid(event: Event, connection: Orders) -> Any:
        return save(event, connection)

    assert status(delivered_on(backend, receiver, BODY, SIGNATURE)) == (500, "failed")
    assert shop.claims == []
    assert inbox.claim(KEY, lease=60) is not Refusal.DONE

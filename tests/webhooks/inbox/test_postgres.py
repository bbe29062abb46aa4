"""The shop's update and the event's "done" are one commit on PostgreSQL; acceptance row 43."""

from __future__ import annotations

import asyncio
import threading
from contextlib import nullcontext
from typing import Any

import pytest

from dgspay.errors import ConfigError
from dgspay.webhooks import (
    AsyncPostgresInbox,
    MemoryInbox,
    PaymentSucceeded,
    PostgresInbox,
    WebhookReceiver,
    sign,
)
from dgspay.webhooks.inbox import Claim, ClaimLostError, Refusal
from tests.support.webhook_samples import PAYMENT_SUCCESS, SECRET, body_of

pytestmark = pytest.mark.acceptance(43, "handled-once")

ORDER = "INSERT INTO dgspay_test_orders (reference) VALUES (%s)"


def orders(url: str, reference: str) -> int:
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(url) as connection:
        query = "SELECT count(*) FROM dgspay_test_orders WHERE reference = %s"
        (count,) = connection.execute(query, (reference,)).fetchone()
    return int(count)


def open_transactions(url: str) -> int:
    """How many transactions of an inbox are open, besides the one that asks."""
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(url) as connection:
        query = (
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%dgspay_inbox%'"
            " AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
        )
        (open_now,) = connection.execute(query).fetchone()
    return int(open_now)


def delivery(reference: str) -> tuple[bytes, str]:
    body = body_of(PAYMENT_SUCCESS, dgs_reference=reference)
    return body, sign(body, SECRET)


def test_both_are_committed_or_neither(postgres_url: str, reference: str) -> None:
    receiver = WebhookReceiver(secret=SECRET, inbox=PostgresInbox(postgres_url))
    failures = [ValueError("the shop is down")]

    @receiver.on(PaymentSucceeded)
    def paid(event: PaymentSucceeded, connection: Any) -> None:
        connection.execute(ORDER, (event.dgs_reference,))
        if failures:
            raise failures.pop()

    assert receiver.receive(*delivery(reference)).status == 500
    assert orders(postgres_url, reference) == 0
    assert receiver.receive(*delivery(reference)).body == b'{"status":"received"}'
    assert receiver.receive(*delivery(reference)).body == b'{"status":"duplicate"}'
    assert orders(postgres_url, reference) == 1


def test_an_async_update_and_done_are_one_commit(postgres_url: str, reference: str) -> None:
    receiver = WebhookReceiver(secret=SECRET, inbox=AsyncPostgresInbox(postgres_url))
    failures = [ValueError("the shop is down")]

    @receiver.on(PaymentSucceeded)
    async def paid(event: PaymentSucceeded, connection: Any) -> None:
        await connection.execute(ORDER, (event.dgs_reference,))
        if failures:
            raise failures.pop()

    async def deliver() -> list[int]:
        return [(await receiver.areceive(*delivery(reference))).status for _ in range(3)]

    assert asyncio.run(deliver()) == [500, 200, 200]
    assert orders(postgres_url, reference) == 1


def test_a_plain_handler_runs_in_a_thread_with_its_transaction(
    postgres_url: str, reference: str
) -> None:
    receiver = WebhookReceiver(secret=SECRET, inbox=PostgresInbox(postgres_url))
    threads: list[int] = []

    @receiver.on(PaymentSucceeded)
    def paid(event: PaymentSucceeded, connection: Any) -> None:
        threads.append(threading.get_ident())
        connection.execute(ORDER, (event.dgs_reference,))

    assert asyncio.run(receiver.areceive(*delivery(reference))).status == 200
    assert threads != [threading.get_ident()]
    assert orders(postgres_url, reference) == 1


def test_a_connection_of_the_users_own_is_used(postgres_url: str, reference: str) -> None:
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(postgres_url, autocommit=True) as own:
        inbox = PostgresInbox(lambda: nullcontext(own))
        claim = inbox.claim(reference, lease=60)
        assert isinstance(claim, Claim)
        with inbox.transaction(claim) as connection:
            assert connection is own
    assert PostgresInbox(postgres_url).claim(reference, lease=60) is Refusal.DONE


def test_a_connection_that_dies_commits_neither(postgres_url: str, reference: str) -> None:
    receiver = WebhookReceiver(secret=SECRET, inbox=PostgresInbox(postgres_url))
    deaths = [True]

    @receiver.on(PaymentSucceeded)
    def paid(event: PaymentSucceeded, connection: Any) -> None:
        connection.execute(ORDER, (event.dgs_reference,))
        if deaths:
            deaths.pop()
            connection.close()

    assert receiver.receive(*delivery(reference)).status == 500
    assert orders(postgres_url, reference) == 0
    assert receiver.receive(*delivery(reference)).status == 200
    assert orders(postgres_url, reference) == 1


@pytest.mark.parametrize("lease", [0, 60])
def test_a_redelivery_during_the_transaction_waits_for_nothing(
    postgres_url: str, reference: str, lease: float
) -> None:
    inbox = PostgresInbox(postgres_url)
    # Were it to wait for the row's lock, the server would give up at once and say so.
    rival = f"{postgres_url} options='-c lock_timeout=1ms'"
    claim = inbox.claim(reference, lease=lease)
    assert isinstance(claim, Claim)
    with inbox.transaction(claim):
        assert PostgresInbox(rival).claim(reference, lease=60) is Refusal.BUSY
        awaited = AsyncPostgresInbox(rival).claim(reference, lease=60)
        assert asyncio.run(awaited) is Refusal.BUSY
    assert PostgresInbox(rival).claim(reference, lease=60) is Refusal.DONE


def test_a_burst_of_redeliveries_holds_no_connections(postgres_url: str, reference: str) -> None:
    receiver = WebhookReceiver(secret=SECRET, inbox=AsyncPostgresInbox(postgres_url))
    began, goes_on = asyncio.Event(), asyncio.Event()

    @receiver.on(PaymentSucceeded)
    async def paid(event: PaymentSucceeded, connection: Any) -> None:
        began.set()
        await goes_on.wait()

    async def story() -> list[int]:
        first = asyncio.create_task(receiver.areceive(*delivery(reference)))
        await began.wait()
        redeliveries = (receiver.areceive(*delivery(reference)) for _ in range(20))
        async with asyncio.timeout(60):
            refused = await asyncio.gather(*redeliveries)
        assert open_transactions(postgres_url) == 1
        goes_on.set()
        return [answer.status for answer in (*refused, await first)]

    assert asyncio.run(story()) == [409] * 20 + [200]


def test_who_lost_the_lease_before_the_transaction_is_refused(
    postgres_url: str, reference: str
) -> None:
    inbox = PostgresInbox(postgres_url)
    late = inbox.claim(reference, lease=0)
    assert isinstance(late, Claim)
    second = inbox.claim(reference, lease=60)
    assert isinstance(second, Claim)
    with pytest.raises(ClaimLostError), inbox.transaction(late):
        pytest.fail("the handler must not run")
    with inbox.transaction(second):
        pass

    async def too_late() -> None:
        async with AsyncPostgresInbox(postgres_url).transaction(second):
            pytest.fail("the handler must not run")

    with pytest.raises(ClaimLostError):
        asyncio.run(too_late())


def test_a_receiver_that_lost_the_lease_does_not_acknowledge(
    postgres_url: str, reference: str
) -> None:
    class SlowInbox(PostgresInbox):
        """Its claim takes longer than its lease."""

        def claim(self, key: str, *, lease: float, group: str = "") -> Claim | Refusal:
            late = super().claim(key, lease=0)
            super().claim(key, lease=lease, group=group)
            return late

    receiver = WebhookReceiver(secret=SECRET, inbox=SlowInbox(postgres_url))

    @receiver.on(PaymentSucceeded)
    def paid(event: PaymentSucceeded, connection: Any) -> None:
        pytest.fail("the handler must not run")

    assert receiver.receive(*delivery(reference)).status == 409


def test_a_handler_must_fit_its_inbox() -> None:
    async def asynchronous(event: object, connection: object) -> None: ...

    def plain(event: object, connection: object) -> None: ...

    for inbox, function, hint in (
        (MemoryInbox(), plain, "no transaction to share"),
        (PostgresInbox("host=nowhere"), asynchronous, "a plain function only"),
        (AsyncPostgresInbox("host=nowhere"), plain, "an async function only"),
    ):
        with pytest.raises(ConfigError, match=hint):
            WebhookReceiver(secret=SECRET, inbox=inbox).on(PaymentSucceeded)(function)

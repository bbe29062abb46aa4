"""Groups: events of one reference are given out one after another, by every inbox."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dgspay.webhooks import AsyncPostgresInbox, PostgresInbox
from dgspay.webhooks.inbox import Claim, ClaimLostError, Refusal

pytestmark = pytest.mark.acceptance(44, "events-in-any-order")

LONG = 3600.0
OVER_AT_ONCE = 0.0


class Shop:
    """Claims events of one group, or of others."""

    def __init__(self, inbox: Any, reference: str) -> None:
        self.inbox = inbox
        self.reference = reference

    def ask(self, event: str, lease: float = LONG, group: str = "g") -> Claim | Refusal:
        answer: Claim | Refusal = self.inbox.claim(
            f"{event}:{self.reference}", lease=lease, group=f"<{group}>{self.reference}"
        )
        return answer

    def claim(self, event: str, lease: float = LONG, group: str = "g") -> Claim:
        answer = self.ask(event, lease, group)
        assert isinstance(answer, Claim)
        return answer


@pytest.fixture
def shop(inbox: Any, reference: str) -> Shop:
    return Shop(inbox, reference)


def test_events_of_a_group_are_given_out_one_after_another(shop: Shop) -> None:
    failed = shop.claim("failed")
    assert shop.ask("success") is Refusal.BUSY
    shop.inbox.done(failed)
    shop.inbox.done(shop.claim("success"))
    assert [shop.ask("failed"), shop.ask("success")] == [Refusal.DONE, Refusal.DONE]


def test_an_event_that_is_released_lets_the_next_of_its_group_through(shop: Shop) -> None:
    shop.inbox.release(shop.claim("failed"))
    success = shop.claim("success")
    assert shop.ask("failed") is Refusal.BUSY
    shop.inbox.release(success)
    shop.claim("failed")


def test_events_of_other_groups_do_not_wait(shop: Shop) -> None:
    shop.claim("failed")
    shop.claim("success", group="another")
    assert isinstance(shop.inbox.claim(f"lone:{shop.reference}", lease=LONG), Claim)


def test_an_event_that_waits_for_its_group_is_not_claimed_itself(shop: Shop) -> None:
    failed = shop.claim("failed")
    assert shop.ask("success") is Refusal.BUSY
    # Its lease would otherwise hold its own redelivery up.
    shop.inbox.done(failed)
    shop.claim("success")


def test_a_duplicate_is_known_while_its_group_is_busy(shop: Shop) -> None:
    shop.inbox.done(shop.claim("failed"))
    shop.claim("success")
    assert shop.ask("failed") is Refusal.DONE


def test_a_group_whose_lease_is_over_is_given_out_again(shop: Shop) -> None:
    crashed = shop.claim("failed", OVER_AT_ONCE)
    success = shop.claim("success")
    # What is left of the old claim does not free the group from the new one.
    shop.inbox.release(crashed)
    assert shop.ask("failed") is Refusal.BUSY
    shop.inbox.done(crashed)
    assert shop.ask("refunded") is Refusal.BUSY
    shop.inbox.done(success)
    shop.claim("refunded")


def test_of_many_events_of_a_group_at_once_one_is_given_out(shop: Shop) -> None:
    start = threading.Barrier(16)

    def race(number: int) -> Claim | Refusal:
        start.wait()
        return shop.ask(f"event{number}")

    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(race, range(16)))
    assert sum(isinstance(answer, Claim) for answer in answers) == 1
    assert answers.count(Refusal.BUSY) == 15


def test_of_many_at_once_one_gets_a_group_that_a_crash_left(shop: Shop) -> None:
    shop.claim("crashed", OVER_AT_ONCE)
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda number: shop.ask(f"event{number}"), range(16)))
    assert sum(isinstance(answer, Claim) for answer in answers) == 1


@pytest.mark.parametrize(
    "inbox", ["postgres", "async_postgres", "redis", "async_redis"], indirect=True
)
def test_a_lease_that_is_renewed_keeps_its_group(shop: Shop) -> None:
    failed = shop.claim("failed", OVER_AT_ONCE)
    shop.inbox.renew(failed, lease=LONG)
    assert shop.ask("success") is Refusal.BUSY


def test_nothing_stays_of_a_group_that_is_free(shop: Shop, request: pytest.FixtureRequest) -> None:
    shop.inbox.done(shop.claim("failed"))
    shop.inbox.release(shop.claim("success"))
    assert records_of(shop.reference, request) == [f"failed:{shop.reference}"]


def records_of(reference: str, request: pytest.FixtureRequest) -> list[str]:
    """The keys of all that an inbox has about a reference."""
    find = ("SELECT key FROM dgspay_inbox WHERE key LIKE ", (f"%{reference}",))
    match request.node.callspec.params["inbox"].removeprefix("async_"):
        case "memory":
            inbox = request.getfixturevalue("inbox")
            return [*inbox._claimed, *inbox._done]
        case "sqlite":
            file = sqlite3.connect(request.getfixturevalue("sqlite_path"))
            rows: list[tuple[str]] = file.execute(find[0] + "?", find[1]).fetchall()
            file.close()
            return [key for (key,) in rows]
        case "postgres":
            import psycopg

            with psycopg.connect(request.getfixturevalue("postgres_url")) as connection:
                return [key for (key,) in connection.execute(find[0] + "%s", find[1])]
        case _:
            import redis

            with redis.Redis.from_url(request.getfixturevalue("redis_url")) as client:
                found = client.keys(f"dgspay:inbox:*{reference}")
                return [key.decode().removeprefix("dgspay:inbox:") for key in found]


def test_a_group_is_held_for_as_long_as_a_handlers_transaction(
    postgres_url: str, reference: str
) -> None:
    inbox = PostgresInbox(postgres_url, patience=0.05)
    shop = Shop(inbox, reference)
    # Its lease is over, and still nobody else gets an event of the reference.
    with inbox.transaction(shop.claim("failed", OVER_AT_ONCE)):
        assert shop.ask("success") is Refusal.BUSY
    with pytest.raises(LookupError), inbox.transaction(shop.claim("success")):
        raise LookupError
    # It was neither done nor released: the receiver does that with one that failed.
    assert shop.ask("refunded") is Refusal.BUSY


def test_a_handler_whose_group_another_has_does_not_begin(
    postgres_url: str, reference: str
) -> None:
    inbox = PostgresInbox(postgres_url, patience=0.05)
    shop = Shop(inbox, reference)
    late = shop.claim("failed", OVER_AT_ONCE)
    shop.claim("success")
    with pytest.raises(ClaimLostError), inbox.transaction(late):
        pytest.fail("the handler must not run")


def test_with_await_it_is_the_same(postgres_url: str, reference: str) -> None:
    inbox, blocking = AsyncPostgresInbox(postgres_url), PostgresInbox(postgres_url, patience=0.05)
    shop = Shop(blocking, reference)

    async def scene() -> None:
        async with inbox.transaction(shop.claim("failed", OVER_AT_ONCE)):
            assert await asyncio.to_thread(shop.ask, "success") is Refusal.BUSY
        late = shop.claim("success", OVER_AT_ONCE)
        shop.claim("refunded")
        with pytest.raises(ClaimLostError):
            async with inbox.transaction(late):
                pytest.fail("the handler must not run")

    asyncio.run(scene())


@pytest.mark.parametrize("inbox", ["postgres", "async_postgres"], indirect=True)
@pytest.mark.parametrize("step", ["renew", "done", "release"])
def test_the_row_of_an_event_is_locked_before_that_of_its_group(
    shop: Shop, step: str, postgres_url: str
) -> None:
    """Or a renewal and the "done" of one handler would wait for each other, and one would fail."""
    import psycopg

    claim = shop.claim("failed")
    locking = "SELECT 1 FROM dgspay_inbox WHERE key = %s FOR UPDATE SKIP LOCKED"
    waiting = (
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
        "AND pid <> pg_backend_pid() AND %s = ANY(pg_blocking_pids(pid))"
    )
    options = {"lease": LONG} if step == "renew" else {}
    with (
        psycopg.connect(postgres_url) as holding,
        psycopg.connect(postgres_url, autocommit=True) as looking,
        ThreadPoolExecutor(1) as thread,
    ):
        assert holding.execute(locking, (claim.key,)).fetchone()
        try:
            blocked = thread.submit(getattr(shop.inbox, step), claim, **options)
            while not looking.execute(waiting, (holding.info.backend_pid,)).fetchone():
                assert not blocked.done()
            assert looking.execute(locking, (claim.group,)).fetchone()
        finally:
            holding.rollback()
        blocked.result(60)

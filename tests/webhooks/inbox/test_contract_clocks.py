"""A clock that is set, an hour on or back, on the machine or on the server; acceptance row 43.

No event is given out while its handler lives, and none is kept from everybody once it is dead.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import attrs
import pytest

from dgspay.webhooks import (
    AsyncPostgresInbox,
    AsyncRedisInbox,
    PaymentSucceeded,
    PostgresInbox,
    RedisInbox,
    SQLiteInbox,
    WebhookReceiver,
    sign,
)
from dgspay.webhooks.inbox import Claim, Refusal
from tests.support.blocking_inbox import Blocking
from tests.support.webhook_samples import PAYMENT_SUCCESS, SECRET, body_of

pytestmark = pytest.mark.acceptance(43, "handled-once")

LEASE = 300.0
HOUR = 3600.0
SERVERS = ["postgres", "async_postgres", "redis", "async_redis"]

Shift = Callable[[float], None]


class ShiftedRedis:
    """A client of a server whose clock can be set, though the machine's is not."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.seconds = 0.0

    def shift(self, seconds: float) -> None:
        self.seconds = seconds

    def eval(self, script: str, *arguments: Any) -> Any:
        shifted = f"{{redis.call('TIME')[1] + ({self.seconds:.0f}), 0}}"
        return self.client.eval(script.replace("redis.call('TIME')", shifted), *arguments)


@pytest.fixture
def shifted_postgres(postgres_url: str, reference: str) -> Iterator[tuple[str, Shift]]:
    """A connection string for which the server's clock can be set, and the way to set it."""
    psycopg = pytest.importorskip("psycopg")
    schema = reference
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        connection.execute(f"CREATE TABLE {schema}.shift AS SELECT interval '0' AS by")
        connection.execute(
            f"CREATE FUNCTION {schema}.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS "
            f"'SELECT pg_catalog.clock_timestamp() + by FROM {schema}.shift'"
        )

        def shift(seconds: float) -> None:
            connection.execute(
                f"UPDATE {schema}.shift SET by = make_interval(secs => %s)", (seconds,)
            )

        yield f"{postgres_url} options='-c search_path={schema},public,pg_catalog'", shift
        connection.execute(f"DROP SCHEMA {schema} CASCADE")


@attrs.frozen
class Server:
    """An inbox on a server whose clock can be set.

    Attributes:
        inbox: The inbox; one with `await` is made blocking.
        shift: Sets the clock, so many seconds from the true time.
        watched: What is to happen while a lease is watched, instead of a wait.
    """

    inbox: Any
    shift: Shift
    watched: list[Callable[[], object]] = attrs.field(factory=list)


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    watched: list[Callable[[], object]] = []

    def sleep(seconds: float) -> None:
        while watched:
            watched.pop()()

    async def sleep_async(seconds: float) -> None:
        # The inbox with `await` is asked from another thread, as `Blocking` does it.
        await anyio.to_thread.run_sync(sleep, seconds)

    kind = request.param.removeprefix("async_")
    module = f"dgspay.webhooks.inbox.{kind}"
    monkeypatch.setattr(f"{module}.time", SimpleNamespace(sleep=sleep))
    monkeypatch.setattr(f"{module}.anyio", SimpleNamespace(sleep=sleep_async))
    if kind == "postgres":
        url, shift = request.getfixturevalue("shifted_postgres")
        if request.param == "postgres":
            yield Server(PostgresInbox(url), shift, watched)
            return
        with Blocking(AsyncPostgresInbox(url)) as blocking:
            yield Server(blocking, shift, watched)
        return
    import redis
    import redis.asyncio

    url = request.getfixturevalue("redis_url")
    if request.param == "redis":
        with redis.Redis.from_url(url) as client:
            shifted = ShiftedRedis(client)
            yield Server(RedisInbox(shifted), shifted.shift, watched)
        return
    async_client = redis.asyncio.Redis.from_url(url)
    shifted = ShiftedRedis(async_client)
    with Blocking(AsyncRedisInbox(shifted), async_client.aclose) as blocking:
        yield Server(blocking, shifted.shift, watched)


class Renewals:
    """Counts renewals, and takes the place of the wait while a lease is watched."""

    def __init__(self) -> None:
        self.count = 0
        self._changed = threading.Condition()

    def note(self) -> None:
        with self._changed:
            self.count += 1
            self._changed.notify_all()

    def sleep(self, seconds: float) -> None:
        with self._changed:
            # The first may have been under way when the lease was looked at.
            enough = self.count + 2
            assert self._changed.wait_for(lambda: self.count >= enough, 60)

    async def sleep_async(self, seconds: float) -> None:
        await anyio.to_thread.run_sync(self.sleep, seconds)


def claimed(inbox: Any, key: str, lease: float = LEASE) -> Claim:
    claim = inbox.claim(key, lease=lease)
    assert isinstance(claim, Claim)
    return claim


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_a_lease_that_is_renewed_is_not_over_whatever_the_servers_clock_says(
    server: Server, reference: str, jump: float
) -> None:
    held = claimed(server.inbox, reference)
    server.shift(jump)
    server.watched.append(lambda: server.inbox.renew(held, lease=LEASE - 1))
    assert server.inbox.claim(reference, lease=LEASE) is Refusal.BUSY
    # It is right again by the clock as it is now: no need to watch it any more.
    server.watched.append(lambda: pytest.fail("it was watched"))
    assert server.inbox.claim(reference, lease=LEASE) is Refusal.BUSY
    server.inbox.done(held)
    assert server.inbox.claim(reference, lease=LEASE) is Refusal.DONE


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_a_lease_that_was_not_renewed_is_given_out_though_the_clock_went_back(
    server: Server, reference: str, jump: float
) -> None:
    dead = claimed(server.inbox, reference)
    server.shift(jump)
    second = claimed(server.inbox, reference)
    server.inbox.renew(dead, lease=LEASE)
    server.inbox.release(dead)
    assert server.inbox.claim(reference, lease=LEASE) is Refusal.BUSY
    server.inbox.done(second)
    assert server.inbox.claim(reference, lease=LEASE) is Refusal.DONE


def test_what_ends_while_it_is_watched_is_answered_as_it_ended(
    server: Server, reference: str
) -> None:
    held, failed = claimed(server.inbox, reference), claimed(server.inbox, reference + "failed")
    server.shift(HOUR)
    server.watched.append(lambda: server.inbox.done(held))
    assert server.inbox.claim(reference, lease=LEASE) is Refusal.DONE
    server.watched.append(lambda: server.inbox.release(failed))
    # It is free; the next delivery has it, at the latest.
    server.inbox.claim(failed.key, lease=LEASE)
    server.inbox.claim(failed.key, lease=LEASE)
    server.watched.append(lambda: server.inbox.done(failed))
    assert server.inbox.claim(failed.key, lease=LEASE) is not Refusal.DONE


def test_a_lease_is_not_renewed_for_another(server: Server, reference: str) -> None:
    first = claimed(server.inbox, reference, 0.0)
    second = claimed(server.inbox, reference, 0.0)
    server.inbox.renew(first, lease=LEASE)
    third = claimed(server.inbox, reference)
    assert len({first.token, second.token, third.token}) == 3


class TestReceiver:
    """The whole way: the handler works, the server's clock is set, the event comes again."""

    body = body_of(PAYMENT_SUCCESS)

    def received(self, receiver: WebhookReceiver, body: bytes) -> int:
        return receiver.receive(body, sign(body, SECRET)).status

    async def areceived(self, receiver: WebhookReceiver, body: bytes) -> int:
        return (await receiver.areceive(body, sign(body, SECRET))).status

    @pytest.mark.parametrize("jump", [HOUR, -HOUR])
    def test_blocking(
        self,
        jump: float,
        shifted_postgres: tuple[str, Shift],
        reference: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        url, shift = shifted_postgres
        renewals, begun, goes_on = Renewals(), threading.Event(), threading.Event()

        class Watched(PostgresInbox):
            def renew(self, claim: Claim, *, lease: float) -> None:
                super().renew(claim, lease=lease)
                renewals.note()

        waiting = SimpleNamespace(sleep=renewals.sleep)
        monkeypatch.setattr("dgspay.webhooks.inbox.postgres.time", waiting)
        receiver = WebhookReceiver(secret=SECRET, inbox=Watched(url, patience=0.1))
        handled: list[str] = []

        @receiver.on(PaymentSucceeded)
        def paid(event: PaymentSucceeded) -> None:
            handled.append(event.dgs_reference)
            begun.set()
            assert goes_on.wait(60)

        body = body_of(PAYMENT_SUCCESS, dgs_reference=reference)
        first = threading.Thread(target=self.received, args=(receiver, body))
        first.start()
        assert begun.wait(60)
        shift(jump)
        assert self.received(receiver, body) == 409
        goes_on.set()
        first.join()
        assert self.received(receiver, body) == 200
        assert handled == [reference]

    @pytest.mark.parametrize("backend", ["asyncio", "trio"])
    @pytest.mark.parametrize("is_async", [True, False])
    def test_with_await(
        self,
        backend: str,
        is_async: bool,
        redis_url: str,
        reference: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        import redis
        import redis.asyncio

        # There is no client of Redis for trio, but for the receiver and its renewals.
        made: Any = AsyncRedisInbox if backend == "asyncio" else RedisOnTrio
        renewals = Renewals()

        class Watched(made):  # type: ignore[misc]
            async def renew(self, claim: Claim, *, lease: float) -> None:
                await super().renew(claim, lease=lease)
                renewals.note()

        handled: list[str] = []
        body = body_of(PAYMENT_SUCCESS, dgs_reference=reference)

        async def program() -> None:
            client: Any = redis.asyncio.Redis.from_url(redis_url)
            if backend == "trio":
                client = redis.Redis.from_url(redis_url)
            shifted = ShiftedRedis(client)
            inbox = Watched(shifted)
            inbox.patience = 0.1
            receiver = WebhookReceiver(secret=SECRET, inbox=inbox, answer_within=0.2)
            another = WebhookReceiver(secret=SECRET, inbox=inbox, answer_within=60)
            begun, goes_on = threading.Event(), threading.Event()

            async def paid(event: PaymentSucceeded) -> None:
                handled.append(event.dgs_reference)
                begun.set()
                while not goes_on.is_set():
                    await anyio.lowlevel.checkpoint()

            def paid_in_thread(event: PaymentSucceeded) -> None:
                handled.append(event.dgs_reference)
                begun.set()
                assert goes_on.wait(60)

            for each in (receiver, another):
                each.on(PaymentSucceeded)(paid if is_async else paid_in_thread)
            # Answered while the handler goes on.
            assert await self.areceived(receiver, body) == 409
            await anyio.to_thread.run_sync(begun.wait)
            shifted.shift(HOUR)
            waiting = SimpleNamespace(sleep=renewals.sleep_async)
            monkeypatch.setattr("dgspay.webhooks.inbox.redis.anyio", waiting)
            waiting = SimpleNamespace(sleep=renewals.sleep)
            monkeypatch.setattr("dgspay.webhooks.inbox.redis.time", waiting)
            assert await self.areceived(another, body) == 409
            monkeypatch.undo()
            goes_on.set()
            await receiver.drain()
            assert await self.areceived(another, body) == 200
            await (client.aclose() if backend == "asyncio" else anyio.lowlevel.checkpoint())
            if backend == "trio":
                client.close()

        anyio.run(program, backend=backend)
        assert handled == [reference]


class RedisOnTrio:
    """An inbox with `await` for trio."""

    def __init__(self, client: Any) -> None:
        self._inbox = RedisInbox(client, patience=0.1)
        self.patience = 0.1

    async def claim(self, key: str, *, lease: float) -> Claim | Refusal:
        return await anyio.to_thread.run_sync(lambda: self._inbox.claim(key, lease=lease))

    async def renew(self, claim: Claim, *, lease: float) -> None:
        await anyio.to_thread.run_sync(lambda: self._inbox.renew(claim, lease=lease))

    async def done(self, claim: Claim) -> None:
        await anyio.to_thread.run_sync(self._inbox.done, claim)

    async def release(self, claim: Claim) -> None:
        await anyio.to_thread.run_sync(self._inbox.release, claim)


class TestOneConnectionForAll:
    """A program that hands out one connection uses it in its handlers, in any state."""

    def test_blocking(self, postgres_url: str, reference: str) -> None:
        psycopg = pytest.importorskip("psycopg")
        from contextlib import nullcontext

        renewed: list[str] = []

        class Watched(PostgresInbox):
            def renew(self, claim: Claim, *, lease: float) -> None:
                super().renew(claim, lease=lease)
                renewed.append(claim.key)

        with psycopg.connect(postgres_url) as only:
            inbox = Watched(lambda: nullcontext(only), patience=0.01)
            receiver = WebhookReceiver(secret=SECRET, inbox=inbox)

            @receiver.on(PaymentSucceeded)
            def paid(event: PaymentSucceeded) -> None:
                while len(renewed) < 3:
                    with only.transaction():
                        only.execute("SELECT 1")

            body = body_of(PAYMENT_SUCCESS, dgs_reference=reference)
            assert receiver.receive(body, sign(body, SECRET)).status == 200
            only.commit()
        assert PostgresInbox(postgres_url).claim(
            f"[/production]payment.success:{reference}", lease=1
        ) is (Refusal.DONE)


class TestOneMachine:
    """A SQLite file goes by the clock that counts from the start of the machine."""

    wall = 1_790_000_000.0
    monotonic = 5_000.0

    def inbox(self, path: Path) -> SQLiteInbox:
        return SQLiteInbox(path, clock=lambda: self.wall, monotonic=lambda: self.monotonic)

    @pytest.mark.parametrize("jump", [HOUR, -HOUR])
    def test_the_wall_clock_ends_and_extends_no_lease(self, jump: float, sqlite_path: Path) -> None:
        claimed(self.inbox(sqlite_path), "k")
        self.wall += jump
        self.monotonic += LEASE - 1
        assert self.inbox(sqlite_path).claim("k", lease=LEASE) is Refusal.BUSY
        self.monotonic += 1
        claimed(self.inbox(sqlite_path), "k")

    def test_a_claim_from_before_the_machine_was_restarted_is_free(self, sqlite_path: Path) -> None:
        claimed(self.inbox(sqlite_path), "k")
        self.monotonic = 30.0
        claimed(self.inbox(sqlite_path), "k")
        assert self.inbox(sqlite_path).claim("k", lease=LEASE) is Refusal.BUSY

    def test_a_lease_begins_at_once_on_every_processor(self, sqlite_path: Path) -> None:
        self.monotonic = 4_999.999_999_999
        claimed(self.inbox(sqlite_path), "k")
        self.monotonic = 4_999.999_999_998
        assert self.inbox(sqlite_path).claim("k", lease=LEASE) is Refusal.BUSY

    def test_what_an_older_version_holds_or_has_done_is_its_own(self, sqlite_path: Path) -> None:
        self.inbox(sqlite_path).forget(older_than=0)  # makes the table, which has not changed
        with sqlite3.connect(sqlite_path) as connection:
            connection.executemany(
                "INSERT INTO dgspay_inbox VALUES (?, ?, ?, ?)",
                [
                    ("held", "0" * 32, self.wall + LEASE, None),
                    ("left", "1" * 32, self.wall - 1, None),
                    ("done", "2" * 32, self.wall - 1, self.wall),
                ],
            )
        connection.close()
        inbox = self.inbox(sqlite_path)
        assert inbox.claim("held", lease=LEASE) is Refusal.BUSY
        claimed(inbox, "left")
        assert inbox.claim("done", lease=LEASE) is Refusal.DONE

    def test_an_older_version_understands_what_this_one_writes(self, sqlite_path: Path) -> None:
        claim = claimed(self.inbox(sqlite_path), "k")
        with sqlite3.connect(sqlite_path) as connection:
            ((token, until),) = connection.execute("SELECT token, leased_until FROM dgspay_inbox")
        connection.close()
        assert (token, until) == (claim.token, self.wall + LEASE)
        assert re.fullmatch(r"[0-9a-f]{32} 5000000000-5300000000", token)

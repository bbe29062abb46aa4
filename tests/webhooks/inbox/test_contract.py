"""One contract for every inbox, each on its real server; acceptance row 43."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dgspay.errors import ConfigError
from dgspay.webhooks import (
    AsyncPostgresInbox,
    AsyncRedisInbox,
    MemoryInbox,
    PostgresInbox,
    RedisInbox,
    SQLiteInbox,
)
from dgspay.webhooks.inbox import Claim, Refusal
from tests.support.blocking_inbox import Blocking

LONG = 3600.0
OVER_AT_ONCE = 0.0


def claimed(inbox: Any, key: str, lease: float = LONG) -> Claim:
    claim = inbox.claim(key, lease=lease)
    assert isinstance(claim, Claim)
    return claim


def test_an_event_is_given_out_once(inbox: Any, reference: str) -> None:
    claimed(inbox, reference)
    assert inbox.claim(reference, lease=LONG) is Refusal.BUSY
    claimed(inbox, reference + " another")


def test_what_is_done_stays_done(inbox: Any, reference: str) -> None:
    inbox.done(claimed(inbox, reference))
    assert inbox.claim(reference, lease=LONG) is Refusal.DONE
    assert inbox.claim(reference, lease=OVER_AT_ONCE) is Refusal.DONE


@pytest.mark.acceptance(43, "handled-once")
def test_what_is_released_is_given_out_again(inbox: Any, reference: str) -> None:
    first = claimed(inbox, reference)
    inbox.release(first)
    again = claimed(inbox, reference)
    assert again.key == first.key
    assert again.token != first.token


@pytest.mark.acceptance(43, "handled-once")
def test_a_lease_that_is_over_is_given_out_again(inbox: Any, reference: str) -> None:
    claimed(inbox, reference, OVER_AT_ONCE)
    inbox.done(claimed(inbox, reference))
    assert inbox.claim(reference, lease=LONG) is Refusal.DONE


def test_who_lost_a_lease_cannot_release_the_next_one(inbox: Any, reference: str) -> None:
    late = claimed(inbox, reference, OVER_AT_ONCE)
    claimed(inbox, reference)
    inbox.release(late)
    assert inbox.claim(reference, lease=LONG) is Refusal.BUSY


def test_who_lost_a_lease_but_handled_the_event_has_handled_it(inbox: Any, reference: str) -> None:
    late = claimed(inbox, reference, OVER_AT_ONCE)
    second = claimed(inbox, reference)
    inbox.done(late)
    assert inbox.claim(reference, lease=LONG) is Refusal.DONE
    inbox.release(second)
    assert inbox.claim(reference, lease=LONG) is Refusal.DONE
    inbox.done(second)
    assert inbox.claim(reference, lease=LONG) is Refusal.DONE


def test_done_after_a_release_holds(inbox: Any, reference: str) -> None:
    claim = claimed(inbox, reference)
    inbox.release(claim)
    inbox.done(claim)
    assert inbox.claim(reference, lease=LONG) is Refusal.DONE


@pytest.mark.acceptance(43, "handled-once")
def test_of_many_at_once_one_gets_it(inbox: Any, reference: str) -> None:
    start = threading.Barrier(16)

    def race(_: int) -> Claim | Refusal:
        start.wait()
        answer: Claim | Refusal = inbox.claim(reference, lease=LONG)
        return answer

    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(race, range(16)))
    assert sum(isinstance(answer, Claim) for answer in answers) == 1
    assert answers.count(Refusal.BUSY) == 15


@pytest.mark.acceptance(43, "handled-once")
def test_of_many_at_once_one_gets_what_a_crash_left(inbox: Any, reference: str) -> None:
    claimed(inbox, reference, OVER_AT_ONCE)
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: inbox.claim(reference, lease=LONG), range(16)))
    assert sum(isinstance(answer, Claim) for answer in answers) == 1


@pytest.mark.parametrize(
    "odd", ["'; DROP TABLE dgspay_inbox; --", "%s %(key)s", "ñ 支付 🇷🇼", "a:b\\c", "🌍" * 600]
)
def test_a_key_is_any_text(inbox: Any, reference: str, odd: str) -> None:
    key = f"{odd}{reference}"
    inbox.done(claimed(inbox, key))
    assert inbox.claim(key, lease=LONG) is Refusal.DONE
    claimed(inbox, key + "x")


@pytest.mark.parametrize("inbox", ["sqlite", "postgres", "async_postgres"], indirect=True)
def test_what_is_forgotten_can_be_handled_again(inbox: Any, reference: str) -> None:
    held, handled = claimed(inbox, reference + "held"), claimed(inbox, reference)
    inbox.done(handled)
    inbox.forget(older_than=LONG)
    assert inbox.claim(handled.key, lease=LONG) is Refusal.DONE
    assert inbox.forget(older_than=-LONG) >= 1
    claimed(inbox, handled.key)
    assert inbox.claim(held.key, lease=LONG) is Refusal.BUSY


class TestTime:
    """Where the clock is ours, a lease is tested to the second."""

    now = 1_000_000.0

    def check(self, inbox: Any) -> None:
        claimed(inbox, "k", 300)
        self.now += 299
        assert inbox.claim("k", lease=300) is Refusal.BUSY
        self.now += 1
        inbox.done(claimed(inbox, "k", 300))
        self.now += 10_000
        assert inbox.claim("k", lease=300) is Refusal.DONE

    def test_memory_keeps_a_lease_and_a_record_to_the_second(self) -> None:
        inbox = MemoryInbox(clock=lambda: self.now, keep=20_000)
        self.check(inbox)
        self.now += 10_001
        claimed(inbox, "k")

    def test_sqlite_keeps_a_lease_and_a_record_to_the_second(self, sqlite_path: Path) -> None:
        self.check(SQLiteInbox(sqlite_path, monotonic=lambda: self.now))


def milliseconds_left(client: Any, name: str) -> range:
    """How long a record still stays, as what it was given may have been up to a minute ago."""
    left = client.pttl(name)
    return range(left, left + 60_000)


@pytest.mark.parametrize("kind", ["redis", "async_redis"])
def test_redis_keeps_no_record_for_ever(kind: str, redis_url: str, reference: str) -> None:
    import redis
    import redis.asyncio

    options: dict[str, Any] = {"prefix": "shop:", "keep": 60}
    async_client = redis.asyncio.Redis.from_url(redis_url)
    with (
        redis.Redis.from_url(redis_url) as client,
        Blocking(AsyncRedisInbox(async_client, **options), async_client.aclose) as blocking,
    ):
        inbox: Any = RedisInbox(client, **options) if kind == "redis" else blocking
        claim = claimed(inbox, reference, 3600)
        left, (seconds, microseconds) = client.pipeline().pttl(f"shop:{reference}").time().execute()
        forgotten_at = left + seconds * 1000 + microseconds / 1000
        # A day after the lease, which must not outlive its record, also where the clock jumps.
        leased_until = float(client.hget(f"shop:{reference}", "leased_until") or 0)
        assert abs(forgotten_at - leased_until - 24 * 3600_000) < 500
        inbox.done(claim)
        assert 60_000 in milliseconds_left(client, f"shop:{reference}")


class Repeating:
    """A client that has lost the first answer, and asks again, as redis-py does by itself."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def eval(self, *question: Any) -> Any:
        self._client.eval(*question)
        return self._client.eval(*question)


@pytest.mark.acceptance(43, "handled-once")
def test_redis_gives_out_what_only_the_same_claim_holds(redis_url: str, reference: str) -> None:
    redis = pytest.importorskip("redis")
    with redis.Redis.from_url(redis_url) as client:
        inbox, other = RedisInbox(Repeating(client)), RedisInbox(client)
        claim = claimed(inbox, reference)
        assert other.claim(reference, lease=LONG) is Refusal.BUSY
        inbox.release(claim)
        inbox.done(claimed(inbox, reference))
        assert inbox.claim(reference, lease=LONG) is Refusal.DONE


@pytest.mark.parametrize("inbox", ["redis", "async_redis"], indirect=True)
def test_redis_keeps_ninety_days_under_names_of_our_own(
    inbox: Any, redis_url: str, reference: str
) -> None:
    import redis

    with redis.Redis.from_url(redis_url) as client:
        name, ninety_days = f"dgspay:inbox:{reference}", 90 * 24 * 3_600_000
        claim = claimed(inbox, reference, 300)
        assert ninety_days in milliseconds_left(client, name)
        seconds, microseconds = client.time()
        leased_until = float(client.hget(name, "leased_until"))
        assert 240_000 < leased_until - seconds * 1000 - microseconds / 1000 <= 300_000
        inbox.done(claim)
        assert ninety_days in milliseconds_left(client, name)


@pytest.mark.parametrize("kind", [PostgresInbox, AsyncPostgresInbox])
def test_postgres_makes_its_table_once_however_many_ask_at_once(
    kind: Any, postgres_url: str, reference: str
) -> None:
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {reference}")
        url = f"{postgres_url} options='-c search_path={reference}'"

        def install(_: int) -> None:
            making = kind(url).install()
            if kind is AsyncPostgresInbox:
                asyncio.run(making)

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(install, range(8)))
        assert isinstance(PostgresInbox(url).claim(reference, lease=LONG), Claim)
        connection.execute(f"DROP SCHEMA {reference} CASCADE")


def test_sqlite_remembers_across_instances_and_leaves_no_lock(sqlite_path: Path) -> None:
    SQLiteInbox(sqlite_path).done(claimed(SQLiteInbox(str(sqlite_path)), "k"))
    assert SQLiteInbox(sqlite_path).claim("k", lease=LONG) is Refusal.DONE


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_only_its_owner_reads_the_file_of_sqlite(sqlite_path: Path) -> None:
    seen: list[int] = []

    class Watched(SQLiteInbox):
        """Looks at its files while they are being written."""

        @contextmanager
        def _transaction(self) -> Iterator[sqlite3.Connection]:
            with super()._transaction() as connection:
                yield connection
                seen.extend(each.stat().st_mode & 0o777 for each in sqlite_path.parent.iterdir())

    old = os.umask(0)
    try:
        inbox = Watched(sqlite_path)
        inbox.done(claimed(inbox, "k"))
    finally:
        os.umask(old)
    # The journal among them.
    assert len(seen) > 2
    assert set(seen) == {0o600}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_sqlite_leaves_the_mode_of_a_file_that_is_there(sqlite_path: Path) -> None:
    sqlite_path.touch()
    sqlite_path.chmod(0o660)
    claimed(SQLiteInbox(sqlite_path), "k")
    assert sqlite_path.stat().st_mode & 0o777 == 0o660


def test_sqlite_names_a_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        SQLiteInbox(tmp_path / "nowhere" / "inbox.sqlite3").claim("k", lease=LONG)


@pytest.mark.parametrize("path", ["", ":memory:"])
def test_sqlite_needs_a_file(path: str) -> None:
    with pytest.raises(ConfigError, match="MemoryInbox"):
        SQLiteInbox(path)


def test_sqlite_keeps_its_place_when_the_program_changes_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    inbox = SQLiteInbox()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    inbox.done(claimed(inbox, "k"))
    assert (tmp_path / "dgspay-webhooks.sqlite3").exists()

"""Servers and inboxes for the tests of webhooks."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from dgspay.webhooks import MemoryInbox, SQLiteInbox
from tests.support.blocking_inbox import Blocking
from tests.support.real_servers import postgres_binaries, running_postgres, running_redis

INBOXES = ["memory", "sqlite", "postgres", "async_postgres", "redis", "async_redis"]


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL, or a skip that says what is missing."""
    psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed")
    from dgspay.webhooks import PostgresInbox

    given = os.environ.get("DGSPAY_TEST_POSTGRES_URL")
    binaries = postgres_binaries()
    if given is None and binaries is None:
        pytest.skip("no PostgreSQL: install postgresql or set DGSPAY_TEST_POSTGRES_URL")
    running = nullcontext(given) if given else running_postgres(binaries)  # type: ignore[arg-type]
    with running as url:
        assert url is not None
        PostgresInbox(url).install()
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS dgspay_test_orders (reference text)")
        yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A real Redis, or a skip that says what is missing."""
    pytest.importorskip("redis", reason="redis is not installed")
    given, binary = os.environ.get("DGSPAY_TEST_REDIS_URL"), shutil.which("redis-server")
    if given is None and binary is None:
        pytest.skip("no Redis: install redis-server or set DGSPAY_TEST_REDIS_URL")
    with nullcontext(given) if given else running_redis(str(binary)) as url:
        assert url is not None
        yield url


@pytest.fixture
def reference() -> str:
    """A reference no other test uses, as a server may be shared and outlive the tests."""
    return f"dgs_{uuid.uuid4().hex}"


@pytest.fixture
def sqlite_path(tmp_path: Path) -> Path:
    return tmp_path / "inbox.sqlite3"


@pytest.fixture(params=INBOXES)
def inbox(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Each kind of inbox, with its real server; the ones with `await` made blocking.

    A lease that is over is not watched for long: nobody renews it here.
    """
    match request.param:
        case "memory":
            yield MemoryInbox()
        case "sqlite":
            yield SQLiteInbox(request.getfixturevalue("sqlite_path"))
        case "postgres":
            from dgspay.webhooks import PostgresInbox

            yield PostgresInbox(request.getfixturevalue("postgres_url"), patience=0.05)
        case "async_postgres":
            from dgspay.webhooks import AsyncPostgresInbox

            with Blocking(
                AsyncPostgresInbox(request.getfixturevalue("postgres_url"), patience=0.05)
            ) as blocking:
                yield blocking
        case "redis":
            import redis

            from dgspay.webhooks import RedisInbox

            with redis.Redis.from_url(request.getfixturevalue("redis_url")) as client:
                yield RedisInbox(client, patience=0.05)
        case "async_redis":
            import redis.asyncio

            from dgspay.webhooks import AsyncRedisInbox

            async_client = redis.asyncio.Redis.from_url(request.getfixturevalue("redis_url"))
            with Blocking(
                AsyncRedisInbox(async_client, patience=0.05), async_client.aclose
            ) as blocking:
                yield blocking

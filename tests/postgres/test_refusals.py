"""Reasons for which PostgreSQL refuses a connection, each in words without secrets of the URL."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from dgspay.payouts import LedgerError
from tests.support.postgres_clusters import Cluster, cluster, free_port

pytestmark = pytest.mark.acceptance(101, "database-trouble")

SECRET = "hunter2"


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with cluster(settings="max_connections = 12") as server:
        server.sql(f"CREATE ROLE clerk LOGIN PASSWORD '{SECRET}'")
        server.sql("CREATE ROLE few LOGIN CONNECTION LIMIT 1")
        server.allow(
            "local all all trust",
            "host all clerk 127.0.0.1/32 scram-sha-256",
            "hostssl all tls 127.0.0.1/32 trust",
            "host all few,shop,nobody 127.0.0.1/32 trust",
        )
        yield server


def said(url: str) -> str:
    from dgspay.payouts import PostgresLedger

    with pytest.raises(LedgerError) as refused:
        PostgresLedger(url)
    assert SECRET not in str(refused.value)
    assert "What is not in the ledger is not sent" in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize(
    ("user", "rest", "words"),
    [
        (f"clerk:{SECRET}x", "", "refuses the user or the password"),
        ("clerk", "", "refuses the user or the password"),
        ("nobody", "", "refuses the user or the password"),
        ("shop", "payrol", "has no database of that name"),
        ("tls", "postgres?sslmode=disable", "only with TLS"),
        ("shop", "postgres?sslmode=require", "disagree about TLS"),
        ("stranger", "", "its pg_hba.conf must allow it"),
    ],
)
def test_a_lasting_refusal_is_distinguished_from_a_passing_one(
    server: Cluster, user: str, rest: str, words: str
) -> None:
    assert words in said(server.url(user, rest or "postgres"))


def test_no_connection_left_says_how_many_are_needed(server: Cluster) -> None:
    import psycopg

    with psycopg.connect(server.url("few")):
        assert "no connection left" in said(server.url("few"))


def test_a_server_that_is_not_there_does_not_answer() -> None:
    assert "does not answer" in said(f"postgresql://x:{SECRET}@127.0.0.1:{free_port()}/x")
    assert "does not answer" in said("postgresql://x@/x?host=/nowhere")


def test_a_server_that_says_nothing_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert "does not answer" in said(f"postgresql://x@127.0.0.1:{port}/x?connect_timeout=2")


def test_a_host_without_an_address_is_reported_as_unknown() -> None:
    assert "host's name is unknown" in said("postgresql://x@nowhere.invalid/x")


def test_a_server_that_cannot_write_is_named_so(server: Cluster) -> None:
    server.sql("ALTER ROLE few SET default_transaction_read_only = on")
    try:
        assert "cannot write" in said(server.url("few"))
    finally:
        server.sql("ALTER ROLE few RESET default_transaction_read_only")


@pytest.mark.parametrize(
    "url", [f"postgresql://x:{SECRET}@h:port/d", f"postgresql://x:{SECRET}@[::1/d", "nonsense"]
)
def test_a_url_that_is_none_is_refused_without_being_shown(url: str) -> None:
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    from dgspay.payouts import PostgresLedger

    with pytest.raises(LedgerError) as refused:
        PostgresLedger(url)
    assert SECRET not in str(refused.value)
    assert "URL" in str(refused.value) or "connection string" in str(refused.value)

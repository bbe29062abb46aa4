"""A PostgreSQL whose commits do not wait for the disk, and that crashes; acceptance row 43."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from dgspay.webhooks import AsyncPostgresInbox, PaymentSucceeded, PostgresInbox, WebhookReceiver
from dgspay.webhooks.inbox import Refusal
from tests.support.real_servers import postgres_binaries, postgres_server
from tests.support.webhook_samples import PAYMENT_SUCCESS, SECRET, body_of

pytestmark = pytest.mark.acceptance(43, "handled-once")


def test_what_was_acknowledged_survives_a_crash_of_the_server() -> None:
    psycopg = pytest.importorskip("psycopg")
    from dgspay.webhooks import sign

    binaries = postgres_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL: install postgresql")

    def plain(event: PaymentSucceeded) -> None:
        pass

    def sharing(event: PaymentSucceeded, connection: Any) -> None:
        connection.execute("SET synchronous_commit = off")
        connection.execute("INSERT INTO orders VALUES (%s)", (event.dgs_reference,))

    async def sharing_async(event: PaymentSucceeded, connection: Any) -> None:
        await connection.execute("SET LOCAL synchronous_commit = local")
        await connection.execute("SET LOCAL synchronous_commit = off")
        await connection.execute("INSERT INTO orders VALUES (%s)", (event.dgs_reference,))

    lazy = ("synchronous_commit=off", "wal_writer_delay=10s")
    with postgres_server(binaries, *lazy) as server:
        PostgresInbox(server.url).install()
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE TABLE orders (reference text)")
            connection.execute("ALTER ROLE shop SET synchronous_commit = off")
            connection.execute("CHECKPOINT")
        ways: list[tuple[Any, Any, str]] = [
            (PostgresInbox, plain, "plain"),
            (PostgresInbox, sharing, "sharing"),
            (AsyncPostgresInbox, plain, "plain-async"),
            (AsyncPostgresInbox, sharing_async, "sharing-async"),
        ]
        references = []
        for kind, handler, name in ways:
            receiver = WebhookReceiver(secret=SECRET, inbox=kind(server.url))
            receiver.on(PaymentSucceeded)(handler)
            for reference in (f"{name}-{number}" for number in range(3)):
                body = body_of(PAYMENT_SUCCESS, dgs_reference=reference)
                answer = asyncio.run(receiver.areceive(body, sign(body, SECRET)))
                assert answer.status == 200
                references.append(reference)
            # One after the other: a later commit that waits takes the earlier ones with it.
            server.restart("immediate")
            inbox = PostgresInbox(server.url)
            for reference in references:
                key = f"[/production]payment.success:{reference}"
                assert inbox.claim(key, lease=1) is Refusal.DONE, reference
        with psycopg.connect(server.url) as connection:
            (orders,) = connection.execute("SELECT count(*) FROM orders").fetchone()
        assert orders == 6

"""The floor: a shop written by hand, which writes what must survive a crash and checks nothing.

It shows what durable orders cost on a database at all, and so what the rest of dgspay's adds: the
order, its attempt before the charge, the reference after it, the webhook's body with what is owed,
and that it was done, each on disk before the next step. No terms, no amount and no second click
are looked at, no answer is lost, and no other process is there.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import queue
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import attrs

from dgspay import AsyncDGSPay, Customer

Statement = tuple[str, tuple[object, ...]]
Commit = Callable[[Sequence[Statement]], Awaitable[object]]
"""Runs statements in one transaction; it is on disk after that."""

_TABLES = (
    "CREATE TABLE orders (id TEXT PRIMARY KEY, amount TEXT, state TEXT)",
    "CREATE TABLE attempts (key TEXT PRIMARY KEY, order_id TEXT, state TEXT, reference TEXT)",
    "CREATE UNIQUE INDEX named ON attempts (reference)",
    "CREATE TABLE events (digest TEXT PRIMARY KEY, body TEXT)",
    "CREATE TABLE outbox (order_id TEXT PRIMARY KEY)",
)


@attrs.define
class Shop:
    """The shop.

    Attributes:
        dgs: Charges.
        commit: The store.
        customer: Who pays.
        secret: The webhook's.
        event: The webhook's body, with `%s` for the reference.
    """

    dgs: AsyncDGSPay
    commit: Commit
    customer: Customer
    secret: str
    event: str

    async def sell(self, number: int) -> None:
        """Open an order, charge it, take its webhook and ship it."""
        order_id, key = f"order-{number}", f"hand-{number}"
        await self.commit([("INSERT INTO orders VALUES (?, '2000', 'open')", (order_id,))])
        await self.commit(
            [("INSERT INTO attempts VALUES (?, ?, 'in doubt', NULL)", (key, order_id))]
        )
        charge = await self.dgs.charges.mobile_money(
            amount=2000,
            network="MTN",
            phone=self.customer.phone,
            customer=self.customer,
            redirect_url="https://shop.example/thanks",
            idempotency_key=key,
        )
        asked = "UPDATE attempts SET state = 'pending', reference = ? WHERE key = ?"
        await self.commit([(asked, (charge.dgs_reference, key))])
        body = (self.event % charge.dgs_reference).encode()
        await self._receive(body, self._signature(body), order_id)

    async def _receive(self, body: bytes, signature: str, order_id: str) -> None:
        if not hmac.compare_digest(self._signature(body), signature):
            raise SystemExit("a webhook was rejected")
        event = json.loads(body)
        digest = hashlib.sha256(body).hexdigest()
        await self.commit(
            [
                ("INSERT INTO events VALUES (?, ?)", (digest, body.decode())),
                (
                    "UPDATE attempts SET state = 'paid' WHERE reference = ?",
                    (event["dgs_reference"],),
                ),
                ("UPDATE orders SET state = 'paid' WHERE id = ?", (order_id,)),
                ("INSERT INTO outbox VALUES (?)", (order_id,)),
            ]
        )
        await self.commit([("DELETE FROM outbox WHERE order_id = ?", (order_id,))])

    def _signature(self, body: bytes) -> str:
        return hmac.digest(self.secret.encode(), body, "sha256").hex()


@contextlib.asynccontextmanager
async def on_sqlite(path: Path) -> AsyncIterator[Commit]:
    """Yield a store in a SQLite file: one thread, and one commit for what came meanwhile."""
    loop = asyncio.get_running_loop()
    asked: queue.SimpleQueue[tuple[Sequence[Statement], asyncio.Future[None]] | None]
    asked = queue.SimpleQueue()

    def serve() -> None:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            for table in _TABLES:
                connection.execute(table)
            while (item := asked.get()) is not None:
                connection.execute("BEGIN IMMEDIATE")
                done = []
                while item is not None:
                    for text, values in item[0]:
                        connection.execute(text, values)
                    done.append(item[1])
                    try:
                        item = asked.get_nowait()
                    except queue.Empty:
                        break
                connection.execute("COMMIT")
                loop.call_soon_threadsafe(_resolve, done)

    async def commit(statements: Sequence[Statement]) -> None:
        future: asyncio.Future[None] = loop.create_future()
        asked.put((statements, future))
        await future

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield commit
    finally:
        asked.put(None)
        thread.join()


def _resolve(done: Sequence[asyncio.Future[None]]) -> None:
    for future in done:
        future.set_result(None)


@contextlib.asynccontextmanager
async def on_postgres(conninfo: str, connections: int = 8) -> AsyncIterator[Commit]:
    """Yield a store in PostgreSQL: some connections, and one round trip for a transaction."""
    import psycopg  # noqa: PLC0415 - the extra

    idle: asyncio.LifoQueue[psycopg.AsyncConnection[Any]] = asyncio.LifoQueue()

    async def commit(statements: Sequence[Statement]) -> None:
        connection = await idle.get()
        if len(statements) == 1:
            text, values = statements[0]
            await connection.execute(text.replace("?", "%s").encode(), values)
        else:
            async with connection.pipeline(), connection.transaction():
                for text, values in statements:
                    await connection.execute(text.replace("?", "%s").encode(), values)
        idle.put_nowait(connection)

    async with contextlib.AsyncExitStack() as stack:
        for _ in range(connections):
            opened = await psycopg.AsyncConnection.connect(conninfo, autocommit=True)
            stack.push_async_callback(opened.close)
            idle.put_nowait(opened)
        connection = await idle.get()
        await connection.execute("DROP TABLE IF EXISTS orders, attempts, events, outbox")
        for table in _TABLES:
            await connection.execute(table.encode())
        idle.put_nowait(connection)
        yield commit

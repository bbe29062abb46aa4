"""One of several processes that receive the same events: `race_worker KIND ADDRESS LOG TURN`.

It says "ready" and is told what the references begin with; it says "begun" in the middle of its
first handler and is told when to go on, so that all of them are surely in the race. KIND
`crash-...` makes it die there instead.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections import deque
from collections.abc import Callable
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

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
from tests.support.webhook_samples import PAYMENT_SUCCESS, SECRET, body_of

EVENTS = 1000 if os.environ.get("DGSPAY_TEST_FULL") else 300


def inbox_of(kind: str, address: str) -> Any:
    match kind:
        case "sqlite":
            return SQLiteInbox(address, busy_timeout=60)
        case "postgres":
            import psycopg

            connection = psycopg.connect(address)
            return PostgresInbox(lambda: nullcontext(connection))
        case "async_postgres":
            return AsyncPostgresInbox(one_async_connection(address))
        case "redis":
            import redis

            return RedisInbox(redis.Redis.from_url(address))
        case "async_redis":
            import redis.asyncio

            return AsyncRedisInbox(redis.asyncio.Redis.from_url(address))
        case _:
            raise ValueError(kind)


def one_async_connection(address: str) -> Any:
    """A pool of one connection."""
    held: list[Any] = []

    @asynccontextmanager
    async def connect() -> Any:
        import psycopg

        if not held:
            held.append(await psycopg.AsyncConnection.connect(address))
        yield held[0]

    return connect


def deliveries(turn: int, prefix: str) -> deque[tuple[bytes, str]]:
    """Half of three deliveries of every event: one of each, and one more of every other.

    The first events come in an order of each process's own, so that each is first with some
    of them; the others come in one order, so that the processes meet.
    """
    references = [f"{prefix}{number}" for number in range(EVENTS)]
    own, common = references[: EVENTS // 2], references[EVENTS // 2 :]
    random.Random(turn).shuffle(own)
    mine = [*own, *common, *references[turn::2]]
    bodies = [body_of(PAYMENT_SUCCESS, dgs_reference=reference) for reference in mine]
    return deque((body, sign(body, SECRET)) for body in bodies)


async def run(kind: str, address: str, log: Path, turn: int) -> None:
    crashes = kind.startswith("crash-")
    kind = kind.removeprefix("crash-")
    lease = {"lease": 0.002, "answer_within": 0.001} if crashes else {"answer_within": 60}
    receiver = WebhookReceiver(secret=SECRET, inbox=inbox_of(kind, address), **lease)
    with log.open("a", encoding="utf-8", buffering=1) as handled:
        register(receiver, is_async=kind.startswith("async"), note=noting(handled, crashes=crashes))
        say("ready")
        prefix = sys.stdin.readline().strip()
        waiting = deliveries(turn, prefix)
        while waiting:
            delivery = waiting.popleft()
            answer = (
                await receiver.areceive(*delivery)
                if kind.startswith("async")
                else receiver.receive(*delivery)
            )
            if answer.status != 200:
                # DGS-Pay would deliver it again.
                waiting.append(delivery)


def noting(handled: Any, *, crashes: bool) -> Callable[[str], None]:
    begun = False

    def note(reference: str) -> None:
        nonlocal begun
        handled.write(reference + "\n")
        if crashes:
            os.kill(os.getpid(), signal.SIGKILL)
        if not begun:
            begun = True
            say("begun")
            sys.stdin.readline()

    return note


def say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


def register(receiver: WebhookReceiver, *, is_async: bool, note: Callable[[str], None]) -> None:
    if is_async:

        @receiver.on(PaymentSucceeded)
        async def paid_later(event: PaymentSucceeded) -> None:
            note(event.dgs_reference)

    else:

        @receiver.on(PaymentSucceeded)
        def paid(event: PaymentSucceeded) -> None:
            note(event.dgs_reference)


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])))

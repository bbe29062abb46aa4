"""The engine for many machines: PgQueuer on the ledger's own PostgreSQL.

It hands out chunks and notices workers that died by their heartbeat. Its settings, and the
reasons for them, stand beside the lines that set them. Needs the extra `postgres`; asyncio only.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import psycopg
from pgqueuer import PgQueuer
from pgqueuer.db import PsycopgDriver
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job
from pgqueuer.ports.driver import NotifyCallback
from pgqueuer.queries import Queries

from dgspay.errors import ConfigError
from dgspay.models.json_codec import dump_json, parse_json
from dgspay.payouts.errors import BatchChangedError, LedgerBrokenError, LedgerError
from dgspay.payouts.ledger.server_refusals import ServerRefusedError
from dgspay.payouts.model.batch import Terms
from dgspay.payouts.run.chunk_runner import Stop
from dgspay.payouts.run.engines import ChunkRef, PayChunk
from dgspay.postgres.connections import AWAY, Address, limits

logger = logging.getLogger("dgspay.payouts")

ENTRYPOINT = "dgspay_payouts"
LEASE_SECONDS = 30.0

# Two processes that install at once, or a second install, fail: one at a time, and once.
_LOCK_INSTALL = "SELECT pg_advisory_xact_lock(7316509242)"
_UNDER_WAY = (
    "SELECT count(*) FROM pgqueuer WHERE entrypoint = %s AND status IN ('queued', 'picked') "
    "AND (%s::text[] IS NULL OR split_part(dedupe_key, ':', 1) = ANY(%s::text[]))"
)
_ACCOUNTS = (
    "SELECT name, environment, base_url, account_number FROM dgspay_payout_batches "
    "WHERE name = ANY(%s)"
)

_LOOK_EVERY = 0.25
_RECONNECT_AFTER = 0.5
_LEDGER_PAUSE = 0.5
_LEFT_TO_OTHERS = timedelta(seconds=2)
_SECONDS_TO_FINISH = 10.0
# A payment in flight may take the client's whole deadline, and its ledger that of the server.
_SECONDS_TO_END = 240.0
_SECONDS_TO_CANCEL = 2.0


class _Driver(PsycopgDriver):
    """Asks on one connection and listens on another.

    On a single one every question waits until psycopg has listened for a second: a worker then
    paid at a quarter of the rate. Where there is no second connection, as behind a pooler, which
    lends it to others after each statement, nothing is listened to: the queue asks once a second.
    """

    def __init__(
        self,
        asking: psycopg.AsyncConnection[Any],
        listening: psycopg.AsyncConnection[Any] | None,
    ) -> None:
        super().__init__(asking if listening is None else listening)
        self._asking = PsycopgDriver(asking)
        self._listens = listening is not None

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        """Call a function with each notification, where the connection can listen."""
        if self._listens:
            await super().add_listener(channel, callback)

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """Return the rows of a query."""
        return await self._asking.fetch(query, *args)

    async def execute(self, query: str, *args: object) -> str:
        """Carry a statement out."""
        return await self._asking.execute(query, *args)


class PgQueuerEngine:
    """Hands chunks to whichever machine works.

    Args:
        conninfo: A connection string, that of the ledger.
        at_once: Chunks this process works on at once; a second one fills the tail of the first.
        everywhere: Chunks that may be worked on at once on all machines together, kept by the
            database; times the pace of a chunk this is the pace of the batch. 0: no limit.
        lease: Seconds without a heartbeat after which another worker takes a chunk up.
        patience: Seconds to wait for a server that is away; one that works until it is stopped
            waits as long as it takes.
    """

    def __init__(
        self,
        conninfo: str,
        *,
        at_once: int = 2,
        everywhere: int = 0,
        lease: float = LEASE_SECONDS,
        patience: float = 60.0,
    ) -> None:
        self._address = Address(conninfo, ServerRefusedError)
        self._patience = patience
        self._at_once = at_once
        self._everywhere = everywhere
        self._lease = timedelta(seconds=lease)
        self._submitted: set[str] = set()

    async def submit(self, chunks: Sequence[ChunkRef]) -> None:
        """Put chunks out. One that is queued already is not queued again.

        One that is being worked on may be, and then finds nothing left to do.

        Raises:
            LedgerError: the server cannot be reached.
        """
        await self._patiently(partial(self._submit, chunks))

    async def _patiently(self, do: Callable[[], Awaitable[None]]) -> None:
        """Do something on the server, and again while it is away, for as long as patience lasts."""
        until = time.monotonic() + self._patience
        while True:
            try:
                await do()
            except (*AWAY, ServerRefusedError) as error:
                passes = not isinstance(error, ServerRefusedError) or error.passes
                if not passes or time.monotonic() >= until:
                    raise _unreachable(error) from None
                await asyncio.sleep(_RECONNECT_AFTER)
            else:
                return

    async def _submit(self, chunks: Sequence[ChunkRef]) -> None:
        self._submitted.update(chunk.batch for chunk in chunks)
        async with self._connected() as connection:
            queries = Queries.from_psycopg_connection(connection)
            await _install(connection, queries)
            if chunks:
                found = await connection.execute(_ACCOUNTS, ([*self._submitted],))
                entrypoints = {name: _entrypoint(*terms) async for name, *terms in found}
                await queries.enqueue(
                    [entrypoints.get(chunk.batch, ENTRYPOINT) for chunk in chunks],
                    [_written(chunk) for chunk in chunks],
                    [0] * len(chunks),
                    dedupe_key=[f"{chunk.batch}:{chunk.first}-{chunk.last}" for chunk in chunks],
                    on_conflict="skip",
                )

    async def work(self, pay: PayChunk, stop: Stop, *, until_idle: bool = False) -> None:
        """Work on chunks until stopped, or until there are no more.

        Chunks of another account are left to its workers. Once this engine has submitted chunks,
        those of other batches are left to other workers too.

        A lost connection is made again; what was in hand meanwhile is safe in the ledger.

        Raises:
            LedgerError: the server was away for too long.
            BatchChangedError: a chunk must not be paid with this worker's account; another
                worker gets it.
        """
        away_since: float | None = None
        while not stop:
            began = time.monotonic()
            try:
                await self._work_connected(pay, stop, until_idle=until_idle)
            except Exception as error:  # of the driver, alone or in groups; anything else goes on
                if not _is_lost_connection(error):
                    raise
                # The last attempt may have worked for hours before it failed.
                if away_since is None or time.monotonic() - began > self._patience:
                    away_since = began
                if _never_comes_back(error) or (
                    until_idle and time.monotonic() - away_since > self._patience
                ):
                    raise _unreachable(error) from None
                if began == away_since:
                    logger.warning("waiting: %s", _unreachable(error))
                # At most so often, for there may be a server that lets in and throws out again.
                await asyncio.sleep(max(0.0, _RECONNECT_AFTER - (time.monotonic() - began)))
            else:
                return

    async def _work_connected(self, pay: PayChunk, stop: Stop, *, until_idle: bool) -> None:
        async with AsyncExitStack() as stack:
            asking = await stack.enter_async_context(self._connected())
            listening = None
            if not self._address.is_pooled:
                listening = await stack.enter_async_context(self._connected())
            await _install(asking, Queries.from_psycopg_connection(asking))
            queue = PgQueuer(_Driver(asking, listening))

            refused: list[Exception] = []
            entrypoint = _entrypoint_for(pay)

            # Held and not deleted: a chunk that failed needs a person's attention.
            @queue.entrypoint(entrypoint, concurrency_limit=self._everywhere, on_failure="hold")
            async def pay_chunk(job: Job) -> None:
                ref = _read(job.payload)
                if self._submitted and ref.batch not in self._submitted:
                    raise RetryRequested(delay=_LEFT_TO_OTHERS, reason="a chunk of another run")
                try:
                    await self._pay(pay, ref, stop, until_idle=until_idle)
                except (BatchChangedError, LedgerError) as error:
                    # Not the chunk is wrong but this worker, which must not come by another one.
                    refused.append(error)
                    queue.shutdown.set()
                if stop or refused:
                    # What is left of it is for another worker, now.
                    raise RetryRequested(delay=timedelta(0), reason="the worker was stopped")

            running = asyncio.create_task(
                queue.run(
                    # That chunks have ended is written down once a batch of them has, or a tenth
                    # of a second later, and no worker gets the next one before.
                    batch_size=1,
                    max_concurrent_tasks=2 * self._at_once,
                    dequeue_timeout=timedelta(seconds=1),
                    heartbeat_timeout=self._lease,
                )
            )
            wanted = (entrypoint, [*self._submitted] or None) if until_idle else None
            watching = asyncio.create_task(_watch(queue, asking, stop, wanted))
            await _end_together(queue, running, watching)
            if refused:
                raise refused[0]

    async def _pay(self, pay: PayChunk, ref: ChunkRef, stop: Stop, *, until_idle: bool) -> None:
        """Pay a chunk; keep it while the ledger cannot be written, and take no other one.

        It would be failed, and so would every other one that this worker comes by meanwhile.

        Raises:
            LedgerError: the ledger cannot be written, and the patience is used up.
        """
        until = time.monotonic() + self._patience
        logged = ""
        while True:
            try:
                await pay(ref)
            except LedgerError as error:
                lasting = isinstance(error, LedgerBrokenError)
                if lasting or (until_idle and time.monotonic() >= until):
                    raise
                if stop:
                    return
                if str(error) != logged:
                    logged = str(error)
                    logger.warning("chunk %d of %s waits: %s", ref.index, ref.batch, logged)
                await asyncio.sleep(_LEDGER_PAUSE)
            else:
                return

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[psycopg.AsyncConnection[Any]]:
        # PgQueuer refuses a connection that opens transactions by itself.
        async with await self._address.connect_async() as connection:
            yield connection


async def _end_together(
    queue: PgQueuer, running: asyncio.Task[None], watching: asyncio.Task[None]
) -> None:
    """Wait for the end of the work; after a lost connection, no longer than it may take."""
    try:
        await asyncio.wait({running, watching}, return_when=asyncio.FIRST_COMPLETED)
        if watching.done() and watching.exception() is not None:
            # The queue itself may wait for ever for a connection that is no more.
            queue.shutdown.set()
            await asyncio.wait({running}, timeout=_SECONDS_TO_FINISH)
            running.cancel()
            await asyncio.wait({running}, timeout=_SECONDS_TO_CANCEL)
            watching.result()
        if running in (await asyncio.wait({running}, timeout=_SECONDS_TO_END))[0]:
            running.result()
    finally:
        watching.cancel()
        running.cancel()
        await asyncio.wait({running, watching}, timeout=_SECONDS_TO_CANCEL)


async def _watch(
    queue: PgQueuer,
    connection: psycopg.AsyncConnection[Any],
    stop: Stop,
    wanted: tuple[str, list[str] | None] | None,
) -> None:
    """End the queue when a stop is set.

    Args:
        queue: The queue.
        connection: Asks what is left.
        stop: Finishes what is in flight once it is set.
        wanted: Entrypoint and batches whose chunks are waited for; None for as long as it takes.
    """
    while not stop:
        if wanted is not None:
            entrypoint, names = wanted
            cursor = await connection.execute(_UNDER_WAY, (entrypoint, names, names))
            found = await cursor.fetchone()
            if found is not None and found[0] == 0:
                break
        await asyncio.sleep(_LOOK_EVERY)
    queue.shutdown.set()


async def _install(connection: psycopg.AsyncConnection[Any], queries: Queries) -> None:
    # Without the lock first: a worker that is stopped while holding it must not hold up others.
    if await queries.has_table("pgqueuer_statistics"):
        return
    # In a transaction, which the server ends where a worker is stopped within it all the same.
    async with connection.transaction():
        await connection.execute(limits().encode())
        await connection.execute(_LOCK_INSTALL)
        if not await queries.schema_is_installed():
            await queries.install()


def _is_lost_connection(error: BaseException) -> bool:
    return all(isinstance(one, (*AWAY, ServerRefusedError)) for one in _single(error))


def _never_comes_back(error: BaseException) -> bool:
    return any(isinstance(one, ServerRefusedError) and not one.passes for one in _single(error))


def _single(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _single(inner)
    else:
        yield error


def _unreachable(error: BaseException) -> LedgerError:
    refused = next((one for one in _single(error) if isinstance(one, ServerRefusedError)), None)
    if refused is not None:
        return refused
    # By its name: its text may hold what the connection string holds.
    return LedgerError(f"the queue's PostgreSQL cannot be reached ({type(error).__name__})")


def _entrypoint(environment: str, base_url: str, account_number: str) -> str:
    """Return the name under which the chunks of an account are queued."""
    account = f"{environment}\n{base_url}\n{account_number}"
    return f"{ENTRYPOINT}:{hashlib.sha256(account.encode()).hexdigest()[:16]}"


def _entrypoint_for(pay: PayChunk) -> str:
    terms = getattr(pay, "terms", None)
    if not isinstance(terms, Terms):
        raise ConfigError("PgQueuerEngine pays with a ChunkPayer, whose account is known")
    return _entrypoint(terms.environment, terms.base_url, terms.account_number)


def _written(chunk: ChunkRef) -> bytes:
    return dump_json(
        {"batch": chunk.batch, "index": chunk.index, "first": chunk.first, "last": chunk.last}
    )


def _read(payload: bytes | None) -> ChunkRef:
    return ChunkRef(**parse_json(payload or b"{}"))

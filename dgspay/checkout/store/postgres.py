"""Orders in PostgreSQL (psycopg 3, the extra `postgres`): for any number of machines."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import anyio
import anyio.lowlevel
import psycopg
from psycopg.pq import TransactionStatus

from dgspay.checkout.errors import OrdersError
from dgspay.checkout.store.borrowed import arun_on, run_on
from dgspay.checkout.store.dialects import in_postgres, numbered
from dgspay.checkout.store.pipelines import Pipeline
from dgspay.checkout.store.protocol import Row, Script, Statement, run_script, run_script_async
from dgspay.checkout.store.schema import POSTGRES, install
from dgspay.checkout.store.server_faults import LOCK_SECONDS, ServerRefusedError, fault_of, is_lost
from dgspay.checkout.store.waiting import Asked, hand_over, running_loop
from dgspay.clock import Clock
from dgspay.errors import ConfigError
from dgspay.forks import new_lock, renew_in_child
from dgspay.postgres.connections import TRY_AGAIN, Address, beginning, limits

T = TypeVar("T")

# A process that was stopped keeps its rows for less time than others wait for them.
_BEGIN = beginning(limits(idle=LOCK_SECONDS / 2, lock=LOCK_SECONDS))
_PAUSES = (0.0, 0.05, 0.1, 0.25)
_LONGEST_PAUSE = 0.5


class PostgresOrders:
    """Keeps orders in PostgreSQL, for `Checkout` and `AsyncCheckout`, on any number of machines.

    Times are the server's, so that it does not matter how a machine's clock is set. A server that
    restarts, and a connection that is lost, are waited for: nothing is sent meanwhile, for nothing
    can be written. It may be reached through PgBouncer in transaction mode. The tables are made
    by the first process that uses it.

    A handler that takes a connection gets one of psycopg's with a transaction open, and what it
    writes is committed with the note that it is done: an `AsyncConnection` where it is awaited (in
    asyncio only), else a `Connection`.

    Args:
        conninfo: A connection string such as `postgresql://shop@host/name`.
        connections: The most at once, and as many again for handlers that take one.
        patience: Seconds to wait for a server that does not answer.
        handler_seconds: Seconds for which a handler may leave its transaction idle; then the
            server ends it, so that a process that was stopped does not keep the handler from
            being run elsewhere.
        clock: A clock of a test; the server's if left out.

    Raises:
        ConfigError: an argument makes no sense, or psycopg stands on a libpq before version 14.
        OrdersError: it is no connection string.
    """

    shares_transactions = True
    """What a handler writes can be committed with the note that it is done."""

    def __init__(
        self,
        conninfo: str,
        *,
        connections: int = 8,
        patience: float = 10.0,
        handler_seconds: float = 300.0,
        clock: Clock | None = None,
    ) -> None:
        if connections < 1:
            raise ConfigError("connections must be 1 or more")
        if not psycopg.Pipeline.is_supported():
            raise ConfigError(
                "PostgresOrders needs libpq 14 or newer beneath psycopg: install psycopg[binary], "
                "which brings one"
            )
        self._address = Address(conninfo, ServerRefusedError)
        self._connections = connections
        self._patience = patience
        self._begin_handler = limits(idle=handler_seconds, lock=LOCK_SECONDS).encode()
        self._clock = clock
        self._lock = new_lock()
        self._away_since: float | None = None
        self._limiter: anyio.lowlevel.RunVar[anyio.CapacityLimiter] = anyio.lowlevel.RunVar(
            "dgspay_handlers"
        )
        self._abandoned: list[object] = []
        self._crew: ThreadPoolExecutor | None
        self._idle: deque[Pipeline]
        self._begin_anew()
        renew_in_child(self)

    def run(self, make: Callable[[], Script[T]], *, connection: Any = None) -> T:
        """Run a script in a transaction, and return once it is on disk; see `OrdersStore`.

        An exception of a signal handler ends the waiting, not the script.
        """
        if connection is not None:
            return run_on(connection, make, POSTGRES, self._clock)
        return self._ask(Asked(make)).result()

    async def arun(self, make: Callable[[], Script[T]], *, connection: Any = None) -> T:
        """Run a script without blocking the event loop. A cancellation does not undo it."""
        if connection is not None:
            return await arun_on(connection, make, POSTGRES, self._clock)
        return await self._ask(Asked(make, running_loop())).wait()

    def handle(
        self,
        hold: Callable[[], Script[bool]],
        call: Callable[[Any], object],
        end: Callable[[], Script[None]],
    ) -> None:
        """Call a handler in a transaction, on a connection of its own; see `OrdersStore`."""
        with self._for_handlers, contextlib.closing(self._address.connect()) as connection:

            def execute(statement: Statement) -> list[Row]:
                cursor = connection.execute(self._plain(statement).encode(), statement.values)
                return cursor.fetchall() if cursor.description else []

            with connection.transaction():
                connection.execute(self._begin_handler)
                if run_script(hold(), execute):
                    call(connection)
                    run_script(end(), execute)

    async def ahandle(
        self,
        hold: Callable[[], Script[bool]],
        call: Callable[[Any], Awaitable[object]],
        end: Callable[[], Script[None]],
    ) -> None:
        """Call a handler in a transaction, on a connection of its own; see `OrdersStore`.

        Raises:
            ConfigError: it runs in trio, for which psycopg has no connections.
        """
        async with self._handlers_of_this_loop(), self._connected() as connection:

            async def execute(statement: Statement) -> list[Row]:
                text = self._plain(statement).encode()
                cursor = await connection.execute(text, statement.values)
                return await cursor.fetchall() if cursor.description else []

            async with connection.transaction():
                await connection.execute(self._begin_handler)
                if await run_script_async(hold(), execute):
                    await call(connection)
                    await run_script_async(end(), execute)

    def close(self) -> None:
        """Do what was asked, and close the connections. They are opened again when needed."""
        with self._lock:
            crew, self._crew = self._crew, None
        if crew is not None:
            crew.shutdown()
        self._drop_idle()

    def renew_in_child(self) -> None:
        """Begin anew in a forked child, which has none of the parent's threads."""
        # Never closed: that would end the parent's sessions.
        self._abandoned.append((self._crew, self._idle))
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._crew = None
        self._idle = deque()
        self._for_handlers = threading.BoundedSemaphore(self._connections)

    def _ask(self, asked: Asked[T]) -> Asked[T]:
        """Have a thread run a script, where no cancellation and no signal interrupts it."""
        with self._lock:
            if self._crew is None:
                self._crew = ThreadPoolExecutor(self._connections, "dgspay-orders")
            try:
                self._crew.submit(self._answer, asked)
            except RuntimeError:
                raise OrdersError(
                    "the program is ending, and takes no more orders. What is not on disk was "
                    "not sent"
                ) from None
        return asked

    def _answer(self, asked: Asked[Any]) -> None:
        try:
            answer = asked, self._serve(asked.make), None
        except BaseException as error:  # noqa: BLE001 - it belongs to who waits
            hand_over([(asked, None, error)])
        else:
            hand_over([answer])

    def _serve(self, make: Callable[[], Script[T]]) -> T:
        """Run a script until it is on disk; each may be run again.

        One whose commit was not answered may be there already. It finds what it did: its attempt
        is under way and is not sent, its step is taken, its event is kept.
        """
        for pause in itertools.chain(_PAUSES, itertools.repeat(_LONGEST_PAUSE)):
            try:
                result = self._run_once(make)
            except psycopg.Error as error:
                fault = fault_of(error)
            except ServerRefusedError as refused:
                if not refused.passes:
                    raise
                fault = refused
            else:
                self._away_since = None
                return result
            # Patience is had with an absence once, not with each question that falls into it.
            # A new connection is tried at once: those that are kept may be of before a restart.
            since = self._away_since = self._away_since or time.monotonic()
            if pause and time.monotonic() + pause > since + self._patience:
                raise fault
            time.sleep(pause)
        raise AssertionError

    def _run_once(self, make: Callable[[], Script[T]]) -> T:
        """Run a script in a transaction.

        Raises:
            psycopg.Error: another try may do better.
            OrdersError: none will.
        """
        pipeline = self._take()
        connection = pipeline.connection
        try:
            return self._run_on(pipeline, make)
        except TRY_AGAIN:
            raise
        except psycopg.Error as error:
            if not is_lost(connection, error):
                raise fault_of(error) from None
            connection.close()
            # The others were lost with it, most likely.
            self._drop_idle()
            raise
        finally:
            self._give_back(pipeline)

    def _run_on(self, pipeline: Pipeline, make: Callable[[], Script[T]]) -> T:
        def execute(statement: Statement) -> list[Row]:
            pipeline.add(numbered(self._plain(statement)).encode(), statement.values)
            return [] if statement.is_blind else pipeline.send()[0]

        def together(statements: Sequence[Statement]) -> list[list[Row]]:
            for each in statements:
                pipeline.add(numbered(self._plain(each)).encode(), each.values)
            return pipeline.send(len(statements))

        for text in _BEGIN:
            pipeline.add(text)
        try:
            result = run_script(make(), execute, together)
            pipeline.add(b"COMMIT")
            pipeline.send()
        except BaseException:
            pipeline.forget()
            with contextlib.suppress(psycopg.Error):
                if pipeline.connection.info.transaction_status is not TransactionStatus.IDLE:
                    pipeline.add(b"ROLLBACK")
                    pipeline.send()
            raise
        return result

    def _plain(self, statement: Statement) -> str:
        return in_postgres(statement.text, None if self._clock is None else self._clock.time())

    def _take(self) -> Pipeline:
        with contextlib.suppress(IndexError):
            return self._idle.pop()
        connection = self._address.connect()
        try:
            pipeline = Pipeline(connection)
            self._run_on(pipeline, lambda: install(POSTGRES))
        except psycopg.Error as error:
            is_over = not isinstance(error, TRY_AGAIN) and not is_lost(connection, error)
            connection.close()
            if is_over:
                raise fault_of(error) from None
            raise
        except BaseException:
            connection.close()
            raise
        return pipeline

    def _give_back(self, pipeline: Pipeline) -> None:
        if self._crew is None or pipeline.connection.closed:
            pipeline.connection.close()
        else:
            self._idle.append(pipeline)

    def _drop_idle(self) -> None:
        with contextlib.suppress(IndexError):
            while True:
                self._idle.pop().connection.close()

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncGenerator[psycopg.AsyncConnection[Any]]:
        if anyio.get_cancelled_exc_class().__module__.startswith("trio"):
            raise ConfigError(
                "psycopg has no connections for trio: make the handler a plain function, which "
                "runs in a thread, or let it take the order alone"
            )
        connection = await self._address.connect_async()
        try:
            yield connection
        finally:
            # Whatever happened: the server undoes what was not committed.
            await connection.close()

    def _handlers_of_this_loop(self) -> anyio.CapacityLimiter:
        try:
            return self._limiter.get()
        except LookupError:
            limiter = anyio.CapacityLimiter(self._connections)
            self._limiter.set(limiter)
            return limiter

"""Orders in a SQLite file: the default, for all the processes of one machine."""

from __future__ import annotations

import atexit
import contextlib
import queue
import random
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from dgspay.checkout.errors import OrdersError
from dgspay.checkout.store.anchor import MachineClock, anchor
from dgspay.checkout.store.borrowed import arun_on, run_on
from dgspay.checkout.store.dialects import in_sqlite
from dgspay.checkout.store.protocol import Row, Script, Statement, run_script
from dgspay.checkout.store.schema import SQLITE, install
from dgspay.checkout.store.waiting import Answer, Asked, hand_over, running_loop
from dgspay.clock import Clock
from dgspay.errors import ConfigError
from dgspay.forks import at_sqlite, new_lock, renew_in_child
from dgspay.private_files import make_private

T = TypeVar("T")

DEFAULT_PATH = "dgspay-orders.sqlite3"
OLDEST_SQLITE = (3, 35)
"""`RETURNING` came with it."""

_TOGETHER = 256
"""The most scripts in one commit."""

_SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    # On macOS a plain fsync does not reach the disk; elsewhere these two mean nothing.
    "PRAGMA fullfsync = 1",
    "PRAGMA checkpoint_fullfsync = 1",
    "PRAGMA cache_size = -16000",  # KiB
    "PRAGMA journal_size_limit = 67108864",
)


class SqliteOrders:
    """Keeps orders in a file on a local disk, which all processes of the machine may share.

    What is asked at about the same time is one commit. A network disk is no place for it; machines
    that share orders need `PostgresOrders`.

    Args:
        path: The file; it is made, readable by its owner only, when it is not there.
        busy_timeout: Seconds to wait for another process that is writing.
        clock: A clock of a test; the machine's if left out.

    Raises:
        ConfigError: the path is no place for a file.
    """

    shares_transactions = False
    """A handler would keep every other order from being written."""

    def __init__(
        self,
        path: str | Path = DEFAULT_PATH,
        *,
        busy_timeout: float = 30.0,
        clock: Clock | None = None,
    ) -> None:
        if str(path) in ("", ":memory:"):
            raise ConfigError(
                "SqliteOrders needs a file: what is in memory does not outlive a crash"
            )
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            raise ConfigError(
                f"SqliteOrders needs SQLite {'.'.join(map(str, OLDEST_SQLITE))} or newer; this "
                f"Python has {sqlite3.sqlite_version}"
            )
        # Made absolute now: a program may change its working directory later.
        self.path = Path(path).absolute()
        self._busy_timeout = busy_timeout
        self._clock = MachineClock() if clock is None else clock
        self._lock = new_lock()
        self._writer: _Writer | None = None
        self._abandoned: list[_Writer] = []
        renew_in_child(self)

    def run(self, make: Callable[[], Script[T]], *, connection: Any = None) -> T:
        """Run a script in a transaction, and return once it is on disk; see `OrdersStore`."""
        if connection is not None:
            return run_on(connection, make, SQLITE, self._clock)
        return self._ask(Asked(make)).result()

    async def arun(self, make: Callable[[], Script[T]], *, connection: Any = None) -> T:
        """Run a script without blocking the event loop. A cancellation does not undo it."""
        if connection is not None:
            return await arun_on(connection, make, SQLITE, self._clock)
        return await self._ask(Asked(make, running_loop())).wait()

    def handle(
        self,
        hold: Callable[[], Script[bool]],
        call: Callable[[Any], object],
        end: Callable[[], Script[None]],
    ) -> None:
        """See `shares_transactions`; a handler that takes a connection is never registered."""
        raise NotImplementedError

    async def ahandle(
        self,
        hold: Callable[[], Script[bool]],
        call: Callable[[Any], Awaitable[object]],
        end: Callable[[], Script[None]],
    ) -> None:
        """See `handle`."""
        raise NotImplementedError

    def close(self) -> None:
        """Do what was asked, and close the file. It is opened again when it is used again."""
        with self._lock:
            writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def renew_in_child(self) -> None:
        """Begin anew in a forked child, which has none of the parent's threads."""
        if self._writer is not None:
            # Never closed: that would release the parent's locks on the file.
            self._abandoned.append(self._writer)
            self._writer = None

    def _ask(self, asked: Asked[T]) -> Asked[T]:
        while True:
            with self._lock:
                if self._writer is None:
                    self._writer = _Writer(self._connect)
                writer = self._writer
            if writer.takes(asked):
                return asked
            with self._lock:
                if self._writer is writer:
                    self._writer = None

    def _connect(self) -> _Connection:
        make_private(self.path)
        return _Connection(self.path, self._busy_timeout, self._clock)


class _Writer:
    """The one thread of a store: it runs scripts in the order they came, many to a commit."""

    def __init__(self, connect: Callable[[], _Connection]) -> None:
        self._connect = connect
        self._asked: queue.SimpleQueue[Asked[Any] | None] = queue.SimpleQueue()
        self._lock = new_lock()
        self._is_over = False
        self._thread = threading.Thread(target=self._serve, name="dgspay-orders", daemon=True)
        self._thread.start()
        # What was asked for is on disk before the program ends, waited for or not.
        atexit.register(self.close)

    def takes(self, asked: Asked[Any]) -> bool:
        """Have a script run; False where the thread takes no more."""
        with self._lock:
            if self._is_over:
                return False
            self._asked.put(asked)
        return True

    def close(self) -> None:
        with self._lock:
            self._is_over = True
            self._asked.put(None)
        self._thread.join()
        atexit.unregister(self.close)

    def _serve(self) -> None:
        connection: _Connection | None = None
        goes_on = True
        while goes_on:
            group, goes_on = self._next_group()
            if not group:
                continue
            try:
                if connection is None:
                    connection = self._connect()
                answers = connection.run_together(group)
            except BaseException as error:  # noqa: BLE001 - it belongs to those who wait
                fault = _fault_of(error)
                answers = [(asked, None, fault) for asked in group]
                # Whatever ails it, the next one begins with a file that is opened anew.
                if connection is not None:
                    connection.close()
                connection = None
            hand_over(answers)
        if connection is not None:
            connection.close()

    def _next_group(self) -> tuple[list[Asked[Any]], bool]:
        group = []
        item = self._asked.get()
        while item is not None:
            group.append(item)
            if len(group) == _TOGETHER:
                return group, True
            try:
                item = self._asked.get_nowait()
            except queue.Empty:
                return group, True
        return group, False


def _fault_of(error: BaseException) -> BaseException:
    if isinstance(error, sqlite3.Error | OSError):
        return OrdersError(
            f"the orders cannot be written: {error}. What is not on disk was not sent"
        )
    return error


class _ScriptRaisedError(Exception):
    """A script of several has raised: what the others wrote is to be kept."""


class _Connection:
    """The connection of the thread."""

    def __init__(self, path: Path, busy_timeout: float, clock: Clock) -> None:
        self._busy_timeout = busy_timeout
        self._clock = clock
        with at_sqlite:
            self._connection = sqlite3.connect(
                path, timeout=0, isolation_level=None, check_same_thread=False
            )
        try:
            self._set_up()
        except BaseException:
            self.close()
            raise

    def _set_up(self) -> None:
        for setting in _SETTINGS:
            self._patiently(setting)
        self._connection.create_function("dgspay_now", 0, self._now)
        self._offset = 0.0
        self._begin()
        run_script(install(SQLITE), self._execute)
        self._offset = run_script(anchor(self._clock), self._execute)
        self._connection.execute("COMMIT")

    def _now(self) -> float:
        return self._clock.monotonic() + self._offset

    def run_together(self, group: Sequence[Asked[Any]]) -> list[Answer]:
        """Run scripts in one commit, each undone alone where it raises; return their answers.

        Hardly any raises, and a savepoint for each costs half as much as what it does: only once
        one has, all of them are run again, each within its own.
        """
        return self._attempt(group, self._plainly) or self._attempt(group, self._alone) or []

    def _attempt(
        self, group: Sequence[Asked[Any]], run: Callable[[Asked[Any]], Answer]
    ) -> list[Answer] | None:
        """Run scripts in one commit; None where one has raised, and nothing was written."""
        self._begin()
        try:
            answers = [run(asked) for asked in group]
            self._connection.execute("COMMIT")
        except _ScriptRaisedError:
            self._rollback()
            return None
        except BaseException:
            self._rollback()
            raise
        return answers

    def _plainly(self, asked: Asked[Any]) -> Answer:
        try:
            return asked, run_script(asked.make(), self._execute), None
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.IntegrityError):
                raise _ScriptRaisedError from error
            raise
        except Exception as error:
            raise _ScriptRaisedError from error

    def _alone(self, asked: Asked[Any]) -> Answer:
        self._connection.execute("SAVEPOINT script")
        try:
            result = run_script(asked.make(), self._execute)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.IntegrityError):
                self._connection.execute("ROLLBACK TO script")
                return asked, None, _fault_of(error)
            raise
        except Exception as error:  # noqa: BLE001 - it is the caller's
            self._connection.execute("ROLLBACK TO script")
            return asked, None, error
        self._connection.execute("RELEASE script")
        return asked, result, None

    def _execute(self, statement: Statement) -> list[Row]:
        text, values, is_blind = statement
        cursor = self._connection.execute(in_sqlite(text), values)
        return [] if is_blind else cursor.fetchall()

    def _begin(self) -> None:
        self._patiently("BEGIN IMMEDIATE")

    def _patiently(self, statement: str) -> None:
        """Run a statement once other processes have finished writing."""
        until = time.monotonic() + self._busy_timeout
        while True:
            try:
                self._connection.execute(statement)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                # Longer pauses of SQLite's own let a busy file starve a process.
                time.sleep(random.uniform(0.0005, 0.005))  # noqa: S311 - no secret
            else:
                return

    def _rollback(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def close(self) -> None:
        with contextlib.suppress(sqlite3.Error), at_sqlite:
            self._connection.close()

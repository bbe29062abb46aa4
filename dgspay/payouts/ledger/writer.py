"""One thread that writes: what is asked of it at about the same time is one commit."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, Protocol, TypeVar

import attrs

from dgspay.payouts.faults import LedgerError

T = TypeVar("T")

GROUP_SECONDS = 0.02
"""How long what nobody waits for may wait for company."""


class Connection(Protocol):
    """What the thread asks of a ledger's connection. Only the thread uses it."""

    def begin(self) -> None:
        """Begin a transaction that writes."""
        ...

    def commit(self) -> None:
        """Put it on disk."""
        ...

    def rollback(self) -> None:
        """Undo it, if there is one; never raises."""
        ...

    def fault_of(self, error: BaseException) -> str | None:
        """Say what ails the database, or None when the error is not the database's."""
        ...

    def reconnect(self, error: BaseException) -> bool:
        """Connect again where the error was a lost connection, and say whether that worked."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


ConnectionT = TypeVar("ConnectionT", bound=Connection)
ItemT = TypeVar("ItemT")


@attrs.frozen(eq=False)
class _Posted(Generic[ItemT]):
    """An item nobody waits for."""

    item: ItemT


@attrs.frozen(eq=False)
class _Work(Generic[ConnectionT]):
    """Something to do in a transaction, for somebody who waits for it."""

    do: Callable[[ConnectionT], Any]
    done: Future[Any]
    alone: bool


@attrs.define(eq=False)
class _Group(Generic[ConnectionT, ItemT]):
    """What becomes one commit: items nobody waits for, and the work that came after them."""

    items: list[ItemT] = attrs.field(factory=list)
    work: _Work[ConnectionT] | None = None
    is_last: bool = False


class Writer(Generic[ConnectionT, ItemT]):
    """Runs work on a connection of its own, in the order it was given.

    An error of the database while items are written that nobody waits for makes every later
    call raise: what cannot be written down must stop what is being sent.

    Args:
        connect: Makes the connection, in the thread.
        absorb: Writes items that were posted, within a transaction.
    """

    def __init__(
        self,
        connect: Callable[[], ConnectionT],
        absorb: Callable[[ConnectionT, list[ItemT]], None],
    ) -> None:
        self._absorb = absorb
        self._inbox: queue.SimpleQueue[_Work[ConnectionT] | _Posted[ItemT] | None] = (
            queue.SimpleQueue()
        )
        self._broken: str | None = None
        self._closed = False
        self._closing = threading.Lock()
        connected: Future[None] = Future()
        self._thread = threading.Thread(
            target=self._serve, args=(connect, connected), name="dgspay-payout-ledger", daemon=True
        )
        self._thread.start()
        connected.result()

    def run(self, do: Callable[[ConnectionT], T], *, alone: bool = False) -> T:
        """Do something and return what it returns, once it is on disk.

        Args:
            do: Called in the thread, within a transaction that it shares with what was posted.
            alone: In a transaction of its own, which an error of the work's own undoes.

        Raises:
            LedgerError: it is not known to be on disk.
        """
        done: Future[T] = Future()
        self._put(_Work(do, done, alone))
        return done.result()

    def post(self, item: ItemT) -> None:
        """Have an item written within the next commit, without waiting."""
        self._put(_Posted(item))

    def close(self) -> None:
        """Do what is waiting, and end the thread."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._inbox.put(None)
        self._thread.join()

    def _put(self, work: _Work[ConnectionT] | _Posted[ItemT]) -> None:
        with self._closing:
            if self._closed:
                raise LedgerError("the ledger is closed")
            if self._broken is not None:
                raise LedgerError(self._broken)
            self._inbox.put(work)

    # --- in the thread --------------------------------------------------------------------

    def _serve(self, connect: Callable[[], ConnectionT], connected: Future[None]) -> None:
        try:
            connection = connect()
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            connected.set_exception(error)
            return
        connected.set_result(None)
        try:
            group = self._next_group()
            while not group.is_last:
                self._carry_out(connection, group)
                group = self._next_group()
            self._carry_out(connection, group)
        finally:
            connection.close()

    def _next_group(self) -> _Group[ConnectionT, ItemT]:
        """Wait for work, and then a little for more, unless somebody waits for it."""
        group: _Group[ConnectionT, ItemT] = _Group()
        until: float | None = None
        while group.work is None and not group.is_last:
            try:
                pause = None if until is None else max(0.0, until - time.monotonic())
                work = self._inbox.get(timeout=pause)
            except queue.Empty:
                break
            match work:
                case None:
                    group.is_last = True
                case _Posted(item):
                    group.items.append(item)
                    until = until or time.monotonic() + GROUP_SECONDS
                case _:
                    group.work = work
        return group

    def _carry_out(self, connection: ConnectionT, group: _Group[ConnectionT, ItemT]) -> None:
        if group.work is not None and group.work.alone and group.items:
            self._carry_out(connection, _Group(items=group.items))
            group.items = []
        if self._broken is not None:
            if group.work is not None:
                group.work.done.set_exception(LedgerError(self._broken))
            return
        if not group.items and group.work is None:
            return
        while True:
            try:
                result = self._commit(connection, group)
            except BaseException as error:  # noqa: BLE001 - it belongs to the thread that waits
                connection.rollback()
                fault = connection.fault_of(error)
                if fault is not None and not _is_alone(group) and connection.reconnect(error):
                    continue
                self._report(group, error, fault)
                return
            break
        if group.work is not None:
            group.work.done.set_result(result)

    def _commit(self, connection: ConnectionT, group: _Group[ConnectionT, ItemT]) -> Any:
        result = None
        connection.begin()
        if group.items:
            self._absorb(connection, group.items)
        if group.work is not None:
            result = group.work.do(connection)
        connection.commit()
        return result

    def _report(
        self, group: _Group[ConnectionT, ItemT], error: BaseException, fault: str | None
    ) -> None:
        if fault is not None:
            error = LedgerError(f"{fault}. What is not in the ledger is not sent")
        if group.items:
            self._broken = fault or f"the ledger failed ({type(error).__name__})"
        if group.work is not None:
            group.work.done.set_exception(error)


def _is_alone(group: _Group[Any, Any]) -> bool:
    return group.work is not None and group.work.alone

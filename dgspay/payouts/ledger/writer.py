"""One thread that writes: what is asked of it at about the same time is one commit."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, Protocol, TypeVar

import attrs

from dgspay.payouts.faults import LedgerError

T = TypeVar("T")

GROUP_SECONDS = 0.02
"""How long what nobody waits for may wait for company."""

_TRIES = 20
"""How often a commit is tried on a server that comes back and goes away again."""

_PAUSE = 0.2
"""Seconds to leave to whoever was in the way, after the time that was waited for him."""

_GONE = "the ledger's thread is gone: a ledger cannot be used in a forked process"


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

    def may_pass(self, error: BaseException) -> bool:
        """Say whether nothing is wrong but that somebody else was in the way for too long."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


ConnectionT = TypeVar("ConnectionT", bound=Connection)
ItemT = TypeVar("ItemT")


@attrs.frozen(eq=False)
class _Work(Generic[ConnectionT]):
    """Something to do in a transaction, for somebody who waits for it."""

    do: Callable[[ConnectionT], Any]
    done: Future[Any]
    alone: bool


@attrs.define(eq=False)
class _Group(Generic[ConnectionT, ItemT]):
    """What becomes one commit: items nobody waits for, and the work that came after them."""

    items: list[ItemT]
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
        self._posted: deque[ItemT] = deque()
        self._asked: deque[_Work[ConnectionT]] = deque()
        self._broken: str | None = None
        self._closed = False
        self._refusal: str | None = None
        self._idle = False
        self._inbox = threading.Condition(threading.Lock())
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
        if not self._thread.is_alive() and not self._closed:
            raise LedgerError(_GONE)
        done: Future[T] = Future()
        with self._inbox:
            self._require_open()
            self._asked.append(_Work(do, done, alone))
            self._inbox.notify()
        return done.result()

    def post(self, item: ItemT) -> None:
        """Have an item written within the next commit, without waiting."""
        if self._refusal is not None:
            raise LedgerError(self._refusal)
        # Without a lock, for it is done for each of a million: the thread says that it is idle
        # before it looks whether something was posted.
        self._posted.append(item)
        if self._idle:
            with self._inbox:
                self._idle = False
                self._inbox.notify()

    def close(self) -> None:
        """Do what is waiting, and end the thread."""
        with self._inbox:
            self._closed = True
            self._refusal = self._refusal or "the ledger is closed"
            self._inbox.notify()
        self._thread.join()

    def _require_open(self) -> None:
        if self._refusal is not None:
            raise LedgerError(self._refusal)

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
            # Whatever ends the thread, nobody may wait for it any more.
            self._turn_away("the ledger's thread has ended")
            connection.close()

    def _next_group(self) -> _Group[ConnectionT, ItemT]:
        """Wait for work, and then a little for more, unless somebody waits for it."""
        with self._inbox:
            self._idle = True
            self._inbox.wait_for(lambda: self._posted or self._asked or self._closed)
            self._idle = False
            self._inbox.wait_for(lambda: self._asked or self._closed, timeout=GROUP_SECONDS)
            items = [self._posted.popleft() for _ in range(len(self._posted))]
            group: _Group[ConnectionT, ItemT] = _Group(items)
            if self._asked:
                group.work = self._asked.popleft()
            group.is_last = self._closed and not self._asked
            return group

    def _break(self, reason: str) -> None:
        """Refuse everything from now on."""
        self._broken = self._broken or reason
        self._refusal = self._refusal or reason

    def _turn_away(self, reason: str) -> None:
        with self._inbox:
            self._break(reason)
            turned_away = [*self._asked]
            self._asked.clear()
        for work in turned_away:
            work.done.set_exception(LedgerError(reason))

    def _carry_out(self, connection: ConnectionT, group: _Group[ConnectionT, ItemT]) -> None:
        if group.work is not None and group.work.alone and group.items:
            self._carry_out(connection, _Group(group.items))
            group.items = []
        if self._broken is not None:
            if group.work is not None:
                group.work.done.set_exception(LedgerError(self._broken))
            return
        if not group.items and group.work is None:
            return
        tries_left = _TRIES
        while True:
            tries_left -= 1
            try:
                result = self._commit(connection, group)
            except BaseException as error:  # noqa: BLE001 - it belongs to the thread that waits
                connection.rollback()
                fault = connection.fault_of(error)
                may_repeat = fault is not None and not _is_alone(group) and tries_left > 0
                # It may be on disk for all that: everything a group does can be done twice.
                if may_repeat and connection.reconnect(error):
                    continue
                # What was learned must not be lost because somebody else was in the way.
                if may_repeat and group.items and connection.may_pass(error):
                    time.sleep(_PAUSE)
                    continue
                if fault is None and group.work is not None and group.items:
                    # The work's own error, which what shares its commit must survive.
                    self._carry_out(connection, _Group(group.items))
                    group.items = []
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
            self._break(fault or f"the ledger failed ({type(error).__name__})")
        if group.work is not None:
            group.work.done.set_exception(error)


def _is_alone(group: _Group[Any, Any]) -> bool:
    return group.work is not None and group.work.alone

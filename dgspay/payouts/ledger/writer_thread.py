"""One thread that writes: what is asked of it at about the same time is one commit."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, Protocol, TypeVar

import attrs

from dgspay.forks import new_lock, renew_in_child
from dgspay.interruption import interruption_in
from dgspay.payouts.errors import LedgerBrokenError, LedgerError, WentBackError

T = TypeVar("T")

GROUP_SECONDS = 0.02
"""Maximum delay before fire-and-forget items are committed as a group."""

_TRIES = 20
"""How often a commit is tried on a server that comes back and goes away again."""

_PAUSE = 0.2
"""Seconds to pause before retrying after a lock timeout."""

_TRY_AGAIN_SECONDS = 2.0
"""How often items that could not be written are tried again while nothing else is asked."""

logger = logging.getLogger("dgspay.payouts")

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
        """Say whether another writer holding the lock is all that is wrong."""
        ...

    def heals(self, error: BaseException) -> bool:
        """Say whether the same may work later, as on a disk that is full now."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


ConnectionT = TypeVar("ConnectionT", bound=Connection)
ItemT = TypeVar("ItemT")


@attrs.frozen(eq=False)
class _Work(Generic[ConnectionT]):
    """Work for a transaction, whose caller waits for the result."""

    do: Callable[[ConnectionT], Any]
    done: Future[Any]
    alone: bool


@attrs.define(eq=False)
class _Group(Generic[ConnectionT, ItemT]):
    """One commit: fire-and-forget items, and the work that came after them."""

    items: list[ItemT]
    work: _Work[ConnectionT] | None = None
    is_last: bool = False


class Writer(Generic[ConnectionT, ItemT]):
    """Runs work on a connection of its own, in the order it was given.

    Items that the database does not take are kept, and tried again with whatever is asked next:
    as long as that fails, every call raises, so that nothing more is sent.

    Args:
        connect: Makes the connection, in the thread.
        absorb: Writes items that were posted, within a transaction.
        answer_within: Seconds to wait for an answer; None for as long as it takes.
    """

    def __init__(
        self,
        connect: Callable[[], ConnectionT],
        absorb: Callable[[ConnectionT, list[ItemT]], None],
        answer_within: float | None = None,
    ) -> None:
        self._absorb = absorb
        self._answer_within = answer_within
        self._posted: deque[ItemT] = deque()
        self._asked: deque[_Work[ConnectionT]] = deque()
        self._broken: str | None = None
        self._closed = False
        self._is_behind = False
        self._refusal: str | None = None
        self._idle = False
        self._inbox = threading.Condition(new_lock())
        renew_in_child(self)
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
            raise LedgerBrokenError(_GONE)
        done: Future[T] = Future()
        with self._inbox:
            self._require_open()
            self._asked.append(_Work(do, done, alone))
            self._inbox.notify()
        try:
            return done.result(self._answer_within)
        except TimeoutError as error:
            if done.done() or interruption_in(error) is not None:
                raise
            raise LedgerError(
                f"the ledger has not answered for {self._answer_within:g} s. What was asked may "
                "be done later all the same"
            ) from None

    def post(self, item: ItemT) -> None:
        """Have an item written within the next commit, without waiting."""
        self._require_open()
        # Without a lock, for it is done for each of a million: the thread says that it is idle
        # before it looks whether something was posted.
        self._posted.append(item)
        if self._idle:
            with self._inbox:
                self._idle = False
                self._inbox.notify()

    def close(self) -> None:
        """Do what is waiting, and end the thread; wait for it no longer than for an answer."""
        with self._inbox:
            self._closed = True
            self._refusal = self._refusal or "the ledger is closed"
            self._inbox.notify()
        self._thread.join(self._answer_within)

    def renew_in_child(self) -> None:
        """Refuse everything: what would be posted here, nothing would ever write."""
        self._posted.clear()
        self._break(_GONE)

    def _require_open(self) -> None:
        if self._refusal is not None:
            raise LedgerBrokenError(self._refusal)

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
            # However the thread ends, no caller may be left waiting for it.
            self._turn_away("the ledger's thread has ended")
            connection.close()

    def _next_group(self) -> _Group[ConnectionT, ItemT]:
        """Wait for work, and then a little for more, unless a caller waits for it."""
        with self._inbox:
            self._idle = True
            if self._is_behind:
                self._inbox.wait_for(lambda: self._asked or self._closed, _TRY_AGAIN_SECONDS)
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
        self._answer_all(LedgerBrokenError(reason))
        if self._posted:
            logger.error(
                "%d answers could not be written into the ledger: %s. Their payouts stay "
                "in doubt and are held; a webhook, a look-up or a person settles them",
                len(self._posted),
                reason,
            )

    def _answer_all(self, error: LedgerError) -> None:
        """Give everything that was asked one error: each would wait as long for the same one."""
        with self._inbox:
            waiting = [*self._asked]
            self._asked.clear()
        for work in waiting:
            work.done.set_exception(error)

    def _carry_out(self, connection: ConnectionT, group: _Group[ConnectionT, ItemT]) -> None:
        if group.work is not None and group.work.alone and group.items:
            self._carry_out(connection, _Group(group.items))
            group.items = []
        if self._broken is not None:
            if group.work is not None:
                group.work.done.set_exception(LedgerBrokenError(self._broken))
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
                if isinstance(error, WentBackError) and not may_repeat:
                    # What may have been sent is held, though this is not tried again.
                    connection.reconnect(error)
                # What was learned must not be lost because another writer held the lock.
                if may_repeat and group.items and connection.may_pass(error):
                    time.sleep(_PAUSE)
                    continue
                if fault is None and group.work is not None and group.items:
                    # The work's own error, which what shares its commit must survive.
                    self._carry_out(connection, _Group(group.items))
                    group.items = []
                self._report(group, error, fault, heals=connection.heals(error))
                return
            break
        if group.items:
            self._is_behind = False
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
        self,
        group: _Group[ConnectionT, ItemT],
        error: BaseException,
        fault: str | None,
        *,
        heals: bool,
    ) -> None:
        if fault is not None and not isinstance(error, LedgerError):
            error = LedgerError(f"{fault}. What is not in the ledger is not sent")
        if group.items and not heals:
            # It would come again each time.
            self._break(fault or f"the ledger failed ({type(error).__name__})")
            self._posted.extend(group.items)
        elif group.items:
            self._is_behind = True
            self._posted.extendleft(reversed(group.items))
        if group.work is not None:
            group.work.done.set_exception(error)
        if fault is not None and isinstance(error, LedgerError):
            self._answer_all(error)


def _is_alone(group: _Group[Any, Any]) -> bool:
    return group.work is not None and group.work.alone

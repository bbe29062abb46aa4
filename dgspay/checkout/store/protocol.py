"""The protocol of a store of orders: it runs scripts, each in one transaction.

A script is a generator of SQL statements that is sent the rows of each. The logic of orders is
written once, as scripts; a store knows only how to run one on its connections.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

T = TypeVar("T")

Row = tuple[Any, ...]


class Statement(NamedTuple):
    """One SQL statement.

    Attributes:
        text: With `?` for each value. `{now}` is the store's time, `{lock}` and `{skip}` lock rows
            until the transaction ends where the database knows such locks.
        values: For its placeholders.
        is_blind: Whether the script looks at no rows of it: it may be sent with the next one.
    """

    text: str
    values: Sequence[object] = ()
    is_blind: bool = False


class Together(NamedTuple):
    """Statements of whose rows a script needs none before the next: they may be sent at once.

    They are run in their order, each after the one before it, so that one which follows a lock
    sees what was committed until it was had.
    """

    statements: tuple[Statement, ...]


Script = Generator[Statement | Together, Any, T]
"""A transaction's statements; it is sent the rows of each, and returns the result."""


def query(text: str, *values: object) -> Script[list[Row]]:
    """Run one statement of a script and return its rows."""
    rows: list[Row] = yield Statement(text, values)
    return rows


def record(text: str, *values: object) -> Script[None]:
    """Have one statement of a script run before the next one, or before the commit.

    Where it fails, the script may have gone on, but nothing of it is committed.
    """
    yield Statement(text, values, is_blind=True)


def first(text: str, *values: object) -> Script[Row | None]:
    """Run one statement of a script and return its first row."""
    rows = yield Statement(text, values)
    return rows[0] if rows else None


def run_script(
    script: Script[T],
    execute: Callable[[Statement], list[Row]],
    together: Callable[[Sequence[Statement]], list[list[Row]]] | None = None,
) -> T:
    """Run a script on a connection, within the transaction that it has open.

    Args:
        script: Its statements.
        execute: Runs one and returns its rows; an empty list for what returns none.
        together: Runs several, where that is more than to run one after the other.
    """
    try:
        statement = next(script)
        while True:
            try:
                rows: list[Any]
                if isinstance(statement, Statement):
                    rows = execute(statement)
                elif together is None:
                    rows = [execute(each) for each in statement.statements]
                else:
                    rows = together(statement.statements)
            except BaseException as error:  # noqa: BLE001 - a script may clean up after any
                statement = script.throw(error)
            else:
                statement = script.send(rows)
    except StopIteration as done:
        result: T = done.value
        return result


async def run_script_async(
    script: Script[T], execute: Callable[[Statement], Awaitable[list[Row]]]
) -> T:
    """Run a script on an asynchronous connection; see `run_script`."""
    try:
        statement = next(script)
        while True:
            try:
                rows: list[Any]
                if isinstance(statement, Statement):
                    rows = await execute(statement)
                else:
                    rows = [await execute(each) for each in statement.statements]
            except BaseException as error:  # noqa: BLE001 - a script may clean up after any
                statement = script.throw(error)
            else:
                statement = script.send(rows)
    except StopIteration as done:
        result: T = done.value
        return result


class OrdersStore(Protocol):
    """A store that blocking code uses, such as `SqliteOrders`."""

    @property
    def shares_transactions(self) -> bool:
        """Whether a handler may write in the store's own transaction."""
        ...

    def run(self, make: Callable[[], Script[T]], *, connection: Any = None) -> T:
        """Run a script in a transaction of its own, and return once it is on disk.

        Args:
            make: Makes the script: it may be run again where the database asks for that.
            connection: A connection of the shop's on the same database: the script joins the
                transaction that it has open, and the shop commits.

        Raises:
            OrdersError: it is not known to be on disk.
        """
        ...

    def handle(
        self,
        hold: Callable[[], Script[bool]],
        call: Callable[[Any], object],
        end: Callable[[], Script[None]],
    ) -> None:
        """Call a handler within a transaction: what it writes is committed with `end`, or not.

        Args:
            hold: Run before; where it returns False, nothing else is done.
            call: Called with the transaction's connection.
            end: Run after.
        """
        ...

    def close(self) -> None:
        """Close its connections."""
        ...


class AsyncOrdersStore(Protocol):
    """A store that asynchronous code uses; see `OrdersStore`."""

    @property
    def shares_transactions(self) -> bool:
        """Whether a handler may write in the store's own transaction."""
        ...

    async def arun(self, make: Callable[[], Script[T]], *, connection: Any = None) -> T:
        """Run a script. A cancellation does not undo it."""
        ...

    def handle(
        self,
        hold: Callable[[], Script[bool]],
        call: Callable[[Any], object],
        end: Callable[[], Script[None]],
    ) -> None:
        """Call a plain function as a handler within a transaction; it runs in a thread."""
        ...

    async def ahandle(
        self,
        hold: Callable[[], Script[bool]],
        call: Callable[[Any], Awaitable[object]],
        end: Callable[[], Script[None]],
    ) -> None:
        """Call a handler within a transaction."""
        ...

    def close(self) -> None:
        """Close its connections."""
        ...

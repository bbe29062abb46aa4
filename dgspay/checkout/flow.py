"""Effects of a checkout: what its flows ask of a driver, blocking or for `await`.

A flow is a generator that yields effects and is sent back what they led to, so that each method
of both checkouts is written once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeVar

import attrs

from dgspay import Operation
from dgspay.checkout.store.protocol import Script

T = TypeVar("T")


@attrs.frozen
class Transact:
    """Run a script in a transaction; where a connection is given, in the one it has open."""

    make: Callable[[], Script[Any]]
    connection: Any = None


@attrs.frozen
class Execute:
    """Carry an operation out with the client."""

    operation: Operation[object]


@attrs.frozen
class Sleep:
    """Wait for so many seconds."""

    seconds: float


@attrs.frozen
class Handle:
    """Call a handler of the shop's.

    Attributes:
        function: Called with `value`, and a connection where it takes one.
        value: The order, or the problem.
        is_async: Whether it is to be awaited.
        hold: For one that takes a connection: run before it in its transaction; False skips it.
        end: For one that takes a connection: run after it in its transaction.
    """

    function: Callable[..., Any]
    value: Any
    is_async: bool
    hold: Callable[[], Script[bool]] | None = None
    end: Callable[[], Script[None]] | None = None


Effect = Transact | Execute | Sleep | Handle
Flow = Generator[Effect, Any, T]


def transact(make: Callable[[], Script[T]], connection: Any = None) -> Flow[T]:
    """Run a script in a transaction."""
    result: T = yield Transact(make, connection)
    return result


def execute(operation: Operation[T]) -> Flow[T]:
    """Carry an operation out."""
    result: T = yield Execute(operation)
    return result


def sleep(seconds: float) -> Flow[None]:
    """Wait."""
    yield Sleep(seconds)

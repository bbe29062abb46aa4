"""Distinguish an exception of the program's own from those of a transport.

A handler of a signal runs wherever the interpreter happens to be, and may raise what it likes:
`TimeoutError` by an alarm, say, or Celery's `SoftTimeLimitExceeded`. Raised inside an HTTP library
it looks like a failure of the network, and the library may even wrap it as one. It says nothing
about the request, and must reach the program as it was raised.
"""

from __future__ import annotations

import functools
import inspect
import signal
import sys
import traceback
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any

# What a transport stands on. An exception raised there is of one of their classes, or the system's.
_LIBRARIES = frozenset(
    {
        "dgspay",
        "httpx",
        "httpcore",
        "httpx2",
        "httpcore2",
        "h11",
        "aiohttp",
        "anyio",
        "trio",
        "idna",
    }
)
_SYSTEM = sys.stdlib_module_names


def interruption_in(error: BaseException) -> BaseException | None:
    """Return what the program itself raised, if an exception is that or was made from it."""
    for link in links(error):
        frames = [frame for frame, _ in traceback.walk_tb(link.__traceback__)]
        if any(_is_handler(frame) for frame in frames) or _was_put_in(link, frames):
            return link
    return None


def links(error: BaseException) -> Iterator[BaseException]:
    """Follow what an exception names as its cause.

    Not its context: a program that calls while it handles the failure of something else has
    that failure there, and it says nothing about this request.
    """
    link: BaseException | None = error
    while link is not None:
        yield link
        if isinstance(link, BaseExceptionGroup):
            for member in link.exceptions:
                yield from links(member)
        link = link.__cause__


def _is_handler(frame: FrameType) -> bool:
    """Return whether a frame is that of a signal's handler: it is given the frame it interrupts."""
    interrupted = frame.f_back
    if interrupted is None:
        return False
    code = frame.f_code
    given = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & inspect.CO_VARARGS)
    for name in code.co_varnames[:given]:
        value = frame.f_locals.get(name)
        if value is interrupted:
            return True
        if isinstance(value, tuple) and any(part is interrupted for part in value):
            return True
    # It may have thrown away what it was given.
    return code in _codes_of_handlers()


def _codes_of_handlers() -> Iterator[CodeType]:
    for number in signal.valid_signals():
        handler: Any = signal.getsignal(number)
        while isinstance(handler, functools.partial):
            handler = handler.func
        called = handler if hasattr(handler, "__code__") else getattr(handler, "__call__", None)  # noqa: B004
        code = getattr(inspect.unwrap(called), "__code__", None) if callable(called) else None
        if isinstance(code, CodeType):
            yield code


def _was_put_in(error: BaseException, frames: list[FrameType]) -> bool:
    """Return whether an exception came from another thread (`PyThreadState_SetAsyncExc`).

    It is of a class of the program's own, where only libraries are at work that do not know it.
    """
    if _root(type(error).__module__) in _LIBRARIES | _SYSTEM or not frames:
        return False
    *above, innermost = (_root(str(frame.f_globals.get("__name__"))) for frame in frames)
    # What waits for a task or a thread raises whatever that has raised.
    waits = {"asyncio", "concurrent"}
    return innermost in (_LIBRARIES | _SYSTEM) - waits and set(above) <= _LIBRARIES | _SYSTEM


def _root(module: str) -> str:
    return module.partition(".")[0]

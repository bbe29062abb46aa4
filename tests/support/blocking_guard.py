"""A guard that fails the test whose asynchronous code blocks its event loop (asyncio only)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any
from unittest import mock

from blockbuster import blockbuster

import dgspay

HOUSE = str(Path(dgspay.__file__).parent)
TESTS = str(Path(__file__).parents[1])

# Where blocking is meant: the end of a file's name, its functions, and why.
ALLOWED = (
    ("<frozen importlib._bootstrap>", {"_find_and_load"}, "a module is imported once"),
    ("logging/__init__.py", {"emit", "flush"}, "where a program's log goes is its own affair"),
    ("redis/utils.py", {"get_lib_version"}, "redis reads its own version for each connection"),
    ("emulator/web/rendering.py", {"<lambda>"}, "the emulator reads each template once"),
    ("zoneinfo/_common.py", {"load_data"}, "psycopg reads a time zone once"),
    ("zoneinfo/_tzpath.py", {"find_tzfile"}, "psycopg reads a time zone once"),
    (
        "webhooks/frameworks/django.py",
        {"_body_and_signature"},
        "Django wrote this file itself",
    ),
)

_COROUTINES = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR | inspect.CO_ITERABLE_COROUTINE


def is_ours(code: CodeType) -> bool | None:
    """Whether a function makes what it calls ours to answer for; None if the next one decides."""
    if code.co_filename.startswith(TESTS):
        return False
    if code.co_flags & _COROUTINES and code.co_filename.startswith(HOUSE):
        return True
    return None


def blocks_a_coroutine_of_ours() -> bool:
    """Whether the nearest of our coroutines and of the tests' functions is one of ours."""
    frame: FrameType | None = inspect.currentframe()
    # Above the guard itself, which is part of the tests.
    while frame is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    while frame is not None:
        if (ours := is_ours(frame.f_code)) is not None:
            return ours
        frame = frame.f_back
    return False


def where() -> str:
    """The functions on the way from the package to the call that blocks."""
    names: list[str] = []
    frame: FrameType | None = inspect.currentframe()
    while frame is not None:
        names.append(f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}")
        if frame.f_code.co_filename.startswith(HOUSE):
            break
        frame = frame.f_back
    return " < ".join(names[3:])


@contextmanager
def guard(found: Callable[[str], None]) -> Iterator[None]:
    """Report and refuse each call that blocks one of our coroutines."""

    class Refused(blockbuster.BlockingError):
        def __init__(self, function: str) -> None:
            super().__init__(function)
            # Code that takes every exception for a failure of the network would hide it.
            found(f"{self}, {where()}")

    def unless(allowed: Callable[..., bool]) -> Callable[..., bool]:
        def may_block(*arguments: Any, **options: Any) -> bool:
            return allowed(*arguments, **options) or not blocks_a_coroutine_of_ours()

        return may_block

    guarding = blockbuster.BlockBuster(dgspay)
    for function in guarding.functions.values():
        function.can_block_predicate = unless(function.can_block_predicate)
        for file, functions, _ in ALLOWED:
            function.can_block_in(file, functions)
    with mock.patch.object(blockbuster, "BlockingError", Refused):
        guarding.activate()
        try:
            yield
        finally:
            guarding.deactivate()

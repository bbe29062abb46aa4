"""The guard against blocking calls sees those of dgspay's coroutines, and no others."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType

import pytest
from blockbuster import BlockingError

import dgspay
from tests.conftest import BLOCKED
from tests.support.blocking_guard import ALLOWED

HOUSE = Path(dgspay.__file__).parent


def house(text: str) -> ModuleType:
    """A module of dgspay's with this text, as far as the guard can tell."""
    module = ModuleType("blocking")
    exec(compile(text, str(HOUSE / "blocking.py"), "exec"), vars(module))
    return module


SLEEPS = house(
    "import time\n"
    "def wait(): time.sleep(0)\n"
    "async def wait_async(): wait()\n"
    "async def ask(callback): callback()\n"
    "async def swallow():\n"
    "    try: wait()\n"
    "    except Exception: pass\n"
)


def blocked_by(coroutine: Callable[[], Awaitable[object]]) -> list[str]:
    async def main() -> None:
        await coroutine()

    with contextlib.suppress(BlockingError):
        asyncio.run(main())
    found = [*BLOCKED]
    BLOCKED.clear()
    return found


def test_a_coroutine_of_the_package_that_blocks_is_found() -> None:
    assert blocked_by(SLEEPS.wait_async) == ["Blocking call to time.sleep, blocking.py:2"]


def test_it_is_found_though_the_error_is_caught() -> None:
    assert blocked_by(SLEEPS.swallow) == ["Blocking call to time.sleep, blocking.py:2"]


def test_a_test_may_block_its_own_loop() -> None:
    async def blocking_client_in_a_test() -> None:
        SLEEPS.wait()

    assert blocked_by(blocking_client_in_a_test) == []
    assert blocked_by(lambda: SLEEPS.ask(lambda: time.sleep(0))) == []


@pytest.mark.parametrize("in_thread", [True, False])
def test_outside_of_the_loop_nothing_is_found(in_thread: bool) -> None:
    if in_thread:
        assert blocked_by(lambda: asyncio.to_thread(SLEEPS.wait)) == []
    else:
        SLEEPS.wait()
        assert BLOCKED == []


def test_what_is_allowed_in_the_package_is_still_there() -> None:
    for file, functions, reason in ALLOWED:
        assert reason
        path = HOUSE / file
        if path.exists():
            text = path.read_text(encoding="utf-8")
            assert all(name == "<lambda>" or f"def {name}(" in text for name in functions), file

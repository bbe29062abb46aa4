from __future__ import annotations

import atexit
import gc
import logging
import os
import shutil
import signal
import tempfile
from collections.abc import Generator, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.acceptance.rows import named
from tests.support.blocking_guard import guard

# A shell starts what runs in its background with Ctrl-C ignored, and the programs that tests
# start and interrupt would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# What is noted of a ledger outside of it belongs to the tests, and to the programs they start.
# Twice, for some of them start programs without any variable of dgspay's.
_STATE = tempfile.mkdtemp(prefix="dgspay-state-")
atexit.register(shutil.rmtree, _STATE, ignore_errors=True)
os.environ["DGSPAY_STATE_FOLDER"] = os.environ["XDG_STATE_HOME"] = _STATE
# The ledgers that commands make where none is named.
os.environ["XDG_DATA_HOME"] = _STATE

# How long an example takes says how busy the machine is.
settings.register_profile("dgspay", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dgspay")


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Reject a mark `acceptance` that does not carry its row's number and name."""
    for item in items:
        for mark in item.iter_markers("acceptance"):
            try:
                named(*mark.args)
            except ValueError as wrong:
                raise pytest.UsageError(f"{item.nodeid}: {wrong}") from None


BLOCKED: list[str] = []
"""What blocked an event loop during the test that runs."""


@pytest.fixture(scope="session", autouse=True)
def _no_blocking() -> Iterator[None]:
    with guard(BLOCKED.append):
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    """Fail a test whose asynchronous code blocked, though what that raised was caught."""
    BLOCKED.clear()
    try:
        yield
    except Exception as error:
        if BLOCKED:
            error.add_note(_held_up())
        raise
    if BLOCKED:
        pytest.fail(_held_up())


def _held_up() -> str:
    return f"the event loop was held up: {', '.join(sorted({*BLOCKED}))}"


def _is_no_timing(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith("Executing ")


@pytest.fixture(scope="session", autouse=True)
def _no_slow_callbacks() -> None:
    """Drop what asyncio's debug mode logs of slow steps: it says how busy the machine is."""
    logging.getLogger("asyncio").addFilter(_is_no_timing)


def pytest_collection_finish() -> None:
    """Spare the garbage collector what lives as long as the tests: their modules and themselves."""
    gc.collect()
    gc.freeze()


@pytest.fixture(params=[("asyncio", {}), ("trio", {})], ids=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    return request.param

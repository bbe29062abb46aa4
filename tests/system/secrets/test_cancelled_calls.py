"""No secret hangs on what ends a call from outside: cancellations, time limits, signals."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import anyio.to_thread
import pytest

from dgspay import AsyncDGSPay, DGSPay
from dgspay.core.messages import Request, Response, Timeout
from tests.support.known_secrets import ACCOUNT, API_KEY, OTP, settings
from tests.support.raw_server import Connection, RawServer, Script
from tests.support.secret_scanner import SecretScanner
from tests.support.transport_matrix import ASYNC_WAYS, WAYS, Way
from tests.system.secrets.test_calls import CALLS, Call, otp

BLOCKING_WAYS = [way for way in WAYS if way.is_blocking]
ASYNCIO_WAYS = [way for way in ASYNC_WAYS if way.mode == "asyncio"]


def arrives(then: Callable[[], None]) -> Script:
    """Script: say when a request has arrived, and never answer it."""

    def script(connection: Connection) -> None:
        connection.read_request()
        then()
        connection.stall()

    return script


def frames_below_the_call(error: BaseException) -> list[str]:
    """The files of the frames behind the driver's, in whatever hangs on an exception."""
    links, files = [error], []
    while links:
        link = links.pop()
        names = [frame.filename for frame in traceback.extract_tb(link.__traceback__)]
        drivers = [place for place, name in enumerate(names) if name.endswith("drivers.py")]
        files += names[drivers[-1] + 1 :] if drivers else []
        links += [hanging for hanging in (link.__cause__, link.__context__) if hanging is not None]
        links += link.exceptions if isinstance(link, BaseExceptionGroup) else ()
    return files


async def timed_out(call: Call, dgs: AsyncDGSPay, arrived: threading.Event) -> None:
    """The program's own time limit: a TimeoutError made of a CancelledError."""
    async with asyncio.timeout(None) as limit:

        async def end_it() -> None:
            await anyio.to_thread.run_sync(arrived.wait)
            limit.reschedule(0)

        ending = asyncio.create_task(end_it())
        try:
            await call(dgs)
        finally:
            await asyncio.shield(ending)


async def cancelled_task(call: Call, dgs: AsyncDGSPay, arrived: threading.Event) -> None:
    task = asyncio.create_task(call(dgs))
    await anyio.to_thread.run_sync(arrived.wait)
    task.cancel()
    await task


async def cancelled_scope(call: Call, dgs: AsyncDGSPay, arrived: threading.Event) -> None:
    """A scope of anyio's or trio's: its exception is seen on its way through the task."""
    seen: list[BaseException] = []

    async def make() -> None:
        try:
            await call(dgs)
        except BaseException as error:
            seen.append(error)
            raise

    async with anyio.create_task_group() as group:
        group.start_soon(make)
        await anyio.to_thread.run_sync(arrived.wait)
        group.cancel_scope.cancel()
    raise seen[0]


Ending = Callable[[Call, AsyncDGSPay, threading.Event], Any]


def ended(scanner: SecretScanner, way: Way, call: Call, ending: Ending) -> BaseException:
    arrived = threading.Event()
    with RawServer(arrives(arrived.set)) as running:

        async def main() -> BaseException:
            options = {**settings(scanner, running.url, way), "timeout": Timeout()}
            async with AsyncDGSPay(**options) as dgs:
                try:
                    await ending(call, dgs, arrived)
                except BaseException as error:  # noqa: BLE001 - whatever comes out
                    scanner.scan_error(error)
                    return error
            raise AssertionError("it did not end")

        return anyio.run(main, backend=way.mode)


@pytest.mark.acceptance(67, "no-secret-in-dumps")
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("way", ASYNC_WAYS, ids=str)
def test_cancelled_call_shows_nothing(way: Way, call: Call, scanner: SecretScanner) -> None:
    error = ended(scanner, way, call, cancelled_scope)
    assert type(error).__name__ in ("CancelledError", "Cancelled")
    assert frames_below_the_call(error) == []


@pytest.mark.acceptance(67, "no-secret-in-dumps")
@pytest.mark.parametrize("ending", [timed_out, cancelled_task])
@pytest.mark.parametrize("way", ASYNCIO_WAYS, ids=str)
def test_call_that_asyncio_ends_shows_nothing(
    way: Way, ending: Ending, scanner: SecretScanner
) -> None:
    error = ended(scanner, way, otp, ending)
    assert isinstance(error, TimeoutError if ending is timed_out else asyncio.CancelledError)
    assert frames_below_the_call(error) == []


@contextmanager
def raising(error: BaseException) -> Iterator[None]:
    """Have a signal raise an exception wherever the main thread is."""

    def handler(_signal: int, _frame: object) -> None:
        raise error

    before = signal.signal(signal.SIGUSR2, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR2, before)


@pytest.mark.acceptance(67, "no-secret-in-dumps")
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("way", BLOCKING_WAYS, ids=str)
def test_call_that_a_signal_ends_shows_nothing(
    way: Way, call: Call, scanner: SecretScanner
) -> None:
    error = KeyboardInterrupt()

    def strike() -> None:
        os.kill(os.getpid(), signal.SIGUSR2)

    with raising(error), RawServer(arrives(strike)) as running:
        options = {**settings(scanner, running.url, way), "timeout": Timeout()}
        with DGSPay(**options) as dgs, pytest.raises(KeyboardInterrupt) as caught:
            call(dgs)
    assert caught.value is error
    assert frames_below_the_call(error) == []
    scanner.scan_error(error)


class Raising:
    """A transport that raises what it is given, the request in its frames and in its causes."""

    is_async = False

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def send(self, request: Request, timeout: Timeout) -> Response:
        held = (request.reveal_headers(), request.reveal_body())
        try:
            raise ValueError(str(held))
        except ValueError as cause:
            raise self._error from cause

    def close(self) -> None:
        """Hold nothing."""


def end_with(error: BaseException, make: Callable[[DGSPay], Any] = otp) -> None:
    dgs = DGSPay(
        api_key=API_KEY, account_number=ACCOUNT, environment="emulator", transport=Raising(error)
    )
    make(dgs)


@pytest.mark.acceptance(67, "no-secret-in-dumps")
def test_causes_and_groups_of_what_leaves_a_call_show_nothing(scanner: SecretScanner) -> None:
    inner = OSError(f"while it sent {OTP}")
    group = BaseExceptionGroup("many", [KeyboardInterrupt(), ExceptionGroup("more", [inner])])
    for error in (KeyboardInterrupt(), SystemExit(3), group):
        with pytest.raises(BaseException) as caught:  # noqa: PT011 - whatever it is
            end_with(error)
        shown = caught.value
        assert type(shown) is type(error)
        assert (shown.__cause__, shown.__context__) == (None, None)
        assert frames_below_the_call(shown) == []
        scanner.scan_error(shown)
        if isinstance(shown, BaseExceptionGroup):
            assert [type(member) for member in shown.exceptions] == [KeyboardInterrupt]


@pytest.mark.acceptance(67, "no-secret-in-dumps")
def test_what_the_program_was_handling_stays_whole() -> None:
    """The context is the program's own, frames and causes included, and no concern of a call."""
    own = LookupError("the program's own")
    with pytest.raises(KeyboardInterrupt) as caught:
        try:
            raise own from OSError("and its cause")
        except LookupError:
            end_with(KeyboardInterrupt())
    assert caught.value.__context__ is own
    assert own.__traceback__ is not None
    assert isinstance(own.__cause__, OSError)


@pytest.mark.acceptance(67, "no-secret-in-dumps")
def test_signal_while_an_argument_is_checked_shows_nothing(scanner: SecretScanner) -> None:
    class Interrupts(str):  # noqa: SLOT000
        """A reference whose check a signal interrupts."""

        def strip(self, chars: str | None = None) -> str:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        end_with(OSError(), lambda dgs: dgs.charges.authorize_otp(Interrupts("dgs_1"), OTP))
    scanner.scan_error(caught.value)
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert names[-1] == "method"

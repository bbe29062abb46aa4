"""A handler of a signal that raises: its exception comes out, and the client is as it was."""

from __future__ import annotations

import functools
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import anyio
import pytest
from blockbuster import blockbuster

from dgspay import DGSPay, RetryPolicy, Timeout
from dgspay.core.messages import Request, TransportFailure
from dgspay.interruption import interruption_in
from tests.support import blocking_guard
from tests.support.calls import payout, read, settings_for
from tests.support.gated_server import Gate
from tests.support.interrupter import Interrupted, Interrupter
from tests.support.raw_server import Connection, RawServer, answering, free_port, http
from tests.support.transport_matrix import WAYS, Way

GOOD = http({"status": "success", "dgs_reference": "dgs_1", "balances": []})
BLOCKING = [way for way in WAYS if way.is_blocking]


class SoftTimeLimitExceeded(Exception):  # noqa: N818 - as Celery calls it
    """An alarm's exception of the program's own."""


class Alarm:
    """A handler that raises, and the thread that has it called once something has happened."""

    def __init__(self, raised: BaseException) -> None:
        self.raised = raised

    def __call__(self, number: int, frame: FrameType | None) -> None:
        raise self.raised

    def ring_when(self, condition: Callable[[], bool]) -> None:
        main = threading.main_thread().ident
        assert main is not None

        def ring() -> None:
            until = time.monotonic() + 60
            while not condition() and time.monotonic() < until:
                time.sleep(0.005)
            signal.pthread_kill(main, signal.SIGUSR1)

        threading.Thread(target=ring, daemon=True).start()


RAISED = [SoftTimeLimitExceeded, TimeoutError, ConnectionResetError, ValueError, KeyboardInterrupt]


@pytest.fixture(params=RAISED)
def alarm(request: pytest.FixtureRequest) -> Iterator[Alarm]:
    alarm = Alarm(request.param("of the program"))
    before = signal.signal(signal.SIGUSR1, alarm)
    yield alarm
    signal.signal(signal.SIGUSR1, before)


# The guard against blocking calls stands between a function and what it waits in.
OF_THE_GUARD = (blockbuster.__file__, blocking_guard.__file__)


def is_waiting(function: str) -> bool:
    """Whether the main thread is in a function that waits."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    while frame is not None and frame.f_code.co_filename in OF_THE_GUARD:
        frame = frame.f_back
    return frame is not None and frame.f_code.co_name == function


def client(way: Way, url: str, **options: Any) -> DGSPay:
    own = way.transport(max_connections=1)
    settings = {"retry": RetryPolicy(attempts=3, initial_delay=0.001), "transport": own, **options}
    return DGSPay(**settings_for(url, **settings))


def assert_comes_out(alarm: Alarm, call: Callable[[], Any]) -> None:
    with pytest.raises(type(alarm.raised)) as caught:
        call()
    assert caught.value is alarm.raised
    assert alarm.raised.__cause__ is None


@pytest.mark.acceptance(71, "raising-signal-handler")
@pytest.mark.parametrize("way", BLOCKING, ids=str)
@pytest.mark.parametrize("act", [read, payout])
def test_alarm_while_an_answer_is_waited_for(way: Way, alarm: Alarm, act: Any) -> None:
    gate = Gate()
    with RawServer(gate) as server, client(way, server.url) as dgs:
        alarm.ring_when(lambda: gate.waiting == 1)
        assert_comes_out(alarm, lambda: act(dgs))
        gate.opened.set()
        assert len(server.requests) == 1
        act(dgs)


@pytest.mark.acceptance(71, "raising-signal-handler")
@pytest.mark.parametrize("way", BLOCKING, ids=str)
def test_alarm_while_an_answer_is_waited_for_by_a_client_of_the_users_own(
    way: Way, alarm: Alarm
) -> None:
    gate = Gate()
    with RawServer(gate) as server, way.own_client() as own:
        dgs = DGSPay(**settings_for(server.url, transport=way.borrow(own)))
        alarm.ring_when(lambda: gate.waiting == 1)
        assert_comes_out(alarm, lambda: payout(dgs))
        gate.opened.set()
        assert len(server.requests) == 1
        payout(dgs)


@pytest.mark.acceptance(71, "raising-signal-handler")
def test_alarm_while_a_slot_is_waited_for(alarm: Alarm) -> None:
    gate = Gate()
    with RawServer(gate) as server, client(BLOCKING[0], server.url) as dgs:
        other = threading.Thread(target=read, args=(dgs,))
        other.start()
        while not gate.waiting:
            time.sleep(0.005)
        alarm.ring_when(lambda: is_waiting("acquire"))
        assert_comes_out(alarm, lambda: payout(dgs))
        gate.opened.set()
        other.join()
        payout(dgs)
        assert len(server.requests) == 2


@pytest.mark.acceptance(71, "raising-signal-handler")
def test_alarm_while_a_request_is_sent(alarm: Alarm) -> None:
    """A body that the server does not take is still on its way."""
    transport = BLOCKING[0].transport(max_connections=1)

    def deaf_at_first(connection: Connection) -> None:
        if connection.server.accepted == 1:
            connection.hold()
        answering(GOOD)(connection)

    with RawServer(deaf_at_first, receive_buffer=4_096) as server:
        alarm.ring_when(lambda: is_waiting("write"))
        url = f"{server.url}/charges"
        large = Request("POST", url, {}, bytes(8_000_000))
        assert_comes_out(alarm, lambda: transport.send(large, Timeout(total=60)))
        assert transport.send(Request("GET", url, {}, None), Timeout(total=60)).status == 200
        transport.close()


@pytest.mark.acceptance(71, "raising-signal-handler")
def test_alarm_while_a_pause_between_two_attempts(alarm: Alarm) -> None:
    slow = RetryPolicy(initial_delay=60, max_delay=60)
    port = free_port()
    with client(BLOCKING[0], f"http://127.0.0.1:{port}", retry=slow) as dgs:
        alarm.ring_when(lambda: is_waiting("drive"))
        assert_comes_out(alarm, lambda: payout(dgs))
        with RawServer(answering(GOOD), port=port) as server:
            payout(dgs)
            assert len(server.requests) == 1


# --- at every step ---------------------------------------------------------------------------


@pytest.mark.acceptance(71, "raising-signal-handler")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("collected")
@pytest.mark.parametrize("where", ["dgspay", "httpcore"])
@pytest.mark.parametrize("act", [read, payout])
def test_no_step_of_a_call_loses_a_slot_or_a_key_when_it_is_interrupted(
    act: Any, where: str
) -> None:
    """A payout here has a key of the caller's own."""
    impatient = Timeout(pool=0.05)
    with (
        RawServer(answering(GOOD)) as server,
        client(BLOCKING[0], server.url, timeout=impatient, retry=RetryPolicy(attempts=1)) as dgs,
    ):
        step, interrupted = 1, 0
        while True:
            interrupter = Interrupter(step, os.sep + where + os.sep)
            try:
                with interrupter:
                    act(dgs)
            except Interrupted:
                interrupted += 1
            if interrupter.left > 0:
                break
            act(dgs)
            step += 1
        assert interrupted > 30


# --- which exceptions are the program's own --------------------------------------------------


def raised_by(handler: Any) -> Exception:
    before = signal.signal(signal.SIGUSR1, handler)
    try:
        signal.raise_signal(signal.SIGUSR1)
    except TimeoutError as error:
        return error
    finally:
        signal.signal(signal.SIGUSR1, before)
    raise AssertionError


def forgetful(number: int, frame: object) -> None:
    del number, frame
    raise TimeoutError


def of_any_arguments(*_: object) -> None:
    raise TimeoutError


def named(*, more: object, signum: int, frame: object) -> None:
    raise TimeoutError


def decorated(handler: Any) -> Any:
    @functools.wraps(handler)
    def outer(*arguments: object) -> None:
        handler(*arguments)

    return outer


HANDLERS = {
    "forgetful": forgetful,
    "of any arguments": of_any_arguments,
    "an object": Alarm(TimeoutError()),
    "a method": Alarm(TimeoutError()).__call__,
    "a partial": functools.partial(of_any_arguments, 1),
    "decorated": decorated(forgetful),
}


@pytest.mark.parametrize("handler", HANDLERS.values(), ids=HANDLERS)
def test_what_a_handler_raises_is_known_whatever_the_handler_is(handler: Any) -> None:
    before = signal.signal(signal.SIGUSR1, handler)
    try:
        error = raised_by(handler)
        assert interruption_in(error) is error
        wrapped = OSError()
        wrapped.__cause__ = error
        assert interruption_in(wrapped) is error
        assert (
            interruption_in(ExceptionGroup("several", [wrapped.with_traceback(None), error]))
            is error
        )
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_what_a_library_raises_is_no_interruption_though_a_handler_raised_before() -> None:
    """A program may call while it handles what an alarm has raised."""
    with pytest.raises(TransportFailure) as caught:
        try:
            raise raised_by(of_any_arguments)
        except TimeoutError:
            transport = BLOCKING[0].transport()
            transport.send(Request("GET", f"http://127.0.0.1:{free_port()}", {}, None), Timeout())
    assert not caught.value.sent


# --- in an event loop --------------------------------------------------------------------------


@pytest.mark.acceptance(71, "raising-signal-handler")
@pytest.mark.parametrize("way", [way for way in WAYS if way.mode == "asyncio"], ids=str)
def test_alarm_in_an_event_loop_ends_the_program_as_it_would_without_us(
    way: Way, alarm: Alarm
) -> None:
    gate = Gate()
    with RawServer(gate) as server:

        async def main() -> None:
            transport = way.transport()
            request = Request("POST", f"{server.url}/charges", {}, b"{}")
            try:
                await transport.send(request, Timeout(total=60))
            finally:
                await transport.aclose()

        alarm.ring_when(lambda: gate.waiting == 1)
        assert_comes_out(alarm, lambda: anyio.run(main))
        assert len(server.requests) == 1

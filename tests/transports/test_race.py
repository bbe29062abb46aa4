"""The first address of a host that answers is used, and no look-up outlives its call."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import anyio
import pytest

from dgspay.core.messages import Request, Timeout, TransportFailure
from dgspay.transports import lookups
from dgspay.transports.asyncio_lookups import look_up_async
from dgspay.transports.asyncio_race import connect_async
from dgspay.transports.lookups import look_up
from dgspay.transports.race import connect
from tests.support.interrupter import Interrupted, Interrupter
from tests.support.raw_server import RawServer, answering, free_port, http
from tests.support.transport_matrix import WAYS, Way

GOOD = http({"status": "success"})
PLACES = [
    pytest.param(way, loop, id=f"{way.library}-{loop}")
    for way in WAYS
    for loop in ([way.mode, "uvloop"] if way.mode == "asyncio" else [way.mode])
]


@contextlib.contextmanager
def deaf() -> Iterator[tuple[str, int]]:
    """An address that takes up no connection, and refuses none."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):  # until no more are queued
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()


class Names:
    """What stands for the name server."""

    def __init__(self) -> None:
        self.addresses: list[tuple[str, int]] = []
        self.asked = 0
        self.answers = threading.Event()
        self.answers.set()

    def look_up(self, real: Any, host: Any, port: Any, *args: Any, **more: Any) -> Any:
        if host not in ("many.test", b"many.test"):
            return real(host, port, *args, **more)
        flags = more.get("flags") or (args[3] if len(args) > 3 else 0)
        if flags & socket.AI_NUMERICHOST:  # as trio asks at first
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        self.asked += 1
        self.answers.wait(60)
        kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        if not self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(*kind, address) for address in self.addresses]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    names, real = Names(), socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **m: names.look_up(real, *a, **m))
    yield names
    names.answers.set()
    until = time.monotonic() + 30
    while lookups._under_way and time.monotonic() < until:
        time.sleep(0.001)


def run(loop: str, main: Callable[[], Awaitable[Any]]) -> Any:
    if loop == "uvloop":
        uvloop = pytest.importorskip("uvloop")
        return anyio.run(main, backend_options={"loop_factory": uvloop.new_event_loop})
    return anyio.run(main, backend=loop)


def send(way: Way, loop: str, url: str, timeout: Timeout) -> Any:
    transport = way.transport()
    request = Request("POST", f"{url}/charges", {}, b"{}")
    if way.is_blocking:
        try:
            return transport.send(request, timeout)
        finally:
            transport.close()

    async def main() -> Any:
        try:
            return await transport.send(request, timeout)
        finally:
            await transport.aclose()

    return run(loop, main)


@pytest.mark.acceptance(72, "slow-name-server")
@pytest.mark.parametrize(("way", "loop"), [p for p in PLACES if "uvloop" not in str(p.id)])
def test_first_address_that_is_dead_costs_a_moment_only(way: Way, loop: str, names: Names) -> None:
    with RawServer(answering(GOOD)) as server, deaf() as dead:
        names.addresses = [dead, ("127.0.0.1", server.port)]
        url = f"http://many.test:{server.port}"
        assert send(way, loop, url, Timeout(connect=20, total=60)).status == 200
        assert server.accepted == 1


@pytest.mark.acceptance(72, "slow-name-server")
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_dead_addresses_are_raced_on_any_loop_of_asyncios_kind(loop: str) -> None:
    with RawServer(answering(GOOD)) as server, deaf() as dead:
        there = ("127.0.0.1", server.port)
        addresses = [(int(socket.AF_INET), address) for address in (dead, there)]

        async def main() -> None:
            with anyio.fail_after(30):
                sock = await connect_async(addresses)
            with sock:
                assert sock.getpeername() == there

        run(loop, main)
        with connect(addresses, 30) as sock:
            assert sock.getpeername() == there


@pytest.mark.parametrize("loop", ["blocking", "asyncio", "uvloop"])
def test_addresses_that_refuse_are_passed_over_at_once_and_named_when_all_do(loop: str) -> None:
    port = free_port()
    refusing = [(int(socket.AF_INET), ("127.0.0.1", port))] * 60
    # A broadcast address is refused by the system itself, at once.
    broadcast = (int(socket.AF_INET), ("255.255.255.255", port))
    unreachable = [broadcast, (99, ("of no family", port))]

    def connected(addresses: Any) -> socket.socket:
        if loop == "blocking":
            return connect(addresses, 10)

        async def main() -> socket.socket:
            with anyio.fail_after(10):
                return await connect_async(addresses)

        sock: socket.socket = run(loop, main)
        return sock

    with pytest.raises(ConnectionRefusedError):
        connected([*unreachable, *refusing])
    with pytest.raises(OSError, match="no address"):
        connected([])
    with RawServer(answering(GOOD)) as server:
        there = (int(socket.AF_INET), ("127.0.0.1", server.port))
        began = time.monotonic()
        connected([*unreachable, *refusing, there]).close()
        assert time.monotonic() - began < 8  # a quarter of a second for each would be fifteen


def test_race_without_a_winner_ends_in_time() -> None:
    with deaf() as dead:
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            connect([(int(socket.AF_INET), dead)] * 3, 0.3)
        assert time.monotonic() - began < 20


def test_race_that_is_cancelled_leaves_no_socket() -> None:
    with deaf() as dead:

        async def main() -> None:
            with anyio.move_on_after(0.4) as scope:
                await connect_async([(int(socket.AF_INET), dead)] * 3)
            assert scope.cancelled_caught

        anyio.run(main)
        gc.collect()  # a socket left open would warn


def test_families_take_turns() -> None:
    four = [(4, number) for number in range(3)]
    six = [(6, number) for number in range(4)]
    assert lookups._interleaved([*six, *four]) == [
        (6, 0), (4, 0), (6, 1), (4, 1), (6, 2), (4, 2), (6, 3),
    ]  # fmt: skip


# --- look-ups ---------------------------------------------------------------------------------


@pytest.mark.acceptance(72, "slow-name-server")
@pytest.mark.parametrize(("way", "loop"), PLACES)
def test_name_server_that_does_not_answer_holds_no_call_beyond_its_time(
    way: Way, loop: str, names: Names
) -> None:
    if loop == "uvloop" and way.library == "aiohttp":
        pytest.skip("uvloop asks the system itself")
    names.answers.clear()
    try:
        for timeout in (Timeout(connect=0.1, total=60), Timeout(connect=60, total=0.1)):
            began = time.monotonic()
            with pytest.raises(TransportFailure) as caught:
                send_and_answer_late(way, loop, names, timeout)
            assert not caught.value.sent
            assert time.monotonic() - began < 30
    finally:
        names.answers.set()


def send_and_answer_late(way: Way, loop: str, names: Names, timeout: Timeout) -> None:
    """Let the name server answer when the call is over, for a loop may wait for its threads."""
    transport = way.transport()
    request = Request("POST", "http://many.test/charges", {}, b"{}")
    if way.is_blocking:
        transport.send(request, timeout)
        return

    async def main() -> None:
        try:
            await transport.send(request, timeout)
        finally:
            if way.library == "aiohttp" or loop == "trio":
                names.answers.set()
            await transport.aclose()

    names.answers.clear()
    run(loop, main)


def test_calls_at_once_ask_the_name_server_once(names: Names) -> None:
    names.addresses = [("127.0.0.1", 1)]
    names.answers.clear()
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(look_up("many.test", 1, 60)))
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    while len(lookups._under_way.values()) == 0 or _waiting() < 10:
        time.sleep(0.001)
    names.answers.set()
    for thread in threads:
        thread.join(60)
    assert len(found) == 10
    assert names.asked == 1
    assert not lookups._under_way
    assert look_up("many.test", 1, None) == [(int(socket.AF_INET), ("127.0.0.1", 1))]
    assert names.asked == 2


def _waiting() -> int:
    return sum(len(pending.waiting) for pending in list(lookups._under_way.values()))


def test_names_that_are_looked_up_at_a_time_are_bounded(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "_AT_A_TIME", 0)
    with pytest.raises(OSError, match="too many"):
        look_up("many.test", 1, 60)
    assert names.asked == 0


def test_what_is_no_name_is_not_sent(names: Names) -> None:
    for host in ("many.test", "a" * 70 + ".test"):
        with pytest.raises((OSError, UnicodeError)):
            look_up(host, 1, 60)

    async def main() -> None:
        with pytest.raises(OSError, match="not known"):
            await look_up_async("many.test", 1)

    anyio.run(main)


@pytest.mark.acceptance(71, "raising-signal-handler")
def test_no_step_of_a_look_up_hangs_the_next_when_it_is_interrupted(names: Names) -> None:
    names.addresses = [("127.0.0.1", 1)]
    step = 1
    while True:
        interrupter = Interrupter(step, "lookups.py")
        with contextlib.suppress(Interrupted), interrupter:
            look_up("many.test", 1, 60)
        assert look_up("many.test", 1, 60)
        if interrupter.left > 0:
            break
        step += 1
    assert step > 10


@pytest.mark.acceptance(71, "raising-signal-handler")
def test_alarm_while_a_name_is_looked_up(names: Names) -> None:
    names.answers.clear()

    def handler(*_: object) -> None:
        raise TimeoutError("of the program")

    before = signal.signal(signal.SIGUSR1, handler)
    main = threading.main_thread().ident
    assert main is not None

    def ring() -> None:
        while not _waiting():
            time.sleep(0.001)
        signal.pthread_kill(main, signal.SIGUSR1)

    threading.Thread(target=ring, daemon=True).start()
    try:
        with pytest.raises(TimeoutError, match="of the program"):
            send(WAYS[0], "sync", "http://many.test", Timeout(connect=60, total=60))
    finally:
        signal.signal(signal.SIGUSR1, before)


AT_EXIT = """
import atexit, sys
from dgspay.core.messages import Request, Timeout, TransportFailure
from dgspay.transports.httpx import HttpxTransport

def call():
    try:
        transport.send(Request("GET", f"http://localhost:{sys.argv[1]}/x", {}, None), Timeout())
    except TransportFailure as failure:
        print("sent" if failure.sent else "not sent")
    else:
        print("answered")

transport = HttpxTransport.blocking()
atexit.register(call)
"""


@pytest.mark.acceptance(62, "nothing-left")
def test_look_up_at_the_exit_of_the_interpreter_works() -> None:
    with RawServer(answering(GOOD)) as server:
        done = subprocess.run(
            [sys.executable, "-c", AT_EXIT, str(server.port)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.stdout, done.stderr) == ("answered\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
@pytest.mark.acceptance(70, "fork-at-any-moment")
def test_look_up_under_way_is_no_affair_of_a_forked_child(names: Names) -> None:
    names.addresses = [("127.0.0.1", 1)]
    names.answers.clear()
    thread = threading.Thread(target=look_up, args=("many.test", 1, 60))
    thread.start()
    while not _waiting():
        time.sleep(0.001)
    child = os.fork()
    if child == 0:
        names.answers = threading.Event()
        names.answers.set()
        os._exit(0 if look_up("many.test", 1, 5) else 1)
    _, status = os.waitpid(child, 0)
    names.answers.set()
    thread.join(60)
    assert os.waitstatus_to_exitcode(status) == 0

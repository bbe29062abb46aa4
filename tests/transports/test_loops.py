"""Nothing of a client or of a loop that has ended is kept: no file, no memory, no warning."""

from __future__ import annotations

import asyncio
import gc
import os
import ssl
import sys
import time
import weakref
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from dgspay import AsyncDGSPay
from dgspay.core.messages import Request, Timeout, TransportFailure
from dgspay.transports.loops import PerLoop, running_loop
from tests.support.calls import read, settings_for
from tests.support.certificate_authority import AUTHORITY
from tests.support.raw_server import RawServer, answering, http
from tests.support.transport_matrix import ASYNC_WAYS, Way

GOOD = http({"status": "success", "balances": []})
FULL = os.environ.get("DGSPAY_TEST_FULL") == "1"
MANY = 1_000 if FULL else 15

PLACES = [
    pytest.param(way, loop, id=f"{way.library}-{loop}")
    for way in ASYNC_WAYS
    if FULL or way.library != "httpx2"  # which is httpx in all that concerns a loop
    for loop in ([way.mode, "uvloop"] if way.mode == "asyncio" else [way.mode])
]


def run(loop: str, main: Callable[[], Awaitable[Any]]) -> Any:
    if loop == "uvloop":
        uvloop = pytest.importorskip("uvloop")
        return anyio.run(main, backend_options={"loop_factory": uvloop.new_event_loop})
    return anyio.run(main, backend=loop)


@pytest.fixture(params=[False, True], ids=["plain", "tls"])
def server(request: pytest.FixtureRequest) -> Iterator[RawServer]:
    tls = AUTHORITY.server_context("127.0.0.1") if request.param else None
    with RawServer(answering(GOOD), tls=tls) as running:
        yield running


@pytest.fixture
def collected() -> Iterator[None]:
    """Collect what a test dropped while its own filters of warnings are in force."""
    yield
    gc.collect()


def trusting() -> ssl.SSLContext:
    """A context of few certificates, which is made at once."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    AUTHORITY.configure_trust(context)
    return context


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def ours() -> int:
    """Objects of the transports that are alive, once what is garbage is gone."""
    gc.collect()
    kinds = (str(type(each).__module__) for each in gc.get_objects())
    return sum(kind.startswith("dgspay.transports") for kind in kinds)


@pytest.mark.acceptance(69, "no-leak")
@pytest.mark.skipif(sys.platform != "linux", reason="it counts files in /proc")
@pytest.mark.parametrize(("way", "loop"), PLACES)
def test_one_client_in_many_loops_keeps_nothing_of_those_that_ended(
    way: Way, loop: str, server: RawServer
) -> None:
    transport = way.transport(verify=trusting())
    dgs = AsyncDGSPay(**settings_for(server.url, transport=transport))
    loops: list[weakref.ref[Any]] = []

    async def call() -> None:
        loops.append(weakref.ref(running_loop()))
        await read(dgs)

    run(loop, call)
    alive = ours()
    files = open_files()
    for _ in range(MANY):
        run(loop, call)
    assert ours() <= alive
    until = time.monotonic() + 30
    while open_files() > files + 3 and time.monotonic() < until:
        time.sleep(0.005)  # the server's side of what was just closed is closed a moment later
    assert open_files() <= files + 3
    assert [seen for seen in loops if seen() is not None] == []
    assert len(server.requests) == MANY + 1


async def call_with_a_client_of_its_own(way: Way, server: RawServer) -> AsyncDGSPay:
    transport = way.transport(verify=trusting())
    dgs = AsyncDGSPay(**settings_for(server.url, transport=transport))
    await read(dgs)
    return dgs


@pytest.mark.acceptance(69, "no-leak")
@pytest.mark.parametrize(("way", "loop"), PLACES)
def test_many_clients_that_are_closed_leave_nothing_in_their_loop(
    way: Way, loop: str, server: RawServer
) -> None:
    async def main() -> None:
        await (await call_with_a_client_of_its_own(way, server)).aclose()
        alive = ours()
        for _ in range(MANY):
            await (await call_with_a_client_of_its_own(way, server)).aclose()
        assert ours() <= alive + 3  # the last of them may be in a frame

    run(loop, main)
    assert len(server.requests) == MANY + 1


@pytest.mark.acceptance(69, "no-leak")
@pytest.mark.filterwarnings(  # aiohttp says, when it is collected, that nobody has closed it
    "ignore:Unclosed:ResourceWarning",
    "ignore:.*ClientSession:pytest.PytestUnraisableExceptionWarning",
)
@pytest.mark.usefixtures("collected")
@pytest.mark.parametrize(
    ("way", "loop"), [place for place in PLACES if "trio" not in str(place.id)]
)
def test_many_clients_that_are_dropped_are_closed_by_their_loop(
    way: Way, loop: str, server: RawServer
) -> None:
    """On trio, trio itself warns of each."""

    async def main() -> None:
        await call_with_a_client_of_its_own(way, server)
        alive = ours()
        for _ in range(10):
            await call_with_a_client_of_its_own(way, server)
        with anyio.fail_after(30):
            while ours() > alive + 3:  # noqa: ASYNC110 - nothing reports a collection
                await anyio.sleep(0.01)

    run(loop, main)


@pytest.mark.acceptance(69, "no-leak")
def test_loop_that_is_closed_by_hand_is_forgotten_with_the_next() -> None:
    """It does not end what was left in it."""
    made: PerLoop[object, str] = PerLoop(lambda _: "one", lambda _: asyncio.sleep(0))

    async def main() -> None:
        await made.open(running_loop())

    for _ in range(3):
        loop = asyncio.new_event_loop()
        loop.run_until_complete(main())
        assert made.get(loop) == "one"
        loop.close()
    assert len(made._kept) == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_running_loop_is_the_same_in_one_run_and_another_in_the_next(backend: str) -> None:
    async def main() -> Any:
        assert running_loop() is running_loop()
        return running_loop()

    assert anyio.run(main, backend=backend) is not anyio.run(main, backend=backend)
    with pytest.raises(RuntimeError):
        running_loop()


@pytest.mark.parametrize(("way", "loop"), PLACES)
def test_call_that_is_under_way_when_its_client_is_closed_is_not_left_without_a_deadline(
    way: Way, loop: str
) -> None:
    def silent(connection: Any) -> None:
        connection.read_request()
        connection.stall()

    async def main(server: RawServer) -> None:
        transport = way.transport()
        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:

                async def send() -> None:
                    with pytest.raises(TransportFailure):
                        request = Request("GET", f"{server.url}/balance", {}, None)
                        await transport.send(request, Timeout(total=0.5))

                group.start_soon(send)
                while not server.requests:  # noqa: ASYNC110 - the server is a thread
                    await anyio.sleep(0.005)
                await transport.aclose()

    with RawServer(silent) as server:
        run(loop, lambda: main(server))

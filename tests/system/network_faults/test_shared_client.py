"""One client in two event loops, in threads, after a fork, after close: it works or says why."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import pytest

from dgspay import AsyncDGSPay, DGSPay, Outcome
from dgspay.errors import TransportError
from tests.support.calls import carry_out, payout, read, settings_for
from tests.support.raw_server import RawServer, answering, http
from tests.support.transport_matrix import ASYNC_WAYS, WAYS, Way

GOOD = http({"status": "success", "balances": []})

# A loop that ends without closing the client leaves its connections to the garbage collector.
left_open = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning",
    "ignore:.*socket:pytest.PytestUnraisableExceptionWarning",
    "ignore:.*Transport:pytest.PytestUnraisableExceptionWarning",
)


@pytest.fixture
def server() -> Iterator[RawServer]:
    with RawServer(answering(GOOD)) as running:
        yield running


LIBRARIES = {way.library: way for way in ASYNC_WAYS}
LOOPS = [("asyncio", "asyncio"), ("asyncio", "trio"), ("trio", "trio")]
LOOPS_OF = [
    pytest.param(way, loops, id=f"{way.library}-{'-'.join(loops)}")
    for way in LIBRARIES.values()
    for loops in (LOOPS if way.library == "httpx" else LOOPS[:1])
]


def async_client(way: Way, server: RawServer) -> AsyncDGSPay:
    return AsyncDGSPay(**settings_for(server.url, transport=way.transport()))


@left_open
@pytest.mark.usefixtures("collected")
@pytest.mark.acceptance(21, "shared-client")
@pytest.mark.parametrize(("way", "loops"), LOOPS_OF)
def test_async_client_in_one_loop_after_another(
    server: RawServer, way: Way, loops: tuple[str, str]
) -> None:
    dgs = async_client(way, server)

    async def main() -> None:
        await dgs.balances.list()
        await dgs.balances.list()

    for backend in loops:
        anyio.run(main, backend=backend)

    async def close() -> None:
        await dgs.balances.list()
        await dgs.aclose()

    asyncio.run(close())
    assert len(server.requests) == 5


@left_open
@pytest.mark.usefixtures("collected")
@pytest.mark.acceptance(21, "shared-client")
@pytest.mark.parametrize(("way", "loops"), LOOPS_OF)
def test_async_client_in_several_loops_at_once(
    server: RawServer, way: Way, loops: tuple[str, str]
) -> None:
    dgs = async_client(way, server)
    together = threading.Barrier(4)

    def run(backend: str) -> None:
        async def main() -> None:
            await dgs.balances.list()
            await anyio.to_thread.run_sync(together.wait)
            for _ in range(20):
                await dgs.balances.list()

        anyio.run(main, backend=backend)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(run, name) for name in loops * 2]:
            done.result(30)
    assert len(server.requests) == 84


@pytest.mark.acceptance(21, "shared-client")
@pytest.mark.parametrize("way", [way for way in WAYS if way.is_blocking], ids=str)
def test_blocking_client_in_20_threads(server: RawServer, way: Way) -> None:
    settings = settings_for(server.url, transport=way.transport())
    with DGSPay(**settings) as dgs, ThreadPoolExecutor(20) as pool:
        for done in [pool.submit(dgs.balances.list) for _ in range(400)]:
            done.result(30)
    assert len(server.requests) == 400
    assert server.accepted <= 20


@pytest.mark.acceptance(21, "shared-client")
@pytest.mark.parametrize("client", ["sync", "async", "aiohttp"])
def test_client_is_used_on_both_sides_of_a_fork(server: RawServer, client: str) -> None:
    script = Path(__file__).with_name("fork_script.py")
    done = subprocess.run(
        [sys.executable, str(script), client, server.url],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    # The child never writes to a connection of its parent's.
    assert len(server.requests) == {"sync": 6, "async": 5, "aiohttp": 5}[client]
    assert server.accepted == {"sync": 2, "async": 3, "aiohttp": 3}[client]


@pytest.mark.acceptance(21, "shared-client")
@pytest.mark.parametrize("act", [payout, read])
def test_use_after_close_is_a_clear_error(server: RawServer, way: Way, act: Any) -> None:
    def closed_first(dgs: Any) -> Any:
        if way.is_blocking:
            dgs.close()
            return act(dgs)

        async def close_and_call() -> Any:
            await dgs.aclose()
            return await act(dgs)

        return close_and_call()

    with pytest.raises(TransportError, match="closed") as caught:
        carry_out(way, server.url, closed_first)
    assert caught.value.outcome is Outcome.NOT_SENT
    assert server.accepted == 0


@pytest.mark.acceptance(21, "shared-client")
@pytest.mark.parametrize("way", LIBRARIES.values(), ids=LIBRARIES)
def test_users_own_client_that_is_closed_is_a_clear_error(server: RawServer, way: Way) -> None:
    async def main() -> AsyncDGSPay:
        async with way.own_client() as own:
            dgs = AsyncDGSPay(**settings_for(server.url, transport=way.borrow(own)))
            await dgs.balances.list()
        await assert_refused(dgs, "closed")
        return dgs

    asyncio.run(assert_refused(asyncio.run(main()), "closed"))
    assert len(server.requests) == 1


@left_open
@pytest.mark.usefixtures("collected")
@pytest.mark.acceptance(21, "shared-client")
@pytest.mark.parametrize("way", LIBRARIES.values(), ids=LIBRARIES)
def test_users_own_open_client_in_a_second_loop_is_a_clear_error(
    server: RawServer, way: Way
) -> None:
    async def main() -> AsyncDGSPay:
        dgs = AsyncDGSPay(**settings_for(server.url, transport=way.borrow(way.own_client())))
        await dgs.balances.list()
        return dgs

    dgs = asyncio.run(main())
    asyncio.run(assert_refused(dgs, "another event loop"))
    assert len(server.requests) == 1


async def assert_refused(dgs: AsyncDGSPay, why: str) -> None:
    with pytest.raises(TransportError, match=why) as caught:
        await dgs.balances.list()
    assert caught.value.outcome is Outcome.NOT_SENT
    assert caught.value.attempts == 1


@pytest.mark.acceptance(21, "shared-client")
def test_closing_twice_and_closing_unused_is_harmless(way: Way, server: RawServer) -> None:
    def close_again(dgs: Any) -> Any:
        if way.is_blocking:
            dgs.close()
            return dgs.close()

        async def close_twice() -> None:
            await dgs.aclose()
            await dgs.aclose()

        return close_twice()

    carry_out(way, server.url, close_again)
    assert server.accepted == 0

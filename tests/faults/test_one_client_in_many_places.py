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
import httpx
import pytest

from dgspay import AsyncDGSPay, DGSPay, Outcome
from dgspay.errors import TransportError
from dgspay.transports.httpx import HttpxTransport
from tests.faults.calls import ACCOUNT, API_KEY, AT_ONCE, carry_out, payout, read
from tests.faults.raw_server import RawServer, answering, http
from tests.transports.ways import Way

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


def settings(server: RawServer) -> dict[str, Any]:
    return {
        "api_key": API_KEY,
        "account_number": ACCOUNT,
        "base_url": server.url,
        "retry": AT_ONCE,
    }


@left_open
@pytest.mark.usefixtures("collected")
@pytest.mark.acceptance(21)
@pytest.mark.parametrize("loops", [("asyncio", "asyncio"), ("asyncio", "trio"), ("trio", "trio")])
def test_async_client_in_one_loop_after_another(server: RawServer, loops: tuple[str, str]) -> None:
    dgs = AsyncDGSPay(**settings(server))

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
@pytest.mark.acceptance(21)
def test_async_client_in_several_loops_at_once(server: RawServer) -> None:
    dgs = AsyncDGSPay(**settings(server))
    together = threading.Barrier(4)

    def run(backend: str) -> None:
        async def main() -> None:
            await dgs.balances.list()
            await anyio.to_thread.run_sync(together.wait)
            for _ in range(20):
                await dgs.balances.list()

        anyio.run(main, backend=backend)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(run, name) for name in ("asyncio", "trio", "asyncio", "trio")]:
            done.result(30)
    assert len(server.requests) == 84


@pytest.mark.acceptance(21)
def test_blocking_client_in_20_threads(server: RawServer) -> None:
    with DGSPay(**settings(server)) as dgs, ThreadPoolExecutor(20) as pool:
        for done in [pool.submit(dgs.balances.list) for _ in range(400)]:
            done.result(30)
    assert len(server.requests) == 400
    assert server.accepted <= 20


@pytest.mark.acceptance(21)
@pytest.mark.parametrize("client", ["sync", "async"])
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
    assert len(server.requests) == {"sync": 6, "async": 2}[client]
    assert server.accepted == 2


@pytest.mark.acceptance(21)
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


@pytest.mark.acceptance(21)
def test_users_own_client_in_a_second_loop_is_a_clear_error(server: RawServer) -> None:
    own = httpx.AsyncClient()
    dgs = AsyncDGSPay(**settings(server), transport=HttpxTransport(own))

    async def call() -> None:
        await dgs.balances.list()
        await own.aclose()

    async def call_again() -> None:
        await dgs.balances.list()

    asyncio.run(call())
    with pytest.raises(TransportError, match="closed") as caught:
        asyncio.run(call_again())
    assert caught.value.outcome is Outcome.NOT_SENT


@left_open
@pytest.mark.usefixtures("collected")
@pytest.mark.acceptance(21)
def test_users_own_open_client_in_a_second_loop_is_a_clear_error(server: RawServer) -> None:
    own = httpx.AsyncClient()
    dgs = AsyncDGSPay(**settings(server), transport=HttpxTransport(own))

    async def call() -> None:
        await dgs.balances.list()

    asyncio.run(call())
    with pytest.raises(TransportError, match="another event loop") as caught:
        asyncio.run(call())
    assert caught.value.outcome is Outcome.NOT_SENT
    assert len(server.requests) == 1


@pytest.mark.acceptance(21)
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

"""A user's own client whose pool has lost its places is known by that, with what to do."""

from __future__ import annotations

from collections.abc import Iterator

import anyio
import anyio.lowlevel
import httpcore
import httpx
import pytest

from dgspay import AsyncDGSPay, DGSPay, Timeout
from dgspay.errors import Outcome, TransportError
from dgspay.transports.httpx import HttpxTransport
from dgspay.transports.httpx.lost_connections import lost_connections
from tests.support.calls import payout, read, settings_for
from tests.support.raw_server import Connection, RawServer, answering, http

BACKENDS = ["asyncio", "trio"]
GOOD = http({"status": "success", "dgs_reference": "dgs_1", "balances": []})
IMPATIENT = Timeout(pool=0.1)


@pytest.fixture
def server() -> Iterator[RawServer]:
    with RawServer(answering(GOOD)) as running:
        yield running


async def cancel_under_contention(dgs: AsyncDGSPay) -> None:
    """Cancel calls at every step of theirs, more of them than there are connections."""
    for steps in range(12):
        for _ in range(4):
            async with anyio.create_task_group() as group:
                for _ in range(6):
                    group.start_soon(read, dgs)
                for _ in range(steps):
                    await anyio.lowlevel.checkpoint()
                group.cancel_scope.cancel()


@pytest.mark.acceptance(19, "cancelled-under-contention", 62, "nothing-left")
@pytest.mark.parametrize("backend", BACKENDS)
def test_client_poisoned_by_cancellations_is_distinguished_from_a_busy_one(
    backend: str, server: RawServer
) -> None:
    async def main() -> None:
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=2)) as own:
            patient, dgs = (
                AsyncDGSPay(
                    **settings_for(server.url, transport=HttpxTransport(own), timeout=timeout)
                )
                for timeout in (Timeout(), IMPATIENT)
            )
            for _ in range(100):
                await cancel_under_contention(patient)
                lost = lost_connections(own._transport)
                if lost is not None and lost.permanent:
                    break
            with pytest.raises(TransportError, match="2 of its 2") as caught:
                await payout(dgs)
        error = caught.value
        assert (error.outcome, error.permanent, error.attempts) == (Outcome.NOT_SENT, True, 1)
        assert "encode/httpcore#1093" in error.message
        assert "HttpxTransport()" in error.message
        async with AsyncDGSPay(**settings_for(server.url, transport=HttpxTransport())) as ours:
            await payout(ours)

    anyio.run(main, backend=backend)


def never(connection: Connection) -> None:
    if connection.read_request() is not None:
        connection.stall()


@pytest.mark.acceptance(19, "cancelled-under-contention")
def test_busy_client_is_not_called_poisoned() -> None:
    """All its connections are some call's, which may end at any moment."""

    async def main(server: RawServer) -> None:
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=1)) as own:
            dgs = AsyncDGSPay(
                **settings_for(server.url, transport=HttpxTransport(own), timeout=IMPATIENT)
            )
            async with anyio.create_task_group() as group:
                group.start_soon(read, dgs)
                while not server.requests:  # noqa: ASYNC110 - the server is a thread
                    await anyio.sleep(0.005)
                with pytest.raises(TransportError, match="became free in time") as caught:
                    await payout(dgs)
                group.cancel_scope.cancel()
        assert caught.value.attempts == 3
        assert "1093" not in caught.value.message

    with RawServer(never) as silent:
        anyio.run(main, silent)


def test_blocking_client_is_looked_at_as_well(server: RawServer) -> None:
    """It loses none to cancellation, but an alarm's exception may take one."""
    with httpx.Client(limits=httpx.Limits(max_connections=1)) as own:
        pool = own._transport._pool  # type: ignore[attr-defined]
        lost = pool.create_connection(httpx_origin(server))
        pool._connections.append(lost)
        dgs = DGSPay(**settings_for(server.url, transport=HttpxTransport(own), timeout=IMPATIENT))
        with pytest.raises(TransportError, match="1 of its 1") as caught:
            payout(dgs)
    assert caught.value.outcome is Outcome.NOT_SENT


def httpx_origin(server: RawServer) -> object:
    return httpcore.Origin(b"http", b"127.0.0.1", server.port)

"""AiohttpTransport on a session of the user's own: what it is spared, and what it cannot be."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from dgspay import AsyncDGSPay, errors
from dgspay.core.messages import Timeout, TransportFailure
from dgspay.transports.aiohttp import AiohttpTransport
from tests.support.calls import charge, payout, read, settings_for
from tests.support.gated_server import Gate
from tests.support.raw_server import RawServer, answering, http
from tests.support.transport_matrix import WAYS
from tests.transports.contract.calling import post

GOOD = http({"status": "success", "dgs_reference": "dgs_1", "balances": []})
(AIOHTTP,) = [way for way in WAYS if way.library == "aiohttp"]
LIMITS = Timeout(total=10)

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_session_of_the_users_own_is_used_and_left_open() -> None:
    with RawServer(answering(GOOD)) as server:
        async with aiohttp.ClientSession() as session:
            async with AsyncDGSPay(
                **settings_for(server.url, transport=AiohttpTransport(session))
            ) as dgs:
                await charge(dgs)
                await charge(dgs)
            assert not session.closed
            assert (len(server.requests), server.accepted) == (2, 1)


async def test_habits_of_a_session_neither_reach_the_server_nor_change_the_answer() -> None:
    async def repeat(request: aiohttp.ClientRequest, handler: Any) -> aiohttp.ClientResponse:
        await handler(request)
        return await handler(request)  # type: ignore[no-any-return]

    async def complain(response: aiohttp.ClientResponse) -> None:
        raise AssertionError(response)

    refusal = http({"status": "failed", "error_code": "91"}, "401 Unauthorized")
    with RawServer(answering(refusal)) as server:
        async with aiohttp.ClientSession(
            "https://elsewhere.example/",
            headers={"X-Mine": "1", "Authorization": "Basic x", "Cookie": "a=b", "Host": "x"},
            cookies={"mine": "1"},
            raise_for_status=complain,
            middlewares=[repeat],
            timeout=aiohttp.ClientTimeout(total=0.000_001),
        ) as session:
            dgs = AsyncDGSPay(**settings_for(server.url, transport=AiohttpTransport(session)))
            with pytest.raises(errors.AuthenticationError):
                await payout(dgs)
        (request,) = server.requests
    names = {name for name, _ in request.headers}
    assert names.isdisjoint({"x-mine", "authorization", "cookie"})
    assert request.header("host") == server.authority


async def test_traces_of_a_session_see_our_requests() -> None:
    seen: list[str] = []

    async def note(session: object, context: object, params: Any) -> None:
        seen.append(params.url.path)

    traces = aiohttp.TraceConfig()
    traces.on_request_end.append(note)
    with RawServer(answering(GOOD)) as server:
        async with aiohttp.ClientSession(trace_configs=[traces]) as session:
            await read(AsyncDGSPay(**settings_for(server.url, transport=AiohttpTransport(session))))
    assert seen == ["/generation/v2/balance"]


async def test_limit_of_a_sessions_connector_is_waited_for_within_the_pool_timeout() -> None:
    gate = Gate()
    with RawServer(gate) as server:
        connector = aiohttp.TCPConnector(limit=1)
        async with aiohttp.ClientSession(connector=connector) as session:
            aio = AiohttpTransport(session)
            first = asyncio.ensure_future(aio.send(post(server.url), LIMITS))
            await asyncio.sleep(0)
            with pytest.raises(TransportFailure, match="in time") as caught:
                await aio.send(post(server.url), Timeout(pool=0.1, connect=0.1, total=30))
            assert not caught.value.sent
            gate.opened.set()
            assert (await first).status == 200


async def test_session_that_is_closed_while_a_call_waits_in_it_is_no_cancellation() -> None:
    gate = Gate()
    with RawServer(gate) as server:
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1))
        aio = AiohttpTransport(session)
        calls = [asyncio.ensure_future(aio.send(post(server.url), LIMITS)) for _ in range(2)]
        while not server.requests:  # noqa: ASYNC110 - the server is a thread
            await asyncio.sleep(0.005)
        await session.close()
        first, second = await asyncio.gather(*calls, return_exceptions=True)
        assert isinstance(first, TransportFailure)
        assert first.sent
        assert isinstance(second, TransportFailure)
        assert not second.sent


async def test_the_attribute_that_names_a_sessions_loop_still_exists() -> None:
    async with aiohttp.ClientSession() as session:
        assert session._loop is asyncio.get_running_loop()

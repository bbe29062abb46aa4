"""AiohttpTransport in the places only it has: slots, the end of a loop, trio."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import anyio
import pytest
import trio

from dgspay import AsyncDGSPay, Customer, DGSPay, Outcome, errors
from dgspay.core.messages import Request, Timeout, TransportFailure
from dgspay.emulator import Emulator
from dgspay.transports.aiohttp import AiohttpTransport
from dgspay.transports.base import AsyncTransport
from tests.support.calls import API_KEY, AT_ONCE, failure_of, payout, read, settings_for
from tests.support.gated_server import Gate
from tests.support.raw_server import Connection, RawServer, answering, http
from tests.support.transport_matrix import WAYS
from tests.transports.contract.calling import get, post
from tests.transports.contract.closing import ClosingWhenTold

GOOD = http({"status": "success", "dgs_reference": "dgs_1", "balances": []})
(AIOHTTP,) = [way for way in WAYS if way.library == "aiohttp"]
LIMITS = Timeout(total=10)

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def transport(**options: Any) -> AsyncIterator[AiohttpTransport]:
    made = AiohttpTransport(**options)
    try:
        yield made
    finally:
        await made.aclose()


async def test_a_shop_pays_and_is_paid_through_aiohttp() -> None:
    jane = Customer(
        email="jane@example.com", first_name="Jane", last_name="Doe", phone="0788123456"
    )
    with Emulator() as emulator, emulator.serve() as served:
        async with AsyncDGSPay(
            api_key=emulator.api_key,
            account_number=emulator.account_number,
            environment="emulator",
            base_url=served.url,
            transport=AiohttpTransport(),
        ) as dgs:
            charged = await dgs.charges.mobile_money(
                amount=2000,
                network="MTN",
                phone="0788123456",
                customer=jane,
                redirect_url="https://shop.example/thanks",
            )
            paid = await dgs.charges.wait(charged.dgs_reference, timeout=60, interval=0.01)
            assert paid.is_paid


# --- which program ----------------------------------------------------------------------------


def test_it_keeps_to_its_protocol_and_shows_nothing() -> None:
    made = AiohttpTransport(proxy="http://jane:s3cret@127.0.0.1:1")
    assert isinstance(made, AsyncTransport)
    assert "s3cret" not in repr(made)


def test_blocking_client_refuses_it() -> None:
    made: Any = AiohttpTransport()
    with pytest.raises(errors.ConfigError, match="AsyncDGSPay"):
        DGSPay(**settings_for("http://127.0.0.1:1", transport=made))


def test_on_trio_it_says_what_to_use() -> None:
    async def main() -> None:
        settings = settings_for("http://127.0.0.1:1", transport=AiohttpTransport())
        async with AsyncDGSPay(**settings) as dgs:
            await payout(dgs)

    with pytest.raises(errors.TransportError, match="HttpxTransport on trio") as caught:
        trio.run(main)
    assert (caught.value.outcome, caught.value.attempts) == (Outcome.NOT_SENT, 1)


PROXIES_THAT_ARE_NONE = [
    "socks5://jane:s3cret@127.0.0.1:1",
    "jane:s3cret@127.0.0.1:8080",
    "http://jane:s3cret@proxy:99999",
    "http://[jane:s3cret",
    "ftp://x",
    "http://",
    "",
]


@pytest.mark.parametrize("proxy", PROXIES_THAT_ARE_NONE)
def test_proxy_that_is_none_for_aiohttp_is_refused(proxy: str) -> None:
    with pytest.raises(errors.ConfigError, match="proxy") as caught:
        AiohttpTransport(proxy=proxy)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("limit", [0, -1, True, "5", 1.5])
def test_limit_that_is_none_is_refused(limit: Any) -> None:
    with pytest.raises(errors.ConfigError, match="max_connections"):
        AiohttpTransport(max_connections=limit)


def test_socks_proxy_of_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    for name in ("HTTP_PROXY", "http_proxy", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)

    async def main() -> TransportFailure:
        async with transport(trust_env=True) as aio:
            with pytest.raises(TransportFailure, match="environment: proxy must") as caught:
                await aio.send(get("http://127.0.0.1:1"), LIMITS)
            return caught.value

    failure = asyncio.run(main())
    assert (failure.sent, failure.permanent) == (False, True)


# --- the end of a loop ------------------------------------------------------------------------


@pytest.mark.acceptance(21, "shared-client")
@pytest.mark.parametrize("backend_options", [{}, {"debug": True}])
def test_client_left_open_leaves_nothing_behind_when_its_loop_ends(
    backend_options: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with RawServer(answering(GOOD)) as server, warnings.catch_warnings():
        warnings.simplefilter("error")
        dgs = AsyncDGSPay(**settings_for(server.url, transport=AiohttpTransport()))
        for _ in range(3):
            anyio.run(read, dgs, backend_options=backend_options)
        gc.collect()
        assert (len(server.requests), server.accepted) == (3, 3)
        del dgs
        gc.collect()
    assert not [record for record in caplog.records if "nclosed" in record.getMessage()]


@pytest.mark.acceptance(21, "shared-client")
def test_loop_that_was_never_properly_ended_does_not_matter_to_the_next() -> None:
    with RawServer(answering(GOOD)) as server, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # asyncio and aiohttp rightly complain of the first loop
        dgs = AsyncDGSPay(**settings_for(server.url, transport=AiohttpTransport()))
        for _ in range(2):
            loop = asyncio.new_event_loop()
            loop.run_until_complete(read(dgs))
            loop.close()
        loop = asyncio.new_event_loop()
        loop.run_until_complete(read(dgs))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(read(dgs))
        loop.close()
        asyncio.run(read(dgs))
        del dgs
        gc.collect()
        assert len(server.requests) == 5


@pytest.mark.acceptance(21, "shared-client")
async def test_closing_ends_a_call_under_way_with_an_error_of_ours() -> None:
    def never(connection: Connection) -> None:
        if connection.read_request() is not None:
            connection.stall()

    with RawServer(never) as server:
        aio = AiohttpTransport()
        call = asyncio.ensure_future(aio.send(post(server.url), LIMITS))
        while not server.requests:  # noqa: ASYNC110 - the server is a thread
            await asyncio.sleep(0.005)
        await aio.aclose()
        with pytest.raises(TransportFailure) as caught:
            await call
        assert caught.value.sent


@pytest.mark.usefixtures("collected")
async def test_cancelled_while_it_reads_a_goodbye_it_leaves_no_connection_behind() -> None:
    closing = ClosingWhenTold()
    with RawServer(closing) as server:
        async with transport() as aio:
            for steps in range(6):
                await aio.send(post(server.url), LIMITS)
                closing.close()
                call = asyncio.ensure_future(aio.send(post(server.url), LIMITS))
                for _ in range(steps):
                    await asyncio.sleep(0)
                call.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await call


@pytest.fixture
def collected() -> Iterator[None]:
    yield
    gc.collect()


# --- slots ------------------------------------------------------------------------------------


async def test_a_call_waits_for_a_slot_no_longer_than_its_pool_timeout() -> None:
    gate = Gate()
    with RawServer(gate) as server:
        async with transport(max_connections=2) as aio:
            first = [asyncio.ensure_future(aio.send(post(server.url), LIMITS)) for _ in range(2)]
            await asyncio.sleep(0)
            with pytest.raises(TransportFailure, match="of the pool became free in time") as caught:
                await aio.send(post(server.url), Timeout(pool=0.1, total=30))
            assert (caught.value.sent, caught.value.permanent) == (False, False)
            with pytest.raises(TransportFailure, match="not open when the deadline") as caught:
                await aio.send(post(server.url), Timeout(pool=30, total=0.1))
            assert not caught.value.sent
            third = asyncio.ensure_future(aio.send(post(server.url), LIMITS))
            gate.opened.set()
            assert [answer.status for answer in await asyncio.gather(*first, third)] == [200] * 3
        assert (len(server.requests), server.accepted) == (3, 2)


@pytest.mark.acceptance(19, "cancelled-under-contention")
async def test_no_slot_is_lost_however_calls_end() -> None:
    gate = Gate()
    with RawServer(gate) as server:
        payment = post(server.url)
        async with transport(max_connections=5) as aio:
            # Cancelled while connecting, while waiting for an answer, and while waiting in line.
            for wave in range(10):
                calls = [asyncio.ensure_future(aio.send(payment, LIMITS)) for _ in range(50)]
                for _ in range(wave):
                    await asyncio.sleep(0)
                for call in calls:
                    call.cancel()
                ended = await asyncio.gather(*calls, return_exceptions=True)
                assert all(isinstance(end, asyncio.CancelledError) for end in ended)
            for _ in range(10):
                with pytest.raises(TransportFailure):
                    await aio.send(post(server.url), Timeout(read=0.01, total=10))
                with pytest.raises(TransportFailure):
                    await aio.send(get("http://127.0.0.1:1"), LIMITS)
            gate.opened.set()
            calls = [asyncio.ensure_future(aio.send(payment, LIMITS)) for _ in range(50)]
            assert [answer.status for answer in await asyncio.gather(*calls)] == [200] * 50


# --- what is known about the money ----------------------------------------------------------------


async def test_what_aiohttp_raises_shows_no_header() -> None:
    with RawServer(lambda connection: connection.write(b"HTTP/1.1 nonsense\r\n\r\n")) as server:
        async with transport() as aio:
            request = Request("POST", server.url, {"X-DGS-API-Key": API_KEY}, b"{}")
            with pytest.raises(TransportFailure) as caught:
                await aio.send(request, LIMITS)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    assert API_KEY not in f"{caught.value!r}"


def test_the_hook_that_reports_a_begun_request_still_exists() -> None:
    """If aiohttp renames it, every failure is called unknown, and this test says why."""
    assert aiohttp.ClientRequest.response is None
    failed = failure_of(AIOHTTP, "http://127.0.0.1:1", payout)
    assert failed.error.outcome is Outcome.NOT_SENT


@pytest.mark.acceptance(3, "foreign-url")
@pytest.mark.parametrize("url", ["ftp://127.0.0.1:1/x", "ws://127.0.0.1:1/x", "/generation/v2/x"])
async def test_what_is_no_web_address_is_sent_nowhere(url: str) -> None:
    async with transport() as aio:
        with pytest.raises(TransportFailure) as caught:
            await aio.send(get(url), LIMITS)
    assert not caught.value.sent


async def test_server_that_hangs_up_on_a_kept_connection_is_not_called_again_by_aiohttp() -> None:
    def answer_once(connection: Connection) -> None:
        if connection.read_request() is not None:
            connection.write(GOOD)
            connection.read_request()

    with RawServer(answer_once) as server:
        async with transport() as aio:
            await aio.send(get(server.url), LIMITS)
            with pytest.raises(TransportFailure, match="ended before") as caught:
                await aio.send(get(server.url), LIMITS)
            assert caught.value.sent
        assert (len(server.requests), server.accepted) == (2, 1)


async def test_deadline_covers_the_wait_for_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object, **__: object) -> list[Any]:
        await asyncio.sleep(60)
        return []

    monkeypatch.setattr(aiohttp.ThreadedResolver, "resolve", never)
    monkeypatch.setattr(aiohttp.AsyncResolver, "resolve", never)
    async with transport() as aio:
        with pytest.raises(TransportFailure, match="opened in time") as caught:
            await aio.send(get("http://localhost:1"), Timeout(connect=0.1, total=30))
        assert not caught.value.sent
        with pytest.raises(TransportFailure, match="deadline") as caught:
            await aio.send(get("http://localhost:1"), Timeout(connect=30, total=0.1))
        assert not caught.value.sent


async def test_retries_are_those_of_our_own_table() -> None:
    def die(connection: Connection) -> None:
        connection.read_request()

    with RawServer(die) as server:
        settings = settings_for(server.url, transport=AiohttpTransport(), retry=AT_ONCE)
        async with AsyncDGSPay(**settings) as dgs:
            with pytest.raises(errors.TransportError) as caught:
                await read(dgs)
            assert (caught.value.attempts, len(server.requests)) == (3, 3)
            with pytest.raises(errors.OutcomeUnknownError):
                await dgs.payment_links.archive("link_1")
            assert len(server.requests) == 4

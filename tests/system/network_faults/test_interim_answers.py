"""A server that sends interim answers without end, or an interim one in place of an answer."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import anyio
import pytest
import uvloop

from dgspay import AsyncDGSPay
from dgspay.errors import DGSPayError, Outcome
from dgspay.transports.interim import MAX_INTERIM_ANSWERS
from tests.support.calls import carry_out, carry_out_borrowing, failure_of, payout, settings_for
from tests.support.certificate_authority import AUTHORITY
from tests.support.http_proxy import proxying
from tests.support.raw_server import HEAD_END, Connection, RawServer, Script, http
from tests.support.transport_matrix import ASYNC_WAYS, Way
from tests.system.network_faults.test_connections import assert_unknown

CONTINUE = b"HTTP/1.1 100 Continue" + HEAD_END
HINT = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload" + HEAD_END
GOOD = http({"status": "success", "dgs_reference": "dgs_1"})

# In seconds of the loop's own thread, which others on a busy machine do not lengthen.
STANDSTILL = 1.0


def flood(piece: bytes) -> Script:
    def script(connection: Connection) -> None:
        connection.read_request()
        while not connection.server.stopping.is_set():
            connection.write(piece * 2600)

    return script


@pytest.mark.acceptance(64, "endless-answer")
@pytest.mark.parametrize("piece", [CONTINUE, HINT], ids=["100", "103"])
def test_flood_is_an_error_of_ours_long_before_the_deadline(way: Way, piece: bytes) -> None:
    with RawServer(flood(piece)) as server:
        failed = failure_of(way, server.url, payout, look_at_locals=False)
        assert_unknown(failed.error)
        assert "interim answers" in failed.error.message
        assert failed.duration < 30  # of a deadline of 100
        with pytest.raises(DGSPayError, match="interim answers") as caught:
            carry_out_borrowing(way, server.url, payout)
        assert caught.value.outcome is Outcome.UNKNOWN


async def longest_standstill(way: Way, url: str, *, borrowed: bool) -> float:
    """The longest time that the loop's thread computed between two turns of another task."""
    longest = 0.0

    async def other_work() -> None:
        nonlocal longest
        while True:
            began = time.thread_time()
            await anyio.sleep(0.002)
            longest = max(longest, time.thread_time() - began)

    async def call(transport: Any) -> None:
        dgs = AsyncDGSPay(**settings_for(url, transport=transport, deadline=2))
        with pytest.raises(DGSPayError):
            await payout(dgs)
        nonlocal longest
        longest = 0.0  # what loads and warms everything does not count
        with pytest.raises(DGSPayError):
            await payout(dgs)

    async with anyio.create_task_group() as group:
        group.start_soon(other_work)
        if borrowed:
            async with way.own_client() as own:
                await call(way.borrow(own))
        else:
            transport = way.transport()
            await call(transport)
            await transport.aclose()
        group.cancel_scope.cancel()
    return longest


@pytest.mark.acceptance(64, "endless-answer")
@pytest.mark.parametrize("borrowed", [False, True], ids=["ours", "borrowed"])
@pytest.mark.parametrize("loop", ["plain", "uvloop"])
@pytest.mark.parametrize("way", ASYNC_WAYS, ids=str)
def test_loop_stands_still_for_a_moment_only(way: Way, loop: str, borrowed: bool) -> None:
    if way.mode == "trio" and loop == "uvloop":
        pytest.skip("uvloop is a loop of asyncio's")
    with RawServer(flood(CONTINUE)) as server:
        story = longest_standstill(way, server.url, borrowed=borrowed)
        if loop == "uvloop":
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                longest = runner.run(story)
        else:
            longest = anyio.run(lambda: story, backend=way.mode)
    assert longest < STANDSTILL


@pytest.mark.acceptance(64, "endless-answer")
def test_some_interim_answers_are_skipped_for_each_request(way: Way) -> None:
    def patient(connection: Connection) -> None:
        while connection.read_request() is not None:
            connection.write(HINT * (MAX_INTERIM_ANSWERS - 1) + CONTINUE + GOOD)

    def twice(dgs: Any) -> Any:
        if way.is_blocking:
            payout(dgs)
            return payout(dgs)

        async def calls() -> Any:
            await payout(dgs)
            return await payout(dgs)

        return calls()

    with RawServer(patient) as server:
        assert carry_out(way, server.url, twice).dgs_reference == "dgs_1"
        assert (len(server.requests), server.accepted) == (2, 1)


@pytest.mark.acceptance(62, "nothing-left", 64, "endless-answer")
def test_flood_of_a_proxy_that_was_asked_for_a_tunnel_has_sent_nothing(way: Way) -> None:
    with RawServer(flood(CONTINUE)) as proxy:
        transport = way.transport(proxy=f"http://{proxy.authority}")
        error = failure_of(way, "https://127.0.0.1:1", payout, transport=transport).error
        assert (error.outcome, error.attempts) == (Outcome.NOT_SENT, 3)
        assert "interim answers" in error.message


@pytest.mark.acceptance(64, "endless-answer")
def test_flood_behind_a_tunnel_is_unknown(way: Way) -> None:
    tls = AUTHORITY.server_context("127.0.0.1")
    with RawServer(flood(CONTINUE), tls=tls) as server, RawServer(proxying()) as proxy:
        transport = way.transport(proxy=f"http://{proxy.authority}", verify=AUTHORITY.trusting())
        error = failure_of(way, server.url, payout, transport=transport, look_at_locals=False).error
        assert_unknown(error)
        assert "interim answers" in error.message


# --- an interim answer in place of an answer ----------------------------------------------------

SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade"


@pytest.mark.acceptance(64, "endless-answer")
@pytest.mark.parametrize(
    "answer",
    [
        SWITCH + HEAD_END,
        SWITCH + HEAD_END + GOOD,
        SWITCH + b"\r\nContent-Length: 20" + HEAD_END + b'{"status":"success"}',
        CONTINUE,
        HINT * 3,
        b"HTTP/1.1 199 Odd\r\nContent-Length: 20" + HEAD_END + b'{"status":"success"}',
        b"HTTP/1.1 099 Odd\r\nContent-Length: 20" + HEAD_END + b'{"status":"success"}',
        b"HTTP/1.1 600 Odd\r\nContent-Length: 20" + HEAD_END + b'{"status":"success"}',
        b"HTTP/1.1 999 Odd\r\nContent-Length: 20" + HEAD_END + b'{"status":"success"}',
    ],
)
def test_status_that_no_answer_has_is_unknown(way: Way, answer: bytes) -> None:
    def script(connection: Connection) -> None:
        if connection.read_request() is not None:
            connection.write(answer)

    with RawServer(script) as server:
        assert_unknown(failure_of(way, server.url, payout).error)
        with pytest.raises(DGSPayError) as caught:
            carry_out_borrowing(way, server.url, payout)
        assert caught.value.outcome is Outcome.UNKNOWN
        assert len(server.requests) == 2

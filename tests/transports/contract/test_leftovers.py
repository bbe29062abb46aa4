"""What came beyond an answer is never taken for the answer to the next request."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import anyio
import anyio.lowlevel
import pytest

from tests.support.certificate_authority import AUTHORITY
from tests.support.http_proxy import proxying
from tests.support.raw_server import HEAD_END, Connection, RawServer, http
from tests.support.transport_matrix import Way
from tests.transports.contract.calling import Wire, post, with_wire

FORGED = http({"forged": True})
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked" + HEAD_END + b"2\r\n{}\r\n0\r\n\r\n"

# Each is an answer and more than it.
TOO_MUCH = {
    "a second answer": http({}) + FORGED,
    "the beginning of a second answer": http({}) + FORGED[:30],
    "a second answer that is cut in its body": http({}) + FORGED[:-4],
    "more than its length": b"HTTP/1.1 200 OK\r\nContent-Length: 2" + HEAD_END + b"{}" + FORGED,
    "more behind the last chunk": CHUNKED + FORGED,
    "a body where there is none": b"HTTP/1.1 204 No Content" + HEAD_END + FORGED,
    "an interim answer too late": http({}) + b"HTTP/1.1 103 Early Hints" + HEAD_END + FORGED,
    "an empty line": http({}) + b"\r\n",
}

SECURED = AUTHORITY.server_context("127.0.0.1")


def numbered(connection: Connection) -> bytes:
    return http({"request": len(connection.server.requests)})


def first_with(too_much: bytes) -> Callable[[Connection], None]:
    """Script: answer the first request of all with more than an answer, and the others well."""

    def script(connection: Connection) -> None:
        while connection.read_request() is not None:
            is_first = len(connection.server.requests) == 1
            connection.write(too_much if is_first else numbered(connection))

    return script


async def second_is_answered_with_its_own(wire: Wire, server: RawServer) -> None:
    await wire.send(post(server.url))
    for number in (2, 3):
        assert (await wire.send(post(server.url))).reveal_body() == b'{"request": %d}' % number


@pytest.mark.acceptance(22, "no-json-answer")
@pytest.mark.parametrize("too_much", TOO_MUCH.values(), ids=TOO_MUCH)
def test_what_is_too_much_is_dropped_with_its_connection(way: Way, too_much: bytes) -> None:
    with RawServer(first_with(too_much)) as server:
        with_wire(way, lambda wire: second_is_answered_with_its_own(wire, server))
        assert len(server.requests) == 3


@pytest.mark.acceptance(22, "no-json-answer")
@pytest.mark.skipif(not hasattr(socket, "TCP_CORK"), reason="only Linux holds packets back")
@pytest.mark.parametrize("more", [FORGED, None], ids=["answer", "goodbye"])
def test_record_of_tls_that_came_in_one_packet_with_an_answer_is_not_overlooked(
    way: Way, more: bytes | None
) -> None:
    """It is no longer in the socket, and has not been read."""

    def two_records(connection: Connection) -> None:
        while connection.read_request() is not None:
            if len(connection.server.requests) > 1:
                connection.write(numbered(connection))
                continue
            cork = (socket.IPPROTO_TCP, socket.TCP_CORK)
            connection.sock.setsockopt(*cork, 1)
            connection.write(http({}))
            if more is not None:
                connection.write(more)
            else:
                say_goodbye(connection)
            connection.sock.setsockopt(*cork, 0)

    with RawServer(two_records, tls=SECURED) as server:
        with_wire(
            way,
            lambda wire: second_is_answered_with_its_own(wire, server),
            verify=AUTHORITY.trusting(),
        )
        assert (len(server.requests), server.accepted) == (3, 2)


@pytest.mark.acceptance(63, "leftover-bytes")
@pytest.mark.parametrize("proxied", [False, True], ids=["direct", "tls-in-tls"])
@pytest.mark.parametrize("size", [8_192, 16_000])
def test_answer_that_shares_its_record_of_tls_with_another_is_the_last_of_its_connection(
    way: Way, size: int, proxied: bool
) -> None:
    """Each size is a multiple of what is read at a time, or none."""
    head = len(http({"request": 1})) - len('{"request": 1}') + len(str(size)) - 2

    def one_record(connection: Connection) -> None:
        while connection.read_request() is not None:
            own = b'{"request": %d}' % len(connection.server.requests)
            connection.write(http(own.ljust(size - head)) + FORGED)

    async def story(wire: Wire) -> None:
        for number in (1, 2, 3):
            answer = await wire.send(post(server.url))
            assert answer.reveal_body().strip() == b'{"request": %d}' % number

    with (
        RawServer(one_record, tls=SECURED) as server,
        RawServer(proxying(), tls=SECURED) as proxy,
    ):
        options = {"proxy": f"https://{proxy.authority}"} if proxied else {}
        with_wire(way, story, verify=AUTHORITY.trusting(), **options)
        assert (len(server.requests), server.accepted) == (3, 3)


def with_borrowed(way: Way, story: Callable[[Wire], Awaitable[None]]) -> None:
    """Tell a story through a client of the user's own."""
    verify = AUTHORITY.trusting()

    async def main() -> None:
        options: dict[str, Any] = {"verify": verify}
        if way.library == "aiohttp":
            options = {"connector": aiohttp.TCPConnector(ssl=verify)}
        own = way.own_client(**options)
        try:
            await story(Wire(way, way.borrow(own)))
        finally:
            closed = own.close() if hasattr(own, "close") else own.aclose()
            if closed is not None:
                await closed

    anyio.run(main, backend="asyncio" if way.is_blocking else way.mode)


@pytest.mark.acceptance(63, "leftover-bytes")
@pytest.mark.parametrize("tls", [None, SECURED], ids=["plain", "tls"])
@pytest.mark.parametrize("too_much", [FORGED, FORGED[:30]], ids=["whole", "part"])
@pytest.mark.parametrize("late", [False, True], ids=["at once", "later"])
def test_client_of_the_users_own_gives_no_payment_the_answer_of_another(
    way: Way, tls: ssl.SSLContext | None, too_much: bytes, late: bool
) -> None:
    """Where it came with the answer, or while the connection was idle."""
    first_is_read, unasked_is_sent = threading.Event(), threading.Event()

    def unasked(connection: Connection) -> None:
        while connection.read_request() is not None:
            is_first = len(connection.server.requests) == 1
            connection.write(numbered(connection) + (too_much if is_first and not late else b""))
            if is_first and late and first_is_read.wait(60):
                connection.write(too_much)
                connection.until_received()
            unasked_is_sent.set()

    async def story(wire: Wire) -> None:
        await wire.send(post(server.url))
        first_is_read.set()
        assert unasked_is_sent.wait(60)
        for number in (2, 3):
            await anyio.lowlevel.checkpoint()  # the loop reads what has come
            assert (await wire.send(post(server.url))).reveal_body() == b'{"request": %d}' % number

    with RawServer(unasked, tls=tls) as server:
        with_borrowed(way, story)
        assert server.accepted == 2


@pytest.mark.acceptance(63, "leftover-bytes")
@pytest.mark.parametrize("tls", [None, SECURED], ids=["plain", "tls"])
@pytest.mark.parametrize("length", [1, 10, 30, len(FORGED) - 1])
def test_beginning_of_another_answer_is_not_completed_on_the_same_connection(
    way: Way, length: int, tls: ssl.SSLContext | None
) -> None:
    def in_parts(connection: Connection) -> None:
        while connection.read_request() is not None:
            rest = b"" if len(connection.server.requests) == 1 else FORGED[length:]
            connection.write(rest + numbered(connection) + FORGED[:length])

    def whole(connection: Connection) -> None:
        if connection.server.accepted == 1:
            in_parts(connection)
        while connection.read_request() is not None:
            connection.write(numbered(connection))

    with RawServer(whole, tls=tls) as server:
        with_wire(
            way,
            lambda wire: second_is_answered_with_its_own(wire, server),
            verify=AUTHORITY.trusting(),
        )
        assert (len(server.requests), server.accepted) == (3, 2)


def say_goodbye(connection: Connection) -> None:
    """Send TLS's own goodbye, and leave the connection open."""
    assert isinstance(connection.sock, ssl.SSLSocket)
    connection.sock.settimeout(0.01)
    try:
        connection.sock.unwrap()
    except TimeoutError:  # the client's own goodbye is not waited for
        pass
    finally:
        connection.sock.settimeout(None)


@pytest.mark.acceptance(22, "no-json-answer")
@pytest.mark.parametrize("tls", [None, SECURED], ids=["plain", "tls"])
def test_an_unsolicited_answer_never_meets_the_next_request(
    way: Way, tls: ssl.SSLContext | None
) -> None:
    """It came while the connection was idle, as some proxies say that they grew tired of it."""
    first_is_read, unasked_is_sent = threading.Event(), threading.Event()

    def unasked(connection: Connection) -> None:
        while connection.read_request() is not None:
            connection.write(numbered(connection))
            if len(connection.server.requests) == 1 and first_is_read.wait(60):
                connection.write(FORGED)
                connection.until_received()
                unasked_is_sent.set()

    async def story(wire: Wire) -> None:
        await wire.send(post(server.url))
        first_is_read.set()
        assert unasked_is_sent.wait(60)
        for number in (2, 3):
            assert (await wire.send(post(server.url))).reveal_body() == b'{"request": %d}' % number

    with RawServer(unasked, tls=tls) as server:
        with_wire(way, story, verify=AUTHORITY.trusting())
        assert server.accepted == 2

"""The connections HttpxTransport owns: how many, which call gets which, and which gets none."""

from __future__ import annotations

import gc
import ssl
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest
import trustme

from dgspay.core.messages import Request, Timeout, TransportFailure
from dgspay.transports.base import AsyncTransport
from dgspay.transports.httpx import HttpxTransport
from dgspay.transports.httpx.connector import Origin
from dgspay.transports.httpx.library import LibraryName
from dgspay.transports.httpx.pool import IdleConnections
from dgspay.transports.proxies import KEEP_ALIVE
from tests.support.gated_server import Gate
from tests.support.raw_server import Connection, RawServer, answering, http

GOOD = http({"status": "success"})
PATIENT = Timeout(connect=60, pool=60, total=60)
API_KEY = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"

LIBRARIES: list[LibraryName] = ["httpx", "httpx2"]
both_libraries = pytest.mark.parametrize("library", LIBRARIES)


def get(server: RawServer) -> Request:
    return Request("GET", f"{server.url}/balance", {}, None)


def post(server: RawServer) -> Request:
    return Request("POST", f"{server.url}/charges", {"X-DGS-API-Key": API_KEY}, b'{"amount":1}')


async def until(condition: Callable[[], bool]) -> None:
    """Wait for the server's thread."""
    with anyio.fail_after(60):
        while not condition():  # noqa: ASYNC110 - a thread cannot set an Event of anyio's
            await anyio.sleep(0.005)


# --- how many ---------------------------------------------------------------------------------


@both_libraries
@pytest.mark.anyio
async def test_there_are_never_more_connections_than_allowed(library: LibraryName) -> None:
    with RawServer(answering(GOOD)) as server:
        transport = HttpxTransport(library=library, max_connections=3)
        async with anyio.create_task_group() as group:
            for _ in range(40):
                group.start_soon(transport.send, get(server), PATIENT)
        await transport.aclose()
        assert len(server.requests) == 40
        assert server.accepted <= 3


@both_libraries
def test_threads_share_as_many_connections_as_are_allowed(library: LibraryName) -> None:
    with RawServer(answering(GOOD)) as server:
        transport = HttpxTransport.blocking(library=library, max_connections=3)
        with ThreadPoolExecutor(12) as threads:
            for done in [threads.submit(transport.send, get(server), PATIENT) for _ in range(60)]:
                assert done.result(30).status == 200
        transport.close()
        assert server.accepted <= 3


@pytest.mark.acceptance(14, "not-reached")
@both_libraries
@pytest.mark.anyio
async def test_request_that_finds_no_free_connection_is_not_sent(library: LibraryName) -> None:
    gate = Gate()
    with RawServer(gate) as server:
        transport = HttpxTransport(library=library, max_connections=1)
        async with anyio.create_task_group() as group:
            group.start_soon(transport.send, get(server), PATIENT)
            await until(lambda: gate.waiting == 1)
            with pytest.raises(TransportFailure, match="no connection of the pool") as caught:
                await transport.send(post(server), Timeout(pool=0.05, total=60))
            assert caught.value.sent is False
            with pytest.raises(TransportFailure, match="deadline") as late:
                await transport.send(post(server), Timeout(total=0.05))
            assert late.value.sent is False
            gate.opened.set()
        assert (await transport.send(get(server), PATIENT)).status == 200
        await transport.aclose()
        assert len(server.requests) == 2


@pytest.mark.acceptance(14, "not-reached")
def test_thread_without_a_free_connection_gets_an_error_that_says_so() -> None:
    gate = Gate()
    with RawServer(gate) as server, ThreadPoolExecutor(1) as threads:
        transport = HttpxTransport.blocking(max_connections=1)
        first = threads.submit(transport.send, get(server), PATIENT)
        anyio.run(until, lambda: gate.waiting == 1)
        with pytest.raises(TransportFailure, match="no connection of the pool") as caught:
            transport.send(post(server), Timeout(pool=0.05))
        assert caught.value.sent is False
        gate.opened.set()
        assert first.result(30).status == 200
        transport.close()
        assert len(server.requests) == 1


@pytest.mark.anyio
async def test_idle_connection_makes_room_for_another_server() -> None:
    with RawServer(answering(GOOD)) as one, RawServer(answering(GOOD)) as other:
        transport = HttpxTransport(max_connections=1)
        for server in (one, other, one):
            assert (await transport.send(get(server), PATIENT)).status == 200
        await transport.aclose()
        assert (one.accepted, other.accepted) == (2, 1)


# --- cancellation -----------------------------------------------------------------------------


@pytest.mark.acceptance(19, "cancelled-under-contention")
@both_libraries
@pytest.mark.anyio
async def test_cancelled_requests_cost_no_slot(library: LibraryName) -> None:
    gate = Gate()
    with RawServer(gate) as server:
        transport = HttpxTransport(library=library, max_connections=4)
        for _ in range(3):
            gate.waiting = 0
            async with anyio.create_task_group() as group:
                for _ in range(50):
                    group.start_soon(transport.send, get(server), PATIENT)
                await until(lambda: gate.waiting == 4)
                group.cancel_scope.cancel()
        gate.waiting = 0
        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(transport.send, get(server), PATIENT)
            # All at the same time: a lost slot would leave one of them waiting.
            await until(lambda: gate.waiting == 4)
            gate.opened.set()
        await transport.aclose()


@pytest.mark.acceptance(20, "cancelled-post")
@both_libraries
@pytest.mark.anyio
async def test_traceback_of_a_cancelled_request_shows_no_key(library: LibraryName) -> None:
    shown: list[str] = []
    more_than_is_taken = API_KEY.encode() + bytes(8_000_000)

    async def send(transport: AsyncTransport, server: RawServer) -> None:
        try:
            short = post(server)
            long = Request(short.method, short.url, short.headers, more_than_is_taken)
            await transport.send(long, PATIENT)
        except BaseException as error:
            report = traceback.TracebackException.from_exception(error, capture_locals=True)
            ours = [frame for frame in report.stack if "/dgspay/" in frame.filename]
            shown.extend(f"{frame.name}: {frame.locals}" for frame in ours)
            raise

    with RawServer(Connection.hold) as server:
        transport = HttpxTransport(library=library)
        async with anyio.create_task_group() as group:
            group.start_soon(send, transport, server)
            await until(lambda: server.accepted == 1)
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()
        await transport.aclose()
    assert shown
    assert any(place.startswith("write") for place in shown)
    assert not [place for place in shown if API_KEY in place]


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def server_side(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.mark.acceptance(19, "cancelled-under-contention")
@both_libraries
@pytest.mark.anyio
async def test_handshake_that_is_cancelled_leaves_no_socket_behind(library: LibraryName) -> None:
    """Its ResourceWarning would be an error here."""
    with RawServer(Connection.hold) as server:
        url = f"https://127.0.0.1:{server.port}/balance"
        transport = HttpxTransport(library=library, verify=ssl.create_default_context())
        with pytest.raises(TransportFailure) as caught:
            await transport.send(Request("GET", url, {}, None), Timeout(total=0.2))
        assert caught.value.sent is False
        await transport.aclose()
        del transport, caught
        gc.collect()


# --- certificates -----------------------------------------------------------------------------


@pytest.mark.anyio
async def test_certificates_are_read_once_for_all_connections(
    authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[ssl.SSLContext] = []

    def create(**_: Any) -> ssl.SSLContext:
        made.append(trusting(authority))
        return made[-1]

    monkeypatch.setattr("httpx.create_ssl_context", create)
    together = threading.Barrier(5)

    def answer_when_all_are_there(connection: Connection) -> None:
        connection.read_request()
        together.wait(60)
        connection.write(GOOD)

    with RawServer(answer_when_all_are_there, tls=server_side(authority)) as server:
        transport = HttpxTransport()
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(transport.send, get(server), PATIENT)
        await transport.aclose()
        assert server.accepted == 5
    assert len(made) == 1


# --- what leaves ------------------------------------------------------------------------------


@both_libraries
@pytest.mark.parametrize("mode", ["sync", "asyncio", "trio"])
def test_head_and_body_leave_in_one_piece(library: LibraryName, mode: str) -> None:
    pieces: list[bytes] = []

    def script(connection: Connection) -> None:
        pieces.append(connection.sock.recv(65_536))
        connection.write(GOOD)

    with RawServer(script) as server:
        if mode == "sync":
            blocking = HttpxTransport.blocking(library=library)
            blocking.send(post(server), PATIENT)
            blocking.close()
        else:

            async def main() -> None:
                transport = HttpxTransport(library=library)
                await transport.send(post(server), PATIENT)
                await transport.aclose()

            anyio.run(main, backend=mode)
    (piece,) = pieces
    assert piece.startswith(b"POST /generation/v2/charges HTTP/1.1\r\n")
    assert piece.endswith(b'\r\n\r\n{"amount":1}')


@pytest.mark.parametrize("secured", [False, True])
def test_uvloop_is_an_asyncio_like_any_other(authority: trustme.CA, secured: bool) -> None:
    uvloop = pytest.importorskip("uvloop")
    tls = server_side(authority) if secured else None

    async def main(server: RawServer) -> None:
        transport = HttpxTransport(verify=trusting(authority))
        for _ in range(3):
            assert (await transport.send(post(server), PATIENT)).status == 200
        await transport.aclose()

    with RawServer(answering(GOOD), tls=tls) as server:
        anyio.run(main, server, backend_options={"loop_factory": uvloop.new_event_loop})
        assert server.accepted == 1


# --- the shelf --------------------------------------------------------------------------------


class Fake:
    """A connection whose state the test sets."""

    def __init__(self, *, idle: bool = True, expired: bool = False) -> None:
        self.idle = idle
        self.expired = expired

    def is_idle(self) -> bool:
        return self.idle

    def has_expired(self) -> bool:
        return self.expired

    class _h11_state:  # noqa: N801 - as httpcore calls it
        trailing_data = (b"", False)


HERE = Origin.of("https", "here.example")
THERE = Origin.of("https", "there.example")


@pytest.fixture
def now() -> list[float]:
    return [1000.0]


def test_shelf_lends_the_one_that_was_used_last(now: list[float]) -> None:
    shelf: IdleConnections[Fake] = IdleConnections(10, lambda: now[0])
    first, second = Fake(), Fake()
    assert [shelf.put_back(HERE, each) for each in (first, second)] == [[], []]
    assert shelf.take(HERE, 1) == (second, [])
    assert shelf.take(HERE, 1) == (first, [])
    assert shelf.take(HERE, 1) == (None, [])


def test_shelf_lends_to_the_right_server_only(now: list[float]) -> None:
    shelf: IdleConnections[Fake] = IdleConnections(10, lambda: now[0])
    here = Fake()
    shelf.put_back(HERE, here)
    assert shelf.take(THERE, 1) == (None, [])
    assert shelf.take(HERE, 1) == (here, [])


def test_shelf_keeps_nothing_that_is_not_idle(now: list[float]) -> None:
    shelf: IdleConnections[Fake] = IdleConnections(10, lambda: now[0])
    broken = Fake(idle=False)
    assert shelf.put_back(HERE, broken) == [broken]
    assert shelf.take(HERE, 1) == (None, [])


def test_shelf_gives_up_what_the_server_has_left(now: list[float]) -> None:
    shelf: IdleConnections[Fake] = IdleConnections(10, lambda: now[0])
    good, left = Fake(), Fake(expired=True)
    shelf.put_back(HERE, good)
    shelf.put_back(HERE, left)
    assert shelf.take(HERE, 1) == (good, [left])


def test_shelf_gives_up_what_was_idle_for_too_long(now: list[float]) -> None:
    shelf: IdleConnections[Fake] = IdleConnections(10, lambda: now[0])
    forgotten, used = Fake(), Fake()
    shelf.put_back(HERE, forgotten)
    now[0] += KEEP_ALIVE + 1
    assert shelf.put_back(HERE, used) == [forgotten]
    assert shelf.take(HERE, 1) == (used, [])


def test_full_shelf_gives_one_up_for_another_server(now: list[float]) -> None:
    shelf: IdleConnections[Fake] = IdleConnections(2, lambda: now[0])
    older, newer = Fake(), Fake()
    shelf.put_back(HERE, older)
    shelf.put_back(HERE, newer)
    assert shelf.take(THERE, 1) == (None, [older])
    assert shelf.take(HERE, 1) == (newer, [])


@pytest.mark.parametrize(
    ("scheme", "netloc", "host", "port", "header"),
    [
        ("https", "pay.example", "pay.example", 443, b"pay.example"),
        ("https", "pay.example:443", "pay.example", 443, b"pay.example"),
        ("http", "127.0.0.1:8250", "127.0.0.1", 8250, b"127.0.0.1:8250"),
        ("http", "[::1]:8250", "::1", 8250, b"[::1]:8250"),
    ],
)
def test_the_origin_of_a_url_has_host_port_and_header(
    scheme: str, netloc: str, host: str, port: int, header: bytes
) -> None:
    origin = Origin.of(scheme, netloc)
    assert (origin.host, origin.port, origin.host_header) == (host, port, header)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "url",
    ["/balance", "ftp://pay.example/x", "https:///x", "https://u:p@pay.example/x",
     "https://pay.example:99999/x", "https://pay.example/\u00e9", "https://p\u00e4y.example/x"],
)  # fmt: skip
async def test_url_that_is_none_is_not_sent(url: str) -> None:
    transport = HttpxTransport()
    with pytest.raises(TransportFailure) as caught:
        await transport.send(Request("GET", url, {}, None), PATIENT)
    await transport.aclose()
    assert (caught.value.sent, caught.value.permanent) == (False, True)

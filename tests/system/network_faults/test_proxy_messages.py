"""The faults that the proxy has for whole messages, each held against a real socket."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import pytest

from tests.support.certificate_authority import AUTHORITY
from tests.support.raw_server import HEAD_END, Connection, RawServer, http
from tests.system.network_faults.proxy import FaultProxy
from tests.system.network_faults.proxy_faults import NOTHING, Fault
from tests.system.network_faults.proxy_messages import (
    CONFLICT,
    FORGERIES,
    NO_TUNNEL,
    OPENED,
    Duplicated,
    InFlight,
    NoTunnel,
    SecondAnswer,
    length_of,
)

QUESTION = b"POST /charges HTTP/1.1\r\nHost: x\r\nContent-Length: 12" + HEAD_END + b'{"amount":1}'
LONGEST = 65_536


def numbered(connection: Connection) -> None:
    while connection.read_request() is not None:
        connection.write(http({"request": len(connection.server.requests)}))


@pytest.fixture
def server() -> Iterator[RawServer]:
    with RawServer(numbered) as running:
        yield running


@pytest.fixture
def proxy(server: RawServer) -> Iterator[FaultProxy]:
    with FaultProxy(server.port) as running:
        yield running


def said_to(sock: socket.socket, question: bytes, *, at_least: int = 1) -> bytes:
    """Ask, and return what has come once that is so many bytes, or the end."""
    sock.sendall(question)
    came = b""
    while len(came) < at_least and (piece := sock.recv(LONGEST)):
        came += piece
    return came


def asked(proxy: FaultProxy, fault: Fault) -> bytes:
    proxy.fault = fault
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=60) as sock:
        # In two pieces, as it may come.
        sock.sendall(QUESTION[:30])
        return said_to(sock, QUESTION[30:])


@pytest.mark.parametrize(("when", "answer"), [("before", 2), ("after", 1)])
def test_duplicate_arrives_over_a_connection_of_its_own(
    proxy: FaultProxy, server: RawServer, when: str, answer: int
) -> None:
    came = asked(proxy, Duplicated(way="request", when=when))  # type: ignore[arg-type]
    assert came == http({"request": answer})
    first, second = server.requests_read(2)
    assert first == second
    assert server.accepted == 2


def test_request_in_flight_is_done_and_answered_with_93(
    proxy: FaultProxy, server: RawServer
) -> None:
    assert asked(proxy, InFlight()) == CONFLICT
    assert len(server.requests) == 1


@pytest.mark.parametrize("kind", FORGERIES)
def test_second_answer_shares_its_record_of_tls_with_the_first(
    proxy: FaultProxy, kind: str
) -> None:
    proxy.fault = SecondAnswer(kind=kind)
    with (
        socket.create_connection(("127.0.0.1", port_of(proxy.url_by("tls"))), timeout=60) as sock,
        AUTHORITY.trusting().wrap_socket(sock, server_hostname="127.0.0.1") as secured,
    ):
        secured.sendall(QUESTION)
        # OpenSSL gives out no more than one record at a time.
        assert secured.recv(LONGEST) == http({"request": 1}) + FORGERIES[kind]


def port_of(url: str) -> int:
    return int(url.split(":")[2].split("/", maxsplit=1)[0])


CONNECT = b"CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: 127.0.0.1:1" + HEAD_END


@pytest.mark.parametrize("kind", NO_TUNNEL)
def test_proxy_answers_as_scripted_and_opens_no_tunnel(
    proxy: FaultProxy, server: RawServer, kind: str
) -> None:
    proxy.fault = NoTunnel(kind=kind, end_with="close")
    with socket.create_connection(("127.0.0.1", port_of(proxy.proxy_url)), timeout=60) as sock:
        assert said_to(sock, CONNECT, at_least=10**6) == NO_TUNNEL[kind]
    assert server.accepted == 0


def test_tunnel_leads_to_the_server_under_tls(proxy: FaultProxy, server: RawServer) -> None:
    proxy.fault = NOTHING
    with socket.create_connection(("127.0.0.1", port_of(proxy.proxy_url)), timeout=60) as sock:
        assert said_to(sock, CONNECT) == OPENED
        context: ssl.SSLContext = AUTHORITY.trusting()
        with context.wrap_socket(sock, server_hostname="127.0.0.1") as secured:
            assert said_to(secured, QUESTION) == http({"request": 1})
    assert len(server.requests) == 1


def test_silent_proxy_waits_until_the_client_hangs_up(proxy: FaultProxy) -> None:
    proxy.fault = NoTunnel(kind="nothing", end_with="silence")
    with socket.create_connection(("127.0.0.1", port_of(proxy.proxy_url)), timeout=0.05) as sock:
        sock.sendall(CONNECT)
        with pytest.raises(TimeoutError):
            sock.recv(1)


@pytest.mark.parametrize("cut", range(1, len(QUESTION) + 1))
def test_message_is_whole_with_its_last_byte(cut: int) -> None:
    assert length_of(QUESTION[:cut]) == (len(QUESTION) if cut == len(QUESTION) else None)
    assert length_of(QUESTION + b"more") == len(QUESTION)

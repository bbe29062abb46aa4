"""The deadline of a blocking exchange is the one of the call under way, and no other's."""

from __future__ import annotations

import contextlib
import gc
import os
import select
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any

import httpcore
import pytest

from dgspay.core.messages import Timeout, TransportFailure
from dgspay.transports.blocking_deadline import BoundBackend, DeadlinePassedError, deadline
from dgspay.transports.httpx import HttpxTransport
from tests.support.raw_server import Connection, RawServer, answering, free_port, http
from tests.transports.contract.calling import get


def test_a_call_made_within_a_call_leaves_the_outer_deadline() -> None:
    with deadline.until(1_000):
        with deadline.until(0), pytest.raises(DeadlinePassedError):
            deadline.check()
        assert 900 < deadline.left() <= 1_000
        with deadline.until(None):
            assert deadline.left() == float("inf")
        assert deadline.left() <= 1_000
    assert deadline.left() == float("inf")


def test_what_a_call_raises_ends_its_deadline() -> None:
    with pytest.raises(KeyError), deadline.until(5):
        raise KeyError
    assert deadline.clamp(40.0) == 40.0
    assert deadline.clamp(None) is None


def test_each_thread_has_its_own() -> None:
    seen: list[float] = []
    with deadline.until(5):
        thread = threading.Thread(target=lambda: seen.append(deadline.left()))
        thread.start()
        thread.join()
    assert seen == [float("inf")]


@pytest.fixture
def deaf() -> Iterator[int]:
    """A port on which a connection is neither accepted nor refused."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):  # until no more are queued
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses of `many.test`, which a test may add."""
    addresses: list[str] = []
    real = socket.getaddrinfo

    def look_up(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        if host != "many.test":
            return real(host, port, *args, **more)
        kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(*kind, (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return addresses


def send_to(port: int, total: float) -> int:
    transport = HttpxTransport.blocking()
    try:
        return transport.send(get(f"http://many.test:{port}"), Timeout(total=total)).status
    finally:
        transport.close()


@pytest.mark.acceptance(16, "dripping-server")
def test_host_with_many_deaf_addresses_does_not_outlive_the_deadline(
    deaf: int, many: list[str]
) -> None:
    many += ["127.0.0.1"] * 30
    began = time.monotonic()
    with pytest.raises(TransportFailure) as caught:
        send_to(deaf, 0.3)
    assert not caught.value.sent
    assert time.monotonic() - began < 8  # each of them deaf for 0.3 s would be nine


@pytest.mark.acceptance(14, "not-reached")
def test_first_address_of_a_host_that_answers_is_used(many: list[str]) -> None:
    with RawServer(answering(http({"status": "success"}))) as server:
        many += ["127.0.0.2", "127.0.0.1", "127.0.0.3"]  # of which only the second listens
        assert send_to(server.port, 10) == 200
        assert server.accepted == 1


@pytest.mark.acceptance(14, "not-reached")
@pytest.mark.parametrize("addresses", [[], ["127.0.0.1"], ["127.0.0.1"] * 3])
def test_host_whose_addresses_all_refuse_has_been_sent_nothing(
    many: list[str], addresses: list[str]
) -> None:
    many += addresses
    with pytest.raises(TransportFailure) as caught:
        send_to(free_port(), 10)
    assert not caught.value.sent


@pytest.mark.acceptance(62, "nothing-left")
@pytest.mark.parametrize("is_known", [False, True])
def test_tls_does_not_begin_on_a_connection_that_was_reset(is_known: bool) -> None:
    """Python itself may take it for one that is not connected, and then speak without TLS."""
    is_connected = threading.Event()

    def reset(connection: Connection) -> None:
        is_connected.wait(60)
        connection.reset()

    with RawServer(reset) as server:
        stream = BoundBackend(httpcore.SyncBackend()).connect_tcp("127.0.0.1", server.port)
        is_connected.set()
        if is_known:
            with pytest.raises(httpcore.ReadError):
                stream.read(1)
        else:
            poll = select.poll()
            sock = stream.get_extra_info("socket")
            assert isinstance(sock, socket.socket)
            poll.register(sock, select.POLLIN)
            assert poll.poll(60_000)
        context = ssl.create_default_context()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # Python leaves a socket behind
            with pytest.raises((ConnectionResetError, httpcore.ConnectError)):
                stream.start_tls(context, "127.0.0.1")
            gc.collect()


@pytest.mark.acceptance(70, "fork-at-any-moment")
def test_fork_waits_for_a_handshake_of_tls() -> None:
    """OpenSSL has locks of the whole process, which would stay locked in the child."""
    is_within, is_over = threading.Event(), threading.Event()

    def silent(connection: Connection) -> None:
        connection.sock.recv(65_536)  # the beginning of the handshake
        is_within.set()
        is_over.wait(60)

    def begin_tls(port: int) -> None:
        stream = BoundBackend(httpcore.SyncBackend()).connect_tcp("127.0.0.1", port)
        with contextlib.suppress(httpcore.ConnectError):
            stream.start_tls(ssl.create_default_context(), "127.0.0.1")

    with RawServer(silent) as server:
        thread = threading.Thread(target=begin_tls, args=(server.port,))
        thread.start()
        assert is_within.wait(60)
        threading.Timer(0.2, is_over.set).start()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python 3.12 warns of a fork beside other threads
            child = os.fork()
        if child == 0:
            os._exit(0 if is_over.is_set() else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        thread.join()

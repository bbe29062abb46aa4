"""The proxy itself: each fault does to real sockets what it says, and nothing else."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.system.network_faults.proxy import FaultProxy
from tests.system.network_faults.proxy_faults import (
    NOTHING,
    Bandwidth,
    Corruption,
    Cut,
    Fault,
    Latency,
    Limit,
    Reset,
    Slicer,
    SlowClose,
    Timeout,
)

QUESTION, ANSWER = b"question" * 16, b"0123456789" * 16


class Echo:
    """A server that reads one question and gives one answer, and notes how its lines ended."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with sock:
                self._answer(sock)

    def _answer(self, sock: socket.socket) -> None:
        heard = bytearray()
        sock.settimeout(10)
        with contextlib.suppress(OSError):  # the proxy resets it: that is what is tested
            while len(heard) < len(QUESTION) and (piece := sock.recv(4096)):
                heard += piece
            if len(heard) == len(QUESTION):
                sock.sendall(ANSWER)
                sock.recv(1)
        self.heard.append(bytes(heard))

    def close(self) -> None:
        with contextlib.suppress(OSError):  # a test may have closed it
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(60)
        assert not self._thread.is_alive()


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[FaultProxy]:
    with FaultProxy(echo.port) as proxy:
        yield proxy


def asked(proxy: FaultProxy, fault: Fault = NOTHING) -> tuple[bytes, str, float]:
    """Ask through the proxy; return what came, how it ended, and the seconds to the first byte."""
    proxy.fault = fault
    came, first = b"", 0.0
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=60) as sock:
        began = time.monotonic()
        try:
            sock.sendall(QUESTION)
            while len(came) < len(ANSWER):
                piece = sock.recv(4096)
                first = first or time.monotonic() - began
                if not piece:
                    return came, "closed", first
                came += piece
        except ConnectionResetError:
            return came, "reset", first
    return came, "whole", first


@pytest.mark.parametrize(
    "fault",
    [
        NOTHING,
        Latency(seconds=0.01),
        Latency(way="request", seconds=0.01),
        Bandwidth(bytes_per_second=5000),
        Slicer(size=7),
        Slicer(way="request", size=1),
        SlowClose(seconds=0.05),
        Corruption(at=10**6),
        Limit(way="request", size=10**6),
    ],
)
def test_what_only_delays_loses_nothing(proxy: FaultProxy, echo: Echo, fault: Fault) -> None:
    assert asked(proxy, fault)[:2] == (ANSWER, "whole")
    echo.close()
    assert echo.heard == [QUESTION]


@pytest.mark.parametrize("size", [0, 1, 57, len(ANSWER) - 1])
@pytest.mark.parametrize(
    ("kind", "end"),
    [(Limit, "closed"), (Cut, "closed"), (Reset, "reset")],
    ids=["limit", "cut", "reset"],
)
def test_an_answer_ends_where_the_fault_is_set(
    proxy: FaultProxy, echo: Echo, kind: type[Limit | Cut | Reset], end: str, size: int
) -> None:
    came, how, _ = asked(proxy, kind(size=size))
    assert how == end
    # A reset may overtake what was sent before it.
    assert came == ANSWER[:size] or (end == "reset" and ANSWER[:size].startswith(came))
    echo.close()
    assert echo.heard == [QUESTION]


@pytest.mark.parametrize("kind", [Limit, Reset])
def test_of_a_request_no_more_arrives_than_was_let_through(
    proxy: FaultProxy, echo: Echo, kind: type[Limit | Reset]
) -> None:
    came, how, _ = asked(proxy, kind(way="request", size=20))
    assert (came, how) in ((b"", "closed"), (b"", "reset"))
    echo.close()
    assert all(QUESTION[:20].startswith(heard) for heard in echo.heard)


def test_corruption_changes_the_bytes_it_names(proxy: FaultProxy, echo: Echo) -> None:
    came, _, _ = asked(proxy, Corruption(at=3, instead=b"xy"))
    assert came == ANSWER[:3] + b"xy" + ANSWER[5:]
    asked(proxy, Corruption(way="request", at=0))
    echo.close()
    assert echo.heard[-1] == b"\xff" + QUESTION[1:]


def test_latency_comes_before_and_a_timeout_instead_of_the_answer(proxy: FaultProxy) -> None:
    assert asked(proxy, Latency(seconds=0.05))[2] >= 0.05
    came, how, first = asked(proxy, Timeout(seconds=0.05))
    assert (came, how) == (b"", "closed")
    assert first >= 0.05


def test_down_refuses_and_resets_and_comes_up_on_the_same_port(
    proxy: FaultProxy, echo: Echo
) -> None:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=60) as sock:
        sock.sendall(QUESTION)
        assert sock.recv(4096)
        proxy.go_down()
        with pytest.raises(ConnectionResetError):
            while sock.recv(4096):
                pass
    with pytest.raises(ConnectionRefusedError):
        asked(proxy)
    proxy.come_up()
    assert asked(proxy)[0] == ANSWER
    assert proxy.accepted == 2


def test_dropped_connections_end_and_new_ones_work(proxy: FaultProxy) -> None:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=60) as sock:
        sock.sendall(QUESTION)
        assert sock.recv(4096)
        proxy.drop()
        while sock.recv(4096):
            pass
    assert asked(proxy)[0] == ANSWER

"""Connections are kept, noticed when they die, and never cost a payment its certainty unseen."""

from __future__ import annotations

import socket
import ssl
import threading

import anyio
import pytest

from dgspay.core.messages import Response, Timeout, TransportFailure
from tests.support.certificate_authority import AUTHORITY
from tests.support.gated_server import Gate
from tests.support.raw_server import Connection, RawServer, answering, free_port, http
from tests.support.transport_matrix import Way
from tests.transports.contract.calling import Wire, get, post, with_wire
from tests.transports.contract.closing import ClosingWhenTold

GOOD = http({"status": "success"})


def test_one_caller_uses_one_connection(way: Way) -> None:
    async def story(wire: Wire) -> None:
        for _ in range(20):
            await wire.send(post(server.url))
            await wire.send(get(server.url))

    with RawServer(answering(GOOD)) as server:
        with_wire(way, story)
        assert (len(server.requests), server.accepted) == (40, 1)


def test_connections_of_a_burst_are_used_again(way: Way) -> None:
    together = threading.Barrier(20)

    def meet_once(connection: Connection) -> None:
        # Nobody is answered before all have come: so each has a connection of its own.
        if connection.read_request() is not None:
            together.wait(60)
            connection.write(GOOD)
        while connection.read_request() is not None:
            connection.write(GOOD)

    async def story(wire: Wire) -> None:
        assert len(await wire.together([post(server.url)] * 20)) == 20
        for _ in range(20):
            await wire.send(get(server.url))

    with RawServer(meet_once) as server:
        with_wire(way, story)
        assert (len(server.requests), server.accepted) == (40, 20)


@pytest.mark.parametrize("goodbye", ["Connection: close", "connection: Close"])
def test_connection_that_the_server_gives_up_is_not_used_again(way: Way, goodbye: str) -> None:
    async def story(wire: Wire) -> None:
        for _ in range(3):
            await wire.send(post(server.url))

    with RawServer(answering(http({}, "200 OK", goodbye))) as server:
        with_wire(way, story)
        assert (len(server.requests), server.accepted) == (3, 3)


@pytest.mark.acceptance(15, "lost-answer")
@pytest.mark.parametrize("tls", [None, AUTHORITY.server_context("127.0.0.1")], ids=["plain", "tls"])
def test_goodbye_that_came_while_the_program_was_busy_is_read_before_a_payment_is_sent(
    way: Way, tls: ssl.SSLContext | None
) -> None:
    """The loop has not looked at its sockets in the meantime; the transport must."""
    closing = ClosingWhenTold()

    async def story(wire: Wire) -> None:
        await wire.send(post(server.url))
        closing.close()
        assert (await wire.send(post(server.url))).status == 200

    with RawServer(closing, tls=tls) as server:
        with_wire(way, story, verify=AUTHORITY.trusting())
        assert (len(server.requests), server.accepted) == (2, 2)


@pytest.mark.acceptance(15, "lost-answer")
@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "POST"])
def test_no_library_repeats_by_itself_what_a_dying_connection_has_taken(
    way: Way, method: str, reset: bool
) -> None:
    """HTTP allows it for DELETE; whether we repeat is for our own table alone."""

    def take_the_second_and_die(connection: Connection) -> None:
        connection.read_request()
        connection.write(GOOD)
        connection.read_request()
        if reset:
            connection.reset()

    async def story(wire: Wire) -> None:
        await wire.send(post(server.url, method))
        failure = await wire.failure(post(server.url, method))
        assert failure.sent
        assert "charges" not in failure.reason

    with RawServer(take_the_second_and_die) as server:
        with_wire(way, story)
        assert (len(server.requests), server.accepted) == (2, 1)


def test_refused_connection_is_no_obstacle_to_the_next(way: Way) -> None:
    port = free_port()

    async def story(wire: Wire) -> None:
        failure = await wire.failure(post(f"http://127.0.0.1:{port}"))
        assert (failure.sent, failure.permanent) == (False, False)
        assert "connection" in failure.reason
        with RawServer(answering(GOOD), port=port) as server:
            assert (await wire.send(post(server.url))).status == 200

    with_wire(way, story)


@pytest.mark.acceptance(15, "lost-answer")
@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("early", [b"", GOOD[:9]], ids=["silent", "talking"])
def test_server_that_hangs_up_on_everybody_is_called_once_for_each_request(
    way: Way, reset: bool, early: bytes
) -> None:
    def hang_up(connection: Connection) -> None:
        connection.write(early)
        if reset:
            connection.reset()

    async def story(wire: Wire) -> None:
        for _ in range(3):
            await wire.failure(post(server.url))

    with RawServer(hang_up) as server:
        with_wire(way, story)
        assert (len(server.requests), server.accepted) == (0, 3)


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")
def test_an_ipv6_address_stands_in_brackets_in_the_host_header(way: Way) -> None:
    async def story(wire: Wire) -> None:
        await wire.send(post(server.url))
        await wire.send(post(server.url))

    with RawServer(answering(GOOD), host="::1") as server:
        with_wire(way, story)
        assert server.accepted == 1
        assert {request.header("host") for request in server.requests} == {f"[::1]:{server.port}"}


def test_localhost_is_reached_where_only_one_of_its_addresses_answers(way: Way) -> None:
    async def story(wire: Wire) -> None:
        await wire.send(post(f"http://localhost:{server.port}"))

    with RawServer(answering(GOOD)) as server:
        with_wire(way, story)
        assert len(server.requests) == 1


# --- time -------------------------------------------------------------------------------------


@pytest.mark.acceptance(16, "dripping-server")
def test_each_limit_is_named_when_it_is_over(way: Way) -> None:
    async def story(wire: Wire) -> None:
        failure = await wire.failure(post(silent.url), Timeout(read=0.2, total=30))
        assert failure.sent
        assert "no answer came in time" in failure.reason
        for total in (0.2, 2, 20):
            failure = await wire.failure(post(silent.url), Timeout(total=total))
            if failure.sent:
                break  # and the machine has not stood still until the deadline
        assert failure.sent
        assert "deadline" in failure.reason
        # A handshake that is never answered: the connection is not open yet.
        failure = await wire.failure(post(without_tls), Timeout(connect=0.2, total=30))
        assert not failure.sent
        assert "opened in time" in failure.reason

    with RawServer(Connection.stall) as silent:
        without_tls = silent.url.replace("http:", "https:")
        with_wire(way, story)


def test_connection_whose_answer_was_not_read_to_its_end_is_not_used_again(way: Way) -> None:
    """The rest of the first answer must not be taken for the second."""

    def late(connection: Connection) -> None:
        while connection.read_request() is not None:
            number = len(connection.server.requests)
            if number == 1:
                connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{")
                timed_out.wait(60)
                connection.write(http({"number": number})[:19])
            else:
                connection.write(http({"number": number}))

    timed_out = threading.Event()

    async def story(wire: Wire) -> None:
        assert (await wire.failure(post(server.url), Timeout(read=0.1, total=30))).sent
        assert len(server.requests_read(1)) == 1
        timed_out.set()
        assert (await wire.send(post(server.url))).reveal_body() == b'{"number": 2}'

    with RawServer(late) as server:
        with_wire(way, story)
        assert server.accepted == 2


@pytest.mark.acceptance(21, "shared-client")
def test_closed_transport_says_so(way: Way) -> None:
    async def story(wire: Wire) -> None:
        await wire.send(get(server.url))
        await wire.close()
        failure = await wire.failure(get(server.url))
        assert (failure.sent, failure.permanent) == (False, True)
        assert "closed" in failure.reason

    with RawServer(answering(GOOD)) as server:
        with_wire(way, story)
        assert len(server.requests) == 1


@pytest.mark.acceptance(21, "shared-client")
def test_what_is_under_way_when_a_transport_is_closed_is_answered(way: Way) -> None:
    gate = Gate()

    async def story(wire: Wire) -> None:
        answers: list[Response] = []

        async def pay() -> None:
            answers.extend(await wire.together([post(server.url)]))

        async with anyio.create_task_group() as group:
            group.start_soon(pay)
            with anyio.fail_after(30):
                while not gate.waiting:
                    await anyio.lowlevel.checkpoint()
            with anyio.fail_after(30):
                await wire.close()  # it does not wait
            assert (await wire.failure(post(server.url))).sent is False
            assert not answers
            gate.opened.set()
        assert [answer.status for answer in answers] == [200]

    with RawServer(gate) as server:
        with_wire(way, story)
        assert len(server.requests) == 1


@pytest.mark.acceptance(21, "shared-client")
def test_what_is_under_way_when_a_transport_is_closed_ends_at_its_deadline(way: Way) -> None:
    gate = Gate()

    async def story(wire: Wire) -> None:
        failures: list[Exception] = []

        async def pay() -> None:
            with pytest.raises(ExceptionGroup) as caught:
                await wire.together([post(server.url)], Timeout(total=0.5))
            failures.extend(caught.value.exceptions)

        async with anyio.create_task_group() as group:
            group.start_soon(pay)
            with anyio.fail_after(30):
                while not gate.waiting:
                    await anyio.lowlevel.checkpoint()
            await wire.close()
        (failure,) = failures
        assert isinstance(failure, TransportFailure)
        assert failure.sent

    with RawServer(gate) as server:
        with_wire(way, story)

"""Connections that fail: what is known about the money afterwards, on real sockets."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from dgspay import RetryPolicy, Timeout
from dgspay.core.events import AttemptEvent, CallEvent
from dgspay.errors import (
    APIError,
    Outcome,
    OutcomeUnknownError,
    ServerError,
    TransportError,
    UndecodableOutcomeError,
)
from tests.support.calls import (
    WRITES,
    Act,
    authorize_otp,
    carry_out,
    charge,
    failure_of,
    payout,
    read,
)
from tests.support.raw_server import Connection, RawServer, Script, answering, free_port, http
from tests.support.transport_matrix import Way

GOOD = http({"status": "success", "dgs_reference": "dgs_1"})

# Seconds. A machine may stand still for some; a server that answers in a minute, or never, is what
# must not be waited for.
LATE = 20.0

REDIRECTS = [
    "301 Moved Permanently",
    "302 Found",
    "303 See Other",
    "307 Temporary Redirect",
    "308 Permanent Redirect",
]


def assert_unknown(error: Exception) -> None:
    assert isinstance(error, OutcomeUnknownError)
    assert error.outcome is Outcome.UNKNOWN
    assert error.idempotency_key == "order-7"
    assert error.attempts == 1


# --- redirects ------------------------------------------------------------------------------


@pytest.mark.acceptance(13, "redirect")
@pytest.mark.parametrize("act", [charge, payout])
@pytest.mark.parametrize("status", REDIRECTS)
def test_redirect_of_a_write_is_not_followed(way: Way, status: str, act: Act) -> None:
    with RawServer(answering(GOOD)) as elsewhere:
        redirect = http(b"", status, f"Location: {elsewhere.url}/charges")
        with RawServer(answering(redirect)) as server:
            assert_unknown(failure_of(way, server.url, act).error)
            assert len(server.requests) == 1
        assert elsewhere.accepted == 0


@pytest.mark.acceptance(13, "redirect")
@pytest.mark.parametrize("location", ["/elsewhere", "balance", "//127.0.0.1/x", ""])
def test_redirect_of_a_read_is_not_followed(way: Way, location: str) -> None:
    status = "302 Found"
    with RawServer(answering(http(b"", status, f"Location: {location}"))) as server:
        error = failure_of(way, server.url, read).error
        assert isinstance(error, ServerError)
        assert error.attempts == 3
        assert {request.target for request in server.requests} == {"/generation/v2/balance"}


# --- not sent -------------------------------------------------------------------------------


@pytest.mark.acceptance(14, "not-reached")
@pytest.mark.parametrize("act", [*WRITES, read])
def test_refused_connection_is_not_sent_and_tried_again(way: Way, act: Act) -> None:
    failed = failure_of(way, f"http://127.0.0.1:{free_port()}", act)
    assert type(failed.error) is TransportError
    assert failed.error.outcome is Outcome.NOT_SENT
    assert failed.error.attempts == 3
    attempts = [event for event in failed.events if isinstance(event, AttemptEvent)]
    assert [event.outcome for event in attempts] == [Outcome.NOT_SENT] * 3


@pytest.mark.acceptance(14, "not-reached")
@pytest.mark.parametrize("act", [payout, read])
def test_name_that_does_not_resolve_is_not_sent_and_tried_again(way: Way, act: Act) -> None:
    error = failure_of(way, "https://dgspay-test.invalid/v2", act).error
    assert type(error) is TransportError
    assert error.outcome is Outcome.NOT_SENT
    assert error.attempts == 3


@pytest.mark.acceptance(14, "not-reached")
def test_connection_that_comes_up_at_the_second_attempt(way: Way) -> None:
    port = free_port()
    listener: list[RawServer] = []

    def open_after_first_attempt(event: Any) -> None:
        if isinstance(event, AttemptEvent) and event.outcome is Outcome.NOT_SENT:
            server = RawServer(answering(GOOD), port=port)
            listener.append(server)
            server.__enter__()

    try:
        url = f"http://127.0.0.1:{port}"
        charged = carry_out(way, url, charge, hooks=[open_after_first_attempt])
        assert charged.dgs_reference == "dgs_1"
        (request,) = listener[0].requests
        assert request.header("idempotency-key") == "order-7"
    finally:
        for server in listener:
            server.__exit__(None, None, None)


# --- unknown --------------------------------------------------------------------------------


def reset_after_request(connection: Connection) -> None:
    connection.read_request()
    connection.reset()


def reset_in_the_answer(connection: Connection) -> None:
    connection.read_request()
    connection.write(GOOD[:40])
    connection.reset()


def close_after_request(connection: Connection) -> None:
    connection.read_request()


def close_in_the_headers(connection: Connection) -> None:
    connection.read_request()
    connection.write(GOOD[:30])


def close_in_the_body(connection: Connection) -> None:
    connection.read_request()
    connection.write(GOOD[:-5])


def close_in_a_chunk(connection: Connection) -> None:
    connection.read_request()
    connection.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{")


def answer_without_http(connection: Connection) -> None:
    connection.read_request()
    connection.write(b"SSH-2.0-OpenSSH_9.6\r\n")


def answer_with_a_bad_header(connection: Connection) -> None:
    connection.read_request()
    connection.write(b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n{}")


def answer_with_two_lengths(connection: Connection) -> None:
    connection.read_request()
    connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}")


def compressed_transfer(connection: Connection) -> None:
    connection.read_request()
    connection.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n")


def switch_protocols(connection: Connection) -> None:
    connection.read_request()
    connection.write(
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
    )


BREAKS: list[Script] = [
    reset_after_request,
    reset_in_the_answer,
    close_after_request,
    close_in_the_headers,
    close_in_the_body,
    close_in_a_chunk,
    answer_without_http,
    answer_with_a_bad_header,
    answer_with_two_lengths,
    compressed_transfer,
    switch_protocols,
]


@pytest.mark.acceptance(15, "lost-answer")
@pytest.mark.parametrize("act", [charge, payout])
@pytest.mark.parametrize("script", BREAKS)
def test_write_whose_answer_is_lost_is_unknown(way: Way, script: Script, act: Act) -> None:
    with RawServer(script) as server:
        failed = failure_of(way, server.url, act)
        assert_unknown(failed.error)
        assert len(server.requests) == 1
    call = failed.events[-1]
    assert isinstance(call, CallEvent)
    assert call.outcome is Outcome.UNKNOWN


@pytest.mark.acceptance(15, "lost-answer")
@pytest.mark.parametrize("script", BREAKS)
def test_read_whose_answer_is_lost_is_tried_again(way: Way, script: Script) -> None:
    with RawServer(script) as server:
        error = failure_of(way, server.url, read).error
        assert error.attempts == 3
        assert not isinstance(error, OutcomeUnknownError)
        assert len(server.requests) == 3


@pytest.mark.acceptance(15, "lost-answer")
@pytest.mark.parametrize("act", [charge, payout])
def test_trusted_idempotency_repeats_the_same_bytes_under_the_same_key(way: Way, act: Act) -> None:
    trusting = RetryPolicy(initial_delay=0, max_delay=0, trust_idempotency=True)
    with RawServer(reset_after_request) as server:
        error = failure_of(way, server.url, act, retry=trusting).error
        assert isinstance(error, OutcomeUnknownError)
        assert error.attempts == 3
        assert len(server.requests) == 3
        assert len({request.body for request in server.requests}) == 1
        assert {request.header("idempotency-key") for request in server.requests} == {"order-7"}


@pytest.mark.acceptance(15, "lost-answer")
def test_an_otp_is_never_sent_twice_even_where_idempotency_is_trusted(way: Way) -> None:
    trusting = RetryPolicy(initial_delay=0, max_delay=0, trust_idempotency=True)
    with RawServer(reset_after_request) as server:
        assert_unknown(failure_of(way, server.url, authorize_otp, retry=trusting).error)
        assert len(server.requests) == 1


@pytest.mark.acceptance(15, "lost-answer")
@pytest.mark.parametrize("act", WRITES)
def test_no_answer_in_time_is_unknown(way: Way, act: Act) -> None:
    def never_answer(connection: Connection) -> None:
        connection.read_request()
        connection.stall()

    with RawServer(never_answer) as server:
        failed = failure_of(way, server.url, act, timeout=Timeout(read=0.15))
        assert_unknown(failed.error)
        assert failed.duration < LATE
        assert len(server.requests_read(1)) == 1


def big_link(dgs: Any) -> Any:
    return dgs.payment_links.create(
        title="Invoice #123",
        amount_type="flexible",
        metadata={"note": "x" * 8_000_000},
        idempotency_key="order-7",
    )


# httpx leaves the generators of an unfinished body to the garbage collector: trio warns of it.
abandoned_body = pytest.mark.filterwarnings(
    "ignore:.*Async generator 'httpx:ResourceWarning",
    "ignore:.*Async generator 'httpcore:ResourceWarning",
    "ignore:.*async_generator object:pytest.PytestUnraisableExceptionWarning",
)


@abandoned_body
@pytest.mark.usefixtures("collected")
@pytest.mark.acceptance(15, "lost-answer")
def test_write_that_stalls_is_unknown(way: Way) -> None:
    with RawServer(Connection.hold, receive_buffer=4096) as server:
        failed = failure_of(
            way, server.url, big_link, look_at_locals=False, timeout=Timeout(write=0.3)
        )
        assert_unknown(failed.error)
        assert failed.duration < LATE


@abandoned_body
@pytest.mark.usefixtures("collected")
@pytest.mark.acceptance(15, "lost-answer")
def test_reset_while_the_request_is_being_written_is_unknown(way: Way) -> None:
    def reset_early(connection: Connection) -> None:
        connection.sock.recv(1000)
        connection.reset()

    with RawServer(reset_early, receive_buffer=4096) as server:
        assert_unknown(failure_of(way, server.url, big_link, look_at_locals=False).error)


@abandoned_body
@pytest.mark.usefixtures("collected")
def test_refusal_that_comes_before_the_request_is_written_is_read(way: Way) -> None:
    def refuse_early(connection: Connection) -> None:
        connection.sock.recv(1000)
        connection.write(http({"status": "failed", "error_code": "90"}, "413 Too Large"))
        connection.sock.shutdown(socket.SHUT_WR)
        connection.stall()

    with RawServer(refuse_early) as server:
        error = failure_of(way, server.url, big_link, look_at_locals=False).error
    assert isinstance(error, APIError)
    assert error.outcome is Outcome.REJECTED
    assert error.status == 413


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "204 No Content", "502 Bad Gateway"])
def test_answer_without_a_body_leaves_a_payout_unknown(way: Way, status: str) -> None:
    with RawServer(answering(http(b"", status))) as server:
        assert_unknown(failure_of(way, server.url, payout).error)


def test_secrets_the_server_repeats_are_not_shown(way: Way) -> None:
    def repeat_the_request(connection: Connection) -> None:
        request = connection.read_request()
        assert request is not None
        key = request.header("x-dgs-api-key")
        echo = b'{"status":"failed","error_code":"90","message":"bad key %s","request":%s}'
        connection.write(http(echo % (str(key).encode(), request.body), "400 Bad Request"))

    with RawServer(repeat_the_request) as server:
        for act in WRITES:
            error = failure_of(way, server.url, act).error
            assert isinstance(error, APIError)
            assert error.body is not None


def test_secrets_in_an_answer_that_is_no_json_are_not_shown(way: Way) -> None:
    def echo_in_html(connection: Connection) -> None:
        request = connection.read_request()
        assert request is not None
        key = str(request.header("x-dgs-api-key")).encode()
        connection.write(http(b"<pre>X-DGS-API-Key: " + key + b"</pre>", "502 Bad Gateway"))

    with RawServer(echo_in_html) as server:
        error = failure_of(way, server.url, payout).error
    assert isinstance(error, UndecodableOutcomeError | OutcomeUnknownError)
    assert error.excerpt is not None

"""Servers that drip, compress or never end: the deadline fires and memory stays flat."""

from __future__ import annotations

import gzip
import time
import tracemalloc

import httpx
import pytest

from dgspay import DGSPay, Timeout
from dgspay.errors import Outcome, OutcomeUnknownError, TransportError
from dgspay.transports.base import MAX_BODY_BYTES
from dgspay.transports.httpx import HttpxTransport
from tests.support.calls import (
    ACCOUNT,
    API_KEY,
    authorize_otp,
    carry_out,
    charge,
    failure_of,
    failure_of_what_left,
    payout,
    read,
)
from tests.support.raw_server import HEAD_END, Connection, RawServer, Script, answering, http
from tests.support.transport_matrix import Way
from tests.system.network_faults.test_connections import (
    LATE,
    abandoned_body,
    assert_unknown,
    big_link,
)

GOOD = http({"status": "success", "dgs_reference": "dgs_1"})
DEADLINE = 0.25


def drip_the_body(connection: Connection) -> None:
    connection.read_request()
    connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3000" + HEAD_END)
    connection.drip(b" " * 3000)


def drip_the_headers(connection: Connection) -> None:
    connection.read_request()
    connection.drip(b"HTTP/1.1 200 OK\r\n" + b"X-Slow: 1\r\n" * 300)


def drip_the_status_line(connection: Connection) -> None:
    connection.read_request()
    connection.drip(b"HTTP/1.1 200 " + b"O" * 3000)


def drip_a_chunk_at_a_time(connection: Connection) -> None:
    connection.read_request()
    connection.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked" + HEAD_END)
    connection.drip(b"1\r\n \r\n" * 500)


def drip_after_the_chunks(connection: Connection) -> None:
    connection.read_request()
    connection.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked" + HEAD_END)
    connection.write(b"2\r\n{}\r\n0\r\n")
    connection.drip(b"X-Trailer: 1\r\n" * 200)


def drip_interim_answers(connection: Connection) -> None:
    connection.read_request()
    while not connection.server.stopping.wait(0.02):
        connection.write(b"HTTP/1.1 102 Processing" + HEAD_END)


DRIPS: list[Script] = [
    drip_the_body,
    drip_the_headers,
    drip_the_status_line,
    drip_a_chunk_at_a_time,
    drip_after_the_chunks,
    drip_interim_answers,
]


@pytest.mark.acceptance(16, "dripping-server")
@pytest.mark.parametrize("script", DRIPS)
def test_dripping_server_cannot_outlive_the_deadline(way: Way, script: Script) -> None:
    with RawServer(script) as server:
        failed = failure_of_what_left(way, server, payout, deadline=DEADLINE)
        assert_unknown(failed.error)
        assert "deadline" in failed.error.message
        assert DEADLINE * 0.9 <= failed.duration < LATE
        assert len(server.requests_read(1)) == 1


@pytest.mark.acceptance(16, "dripping-server")
@pytest.mark.parametrize("script", [drip_the_headers, drip_the_body])
def test_deadline_of_a_read_covers_all_its_attempts(way: Way, script: Script) -> None:
    with RawServer(script) as server:
        failed = failure_of(way, server.url, read, deadline=DEADLINE)
        assert type(failed.error) is TransportError
        assert failed.duration < LATE


@abandoned_body
@pytest.mark.acceptance(16, "dripping-server")
def test_server_that_reads_slowly_cannot_outlive_the_deadline(way: Way) -> None:
    with RawServer(Connection.read_slowly) as server:
        failed = failure_of_what_left(
            way, server, big_link, look_at_locals=False, deadline=DEADLINE
        )
        assert_unknown(failed.error)
        assert failed.duration < LATE


@pytest.mark.acceptance(16, "dripping-server")
def test_deadline_covers_silence_too(way: Way) -> None:
    with RawServer(Connection.stall) as server:
        failed = failure_of_what_left(way, server, charge, deadline=DEADLINE)
        assert_unknown(failed.error)
        assert failed.duration < LATE


# --- compressed, too large, endless ---------------------------------------------------------


# 50 MB of blanks are 50 kB on the wire.
BOMB = gzip.compress(b" " * 50_000_000)


@pytest.mark.acceptance(17, "oversized-answer")
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "GZIP", "identity, gzip"])
def test_compressed_answer_is_refused_unread(way: Way, encoding: str) -> None:
    with RawServer(answering(http(BOMB, "200 OK", f"Content-Encoding: {encoding}"))) as server:
        error = failure_of(way, server.url, payout).error
        assert_unknown(error)
        assert "compressed" in error.message
        assert server.requests[0].header("accept-encoding") == "identity"


@pytest.mark.acceptance(17, "oversized-answer")
def test_answer_said_to_be_uncompressed_is_read(way: Way) -> None:
    answer = http(
        {"status": "success", "dgs_reference": "dgs_1"}, "200 OK", "Content-Encoding: identity"
    )
    with RawServer(answering(answer)) as server:
        assert carry_out(way, server.url, payout).dgs_reference == "dgs_1"


def pour(connection: Connection, head: bytes, piece: bytes) -> None:
    connection.read_request()
    connection.write(head)
    while not connection.server.stopping.is_set():
        connection.write(piece)


def endless_body(connection: Connection) -> None:
    pour(connection, b"HTTP/1.1 200 OK" + HEAD_END, b" " * 65536)


def endless_chunks(connection: Connection) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked" + HEAD_END
    pour(connection, head, b"10000\r\n" + b" " * 65536 + b"\r\n")


def endless_by_its_length(connection: Connection) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000" + HEAD_END
    pour(connection, head, b" " * 65536)


def endless_headers(connection: Connection) -> None:
    pour(connection, b"HTTP/1.1 200 OK\r\n", b"X-More: " + b"x" * 1000 + b"\r\n")


def one_endless_header(connection: Connection) -> None:
    pour(connection, b"HTTP/1.1 200 OK\r\nX-More: ", b"x" * 65536)


def endless_chunk_size(connection: Connection) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked" + HEAD_END
    pour(connection, head, b"0" * 65536)


def endless_interim_answers(connection: Connection) -> None:
    pour(connection, b"", b"HTTP/1.1 100 Continue\r\nX-More: 1\r\n\r\n" * 1000)


ENDLESS: list[Script] = [
    endless_body,
    endless_chunks,
    endless_by_its_length,
    endless_headers,
    one_endless_header,
    endless_chunk_size,
    endless_interim_answers,
]


@abandoned_body
@pytest.mark.acceptance(17, "oversized-answer")
@pytest.mark.parametrize("script", ENDLESS)
def test_endless_answer_is_an_error_of_ours_and_memory_stays_flat(way: Way, script: Script) -> None:
    with RawServer(script) as server:
        failure_of(way, server.url, authorize_otp, deadline=0.2)  # loads and warms everything
        tracemalloc.start()
        try:
            error = failure_of_what_left(way, server, authorize_otp, deadline=1).error
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert isinstance(error, OutcomeUnknownError)
    assert error.outcome is Outcome.UNKNOWN
    assert peak < 2.5 * MAX_BODY_BYTES


def tiny_chunks(connection: Connection) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked" + HEAD_END
    pour(connection, head, b"1\r\n \r\n" * 20_000)


def endless_trailers(connection: Connection) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked" + HEAD_END + b"0\r\n"
    pour(connection, head, b"X-More: " + b"x" * 1000 + b"\r\n")


@abandoned_body
@pytest.mark.acceptance(16, "dripping-server", 17, "oversized-answer")
@pytest.mark.parametrize("script", [tiny_chunks, endless_trailers])
def test_answer_in_endless_crumbs_ends_at_the_deadline(way: Way, script: Script) -> None:
    """The event loop has its turns meanwhile: it is not busy with what has come in already."""
    with RawServer(script) as server:
        failure_of(way, server.url, authorize_otp, deadline=0.2)  # loads and warms everything
        began = time.process_time()
        error = failure_of(way, server.url, authorize_otp, deadline=1.5).error
        computed = time.process_time() - began
    assert isinstance(error, OutcomeUnknownError)
    assert computed < 2.5  # of the processor's time, which a busy machine does not lengthen


@abandoned_body
@pytest.mark.acceptance(17, "oversized-answer")
def test_answer_just_under_the_cap_is_read_and_one_byte_more_is_not(way: Way) -> None:
    full = b'{"status":"success"}'.ljust(MAX_BODY_BYTES)
    with RawServer(answering(http(full))) as server:
        assert carry_out(way, server.url, payout).status == "success"
    with RawServer(answering(http(full + b" "))) as server:
        error = failure_of(way, server.url, payout).error
        assert_unknown(error)
        assert str(MAX_BODY_BYTES) in error.message


# httpcore leaves the socket of a cancelled TLS handshake to the garbage collector.
@pytest.mark.usefixtures("collected")
@pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning",
    "ignore:.*socket:pytest.PytestUnraisableExceptionWarning",
    "ignore:.*SocketTransport:pytest.PytestUnraisableExceptionWarning",
)
@pytest.mark.acceptance(16, "dripping-server")
def test_connection_that_is_not_opened_before_the_deadline_is_not_sent(way: Way) -> None:
    # The handshake is never answered, so the request cannot have left.
    with RawServer(Connection.hold) as server:
        url = f"https://127.0.0.1:{server.port}"
        failed = failure_of(way, url, payout, deadline=DEADLINE, timeout=Timeout(connect=30))
    assert failed.error.outcome is Outcome.NOT_SENT
    assert failed.duration < LATE


@pytest.mark.acceptance(16, "dripping-server")
@pytest.mark.parametrize("drip", [drip_the_headers, drip_the_body])
def test_a_blocking_client_of_the_users_own_keeps_the_deadline(drip: Script) -> None:
    began = time.monotonic()
    with (
        RawServer(drip) as server,
        httpx.Client() as own,
        pytest.raises(OutcomeUnknownError),
    ):
        DGSPay(
            api_key=API_KEY,
            account_number=ACCOUNT,
            base_url=server.url,
            transport=HttpxTransport(own),
            deadline=4 * DEADLINE,
        ).conversions.convert(from_currency="USD", to_currency="EUR", from_amount=1)
    assert time.monotonic() - began < LATE

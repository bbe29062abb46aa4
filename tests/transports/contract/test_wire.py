"""What stands on the wire, byte for byte, and which answers can be read from it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import anyio
import pytest

from dgspay.core.messages import Request, Response, Timeout
from dgspay.core.operation import Operation, Repeat, Reply
from dgspay.errors import OutcomeUnknownError
from tests.support.calls import ACCOUNT, API_KEY, carry_out, failure_of, payout
from tests.support.raw_server import HEAD_END, Connection, RawServer, Script, answering, http
from tests.support.transport_matrix import Way

GOOD = http({"status": "success", "dgs_reference": "dgs_1"})


def send(way: Way, request: Request, timeout: Timeout | None = None) -> Response:
    """Give one request to a transport itself, without the client around it."""
    transport = way.transport()
    limits = timeout or Timeout(total=10)
    if way.is_blocking:
        try:
            answer: Response = transport.send(request, limits)
        finally:
            transport.close()
        return answer

    async def main() -> Response:
        try:
            answer: Response = await transport.send(request, limits)
        finally:
            await transport.aclose()
        return answer

    return anyio.run(main, backend=way.mode)


# --- the request ------------------------------------------------------------------------------


def test_request_is_sent_as_it_was_built_and_nothing_is_added(way: Way) -> None:
    body = b'{"amount": 94.50, "note": "\xc3\xa9 \\u0000"}'
    headers = {
        "X-DGS-API-Key": API_KEY,
        "X-DGS-ACCOUNT-NUMBER": ACCOUNT,
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": "dgspay/1",
        "Idempotency-Key": "order-7",
    }
    with RawServer(answering(GOOD)) as server:
        send(way, Request("POST", f"{server.url}/charges", headers, body))
        (request,) = server.requests
    assert request.body == body
    first, *lines = request.head.decode("ascii").split("\r\n")
    assert first == "POST /generation/v2/charges HTTP/1.1"
    as_sent = dict(line.split(": ", 1) for line in lines)
    framing = {"Host": server.authority, "Content-Length": str(len(body))}
    assert {name: as_sent.pop(name) for name in framing} == framing
    assert as_sent.pop("Connection", "keep-alive") == "keep-alive"
    assert as_sent == headers  # in the letters they were given in
    assert len(lines) == len(dict(request.headers))


@pytest.mark.acceptance(2, "encoded-reference")
@pytest.mark.parametrize(
    ("id_", "segment"),
    [
        ("x?status=success", "x%3Fstatus%3Dsuccess"),
        ("a/b", "a%2Fb"),
        ("%2e%2e", "%252e%252e"),
        ("x#f", "x%23f"),
        ("a b~c", "a%20b~c"),
        ("a'(b)*!", "a%27%28b%29%2A%21"),
        ("ü", "%C3%BC"),
        ("a%7Eb", "a%257Eb"),
    ],
)
def test_path_is_percent_encoded_once_and_by_us(way: Way, id_: str, segment: str) -> None:
    transaction = http({"status": "success", "data": {"id": id_, "status": "success"}})
    with RawServer(answering(transaction)) as server:
        carry_out(way, server.url, lambda dgs: dgs.transactions.retrieve(id_))
        assert [request.target for request in server.requests] == [
            f"/generation/v2/transactions/{segment}"
        ]


def test_query_is_encoded_once_and_by_us(way: Way) -> None:
    rows = http({"status": "success", "data": [], "pagination": {"page": 1, "pages": 1}})
    with RawServer(answering(rows)) as server:

        def first_page(dgs: Any) -> Any:
            return dgs.transactions.list(dgs_reference="a+b c&d=é%").first_page()

        carry_out(way, server.url, first_page)
        (request,) = server.requests
    assert "dgs_reference=a%2Bb%20c%26d%3D%C3%A9%25" in request.target


def test_request_without_a_body_announces_none(way: Way) -> None:
    with RawServer(answering(GOOD)) as server:
        send(way, Request("GET", f"{server.url}/balance", {"Accept": "application/json"}, None))
        (request,) = server.requests
    assert request.header("content-length") is None
    assert request.header("transfer-encoding") is None


def test_long_body_arrives_whole_and_with_its_length(way: Way) -> None:
    body = b'"' + bytes(range(97, 123)) * 40_000 + b'"'
    with RawServer(answering(GOOD)) as server:
        send(way, Request("POST", f"{server.url}/x", {"Content-Type": "application/json"}, body))
        (request,) = server.requests
    assert request.body == body
    assert request.header("content-length") == str(len(body))


# --- the answer -------------------------------------------------------------------------------


def reply_to(way: Way, url: str) -> Reply[dict[str, Any]]:
    operation: Operation[dict[str, Any]] = Operation(
        method="GET", path="/x", read=dict, repeat=Repeat.READ
    )
    reply: Reply[dict[str, Any]] = carry_out(way, url, lambda dgs: dgs.reply(operation))
    return reply


def test_header_names_are_lower_case_and_repeated_ones_are_joined(way: Way) -> None:
    answer = http({}, "200 OK", "X-Twice: a", "x-TWICE: b, c", "X-Empty:", "X-Request-Id:  7 ")
    with RawServer(answering(answer)) as server:
        headers = reply_to(way, server.url).headers
    assert headers["x-twice"] == "a, b, c"
    assert headers["x-empty"] == ""
    assert headers["x-request-id"] == "7"
    assert all(name == name.lower() for name in headers)


def test_long_header_is_no_obstacle(way: Way) -> None:
    policy = "default-src 'self' " + "https://cdn.example " * 1000
    with RawServer(answering(http({}, "200 OK", f"Content-Security-Policy: {policy}"))) as server:
        headers = reply_to(way, server.url).headers
    assert headers["content-security-policy"] == policy.strip()


CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked"
PIECES = b'8;note=1\r\n{"a": 94\r\n3\r\n.50\r\n1\r\n}\r\n'

INTERIM = [
    b"HTTP/1.1 100 Continue" + HEAD_END,
    b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload" + HEAD_END,
    b"HTTP/1.1 102 Processing" + HEAD_END + b"HTTP/1.1 103 Early Hints\r\nA: b" + HEAD_END,
]

READABLE = {
    "chunked": CHUNKED + HEAD_END + PIECES + b"0\r\n\r\n",
    "chunked, with trailers": CHUNKED + HEAD_END + PIECES + b"0\r\nX-Check: 1\r\nX-B: 2\r\n\r\n",
    "until the connection ends": b'HTTP/1.1 200 OK\r\n\r\n{"a": 94.50}',
    "in HTTP 1.0": b'HTTP/1.0 200 OK\r\nContent-Length: 12\r\n\r\n{"a": 94.50}',
    "without a reason": b'HTTP/1.1 200 \r\nContent-Length: 12\r\n\r\n{"a": 94.50}',
    **{
        f"after interim answer {number}": early + http(b'{"a": 94.50}')
        for number, early in enumerate(INTERIM)
    },
}


def once(answer: bytes) -> Script:
    def script(connection: Connection) -> None:
        if connection.read_request() is not None:
            connection.write(answer)

    return script


@pytest.mark.parametrize("answer", READABLE.values(), ids=READABLE)
def test_answer_is_read_however_it_is_framed(way: Way, answer: bytes) -> None:
    with RawServer(once(answer)) as server:
        assert reply_to(way, server.url).value == {"a": Decimal("94.50")}
        assert len(server.requests) == 1


def test_answer_that_comes_byte_by_byte_is_read(way: Way) -> None:
    def drip(connection: Connection) -> None:
        connection.read_request()
        connection.drip(CHUNKED + HEAD_END + PIECES + b"0\r\n\r\n", every=0.0005)

    with RawServer(drip) as server:
        assert reply_to(way, server.url).value == {"a": Decimal("94.50")}


UNREADABLE = {
    "a chunk without its length": CHUNKED + HEAD_END + b"{}\r\n0\r\n\r\n",
    "a chunk longer than it says": CHUNKED + HEAD_END + b"1\r\n{}\r\n0\r\n\r\n",
    "a chunk of negative length": CHUNKED + HEAD_END + b"-2\r\n{}\r\n0\r\n\r\n",
    "no last chunk": CHUNKED + HEAD_END + b"2\r\n{}\r\n",
    "trailers that are cut": CHUNKED + HEAD_END + b"2\r\n{}\r\n0\r\nX-A: 1\r\n",
    "less than its length": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}",
    "a length that is no number": b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}",
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}",
    "no status": b"HTTP/1.1 OK\r\n\r\n{}",
    "interim answers only": INTERIM[0] * 3,
    "nothing at all": b"",
}


@pytest.mark.acceptance(15, "lost-answer")
@pytest.mark.parametrize("answer", UNREADABLE.values(), ids=UNREADABLE)
def test_broken_answer_leaves_a_payout_unknown_and_is_not_asked_for_again(
    way: Way, answer: bytes
) -> None:
    with RawServer(once(answer)) as server:
        error = failure_of(way, server.url, payout).error
        assert isinstance(error, OutcomeUnknownError)
        assert error.attempts == 1
        assert len(server.requests) == 1

"""HTTP proxies: asked for by name or by the environment, and never sent what they need not know."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest

from dgspay import Outcome
from dgspay.core.messages import Request, TransportFailure
from tests.support.calls import API_KEY, failure_of, payout
from tests.support.certificate_authority import AUTHORITY
from tests.support.http_proxy import carry, proxying
from tests.support.raw_server import (
    HEAD_END,
    Connection,
    RawServer,
    Script,
    answering,
    free_port,
    http,
)
from tests.support.transport_matrix import Way
from tests.transports.contract.calling import Wire, post, with_wire

GOOD = http({"status": "success"})
VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE"]


@pytest.fixture(autouse=True)
def no_proxy_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def proxy() -> Iterator[RawServer]:
    with RawServer(proxying()) as running:
        yield running


@pytest.fixture
def strict_proxy() -> Iterator[RawServer]:
    with RawServer(proxying(password="s3:cret")) as running:
        yield running


@pytest.fixture
def plain() -> Iterator[RawServer]:
    with RawServer(answering(GOOD)) as running:
        yield running


@pytest.fixture
def secured() -> Iterator[RawServer]:
    with RawServer(answering(GOOD), tls=AUTHORITY.server_context("127.0.0.1")) as running:
        yield running


def at(proxy: RawServer, credentials: str = "") -> str:
    return f"http://{credentials}{proxy.authority}"


async def pay(wire: Wire, server: RawServer) -> None:
    request = Request("POST", f"{server.url}/charges", {"X-DGS-API-Key": API_KEY}, b"{}")
    assert (await wire.send(request)).status == 200


def test_plain_requests_are_forwarded(way: Way, proxy: RawServer, plain: RawServer) -> None:
    async def story(wire: Wire) -> None:
        await pay(wire, plain)

    with_wire(way, story, proxy=at(proxy))
    assert proxy.requests[0].target == f"{plain.url}/charges"
    assert plain.requests[0].header("x-dgs-api-key") == API_KEY


def test_tls_goes_through_a_tunnel_that_sees_no_key(
    way: Way, proxy: RawServer, secured: RawServer
) -> None:
    async def story(wire: Wire) -> None:
        await pay(wire, secured)
        await pay(wire, secured)

    with_wire(way, story, proxy=at(proxy), verify=AUTHORITY.trusting())
    (tunnel,) = proxy.requests
    assert (tunnel.method, tunnel.target) == ("CONNECT", secured.authority)
    assert not [name for name, _ in tunnel.headers if name.startswith("x-dgs")]
    assert (len(secured.requests), secured.accepted) == (2, 1)


@pytest.mark.acceptance(18, "ambient-settings")
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_environment_is_obeyed_only_with_trust_env(
    way: Way,
    proxy: RawServer,
    secured: RawServer,
    variable: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(variable, at(proxy))

    async def story(wire: Wire) -> None:
        await pay(wire, secured)

    with_wire(way, story, verify=AUTHORITY.trusting())
    assert proxy.accepted == 0
    with_wire(way, story, verify=AUTHORITY.trusting(), trust_env=True)
    assert proxy.accepted == 1


@pytest.mark.acceptance(18, "ambient-settings")
@pytest.mark.parametrize("exception", ["127.0.0.1", "*"])
def test_exceptions_of_the_environment_are_obeyed(
    way: Way,
    proxy: RawServer,
    secured: RawServer,
    exception: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", at(proxy))
    monkeypatch.setenv("NO_PROXY", exception)

    async def story(wire: Wire) -> None:
        await pay(wire, secured)

    with_wire(way, story, verify=AUTHORITY.trusting(), trust_env=True)
    assert proxy.accepted == 0


def test_password_of_the_proxy_goes_to_the_proxy_alone(
    way: Way, strict_proxy: RawServer, plain: RawServer, secured: RawServer
) -> None:
    async def story(wire: Wire) -> None:
        await pay(wire, plain)
        await pay(wire, secured)

    with_wire(way, story, proxy=at(strict_proxy, "jane:s3%3Acret@"), verify=AUTHORITY.trusting())
    assert len(strict_proxy.requests) == 2
    for request in secured.requests:
        assert request.header("proxy-authorization") is None
        assert request.header("authorization") is None


@pytest.mark.acceptance(14, "not-reached")
@pytest.mark.parametrize("credentials", ["", "jane:wrong@"])
def test_tunnel_that_is_refused_is_not_sent(
    way: Way, strict_proxy: RawServer, secured: RawServer, credentials: str
) -> None:
    url = at(strict_proxy, credentials)
    transport = way.transport(proxy=url, verify=AUTHORITY.trusting())
    error = failure_of(way, secured.url, payout, transport=transport).error
    assert error.outcome is Outcome.NOT_SENT
    assert error.attempts == 3
    assert "proxy" in error.message
    assert "wrong" not in error.message
    assert secured.accepted == 0


@pytest.mark.acceptance(14, "not-reached")
def test_proxy_that_is_not_there_is_not_sent(way: Way, secured: RawServer) -> None:
    async def story(wire: Wire) -> None:
        failure = await wire.failure(post(secured.url))
        assert (failure.sent, failure.permanent) == (False, False)

    with_wire(way, story, proxy=f"http://127.0.0.1:{free_port()}", verify=AUTHORITY.trusting())


# What httpcore reads at a time: what comes behind so much is left lying in the stream.
ONE_READING = 65_536
FORGED = http({"status": "failed", "error_code": "90"}, "400 Bad Request")


def forging(server: RawServer) -> Script:
    """Script: tunnel, and add an answer of the proxy's own before the server can speak."""
    start = b"HTTP/1.1 200 OK\r\nX-Long: "
    opened = start.ljust(ONE_READING - len(HEAD_END), b"x") + HEAD_END

    def script(connection: Connection) -> None:
        if connection.read_request() is not None:
            with socket.create_connection(("127.0.0.1", server.port)) as there:
                connection.write(opened + FORGED)
                carry(connection, there)

    return script


@pytest.mark.acceptance(22, "no-json-answer")
def test_proxy_cannot_answer_in_the_name_of_the_server(way: Way, secured: RawServer) -> None:
    """What it says in plain text is not taken for what came under TLS."""

    async def story(wire: Wire) -> None:
        for _ in range(10):  # for it may come in one piece or in several
            with contextlib.suppress(TransportFailure):  # where the tunnel is refused for it
                assert (
                    await wire.send(post(secured.url))
                ).reveal_body() == b'{"status": "success"}'

    with RawServer(forging(secured)) as proxy:
        with_wire(way, story, proxy=at(proxy), verify=AUTHORITY.trusting())

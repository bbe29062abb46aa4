"""TLS: a certificate authority of one's own, and a server that wants to know its clients."""

from __future__ import annotations

import ssl
from typing import Any

import pytest
import trustme

from dgspay.core.operation import Timeout
from tests.faults.raw_server import Connection, RawServer, answering, http
from tests.transports.contract.calling import Wire, post, with_wire
from tests.transports.ways import Way

GOOD = http({"status": "success"})


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server_context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def test_authority_of_ones_own_is_trusted_and_the_connection_is_kept(
    way: Way, authority: trustme.CA
) -> None:
    async def story(wire: Wire) -> None:
        for _ in range(3):
            assert (await wire.send(post(server.url))).status == 200

    with RawServer(answering(GOOD), tls=server_context(authority, "127.0.0.1")) as server:
        with_wire(way, story, verify=trusting(authority))
        assert (len(server.requests), server.accepted) == (3, 1)


@pytest.mark.acceptance(14)
@pytest.mark.parametrize("name", ["localhost", "10.0.0.1", "dgspay-test.invalid"])
def test_certificate_of_another_host_is_refused_for_good(
    way: Way, authority: trustme.CA, name: str
) -> None:
    async def story(wire: Wire) -> None:
        failure = await wire.failure(post(server.url))
        assert (failure.sent, failure.permanent) == (False, True)
        assert "certificate" in failure.reason

    with RawServer(answering(GOOD), tls=server_context(authority, name)) as server:
        with_wire(way, story, verify=trusting(authority))
        assert server.requests == []


@pytest.mark.acceptance(14)
@pytest.mark.parametrize("trust_env", [False, True])
def test_authority_that_is_not_trusted_is_refused_for_good(
    way: Way, authority: trustme.CA, trust_env: bool
) -> None:
    async def story(wire: Wire) -> None:
        failure = await wire.failure(post(server.url))
        assert (failure.sent, failure.permanent) == (False, True)

    with RawServer(answering(GOOD), tls=server_context(authority, "127.0.0.1")) as server:
        with_wire(way, story, verify=True, trust_env=trust_env)
        assert server.requests == []


def test_verification_can_be_turned_off_for_a_test_server(way: Way, authority: trustme.CA) -> None:
    async def story(wire: Wire) -> None:
        assert (await wire.send(post(server.url))).status == 200

    with RawServer(answering(GOOD), tls=server_context(authority, "elsewhere.example")) as server:
        with_wire(way, story, verify=False)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_server_that_asks_for_a_client_certificate(
    way: Way, authority: trustme.CA, version: ssl.TLSVersion
) -> None:
    context = server_context(authority, "127.0.0.1")
    context.minimum_version = context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    subjects: list[str] = []

    def who(connection: Connection) -> None:
        assert isinstance(connection.sock, ssl.SSLSocket)
        while connection.read_request() is not None:
            certificate: Any = connection.sock.getpeercert()
            subjects.extend(name for _, name in certificate["subjectAltName"])
            connection.write(GOOD)

    async def known(wire: Wire) -> None:
        assert (await wire.send(post(server.url))).status == 200

    async def unknown(wire: Wire) -> None:
        failure = await wire.failure(post(server.url), Timeout(read=5, total=10))
        # In TLS 1.3 the client is done before the server has looked at its certificate, so the
        # request is under way when the refusal comes.
        assert failure.sent is (version is ssl.TLSVersion.TLSv1_3)

    with RawServer(who, tls=context) as server:
        introduced = trusting(authority)
        authority.issue_cert("shop.example").configure_cert(introduced)
        with_wire(way, known, verify=introduced)
        assert subjects == ["shop.example"]
        with_wire(way, unknown, verify=trusting(authority))
        assert len(server.requests) == 1

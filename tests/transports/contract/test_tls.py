"""TLS: a certificate authority of one's own, and a server that wants to know its clients."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest

from dgspay.core.messages import Timeout
from tests.support.certificate_authority import AUTHORITY
from tests.support.raw_server import Connection, RawServer, answering, http
from tests.support.transport_matrix import Way
from tests.transports.contract.calling import Wire, post, with_wire

GOOD = http({"status": "success"})


def test_authority_of_ones_own_is_trusted_and_the_connection_is_kept(way: Way) -> None:
    async def story(wire: Wire) -> None:
        for _ in range(3):
            assert (await wire.send(post(server.url))).status == 200

    with RawServer(answering(GOOD), tls=AUTHORITY.server_context("127.0.0.1")) as server:
        with_wire(way, story, verify=AUTHORITY.trusting())
        assert (len(server.requests), server.accepted) == (3, 1)


def test_certificates_are_read_though_all_threads_of_the_program_wait(
    way: Way, tmp_path: Path
) -> None:
    async def story(wire: Wire) -> None:
        threads = anyio.to_thread.current_default_thread_limiter()
        for waiting in range(int(threads.total_tokens)):
            threads.acquire_on_behalf_of_nowait(waiting)
        assert (await wire.send(post(server.url))).status == 200

    authorities = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(authorities))
    with RawServer(answering(GOOD), tls=AUTHORITY.server_context("127.0.0.1")) as server:
        with_wire(way, story, verify=authorities)


@pytest.mark.acceptance(14, "not-reached")
@pytest.mark.parametrize("name", ["localhost", "10.0.0.1", "dgspay-test.invalid"])
def test_certificate_of_another_host_is_refused_for_good(way: Way, name: str) -> None:
    async def story(wire: Wire) -> None:
        failure = await wire.failure(post(server.url))
        assert (failure.sent, failure.permanent) == (False, True)
        assert "certificate" in failure.reason

    with RawServer(answering(GOOD), tls=AUTHORITY.server_context(name)) as server:
        with_wire(way, story, verify=AUTHORITY.trusting())
        assert server.requests == []


@pytest.mark.acceptance(14, "not-reached")
@pytest.mark.parametrize("trust_env", [False, True])
def test_authority_that_is_not_trusted_is_refused_for_good(way: Way, trust_env: bool) -> None:
    async def story(wire: Wire) -> None:
        failure = await wire.failure(post(server.url))
        assert (failure.sent, failure.permanent) == (False, True)

    with RawServer(answering(GOOD), tls=AUTHORITY.server_context("127.0.0.1")) as server:
        with_wire(way, story, verify=True, trust_env=trust_env)
        assert server.requests == []


def test_verification_can_be_turned_off_for_a_test_server(way: Way) -> None:
    async def story(wire: Wire) -> None:
        assert (await wire.send(post(server.url))).status == 200

    with RawServer(answering(GOOD), tls=AUTHORITY.server_context("elsewhere.example")) as server:
        with_wire(way, story, verify=False)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_server_that_asks_for_a_client_certificate(way: Way, version: ssl.TLSVersion) -> None:
    context = AUTHORITY.server_context("127.0.0.1")
    context.minimum_version = context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    AUTHORITY.configure_trust(context)
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
        introduced = AUTHORITY.trusting()
        AUTHORITY.issue_cert("shop.example").configure_cert(introduced)
        with_wire(way, known, verify=introduced)
        assert subjects == ["shop.example"]
        with_wire(way, unknown, verify=AUTHORITY.trusting())
        assert len(server.requests) == 1

"""What surrounds a program must not reach its payments: proxies, .netrc, cookies, certificates."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dgspay.errors import Outcome, TransportError
from tests.support.calls import (
    Act,
    carry_out,
    carry_out_borrowing,
    charge,
    failure_of,
    payout,
    read,
)
from tests.support.raw_server import Connection, RawServer, answering, http
from tests.support.transport_matrix import Way

GOOD = http({"status": "success", "dgs_reference": "dgs_1", "balances": []})
PROXY_VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"]


@pytest.fixture(autouse=True)
def no_proxy_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*PROXY_VARIABLES, "all_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE"]:
        monkeypatch.delenv(name, raising=False)


def trusting_env(way: Way, *, told: bool) -> dict[str, Any]:
    """Tell the client, where the transport is its own default, or else the transport."""
    if way.library == "httpx":
        return {"transport": None, "trust_env": told}
    return {"transport": way.default_transport(trust_env=told)}


@pytest.mark.acceptance(18, "ambient-settings")
def test_proxy_variables_are_obeyed_only_with_trust_env(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RawServer(answering(GOOD)) as server, RawServer(answering(GOOD)) as proxy:
        for name in PROXY_VARIABLES:
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        carry_out(way, server.url, charge, **trusting_env(way, told=False))
        assert (server.accepted, proxy.accepted) == (1, 0)
        carry_out(way, server.url, charge, **trusting_env(way, told=True))
        assert (server.accepted, proxy.accepted) == (1, 1)
        assert proxy.requests[0].target == f"{server.url}/charges"


@pytest.mark.acceptance(18, "ambient-settings")
def test_transport_of_ones_own_ignores_proxy_variables_too(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport = way.default_transport()
    with RawServer(answering(GOOD)) as server, RawServer(answering(GOOD)) as proxy:
        for name in PROXY_VARIABLES:
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        carry_out(way, server.url, charge, transport=transport)
        assert (server.accepted, proxy.accepted) == (1, 0)


@pytest.mark.acceptance(18, "ambient-settings")
def test_netrc_is_ignored(way: Way, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login jane password secret\ndefault login a password b\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    with RawServer(answering(GOOD)) as server:
        carry_out(way, server.url, charge)
        assert server.requests[0].header("Authorization") is None


def call_twice_sync(dgs: Any) -> Any:
    read(dgs)
    return charge(dgs)


async def call_twice_async(dgs: Any) -> Any:
    await read(dgs)
    return await charge(dgs)


def call_twice(dgs: Any) -> Any:
    from dgspay import DGSPay

    return call_twice_sync(dgs) if isinstance(dgs, DGSPay) else call_twice_async(dgs)


@pytest.mark.acceptance(18, "ambient-settings")
@pytest.mark.parametrize("trust_env", [False, True])
def test_cookies_are_never_sent_back(way: Way, trust_env: bool) -> None:
    answer = http({"status": "success", "dgs_reference": "d", "balances": []}, "200 OK",
                  "Set-Cookie: session=1; Path=/", "Set-Cookie: other=2")  # fmt: skip
    with RawServer(answering(answer)) as server:
        carry_out(way, server.url, call_twice, **trusting_env(way, told=trust_env))
        assert len(server.requests) == 2
        assert [request.header("Cookie") for request in server.requests] == [None, None]


# What a user's own client may add to every request it makes.
HABITS: dict[str, dict[str, Any]] = {
    "httpx": {
        "headers": {"X-Mine": "1", "Authorization": "Basic x", "Accept": "text/html"},
        "auth": ("jane", "secret"),
        "cookies": {"mine": "1"},
        "params": {"mine": "1"},
        "follow_redirects": True,
    },
    "aiohttp": {
        "headers": {"X-Mine": "1", "Authorization": "Basic x", "Accept": "text/html"},
        "cookies": {"mine": "1"},
        "raise_for_status": True,
    },
}
HABITS["httpx2"] = HABITS["httpx"]


@pytest.mark.acceptance(18, "ambient-settings")
def test_cookies_and_defaults_of_a_users_own_client_are_not_sent(way: Way) -> None:
    with RawServer(answering(GOOD)) as server:
        carry_out_borrowing(way, server.url, call_twice, **HABITS[way.library])
        assert len(server.requests) == 2
        for request in server.requests:
            assert request.header("Cookie") is None
            assert request.header("Authorization") is None
            assert request.header("X-Mine") is None
            assert request.header("Accept") == "application/json"
            assert "mine" not in request.target


# --- certificates ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "dgspay test")])
    now = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("certificate") / "own.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + built.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.mark.acceptance(14, "not-reached")
@pytest.mark.parametrize("act", [payout, charge, read])
def test_certificate_that_does_not_verify_is_raised_at_once(
    way: Way, act: Act, tls: ssl.SSLContext
) -> None:
    with RawServer(answering(GOOD), tls=tls) as server:
        error = failure_of(way, server.url, act).error
        assert type(error) is TransportError
        assert error.outcome is Outcome.NOT_SENT
        assert error.attempts == 1
        assert "certificate" in error.message
        assert server.requests == []
        assert server.accepted == 1


@pytest.mark.acceptance(14, "not-reached")
def test_certificate_for_another_host_is_raised_at_once(
    way: Way, tls: ssl.SSLContext, certificate: Path
) -> None:
    trusting = ssl.create_default_context(cafile=str(certificate))
    transport = way.transport(verify=trusting)
    with RawServer(answering(GOOD), tls=tls) as server:
        url = f"https://localhost:{server.port}"
        error = failure_of(way, url, payout, transport=transport).error
        assert (error.outcome, error.attempts) == (Outcome.NOT_SENT, 1)


@pytest.mark.acceptance(14, "not-reached")
def test_certificate_the_user_trusts_is_accepted(
    way: Way, tls: ssl.SSLContext, certificate: Path
) -> None:
    trusting = ssl.create_default_context(cafile=str(certificate))
    transport = way.transport(verify=trusting)
    with RawServer(answering(GOOD), tls=tls) as server:
        assert carry_out(way, server.url, charge, transport=transport).dgs_reference == "dgs_1"


@pytest.mark.acceptance(18, "ambient-settings")
def test_certificate_file_of_the_environment_counts_only_with_trust_env(
    way: Way, tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with RawServer(answering(GOOD), tls=tls) as server:
        untold, told = (trusting_env(way, told=told) for told in (False, True))
        assert failure_of(way, server.url, charge, **untold).error.outcome is Outcome.NOT_SENT
        assert carry_out(way, server.url, charge, **told).dgs_reference == "dgs_1"


def answer_without_tls(connection: Connection) -> None:
    connection.sock.recv(65536)
    connection.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.mark.acceptance(14, "not-reached")
def test_server_without_tls_is_not_sent_the_request(way: Way) -> None:
    with RawServer(answer_without_tls) as server:
        error = failure_of(way, f"https://127.0.0.1:{server.port}", payout).error
        assert type(error) is TransportError
        assert (error.outcome, error.attempts) == (Outcome.NOT_SENT, 3)

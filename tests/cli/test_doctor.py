"""`dgspay doctor`: each check, from a good set-up to every kind of bad one."""

from __future__ import annotations

import datetime as dt
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dgspay.cli.doctor import Grade, certificate_finding, clock_finding, proxy_findings
from dgspay.emulator import Emulator
from tests.cli.terminal import PATIENCE, CommandLine

NOON = dt.datetime(2026, 4, 3, 12, 0, tzinfo=dt.UTC)


def checks(out: str) -> dict[str, str]:
    """The grade of each check."""
    lines = [line for line in out.splitlines() if not line.startswith(" ")]
    return {line[5:].partition(":")[0]: line[:5].strip() for line in lines}


def test_a_good_set_up_passes_every_check(dgspay: CommandLine) -> None:
    said = dgspay("doctor")
    assert said.code == 0
    assert checks(said.out) == dict.fromkeys(
        ("dgspay", "settings", "API key", "webhook secret", "connection", "TLS", "call", "clock"),
        "ok",
    )


def test_no_key_ends_it_at_once(dgspay: CommandLine) -> None:
    said = dgspay.without("DGSPAY_API_KEY")("doctor")
    assert said.code == 1
    assert "DGSPAY_API_KEY is not set" in said.out
    assert checks(said.out) == {"dgspay": "ok", "settings": "fail"}


def test_a_wrong_key_is_found_by_the_call(dgspay: CommandLine) -> None:
    said = dgspay.having(DGSPAY_API_KEY="key-nobody-knows")("doctor")
    assert said.code == 1
    assert checks(said.out)["API key"] == "warn"
    assert checks(said.out)["call"] == "fail"
    assert "whitelist" in said.out
    assert "key-nobody-knows" not in said.out + said.err


def test_a_monitor_reads_the_checks_as_json(dgspay: CommandLine, emulator: Emulator) -> None:
    said = dgspay("doctor", "--json")
    report = json.loads(said.out)
    assert (said.code, report["ok"]) == (0, True)
    assert [each["check"] for each in report["checks"]][-2:] == ["call", "clock"]
    assert {each["grade"] for each in report["checks"]} == {"ok"}
    assert emulator.api_key not in said.out


def test_a_check_that_fails_is_in_the_json_and_in_the_exit_code(dgspay: CommandLine) -> None:
    said = dgspay.without("DGSPAY_API_KEY")("doctor", "--json")
    report = json.loads(said.out)
    assert (said.code, report["ok"]) == (1, False)
    failed = report["checks"][-1]
    assert (failed["check"], failed["grade"]) == ("settings", "fail")
    assert "DGSPAY_API_KEY is not set" in failed["what"]
    assert failed["advice"]


def test_what_is_merely_missing_is_a_warning(dgspay: CommandLine) -> None:
    said = dgspay.without("DGSPAY_WEBHOOK_SECRET").having(HTTPS_PROXY="http://p:1")("doctor")
    assert said.code == 0
    assert checks(said.out)["webhook secret"] == "warn"
    assert checks(said.out)["proxy"] == "warn"


def test_a_server_that_is_not_there(dgspay: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    said = dgspay("doctor", "--base-url", f"http://127.0.0.1:{port}")
    assert said.code == 1
    assert checks(said.out)["connection"] == "fail"
    assert "dgspay emulator" in said.out
    assert "call" not in checks(said.out)


def test_it_makes_one_call_that_only_reads(dgspay: CommandLine, emulator: Emulator) -> None:
    dgspay("doctor")
    assert [arrival.operation for arrival in emulator.requests] == ["GET /balance"]


def test_an_untrusted_certificate_fails(
    dgspay: CommandLine, impostor: int, emulator: Emulator
) -> None:
    said = dgspay("doctor", "--base-url", f"https://localhost:{impostor}/generation/v2")
    assert said.code == 1
    assert checks(said.out)["TLS"] == "fail"
    assert "does not verify" in said.out
    assert "call" not in checks(said.out)


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[int]:
    """A TLS server on this machine with a certificate it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain = tmp_path / "chain.pem"
    chain.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)

    def greet(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            try:
                context.wrap_socket(connection, server_side=True).close()
            except OSError:
                return  # the client hangs up, as it should

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        thread = threading.Thread(target=greet, args=(listener,))
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


@pytest.mark.parametrize(
    ("date", "grade", "what"),
    [
        ("Fri, 03 Apr 2026 12:00:20 GMT", Grade.OK, "agrees"),
        ("Fri, 03 Apr 2026 11:59:00 GMT", Grade.WARN, "60 seconds ahead of"),
        ("Fri, 03 Apr 2026 14:00:00 GMT", Grade.WARN, "7200 seconds behind"),
        ("yesterday", Grade.WARN, "no readable Date"),
        (None, Grade.WARN, "no readable Date"),
    ],
)
def test_the_clock_is_compared_with_the_servers(date: str | None, grade: Grade, what: str) -> None:
    finding = clock_finding(date, NOON)
    assert finding.grade is grade
    assert what in finding.what


@pytest.mark.parametrize(
    ("not_after", "grade"),
    [("Jun  3 12:00:00 2026 GMT", Grade.OK), ("Apr  9 12:00:00 2026 GMT", Grade.WARN)],
)
def test_a_certificate_that_ends_soon_is_a_warning(not_after: str, grade: Grade) -> None:
    assert certificate_finding("TLSv1.3", not_after, NOON).grade is grade


def test_no_proxy_no_warning() -> None:
    assert [*proxy_findings({"HTTPS_PROXY": ""})] == []

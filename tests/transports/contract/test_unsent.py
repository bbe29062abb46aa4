"""What fails before a byte of a request can leave is not sent, whatever it fails of."""

from __future__ import annotations

import gc
import os
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from dgspay import Outcome
from dgspay.errors import ConfigError, DGSPayError, TransportError
from tests.support.calls import carry_out, carry_out_borrowing, failure_of, payout
from tests.support.certificate_authority import AUTHORITY
from tests.support.http_proxy import proxying
from tests.support.raw_server import HEAD_END, Connection, RawServer, Script, http
from tests.support.transport_matrix import Way
from tests.transports.contract.calling import Wire, post, with_wire


@pytest.fixture
def collected() -> Iterator[None]:
    """Collect what a test left open while its own filters of warnings are in force."""
    yield
    gc.collect()


BEHIND = "https://127.0.0.1:1"


# --- a proxy that opens no tunnel -------------------------------------------------------------


def hang_up(connection: Connection) -> None:
    connection.read_request()


def hang_up_unasked(connection: Connection) -> None:
    """Script: end at once, so that the question itself breaks off."""


def reset(connection: Connection) -> None:
    connection.read_request()
    connection.reset()


def saying(answer: bytes) -> Script:
    def script(connection: Connection) -> None:
        if connection.read_request() is not None:
            connection.write(answer)

    return script


OPENED = b"HTTP/1.1 200 Connection established" + HEAD_END

REFUSING: dict[str, Script] = {
    "hangs up": hang_up,
    "hangs up unasked": hang_up_unasked,
    "resets": reset,
    "is no HTTP": saying(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "half a head": saying(b"HTTP/1.1 200 Conn"),
    "junk": saying(bytes(range(256)) * 40),
    "endless line": saying(b"HTTP/1.1 200 " + b"x" * 200_000),
    "302": saying(http(b"", "302 Found", "Location: http://login.example/")),
    "400": saying(http(b"<html>", "400 Bad Request")),
    "403": saying(http(b"", "403 Forbidden")),
    "407": saying(http(b"", "407 Proxy Authentication Required")),
    "429": saying(http(b"", "429 Too Many Requests")),
    "502": saying(http(b"<html>", "502 Bad Gateway")),
    "504": saying(http(b"", "504 Gateway Timeout")),
    "an answer in the server's name": saying(http({"status": "success", "dgs_reference": "d"})),
    "hangs up in TLS": saying(OPENED),
    "no TLS": saying(OPENED + b"HTTP/1.1 400 Bad Request" + HEAD_END),
}


def assert_not_sent(error: DGSPayError) -> None:
    assert isinstance(error, TransportError)
    assert error.outcome is Outcome.NOT_SENT
    assert "no money moved" in error.message


@pytest.mark.acceptance(62, "nothing-left")
@pytest.mark.parametrize("script", REFUSING.values(), ids=REFUSING)
def test_proxy_that_opens_no_tunnel_has_sent_nothing(way: Way, script: Script) -> None:
    with RawServer(script) as proxy:
        transport = way.transport(proxy=f"http://{proxy.authority}")
        error = failure_of(way, BEHIND, payout, transport=transport).error
        assert_not_sent(error)
        assert error.attempts == 3
        seen = [name for request in proxy.requests for name, _ in request.headers]
        assert not [name for name in seen if name.startswith("x-dgs")]


@pytest.mark.acceptance(62, "nothing-left")
@pytest.mark.parametrize("name", ["hangs up", "resets", "junk", "403", "hangs up in TLS"])
def test_proxy_of_a_client_of_ones_own_that_opens_no_tunnel_has_sent_nothing(
    way: Way, name: str
) -> None:
    if way.library == "aiohttp":
        pytest.skip("the proxy of a session of aiohttp's is given with each request")
    with RawServer(REFUSING[name]) as proxy, pytest.raises(DGSPayError) as caught:
        url = f"http://{proxy.authority}"
        carry_out_borrowing(way, BEHIND, payout, proxy=url, verify=False)
    assert_not_sent(caught.value)


# httpcore leaves the socket to the garbage collector.
@pytest.mark.usefixtures("collected")
@pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning",
    "ignore:.*socket:pytest.PytestUnraisableExceptionWarning",
    "ignore:.*SocketTransport:pytest.PytestUnraisableExceptionWarning",
)
@pytest.mark.acceptance(62, "nothing-left")
@pytest.mark.parametrize("name", ["hangs up", "junk", "resets"])
def test_socks_proxy_that_opens_nothing_has_sent_nothing(way: Way, name: str) -> None:
    pytest.importorskip("socksio")
    if way.library == "aiohttp":
        pytest.skip("aiohttp knows no SOCKS")

    def script(connection: Connection) -> None:
        connection.sock.recv(100)
        if name == "junk":
            connection.write(b"\xff" * 1000)
        elif name == "resets":
            connection.reset()

    with RawServer(script) as proxy:
        transport = way.transport(proxy=f"socks5://{proxy.authority}")
        assert_not_sent(failure_of(way, BEHIND, payout, transport=transport).error)


# --- TLS --------------------------------------------------------------------------------------


def in_the_handshake(answer: bytes) -> Script:
    def script(connection: Connection) -> None:
        connection.sock.recv(65_536)
        connection.write(answer)

    return script


def reset_in_the_handshake(connection: Connection) -> None:
    connection.sock.recv(65_536)
    connection.reset()


UNSHAKEN: dict[str, Script] = {
    "hangs up": in_the_handshake(b""),
    "is no TLS": in_the_handshake(http(b"", "400 Bad Request")),
    "refuses": in_the_handshake(bytes([21, 3, 3, 0, 2, 2, 40])),  # alert: handshake_failure
    "resets": reset_in_the_handshake,
}


@pytest.mark.acceptance(62, "nothing-left")
@pytest.mark.parametrize("script", UNSHAKEN.values(), ids=UNSHAKEN)
def test_handshake_of_tls_that_fails_has_sent_nothing(way: Way, script: Script) -> None:
    with RawServer(script) as server:
        url = f"https://{server.authority}/generation/v2"
        assert_not_sent(failure_of(way, url, payout).error)
    with RawServer(script) as server, pytest.raises(DGSPayError) as caught:
        url = f"https://{server.authority}/generation/v2"
        carry_out_borrowing(way, url, payout)
    assert_not_sent(caught.value)


# --- files and libraries that are not there ----------------------------------------------------


@pytest.fixture
def no_certificates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    path = str(tmp_path / "gone.pem")
    monkeypatch.setenv("SSL_CERT_FILE", path)
    return path


@pytest.mark.acceptance(62, "nothing-left")
@pytest.mark.parametrize("asked", ["file", "folder"])
def test_certificates_of_the_environment_that_are_gone_are_a_config_error_at_set_up(
    way: Way, asked: str, no_certificates: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if asked == "folder":
        monkeypatch.delenv("SSL_CERT_FILE")
        monkeypatch.setenv("SSL_CERT_DIR", no_certificates)
    variable = "SSL_CERT_FILE" if asked == "file" else "SSL_CERT_DIR"
    with pytest.raises(ConfigError, match=f"{variable} names .*gone.pem.*trust_env=True") as caught:
        carry_out(way, BEHIND, payout, transport=way.default_transport(trust_env=True))
    assert (caught.value.outcome, caught.value.attempts) == (Outcome.NOT_SENT, 0)


@pytest.mark.acceptance(62, "nothing-left")
def test_certificates_that_go_once_the_client_is_made_are_a_config_error_of_the_call(
    way: Way, no_certificates: str
) -> None:
    Path(no_certificates).touch()

    def pay(dgs: Any) -> Any:
        Path(no_certificates).unlink(missing_ok=True)
        return payout(dgs)

    transport = way.default_transport(trust_env=True)
    error = failure_of(way, BEHIND, pay, transport=transport).error
    assert isinstance(error, ConfigError)
    assert (error.outcome, error.attempts) == (Outcome.NOT_SENT, 1)
    assert "SSL_CERT_FILE" in error.message
    assert "No such file" in error.message
    assert "no money moved" in error.message


@pytest.mark.acceptance(62, "nothing-left")
@pytest.mark.parametrize("asked", ["of us", "of the environment"])
def test_socks_without_its_library_is_a_config_error_at_set_up(
    way: Way, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    own = {"proxy": "socks5h://127.0.0.1:9"} if asked == "of us" else {"trust_env": True}
    with pytest.raises(ConfigError, match=r"httpx\[socks\]|http:// or https://") as caught:
        carry_out(way, BEHIND, payout, transport=way.transport(**own))
    assert (caught.value.outcome, caught.value.attempts) == (Outcome.NOT_SENT, 0)
    # Another host, which the environment excepts from its proxy, is reached without.
    if asked == "of the environment":
        monkeypatch.setenv("NO_PROXY", "*")
        error = failure_of(way, BEHIND, payout, transport=way.transport(trust_env=True)).error
        assert not isinstance(error, ConfigError)


@pytest.mark.acceptance(62, "nothing-left")
def test_socks_library_that_goes_once_the_client_is_made_is_a_config_error_of_the_call(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way.library == "aiohttp":
        pytest.skip("aiohttp knows no SOCKS")
    pytest.importorskip("socksio")
    transport = way.transport(proxy="socks5h://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "socksio", None)
    error = failure_of(way, BEHIND, payout, transport=transport).error
    assert isinstance(error, ConfigError)
    assert (error.outcome, error.attempts) == (Outcome.NOT_SENT, 1)
    assert "httpx[socks]" in error.message


# --- a system that has nothing left -------------------------------------------------------------


@contextmanager
def no_more_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # The lowest free number: nothing that is open is above it but by chance.
    spare = os.dup(0)
    os.close(spare)
    resource.setrlimit(resource.RLIMIT_NOFILE, (spare, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.acceptance(62, "nothing-left")
def test_too_many_open_files_are_not_sent(way: Way) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

        async def story(wire: Wire) -> None:
            with no_more_files():
                failure = await wire.failure(post(url))
            assert (failure.sent, failure.permanent) == (False, False)
            assert "Too many open files" in failure.reason

        with_wire(way, story)


@pytest.mark.acceptance(62, "nothing-left")
def test_no_thread_to_look_a_name_up_with_is_not_sent(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_: object) -> NoReturn:
        raise RuntimeError("can't start new thread")

    async def story(wire: Wire) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", start)
            failure = await wire.failure(post("http://localhost:1"))
        assert not failure.sent

    with_wire(way, story)


AT_EXIT = """
import asyncio, atexit, os, sys, traceback
from dgspay import AsyncDGSPay, DGSPay, MobileMoneyRecipient, RetryPolicy
{imports}
settings = dict(api_key="sk_test_abc", account_number="1", environment="emulator",
                base_url="http://localhost:9", retry=RetryPolicy(initial_delay=0, max_delay=0))
payout = dict(amount=5000, recipient=MobileMoneyRecipient(msisdn="0788123456", network="MTN"))

async def pay():
    async with AsyncDGSPay(**settings, transport={transport}) as dgs:
        await dgs.disbursements.create(**payout)

def pay_blocking():
    with DGSPay(**settings, transport={transport}) as dgs:
        dgs.disbursements.create(**payout)

@atexit.register
def late():
    try:
        {call}
    except BaseException as error:
        print(getattr(error, "outcome", error))
    sys.stdout.flush()
    os._exit(0)
"""


def at_exit(way: Way) -> str:
    if way.library == "aiohttp":
        imports = "from dgspay.transports.aiohttp import AiohttpTransport"
        transport = "AiohttpTransport()"
    else:
        imports = "from dgspay.transports.httpx import HttpxTransport\nimport trio"
        made = ".blocking" if way.is_blocking else ""
        transport = f"HttpxTransport{made}(library={way.library!r})"
    call = {"sync": "pay_blocking()", "asyncio": "asyncio.run(pay())", "trio": "trio.run(pay)"}
    return AT_EXIT.format(imports=imports, transport=transport, call=call[way.mode])


@pytest.mark.acceptance(62, "nothing-left")
def test_call_at_the_end_of_the_interpreter_is_not_sent(way: Way) -> None:
    """The threads that look names up are shut by then."""
    ran = subprocess.run(
        [sys.executable, "-c", at_exit(way)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.stdout.strip(), ran.returncode) == ("Outcome.NOT_SENT", 0), ran.stderr


# --- what must not be called unsent --------------------------------------------------------------


def take_and(end: Callable[[Connection], Any]) -> Script:
    def script(connection: Connection) -> None:
        if connection.read_request() is not None:
            end(connection)

    return script


@pytest.mark.acceptance(15, "lost-answer")
@pytest.mark.parametrize("end", [lambda _: None, Connection.reset], ids=["hangs up", "resets"])
def test_request_that_a_forwarding_proxy_took_may_have_arrived(
    way: Way, end: Callable[[Connection], Any]
) -> None:
    with RawServer(take_and(end)) as proxy:
        transport = way.transport(proxy=f"http://{proxy.authority}")
        error = failure_of(way, "http://127.0.0.1:1", payout, transport=transport).error
        assert error.outcome is Outcome.UNKNOWN
        assert len(proxy.requests) == 1


@pytest.mark.acceptance(15, "lost-answer")
def test_request_that_went_into_a_tunnel_may_have_arrived(way: Way) -> None:
    tls = AUTHORITY.server_context("127.0.0.1")
    with RawServer(take_and(lambda _: None), tls=tls) as server, RawServer(proxying()) as proxy:
        transport = way.transport(proxy=f"http://{proxy.authority}", verify=AUTHORITY.trusting())
        error = failure_of(way, server.url, payout, transport=transport).error
        assert error.outcome is Outcome.UNKNOWN
        assert len(server.requests) == 1


@pytest.mark.acceptance(15, "lost-answer")
def test_request_on_a_connection_that_was_kept_may_have_arrived(way: Way) -> None:
    def second_is_lost(connection: Connection) -> None:
        if connection.read_request() is not None:
            connection.write(http({"status": "success"}))
        connection.read_request()

    async def story(wire: Wire) -> None:
        await wire.send(post(server.url))
        failure = await wire.failure(post(server.url))
        assert failure.sent

    with RawServer(second_is_lost) as server:
        with_wire(way, story)
        assert (len(server.requests), server.accepted) == (2, 1)

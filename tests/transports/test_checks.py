"""What is wrong with a transport's set-up is a ConfigError when it is made, naming the setting."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest

from dgspay import AsyncDGSPay, DGSPay, Outcome, Timeout
from dgspay.core.messages import Request, Response
from dgspay.errors import ConfigError
from dgspay.transports.aiohttp import AiohttpTransport
from dgspay.transports.httpx import HttpxTransport
from dgspay.transports.httpx.connector import Connector
from dgspay.transports.httpx.library import Library
from tests.support.calls import carry_out, payout, settings_for
from tests.support.certificate_authority import AUTHORITY
from tests.support.raw_server import RawServer, answering, http
from tests.support.transport_matrix import WAYS, Way

URL = "http://127.0.0.1:1"
GOOD = http({"status": "success", "dgs_reference": "dgs_1"})


@pytest.fixture(params=WAYS, ids=str)
def way(request: pytest.FixtureRequest) -> Way:
    way: Way = request.param
    return way


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a good file of certificates, an empty one, and one that is something else."""
    folder = tmp_path_factory.mktemp("certificates")
    AUTHORITY.cert_pem.write_to_path(str(folder / "ca.pem"))
    (folder / "empty.pem").touch()
    (folder / "page.html").write_text("<html>moved</html>")
    return folder


# --- a transport -----------------------------------------------------------------------------

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "path that is not there": ({"verify": "/etc/no/ca.pem"}, "verify.*/etc/no/ca.pem.*No such"),
    "text for false": ({"verify": "false"}, "verify must be True, False"),
    "empty path": ({"verify": ""}, "verify"),
    "path with a NUL": ({"verify": "a\0b"}, "verify"),
    "number": ({"verify": 0}, "verify must be"),
    "None": ({"verify": None}, "verify must be"),
    "context for servers": (
        {"verify": ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)},
        "verify is an ssl.SSLContext for servers",
    ),
    "text for trust_env": ({"trust_env": "false"}, "trust_env must be True or False"),
    "number for trust_env": ({"trust_env": 1}, "trust_env must be True or False"),
    "no scheme": ({"proxy": "proxy.example:3128"}, "proxy must be a URL"),
    "scheme": ({"proxy": "ftp://proxy.example"}, "proxy must be a URL .*http://"),
    "no URL": ({"proxy": 3128}, "proxy must be"),
    "nothing": ({"proxy": ""}, "proxy must be"),
    "space": ({"proxy": "http://my proxy:3128"}, "proxy must be"),
    "line break": ({"proxy": "http://proxy:3128\r\nX: 1"}, "proxy must be"),
    "not ASCII": ({"proxy": "http://pröxy:3128"}, "proxy must be"),
    "port 0": ({"proxy": "http://proxy:0"}, "proxy must be"),
    "port too high": ({"proxy": "http://secret:password@proxy:99999"}, "proxy must be"),
    "negative limit": ({"max_connections": -1}, "max_connections must be at least 1"),
    "no limit": ({"max_connections": 0}, "max_connections must be at least 1"),
    "half a limit": ({"max_connections": 1.5}, "max_connections must be an int"),
    "true limit": ({"max_connections": True}, "max_connections must be an int"),
}


@pytest.mark.acceptance(62, "nothing-left")
@pytest.mark.parametrize(("options", "message"), WRONG.values(), ids=WRONG)
def test_wrong_setting_is_refused_when_the_transport_is_made(
    way: Way, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        way.transport(**options)
    assert caught.value.outcome is Outcome.NOT_SENT
    assert "password" not in str(caught.value)


@pytest.mark.acceptance(62, "nothing-left")
@pytest.mark.parametrize("name", ["empty.pem", "page.html"])
def test_file_without_certificates_is_refused(way: Way, name: str, files: Path) -> None:
    with pytest.raises(ConfigError, match=f"verify.*{name}.*certificates"):
        way.transport(verify=files / name)


@pytest.mark.acceptance(62, "nothing-left")
def test_file_of_certificates_is_trusted(way: Way, files: Path) -> None:
    with RawServer(answering(GOOD), tls=AUTHORITY.server_context("127.0.0.1")) as server:
        for verify in (files / "ca.pem", str(files / "ca.pem")):
            transport = way.transport(verify=verify)
            assert carry_out(way, server.url, payout, transport=transport).status == "success"


def test_folder_of_certificates_is_trusted(way: Way, files: Path, tmp_path: Path) -> None:
    # OpenSSL finds a certificate in a folder by the hash of its subject's name.
    name = ssl_hash(files / "ca.pem")
    (tmp_path / f"{name}.0").write_bytes((files / "ca.pem").read_bytes())
    with RawServer(answering(GOOD), tls=AUTHORITY.server_context("127.0.0.1")) as server:
        transport = way.transport(verify=tmp_path)
        assert carry_out(way, server.url, payout, transport=transport).status == "success"


def ssl_hash(certificate: Path) -> str:
    import subprocess

    command = ["openssl", "x509", "-subject_hash", "-noout", "-in", str(certificate)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def on_a_loop(make: Callable[[], Any]) -> Any:
    async def made() -> Any:
        return make()

    return asyncio.run(made())


@pytest.mark.acceptance(62, "nothing-left")
@pytest.mark.parametrize(
    ("option", "value"),
    [("proxy", "http://proxy:3128"), ("verify", False), ("max_connections", 5)],
)
def test_setting_beside_a_client_of_ones_own_is_refused_for_it_would_do_nothing(
    way: Way, option: str, value: Any
) -> None:
    async def main() -> None:
        own = way.own_client()
        try:
            with pytest.raises(ConfigError, match=f"{option} would have no effect"):
                type(way.borrow(own))(own, **{option: value})
        finally:
            if way.is_blocking:
                own.close()
            elif way.library == "aiohttp":
                await own.close()
            else:
                await own.aclose()

    asyncio.run(main())


@pytest.mark.acceptance(62, "nothing-left")
def test_closed_client_is_refused() -> None:
    client = httpx.Client()
    client.close()
    with pytest.raises(ConfigError, match="client is closed"):
        HttpxTransport(client)

    async def main() -> None:
        session = aiohttp.ClientSession()
        await session.close()
        with pytest.raises(ConfigError, match="session is closed"):
            AiohttpTransport(session)

    asyncio.run(main())


@pytest.mark.acceptance(62, "nothing-left")
def test_client_of_another_library_is_refused() -> None:
    for other in (httpx.AsyncClient(), object(), aiohttp.ClientSession):
        wrong: Any = other
        with pytest.raises(ConfigError, match="session must be a ClientSession"):
            AiohttpTransport(wrong)
    for other in (httpx.Client, "httpx", 5):
        wrong = other
        with pytest.raises(ConfigError, match="client must be an AsyncClient or a Client"):
            HttpxTransport(wrong)


# --- the transport of a client ----------------------------------------------------------------


class Blocking:
    """A transport of a user's own, which does not say for which client it is."""

    def send(self, request: Request, timeout: Timeout) -> Response:
        return Response(200, {}, b'{"status": "success"}')

    def close(self) -> None:
        pass


class Async:
    async def send(self, request: Request, timeout: Timeout) -> Response:
        return Response(200, {}, b'{"status": "success"}')

    async def aclose(self) -> None:
        pass


class WithoutClose:
    def send(self, request: Request, timeout: Timeout) -> Response:
        raise AssertionError


NO_TRANSPORT: dict[str, tuple[Callable[[], Any], str]] = {
    "httpx.Client": (httpx.Client, r"give that to dgspay.transports.httpx.HttpxTransport"),
    "httpx.AsyncClient": (httpx.AsyncClient, r"HttpxTransport\("),
    "httpx2.Client": (httpx2.Client, r"HttpxTransport\("),
    "httpx.HTTPTransport": (httpx.HTTPTransport, r"HttpxTransport\("),
    "ClientSession": (lambda: on_a_loop(session_then_closed), r"AiohttpTransport\("),
    "class": (lambda: HttpxTransport, r"not the class: transport=HttpxTransport\(\.\.\.\)"),
    "text": (lambda: "httpx", "has no send"),
    "object": (object, "has no send"),
}


def session_then_closed() -> aiohttp.ClientSession:
    session = aiohttp.ClientSession()
    asyncio.get_running_loop().create_task(session.close())
    return session


@pytest.mark.acceptance(62, "nothing-left")
@pytest.mark.parametrize("client", [DGSPay, AsyncDGSPay])
@pytest.mark.parametrize(("make", "message"), NO_TRANSPORT.values(), ids=NO_TRANSPORT)
def test_what_is_no_transport_is_refused_when_the_client_is_made(
    client: Any, make: Callable[[], Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=f"transport must.*{message}"):
        client(**settings_for(URL, transport=make()))


@pytest.mark.acceptance(62, "nothing-left")
@pytest.mark.parametrize(
    ("client", "transport", "message"),
    [
        (DGSPay, HttpxTransport(), r"one for AsyncDGSPay.*HttpxTransport.blocking\(\)"),
        (DGSPay, AiohttpTransport(), "one for AsyncDGSPay"),
        (DGSPay, Async(), "one for AsyncDGSPay"),
        (DGSPay, WithoutClose(), "WithoutClose has no close"),
        (AsyncDGSPay, HttpxTransport.blocking(), r"one for DGSPay.*HttpxTransport\(\)"),
        (AsyncDGSPay, Blocking(), "Blocking has no aclose"),
    ],
)
def test_transport_for_the_other_client_is_refused(
    client: Any, transport: Any, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        client(**settings_for(URL, transport=transport))


def test_transport_of_ones_own_need_not_say_for_which_client_it_is() -> None:
    assert payout(DGSPay(**settings_for(URL, transport=Blocking()))).status == "success"
    dgs = AsyncDGSPay(**settings_for(URL, transport=Async()))
    assert asyncio.run(payout(dgs)).status == "success"


# --- times ------------------------------------------------------------------------------------


@pytest.mark.acceptance(62, "nothing-left")
@pytest.mark.parametrize("part", ["connect", "write", "read", "pool"])
@pytest.mark.parametrize("seconds", [0, -1, float("nan"), "5", None, True])
def test_time_that_is_none_is_refused_by_its_name(part: str, seconds: Any) -> None:
    with pytest.raises(ConfigError, match=f"Timeout.*{part} must be a number of seconds above 0"):
        Timeout(**{part: seconds})


@pytest.mark.acceptance(70, "fork-at-any-moment")
def test_path_is_read_anew_in_a_forked_child(files: Path) -> None:
    """A context of the parent's may be locked in it for ever."""
    connector = Connector(
        Library.named("httpx"), verify=files / "ca.pem", trust_env=False, proxy=None
    )
    before = connector.read_certificates()
    assert connector.read_certificates() is before
    connector.renew_in_child()
    assert connector.read_certificates() is not before

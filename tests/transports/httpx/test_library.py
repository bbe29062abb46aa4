"""HttpxTransport on httpx and on httpx2: chosen by name or by the client, imported when used."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import httpx
import httpx2
import pytest

from dgspay import AsyncDGSPay, DGSPay, RetryPolicy
from dgspay.errors import ConfigError, Outcome, OutcomeUnknownError, TransportError
from dgspay.transports.httpx import HttpxTransport
from tests.support.raw_server import Connection, RawServer, answering, http
from tests.support.recorders import ACCOUNT, API_KEY, MOBILE_MONEY

CHARGE = {"status": "success", "dgs_reference": "dgs_1", "transaction_status": "pending"}
SETTINGS: dict[str, Any] = {
    "api_key": API_KEY,
    "account_number": ACCOUNT,
    "retry": RetryPolicy(initial_delay=0, max_delay=0),
}


def test_blocking_client_of_httpx2_is_used_event_hooks_and_all() -> None:
    seen: list[str] = []
    hooks: dict[str, Any] = {"request": [lambda request: seen.append(request.url.path)]}
    mock = httpx2.MockTransport(lambda _: httpx2.Response(200, json=CHARGE))
    with httpx2.Client(transport=mock, event_hooks=hooks) as client:
        dgs = DGSPay(**SETTINGS, transport=HttpxTransport(client))
        assert dgs.charges.mobile_money(**MOBILE_MONEY).dgs_reference == "dgs_1"
        dgs.close()
        assert not client.is_closed
    assert seen == ["/generation/v2/charges"]


@pytest.mark.anyio
async def test_async_client_of_httpx2_is_used() -> None:
    mock = httpx2.MockTransport(lambda _: httpx2.Response(200, json=CHARGE))
    async with httpx2.AsyncClient(transport=mock) as client:
        dgs = AsyncDGSPay(**SETTINGS, transport=HttpxTransport(client))
        assert (await dgs.charges.mobile_money(**MOBILE_MONEY)).dgs_reference == "dgs_1"


@pytest.mark.acceptance(14, "not-reached", 15, "lost-answer")
@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("ConnectError", False),
        ("ConnectTimeout", False),
        ("PoolTimeout", False),
        ("ProxyError", False),
        ("UnsupportedProtocol", False),
        ("ReadError", True),
        ("ReadTimeout", True),
        ("WriteError", True),
        ("WriteTimeout", True),
        ("RemoteProtocolError", True),
        ("LocalProtocolError", True),
        ("CloseError", True),
    ],
)
def test_failures_of_both_libraries_say_the_same_about_the_money(
    library: Any, name: str, sent: bool
) -> None:
    def fail(_: Any) -> Any:
        raise getattr(library, name)(f"leaks {API_KEY}")

    with library.Client(transport=library.MockTransport(fail)) as client:
        dgs = DGSPay(**SETTINGS, transport=HttpxTransport(client))
        with pytest.raises((TransportError, OutcomeUnknownError)) as caught:
            dgs.charges.mobile_money(**MOBILE_MONEY)
    assert caught.value.outcome is (Outcome.UNKNOWN if sent else Outcome.NOT_SENT)
    assert API_KEY not in str(caught.value)


@pytest.mark.acceptance(16, "dripping-server")
@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_users_own_blocking_client_ends_at_the_deadline(library: Any) -> None:
    """It fails when the library keeps its network backend elsewhere than it does today."""

    def drip(connection: Connection) -> None:
        connection.read_request()
        connection.drip(http(CHARGE), every=0.6)

    began = time.monotonic()
    with RawServer(drip) as server, library.Client() as client:
        dgs = DGSPay(**SETTINGS, base_url=server.url, deadline=1, transport=HttpxTransport(client))
        with pytest.raises(OutcomeUnknownError, match="deadline"):
            dgs.charges.mobile_money(**MOBILE_MONEY)
    assert time.monotonic() - began < 20  # the headers alone take longer than 40 seconds


# --- choosing ---------------------------------------------------------------------------------


def test_library_that_is_not_installed_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "httpx2", None)
    for make in (HttpxTransport, HttpxTransport.blocking):
        with pytest.raises(ConfigError, match=r"dgspay\[httpx2\]"):
            make(library="httpx2")


def test_arguments_that_are_none_are_refused() -> None:
    wrong: list[dict[str, Any]] = [
        {"library": "requests"},
        {"max_connections": 0},
        {"max_connections": True},
        {"max_connections": "many"},
        {"proxy": "ftp://proxy.example"},
        {"proxy": "proxy.example:3128"},
        {"proxy": "http://secret:password@proxy.example:99999"},
        {"client": object()},
    ]
    for options in wrong:
        with pytest.raises(ConfigError) as caught:
            HttpxTransport(**options)
        assert "password" not in str(caught.value)


LOADS = """
import asyncio, sys
from dgspay import AsyncDGSPay, DGSPay
from dgspay.transports.httpx import HttpxTransport
settings = dict(api_key="sk_test_1", account_number="A", base_url={url!r})
transport = {transport}
assert not {{"httpx", "httpx2", "httpcore", "httpcore2"}} & sys.modules.keys()
{call}
print(*sys.modules)
"""
ASYNC = """
async def main():
    async with AsyncDGSPay(**settings, transport=transport) as dgs:
        await dgs.balances.list()
asyncio.run(main())
"""
BLOCKING = """
with DGSPay(**settings, transport=transport) as dgs:
    dgs.balances.list()
"""


@pytest.mark.parametrize(
    ("transport", "call", "unused"),
    [
        ("HttpxTransport(library='httpx2')", ASYNC, {"httpx", "httpcore"}),
        ("HttpxTransport.blocking(library='httpx2')", BLOCKING, {"httpx", "httpcore"}),
        ("HttpxTransport()", ASYNC, {"httpx2", "httpcore2"}),
        ("HttpxTransport.blocking()", BLOCKING, {"httpx2", "httpcore2"}),
    ],
)
def test_only_the_library_that_is_used_is_imported(
    transport: str, call: str, unused: set[str]
) -> None:
    with RawServer(answering(http({"status": "success", "balances": []}))) as server:
        code = LOADS.format(url=server.url, transport=transport, call=call)
        ran = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert not unused & set(ran.stdout.split())

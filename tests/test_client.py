"""The clients themselves: what they refuse to be made with, and what they are to hold."""

from __future__ import annotations

import traceback
from typing import Any

import anyio
import httpx
import pytest

from dgspay import AsyncDGSPay, DGSPay, errors
from dgspay.emulator import Emulator
from dgspay.secret import Secret
from dgspay.testing import client_options
from dgspay.transports.httpx import HttpxTransport
from tests.core.test_pagination import ROWS, FlakyServer, listing

CREDENTIALS: dict[str, Any] = {"api_key": "sk_test_hidden", "account_number": "ACC-1"}


def test_the_other_clients_transport_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(errors.ConfigError, match="transport is one for DGSPay"):
        AsyncDGSPay(**CREDENTIALS, transport=HttpxTransport.blocking())  # type: ignore[arg-type]
    for transport in (HttpxTransport(), HttpxTransport(httpx.AsyncClient())):
        with pytest.raises(errors.ConfigError, match="transport is one for AsyncDGSPay"):
            DGSPay(**CREDENTIALS, transport=transport)  # type: ignore[arg-type]


@pytest.mark.parametrize("client", [AsyncDGSPay, DGSPay])
def test_no_way_of_making_a_client_shows_the_key(
    client: type[DGSPay], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DGSPAY_API_KEY", "sk_test_hidden")
    monkeypatch.setenv("DGSPAY_ACCOUNT_NUMBER", "ACC-1")
    broken: list[Any] = [
        lambda: client(api_key="sk_test_hidden oops", account_number="ACC-1"),
        lambda: client(api_key=b"sk_test_hidden", account_number="ACC-1"),  # type: ignore[arg-type]
        lambda: client.from_env(environment="production"),
        lambda: client.from_env(api_key="sk_test_hidden2", environment="production"),
        lambda: client.from_env(api_key=b"sk_test_hidden", environment="production"),
    ]
    for make in broken:
        with pytest.raises(errors.ConfigError) as caught:
            make()
        seen = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        ours = [frame for frame in seen.stack if "/dgspay/" in frame.filename]
        assert ours
        assert "hidden" not in repr([frame.locals for frame in ours])
        assert "hidden" not in str(caught.value)


def test_a_client_can_be_shown_whether_set_up_or_not(emulator: Emulator) -> None:
    dgs = DGSPay(**client_options(emulator))
    assert repr(dgs) == f"DGSPay(emulator, {emulator.base_url})"
    assert repr(AsyncDGSPay.__new__(AsyncDGSPay)) == "AsyncDGSPay(not set up)"


def test_from_env_takes_options_over_the_environment(
    monkeypatch: pytest.MonkeyPatch, emulator: Emulator
) -> None:
    monkeypatch.setenv("DGSPAY_API_KEY", "sk_test_environment")
    monkeypatch.setenv("DGSPAY_ACCOUNT_NUMBER", "ACC-1")
    monkeypatch.delenv("DGSPAY_ENVIRONMENT", raising=False)
    monkeypatch.delenv("DGSPAY_BASE_URL", raising=False)
    dgs = DGSPay.from_env(account_number="ACC-2")
    assert dgs.settings.api_key == Secret("sk_test_environment")
    assert dgs.settings.account_number == "ACC-2"
    assert dgs.settings.environment == "sandbox"


def test_reply_tells_how_a_result_came(dgs: DGSPay) -> None:
    from dgspay.api import balances

    reply = dgs.reply(balances.list())
    assert (reply.status, reply.attempts) == (200, 1)
    assert reply.value == dgs.execute(balances.list())
    assert reply.headers["content-type"].startswith("application/json")
    assert reply.elapsed > 0


@pytest.mark.anyio
async def test_reply_with_await(async_dgs: AsyncDGSPay) -> None:
    from dgspay.api import balances

    async with async_dgs as dgs:
        reply = await dgs.reply(balances.available("RWF"))
        assert reply.value > 0


def test_a_break_in_the_middle_of_a_list_leaves_nothing_behind_on_trio() -> None:
    from dgspay.pagers import AsyncPager

    async def main() -> None:
        pager = AsyncPager(listing(prefetch=2), FlakyServer(ROWS).aexecute)
        async for row in pager:
            if row == "r3":
                break
        async for page in pager.pages():
            assert page.rows == ("r0", "r1")
            break

    # Warnings are errors here, and trio warns of a generator that is left to be collected.
    anyio.run(main, backend="trio")


@pytest.mark.anyio
async def test_an_iterator_goes_on_at_the_page_that_failed() -> None:
    from dgspay.pagers import AsyncPager

    server = FlakyServer(ROWS, failures={3: 1})
    rows = aiter(AsyncPager(listing(prefetch=4), server.aexecute))
    got: list[str] = []
    failed = 0
    while True:
        try:
            got.append(await anext(rows))
        except errors.TransportError:
            failed += 1
        except StopAsyncIteration:
            break
    assert got == ROWS
    assert failed == 1

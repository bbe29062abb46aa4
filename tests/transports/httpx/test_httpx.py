"""HttpxTransport with the tools people use around httpx: respx, event hooks, mock transports."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import respx

from dgspay import AsyncDGSPay, DGSPay, RetryPolicy
from dgspay.errors import AuthenticationError, Outcome, OutcomeUnknownError, TransportError
from dgspay.transports.base import AsyncTransport, Transport
from dgspay.transports.httpx import HttpxTransport
from tests.support.recorders import ACCOUNT, API_KEY, MOBILE_MONEY

ORIGIN = "https://test.pay.digitalservicescenter.rw"
CHARGES = f"{ORIGIN}/generation/v2/charges"
CHARGE = {"status": "success", "dgs_reference": "dgs_1", "transaction_status": "pending"}
SETTINGS: dict[str, Any] = {
    "api_key": API_KEY,
    "account_number": ACCOUNT,
    "retry": RetryPolicy(initial_delay=0, max_delay=0),
}


@pytest.mark.parametrize("own", [False, True])
def test_respx_with_a_blocking_client(own: bool) -> None:
    with httpx.Client() as client, respx.mock:
        route = respx.post(CHARGES).respond(json=CHARGE)
        transport = HttpxTransport(client) if own else None
        with DGSPay(**SETTINGS, transport=transport) as dgs:
            assert dgs.charges.mobile_money(**MOBILE_MONEY).dgs_reference == "dgs_1"
        request = route.calls.last.request
        assert request.headers["X-DGS-API-Key"] == API_KEY
        assert json.loads(request.content)["amount"] == 2000
        assert client.is_closed is False


@pytest.mark.anyio
@pytest.mark.parametrize("own", [False, True])
async def test_respx_with_an_async_client(own: bool) -> None:
    async with httpx.AsyncClient() as client:
        with respx.mock:
            route = respx.post(CHARGES).respond(json=CHARGE)
            transport = HttpxTransport(client) if own else None
            async with AsyncDGSPay(**SETTINGS, transport=transport) as dgs:
                charge = await dgs.charges.mobile_money(**MOBILE_MONEY)
            assert charge.dgs_reference == "dgs_1"
            assert route.calls.last.request.headers["X-DGS-ACCOUNT-NUMBER"] == ACCOUNT
        assert client.is_closed is False


@pytest.mark.parametrize(
    ("failure", "sent"),
    [
        (httpx.ConnectError, False),
        (httpx.ConnectTimeout, False),
        (httpx.PoolTimeout, False),
        (httpx.ReadError, True),
        (httpx.ReadTimeout, True),
        (httpx.WriteError, True),
        (httpx.WriteTimeout, True),
        (httpx.RemoteProtocolError, True),
        (httpx.CloseError, True),
        (RuntimeError, True),
        (OSError, True),
    ],
)
def test_what_a_mocked_failure_says_about_the_money(failure: Any, sent: bool) -> None:
    with respx.mock:
        route = respx.post(CHARGES).mock(side_effect=failure(f"leaks {API_KEY}"))
        with DGSPay(**SETTINGS) as dgs, pytest.raises((TransportError, OutcomeUnknownError)) as err:
            dgs.charges.mobile_money(**MOBILE_MONEY)
        assert route.call_count == (1 if sent else 3)
    assert err.value.outcome is (Outcome.UNKNOWN if sent else Outcome.NOT_SENT)
    assert API_KEY not in str(err.value)


def test_event_hooks_of_a_users_own_client() -> None:
    seen: list[str] = []

    def on_request(request: httpx.Request) -> None:
        seen.append(f"request {request.url.path}")

    def on_response(response: httpx.Response) -> None:
        response.read()
        seen.append(f"response {response.json()['dgs_reference']}")

    mock = httpx.MockTransport(lambda _: httpx.Response(200, json=CHARGE))
    hooks: dict[str, Any] = {"request": [on_request], "response": [on_response]}
    with httpx.Client(transport=mock, event_hooks=hooks) as client:
        dgs = DGSPay(**SETTINGS, transport=HttpxTransport(client))
        assert dgs.charges.mobile_money(**MOBILE_MONEY).dgs_reference == "dgs_1"
    assert seen == ["request /generation/v2/charges", "response dgs_1"]


@pytest.mark.anyio
async def test_event_hooks_of_a_users_own_async_client() -> None:
    seen: list[int] = []

    async def on_response(response: httpx.Response) -> None:
        await response.aread()
        seen.append(response.status_code)

    mock = httpx.MockTransport(lambda _: httpx.Response(200, json=CHARGE))
    async with httpx.AsyncClient(transport=mock, event_hooks={"response": [on_response]}) as client:
        dgs = AsyncDGSPay(**SETTINGS, transport=HttpxTransport(client))
        assert (await dgs.charges.mobile_money(**MOBILE_MONEY)).dgs_reference == "dgs_1"
    assert seen == [200]


def test_event_hook_that_raises_leaves_a_charge_unknown() -> None:
    def raise_for_status(response: httpx.Response) -> None:
        response.raise_for_status()

    mock = httpx.MockTransport(lambda _: httpx.Response(500, json={"error_code": "90"}))
    with httpx.Client(transport=mock, event_hooks={"response": [raise_for_status]}) as client:
        dgs = DGSPay(**SETTINGS, transport=HttpxTransport(client))
        with pytest.raises(OutcomeUnknownError) as caught:
            dgs.charges.mobile_money(**MOBILE_MONEY)
    assert caught.value.__context__ is None


def test_mock_transport_that_refuses() -> None:
    refusal = {"status": "failed", "error_code": "91", "message": f"bad key {API_KEY}"}
    mock = httpx.MockTransport(lambda _: httpx.Response(401, json=refusal))
    with httpx.Client(transport=mock) as client:
        dgs = DGSPay(**SETTINGS, transport=HttpxTransport(client))
        with pytest.raises(AuthenticationError) as caught:
            dgs.charges.mobile_money(**MOBILE_MONEY)
    assert API_KEY not in f"{caught.value} {caught.value.body}"


def test_transport_keeps_to_its_protocol() -> None:
    assert isinstance(HttpxTransport(), AsyncTransport)
    assert isinstance(HttpxTransport.blocking(), Transport)
    assert API_KEY not in repr(HttpxTransport())

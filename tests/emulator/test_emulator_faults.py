"""Faults on purpose, in-process and on a real socket."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from dgspay.emulator import Emulator, VirtualClock
from tests.emulator.emulator_calls import MOBILE_MONEY, TO_BANK, credentials


@pytest.fixture(params=["in-process", "socket"])
def either_client(request: pytest.FixtureRequest, emulator: Emulator) -> Iterator[httpx.Client]:
    if request.param == "in-process":
        with emulator.http_client() as client:
            client.headers.update(credentials(emulator))
            yield client
        return
    with (
        emulator.serve() as served,
        httpx.Client(base_url=served.url, headers=credentials(emulator), trust_env=False) as client,
    ):
        yield client


def test_a_lost_answer_is_work_done(either_client: httpx.Client, emulator: Emulator) -> None:
    emulator.faults.lose_answer("POST /disburse", times=2)
    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError):
            either_client.post("/disburse", json=TO_BANK)
    assert either_client.post("/disburse", json=TO_BANK).status_code == 200
    assert len(emulator.executed) == len(emulator.disbursements) == 3
    assert [arrival.status for arrival in emulator.requests] == [None, None, 200]


def test_a_lost_request_is_no_work(either_client: httpx.Client, emulator: Emulator) -> None:
    emulator.faults.lose_request("POST /disburse")
    with pytest.raises(httpx.RemoteProtocolError):
        either_client.post("/disburse", json=TO_BANK)
    assert emulator.executed == ()
    assert len(emulator.requests) == 1


@pytest.mark.parametrize(
    ("code", "status"),
    [("90", 400), ("91", 401), ("92", 404), ("93", 409), ("99", 500), ("42", 400)],
)
def test_an_error_code_comes_instead_of_the_work(
    either_client: httpx.Client, emulator: Emulator, code: str, status: int
) -> None:
    emulator.faults.fail_next("POST /charges", error_code=code)
    answer = either_client.post("/charges", json=MOBILE_MONEY)
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)
    assert answer.json()["status"] == "failed"
    assert emulator.executed == ()
    assert either_client.post("/charges", json=MOBILE_MONEY).status_code == 200


def test_any_answer_comes_exactly_as_asked(either_client: httpx.Client, emulator: Emulator) -> None:
    emulator.faults.answer_next(
        "GET /transactions/{id}",
        status=502,
        body=b"<h1>Bad Gateway</h1>",
        headers={"Content-Type": "text/html", "Retry-After": "3"},
    )
    answer = either_client.get("/transactions/dgs_1")
    assert (answer.status_code, answer.content) == (502, b"<h1>Bad Gateway</h1>")
    assert answer.headers["content-type"] == "text/html"
    assert answer.headers["retry-after"] == "3"
    assert either_client.get("/transactions/dgs_1").status_code == 404


def test_faults_strike_in_order_and_only_their_route(
    client: httpx.Client, emulator: Emulator
) -> None:
    emulator.faults.fail_next("GET /balance", error_code="99")
    emulator.faults.answer_next("GET /balance", status=204)
    assert client.get("/transactions").status_code == 200
    assert [client.get("/balance").status_code for _ in range(3)] == [500, 204, 200]
    emulator.faults.fail_next("GET /balance")
    emulator.faults.clear()
    assert client.get("/balance").status_code == 200


@pytest.mark.parametrize("route", ["/disburse", "POST /generation/v2/disburse", "GET /nowhere"])
def test_a_route_that_is_none_is_refused(emulator: Emulator, route: str) -> None:
    with pytest.raises(ValueError, match="POST /disburse"):
        emulator.faults.lose_answer(route)


def test_no_times_is_refused(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match="times"):
        emulator.faults.lose_answer("POST /disburse", times=0)


@pytest.mark.anyio
async def test_an_async_client_sees_the_lost_answer(clock: VirtualClock) -> None:
    with Emulator(clock=clock) as emulator:
        emulator.faults.lose_answer("POST /disburse")
        async with emulator.async_http_client() as client:
            client.headers.update(credentials(emulator))
            with pytest.raises(httpx.RemoteProtocolError):
                await client.post("/disburse", json=TO_BANK)
            assert (await client.post("/disburse", json=TO_BANK)).status_code == 200
        assert len(emulator.executed) == 2

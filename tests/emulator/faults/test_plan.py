"""Faults on purpose, in-process and on a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from dgspay.emulator import Emulator, VirtualClock
from tests.emulator.emulator_calls import MOBILE_MONEY, PATIENCE, TO_BANK, credentials


@pytest.fixture(params=["in-process", "socket"])
def either_client(request: pytest.FixtureRequest, emulator: Emulator) -> Iterator[httpx.Client]:
    if request.param == "in-process":
        with emulator.http_client() as client:
            client.headers.update(credentials(emulator))
            yield client
        return
    with (
        emulator.serve() as served,
        httpx.Client(
            base_url=served.url, headers=credentials(emulator), trust_env=False, timeout=PATIENCE
        ) as client,
    ):
        yield client


def test_a_lost_answer_is_work_done(either_client: httpx.Client, emulator: Emulator) -> None:
    emulator.faults.lose_answer("POST /disburse", times=2)
    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError):
            either_client.post("/disburse", json=TO_BANK)
    assert either_client.post("/disburse", json=TO_BANK).status_code == 200
    assert len(emulator.executed) == len(emulator.disbursements) == 3
    assert [logged.status for logged in emulator.requests] == [None, None, 200]


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


# --- what happens to requests -------------------------------------------------------------


@pytest.mark.acceptance(59, "conflict-on-own-key")
def test_a_request_sent_on_twice_is_done_once_and_answered_with_93(
    either_client: httpx.Client, emulator: Emulator
) -> None:
    emulator.faults.send_on_twice("POST /disburse")
    key = {"Idempotency-Key": "drawn-a-moment-ago"}
    answer = either_client.post("/disburse", json=TO_BANK, headers=key)
    assert (answer.status_code, answer.json()["error_code"]) == (409, "93")
    assert len(emulator.executed) == len(emulator.disbursements) == 1
    again = either_client.post("/disburse", json=TO_BANK, headers=key)
    assert again.json()["dgs_reference"] == emulator.disbursements[0].dgs_reference
    assert len(emulator.executed) == 1
    assert [logged.status for logged in emulator.requests] == [409, 200]
    assert emulator.requests[0].fault == "the request is sent on twice, the second answer comes"


@pytest.mark.acceptance(59, "conflict-on-own-key")
def test_a_request_without_a_key_that_is_sent_on_twice_is_done_twice(
    either_client: httpx.Client, emulator: Emulator
) -> None:
    emulator.faults.send_on_twice("POST /disburse")
    answer = either_client.post("/disburse", json=TO_BANK)
    assert answer.json()["dgs_reference"] == emulator.disbursements[-1].dgs_reference
    assert len(emulator.disbursements) == 2


def test_what_changed_nothing_may_arrive_twice(
    either_client: httpx.Client, emulator: Emulator
) -> None:
    emulator.faults.send_on_twice("*", times=3)
    assert either_client.get("/balance").status_code == 200
    key = {"Idempotency-Key": "k1"}
    refused = either_client.post("/disburse", json={}, headers=key)
    assert refused.json()["error_code"] == "90"
    assert either_client.post("/disburse", json=TO_BANK, headers=key).status_code == 409


# --- what happens to answers --------------------------------------------------------------


def test_an_answer_cut_off_half_way_is_work_done(
    either_client: httpx.Client, emulator: Emulator
) -> None:
    emulator.faults.cut_answer("POST /disburse")
    with pytest.raises(httpx.RemoteProtocolError, match=r"incomplete|without sending complete"):
        either_client.post("/disburse", json=TO_BANK)
    assert len(emulator.executed) == 1


def test_half_the_json_comes_as_if_it_were_whole(
    either_client: httpx.Client, emulator: Emulator
) -> None:
    emulator.faults.truncate("POST /disburse")
    answer = either_client.post("/disburse", json=TO_BANK)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"."):
        answer.json()
    assert len(emulator.executed) == 1


def test_a_connection_closed_before_the_body_is_no_work(
    either_client: httpx.Client, emulator: Emulator
) -> None:
    emulator.faults.hang_up("POST /disburse")
    with pytest.raises(httpx.TransportError):
        either_client.post("/disburse", json=TO_BANK)
    assert emulator.executed == ()
    (logged,) = emulator.requests
    assert (logged.body, logged.status) == (None, None)
    assert either_client.post("/disburse", json=TO_BANK).status_code == 200


def test_an_answer_drips(either_client: httpx.Client, emulator: Emulator) -> None:
    emulator.faults.drip("GET /balance", seconds_per_byte=0.001)
    with either_client.stream("GET", "/balance") as answer:
        pieces = list(answer.iter_raw())
    assert len(pieces) > 2
    assert b"available_balance" in b"".join(pieces)


def test_a_slow_answer_is_work_done(either_client: httpx.Client, emulator: Emulator) -> None:
    emulator.faults.delay("POST /disburse", 0.01)
    assert either_client.post("/disburse", json=TO_BANK).status_code == 200
    assert len(emulator.executed) == 1


@pytest.mark.parametrize("after_work", [False, True])
def test_a_proxy_answers_in_html(
    either_client: httpx.Client, emulator: Emulator, *, after_work: bool
) -> None:
    emulator.faults.bad_gateway("POST /disburse", after_work=after_work)
    answer = either_client.post("/disburse", json=TO_BANK)
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html")
    assert len(emulator.executed) == int(after_work)


def test_too_many_requests_and_redirects(either_client: httpx.Client, emulator: Emulator) -> None:
    emulator.faults.too_many("GET /balance", retry_after=3)
    emulator.faults.redirect("GET /balance", "http://127.0.0.1:1/x", status=308)
    first, second, third = (either_client.get("/balance") for _ in range(3))
    assert (first.status_code, first.headers["retry-after"]) == (429, "3")
    assert (second.status_code, second.headers["location"]) == (308, "http://127.0.0.1:1/x")
    assert third.status_code == 200


def test_pages_repeat_rows(either_client: httpx.Client, emulator: Emulator) -> None:
    for _ in range(4):
        either_client.post("/charges", json=MOBILE_MONEY)
    emulator.faults.repeat_rows("GET /transactions", times=2)
    first, second = (
        either_client.get("/transactions", params={"page": page, "limit": 2}).json()["data"]
        for page in (1, 2)
    )
    assert second[0] == first[-1]
    assert len({row["id"] for row in (*first, *second)}) == 4


# --- which requests are struck ------------------------------------------------------------


def test_by_chance_a_seed_decides_which_requests_fail() -> None:
    def outcomes(seed: int) -> list[int]:
        with Emulator(clock=VirtualClock(), seed=seed) as emulator:
            emulator.faults.fail_next("GET /balance", probability=0.5)
            with emulator.http_client() as client:
                client.headers.update(credentials(emulator))
                return [client.get("/balance").status_code for _ in range(40)]

    assert outcomes(1) == outcomes(1) != outcomes(2)
    assert set(outcomes(1)) == {200, 500}


def test_a_fault_for_every_route_is_taken_back(client: httpx.Client, emulator: Emulator) -> None:
    emulator.faults.fail_next("*", times=5)
    assert client.get("/balance").status_code == client.get("/transactions").status_code == 500
    (standing,) = emulator.faults.standing
    assert standing.remaining == 3
    emulator.faults.cancel(standing.id)
    assert client.get("/balance").status_code == 200
    with pytest.raises(LookupError):
        emulator.faults.cancel(standing.id)


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"route": "GET /balance"},
        {"route": "GET /balance", "fault": "explode"},
        {"route": "GET /balance", "fault": "delay", "seconds": "soon"},
        {"route": "GET /balance", "fault": "delay", "seconds": -1},
        {"route": "GET /balance", "fault": "lose_answer", "seconds": 1},
        {"route": "GET /balance", "fault": "lose_answer", "times": True},
        {"route": "GET /balance", "fault": "lose_answer", "times": 0},
        {"route": "GET /balance", "fault": "lose_answer", "probability": 2},
        {"route": "GET /balance", "fault": "lose_answer", "probability": "often"},
        {"route": "GET /balance", "fault": "redirect", "location": "javascript:x"},
        {"route": "GET /nowhere", "fault": "lose_answer"},
        {"route": 5, "fault": "lose_answer"},
    ],
)
def test_a_malformed_fault_is_rejected_and_none_is_planned(
    emulator: Emulator, wish: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match=r"."):
        emulator.faults.plan(wish)
    assert emulator.faults.standing == ()


# --- from a file --------------------------------------------------------------------------


def test_faults_are_read_from_a_file(
    client: httpx.Client, emulator: Emulator, tmp_path: Path
) -> None:
    path = tmp_path / "faults.toml"
    path.write_text(
        '[[faults]]\nroute = "GET /balance"\nfault = "too_many"\nretry_after = "9"\n'
        '[[faults]]\nroute = "POST /disburse"\nfault = "send_on_twice"\n'
        '[[webhooks]]\nmode = "duplicate"\ntimes = 3\n'
    )
    emulator.load_faults(path)
    assert client.get("/balance").headers["retry-after"] == "9"
    sent_on = client.post("/disburse", json=TO_BANK, headers={"Idempotency-Key": "k1"})
    assert sent_on.json()["error_code"] == "93"
    assert [(mode.kind, mode.remaining) for mode in emulator.webhooks.modes] == [("duplicate", 3)]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[[faults", "not TOML"),
        ("[faults]", r"\[\[faults\]\]"),
        ("fault = 1", "fault is not"),
        ('[[faults]]\nroute = "GET /balance"\nfault = "x"', "number 1.*lose_answer"),
        ('[[webhooks]]\nmode = "x"', "number 1.*duplicate"),
    ],
)
def test_a_file_of_faults_that_is_wrong_is_refused_by_place(
    emulator: Emulator, tmp_path: Path, text: str, named: str
) -> None:
    path = tmp_path / "faults.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=named):
        emulator.load_faults(path)

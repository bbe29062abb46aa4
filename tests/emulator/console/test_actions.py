"""Steering over HTTP: what it takes, what it refuses, and whom it keeps out."""

from __future__ import annotations

import ast
import itertools
import json
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import attrs
import httpx
import pytest

from dgspay import BankRecipient, Customer, DGSPay, MobileMoneyRecipient
from dgspay.emulator import Emulator, Served
from dgspay.emulator.console import lists
from dgspay.emulator.console.actions import ACTIONS
from dgspay.emulator.console.lists import House
from dgspay.models.addresses import BillingAddress
from dgspay.testing import client_options
from dgspay.transports.httpx import HttpxTransport
from tests.emulator.emulator_calls import (
    CONVERT,
    LINK,
    MOBILE_MONEY,
    PATIENCE,
    TO_BANK,
    TO_HANDSET,
    card_charge,
    credentials,
    pin_authorization,
)


@pytest.fixture
def served(emulator: Emulator) -> Iterator[Served]:
    with emulator.serve() as served:
        yield served


@pytest.fixture
def console(served: Served) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=f"{served.origin}/_emulator", trust_env=False, timeout=PATIENCE
    ) as client:
        yield client


def test_faults_come_and_go_over_http(
    console: httpx.Client, client: httpx.Client, emulator: Emulator
) -> None:
    wish = {"route": "POST /disburse", "fault": "fail_next", "error_code": "93", "times": 2}
    made = console.post("/faults", json=wish).json()
    assert client.post("/disburse", json=TO_BANK).json()["error_code"] == "93"
    assert console.get("/state").json()["faults"][0]["remaining"] == 1
    assert console.delete(f"/faults/{made['id']}").status_code == 200
    assert console.delete(f"/faults/{made['id']}").status_code == 404
    assert console.delete("/faults/x").status_code == 404
    console.post("/faults", json={**wish, "probability": 1, "times": None})
    console.delete("/faults")
    assert emulator.faults.standing == ()
    refused = console.post("/faults", json={**wish, "fault": "explode"})
    assert refused.status_code == 400
    assert "lose_answer" in refused.json()["message"]


def test_things_are_settled_over_http(
    console: httpx.Client, client: httpx.Client, emulator: Emulator
) -> None:
    sent = [client.post("/charges", json=MOBILE_MONEY).json()["dgs_reference"] for _ in range(3)]
    for reference, outcome in zip(sent, ("approve", "decline", "settle"), strict=True):
        asked = {"reference": reference, "outcome": outcome, "reason": "No"}
        assert console.post("/settle", json=asked).status_code == 200
    assert [p.status for p in emulator.transactions] == ["successful", "failed", "successful"]
    again = console.post("/settle", json={"reference": sent[0], "outcome": "approve"})
    assert again.status_code == 400
    assert console.post("/settle", json={"reference": "x", "outcome": "approve"}).status_code == 404
    assert console.post("/settle", json={"reference": sent[0], "outcome": "?"}).status_code == 400
    assert console.post("/settle", json={}).status_code == 400


def test_webhooks_clock_and_options_are_set_over_http(
    console: httpx.Client, client: httpx.Client, emulator: Emulator
) -> None:
    assert console.post("/webhooks", json={"mode": "drop"}).status_code == 200
    assert console.get("/state").json()["modes"] == [
        {"mode": "drop", "words": "Do not deliver", "remaining": 1, "seconds": 0}
    ]
    console.delete("/webhooks")
    assert emulator.webhooks.modes == ()
    assert console.post("/options", json={"settle_after": 100}).status_code == 200
    client.post("/charges", json=MOBILE_MONEY)
    console.post("/clock", json={"advance": 99})
    assert emulator.transactions[0].status == "pending"
    console.post("/clock", json={"advance": 1})
    assert emulator.transactions[0].status == "successful"
    assert console.post("/deliveries/1/resend").status_code == 400
    assert console.post("/deliveries/9/resend").status_code == 404
    detail = console.get("/deliveries/1").json()
    assert (detail["event"], detail["attempts"]) == ("payment.success", [])
    for wrong in ({"settle_after": -1}, {"settle_after": True}, {"webhook_url": "javascript:x"}):
        assert console.post("/options", json=wrong).status_code == 400
    assert console.post("/clock", json={"advance": "soon"}).status_code == 400
    assert console.post("/reset").status_code == 200
    assert emulator.transactions == ()


def test_a_body_that_is_none_is_refused(console: httpx.Client) -> None:
    for body in (b"[1]", b"{", b'{"a": 1, "a": 2}', b'"' + b"x" * 1024 * 1024 + b'"'):
        assert console.post("/faults", content=body).status_code == 400
    assert console.get("/nowhere").status_code == 401  # the API asks for a key there


def test_a_body_without_end_is_cut_off(console: httpx.Client, emulator: Emulator) -> None:
    sent = itertools.count()

    def endless() -> Iterator[bytes]:
        while True:
            # What the sockets between hold, and not what there is to come.
            assert next(sent) < 3000
            yield b" " * 65536

    for path in ("/faults", "/reset", "/snapshots"):
        try:
            answer = console.post(path, content=endless())
        except httpx.HTTPError:
            pass  # the server may close while we still write
        else:
            assert answer.status_code == 400
    # Others keep their connection.
    kept = console.post("/options", json={"settle_after": 1})
    assert (kept.status_code, kept.headers.get("connection")) == (200, None)
    assert "connection" not in console.get("/state").headers


@pytest.mark.parametrize(("method", "path", "_"), ACTIONS)
def test_nothing_that_is_sent_is_more_than_refused(
    console: httpx.Client, emulator: Emulator, method: str, path: str, _: object
) -> None:
    where = path.replace("{name:path}", "x").replace("{id}", "\u00b2")
    where = where.replace("{name}", "x").replace("{reference}", "x")
    bodies = [b"null", b"[]", b"\xff", b"[" * 100_000, b'{"a": NaN}', b'{"name": "\\ud800"}']
    fields = ("reference", "outcome", "route", "fault", "mode", "advance", "name", "transactions")
    wrong: tuple[object, ...] = (None, True, -1, 1e308, "", "\x00", "x" * 10_000, [], {})
    bodies += [json.dumps(dict.fromkeys(fields, value)).encode() for value in wrong]
    for body in bodies:
        answer = console.request(method, where, content=body)
        assert answer.status_code in {200, 400, 404}
        assert answer.json()
    assert console.get("/state").status_code == 200
    assert emulator.executed == ()


@pytest.mark.acceptance(46, "emulator-is-local")
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        # A name of the attacker's that leads to loopback.
        {"Host": "evil.example", "Origin": "http://evil.example"},
        {"Host": "evil.example"},
    ],
)
def test_pages_of_other_sites_are_kept_out(
    console: httpx.Client,
    client: httpx.Client,
    served: Served,
    emulator: Emulator,
    headers: dict[str, str],
) -> None:
    client.post("/charges", json=MOBILE_MONEY)
    assert console.post("/reset", headers=headers).status_code == 403
    assert console.get("/state", headers=headers).status_code == 403
    assert console.get("/events", headers=headers).status_code == 403
    (payment,) = emulator.transactions
    decision = f"{served.origin}/generation/authorize/{payment.dgs_reference}/decision"
    refused = httpx.post(
        decision, json={"decision": "approve"}, headers=headers, trust_env=False, timeout=PATIENCE
    )
    assert refused.status_code == 401
    assert payment.status == "pending"


def test_only_an_address_or_localhost_shows_the_console(served: Served) -> None:
    for host, status in (("localhost", 200), ("[::1]:80", 200), ("evil.example", 403)):
        page = httpx.get(served.origin, headers={"Host": host}, trust_env=False, timeout=PATIENCE)
        assert page.status_code == status
    policy = httpx.get(served.origin, trust_env=False, timeout=PATIENCE).headers[
        "content-security-policy"
    ]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_a_link_created_in_the_console_is_a_request_like_any(
    console: httpx.Client, emulator: Emulator
) -> None:
    made = console.post("/links", json=LINK).json()
    assert made["link"]["slug"] == "invoice-123"
    assert console.post("/links", json={**LINK, "amount": 0}).status_code == 400
    assert [logged.operation for logged in emulator.requests] == ["POST /payment-links"] * 2
    assert console.post(f"/links/{made['link']['id']}/archive").status_code == 200
    assert console.post("/links/nowhere/archive").status_code == 400


def test_changes_are_streamed_as_they_happen(console: httpx.Client, client: httpx.Client) -> None:
    with console.stream("GET", "/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.iter_lines()
        assert "event: changed" in list(itertools.islice(lines, 2))
        client.post("/charges", json=MOBILE_MONEY)
        assert "event: changed" in list(itertools.islice(lines, 4))


def test_copied_code_sends_the_same_request(
    console: httpx.Client, client: httpx.Client, emulator: Emulator
) -> None:
    """The snippet is executed: what arrives then is what arrived before."""
    link = client.post("/payment-links", json=LINK).json()["link"]["id"]
    client.patch(f"/payment-links/{link}", json={"title": "Invoice #124"})
    client.get(f"/payment-links/{link}")
    client.post("/charges", json={**MOBILE_MONEY, "scenario_key": "scenario:auth_pin"})
    client.post("/disburse", json={**TO_BANK, "amount": 10_000})
    client.post("/disburse", json=TO_HANDSET)
    client.post("/convert", json=CONVERT)
    client.get("/balance")
    client.get("/banks/RW")
    client.get("/transactions/" + emulator.transactions[0].dgs_reference)
    client.get("/transactions?limit=5&status=success")
    originals = emulator.requests
    names = {
        "Customer": Customer,
        "BankRecipient": BankRecipient,
        "MobileMoneyRecipient": MobileMoneyRecipient,
        "BillingAddress": BillingAddress,
        "datetime": datetime,
    }
    with (
        emulator.http_client() as http,
        DGSPay(transport=HttpxTransport(http), **client_options(emulator)) as dgs,
    ):
        for original in originals:
            code = console.get(f"/requests/{original.id}").json()["code"]
            result = eval(code, {**names, "dgs": dgs})
            if hasattr(result, "first_page"):
                result.first_page()
            again = emulator.requests[-1]
            assert (again.method, again.path, again.body) == (
                original.method,
                original.path,
                original.body,
            ), code


def test_copied_code_never_has_a_card_in_it(
    console: httpx.Client, client: httpx.Client, emulator: Emulator
) -> None:
    body = card_charge(emulator, scenario_key="scenario:auth_pin")
    reference = client.post("/charges", json=body).json()["dgs_reference"]
    pin = pin_authorization(emulator, reference)
    client.post("/authorize", json=pin)
    for number, name in ((1, "dgs.charges.card("), (2, "dgs.charges.authorize_pin(")):
        shown = console.get(f"/requests/{number}")
        code: Any = shown.json()["code"]
        assert code.startswith(name)
        ast.parse(code)
        for secret in (body["card_encrypted_number"], body["card_nonce"]):
            assert secret not in shown.text
        assert pin["auth_pin_encrypted"] not in shown.text
        assert emulator.api_key not in shown.text


def test_a_request_that_is_no_call_has_no_code(console: httpx.Client, client: httpx.Client) -> None:
    client.post("/disburse", json={"amount": 5})
    client.post("/disburse", content=b"{")
    client.get("/nowhere")
    assert [console.get(f"/requests/{n}").json()["code"] for n in (1, 2, 3)] == [None] * 3
    assert console.get("/requests/99").status_code == 404


def test_no_time_is_too_far_away(console: httpx.Client, client: httpx.Client) -> None:
    """The console goes on after the last year that can be written, and so do the clocks."""
    assert console.post("/options", json={"settle_after": 1e18}).status_code == 200
    assert client.post("/charges", json=MOBILE_MONEY).status_code == 200
    assert console.post("/clock", json={"advance": 999_999_999_999}).status_code == 200
    assert console.get("/state").json()["now"] == "9999-12-31 23:59:59"
    assert client.get("/transactions").json()["pagination"]["total"] == 1


def test_the_clock_thread_survives_a_wait_without_end() -> None:
    with (
        Emulator(settle_after=1e18) as emulator,
        emulator.serve(),
        emulator.http_client() as client,
    ):
        client.headers.update(credentials(emulator))
        client.post("/charges", json=MOBILE_MONEY)
        assert 0 < (emulator._engine.seconds_to_next() or 0) <= threading.TIMEOUT_MAX
        emulator._engine.behave(attrs.evolve(emulator._engine.options, settle_after=0.05))
        client.post("/charges", json=MOBILE_MONEY)
        # No one asks: the thread settles it.
        over = time.monotonic() + PATIENCE
        while not emulator.webhooks.deliveries:
            assert time.monotonic() < over
            threading.Event().wait(0.01)


def test_a_search_in_the_console_holds_up_no_charge(
    emulator: Emulator, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.post("/charges", json=MOBILE_MONEY)
    engine = emulator._engine
    came_in: list[bool] = []

    def try_to_come_in() -> None:
        came_in.append(engine.lock.acquire(blocking=False))
        if came_in[-1]:
            engine.lock.release()

    def look_at(*_: object) -> str:
        other = threading.Thread(target=try_to_come_in)
        other.start()
        other.join()
        return ""

    house = House(engine, emulator._dispatcher, engine.account)
    find = lists.looking(lambda _: [1], look_at, look_at)
    assert find(house, lists.ListQuery("anything")).rows == []
    monkeypatch.setattr(lists, "places_in", lambda *_: look_at() or [])
    found = lists.listing("transactions").find(house, lists.ListQuery("anything"))
    assert (list(found.rows), came_in) == ([], [True, True])

"""No secret is ever shown: every failure is made with known ones, and all it leaves is searched.

Searched are messages, reprs, tracebacks with the locals of every frame, exceptions that hang on
others, logs from DEBUG on (of the HTTP libraries too), hooks, OpenTelemetry spans, warnings,
copies and pickles; for the secrets as text, in base64, in hex and percent-encoded.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from dgspay import AsyncDGSPay, DGSPay
from dgspay.api import balances, charges
from tests.support.known_secrets import (
    ACCOUNT,
    API_KEY,
    CARD,
    ENCRYPTED_PIN,
    JANE,
    OTP,
    PAN,
    SECRETS,
    echo_as_text,
    echoing,
    raised,
    settings,
)
from tests.support.raw_server import Connection, RawServer, Script, answering, free_port, http
from tests.support.secret_scanner import SecretScanner
from tests.support.transport_matrix import WAYS, Way


@pytest.mark.parametrize("name", SECRETS)
def test_the_witness_finds_a_secret_in_each_form(name: str) -> None:
    secret = SECRETS[name]
    stored = [
        f"key={secret}",
        repr({"x": secret}),
        secret.encode().hex(),
        base64.b64encode(secret.encode()).decode(),
    ]
    if len(secret) >= 8:
        stored += [base64.b64encode(b"x" * n + secret.encode() + b"yz").decode() for n in range(3)]
    for text in stored:
        scanner = SecretScanner(SECRETS)
        scanner.record("here", text)
        assert f"{name}: here" in scanner.leaks, text
    clean = SecretScanner(SECRETS)
    clean.record("here", "refused at 0x7f01370042 after 2.0137 s, 2026-11-22 18:01:37")
    assert clean.leaks == []


def card_charge(dgs: Any) -> Any:
    return dgs.charges.card(
        amount=5000, customer=JANE, card=CARD, redirect_url="https://shop.example/thanks"
    )


def pin(dgs: Any) -> Any:
    return dgs.charges.authorize_pin("dgs_1", ENCRYPTED_PIN)


def otp(dgs: Any) -> Any:
    return dgs.charges.authorize_otp("dgs_1", OTP)


def read(dgs: Any) -> Any:
    return dgs.balances.list()


Call = Callable[[Any], Any]

CALLS: list[Call] = [card_charge, pin, otp, read]


def reset(connection: Connection) -> None:
    connection.read_request()
    connection.reset()


def stall(connection: Connection) -> None:
    connection.read_request()
    connection.stall()


def echo_in_the_head(connection: Connection) -> None:
    request = connection.read_request()
    assert request is not None
    key = str(request.header("x-dgs-api-key")).encode()
    connection.write(b"HTTP/1.1 200 " + key + b"\r\nbroken " + key + b"\r\n\r\n")


BREAKS: dict[str, Script] = {"reset": reset, "stall": stall, "echo as text": echo_as_text}
"""What each transport meets in its own way."""

ANSWERS: dict[str, Script] = {
    "echo in a refusal": echoing("400 Bad Request"),
    "echo with 200": echoing("200 OK"),
    "echo, cut": echoing("200 OK", cut=2),
    "429": answering(http(b"{}", "429 Too Many Requests", "Retry-After: 900")),
    "99": answering(http({"status": "failed", "error_code": "99"})),
    "93": answering(http({"status": "failed", "error_code": "93"})),
    "redirect": answering(http(b"", "307 Temporary Redirect", "Location: http://127.0.0.1:9/x")),
    "wrong type": answering(http({"status": "success", "dgs_reference": 7, "balances": 3})),
}


def fail(scanner: SecretScanner, url: str, way: Way, call: Callable[[Any], Any]) -> None:
    """Make a call that fails, in a client of its own, and look at all there is."""
    options = settings(scanner, url, way)
    if way.mode == "sync":
        with DGSPay(**options) as dgs:
            raised(scanner, lambda: call(dgs))
            scan_client(scanner, dgs)
        return

    async def main() -> None:
        async with AsyncDGSPay(**options) as dgs:
            try:
                await call(dgs)
            finally:
                scan_client(scanner, dgs)

    raised(scanner, lambda: anyio.run(main, backend=way.mode))


def scan_client(scanner: SecretScanner, dgs: Any) -> None:
    for name in ("settings", "charges", "_runner", "_transport"):
        scanner.record(name, repr(getattr(dgs, name)))
    scanner.record("wire", repr(dgs.settings.request_builder))
    scanner.record("client", repr(dgs) + str(dgs))
    # A printed tree of all it holds, as some crash reporters make: a Secret stays a Secret.
    scanner.record("variables of the client", str(vars(dgs)))
    scanner.scan("settings", dgs.settings)


@pytest.mark.parametrize("server", BREAKS)
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_call_whose_line_breaks_shows_nothing(
    way: Way, server: str, scanner: SecretScanner
) -> None:
    for call in CALLS:
        with RawServer(BREAKS[server]) as running:
            fail(scanner, running.url, way, call)


@pytest.mark.parametrize("server", ANSWERS)
def test_a_call_that_is_refused_shows_nothing(server: str, scanner: SecretScanner) -> None:
    for call in CALLS:
        with RawServer(ANSWERS[server]) as running:
            fail(scanner, running.url, WAYS[0], call)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_key_in_the_head_of_an_answer_is_shown_by_no_log_but_that_of_the_http_library(
    way: Way,
) -> None:
    """At DEBUG, httpcore logs the head of each answer: what a server writes there is its own."""
    scanner = SecretScanner(SECRETS)
    with scanner.capturing(), RawServer(echo_in_the_head) as running:
        fail(scanner, running.url, way, read)
    ours = [leak for leak in scanner.leaks if not re.search(r"(log|record) of httpcore", leak)]
    assert not ours, "\n".join(ours)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_call_that_cannot_leave_shows_nothing(way: Way, scanner: SecretScanner) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    for call in (card_charge, read):
        fail(scanner, url, way, call)
    bad: list[Call] = [
        lambda dgs: dgs.charges.authorize_otp("dgs_1", f"{OTP}!"),
        lambda dgs: dgs.charges.authorize_otp(f"../{'x' * 300}", OTP),
        lambda dgs: dgs.charges.authorize_pin("dgs_1", OTP),
        lambda dgs: dgs.charges.card(amount=-1, customer=JANE, card=CARD, redirect_url="x"),
        lambda dgs: dgs.charges.card(amount=1, customer=JANE, card=PAN, redirect_url="https://x.y"),
    ]
    for wrong in bad:
        fail(scanner, url, way, wrong)


@pytest.mark.parametrize("call", CALLS)
def test_a_prepared_request_shows_nothing(
    call: Callable[[Any], Any], scanner: SecretScanner
) -> None:
    operations: dict[Call, Callable[[], Any]] = {
        card_charge: lambda: charges.card(
            amount=1, currency="RWF", customer=JANE, card=CARD, redirect_url="https://x.example"
        ),
        pin: lambda: charges.authorize_pin("dgs_1", ENCRYPTED_PIN),
        otp: lambda: charges.authorize_otp("dgs_1", OTP),
        read: balances.list,
    }
    operation = operations[call]()
    with DGSPay(api_key=API_KEY, account_number=ACCOUNT) as dgs:
        request = dgs.prepare(operation)
    for name, thing in (("operation", operation), ("request", request)):
        scanner.record(name, repr(thing) + str(thing) + f"{thing}")

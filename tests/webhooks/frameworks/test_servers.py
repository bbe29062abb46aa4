"""Each adapter in its real framework, over a real socket, with real deliveries; rows 42 to 45."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest

from dgspay.emulator import Emulator, VirtualClock
from dgspay.webhooks import (
    Delivery,
    Event,
    PaymentFailed,
    PaymentSucceeded,
    WebhookReceiver,
    sign,
)
from tests.support.framework_servers import FRAMEWORKS, PATH
from tests.support.webhook_samples import PAYMENT_SUCCESS, SECRET, body_of

Serve = Callable[[WebhookReceiver], AbstractContextManager[str]]

CHARGE = {
    "amount": 5000,
    "currency": "RWF",
    "payment_type": "mobile_money",
    "customer_email": "jane.doe@example.com",
    "customer_first_name": "Jane",
    "customer_last_name": "Doe",
    "customer_phone": "789654321",
    "customer_phone_country_code": "250",
    "redirect_url": "https://yourdomain.com/payment-success",
    "mobile_money_network": "MTN",
    "mobile_money_phone": "789654321",
}


@pytest.fixture(params=FRAMEWORKS)
def framework(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    pytest.importorskip("django" if name == "django_async" else name)
    return name


@pytest.fixture
def serve(framework: str) -> Serve:
    return FRAMEWORKS[framework]


@pytest.fixture
def post() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=30) as client:
        yield client


def signed(body: bytes) -> dict[str, str]:
    return {"X-DGS-Signature": sign(body, SECRET), "Content-Type": "application/json"}


def test_a_delivery_is_verified_handled_once_and_answered(
    serve: Serve, post: httpx.Client, sqlite_path: Path
) -> None:
    receiver = WebhookReceiver(secret=SECRET, inbox=sqlite_path)
    seen: list[Event] = []
    receiver.on(PaymentSucceeded)(seen.append)
    # White space that no parser would keep: the signature is of these very bytes.
    body = b" \n" + json.dumps(PAYMENT_SUCCESS, indent=3).encode() + b"\r\n"
    with serve(receiver) as url:
        answers = [post.post(url, content=body, headers=signed(body)) for _ in range(2)]
    assert [(answer.status_code, answer.json()) for answer in answers] == [
        (200, {"status": "received"}),
        (200, {"status": "duplicate"}),
    ]
    assert answers[0].headers["Content-Type"] == "application/json"
    assert [event.dgs_reference for event in seen] == ["dgs_123456789"]


def test_a_handler_is_given_the_token_below_the_receivers_path(
    serve: Serve, post: httpx.Client, sqlite_path: Path
) -> None:
    receiver = WebhookReceiver(secret=SECRET, inbox=sqlite_path)
    seen: list[tuple[str, str | None, str | None]] = []

    @receiver.on(PaymentSucceeded)
    def paid(event: PaymentSucceeded, delivery: Delivery) -> None:
        seen.append((event.dgs_reference, delivery.path, delivery.token))

    bodies = [body_of(PAYMENT_SUCCESS, dgs_reference=name) for name in ("a", "b", "c")]
    with serve(receiver) as url:
        ways = ("/t0ken-of_a", "", "/t0ken-of_c?from=dgspay")
        for way, body in zip(ways, bodies, strict=True):
            assert post.post(url + way, content=body, headers=signed(body)).status_code == 200
    assert seen == [
        ("a", f"{PATH}/t0ken-of_a", "t0ken-of_a"),
        ("b", PATH, None),
        ("c", f"{PATH}/t0ken-of_c", "t0ken-of_c"),
    ]


@pytest.mark.acceptance(40, "bad-signature", 42, "raw-body-only", 45, "foreign-event")
def test_what_is_not_to_be_acted_on_is_refused(
    serve: Serve, post: httpx.Client, sqlite_path: Path
) -> None:
    receiver = WebhookReceiver(secret=SECRET, inbox=sqlite_path, environment="production")
    receiver.on(Event)(lambda _: pytest.fail("it must not be handled"))
    body = body_of(PAYMENT_SUCCESS)
    test_body = body_of(PAYMENT_SUCCESS, environment="test")
    written_again = json.dumps(json.loads(body), separators=(",", ":")).encode()
    with serve(receiver) as url:
        statuses = [
            post.post(url, content=body).status_code,
            post.post(url, content=body, headers={"X-DGS-Signature": "0" * 64}).status_code,
            post.post(
                url, content=body, headers=[(b"X-DGS-Signature", "é".encode() * 32)]
            ).status_code,
            post.post(url, content=written_again, headers=signed(body)).status_code,
            post.post(url, content=test_body, headers=signed(test_body)).status_code,
            post.post(url, content=b"[]", headers=signed(b"[]")).status_code,
            post.post(url, content=b"", headers=signed(b"")).status_code,
            post.get(url).status_code,
        ]
    assert statuses == [401, 401, 401, 401, 403, 422, 422, 405]
    assert not sqlite_path.exists()


@pytest.mark.acceptance(45, "foreign-event")
def test_a_body_of_ten_megabytes_is_refused(
    serve: Serve, post: httpx.Client, framework: str
) -> None:
    receiver = WebhookReceiver(secret=SECRET)
    receiver.on(Event)(lambda _: pytest.fail("it must not be handled"))
    body = b" " * 10_000_000
    with serve(receiver) as url:
        assert post.post(url, content=body, headers=signed(body)).status_code == 413
        if framework != "django":  # whose development server does not know chunked bodies
            chunks = (b" " * 100_000 for _ in range(100))
            assert post.post(url, content=chunks, headers=signed(body)).status_code == 413


@pytest.mark.acceptance(43, "handled-once", 44, "events-in-any-order")
def test_what_the_emulator_delivers_is_handled_once_though_the_shop_fails_first(
    serve: Serve, sqlite_path: Path
) -> None:
    clock = VirtualClock()
    with Emulator(clock=clock, settle_after=None) as emulator, emulator.http_client() as client:
        receiver = WebhookReceiver(
            secret=emulator.webhook_secret, inbox=sqlite_path, environment="emulator"
        )
        seen: list[PaymentSucceeded | PaymentFailed] = []
        outages = [ConnectionError("the shop's database is away")]

        @receiver.on(PaymentSucceeded, PaymentFailed)
        def settled(event: PaymentSucceeded | PaymentFailed) -> None:
            if outages:
                raise outages.pop()
            seen.append(event)

        client.headers["X-DGS-API-Key"] = emulator.api_key
        client.headers["X-DGS-ACCOUNT-NUMBER"] = emulator.account_number
        with serve(receiver) as url:
            paid, declined = (
                client.post("/charges", json={**CHARGE, "callback_url": url}).json()
                for _ in range(2)
            )
            emulator.approve(paid["dgs_reference"])
            emulator.wait_for_deliveries(30)  # or both would be under way at once, in any order
            emulator.decline(declined["dgs_reference"])
            emulator.wait_for_deliveries(30)
            first, second = emulator.webhooks.deliveries
            assert (first.statuses, second.statuses) == ((500,), (200,))
            clock.advance(5)
            emulator.wait_for_deliveries(30)
            assert (first.statuses, second.statuses) == ((500, 200), (200,))
    assert [(type(event), event.dgs_reference) for event in seen] == [
        (PaymentFailed, declined["dgs_reference"]),
        (PaymentSucceeded, paid["dgs_reference"]),
    ]
    assert seen[1].amount == 5000

"""A receiver handles the events of one reference one after another, never two at once."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from dgspay.webhooks import (
    AsyncPostgresInbox,
    AsyncRedisInbox,
    Event,
    PaymentFailed,
    PaymentSucceeded,
    UnknownEvent,
    WebhookReceiver,
    sign,
)
from tests.support.receiving import status
from tests.support.webhook_samples import PAYMENT_FAILED, PAYMENT_SUCCESS, SECRET, body_of

pytestmark = pytest.mark.acceptance(44, "events-in-any-order")


def delivery(fields: dict[str, Any], reference: str, **others: Any) -> tuple[bytes, str]:
    body = body_of({**fields, "dgs_reference": reference, **others})
    return body, sign(body, SECRET)


@pytest.mark.parametrize("inbox", ["memory", "sqlite", "postgres", "redis"], indirect=True)
def test_a_second_event_of_the_reference_is_answered_so_that_it_is_delivered_again(
    inbox: Any, reference: str
) -> None:
    receiver = WebhookReceiver(secret=SECRET, inbox=inbox)
    # Not all events say which environment they are of: they are of one payment all the same.
    success = delivery(PAYMENT_SUCCESS, reference, environment="production")
    unknown = delivery({"event": "payment.disputed"}, reference)
    seen: list[str] = []

    @receiver.on(PaymentFailed)
    def failed(event: PaymentFailed) -> None:
        for body, signature in (success, unknown):
            answer = receiver.receive(body, signature)
            assert status(answer) == (409, "in_progress")
            assert answer.headers["Retry-After"] == "30"
        assert receiver.receive(*delivery(PAYMENT_SUCCESS, f"{reference}0")).status == 200
        seen.append(event.event)

    @receiver.on(PaymentSucceeded, UnknownEvent)
    def other(event: Event) -> None:
        if event.dgs_reference == reference:
            seen.append(event.event)

    assert receiver.receive(*delivery(PAYMENT_FAILED, reference)).status == 200
    assert receiver.receive(*success).status == 200
    assert receiver.receive(*unknown).status == 200
    assert seen == ["payment.failed", "payment.success", "payment.disputed"]


@pytest.mark.parametrize("kind", ["postgres", "redis"])
def test_with_await_it_is_the_same(
    kind: str, reference: str, request: pytest.FixtureRequest
) -> None:
    seen: list[str] = []

    async def scene() -> None:
        url = request.getfixturevalue(f"{kind}_url")
        if kind == "postgres":
            receiver = WebhookReceiver(secret=SECRET, inbox=AsyncPostgresInbox(url))
        else:
            redis = pytest.importorskip("redis.asyncio")
            client = redis.Redis.from_url(url)
            receiver = WebhookReceiver(secret=SECRET, inbox=AsyncRedisInbox(client))
        success = delivery(PAYMENT_SUCCESS, reference)

        @receiver.on(PaymentFailed)
        async def failed(event: PaymentFailed) -> None:
            assert (await receiver.areceive(*success)).status == 409
            seen.append(event.event)

        @receiver.on(PaymentSucceeded)
        async def paid(event: PaymentSucceeded) -> None:
            seen.append(event.event)

        assert (await receiver.areceive(*delivery(PAYMENT_FAILED, reference))).status == 200
        assert (await receiver.areceive(*success)).status == 200
        if kind == "redis":
            await client.aclose()

    anyio.run(scene)
    assert seen == ["payment.failed", "payment.success"]


@pytest.mark.parametrize("inbox", ["memory", "sqlite", "postgres", "redis"], indirect=True)
def test_accounts_with_equal_references_do_not_wait_for_each_other(
    inbox: Any, reference: str
) -> None:
    own, other = (
        WebhookReceiver(secret=SECRET, inbox=inbox, account_number=account)
        for account in ("ACC-1", "ACC-2")
    )
    success = delivery(PAYMENT_SUCCESS, reference)
    seen: list[str] = []
    other.on(PaymentSucceeded)(lambda event: seen.append("theirs"))

    @own.on(PaymentSucceeded)
    def paid(event: PaymentSucceeded) -> None:
        assert other.receive(*success).status == 200
        seen.append("ours")

    assert own.receive(*success).status == 200
    assert seen == ["theirs", "ours"]


def test_a_handler_that_fails_lets_the_next_event_of_its_reference_through(
    tmp_path: Any, reference: str
) -> None:
    receiver = WebhookReceiver(secret=SECRET, inbox=tmp_path / "inbox.sqlite3")
    seen: list[str] = []
    receiver.on(PaymentSucceeded)(lambda event: seen.append(event.event))

    @receiver.on(PaymentFailed)
    def failed(event: PaymentFailed) -> None:
        raise ConnectionError("the shop's database is away")

    assert receiver.receive(*delivery(PAYMENT_FAILED, reference)).status == 500
    assert receiver.receive(*delivery(PAYMENT_SUCCESS, reference)).status == 200
    assert seen == ["payment.success"]

"""Webhooks as a real provider sends them on a bad day, and into this process."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping

import httpx
import pytest

from dgspay.emulator import Emulator, VirtualClock
from dgspay.errors import SignatureError
from dgspay.webhooks import PaymentSucceeded, verify
from tests.emulator.emulator_calls import MOBILE_MONEY, PATIENCE, credentials
from tests.emulator.receivers import Handler, answers, receiving, stalls


def charged(client: httpx.Client, url: str | None = None) -> str:
    body = MOBILE_MONEY if url is None else {**MOBILE_MONEY, "callback_url": url}
    reference: str = client.post("/charges", json=body).json()["dgs_reference"]
    return reference


def references(receiver_received: list[tuple[str, dict[str, str], bytes]]) -> list[str]:
    return [json.loads(body)["dgs_reference"] for _, _, body in receiver_received]


@pytest.mark.acceptance(51, "webhook-redelivery")
def test_a_receiver_that_stalls_delays_no_other(
    client: httpx.Client, emulator: Emulator, clock: VirtualClock
) -> None:
    all_there = threading.Event()

    def tell(handler: Handler) -> None:
        answers(200)(handler)
        if len(handler.server.received) == 5:
            all_there.set()

    with receiving(stalls) as stalled, receiving(*[tell] * 5) as good:
        charged(client, stalled.url)
        for _ in range(5):
            charged(client, good.url)
        clock.advance(2)
        # Long before the one that stalls is given up.
        assert all_there.wait(PATIENCE / 2)
    assert len(stalled.received) == 1


def test_the_next_webhook_comes_late(
    client: httpx.Client, emulator: Emulator, clock: VirtualClock
) -> None:
    emulator.webhooks.delay(30)
    with receiving() as receiver:
        late, punctual = charged(client, receiver.url), charged(client, receiver.url)
        clock.advance(2)
        emulator.wait_for_deliveries()
        assert references(receiver.received) == [punctual]
        clock.advance(30)
        emulator.wait_for_deliveries()
        assert references(receiver.received) == [punctual, late]
    assert emulator.webhooks.deliveries[0].treatment == ("30 s late",)


def test_a_webhook_is_dropped_and_can_be_sent_after_all(
    client: httpx.Client, emulator: Emulator, clock: VirtualClock
) -> None:
    emulator.webhooks.drop()
    with receiving() as receiver:
        lost = charged(client, receiver.url)
        clock.advance(2)
        emulator.wait_for_deliveries()
        assert receiver.received == []
        assert emulator.webhooks.received == ()
        emulator.webhooks.resend(emulator.webhooks.deliveries[0])
        emulator.wait_for_deliveries()
        assert references(receiver.received) == [lost]
    with pytest.raises(LookupError):
        emulator.webhooks.resend(99)


def test_a_webhook_comes_twice(
    client: httpx.Client, emulator: Emulator, clock: VirtualClock
) -> None:
    emulator.webhooks.duplicate()
    with receiving() as receiver:
        charged(client, receiver.url)
        clock.advance(2)
        emulator.wait_for_deliveries()
        first, second = receiver.received
    assert first[2] == second[2]
    assert emulator.webhooks.deliveries[0].statuses == (200, 200)


def test_a_wrong_signature_does_not_verify(
    client: httpx.Client, emulator: Emulator, clock: VirtualClock
) -> None:
    emulator.webhooks.sign_wrongly()
    charged(client), charged(client)
    clock.advance(2)
    wrong, right = emulator.webhooks.deliveries
    with pytest.raises(SignatureError):
        verify(wrong.body, wrong.signature, emulator.webhook_secret)
    verify(right.body, right.signature, emulator.webhook_secret)


def test_webhooks_come_in_reverse_order(
    client: httpx.Client, emulator: Emulator, clock: VirtualClock
) -> None:
    emulator.webhooks.reorder(count=3)
    with receiving() as receiver:
        sent = [charged(client, receiver.url) for _ in range(4)]
        for reference in sent[:2]:
            emulator.approve(reference)
        emulator.wait_for_deliveries()
        assert receiver.received == []
        emulator.approve(sent[2])
        emulator.wait_for_deliveries()
        assert references(receiver.received) == [sent[2], sent[1], sent[0]]


@pytest.mark.parametrize(
    "wish",
    [
        {"mode": "burn"},
        {"mode": "drop", "times": 0},
        {"mode": "reorder", "times": 1},
        {"mode": "delay", "seconds": -1},
        {"mode": "drop", "colour": "red"},
        {},
    ],
)
def test_a_mode_that_is_wrong_is_refused(emulator: Emulator, wish: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        emulator._dispatcher.delivery_modes.plan(wish)


@pytest.mark.acceptance(51, "webhook-redelivery")
@pytest.mark.parametrize(
    ("printed", "is_doubtful"),
    [
        (b"Traceback (most recent call last):\n  KeyError", True),
        (b"<br />\n<b>Fatal error</b>: Uncaught PDOException", True),
        (b'{"error": "no such order"}', True),
        (b'{"error": null, "status": "received"}', False),
        (b'{"status": "received"}', False),
        (b"", False),
    ],
)
def test_a_2xx_that_prints_an_error_is_doubted(
    client: httpx.Client,
    emulator: Emulator,
    clock: VirtualClock,
    printed: bytes,
    *,
    is_doubtful: bool,
) -> None:
    def behave(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(printed)))
        handler.end_headers()
        handler.wfile.write(printed)

    with receiving(behave) as receiver:
        charged(client, receiver.url)
        clock.advance(2)
        emulator.wait_for_deliveries()
    (attempt,) = emulator.webhooks.deliveries[0].attempts
    assert attempt.answer == printed.decode()
    assert (attempt.warning is not None) == is_doubtful


# --- into this process --------------------------------------------------------------------


def test_a_shop_in_this_process_gets_typed_events_before_approve_returns(
    client: httpx.Client, emulator: Emulator
) -> None:
    paid: list[str] = []

    def shop(body: bytes, headers: Mapping[str, str]) -> None:
        event = verify(body, headers["X-DGS-Signature"], emulator.webhook_secret)
        assert isinstance(event, PaymentSucceeded)
        # A shop asks back in its handler: nothing is locked meanwhile.
        client.get(f"/transactions/{event.dgs_reference}")
        paid.append(event.dgs_reference)

    emulator.webhooks.deliver_to(shop)
    reference = charged(client)
    emulator.approve(reference)
    assert paid == [reference]
    (event,) = emulator.webhooks.received
    assert event.dgs_reference == reference


def test_a_shop_that_fails_is_asked_again_when_the_clock_gets_there(
    client: httpx.Client, emulator: Emulator, clock: VirtualClock
) -> None:
    statuses: list[int | None] = [500, 409, None]
    emulator.webhooks.deliver_to(lambda body, headers: statuses.pop(0))
    emulator.approve(charged(client))
    (delivery,) = emulator.webhooks.deliveries
    assert list(delivery.statuses) == [500]
    assert not emulator.webhooks.received
    clock.advance(5)
    assert list(delivery.statuses) == [500, 409]
    clock.advance(30)
    assert list(delivery.statuses) == [500, 409, 200]
    assert len(emulator.webhooks.received) == 1


@pytest.mark.acceptance(51, "webhook-redelivery")
def test_one_stretch_of_time_holds_the_whole_schedule(
    client: httpx.Client, emulator: Emulator, clock: VirtualClock
) -> None:
    """Each thing at its own moment, and what follows from it too."""
    emulator.webhooks.deliver_to(lambda body, headers: 500)
    began = clock.time()
    reference = charged(client)
    clock.advance(10_000)
    (delivery,) = emulator.webhooks.deliveries
    assert json.loads(delivery.body)["timestamp"] == "2026-04-03T10:00:02Z"
    assert [attempt.at - began for attempt in delivery.attempts] == [2, 7, 37, 157, 757, 4357]
    assert delivery.next_at is None
    assert clock.time() == began + 10_000
    assert emulator.transactions[0].dgs_reference == reference
    assert emulator.transactions[0].settled_at == began + 2


@pytest.mark.acceptance(51, "webhook-redelivery")
def test_so_it_does_over_a_socket(
    client: httpx.Client, emulator: Emulator, clock: VirtualClock
) -> None:
    with receiving(*[answers(500)] * 5) as receiver:
        charged(client, receiver.url)
        clock.advance(10_000)
        emulator.wait_for_deliveries()
    assert list(emulator.webhooks.deliveries[0].statuses) == [500] * 5 + [200]


def test_a_shop_that_raises_has_answered_500(
    client: httpx.Client, emulator: Emulator, clock: VirtualClock
) -> None:
    def shop(body: bytes, headers: Mapping[str, str]) -> None:
        raise KeyError("order")

    emulator.webhooks.deliver_to(shop)
    emulator.approve(charged(client))
    (attempt,) = emulator.webhooks.deliveries[0].attempts
    assert (attempt.status, attempt.error) == (500, "KeyError")


def test_each_merchant_signs_with_its_own_secret(clock: VirtualClock) -> None:
    with Emulator(clock=clock, merchants=["shop-2"]) as emulator:
        second = emulator.merchant("shop-2")
        assert second.webhook_secret != emulator.webhook_secret
        with emulator.http_client() as client:
            client.headers.update(
                {
                    "X-DGS-API-Key": second.api_key,
                    "X-DGS-ACCOUNT-NUMBER": second.account_number,
                }
            )
            reference = charged(client)
            emulator.approve(reference)
            client.headers.update({"X-DGS-ACCOUNT-NUMBER": emulator.account_number})
            assert client.get("/balance").status_code == 401
            client.headers.update(credentials(emulator))
            assert client.get(f"/transactions/{reference}").status_code == 404
        (delivery,) = emulator.webhooks.deliveries
        verify(delivery.body, delivery.signature, second.webhook_secret)
        assert (len(second.transactions), len(emulator.transactions)) == (1, 0)
        assert second.balance("RWF") == emulator.balance("RWF") + 1940
        with pytest.raises(LookupError):
            emulator.merchant("shop-3")
    for names in (["shop-2", "shop-2"], ["Shop 2"], ["default"]):
        with pytest.raises(ValueError, match="name"):
            Emulator(merchants=names)

"""Webhooks: signed payloads to real receivers, retried until one says 2xx."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable

import httpx
import pytest

from dgspay.emulator import Emulator, VirtualClock
from dgspay.emulator.webhooks import dispatcher
from dgspay.webhooks import PaymentSucceeded, sign, verify
from tests.emulator.emulator_calls import (
    MOBILE_MONEY,
    PATIENCE,
    TO_BANK,
    card_charge,
    credentials,
)
from tests.emulator.receivers import (
    Behaviour,
    Handler,
    answers,
    drips_its_head,
    receiving,
    resets,
    stalls,
)


def wait_for(condition: Callable[[], object]) -> None:
    """Look until it is so; the time is generous, because the machine may be busy."""
    over = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < over
        threading.Event().wait(0.01)


def called_back(client: httpx.Client, url: str) -> str:
    body = {**MOBILE_MONEY, "callback_url": url}
    reference: str = client.post("/charges", json=body).json()["dgs_reference"]
    return reference


def test_payment_events_are_the_guides(
    client: httpx.Client, emulator: Emulator, clock: VirtualClock
) -> None:
    first, second = (
        client.post("/charges", json={**MOBILE_MONEY, "amount": 5000}).json()["dgs_reference"]
        for _ in range(2)
    )
    clock.advance(1)
    emulator.decline(second)
    clock.advance(1)
    failed, succeeded = (json.loads(delivery.body) for delivery in emulator.webhooks.deliveries)
    assert succeeded == {
        "event": "payment.success",
        "dgs_reference": first,
        "flw_charge_id": emulator.transactions[0].flw_reference,
        "amount": 5000,
        "currency": "RWF",
        "merchant_fee": 150,
        "net_amount": 4850,
        "status": "success",
        "timestamp": "2026-04-03T10:00:02Z",
        "environment": "test",
    }
    assert failed == {
        "event": "payment.failed",
        "dgs_reference": second,
        "flw_charge_id": emulator.transactions[1].flw_reference,
        "amount": 5000,
        "currency": "RWF",
        "merchant_fee": 0,
        "net_amount": 0,
        "status": "failed",
        "timestamp": "2026-04-03T10:00:01Z",
        "environment": "test",
    }


def test_without_a_url_events_are_signed_and_only_recorded(
    client: httpx.Client, emulator: Emulator
) -> None:
    client.post("/charges", json=card_charge(emulator))
    (delivery,) = emulator.webhooks.deliveries
    assert (delivery.url, delivery.statuses, delivery.delivered) == (None, (), False)
    assert delivery.signature == sign(delivery.body, emulator.webhook_secret)
    assert not [t for t in threading.enumerate() if t.name.startswith("dgspay-emulator")]


def test_a_delivery_verifies_at_its_receiver(
    client: httpx.Client, emulator: Emulator, clock: VirtualClock
) -> None:
    with receiving() as receiver:
        reference = called_back(client, receiver.url)
        clock.advance(2)
        emulator.wait_for_deliveries()
    ((path, headers, body),) = receiver.received
    event = verify(body, headers["X-DGS-Signature"], emulator.webhook_secret, environment="test")
    assert isinstance(event, PaymentSucceeded)
    assert (path, event.dgs_reference) == ("/hook", reference)
    assert headers["Content-Type"] == "application/json"
    (delivery,) = emulator.webhooks.deliveries
    assert (delivery.event, delivery.reference) == ("payment.success", reference)
    assert (delivery.body, delivery.statuses, delivery.delivered) == (body, (200,), True)


def test_the_callback_url_goes_before_the_webhook_url(clock: VirtualClock) -> None:
    with (
        receiving() as general,
        receiving() as special,
        Emulator(clock=clock, webhook_url=general.url) as emulator,
        emulator.http_client() as client,
    ):
        client.headers.update(credentials(emulator))
        client.post("/disburse", json=TO_BANK)
        client.post("/disburse", json={**TO_BANK, "callback_url": special.url})
        clock.advance(2)
        emulator.wait_for_deliveries()
        assert [d.url for d in emulator.webhooks.deliveries] == [general.url, special.url]
        assert (len(general.received), len(special.received)) == (1, 1)


@pytest.mark.acceptance(51, "webhook-redelivery")
@pytest.mark.parametrize(
    ("behaviour", "outcome"),
    [
        (answers(500), (500, None)),
        (answers(302, Location="http://127.0.0.1:1/elsewhere"), (302, None)),
        (answers(404), (404, None)),
        (resets, (None, "ReadError")),
        (stalls, (None, "ReadTimeout")),
    ],
)
def test_anything_but_2xx_is_delivered_again_on_a_schedule(
    client: httpx.Client,
    emulator: Emulator,
    clock: VirtualClock,
    *,
    behaviour: Behaviour,
    outcome: tuple[int | None, str | None],
) -> None:
    with receiving(behaviour) as receiver:
        if behaviour is stalls:
            emulator._dispatcher.timeout = 0.3
        called_back(client, receiver.url)
        clock.advance(2)
        emulator.wait_for_deliveries()
        emulator._dispatcher.timeout = 60.0
        (delivery,) = emulator.webhooks.deliveries
        assert [(a.status, a.error) for a in delivery.attempts] == [outcome]
        clock.advance(4.9)
        emulator.wait_for_deliveries()
        assert len(delivery.attempts) == 1
        clock.advance(0.1)
        emulator.wait_for_deliveries()
        assert delivery.statuses == (outcome[0], 200)
        clock.advance(10**6)
        emulator.wait_for_deliveries()
        assert len(delivery.attempts) == 2
    bodies = {body for _, _, body in receiver.received}
    assert len(bodies) == 1


@pytest.mark.acceptance(51, "webhook-redelivery")
def test_a_receiver_that_never_says_yes_is_given_up(
    client: httpx.Client, emulator: Emulator, clock: VirtualClock
) -> None:
    tries = len(dispatcher.RETRY_DELAYS) + 1
    with receiving(*[answers(503)] * 20) as receiver:
        called_back(client, receiver.url)
        clock.advance(2)
        emulator.wait_for_deliveries()
        for delay in dispatcher.RETRY_DELAYS:
            clock.advance(delay)
            emulator.wait_for_deliveries()
        clock.advance(10**6)
        emulator.wait_for_deliveries()
        assert len(receiver.received) == tries
    assert emulator.webhooks.deliveries[0].statuses == (503,) * tries


def test_a_receiver_that_is_not_there(
    client: httpx.Client, emulator: Emulator, clock: VirtualClock
) -> None:
    with receiving() as receiver:
        url = receiver.url
    called_back(client, url)
    clock.advance(2)
    emulator.wait_for_deliveries()
    assert [a.error for a in emulator.webhooks.deliveries[0].attempts] == ["ConnectError"]


def test_nothing_leaves_before_the_answer(emulator: Emulator) -> None:
    """The engine hands a call's webhooks out only when its driver comes back."""
    from dgspay.emulator.http import Request, Response
    from dgspay.models.json_codec import dump_json

    headers = {name.lower(): value for name, value in credentials(emulator).items()}
    body = dump_json(card_charge(emulator))
    exchange = emulator._engine.exchange(
        Request("POST", "/generation/v2/charges", "", headers, body)
    )
    answer = next(exchange)
    assert isinstance(answer, Response)
    assert emulator.transactions[0].status == "successful"
    emulator.settle()
    assert len(emulator.webhooks.deliveries) == 0
    exchange.close()
    assert [delivery.event for delivery in emulator.webhooks.deliveries] == ["payment.success"]


def test_webhooks_leave_on_time_without_a_request() -> None:
    with (
        receiving() as receiver,
        Emulator(settle_after=0.01) as emulator,
        emulator.serve() as served,
        httpx.Client(trust_env=False, headers=credentials(emulator), timeout=PATIENCE) as client,
    ):
        arrived = threading.Event()

        def answer_and_tell(handler: Handler) -> None:
            answers(200)(handler)
            arrived.set()

        receiver.behaviours.append(answer_and_tell)
        client.post(f"{served.url}/charges", json={**MOBILE_MONEY, "callback_url": receiver.url})
        assert arrived.wait(PATIENCE)


def test_reset_forgets_deliveries_and_what_was_still_to_come(
    client: httpx.Client, emulator: Emulator, clock: VirtualClock
) -> None:
    with receiving(answers(500)) as receiver:
        called_back(client, receiver.url)
        clock.advance(2)
        emulator.wait_for_deliveries()
        emulator.reset()
        assert (emulator.webhooks.deliveries, emulator.transactions, emulator.requests) == (
            (),
            (),
            (),
        )
        clock.advance(10**6)
        emulator.wait_for_deliveries()
    assert len(receiver.received) == 1


@pytest.mark.parametrize("url", ["example.com/hook", "javascript:x", "http://"])
def test_a_webhook_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="webhook_url"):
        Emulator(webhook_url=url)


@pytest.mark.acceptance(51, "webhook-redelivery")
def test_a_receiver_that_stalls_holds_up_no_other() -> None:
    """The stalled one is not given up before the other has its webhook."""
    with (
        Emulator(settle_after=None) as emulator,
        emulator.http_client() as client,
        receiving(*[stalls] * 40) as stalled,
        receiving() as sound,
    ):
        client.headers.update(credentials(emulator))
        for _ in range(40):
            called_back(client, stalled.url)
        emulator.settle()
        reference = called_back(client, sound.url)
        emulator.approve(reference)
        wait_for(lambda: sound.received)
        assert len(stalled.received) < dispatcher.MAX_WORKERS
        stalled.released.set()


@pytest.mark.acceptance(51, "webhook-redelivery")
def test_many_receivers_that_stall_hold_up_no_other() -> None:
    """They could hold every worker for as long as they have webhooks to come."""
    with (
        Emulator(settle_after=None, webhook_timeout=0.2) as emulator,
        emulator.http_client() as client,
        receiving(*[stalls] * 400) as first,
        receiving(*[stalls] * 400) as second,
        receiving(*[stalls] * 400) as third,
        receiving() as sound,
    ):
        client.headers.update(credentials(emulator))
        # Each is given up once, the third too, though the first two have all workers at first.
        for receiver in (first, second, third) * 40:
            called_back(client, receiver.url)
        emulator.settle()
        wait_for(lambda: len(emulator._dispatcher._waiting._silent) == 3)
        emulator._dispatcher.timeout = 60.0
        # From here on whom they hold they do not give back.
        for _ in range(20):
            emulator.approve(called_back(client, sound.url))
        wait_for(lambda: len(sound.received) == 20)
        assert emulator._dispatcher._waiting
        workers = [t for t in threading.enumerate() if t.name == "dgspay-emulator-webhooks"]
        assert len(workers) <= dispatcher.MAX_WORKERS


@pytest.mark.acceptance(51, "webhook-redelivery")
def test_a_receiver_whose_headers_never_end_is_left(
    client: httpx.Client, emulator: Emulator
) -> None:
    emulator._dispatcher.timeout = 0.3
    with receiving(drips_its_head) as receiver:
        emulator.approve(called_back(client, receiver.url))
        wait_for(lambda: emulator.webhooks.deliveries[0].attempts)
        (attempt,) = emulator.webhooks.deliveries[0].attempts
        assert (attempt.status, attempt.error) == (None, "ReadTimeout")
        assert emulator.webhooks.deliveries[0].next_at is not None

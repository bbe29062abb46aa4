"""The steps of one delivery, in their order, through both drivers; row 43."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from dgspay.webhooks import Delivery, WebhookResponse
from dgspay.webhooks.delivery_flow import (
    Accepted,
    ClaimEvent,
    Handle,
    Handler,
    MarkDone,
    Release,
    Step,
    handle_once,
)
from dgspay.webhooks.events import read_event
from dgspay.webhooks.inbox import Claim, Refusal
from dgspay.webhooks.receiver import _drive, _drive_async
from tests.support.receiving import BODY, status

pytestmark = pytest.mark.acceptance(43, "handled-once")

KEY = "[ACC-1/production]payment.success:dgs_123456789"
GROUP = "<ACC-1>dgs_123456789"
CLAIM = Claim(KEY, "a token", GROUP)
EVENT = read_event(BODY)
DELIVERY = Delivery.of("/webhooks/a", "a")


def handler(*, takes_connection: bool = False) -> Handler:
    return Handler(print, is_async=False, takes_connection=takes_connection)


class Performed:
    """Records each step, and succeeds or fails as set for its kind."""

    def __init__(self, **outcomes: Any) -> None:
        self.outcomes = {"ClaimEvent": CLAIM} | outcomes
        self.steps: list[Step] = []

    def __call__(self, step: Step) -> Any:
        self.steps.append(step)
        assert len(self.steps) < 10, "it goes round in a circle"
        outcome = self.outcomes.get(type(step).__name__)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    async def later(self, step: Step) -> Any:
        await asyncio.sleep(0)
        return self(step)


def blocking(accepted: Accepted, performed: Performed) -> WebhookResponse:
    return _drive(handle_once(accepted), performed)


def awaited(accepted: Accepted, performed: Performed) -> WebhookResponse:
    return asyncio.run(_drive_async(handle_once(accepted), performed.later))


@pytest.fixture(params=[blocking, awaited])
def drive(request: pytest.FixtureRequest) -> Callable[[Accepted, Performed], WebhookResponse]:
    driver: Callable[[Accepted, Performed], WebhookResponse] = request.param
    return driver


def test_an_event_is_claimed_handled_and_marked_done(drive: Any) -> None:
    performed, shop = Performed(), handler()
    assert status(drive(Accepted(shop, EVENT, KEY, GROUP, DELIVERY), performed)) == (
        200,
        "received",
    )
    assert performed.steps == [
        ClaimEvent(KEY, GROUP),
        Handle(shop, EVENT, CLAIM, DELIVERY),
        MarkDone(CLAIM),
    ]


def test_a_transaction_has_marked_it_done_already(drive: Any) -> None:
    performed, shop = Performed(), handler(takes_connection=True)
    assert status(drive(Accepted(shop, EVENT, KEY, GROUP, DELIVERY), performed)) == (
        200,
        "received",
    )
    assert performed.steps == [ClaimEvent(KEY, GROUP), Handle(shop, EVENT, CLAIM, DELIVERY)]


@pytest.mark.parametrize(
    ("refusal", "answered"),
    [(Refusal.DONE, (200, "duplicate")), (Refusal.BUSY, (409, "in_progress"))],
)
def test_an_event_that_is_not_given_out_is_not_handled(
    drive: Any, refusal: Refusal, answered: tuple[int, str]
) -> None:
    performed = Performed(ClaimEvent=refusal)
    assert status(drive(Accepted(handler(), EVENT, KEY, GROUP, DELIVERY), performed)) == answered
    assert performed.steps == [ClaimEvent(KEY, GROUP)]


def test_an_event_whose_handler_failed_is_given_back(drive: Any) -> None:
    performed, shop = Performed(Handle=ValueError("the shop is down")), handler()
    assert status(drive(Accepted(shop, EVENT, KEY, GROUP, DELIVERY), performed)) == (500, "failed")
    assert performed.steps == [
        ClaimEvent(KEY, GROUP),
        Handle(shop, EVENT, CLAIM, DELIVERY),
        Release(CLAIM),
    ]


def test_an_interruption_gives_the_event_back_and_goes_on_its_way(drive: Any) -> None:
    performed, shop = Performed(Handle=KeyboardInterrupt()), handler()
    with pytest.raises(KeyboardInterrupt):
        drive(Accepted(shop, EVENT, KEY, GROUP, DELIVERY), performed)
    assert performed.steps == [
        ClaimEvent(KEY, GROUP),
        Handle(shop, EVENT, CLAIM, DELIVERY),
        Release(CLAIM),
    ]

"""A receiver with its inbox in memory, and the ways to give it a delivery."""

from __future__ import annotations

import json
from typing import Any

import anyio

from dgspay.webhooks import Event, MemoryInbox, WebhookReceiver, WebhookResponse
from dgspay.webhooks.inbox import Claim, Refusal
from tests.support.webhook_samples import PAYMENT_SUCCESS, SECRET, body_of

BODY = body_of(PAYMENT_SUCCESS)


def memory_receiver(**options: Any) -> WebhookReceiver:
    return WebhookReceiver(**{"secret": SECRET, "inbox": MemoryInbox(), **options})


class AsyncMemoryInbox:
    """The inbox in memory, for a driver with `await`."""

    def __init__(self) -> None:
        self._inbox = MemoryInbox()

    async def claim(self, key: str, *, lease: float) -> Claim | Refusal:
        return self._inbox.claim(key, lease=lease)

    async def done(self, claim: Claim) -> None:
        self._inbox.done(claim)

    async def release(self, claim: Claim) -> None:
        self._inbox.release(claim)


def delivered_sync(
    receiver: WebhookReceiver, body: bytes, signature: str | None
) -> WebhookResponse:
    return receiver.receive(body, signature)


def delivered_on(
    backend: str, receiver: WebhookReceiver, body: bytes, signature: str | None
) -> WebhookResponse:
    return anyio.run(receiver.areceive, body, signature, backend=backend)


def no_events() -> list[Event]:
    return []


def status(answer: WebhookResponse) -> tuple[int, str]:
    return answer.status, json.loads(answer.body)["status"]

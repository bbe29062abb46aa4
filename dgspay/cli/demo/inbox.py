"""Inbox of the demo: the webhooks that its receiver has verified."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from typing import TypeVar

from dgspay import webhooks
from dgspay.cli.webhook_server import Arrived, Received

EventT = TypeVar("EventT", bound=webhooks.KnownEvent)

_SECONDS = 10.0


class DemoError(Exception):
    """The demo did not come out as it must: a fault of dgspay's own."""


class Inbox:
    """Webhooks in the order of their arrival.

    Attributes:
        url: Where their receiver listens.
    """

    def __init__(self) -> None:
        self.url = ""
        self._queue: SimpleQueue[Arrived] = SimpleQueue()

    def accept(self, received: Received) -> int:
        """Keep a webhook and return 200; runs in the receiver's threads."""
        if isinstance(received, Arrived):
            self._queue.put(received)
        return 200

    def wait_for(self, kind: type[EventT], *names: str) -> EventT:
        """Wait for the next event about one of these references, or to one of these paths.

        Raises:
            DemoError: none came within 10 seconds.
        """
        while True:
            try:
                arrived = self._queue.get(timeout=_SECONDS)
            except Empty:
                raise DemoError(f"no {kind.__name__} came within {_SECONDS:g} seconds") from None
            event = arrived.event
            if isinstance(event, kind) and {arrived.path, event.dgs_reference}.intersection(names):
                return event

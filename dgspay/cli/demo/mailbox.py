"""The webhooks the demo has received, and waiting for the next of them."""

from __future__ import annotations

import threading
from typing import TypeVar

from dgspay import webhooks
from dgspay.cli.webhook_server import Arrived, Received
from dgspay.forks import new_rlock

_PATIENCE = 10.0

EventT = TypeVar("EventT", bound=webhooks.KnownEvent)


class WebhookMissingError(Exception):
    """A webhook the story needs did not come in time."""


class Mailbox:
    """Keeps what the receiver verified; each webhook is handed out once."""

    def __init__(self) -> None:
        self._arrived: list[Arrived] = []
        self._changed = threading.Condition(new_rlock())

    def accept(self, received: Received) -> int:
        """Keep a webhook and say 200; runs in the receiver's threads."""
        if isinstance(received, Arrived):
            with self._changed:
                self._arrived.append(received)
                self._changed.notify_all()
        return 200

    def wait_for(
        self, kind: type[EventT], *, reference: str | None = None, path: str | None = None
    ) -> EventT:
        """Wait for an event of a kind, by its reference or by the path it was posted to.

        Raises:
            WebhookMissingError: it did not come within 10 seconds.
        """
        found: list[EventT] = []

        def look() -> bool:
            for arrived in self._arrived:
                event = arrived.event
                wanted = reference is None or event.dgs_reference == reference
                if isinstance(event, kind) and wanted and path in (None, arrived.path):
                    found.append(event)
                    self._arrived.remove(arrived)
                    return True
            return False

        with self._changed:
            if not self._changed.wait_for(look, _PATIENCE):
                raise WebhookMissingError(f"no {kind.__name__} came within {_PATIENCE:g} seconds")
        return found[0]

"""Listening for webhooks in a terminal: the part that the two `listen` commands share."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import contextmanager

from dgspay.cli.exit_codes import fail
from dgspay.cli.signals import wait_until
from dgspay.cli.streams import OutputLostError
from dgspay.cli.terminal import console, visible
from dgspay.cli.webhook_server import Arrived, Received, Refused, receive
from dgspay.forks import new_lock
from dgspay.secret import Secret


class Listener(ABC):
    """Answers webhooks and prints them, one at a time though requests come in threads."""

    def __init__(self) -> None:
        self.printing = new_lock()

    def answer(self, received: Received) -> int:
        """Act on a request and return the HTTP status to answer with."""
        if isinstance(received, Refused):
            self.show_refusal(received.status, received.reason)
            return received.status
        return self.take(received)

    @abstractmethod
    def take(self, arrived: Arrived) -> int:
        """Act on a verified event and return the HTTP status to answer with."""

    def show_refusal(self, status: int, reason: str) -> None:
        """Print on stderr that a request was rejected, and why."""
        with self.printing:
            console(stderr=True).print(f"Rejected with {status}: {visible(reason)}", soft_wrap=True)


@contextmanager
def listening(listener: Listener, secret: Secret, *, host: str, port: int) -> Generator[str]:
    """Receive webhooks until the block is left, and end the command where that is impossible.

    Yields the URL that webhooks are to be sent to.
    """
    try:
        with receive(listener.answer, secret, host=host, port=port) as url:
            yield url
    except OutputLostError:
        raise
    except OSError as error:
        reason = error.strerror
    else:
        return
    fail(f"Cannot listen on {host}, port {port}: {reason}. Try --port 0.")


def wait_at(url: str, stopped: threading.Event) -> None:
    """Print where the command listens, and wait for the signal to stop."""
    console(stderr=True).print(f"Listening on {url}  (Ctrl-C stops it)")
    wait_until(stopped)

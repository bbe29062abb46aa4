"""How far a request has come, as the network layer of httpx reports each of its steps."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any


class Progress:
    """The steps of one request. What reports none of them counts as having sent it.

    Attributes:
        reports_all: Whether no byte can leave without a report.
        is_connecting: Whether a connection is being made for it.
        may_have_left: Whether a byte of the request may be out.
        pool_wait: Seconds it waited for a free connection, or None where that is not known.
    """

    def __init__(self) -> None:
        self.reports_all = True
        self.is_connecting = False
        self.may_have_left = False
        self.pool_wait: float | None = None
        self._waits_since: float | None = None

    @property
    def is_unsent(self) -> bool:
        """Whether no byte of the request can be out, whatever fails now."""
        return self.reports_all and self.is_connecting and not self.may_have_left

    def begin_wait(self) -> None:
        """Note that it waits for a free connection from now on."""
        self._waits_since = time.monotonic()

    def end_wait(self) -> None:
        """Note that it has its connection, or will get none."""
        if self._waits_since is not None:
            self.pool_wait = time.monotonic() - self._waits_since
            self._waits_since = None

    @contextmanager
    def connecting(self) -> Iterator[None]:
        """Note that a connection is made, which its first request will open."""
        self.is_connecting = True
        yield
        self.is_connecting = False

    def note(self, event: str, details: Mapping[str, Any]) -> None:
        """Note a step, the first of which is taken on the connection that was waited for."""
        self.end_wait()
        if event.endswith((".connect_tcp.started", ".connect_unix_socket.started")):
            self.is_connecting = True
        elif event.endswith(".send_request_headers.started") and not _is_for_a_tunnel(details):
            self.may_have_left = True

    async def note_async(self, event: str, details: Mapping[str, Any]) -> None:
        """Note a step of an asynchronous connection."""
        self.note(event, details)


def _is_for_a_tunnel(details: Mapping[str, Any]) -> bool:
    """Whether it is a proxy that is asked, and nothing of ours has left."""
    request = details.get("request")
    return request is not None and request.method == b"CONNECT"

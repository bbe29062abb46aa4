"""How far a request has come, as the network layer of httpx reports each of its steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any


class Progress:
    """The steps of one request. What reports none of them counts as having sent it.

    Attributes:
        reports_all: Whether no byte can leave without a report.
        is_connecting: Whether a connection is being made for it.
        may_have_left: Whether a byte of the request may be out.
    """

    def __init__(self) -> None:
        self.reports_all = True
        self.is_connecting = False
        self.may_have_left = False

    @property
    def is_unsent(self) -> bool:
        """Whether no byte of the request can be out, whatever fails now."""
        return self.reports_all and self.is_connecting and not self.may_have_left

    @contextmanager
    def connecting(self) -> Iterator[None]:
        """Note that a connection is made, which its first request will open."""
        self.is_connecting = True
        yield
        self.is_connecting = False

    def note(self, event: str, details: Mapping[str, Any]) -> None:
        """Note a step."""
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

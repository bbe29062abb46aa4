"""An endpoint that a monitor collects metrics from, as the routes of web frameworks see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import attrs


@attrs.frozen
class MetricsResponse:
    """An answer to a monitor, for any framework.

    Attributes:
        status: The HTTP status.
        body: The metrics.
        headers: The headers to send.
    """

    status: int
    body: bytes
    headers: Mapping[str, str]


class Endpoint(Protocol):
    """Answers a monitor, such as `dgspay.metrics.prometheus.MetricsEndpoint`."""

    def respond(self, authorization: str | None) -> MetricsResponse:
        """Answer a request by its `Authorization` header. It blocks, in any thread."""
        ...

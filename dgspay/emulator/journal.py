"""The requests that arrived, with every secret masked, for tests and for the curious."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Mapping
from typing import Any

import attrs

from dgspay.emulator.exchange import Request
from dgspay.secret import masked, masked_text

_KEPT_REQUESTS = 1000


@attrs.define
class Arrival:
    """A request as it arrived, masked.

    Attributes:
        id: Its number, counted from 1.
        method: The HTTP method.
        path: The path, still percent-encoded.
        query: The query string.
        headers: Names in lower case; credentials masked.
        body: The parsed JSON, card fields masked; None when there was none or it was not JSON.
        operation: The route it matched, such as `POST /charges`, or None.
        at: Seconds since 1970, by the emulator's clock.
        status: The HTTP status it was answered with; None while it is in flight or dropped.
        fault: What went wrong with it on purpose, in words, or None.
        answer: The bytes it was answered with.
        account_number: Whose it is; None where no one was let in.
    """

    id: int
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Any
    operation: str | None
    at: float
    status: int | None = None
    fault: str | None = None
    answer: bytes = attrs.field(default=b"", repr=False)
    account_number: str | None = None


class Journal:
    """The latest requests, oldest first; older ones are let go."""

    def __init__(self) -> None:
        self.arrivals: deque[Arrival] = deque(maxlen=_KEPT_REQUESTS)
        self._numbers = itertools.count(1)

    def open(self, request: Request, body: Any, operation: str | None, at: float) -> Arrival:
        """Write down a request before anything is done about it."""
        arrival = Arrival(
            next(self._numbers),
            request.method,
            masked_text(request.path),
            masked_text(request.query),
            masked(dict(request.headers)),
            masked(body),
            operation,
            at,
        )
        self.arrivals.append(arrival)
        return arrival

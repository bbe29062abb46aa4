"""Log of the requests that arrived, with every secret masked."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from dgspay.emulator.http import Request
from dgspay.forks import new_lock
from dgspay.secret import masked_data

_KEPT_REQUESTS = 1000
# Of bodies and answers together, so that a program that lists a long history fills no memory.
_KEPT_BYTES = 32 * 1024 * 1024


@attrs.define
class LoggedRequest:
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
    size: int = attrs.field(default=0, repr=False)
    """Bytes of its body and answer together."""


class RequestLog:
    """The latest requests, oldest first; older ones are dropped. Threads may share it."""

    def __init__(self) -> None:
        self._entries: deque[LoggedRequest] = deque()
        self._numbers = itertools.count(1)
        self._bytes = 0
        self._lock = new_lock()

    @property
    def entries(self) -> Sequence[LoggedRequest]:
        """The requests that are kept."""
        with self._lock:
            return tuple(self._entries)

    def open(self, request: Request, body: Any, operation: str | None, at: float) -> LoggedRequest:
        """Record a request before anything is done about it."""
        path, query = masked_data(request.path), masked_data(request.query)
        headers, body = masked_data(dict(request.headers)), masked_data(body)
        with self._lock:
            number = next(self._numbers)
            logged = LoggedRequest(
                number, request.method, path, query, headers, body, operation, at
            )
            self._entries.append(logged)
            self._weigh(logged, len(request.body))
        return logged

    def answered(self, logged: LoggedRequest, status: int, answer: bytes) -> None:
        """Record the answer to a request."""
        with self._lock:
            logged.status, logged.answer = status, answer
            # It may have been dropped while it was in flight.
            if logged.id >= self._entries[0].id:
                self._weigh(logged, len(answer))

    def _weigh(self, logged: LoggedRequest, size: int) -> None:
        """Count some bytes more, and drop the oldest; the latest always stays."""
        logged.size += size
        self._bytes += size
        entries = self._entries
        while len(entries) > _KEPT_REQUESTS or (self._bytes > _KEPT_BYTES and len(entries) > 1):
            self._bytes -= entries.popleft().size

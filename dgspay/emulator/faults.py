"""Faults on purpose: what goes wrong for the next requests to a route."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping

import attrs

from dgspay.emulator.exchange import JSON_HEADERS, Answer, Drop, RefusedError


class Fault:
    """Something that goes wrong with one request. A new fault overrides one of the two."""

    def instead(self) -> Answer | Drop | None:
        """Return what happens in place of the work; None lets the work be done."""
        return None

    def afterwards(self, answer: Answer) -> Answer | Drop:
        """Return what becomes of the answer once the work was done."""
        return answer


class AnswerLost(Fault):
    """The work is done, and the connection closes before the answer."""

    def afterwards(self, answer: Answer) -> Answer | Drop:
        """Drop the connection."""
        return Drop()


class RequestLost(Fault):
    """The connection closes and nothing was done."""

    def instead(self) -> Answer | Drop | None:
        """Drop the connection."""
        return Drop()


@attrs.frozen
class AnsweredInstead(Fault):
    """A made-up answer comes and nothing was done."""

    answer: Answer

    def instead(self) -> Answer | Drop | None:
        """Return the made-up answer."""
        return self.answer


class Faults:
    """The faults that wait for their route. Per route they strike in the order they were set.

    A route is named as in the guide: `"POST /disburse"`, `"GET /transactions/{id}"`.
    """

    def __init__(self, operations: Collection[str]) -> None:
        self._operations = operations
        self._waiting: dict[str, list[Fault]] = {}
        self._lock = threading.Lock()

    def lose_answer(self, route: str, *, times: int = 1) -> None:
        """Do the work of the next requests, then close the connection without an answer."""
        self.add(route, AnswerLost(), times=times)

    def lose_request(self, route: str, *, times: int = 1) -> None:
        """Close the connection of the next requests without doing their work."""
        self.add(route, RequestLost(), times=times)

    def fail_next(self, route: str, *, error_code: str = "99", times: int = 1) -> None:
        """Answer the next requests with an error code of the guide, without doing the work."""
        refusal = RefusedError(error_code, "a fault was asked for")
        self.add(route, AnsweredInstead(refusal.answer()), times=times)

    def answer_next(
        self,
        route: str,
        *,
        status: int = 200,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        times: int = 1,
    ) -> None:
        """Answer the next requests with exactly this, without doing the work."""
        lines = JSON_HEADERS if headers is None else tuple(headers.items())
        self.add(route, AnsweredInstead(Answer(status, body, lines)), times=times)

    def add(self, route: str, fault: Fault, *, times: int = 1) -> None:
        """Have a fault strike the next requests to a route.

        Raises:
            ValueError: for a route the API does not have, or `times` below 1.
        """
        if route not in self._operations:
            raise ValueError(f"{route!r} is no route; one of: {', '.join(self._operations)}")
        if times < 1:
            raise ValueError("times must be at least 1")
        with self._lock:
            self._waiting.setdefault(route, []).extend([fault] * times)

    def take(self, route: str | None) -> Fault | None:
        """Take the fault that is next for a route."""
        if route is None or not self._waiting:
            return None
        with self._lock:
            waiting = self._waiting.get(route)
            if not waiting:
                return None
            fault = waiting.pop(0)
            if not waiting:
                del self._waiting[route]
            return fault

    def clear(self) -> None:
        """Let everything work again."""
        with self._lock:
            self._waiting.clear()

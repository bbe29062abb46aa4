"""Plan of the faults to inject: which one applies to the next requests to a route."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypedDict, Unpack

import attrs

from dgspay.emulator.domain.identifiers import Identifiers
from dgspay.emulator.faults.kinds import (
    AnsweredInstead,
    AnswerLost,
    BadGateway,
    CutOff,
    Dripped,
    Fault,
    HungUp,
    Redirected,
    Refused,
    RepeatedRows,
    RequestLost,
    SentOnTwice,
    Slow,
    TooMany,
    Truncated,
    fault_from,
)
from dgspay.emulator.http import JSON_HEADERS, Response
from dgspay.forks import new_lock

ANY_ROUTE = "*"


class When(TypedDict, total=False):
    """Frequency of a fault.

    Attributes:
        times: How many requests; one when not given, and without a limit when a probability is.
        probability: Probability, from 0 to 1, that it applies to a request.
    """

    times: int | None
    probability: float | None


@attrs.define(eq=False)
class PlannedFault:
    """A fault that waits for its route.

    Attributes:
        id: Its number, for `cancel`.
        route: The route, or `*` for every route.
        fault: What happens.
        remaining: Number of requests it still applies to; None for any number.
        probability: Probability, from 0 to 1, that it applies to a request; None for certain.
    """

    id: int
    route: str
    fault: Fault
    remaining: int | None
    probability: float | None

    @property
    def words(self) -> str:
        """Description for people."""
        return self.fault.words


class Faults:
    """Faults that wait for their route. Per route they apply in the order they were added.

    A route is named as in the guide: `"POST /disburse"`, `"GET /transactions/{id}"`; `"*"` is
    every route. A fault applies to the next request, the next `times` requests, or with
    `probability` to each request by chance until it is cancelled.
    """

    def __init__(self, operations: Collection[str], *, seed: int | str | None = None) -> None:
        self.operations = operations
        self._standing: list[PlannedFault] = []
        self._numbers = itertools.count(1)
        self._seed = seed
        self._dice = Identifiers(seed)
        self._lock = new_lock()

    # --- sentences ----------------------------------------------------------------------

    def lose_answer(self, route: str, **when: Unpack[When]) -> None:
        """Do the work of the next requests, then close the connection without an answer."""
        self.add(route, AnswerLost(), **when)

    def lose_request(self, route: str, **when: Unpack[When]) -> None:
        """Read the next requests, then close the connection without doing their work."""
        self.add(route, RequestLost(), **when)

    def send_on_twice(self, route: str, **when: Unpack[When]) -> None:
        """Do the work of the next requests, and answer as to the same request sent once more.

        A balancer that lost an answer does that: the client gets 93 for a key of its own that
        nothing else has ever used, and its payment was made.
        """
        self.add(route, SentOnTwice(), **when)

    def hang_up(self, route: str, **when: Unpack[When]) -> None:
        """Close the connection of the next requests before their bodies are read."""
        self.add(route, HungUp(), **when)

    def delay(self, route: str, seconds: float, **when: Unpack[When]) -> None:
        """Do the work of the next requests, and answer so many real seconds later."""
        self.add(route, Slow(seconds), **when)

    def drip(self, route: str, *, seconds_per_byte: float = 1.0, **when: Unpack[When]) -> None:
        """Do the work of the next requests, and answer byte by byte, with real pauses."""
        self.add(route, Dripped(seconds_per_byte), **when)

    def cut_answer(self, route: str, **when: Unpack[When]) -> None:
        """Do the work of the next requests, and close the connection half-way in the answer."""
        self.add(route, CutOff(), **when)

    def truncate(self, route: str, **when: Unpack[When]) -> None:
        """Do the work of the next requests, and answer with JSON that ends half-way."""
        self.add(route, Truncated(), **when)

    def bad_gateway(self, route: str, *, after_work: bool = False, **when: Unpack[When]) -> None:
        """Answer the next requests with a 502 in HTML, as a proxy does."""
        self.add(route, BadGateway(after_work), **when)

    def too_many(self, route: str, *, retry_after: float | str = 1, **when: Unpack[When]) -> None:
        """Answer the next requests with 429 and `Retry-After`, without doing the work."""
        self.add(route, TooMany(str(retry_after)), **when)

    def redirect(
        self,
        route: str,
        location: str,
        *,
        status: int = 307,
        **when: Unpack[When],
    ) -> None:
        """Send the next requests elsewhere, without doing the work."""
        self.add(route, Redirected(location, status), **when)

    def repeat_rows(self, route: str, **when: Unpack[When]) -> None:
        """Begin the next pages with the last row of the page before, as a shifting list does."""
        self.add(route, RepeatedRows(), **when)

    def fail_next(self, route: str, *, error_code: str = "99", **when: Unpack[When]) -> None:
        """Answer the next requests with an error code of the guide, without doing the work."""
        self.add(route, Refused(error_code), **when)

    def answer_next(
        self,
        route: str,
        *,
        status: int = 200,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        **when: Unpack[When],
    ) -> None:
        """Answer the next requests with exactly this, without doing the work."""
        lines = JSON_HEADERS if headers is None else tuple(headers.items())
        fault = AnsweredInstead(
            Response(status, body, lines), f"a made-up answer {status}, nothing done"
        )
        self.add(route, fault, **when)

    # --- as values ----------------------------------------------------------------------

    def add(
        self,
        route: str,
        fault: Fault,
        *,
        times: int | None = None,
        probability: float | None = None,
    ) -> PlannedFault:
        """Apply a fault to the next requests to a route.

        Args:
            route: Such as `POST /disburse`, or `*`.
            fault: What happens.
            times: Number of requests; one when not given, and without a limit when a
                probability is.
            probability: Probability, above 0 and at most 1, that it applies to a request.

        Raises:
            ValueError: for a route the API does not have, `times` below 1, or a probability
                that is not above 0 and at most 1.
        """
        if route != ANY_ROUTE and route not in self.operations:
            raise ValueError(f"{route!r} is no route; one of: {', '.join(self.operations)}")
        if times is not None and times < 1:
            raise ValueError("times must be at least 1")
        if probability is not None and not 0 < probability <= 1:
            raise ValueError("probability must be above 0 and at most 1")
        if times is None and probability is None:
            times = 1
        with self._lock:
            standing = PlannedFault(next(self._numbers), route, fault, times, probability)
            self._standing.append(standing)
        return standing

    def plan(self, entry: Mapping[str, Any]) -> PlannedFault:
        """Add a fault that comes as plain values, from a file or over HTTP.

        Args:
            entry: `route`, `fault` (such as `lose_answer`), `times`, `probability`, and what
                that fault needs besides, such as `seconds`.

        Raises:
            ValueError: when one of them is missing, wrong or not known.
        """
        entry = dict(entry)
        route, kind = entry.pop("route", None), entry.pop("fault", None)
        times, probability = entry.pop("times", None), entry.pop("probability", None)
        # What comes from outside is wrong by its value, whatever its type.
        if not all(isinstance(word, str) for word in (route, kind)):
            raise ValueError("a fault needs a route and a fault, both text")
        if not (times is None or (isinstance(times, int) and not isinstance(times, bool))):
            raise ValueError("times must be a whole number")
        chance = None if probability is None else _chance(probability)
        return self.add(route, fault_from(kind, entry), times=times, probability=chance)

    @property
    def standing(self) -> Sequence[PlannedFault]:
        """Faults still to come, in order."""
        return tuple(self._standing)

    def take(self, route: str | None, *, early: bool = False) -> Fault | None:
        """Return the planned fault for a request to a route, and count it.

        Args:
            route: The route, or None for a request to none.
            early: Whether the body has yet to be read: only a fault that does not read it
                is taken then.
        """
        if route is None or not self._standing:
            return None
        with self._lock:
            for standing in self._standing:
                if standing.route not in (route, ANY_ROUTE):
                    continue
                if standing.fault.is_early != early:
                    if early and standing.probability is None:
                        return None
                    continue
                if standing.probability is None or self._dice.chance() < standing.probability:
                    return self._strike(standing)
        return None

    def _strike(self, standing: PlannedFault) -> Fault:
        if standing.remaining is not None:
            standing.remaining -= 1
            if standing.remaining == 0:
                self._standing.remove(standing)
        return standing.fault

    def cancel(self, number: int) -> None:
        """Remove one fault.

        Raises:
            LookupError: when no fault with this number waits.
        """
        with self._lock:
            for standing in self._standing:
                if standing.id == number:
                    self._standing.remove(standing)
                    return
        raise LookupError(f"no fault with the number {number}")

    def clear(self) -> None:
        """Remove every fault."""
        with self._lock:
            self._standing.clear()

    def begin_again(self) -> None:
        """Remove every fault, and start the random numbers again."""
        self.recall((), 0)

    def recall(self, standing: Iterable[PlannedFault], thrown: int) -> None:
        """Restore the faults and the random numbers of an earlier moment."""
        with self._lock:
            self._standing = list(standing)
            self._numbers = itertools.count(1 + max((s.id for s in self._standing), default=0))
            self._dice = Identifiers(self._seed, thrown)

    @property
    def thrown(self) -> int:
        """Count of the random numbers drawn."""
        return self._dice.drawn


def _chance(probability: object) -> float:
    try:
        return float(str(probability))
    except ValueError:
        raise ValueError("probability must be a number") from None

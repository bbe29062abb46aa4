"""The kinds of fault: what goes wrong with one request, and how it is asked for by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final

import attrs

from dgspay.emulator.api.fields import is_web_url
from dgspay.emulator.http import (
    JSON_HEADERS,
    Cut,
    Drop,
    Effect,
    RefusedError,
    Response,
    Trickle,
    Wait,
)
from dgspay.models.json_codec import dump_json, parse_json

_HTML = (("content-type", "text/html"),)


class Fault:
    """Something that goes wrong with one request. A kind overrides one of the two methods."""

    words: str = "nothing goes wrong"
    is_early = False
    """Whether it strikes before the body of the request is read."""
    is_doubled = False
    """Whether the request arrives a second time while it is being worked on."""

    def instead(self) -> Response | Drop | None:
        """Return what happens in place of the work; None lets the work be done."""
        return None

    def afterwards(self, answer: Response) -> tuple[Effect, ...]:
        """Return what becomes of the answer once the work was done."""
        return (answer,)


@attrs.frozen
class AnswerLost(Fault):
    """The work is done, and the connection closes before the answer."""

    words = "the work is done, the answer is lost"

    def afterwards(self, answer: Response) -> tuple[Effect, ...]:
        """Drop the connection."""
        return (Drop(),)


@attrs.frozen
class RequestLost(Fault):
    """The connection closes and nothing was done."""

    words = "the connection closes, nothing done"

    def instead(self) -> Response | Drop | None:
        """Drop the connection."""
        return Drop()


@attrs.frozen
class HungUp(RequestLost):
    """The connection closes before the body of the request is read."""

    words = "the connection closes before the body is read"
    is_early = True


@attrs.frozen
class AnsweredInstead(Fault):
    """A made-up answer comes and nothing was done."""

    answer: Response
    words: str = "a made-up answer, nothing done"

    def instead(self) -> Response | Drop | None:
        """Return the made-up answer."""
        return self.answer


@attrs.frozen
class SentOnTwice(Fault):
    """A balancer that lost the first answer sends the request on again, and passes the second on.

    The work is done by then and its key is still in use, so that the answer is 93. Without a key
    the work is done twice.
    """

    words = "the request is sent on twice, the second answer comes"
    is_doubled = True


@attrs.frozen
class Slow(Fault):
    """The work is done and the answer takes its time."""

    seconds: float
    words: str = attrs.field(
        init=False,
        default=attrs.Factory(
            lambda self: f"the answer comes {self.seconds:g} s late", takes_self=True
        ),
    )

    def afterwards(self, answer: Response) -> tuple[Effect, ...]:
        """Wait first."""
        return (Wait(self.seconds), answer)


@attrs.frozen
class Dripped(Fault):
    """The work is done and the answer comes byte by byte."""

    seconds_per_byte: float
    words = "the answer comes drop by drop"

    def afterwards(self, answer: Response) -> tuple[Effect, ...]:
        """Let the answer trickle."""
        return (Trickle(answer, self.seconds_per_byte),)


@attrs.frozen
class CutOff(Fault):
    """The work is done and the connection closes half-way in the answer."""

    words = "the connection closes half-way in the answer"

    def afterwards(self, answer: Response) -> tuple[Effect, ...]:
        """Send half of what was promised."""
        return (Cut(answer, len(answer.body) // 2),)


@attrs.frozen
class Truncated(Fault):
    """The work is done and the JSON of the answer ends half-way."""

    words = "the JSON of the answer ends half-way"

    def afterwards(self, answer: Response) -> tuple[Effect, ...]:
        """Keep half of the body."""
        return (attrs.evolve(answer, body=answer.body[: len(answer.body) // 2]),)


@attrs.frozen
class BadGateway(Fault):
    """A proxy in front answers for the service."""

    after_work: bool = False
    words = "a 502 in HTML, as a proxy sends it"

    def instead(self) -> Response | Drop | None:
        """Answer without the work, unless it is to be done."""
        return None if self.after_work else self._answer()

    def afterwards(self, answer: Response) -> tuple[Effect, ...]:
        """Answer in place of the service, which has done its work."""
        return (self._answer(),)

    def _answer(self) -> Response:
        return Response(
            HTTPStatus.BAD_GATEWAY, b"<html><h1>502 Bad Gateway</h1><hr>nginx</html>", _HTML
        )


@attrs.define(eq=False)
class RepeatedRows(Fault):
    """A row inserted at the head shifts the pages: each begins with the last row before it."""

    words = "pages repeat the last row of the page before"
    _last: Any = attrs.field(default=None, init=False, repr=False)

    def afterwards(self, answer: Response) -> tuple[Effect, ...]:
        """Put the row remembered from the page before in front."""
        page = parse_json(answer.body)
        rows = page.get("data") if isinstance(page, dict) else None
        if not isinstance(rows, list) or not rows:
            return (answer,)
        repeated = [] if self._last is None else [self._last]
        self._last = rows[-1]
        return (attrs.evolve(answer, body=dump_json({**page, "data": [*repeated, *rows]})),)


def _too_many(retry_after: object = "1") -> Fault:
    retry_after = _word("retry_after", retry_after)
    refusal = RefusedError("99", "too many requests").answer()
    headers = (*JSON_HEADERS, ("retry-after", retry_after))
    answer = Response(HTTPStatus.TOO_MANY_REQUESTS, refusal.body, headers)
    return AnsweredInstead(answer, f"429, Retry-After {retry_after}, nothing done")


def _redirect(location: object, status: int = 307) -> Fault:
    location = _word("location", location)
    if not is_web_url(location) or status not in (301, 302, 303, 307, 308):
        raise ValueError("a redirect needs an absolute location and status 301, 302, 303, 307, 308")
    answer = Response(int(status), b"", (("location", location),))
    return AnsweredInstead(answer, f"a redirect {status}, nothing done")


def _fail(error_code: object = "99") -> Fault:
    error_code = _word("error_code", error_code)
    refusal = RefusedError(error_code, "a fault was asked for")
    return AnsweredInstead(refusal.answer(), f"error {error_code}, nothing done")


def _slow(seconds: float = 5.0) -> Fault:
    return Slow(_pause(seconds))


def _drip(seconds_per_byte: float = 1.0) -> Fault:
    return Dripped(_pause(seconds_per_byte))


def _bad_gateway(*, after_work: object = False) -> Fault:
    if not isinstance(after_work, bool):
        raise ValueError("after_work must be true or false")  # noqa: TRY004 - said over HTTP
    return BadGateway(after_work)


def _word(name: str, value: object) -> str:
    """Read what stands in an answer; a file may have a number for it, as in `retry_after = 5`."""
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    word = str(value)
    if not (is_number or isinstance(value, str)) or not word.isascii() or not word.isprintable():
        raise ValueError(f"{name} must be printable ASCII text")
    return word


def _pause(seconds: object) -> float:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        seconds = _number(seconds)
    if not 0 <= seconds < float("inf"):
        raise ValueError("seconds must be 0 or more")
    return float(seconds)


def _number(text: object) -> float:
    try:
        return float(str(text))
    except ValueError:
        raise ValueError("seconds must be a number") from None


# How each kind is called in a file, over HTTP and in the console.
KINDS: Final[Mapping[str, tuple[str, Callable[..., Fault]]]] = {
    "lose_answer": ("Lose the answer after the work", AnswerLost),
    "lose_request": ("Close the connection, do nothing", RequestLost),
    "send_on_twice": ("Send the request on twice (93)", SentOnTwice),
    "hang_up": ("Close before the body is read", HungUp),
    "delay": ("Answer late", _slow),
    "drip": ("Answer drop by drop", _drip),
    "cut_answer": ("Close half-way in the answer", CutOff),
    "truncate": ("Answer with half the JSON", Truncated),
    "bad_gateway": ("502 with HTML", _bad_gateway),
    "too_many": ("429 with Retry-After", _too_many),
    "redirect": ("Redirect elsewhere", _redirect),
    "repeat_rows": ("Repeat rows while paging", RepeatedRows),
    "fail_next": ("Answer with an error code", _fail),
}


def fault_from(kind: str, settings: Mapping[str, Any]) -> Fault:
    """Make a fault from its name and its settings.

    Raises:
        ValueError: for a name or a setting that is not known, or one that is wrong.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no fault; one of: {', '.join(KINDS)}")
    try:
        return KINDS[kind][1](**settings)
    except TypeError:
        raise ValueError(f"{kind} does not take: {', '.join(settings) or 'nothing'}") from None

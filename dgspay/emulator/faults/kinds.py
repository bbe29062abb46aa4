"""Kinds of fault: what goes wrong with one request, and the name that selects it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final, NamedTuple, TypeVar

import attrs

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
from dgspay.models.validators import is_web_url

_HTML = (("content-type", "text/html"),)
_NO_REDIRECT = "a redirect needs an absolute location and status 301, 302, 303, 307, 308"

FaultT = TypeVar("FaultT", bound="Fault")


# --- settings, from a file or a program ------------------------------------------------------


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


def _retry_after(value: object) -> str:
    return _word("retry_after", value)


def _error_code(value: object) -> str:
    return _word("error_code", value)


def _location(value: object) -> str:
    location = _word("location", value)
    if not is_web_url(location):
        raise ValueError(_NO_REDIRECT)
    return location


def _redirect_status(value: object) -> int:
    if value not in (301, 302, 303, 307, 308):
        raise ValueError(_NO_REDIRECT)
    return int(str(value))


def _yes_or_no(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("after_work must be true or false")  # noqa: TRY004 - said over HTTP
    return value


# --- the kinds -------------------------------------------------------------------------------


class Kind(NamedTuple):
    """A kind of fault: its label in the console, and its class."""

    label: str
    make: Callable[..., Fault]


KINDS: Final[dict[str, Kind]] = {}
"""Every kind by its name in a file, over HTTP and in the console."""


def kind(name: str, label: str) -> Callable[[type[FaultT]], type[FaultT]]:
    """Register a class of faults under a name."""

    def register(cls: type[FaultT]) -> type[FaultT]:
        KINDS[name] = Kind(label, cls)
        return cls

    return register


class Fault:
    """Something that goes wrong with one request. A kind overrides one of the two methods.

    A new kind is one class with `@kind`, whose fields are its settings.
    """

    words: str = "nothing goes wrong"
    """The sentence the console shows for it."""
    is_early = False
    """Whether it applies before the body of the request is read."""
    is_doubled = False
    """Whether the request arrives a second time while it is being worked on."""

    def instead(self) -> Response | Drop | None:
        """Return what happens in place of the work; None lets the work be done."""
        return None

    def afterwards(self, answer: Response) -> tuple[Effect, ...]:
        """Return what becomes of the answer once the work was done."""
        return (answer,)


@kind("lose_answer", "Lose the answer after the work")
@attrs.frozen
class AnswerLost(Fault):
    """The work is done, and the connection closes before the answer."""

    words = "the work is done, the answer is lost"

    def afterwards(self, answer: Response) -> tuple[Effect, ...]:
        """Drop the connection."""
        return (Drop(),)


@kind("lose_request", "Close the connection, do nothing")
@attrs.frozen
class RequestLost(Fault):
    """The connection closes and nothing was done."""

    words = "the connection closes, nothing done"

    def instead(self) -> Response | Drop | None:
        """Drop the connection."""
        return Drop()


@kind("hang_up", "Close before the body is read")
@attrs.frozen
class HungUp(RequestLost):
    """The connection closes before the body of the request is read."""

    words = "the connection closes before the body is read"
    is_early = True


@attrs.frozen
class AnsweredInstead(Fault):
    """A made-up answer is sent and nothing was done."""

    answer: Response
    words: str = "a made-up answer, nothing done"

    def instead(self) -> Response | Drop | None:
        """Return the made-up answer."""
        return self.answer


@kind("send_on_twice", "Send the request on twice (93)")
@attrs.frozen
class SentOnTwice(Fault):
    """A balancer that lost the first answer sends the request on again, and passes the second on.

    The work is done by then and its key is still in use, so that the answer is 93. Without a key
    the work is done twice.
    """

    words = "the request is sent on twice, the second answer comes"
    is_doubled = True


@kind("delay", "Answer late")
@attrs.frozen
class Slow(Fault):
    """The work is done and the answer is late."""

    seconds: float = attrs.field(default=5.0, converter=_pause)
    words: str = attrs.field(
        init=False,
        default=attrs.Factory(
            lambda self: f"the answer comes {self.seconds:g} s late", takes_self=True
        ),
    )

    def afterwards(self, answer: Response) -> tuple[Effect, ...]:
        """Wait first."""
        return (Wait(self.seconds), answer)


@kind("drip", "Answer drop by drop")
@attrs.frozen
class Dripped(Fault):
    """The work is done and the answer comes byte by byte."""

    seconds_per_byte: float = attrs.field(default=1.0, converter=_pause)
    words = "the answer comes drop by drop"

    def afterwards(self, answer: Response) -> tuple[Effect, ...]:
        """Send the answer byte by byte."""
        return (Trickle(answer, self.seconds_per_byte),)


@kind("cut_answer", "Close half-way in the answer")
@attrs.frozen
class CutOff(Fault):
    """The work is done and the connection closes half-way in the answer."""

    words = "the connection closes half-way in the answer"

    def afterwards(self, answer: Response) -> tuple[Effect, ...]:
        """Send half of what was promised."""
        return (Cut(answer, len(answer.body) // 2),)


@kind("truncate", "Answer with half the JSON")
@attrs.frozen
class Truncated(Fault):
    """The work is done and the JSON of the answer ends half-way."""

    words = "the JSON of the answer ends half-way"

    def afterwards(self, answer: Response) -> tuple[Effect, ...]:
        """Keep half of the body."""
        return (attrs.evolve(answer, body=answer.body[: len(answer.body) // 2]),)


@kind("bad_gateway", "502 with HTML")
@attrs.frozen
class BadGateway(Fault):
    """A proxy in front answers for the service."""

    after_work: bool = attrs.field(default=False, converter=_yes_or_no)
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


@kind("repeat_rows", "Repeat rows while paging")
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


@kind("too_many", "429 with Retry-After")
@attrs.frozen
class TooMany(Fault):
    """The rate limit answers, and nothing was done."""

    retry_after: str = attrs.field(default="1", converter=_retry_after)
    words: str = attrs.field(
        init=False,
        default=attrs.Factory(
            lambda self: f"429, Retry-After {self.retry_after}, nothing done", takes_self=True
        ),
    )

    def instead(self) -> Response | Drop | None:
        """Return the rate limit's answer."""
        refusal = RefusedError("99", "too many requests").answer()
        headers = (*JSON_HEADERS, ("retry-after", self.retry_after))
        return Response(HTTPStatus.TOO_MANY_REQUESTS, refusal.body, headers)


@kind("redirect", "Redirect elsewhere")
@attrs.frozen
class Redirected(Fault):
    """The request is sent elsewhere, and nothing was done."""

    location: str = attrs.field(converter=_location)
    status: int = attrs.field(default=307, converter=_redirect_status)
    words: str = attrs.field(
        init=False,
        default=attrs.Factory(
            lambda self: f"a redirect {self.status}, nothing done", takes_self=True
        ),
    )

    def instead(self) -> Response | Drop | None:
        """Return the redirect."""
        return Response(self.status, b"", (("location", self.location),))


@kind("fail_next", "Answer with an error code")
@attrs.frozen
class Refused(Fault):
    """The API answers with an error code, and nothing was done."""

    error_code: str = attrs.field(default="99", converter=_error_code)
    words: str = attrs.field(
        init=False,
        default=attrs.Factory(
            lambda self: f"error {self.error_code}, nothing done", takes_self=True
        ),
    )

    def instead(self) -> Response | Drop | None:
        """Return the error."""
        return RefusedError(self.error_code, "a fault was injected").answer()


def fault_from(name: str, settings: Mapping[str, Any]) -> Fault:
    """Make a fault from its name and its settings.

    Raises:
        ValueError: for a name or a setting that is not known, or one that is wrong.
    """
    if name not in KINDS:
        raise ValueError(f"{name!r} is no fault; one of: {', '.join(KINDS)}")
    try:
        return KINDS[name].make(**settings)
    except TypeError:
        raise ValueError(f"{name} does not take: {', '.join(settings) or 'nothing'}") from None

"""Messages between the core and a transport: requests, responses, failures and effects."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import NamedTuple, NoReturn, Protocol, TypeVar

import attrs

from dgspay.errors import ConfigError, DecodeError, DGSPayError
from dgspay.models.json_codec import parse_json
from dgspay.secret import SECRET_FIELDS, Secret, masked, take_name

T = TypeVar("T")

_DAY = 86_400.0


class RequestHeaders(dict[str, str | Secret]):
    """The headers of a request. The values of those that are secret are each a Secret."""


def _with_sealed_key(headers: Mapping[str, str | Secret]) -> RequestHeaders:
    return RequestHeaders(
        {
            name: Secret(value) if name.lower() in SECRET_FIELDS and type(value) is str else value
            for name, value in headers.items()
        }
    )


class Request:
    """A request exactly as it is sent, with its secrets sealed. It is never changed.

    Attributes:
        method: HTTP method.
        url: Absolute URL.
        headers: Its headers; the API key is a Secret.
    """

    __slots__ = ("_body", "headers", "method", "url")

    method: str
    url: str
    headers: Mapping[str, str | Secret]

    def __init__(
        self, method: str, url: str, headers: Mapping[str, str | Secret], body: bytes | None
    ) -> None:
        self.method = method
        self.url = url
        self.headers = headers if type(headers) is RequestHeaders else _with_sealed_key(headers)
        _set_request_body(self, body)

    def reveal_headers(self) -> dict[str, str]:
        """Return the headers as they are sent. A transport does so as it sends, and keeps none."""
        return {
            name: value.reveal() if type(value) is Secret else str(value)
            for name, value in self.headers.items()
        }

    def reveal_body(self) -> bytes | None:
        """Return the body as it is sent, any field of which may be secret."""
        return _request_body(self)  # type: ignore[no-any-return]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Request):
            return NotImplemented
        return (
            (self.method, self.url) == (other.method, other.url)
            and self.headers == other.headers
            and self.reveal_body() == other.reveal_body()
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        headers = {name: str(value) for name, value in self.headers.items()}
        return f"Request({self.method} {self.url} headers={headers} body={self._shown_body()})"

    def _shown_body(self) -> str:
        body = self.reveal_body()
        if body is None:
            return "None"
        try:
            return str(masked(parse_json(body)))
        except DecodeError:
            return f"<{len(body)} bytes>"

    def __reduce__(self) -> NoReturn:
        msg = "a Request holds the API key and cannot be pickled"
        raise TypeError(msg)


_set_request_body, _request_body = take_name(Request, "_body")


class Response:
    """A server's response, sealed: it may echo secrets of the request. It is never changed.

    Args:
        status: HTTP status.
        headers: Its headers, names in lower case.
        body: The body's bytes.

    Attributes:
        pool_wait: Seconds the request waited for a free connection, where the transport sets it.
    """

    __slots__ = ("_body", "_headers", "pool_wait", "status")

    status: int
    pool_wait: float | None

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.pool_wait = None
        _set_headers(self, headers)
        _set_body(self, body)

    def reveal_headers(self) -> Mapping[str, str]:
        """Return the headers as they came."""
        return _headers_of(self)  # type: ignore[no-any-return]

    def reveal_body(self) -> bytes:
        """Return the body as it came."""
        return _body_of(self)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"Response({self.status}, {len(self.reveal_body())} bytes)"

    def __reduce__(self) -> NoReturn:
        msg = "a Response may hold secrets and cannot be pickled"
        raise TypeError(msg)


_set_headers, _headers_of = take_name(Response, "_headers")
_set_body, _body_of = take_name(Response, "_body")


def _check_seconds(_: object, attribute: attrs.Attribute[float], value: object) -> None:
    # The comparison rejects NaN as well.
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ConfigError(
            f"Timeout: {attribute.name} must be a number of seconds above 0, not {value!r}"
        )


@attrs.frozen(kw_only=True)
class Timeout:
    """Time limits for each part of an attempt, in seconds.

    Attributes:
        connect: To open the connection, TLS included.
        write: For one write of the request to be taken.
        read: Without a byte of the answer. A provider may take up to 28 s.
        pool: To get a connection from the pool.
        total: For the whole attempt. The client sets it from its deadline.
    """

    connect: float = attrs.field(default=5.0, validator=_check_seconds)
    write: float = attrs.field(default=10.0, validator=_check_seconds)
    read: float = attrs.field(default=40.0, validator=_check_seconds)
    pool: float = attrs.field(default=5.0, validator=_check_seconds)
    total: float | None = None

    def within(self, total: float) -> Timeout:
        """Return a copy with no part longer than `total` seconds or a day.

        Not every kind of socket accepts an infinite timeout; some raise after the request has left.
        """
        longest = min(total, _DAY)
        return Timeout(
            connect=min(self.connect, longest),
            write=min(self.write, longest),
            read=min(self.read, longest),
            pool=min(self.pool, longest),
            total=total,
        )


class TransportFailure(Exception):  # noqa: N818 - a fact for the core, not an error of the user's
    """An attempt that got no response.

    Attributes:
        reason: What happened, in words; never a header, a body or a URL.
        sent: Whether any byte of the request may have left.
        permanent: Whether trying again cannot help (a certificate that does not verify).
        misconfigured: Whether something that the transport was set up with is to blame.
        pool_wait: Seconds the request waited for a free connection, where the transport sets it.
    """

    def __init__(
        self,
        reason: str,
        *,
        sent: bool,
        permanent: bool = False,
        misconfigured: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent
        self.permanent = permanent
        self.misconfigured = misconfigured
        self.pool_wait: float | None = None


class Send(NamedTuple):
    """Effect: send the request and return a Response or a TransportFailure."""

    request: Request
    timeout: Timeout


class Sleep(NamedTuple):
    """Effect: wait."""

    seconds: float


class KeySource(Protocol):
    """The API key of a client that was given a callable in its place."""

    def fresh(self) -> Secret | None:
        """Return the key that is kept, while it may be used."""
        ...

    def forget(self, key: Secret) -> None:
        """Ask before the next call: DGS-Pay has not accepted this key."""
        ...

    def get(self) -> KeyAnswer:
        """Ask for the key."""
        ...

    async def aget(self, seconds: float) -> KeyAnswer:
        """Ask for the key, with `await`, for so many seconds at most."""
        ...


KeyAnswer = Secret | DGSPayError
"""The key, or what to raise because there is none."""


class AskForKey:
    """Effect: ask for the API key, and set `answer`."""

    __slots__ = ("answer", "seconds", "source")

    def __init__(self, source: KeySource, seconds: float) -> None:
        self.source = source
        self.seconds = seconds
        self.answer: KeyAnswer | None = None


Effect = Send | Sleep | AskForKey
EffectResult = Response | TransportFailure | None
Steps = Generator[Effect, EffectResult, T]

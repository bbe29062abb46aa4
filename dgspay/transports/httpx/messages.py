"""A request and its answer in the terms of httpcore: what both kinds of connection share."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Iterator

from dgspay.core.messages import Request, Response, Timeout
from dgspay.transports.body import Body
from dgspay.transports.errors import unusable
from dgspay.transports.httpx.connector import Origin
from dgspay.transports.network_layer import HasHead, NetworkLayer, OutgoingRequest

# A client talks to one origin, rarely to two.
_origin = functools.lru_cache(maxsize=64)(Origin.of)

_METHODS_WITH_A_BODY = frozenset({"POST", "PUT", "PATCH"})


def split_url(url: str) -> tuple[Origin, bytes]:
    """Return where a request goes, and its target there.

    Raises:
        TransportFailure: when it is not an absolute http or https URL.
    """
    scheme, _, rest = url.partition("://")
    netloc, slash, path = rest.partition("/")
    try:
        return _origin(scheme, netloc), (slash + path).encode("ascii") or b"/"
    except UnicodeEncodeError:
        raise unusable("the URL of the request has characters no URL has") from None


def to_httpcore(
    core: NetworkLayer, request: Request, origin: Origin, target: bytes, timeout: Timeout
) -> OutgoingRequest:
    """Build the request as it goes out, and nothing else with it."""
    headers = [(b"Host", origin.host_header)]
    headers += [
        (name.encode("ascii"), value.encode("ascii"))
        for name, value in request.reveal_headers().items()
    ]
    body = request.reveal_body() or b""
    if body or request.method in _METHODS_WITH_A_BODY:
        headers.append((b"Content-Length", b"%d" % len(body)))
    url = core.URL(
        scheme=origin.scheme.encode(), host=origin.host.encode(), port=origin.port, target=target
    )
    return core.Request(
        request.method,
        url,
        headers=headers,
        content=_Content(body),
        extensions={"timeout": timeouts(timeout)},
    )


def timeouts(timeout: Timeout) -> dict[str, float]:
    """Return the parts of a timeout by the names both libraries have for them."""
    return {
        "connect": timeout.connect,
        "write": timeout.write,
        "read": timeout.read,
        "pool": timeout.pool,
    }


class _Content:
    """The body of a request, in one piece.

    httpcore's own is an async generator, which trio complains of when a cancelled request
    leaves it behind.
    """

    def __init__(self, body: bytes) -> None:
        self._pieces = (body,) if body else ()

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _Pieces(iter(self._pieces))


class _Pieces(AsyncIterator[bytes]):
    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    async def __anext__(self) -> bytes:
        for piece in self._pieces:
            return piece
        raise StopAsyncIteration


class Incoming:
    """An answer of httpcore's while it is read."""

    def __init__(self, response: HasHead) -> None:
        self._status = response.status
        self._headers = _headers(response.headers)
        self.body = Body(self._headers.get("content-encoding", ""))

    def response(self) -> Response:
        """Return the whole answer."""
        return Response(self._status, self._headers, self.body.whole())


def _headers(pairs: list[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        # A header that stands twice is one list (RFC 9110, section 5.3).
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers

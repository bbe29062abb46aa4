"""Requests through the user's own client of httpx or httpx2, which is used as it is."""

from __future__ import annotations

import sys
from typing import Any

import anyio

from dgspay.core.operation import Request, Response, Timeout, TransportFailure
from dgspay.transports.deadline import deadline
from dgspay.transports.exchange import Body, timeouts
from dgspay.transports.failures import deadline_passed, failure_of


async def send_async(client: Any, request: Request, timeout: Timeout) -> Response:
    """Send one request with an `AsyncClient`.

    Raises:
        TransportFailure: when the deadline passed or the answer is not one to read.
        Exception: whatever the library raises.
    """
    progress = _Progress()
    outgoing = _to_httpx(client, request, timeout)
    outgoing.extensions["trace"] = progress.note_async
    with anyio.move_on_after(timeout.total):
        try:
            return await _exchange_async(client, outgoing)
        except Exception as error:
            failure = _corrected(error, outgoing, progress)
            if failure is None:
                raise
        raise failure
    raise deadline_passed(sent=not progress.is_connecting)


async def _exchange_async(client: Any, outgoing: Any) -> Response:
    response = await client.send(outgoing, stream=True, auth=None, follow_redirects=False)
    try:
        body = Body(response.headers.get("content-encoding", ""))
        # A mocked answer, or one that an event hook has read, comes with its body.
        if response.is_stream_consumed:
            body.add(response.content)
        else:
            async for chunk in response.aiter_raw():
                body.add(chunk)
    finally:
        await response.aclose()
    return _from_httpx(response, body)


def send_blocking(client: Any, request: Request, timeout: Timeout) -> Response:
    """Send one request with a `Client`; see `send_async`."""
    progress = _Progress()
    outgoing = _to_httpx(client, request, timeout)
    outgoing.extensions["trace"] = progress.note
    try:
        return _exchange(client, outgoing)
    except Exception as error:
        failure = _corrected(error, outgoing, progress)
        if failure is None:
            raise
    raise failure


def _exchange(client: Any, outgoing: Any) -> Response:
    response = client.send(outgoing, stream=True, auth=None, follow_redirects=False)
    try:
        body = Body(response.headers.get("content-encoding", ""))
        if response.is_stream_consumed:
            body.add(response.content)
        else:
            for chunk in response.iter_raw():
                body.add(chunk)
                deadline.check()
    finally:
        response.close()
    return _from_httpx(response, body)


def _corrected(error: Exception, outgoing: Any, progress: _Progress) -> TransportFailure | None:
    """Take back what an error says of not having been sent, where that is not about this request.

    An event hook may call another server that cannot be reached, and a transport of the user's
    may try again by itself and fail to connect at its second attempt only.
    """
    failure = failure_of(error)
    # The library itself tells its errors which request they are about.
    is_own = getattr(error, "_request", None) is outgoing
    if failure.sent or (is_own and not progress.has_left):
        return None
    return TransportFailure(
        f"a hook or transport of the client's own failed: {failure.reason}", sent=True
    )


def _to_httpx(client: Any, request: Request, timeout: Timeout) -> Any:
    """Build the request itself, so that nothing of a client's defaults is mixed in."""
    return _library_of(client).Request(
        request.method,
        request.url,
        headers=dict(request.headers),
        content=request.body,
        extensions={"timeout": timeouts(timeout)},
    )


def _library_of(client: Any) -> Any:
    """Return the library a client is one of, as `is_async_client` has found it."""
    for kind in type(client).__mro__:
        library = sys.modules.get(kind.__module__.partition(".")[0])
        if library is not None and getattr(library, kind.__name__, None) is kind:
            return library
    raise TypeError("not a client of httpx or httpx2")


def _from_httpx(response: Any, body: Body) -> Response:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Response(response.status_code, headers, body.whole())


class _Progress:
    """How far a request has come, as httpcore tells of each of its steps.

    What a transport of the user's own making does is not told; at the deadline it counts as sent.
    """

    def __init__(self) -> None:
        self.is_connecting = False
        self.has_left = False

    def note(self, event: str, told: Any) -> None:
        """Be told of a step."""
        if event == "connection.connect_tcp.started":
            self.is_connecting = True
        elif event.endswith("send_request_headers.started") and not _is_for_a_tunnel(told):
            self.is_connecting = False
            self.has_left = True

    async def note_async(self, event: str, told: Any) -> None:
        """Be told of a step by an asynchronous connection."""
        self.note(event, told)


def _is_for_a_tunnel(told: Any) -> bool:
    """Whether it is a proxy that is asked, and nothing of ours has left."""
    request = told.get("request")
    return request is not None and request.method == b"CONNECT"

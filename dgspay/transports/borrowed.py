"""Requests through the user's own client of httpx or httpx2, which is used as it is."""

from __future__ import annotations

import sys
from typing import Any

import anyio

from dgspay.core.operation import Request, Response, Timeout
from dgspay.transports.deadline import deadline
from dgspay.transports.exchange import Body, timeouts
from dgspay.transports.failures import deadline_passed


async def send_async(client: Any, request: Request, timeout: Timeout) -> Response:
    """Send one request with an `AsyncClient`.

    Raises:
        TransportFailure: when the deadline passed or the answer is not one to read.
        Exception: whatever the library raises.
    """
    progress = _Progress()
    outgoing = _to_httpx(client, request, timeout)
    outgoing.extensions["trace"] = progress.note
    with anyio.move_on_after(timeout.total):
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
    raise deadline_passed(sent=not progress.is_connecting)


def send_blocking(client: Any, request: Request, timeout: Timeout) -> Response:
    """Send one request with a `Client`; see `send_async`."""
    outgoing = _to_httpx(client, request, timeout)
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
    """How far a request has come, so that a deadline can say whether a byte may have left.

    What a transport of the user's own making does is not told, and counts as sent.
    """

    def __init__(self) -> None:
        self.is_connecting = False

    async def note(self, event: str, _: Any) -> None:
        """Be told by httpcore of each step of a request."""
        if event == "connection.connect_tcp.started":
            self.is_connecting = True
        elif event.endswith("send_request_headers.started"):
            self.is_connecting = False

"""Requests through the user's own client of httpx or httpx2, which is used as it is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias

import anyio

from dgspay.core.messages import Request, Response, Timeout, TransportFailure
from dgspay.interruption import interruption_in
from dgspay.transports.blocking_deadline import deadline
from dgspay.transports.body import Body
from dgspay.transports.errors import deadline_passed, failure_of
from dgspay.transports.httpx.leftovers import unfit
from dgspay.transports.httpx.lost_connections import lost_connections
from dgspay.transports.httpx.messages import timeouts
from dgspay.transports.httpx.progress import Progress

if TYPE_CHECKING:
    import httpx  # whose API is that of httpx2 as well

    AnyClient: TypeAlias = httpx.AsyncClient | httpx.Client


async def send_async(
    client: httpx.AsyncClient, request: Request, timeout: Timeout, progress: Progress
) -> Response:
    """Send one request with an `AsyncClient`.

    Raises:
        TransportFailure: when the deadline passed or the answer is not one to read.
        Exception: whatever the library raises.
    """
    outgoing = _to_httpx(client, request, timeout)
    _watch(client, outgoing, progress)
    outgoing.extensions["trace"] = progress.note_async
    with anyio.move_on_after(timeout.total):
        try:
            for connection in unfit(_connections(client, outgoing)):
                await connection.aclose()
            return await _exchange_async(client, outgoing)
        except Exception as error:
            failure = _corrected(error, client, outgoing, progress)
            if failure is None:
                raise
        raise failure
    progress.end_wait()
    raise deadline_passed(sent=not progress.is_unsent)


async def _exchange_async(client: httpx.AsyncClient, outgoing: httpx.Request) -> Response:
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


def send_blocking(
    client: httpx.Client, request: Request, timeout: Timeout, progress: Progress
) -> Response:
    """Send one request with a `Client`; see `send_async`."""
    outgoing = _to_httpx(client, request, timeout)
    _watch(client, outgoing, progress)
    outgoing.extensions["trace"] = progress.note
    try:
        for connection in unfit(_connections(client, outgoing)):
            connection.close()
        return _exchange(client, outgoing)
    except Exception as error:
        failure = _corrected(error, client, outgoing, progress)
        if failure is None:
            raise
    raise failure


def _exchange(client: httpx.Client, outgoing: httpx.Request) -> Response:
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


def _watch(client: AnyClient, outgoing: httpx.Request, progress: Progress) -> None:
    """Find out how much of a request's course can be known."""
    progress.reports_all = _is_the_librarys_own(_transport(client, outgoing))
    # Its hooks would run between here and the first step that is reported.
    if progress.reports_all and not client.event_hooks["request"]:
        progress.begin_wait()


def _corrected(
    error: Exception, client: AnyClient, outgoing: httpx.Request, progress: Progress
) -> TransportFailure | None:
    """Take back what an error says of not having been sent, where that is not about this request.

    An event hook may call another server that cannot be reached, and a transport of the user's
    may try again by itself and fail to connect at its second attempt only.
    """
    if progress.is_unsent or interruption_in(error) is not None:
        return None
    failure = failure_of(error)
    # The library itself tells its errors which request they are about.
    is_own = getattr(error, "_request", None) is outgoing
    if type(error).__name__ == "PoolTimeout" and is_own:
        progress.end_wait()
        return lost_connections(_transport(client, outgoing))
    if failure.sent or (is_own and not progress.may_have_left):
        return None
    return TransportFailure(
        f"a hook or transport of the client's own failed: {failure.reason}", sent=True
    )


def _is_the_librarys_own(transport: object) -> bool:
    """Whether a transport is one of httpx's or httpx2's, which report every step they take."""
    kind = type(transport)
    return kind.__name__ in ("HTTPTransport", "AsyncHTTPTransport") and (
        kind.__module__.partition(".")[0] in ("httpx", "httpx2")
    )


def _connections(client: AnyClient, outgoing: httpx.Request) -> Sequence[Any]:
    pool = getattr(_transport(client, outgoing), "_pool", None)
    return getattr(pool, "connections", ())


def _transport(client: AnyClient, outgoing: httpx.Request) -> object:
    """Return what a client sends a request through."""
    return client._transport_for_url(outgoing.url)  # noqa: SLF001 - it has no other way


def _to_httpx(client: AnyClient, request: Request, timeout: Timeout) -> httpx.Request:
    """Build the request itself, so that nothing of a client's defaults is mixed in."""
    outgoing: httpx.Request = _library_of(client).Request(
        request.method,
        request.url,
        headers=request.reveal_headers(),
        content=request.reveal_body(),
        extensions={"timeout": timeouts(timeout)},
    )
    return outgoing


def _library_of(client: AnyClient) -> ModuleType:
    """Return the library a client is one of, as `is_async_client` has found it."""
    for kind in type(client).__mro__:
        library = sys.modules.get(kind.__module__.partition(".")[0])
        if library is not None and getattr(library, kind.__name__, None) is kind:
            return library
    raise TypeError("not a client of httpx or httpx2")


def _from_httpx(response: httpx.Response, body: Body) -> Response:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Response(response.status_code, headers, body.whole())

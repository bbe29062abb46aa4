"""One exchange on aiohttp: the request as it is written, and the answer as it is read."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import StreamWriter
from aiohttp.payload import Payload

from dgspay.core.operation import Response, Timeout
from dgspay.transports.exchange import Body
from dgspay.transports.failures import unusable

# What is handed over at a time, so that a write can be seen to stall.
_PIECE = 65_536

# A proxy on the way may add headers of some length; aiohttp takes 128 of them.
HEADER_LINE = 32_768


async def directly(
    connector: aiohttp.BaseConnector | None,
    request: aiohttp.ClientRequest,
    limits: aiohttp.ClientTimeout,
) -> aiohttp.ClientResponse:
    """Send a request on a connection of ours and return the answer, its body not yet read.

    It is what a session does of a request, without what ours must not do: cookies, credentials,
    redirects, and a second try. A session takes a tenth of a call to find that there are none.
    """
    if connector is None:
        raise unusable("the client is closed")
    try:
        connection: Any = await connector.connect(request, traces=[], timeout=limits)
    except TimeoutError as error:
        raise aiohttp.ConnectionTimeoutError from error
    try:
        connection.protocol.set_response_params(
            skip_payload=request.method == "HEAD",
            read_until_eof=True,
            auto_decompress=False,
            read_timeout=limits.sock_read,
            read_bufsize=_PIECE,
            max_line_size=HEADER_LINE,
            max_field_size=HEADER_LINE,
        )
        response = await request.send(connection)
        try:
            return await response.start(connection)
        except BaseException:
            response.close()
            raise
    except BaseException:
        connection.close()
        raise


def timed(body: bytes | None, timeout: Timeout) -> bytes | TimedBody | None:
    """Return the body of a request in a form that is written in time."""
    return body if body is None or len(body) <= _PIECE else TimedBody(body, timeout.write)


class TimedBody(Payload):
    """A long body, written in pieces that the other side must take in time.

    aiohttp has no such limit, and its limit for reading begins when all is written.
    """

    def __init__(self, body: bytes, limit: float) -> None:
        super().__init__(body)
        self._size = len(body)
        self._limit = limit

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write it, as aiohttp asks."""
        transport = writer.transport if isinstance(writer, StreamWriter) else None
        try:
            for start in range(0, len(self._value), _PIECE):
                async with asyncio.timeout(self._limit):
                    await writer.write(self._value[start : start + _PIECE])
                    await writer.drain()
        except TimeoutError:
            raise WriteTimeoutError from None
        finally:
            # What is left over would be sent even after the connection is closed, if ever taken.
            if sys.exception() is not None and transport is not None:
                transport.abort()

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return it as text, as aiohttp may ask."""
        return str(self._value, encoding, errors)


class WriteTimeoutError(TimeoutError):
    """The other side has taken nothing for too long."""


async def answer(response: aiohttp.ClientResponse) -> Response:
    """Read the body, and return the whole answer."""
    return Response(response.status, _headers(response), await _read(response))


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = Body(response.headers.get("Content-Encoding", ""))
    while piece := await response.content.readany():
        body.add(piece)
    return body.whole()


def _headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    headers: dict[str, str] = {}
    for mixed, padded in response.headers.items():
        name, value = mixed.lower(), padded.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers

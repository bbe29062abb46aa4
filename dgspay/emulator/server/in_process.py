"""httpx clients that talk to the emulator inside the process: no socket, no thread."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

import httpx
from starlette.types import ASGIApp

from dgspay.emulator.engine.engine import Engine
from dgspay.emulator.http import Cut, Drop, Exchange, Request, Response, Trickle, Wait
from dgspay.emulator.server.asgi import CUT_ANSWER, LOST_ANSWER


class EngineTransport(httpx.BaseTransport):
    """Transport that carries out the engine's effects in the thread of the caller."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request, or raise as httpx does when the server closes the connection."""
        path, _, query = request.url.raw_path.decode("latin-1").partition("?")
        headers = {name.lower(): value for name, value in request.headers.items()}
        if self._engine.hangs_up(request.method, path):
            raise httpx.RemoteProtocolError(LOST_ANSWER, request=request)
        asked = Request(request.method, path, query, headers, request.read())
        with closing(self._engine.exchange(asked)) as exchange:
            response = _carried_out(exchange)
        if response is None:
            raise httpx.RemoteProtocolError(LOST_ANSWER, request=request)
        return response


def _carried_out(exchange: Exchange) -> httpx.Response | None:
    response: httpx.Response | None = None
    for effect in exchange:
        match effect:
            case Wait(seconds):
                time.sleep(seconds)
            case Response(body=body):
                response = _response(effect, httpx.ByteStream(body))
            case Trickle(answer, seconds):
                response = _response(answer, _Trickling(answer.body, seconds))
            case Cut(answer, length):
                response = _response(answer, _CutOff(answer.body[:length]))
            case Drop():
                pass
    return response


def _response(answer: Response, stream: httpx.SyncByteStream) -> httpx.Response:
    length = ("content-length", str(len(answer.body)))
    return httpx.Response(answer.status, headers=[*answer.headers, length], stream=stream)


class _Trickling(httpx.SyncByteStream):
    """A body that arrives byte by byte."""

    def __init__(self, body: bytes, seconds_per_byte: float) -> None:
        self._body = body
        self._pause = seconds_per_byte

    def __iter__(self) -> Iterator[bytes]:
        for place in range(len(self._body)):
            yield self._body[place : place + 1]
            time.sleep(self._pause)


class _CutOff(httpx.SyncByteStream):
    """A body that never ends."""

    def __init__(self, beginning: bytes) -> None:
        self._beginning = beginning

    def __iter__(self) -> Iterator[bytes]:
        yield self._beginning
        raise httpx.RemoteProtocolError(CUT_ANSWER)


def sync_client(engine: Engine, base_url: str) -> httpx.Client:
    """Return a client over the engine."""
    return httpx.Client(transport=EngineTransport(engine), base_url=base_url, trust_env=False)


def async_client(app: ASGIApp, base_url: str) -> httpx.AsyncClient:
    """Return a client over the ASGI application, for asyncio and trio."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url=base_url, trust_env=False
    )

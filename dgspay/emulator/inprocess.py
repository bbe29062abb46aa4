"""httpx clients that talk to the emulator inside the process: no socket, no thread."""

from __future__ import annotations

import time
from contextlib import closing

import httpx
from starlette.types import ASGIApp

from dgspay.emulator.app import LOST_ANSWER
from dgspay.emulator.engine import Engine
from dgspay.emulator.exchange import Answer, Drop, Exchange, Request, Wait


class EngineTransport(httpx.BaseTransport):
    """Carries out the engine's effects in the thread of the caller."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request, or raise what httpx raises when the server hangs up."""
        path, _, query = request.url.raw_path.decode("latin-1").partition("?")
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Request(request.method, path, query, headers, request.read())
        with closing(self._engine.exchange(asked)) as exchange:
            answer = _carried_out(exchange)
        if answer is None:
            raise httpx.RemoteProtocolError(LOST_ANSWER, request=request)
        length = ("content-length", str(len(answer.body)))
        return httpx.Response(
            answer.status,
            headers=[*answer.headers, length],
            stream=httpx.ByteStream(answer.body),
        )


def _carried_out(exchange: Exchange) -> Answer | None:
    answer: Answer | None = None
    for effect in exchange:
        match effect:
            case Wait(seconds):
                time.sleep(seconds)
            case Answer():
                answer = effect
            case Drop():
                pass
    return answer


def sync_client(engine: Engine, base_url: str) -> httpx.Client:
    """Return a client over the engine."""
    return httpx.Client(transport=EngineTransport(engine), base_url=base_url, trust_env=False)


def async_client(app: ASGIApp, base_url: str) -> httpx.AsyncClient:
    """Return a client over the ASGI application, for asyncio and trio."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url=base_url, trust_env=False
    )

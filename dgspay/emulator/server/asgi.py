"""The ASGI application: a thin layer that carries out the engine's effects."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from typing import Any

import anyio
import httpx
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dgspay.emulator.engine.authentication import MAX_BODY_BYTES
from dgspay.emulator.engine.engine import Engine
from dgspay.emulator.http import Cut, Drop, Exchange, Request, Response, Trickle, Wait
from dgspay.emulator.web.assets import serve_asset
from dgspay.emulator.web.rendering import STATIC_PATH
from dgspay.emulator.webhooks.dispatcher import Dispatcher

_ENGINE_PATHS = "/generation/"
_CONNECTION = "dgspay.emulator.connection"

LOST_ANSWER = "Server disconnected without sending a response."
CUT_ANSWER = "peer closed connection without sending complete message body"


def create_app(
    engine: Engine, dispatcher: Dispatcher, console: Sequence[BaseRoute] = ()
) -> ASGIApp:
    """Return the application for an engine and its webhooks, with the routes of its console.

    What is below `/generation` never passes the router: it is what has to be fast.
    """
    endpoint = EngineEndpoint(engine, dispatcher)
    starlette = Starlette(
        routes=[
            Route(f"{STATIC_PATH}/{{name:path}}", serve_asset),
            *console,
            Route("/{path:path}", endpoint),
        ]
    )

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(_ENGINE_PATHS):
            await endpoint(scope, receive, send)
        else:
            await starlette(scope, *_closing_unread(scope, receive, send))

    return ConnectionLayer(dispatch)


class EngineEndpoint:
    """Adapter of the engine: ASGI requests in, its effects out as ASGI messages."""

    def __init__(self, engine: Engine, dispatcher: Dispatcher) -> None:
        self._engine = engine
        self._dispatcher = dispatcher

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if self._engine.hangs_up(scope["method"], _raw_path(scope)):
            await scope[_CONNECTION].drop()
            return
        body = await _body(receive)
        if body is None:
            return
        if len(body) > MAX_BODY_BYTES:
            send = _closing(send)
        try:
            with (
                self._dispatcher.leaving_over(),
                closing(self._engine.exchange(engine_request(scope, body))) as exchange,
            ):
                await _carry_out(exchange, scope, send)
        finally:
            await self._dispatcher.deliver_left_over()


async def _carry_out(exchange: Exchange, scope: Scope, send: Send) -> None:
    for effect in exchange:
        match effect:
            case Wait(seconds):
                await anyio.sleep(seconds)
            case Response(body=body):
                await send(_start(effect))
                await send(_piece(body, more=False))
            case Drop():
                await scope[_CONNECTION].drop()
            case Trickle(answer, seconds):
                await _trickle(answer, seconds, scope[_CONNECTION], send)
            case Cut(answer, length):
                await send(_start(answer))
                await send(_piece(answer.body[:length], more=True))
                await scope[_CONNECTION].drop()


async def _trickle(answer: Response, seconds: float, line: Connection, send: Send) -> None:
    """Send byte by byte, until the client disconnects."""
    await send(_start(answer))
    for place in range(len(answer.body)):
        if line.is_gone():
            return
        await send(_piece(answer.body[place : place + 1], more=True))
        await anyio.sleep(seconds)
    await send(_piece(b"", more=False))


def _start(answer: Response) -> Message:
    return {
        "type": "http.response.start",
        "status": answer.status,
        "headers": [
            *((name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers),
            (b"content-length", str(len(answer.body)).encode()),
        ],
    }


def _piece(body: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


def _closing(send: Send) -> Send:
    """Close the connection after the answer, so that a client cannot send on without end."""

    async def send_and_close(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
        await send(message)

    return send_and_close


def _closing_unread(scope: Scope, receive: Receive, send: Send) -> tuple[Receive, Send]:
    """Close the connection after an answer that came before the whole body was read.

    The server would go on taking what comes, and a client that sends without end would never
    read the answer.
    """
    names = {name for name, _ in scope["headers"]}
    is_read = names.isdisjoint((b"content-length", b"transfer-encoding"))

    async def receive_and_look() -> Message:
        nonlocal is_read
        message = await receive()
        is_read = not message.get("more_body", False)
        return message

    closing = _closing(send)

    async def send_and_look(message: Message) -> None:
        await (send if is_read else closing)(message)

    return receive_and_look, send_and_look


async def _body(receive: Receive) -> bytes | None:
    """Read a body, just past the limit if it is too long; None if the client disconnected."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        piece: bytes = message.get("body", b"")
        body += piece
        if not message.get("more_body", False) or len(body) > MAX_BODY_BYTES:
            return body


def engine_request(scope: Scope, body: bytes) -> Request:
    """Build the engine's request from an ASGI scope; the path stays percent-encoded."""
    return Request(
        scope["method"],
        _raw_path(scope),
        scope["query_string"].decode("latin-1"),
        {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        body,
    )


def _raw_path(scope: Scope) -> str:
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw_path.decode("latin-1")


class Connection:
    """The connection to one client, which a fault may cut."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self.lost_in_process = False

    async def drop(self) -> None:
        """Close the socket at once, with nothing sent.

        ASGI has no word for this, so it is done to the server's transport: uvicorn's `send`
        is a method of the object that holds it. In-process there is no socket to close.
        """
        transport = self._transport()
        if transport is None:
            self.lost_in_process = True
            return
        # Closed and not aborted, so that what was sent before arrives.
        transport.close()
        while (await self._receive())["type"] != "http.disconnect":
            pass

    def is_gone(self) -> bool:
        """Return whether the client has closed the connection."""
        transport = self._transport()
        return transport is not None and bool(transport.is_closing())

    def _transport(self) -> Any:
        return getattr(getattr(self._send, "__self__", None), "transport", None)


class ConnectionLayer:
    """Outermost layer, which passes the connection itself to the layers that may cut it."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one HTTP request on, and raise in-process when its connection was cut."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        connection = Connection(receive, send)
        await self._app({**scope, _CONNECTION: connection}, receive, send)
        if connection.lost_in_process:
            raise httpx.RemoteProtocolError(LOST_ANSWER)

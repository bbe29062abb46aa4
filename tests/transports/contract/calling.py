"""A transport under test without the client around it, in blocking code and in both loops."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.to_thread

from dgspay.core.messages import Request, Response, Timeout, TransportFailure
from tests.support.transport_matrix import Way

SECOND = Timeout(total=10)


class Wire:
    """A transport at work; a blocking one has answered before `await`."""

    def __init__(self, way: Way, transport: Any) -> None:
        self._way = way
        self._transport = transport

    async def send(self, request: Request, timeout: Timeout = SECOND) -> Response:
        answer: Response = await _done(self._transport.send(request, timeout))
        return answer

    async def failure(self, request: Request, timeout: Timeout = SECOND) -> TransportFailure:
        try:
            answer = await self.send(request, timeout)
        except TransportFailure as failure:
            return failure
        raise AssertionError(answer)

    async def together(self, requests: list[Request], timeout: Timeout = SECOND) -> list[Response]:
        """Send them all at once: in threads, or in tasks."""
        answers: list[Response] = []

        async def send(request: Request) -> None:
            if self._way.is_blocking:
                sent = await anyio.to_thread.run_sync(self._transport.send, request, timeout)
                answers.append(sent)
            else:
                answers.append(await self.send(request, timeout))

        async with anyio.create_task_group() as group:
            for request in requests:
                group.start_soon(send, request)
        return answers

    async def close(self) -> None:
        await _done(self._transport.close() if self._way.is_blocking else self._transport.aclose())


async def _done(result: Any) -> Any:
    return await result if inspect.isawaitable(result) else result


def with_wire(way: Way, story: Callable[[Wire], Awaitable[Any]], **options: Any) -> None:
    """Tell a story of several requests through one transport, and close it."""

    async def main() -> None:
        wire = Wire(way, way.transport(**options))
        try:
            await story(wire)
        finally:
            await wire.close()

    anyio.run(main, backend="asyncio" if way.is_blocking else way.mode)


def get(url: str) -> Request:
    return Request("GET", f"{url}/balance", {"Accept": "application/json"}, None)


def post(url: str, method: str = "POST") -> Request:
    return Request(method, f"{url}/charges", {"Content-Type": "application/json"}, b'{"amount":1}')

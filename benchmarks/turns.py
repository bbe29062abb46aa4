"""Subjects that take turns before a server in a process of its own, which answers late."""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

from dgspay import AsyncDGSPay
from dgspay.transports.aiohttp import AiohttpTransport

ROUNDS, LATENCY, CONCURRENCY = 3, 0.030, 32

ANSWER = b'{"status":"success","dgs_reference":"DGS%d"}'
Subject = Callable[[AsyncDGSPay], Awaitable[float]]


class Late(asyncio.Protocol):
    """Answers every request after the latency. It reads no more of it than where it ends."""

    count = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, end, body = self.received.partition(b"\r\n\r\n")
        if not end:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
        if len(body) >= length:
            self.received = body[length:]
            asyncio.get_running_loop().call_later(LATENCY, self.answer)

    def answer(self) -> None:
        Late.count += 1
        body = ANSWER % Late.count
        if not self.transport.is_closing():
            self.transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
            )


def _serve(protocol: type[asyncio.Protocol], listener: socket.socket) -> None:
    async def forever() -> None:
        server = await asyncio.get_running_loop().create_server(protocol, sock=listener)
        await server.serve_forever()

    asyncio.run(forever())


@contextmanager
def serving(protocol: type[asyncio.Protocol]) -> Iterator[str]:
    """Serve in a process of its own; yield the URL."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        server = multiprocessing.Process(target=_serve, args=(protocol, listener), daemon=True)
        server.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.kill()
            server.join()


def client_of(url: str) -> AsyncDGSPay:
    """Return the client that every subject uses."""
    return AsyncDGSPay(
        api_key="sk_test_benchmark",
        account_number="ACC",
        environment="emulator",
        base_url=url,
        transport=AiohttpTransport(),
    )


def rates_in_turns(
    subjects_with: Callable[[str | None], Mapping[str, Subject]], count: int
) -> dict[str, list[float]]:
    """Let subjects take turns in every round; return the rates of each, at so many a turn.

    Args:
        subjects_with: Makes them, with a PostgreSQL's connection string where there is one.
        count: How many payments or payouts a turn is of.
    """
    from tests.support.real_servers import (  # noqa: PLC0415 - of the tests
        postgres_binaries,
        running_postgres,
    )

    async def compare(subjects: Mapping[str, Subject]) -> dict[str, list[float]]:
        rates: dict[str, list[float]] = {name: [] for name in subjects}
        async with client_of(url) as dgs:
            for _ in range(ROUNDS):
                for name, subject in subjects.items():
                    rates[name].append(count / await subject(dgs))
        return rates

    binaries = postgres_binaries()
    with (
        serving(Late) as url,
        running_postgres(binaries) if binaries else nullcontext() as conninfo,
    ):
        return asyncio.run(compare(subjects_with(conninfo)))

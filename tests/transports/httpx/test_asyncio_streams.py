"""The streams of our own on asyncio, where no request can show what they hold back."""

from __future__ import annotations

import anyio.lowlevel
import httpcore
import pytest

from dgspay.transports.httpx.asyncio_streams import AsyncioBackend
from dgspay.transports.httpx.library import Library
from tests.support.certificate_authority import AUTHORITY
from tests.support.raw_server import Connection, RawServer


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def speak_at_once(connection: Connection) -> None:
    connection.write(b"HTTP/1.1 200 OK\r\n\r\n")
    connection.hold()


@pytest.mark.anyio
@pytest.mark.acceptance(22, "no-json-answer")
async def test_what_came_in_plain_text_is_never_read_as_if_it_had_come_under_tls() -> None:
    with RawServer(speak_at_once) as server, anyio.fail_after(60):
        stream = await AsyncioBackend(Library.named("httpx").core).connect_tcp(
            "127.0.0.1", server.port
        )
        try:
            while not stream._received:
                await anyio.lowlevel.checkpoint()
            with pytest.raises(httpcore.ConnectError, match="before TLS"):
                await stream.start_tls(AUTHORITY.trusting(), "127.0.0.1", timeout=5)
        finally:
            await stream.aclose()

"""Every transport dgspay has, in every way it may be run."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any, Literal

import attrs

from dgspay.transports.aiohttp import AiohttpTransport
from dgspay.transports.httpx import HttpxTransport

Mode = Literal["sync", "asyncio", "trio"]

# Made once: reading the system's certificates takes longer than a call.
_CERTIFICATES = ssl.create_default_context()


@attrs.frozen
class Kind:
    """A transport and the kind of program it runs in."""

    name: str
    mode: Mode
    make: Callable[[], Any]


def _httpx(library: Literal["httpx", "httpx2"], mode: Mode) -> Kind:
    def make() -> Any:
        if mode == "sync":
            return HttpxTransport.blocking(library=library, verify=_CERTIFICATES)
        return HttpxTransport(library=library, verify=_CERTIFICATES)

    return Kind(f"{library}-{mode}", mode, make)


KINDS = [
    _httpx("httpx", "sync"),
    _httpx("httpx", "asyncio"),
    _httpx("httpx", "trio"),
    _httpx("httpx2", "sync"),
    _httpx("httpx2", "asyncio"),
    _httpx("httpx2", "trio"),
    Kind("aiohttp-asyncio", "asyncio", AiohttpTransport),
]

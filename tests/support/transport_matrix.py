"""Every transport, in every kind of program it is for. A new transport is a new line here."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any

import aiohttp
import attrs
import certifi
import httpx
import httpx2

from dgspay.transports.aiohttp import AiohttpTransport
from dgspay.transports.httpx import HttpxTransport

# Read once: it takes longer than most of the calls that are tested.
_CERTIFICATES = ssl.create_default_context(cafile=certifi.where())


@attrs.frozen
class Way:
    """A way to send requests.

    Attributes:
        library: The HTTP library.
        mode: `sync`, or the event loop: `asyncio` or `trio`.
        default_transport: Makes a transport with connections of its own.
        own_client: Makes a client of the library, as a user would have one.
        borrow: Makes a transport that uses it.
    """

    library: str
    mode: str
    default_transport: Callable[..., Any]
    own_client: Callable[..., Any]
    borrow: Callable[[Any], Any]

    @property
    def is_blocking(self) -> bool:
        return self.mode == "sync"

    def transport(self, **options: Any) -> Any:
        """Make a transport with connections of its own; `verify`, `trust_env`, `proxy`."""
        return self.default_transport(**{"verify": _CERTIFICATES, **options})

    def __str__(self) -> str:
        return f"{self.library}-{self.mode}"


_HTTPX2: dict[str, Any] = {"library": "httpx2"}
_FULL = os.environ.get("DGSPAY_TEST_FULL") == "1"

WAYS = [
    Way("httpx", "sync", HttpxTransport.blocking, httpx.Client, HttpxTransport),
    Way("httpx", "asyncio", HttpxTransport, httpx.AsyncClient, HttpxTransport),
    Way("httpx", "trio", HttpxTransport, httpx.AsyncClient, HttpxTransport),
    Way(
        "httpx2",
        "sync",
        partial(HttpxTransport.blocking, **_HTTPX2),
        httpx2.Client,
        HttpxTransport,
    ),
    Way(
        "httpx2",
        "asyncio",
        partial(HttpxTransport, **_HTTPX2),
        httpx2.AsyncClient,
        HttpxTransport,
    ),
    Way("httpx2", "trio", partial(HttpxTransport, **_HTTPX2), httpx2.AsyncClient, HttpxTransport),
    Way("aiohttp", "asyncio", AiohttpTransport, aiohttp.ClientSession, AiohttpTransport),
]
if not _FULL:
    # httpx2 on trio differs from httpx on trio in nothing that httpx2 on asyncio does not show.
    WAYS = [way for way in WAYS if str(way) != "httpx2-trio"]
ASYNC_WAYS = [way for way in WAYS if not way.is_blocking]

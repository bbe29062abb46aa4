"""Every transport dgspay has, in every way it may be run: a table that grows with them."""

from __future__ import annotations

import importlib.util
import inspect
import ssl
from collections.abc import Callable
from typing import Any, Literal

import attrs

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


def _httpx(library: str, mode: Mode) -> Kind:
    options: dict[str, Any] = {"verify": _CERTIFICATES}
    if library != "httpx":
        options["library"] = library

    def make() -> Any:
        if mode == "sync":
            return HttpxTransport.blocking(**options)
        return HttpxTransport(**options)

    return Kind(f"{library}-{mode}", mode, make)


def _aiohttp() -> list[Kind]:
    if importlib.util.find_spec("dgspay.transports.aiohttp") is None:
        return []
    module: Any = importlib.import_module("dgspay.transports.aiohttp")
    return [Kind("aiohttp-asyncio", "asyncio", module.AiohttpTransport)]


def _libraries() -> list[str]:
    takes_library = "library" in inspect.signature(HttpxTransport.blocking).parameters
    return ["httpx", "httpx2"] if takes_library else ["httpx"]


_MODES: tuple[Mode, ...] = ("sync", "asyncio", "trio")

KINDS = [
    *(_httpx(library, mode) for library in _libraries() for mode in _MODES),
    *_aiohttp(),
]

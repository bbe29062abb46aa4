"""Serves the files the pages load: styles, scripts, and the modules of the checkout."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Final

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from dgspay import browser

_MEDIA_TYPES: Final[Mapping[str, str]] = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_HEADERS = {
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@functools.cache
def _files() -> Mapping[str, tuple[bytes, str]]:
    """Return every file by its name; what is not among them is not served."""
    folder = resources.files("dgspay.emulator.web") / "static"
    files = {
        f"{prefix}{entry.name}": (entry.read_bytes(), media_type)
        for prefix, place in (("", folder), ("console/", folder / "console"))
        for entry in place.iterdir()
        for ending, media_type in _MEDIA_TYPES.items()
        if entry.name.endswith(ending)
    }
    for name in browser.CHECKOUT_NAMES:
        files[name] = (browser.script(name), browser.MEDIA_TYPE)
    return files


def modules_of_the_console() -> Sequence[str]:
    """Return the scripts the console is made of, for a page to ask for all of them at once."""
    own = [name for name in _files() if name.startswith("console/") and name.endswith(".js")]
    return (*own, "amounts.js", "dgspay-amounts.js", "dom.js")


async def serve_asset(request: Request) -> Response:
    """Answer with one of the files."""
    files = await anyio.to_thread.run_sync(_files)
    found = files.get(request.path_params["name"])
    if found is None:
        return Response("no such file", 404, media_type="text/plain")
    content, media_type = found
    return Response(content, media_type=media_type, headers=_HEADERS)

"""The proxy that the environment names, and how long a connection may idle."""

from __future__ import annotations

import os
import sys

from dgspay.errors import ConfigError
from dgspay.forks import undivided
from dgspay.transports.checks import checked_proxy
from dgspay.transports.errors import misconfigured

KEEP_ALIVE = 5.0
"""Seconds after which an idle connection is closed. Servers hang up not long after, and a request
that crosses with that has an unknown outcome."""


def environment_proxy(
    scheme: str, host: str, port: int | None, *, kinds: tuple[str, ...]
) -> str | None:
    """Return the proxy that the environment names for a server.

    Raises:
        TransportFailure: for one of a kind that cannot be used.
    """
    if not _names_proxies():
        return None
    with undivided:
        # It loads the standard library's client for HTTP, which few programs need.
        from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415

    if proxy_bypass(f"{host}:{port}"):
        return None
    proxies = getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    if not proxy:
        return None
    try:
        return checked_proxy(proxy if "://" in proxy else f"http://{proxy}", kinds=kinds)
    except ConfigError as error:
        message = str(error)
    raise misconfigured(f"of the environment: {message}")


def _names_proxies() -> bool:
    """Whether a proxy may be named. macOS and Windows have settings of their own for that."""
    if sys.platform in ("darwin", "win32", "cygwin"):
        return True
    return any(name.lower().endswith("_proxy") for name in os.environ)

"""The proxy that the environment names, and how long a connection may idle."""

from __future__ import annotations

from urllib.request import getproxies, proxy_bypass

from dgspay.errors import ConfigError
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

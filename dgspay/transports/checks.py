"""What a transport is set up with, checked when it is made: every message names the setting."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from urllib.parse import urlsplit

from dgspay.core.messages import TransportFailure
from dgspay.errors import ConfigError

# The clients of libraries that a transport is made of, by the names of their packages.
_WRAPPED_IN = {
    "httpx": "dgspay.transports.httpx.HttpxTransport",
    "httpx2": "dgspay.transports.httpx.HttpxTransport",
    "aiohttp": "dgspay.transports.aiohttp.AiohttpTransport",
}


def check_transport(transport: object, *, for_async: bool) -> None:
    """Refuse what is no transport, or one for the other client.

    Raises:
        ConfigError: saying what to give instead.
    """
    client, other = ("AsyncDGSPay", "DGSPay") if for_async else ("DGSPay", "AsyncDGSPay")
    if isinstance(transport, type):
        raise ConfigError(
            f"transport must be an object, not the class: transport={transport.__name__}(...)"
        )
    library = type(transport).__module__.partition(".")[0]
    if library in _WRAPPED_IN:
        raise ConfigError(
            f"transport must be a transport, not a {type(transport).__name__} of {library}: give "
            f"that to {_WRAPPED_IN[library]}(...)"
        )
    # One of the user's own need not say for which client it is.
    is_async = getattr(transport, "is_async", None)
    if is_async is None and inspect.iscoroutinefunction(getattr(transport, "send", None)):
        is_async = True
    if is_async is not None and bool(is_async) is not for_async:
        raise ConfigError(
            f"transport is one for {other}, and this is {client}. {_OTHER_KIND[for_async]}"
        )
    missing = [
        name
        for name in ("send", "aclose" if for_async else "close")
        if not callable(getattr(transport, name, None))
    ]
    if missing:
        raise ConfigError(
            f"transport must have the methods of dgspay.transports.base."
            f"{'AsyncTransport' if for_async else 'Transport'}; {type(transport).__name__} has no "
            f"{' and no '.join(missing)}"
        )


def check_reachable(transport: object, url: str) -> None:
    """See that nothing a transport was set up with, or the environment, bars it from a URL.

    A transport of ours has `check_url` for that; one of the user's own need not.

    Raises:
        ConfigError: saying what does.
    """
    check = getattr(transport, "check_url", None)
    if check is None:
        return
    try:
        check(url)
    except TransportFailure as failure:
        reason = failure.reason
    else:
        return
    raise ConfigError(
        f"no call could be sent: {reason}. The environment is obeyed because of trust_env=True"
    )


_OTHER_KIND = {
    True: "It takes HttpxTransport(), or HttpxTransport(your httpx.AsyncClient)",
    False: "It takes HttpxTransport.blocking(), or HttpxTransport(your httpx.Client)",
}


def checked_limit(max_connections: int) -> int:
    """Return the number of connections there may be at once, if it is one.

    Raises:
        ConfigError: when it is not.
    """
    if isinstance(max_connections, bool) or not isinstance(max_connections, int):
        raise ConfigError(f"max_connections must be an int, not {type(max_connections).__name__}")
    if max_connections < 1:
        raise ConfigError(f"max_connections must be at least 1, not {max_connections}")
    return max_connections


def checked_flag(value: object, *, name: str) -> bool:
    """Return True or False, if it is one: "false", as a file of settings has it, would be true.

    Raises:
        ConfigError: when it is anything else.
    """
    if not isinstance(value, bool):
        raise ConfigError(f"{name} must be True or False, not a {type(value).__name__}")
    return value


def checked_proxy(proxy: str, *, kinds: tuple[str, ...]) -> str:
    """Return the URL of a proxy, which is never shown: it may hold a password.

    Raises:
        ConfigError: when it is not the URL of a proxy of these kinds.
    """
    try:
        parts = urlsplit(proxy)
        port = parts.port
        is_text = proxy.isascii() and proxy.isprintable() and " " not in proxy
    except (ValueError, TypeError, AttributeError):
        raise ConfigError(
            "proxy must be the URL of a proxy, such as 'http://proxy.example:3128'. What is not a "
            "letter or a digit in its credentials is percent-encoded"
        ) from None
    if parts.scheme not in kinds or not parts.hostname:
        *others, last = (f"{kind}://" for kind in kinds)
        raise ConfigError(
            f"proxy must be a URL with a host that starts with {', '.join(others)} or {last}"
        )
    if not is_text or port == 0:
        raise ConfigError(
            "proxy must be a URL of printable ASCII characters without spaces, and its port must "
            "be from 1 to 65535"
        )
    return proxy


def check_nothing_beside(
    given: str, options: Mapping[str, object], defaults: Mapping[str, object]
) -> None:
    """Refuse settings of connections where the connections are somebody else's.

    Raises:
        ConfigError: naming those that would have had no effect.
    """
    useless = [name for name, value in options.items() if value != defaults[name]]
    if useless:
        raise ConfigError(
            f"{', '.join(useless)} would have no effect: the connections are those of the {given} "
            f"that was given. Set it there, or give no {given}"
        )

"""The connections that a pool of httpcore's has lost to cancelled requests."""

from __future__ import annotations

from typing import Any

from dgspay.core.messages import TransportFailure


def lost_connections(transport: object) -> TransportFailure | None:
    """Say how many places of its pool a transport of httpx has lost, or None where it has none.

    A request that is cancelled after it was assigned a new connection and before it has opened
    it leaves that connection in the pool for good: neither open, closed nor idle, and no
    request's (encode/httpcore#1093). When all places are taken so, every request waits in vain.
    """
    pool = getattr(transport, "_pool", None)
    connections = list(getattr(pool, "_connections", ()))
    in_use = [request.connection for request in list(getattr(pool, "_requests", ()))]
    lost = [
        connection
        for connection in connections
        if not any(connection is used for used in in_use) and not _is_usable(connection)
    ]
    if not lost:
        return None
    return TransportFailure(
        f"no connection of the pool became free in time, and never will for {len(lost)} of its "
        f"{len(connections)}: your httpx client has lost them to cancelled calls "
        "(encode/httpcore#1093). Make a new client, or use HttpxTransport() without one, whose "
        "own connections survive cancellation",
        sent=False,
        permanent=len(lost) == len(connections),
    )


def _is_usable(connection: Any) -> bool:
    return bool(connection.is_idle() or connection.is_closed() or connection.is_available())

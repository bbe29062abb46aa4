"""What has come on a connection beyond the answer that was read: in TLS, in a parser, in a queue.

It would be taken for the answer to the next request, which may be another payment. What is still
in the socket, httpcore sees itself.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from dgspay.transports.network_layer import HasInfo, HasState

ConnectionT = TypeVar("ConnectionT", bound=HasState)


def has_leftover(connection: HasState) -> bool:
    """Say whether more has come on a connection than the answer that was just read.

    A 204 with a body, or a proxy that answers twice: httpcore keeps what is too much, and would
    take it for the answer to the next request, which may be another payment.
    """
    link: object = connection
    while link is not None:
        state = getattr(link, "_h11_state", None)
        if state is not None:
            return bool(state.trailing_data[0])
        link = getattr(link, "_connection", None)
    return True  # better a new connection each time than one that cannot be looked into


def is_unread(stream: HasInfo) -> bool:
    """Say whether TLS has taken from the socket what nobody has read yet: bytes, or a goodbye.

    What shared a record with the end of an answer, or a packet where TLS is given what came by
    the packet, is not in the socket any more.
    """
    tls = stream.get_extra_info("ssl_object")
    if tls is None:
        return False
    if tls.pending():
        return True
    if not isinstance(tls, ssl.SSLObject):  # one that reads from the socket, record by record
        return False
    try:
        tls.read(1)
    except ssl.SSLWantReadError:
        return False
    except ssl.SSLError:
        return True
    return True


def unfit(connections: Iterable[ConnectionT]) -> list[ConnectionT]:
    """Return the connections of a pool that must not be used again."""
    return [
        connection
        for connection in list(connections)
        if connection.is_idle() and any(_holds_something(link) for link in _links(connection))
    ]


def _links(connection: HasState) -> Iterator[Any]:
    """Follow a connection down to the one that speaks HTTP; that of a proxy is around another."""
    link: object = connection
    while link is not None:
        yield link
        link = getattr(link, "_connection", None)


def _holds_something(link: Any) -> bool:
    state = getattr(link, "_h11_state", None)
    if state is None:  # another protocol: each of its answers says what it answers
        return False
    return bool(state.trailing_data[0]) or _is_queued(link._network_stream)  # noqa: SLF001


def _is_queued(stream: HasInfo) -> bool:
    if is_unread(stream):
        return True
    # On asyncio, anyio takes from the socket what nobody has asked for yet.
    link: object = stream
    while link is not None:
        if getattr(getattr(link, "_protocol", None), "read_queue", None):
            return True
        link = getattr(link, "_stream", None) or getattr(link, "transport_stream", None)
    return False

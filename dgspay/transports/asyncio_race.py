"""Connect to the first address of a host that answers, on asyncio; see `race`."""

from __future__ import annotations

import asyncio
import socket

from dgspay.transports.lookups import Address
from dgspay.transports.race import NEXT_ADDRESS_AFTER, Race


async def connect_async(
    addresses: list[Address], local_address: str | None = None
) -> socket.socket:
    """Return a socket that is connected to one of the addresses, however long it takes.

    Raises:
        OSError: when all have refused.
    """
    loop = asyncio.get_running_loop()
    with Race(addresses, local_address) as race:
        while True:
            race.begin()
            known = await _first_known_async(
                loop, race.running, NEXT_ADDRESS_AFTER if race.has_more else None
            )
            if known is not None and race.is_won_by(known):
                return known


async def _first_known_async(
    loop: asyncio.AbstractEventLoop, running: list[socket.socket], timeout: float | None
) -> socket.socket | None:
    known: asyncio.Future[socket.socket | None] = loop.create_future()

    def settle(sock: socket.socket | None) -> None:
        if not known.done():
            known.set_result(sock)

    timer = None if timeout is None else loop.call_later(timeout, settle, None)
    try:
        for sock in running:
            loop.add_writer(sock, settle, sock)
        return await known
    finally:
        if timer is not None:
            timer.cancel()
        for sock in running:
            loop.remove_writer(sock)

"""Look up the addresses of a host on asyncio; see `lookups`."""

from __future__ import annotations

import asyncio

from dgspay.transports.lookups import Address, begin


async def look_up_async(host: str, port: int) -> list[Address]:
    """Return the addresses of a host, however long it takes; see `lookups.look_up`."""
    pending = begin(host, port)
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    pending.waiting.append(lambda: loop.call_soon_threadsafe(over.set))
    if not pending.is_over:
        await over.wait()
    return pending.result()

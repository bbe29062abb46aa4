"""Server-sent events that notify browsers of changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import anyio
from starlette.responses import StreamingResponse

from dgspay.emulator.engine.change_feed import ChangeFeed

# A hundred changes at once are one message.
_GATHER_SECONDS = 0.1
# Proxies and browsers give up a line on which nothing comes.
_SILENCE_SECONDS = 15.0

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def changes(feed: ChangeFeed) -> StreamingResponse:
    """Return a stream with a `changed` event after every change, until the server stops."""
    return StreamingResponse(_events(feed), media_type="text/event-stream", headers=_HEADERS)


async def _events(feed: ChangeFeed) -> AsyncIterator[bytes]:
    changed = asyncio.Event()
    loop = asyncio.get_running_loop()
    epoch = feed.epoch

    def notice() -> None:
        # Called from the thread where the change happened.
        loop.call_soon_threadsafe(changed.set)

    with feed.watched_by(notice):
        yield b"retry: 1000\nevent: changed\ndata:\n\n"
        while feed.epoch == epoch:
            with anyio.move_on_after(_SILENCE_SECONDS) as silence:
                await changed.wait()
            if silence.cancelled_caught:
                yield b": still here\n\n"
                continue
            await anyio.sleep(_GATHER_SECONDS)
            changed.clear()
            if feed.epoch == epoch:
                yield b"event: changed\ndata:\n\n"

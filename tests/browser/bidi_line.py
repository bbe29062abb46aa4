"""Firefox on a line that Playwright can speak on: WebDriver BiDi, with what this Firefox lacks.

Playwright drives an unmodified Firefox over WebDriver BiDi, and sets up each profile with commands
that are newer than an ESR. This program stands in for Firefox: it starts the real one, passes all
messages on, and answers such a command as done where Firefox does not know it.

    python bidi_line.py /usr/bin/firefox-esr <Firefox's own arguments>
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterable

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")

# What the tests can do without: the colours of a page are Firefox's own.
DISPENSABLE = frozenset({"emulation.setMediaFeaturesOverride"})

# Screenshots come in one message.
LARGEST = 64 * 2**20


async def main(executable: str, *arguments: str) -> int:
    firefox = await asyncio.create_subprocess_exec(
        executable, *arguments, stderr=asyncio.subprocess.PIPE
    )
    assert firefox.stderr is not None
    try:
        async for raw in firefox.stderr:
            line = raw.decode(errors="replace")
            found = LISTENING.search(line)
            if found is None:
                sys.stderr.write(line)
                continue
            await listen(found[1])
        return await firefox.wait()
    finally:
        if firefox.returncode is None:
            firefox.kill()


async def listen(address: str) -> None:
    """Take the place of the address on which Firefox listens."""

    async def passed_on(playwright: ServerConnection) -> None:
        request = playwright.request
        path = "" if request is None else request.path
        async with connect(f"{address}{path}", max_size=LARGEST, proxy=None) as firefox:
            asked: set[int] = set()
            await asyncio.wait(
                {
                    asyncio.create_task(to_firefox(playwright, firefox, asked)),
                    asyncio.create_task(to_playwright(firefox, playwright, asked)),
                },
                return_when=asyncio.FIRST_COMPLETED,
            )

    server = await serve(passed_on, "127.0.0.1", 0, max_size=LARGEST)
    port = next(iter(server.sockets)).getsockname()[1]
    sys.stderr.write(f"WebDriver BiDi listening on ws://127.0.0.1:{port}\n")
    sys.stderr.flush()


async def to_firefox(
    playwright: AsyncIterable[str | bytes], firefox: ClientConnection, asked: set[int]
) -> None:
    async for message in playwright:
        command = json.loads(message)
        if command.get("method") in DISPENSABLE:
            asked.add(command["id"])
        await firefox.send(message)


async def to_playwright(
    firefox: AsyncIterable[str | bytes], playwright: ServerConnection, asked: set[int]
) -> None:
    async for message in firefox:
        answer = json.loads(message)
        if answer.get("error") == "unknown command" and answer.get("id") in asked:
            done = {"type": "success", "id": answer["id"], "result": {}}
            await playwright.send(json.dumps(done))
        else:
            await playwright.send(message)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))

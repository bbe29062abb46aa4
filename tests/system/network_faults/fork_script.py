"""Use one client before a fork and after it, in both processes."""

from __future__ import annotations

import os
import sys
from typing import Any

import anyio

from dgspay import AsyncDGSPay, DGSPay

SETTINGS: dict[str, Any] = {"api_key": "sk_test_1", "account_number": "ACC-1"}


def main(url: str) -> int:
    with DGSPay(**SETTINGS, base_url=url) as dgs:
        dgs.balances.list()
        child = os.fork()
        dgs.balances.list()
        dgs.balances.list()
        if child == 0:
            os._exit(0)
        _, status = os.waitpid(child, 0)
        dgs.balances.list()
    return os.waitstatus_to_exitcode(status)


def main_async(url: str, transport: Any = None) -> int:
    dgs = AsyncDGSPay(**SETTINGS, base_url=url, transport=transport)

    async def call() -> None:
        await dgs.balances.list()

    async def call_and_close() -> None:
        async with dgs:
            await dgs.balances.list()
            await dgs.balances.list()

    anyio.run(call)
    child = os.fork()
    anyio.run(call_and_close)
    if child == 0:
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def main_aiohttp(url: str) -> int:
    from dgspay.transports.aiohttp import AiohttpTransport

    return main_async(url, AiohttpTransport())


if __name__ == "__main__":
    sys.exit({"sync": main, "async": main_async, "aiohttp": main_aiohttp}[sys.argv[1]](sys.argv[2]))

"""Fork at any moment of another thread's work; every child must do the same work in time.

    python -m tests.system.network_faults.fork_storm KIND COUNT URL

The parent's thread works without a pause, and each child works once. A child that is not over in
time hangs, and the exit code is 1.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import signal
import ssl
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dgspay import AsyncDGSPay, DGSPay, RetryPolicy, Timeout, webhooks
from dgspay.core.operation import Operation
from dgspay.errors import DGSPayError
from dgspay.webhooks.inbox import Claim

PATIENCE = 40.0

_numbers = itertools.count()


def settings(url: str) -> dict[str, Any]:
    return {
        "api_key": "sk_test_1",
        "account_number": "ACC-1",
        "base_url": url,
        "retry": RetryPolicy(attempts=1),
        "timeout": Timeout(connect=5, read=5),
        "deadline": 10,
    }


def blocking(url: str) -> Callable[[], None]:
    """One client for all; over TLS, the certificates are not trusted, which is an answer too."""
    dgs = DGSPay(**settings(url))

    def work() -> None:
        with contextlib.suppress(DGSPayError):
            dgs.balances.list()

    return work


def new_clients(url: str) -> Callable[[], None]:
    """A client for each call, so that its certificates are read each time."""

    def work() -> None:
        blocking(url)()

    return work


def trusting(url: str) -> Callable[[], None]:
    """Whole calls over TLS."""
    from dgspay.transports.httpx import HttpxTransport

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    dgs = DGSPay(**settings(url), transport=HttpxTransport.blocking(verify=context))

    def work() -> None:
        dgs.balances.list()

    return work


def on_asyncio(url: str) -> Callable[[], None]:
    return _asynchronous(url, None)


def on_aiohttp(url: str) -> Callable[[], None]:
    from dgspay.transports.aiohttp import AiohttpTransport

    return _asynchronous(url, AiohttpTransport())


def _asynchronous(url: str, transport: Any) -> Callable[[], None]:
    dgs = AsyncDGSPay(**settings(url), transport=transport)

    async def call() -> None:
        with contextlib.suppress(DGSPayError):
            await dgs.balances.list()

    return lambda: asyncio.run(call())


def keys(url: str) -> Callable[[], None]:
    """The same key of the caller's own in the parent's thread and in every child."""
    dgs = DGSPay(**settings(url))
    operation: Operation[Any] = _payout()

    def work() -> None:
        try:
            dgs.execute(operation)
        except DGSPayError as error:
            if "in flight" in str(error):
                raise

    return work


def _payout() -> Operation[Any]:
    from dgspay import MobileMoneyRecipient
    from dgspay.api import disbursements

    to = MobileMoneyRecipient(msisdn="0788123456", network="MTN")
    return disbursements.create(amount=5, recipient=to, narration="x", idempotency_key="mine")


def inboxes(_: str) -> Callable[[], None]:
    memory = webhooks.MemoryInbox()
    file = webhooks.SQLiteInbox(Path(tempfile.mkdtemp()) / "inbox.sqlite3")

    def work() -> None:
        for inbox in (memory, file):
            key = f"{os.getpid()}-{next(_numbers)}"
            claim = inbox.claim(key, lease=60)
            assert isinstance(claim, Claim)
            inbox.done(claim)

    return work


KINDS: dict[str, Callable[[str], Callable[[], None]]] = {
    kind.__name__: kind
    for kind in (blocking, new_clients, trusting, on_asyncio, on_aiohttp, keys, inboxes)
}


def hangs(child: int) -> bool:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) != 0
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def main(kind: str, count: int, url: str) -> int:
    work = KINDS[kind](url)
    stopped = threading.Event()

    def go_on() -> None:
        while not stopped.is_set():
            work()

    thread = threading.Thread(target=go_on)
    thread.start()
    chance = random.Random(12)
    hung = 0
    for _ in range(count):
        time.sleep(chance.random() * 0.003)
        child = os.fork()
        if child == 0:
            try:
                work()
            except BaseException:  # noqa: BLE001 - whatever it is, the parent is told
                sys.excepthook(*sys.exc_info())
                os._exit(3)
            os._exit(0)
        hung += hangs(child)
    stopped.set()
    thread.join()
    sys.stdout.write(f"{hung} of {count} children hung\n")
    return 1 if hung else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))

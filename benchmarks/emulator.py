"""The claims: 1,500 charges a second on one core, 2 KB a transaction, the last page like the first.

    python benchmarks/emulator.py [--write benchmarks/emulator.md]

The server is `dgspay emulator` as it ships, with httptools and uvloop, held on one core; the
clients are a process of their own on another core, each on a connection that is kept, and
every charge has a body, a key and credentials like a real one. Beside it runs the least any
Python server on uvicorn could do: an ASGI application that answers the same bytes at once.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Generator
from pathlib import Path

import uvicorn

from dgspay.emulator import Emulator, VirtualClock
from dgspay.emulator.domain.credentials import ACCOUNT_NUMBER, API_KEY

CHARGES = 6_000
CONNECTIONS = 16
ROUNDS = 5
ROWS = 100_000
PAGE = 100
CHARGES_PER_SECOND = 1_500
BYTES_PER_TRANSACTION = 2_048

BODY = {
    "amount": 2000,
    "currency": "RWF",
    "payment_type": "mobile_money",
    "customer_email": "jane.doe@example.com",
    "customer_first_name": "Jane",
    "customer_last_name": "Doe",
    "customer_phone": "789654321",
    "customer_phone_country_code": "250",
    "redirect_url": "https://yourdomain.com/payment-success",
    "narration": "Payment for Invoice #5678",
    "mobile_money_network": "MTN",
    "mobile_money_phone": "789654321",
}


# --- the servers, each in a process of its own ----------------------------------------------


def serve_emulator() -> None:
    with Emulator() as emulator, emulator.serve() as served:
        print(served.port, flush=True)
        sys.stdin.read()


def serve_remembering() -> None:
    with (
        tempfile.TemporaryDirectory() as directory,
        Emulator(state=Path(directory, "emulator.db")) as emulator,
        emulator.serve() as served,
    ):
        print(served.port, flush=True)
        sys.stdin.read()


def serve_floor() -> None:
    answer = json.dumps({"status": "success", **BODY}).encode()
    start = {
        "type": "http.response.start",
        "status": 200,
        "headers": [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(answer)).encode()),
        ],
    }

    async def app(scope: object, receive: object, send: object) -> None:
        while (await receive())["more_body"]:  # type: ignore[operator]
            pass
        await send(start)  # type: ignore[operator]
        await send({"type": "http.response.body", "body": answer})  # type: ignore[operator]

    config = uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)

    async def run() -> None:
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn says it by this flag alone
            await asyncio.sleep(0.01)
        print(server.servers[0].sockets[0].getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)
        server.should_exit = True
        await serving

    # As uvicorn itself would: on uvloop where it is installed.
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(run())


SAID_OF = {
    "emulator": "charges/s, emulator",
    "remembering": "charges/s, emulator with a state file",
    "floor": "requests/s, a bare ASGI application",
}
ROLES = {"emulator": serve_emulator, "remembering": serve_remembering, "floor": serve_floor}


@contextlib.contextmanager
def running(role: str, core: int | None) -> Generator[int]:
    process = subprocess.Popen(
        [sys.executable, __file__, "--role", role],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    if core is not None:
        os.sched_setaffinity(process.pid, {core})
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


# --- the clients ----------------------------------------------------------------------------


def request_bytes(key: str) -> bytes:
    body = json.dumps(BODY).encode()
    head = (
        "POST /generation/v2/charges HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"X-DGS-API-Key: {API_KEY}\r\nX-DGS-ACCOUNT-NUMBER: {ACCOUNT_NUMBER}\r\n"
        f"Idempotency-Key: {key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def charge(port: int, keys: itertools.count[int], until: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (number := next(keys)) < until:
        writer.write(request_bytes(f"bench-{number:026d}"))
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
    writer.close()
    await writer.wait_closed()


async def rate(port: int, first: int, count: int) -> float:
    keys = itertools.count(first)
    started = time.perf_counter()
    await asyncio.gather(*(charge(port, keys, first + count) for _ in range(CONNECTIONS)))
    return count / (time.perf_counter() - started)


def throughput() -> dict[str, list[float]]:
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    server_core = cores[0] if len(cores) > 1 else None
    if len(cores) > 1:
        os.sched_setaffinity(0, set(cores[1:]))
    # Apart: an emulator settles its charges for seconds after a round, on the others' core.
    return in_turns(("emulator", "floor"), server_core) | in_turns(("remembering",), server_core)


def in_turns(roles: tuple[str, ...], core: int | None) -> dict[str, list[float]]:
    rates: dict[str, list[float]] = {role: [] for role in roles}
    with contextlib.ExitStack() as servers:
        ports = {role: servers.enter_context(running(role, core)) for role in roles}
        for port in ports.values():
            asyncio.run(rate(port, 10**12, 500))  # to get warm
            gc.collect()
        for turn in range(ROUNDS):
            for role, port in ports.items():
                rates[role].append(asyncio.run(rate(port, turn * CHARGES, CHARGES)))
    return rates


# --- memory and pages -----------------------------------------------------------------------


def memory_per_transaction() -> float:
    """Charge in this process until old requests and webhooks are let go, then measure."""
    with Emulator(clock=VirtualClock(), settle_after=0.0) as emulator:
        headers = {
            "X-DGS-API-Key": emulator.api_key,
            "X-DGS-ACCOUNT-NUMBER": emulator.account_number,
        }
        with emulator.http_client() as client:

            def charges(first: int, count: int) -> None:
                for number in range(first, first + count):
                    # Each from a customer of its own.
                    phone = f"78{number:07d}"
                    customer = {
                        "customer_email": f"payer.{number}@example.com",
                        "customer_phone": phone,
                        "mobile_money_phone": phone,
                        "narration": f"Payment for Invoice #{number}",
                    }
                    body = json.dumps({**BODY, **customer}).encode()
                    key = {"Idempotency-Key": f"bench-{number:026d}"}
                    client.post("/charges", content=body, headers={**headers, **key})

            tracemalloc.start()
            charges(0, 11_000)
            gc.collect()
            before = tracemalloc.get_traced_memory()[0]
            charges(11_000, 20_000)
            gc.collect()
            after = tracemalloc.get_traced_memory()[0]
            tracemalloc.stop()
    return (after - before) / 20_000


def page_times() -> tuple[float, dict[str, list[float]], float]:
    """Return seconds to generate, for pages of some kinds, and to walk all pages."""
    with Emulator(clock=VirtualClock()) as emulator:
        started = time.perf_counter()
        emulator.generate(ROWS, seed="benchmark")
        generated = time.perf_counter() - started
        headers = {
            "X-DGS-API-Key": emulator.api_key,
            "X-DGS-ACCOUNT-NUMBER": emulator.account_number,
        }
        with emulator.http_client() as client:

            def page(number: int, **filters: str) -> float:
                query = {"page": str(number), "limit": str(PAGE), **filters}
                started = time.perf_counter()
                answer = client.get("/transactions", params=query, headers=headers)
                elapsed = time.perf_counter() - started
                assert len(answer.json()["data"]) == PAGE
                return elapsed

            last_page = ROWS // PAGE
            paid = sum(row.status == "successful" for row in emulator.transactions)
            times: dict[str, list[float]] = {"first": [], "last": [], "filtered": []}
            for _ in range(200):
                times["first"].append(page(1))
                times["last"].append(page(last_page))
                times["filtered"].append(page(paid // PAGE, status="success"))
            started = time.perf_counter()
            for number in range(1, last_page + 1):
                page(number)
            walked = time.perf_counter() - started
    return generated, times, walked


# --- the report -----------------------------------------------------------------------------


def report() -> str:
    rates = throughput()
    memory = memory_per_transaction()
    generated, times, walked = page_times()
    speeds = [
        f"| {words} | {statistics.median(rates[role]):,.0f} | {max(rates[role]):,.0f} |"
        for role, words in SAID_OF.items()
    ]
    page = {kind: statistics.median(values) for kind, values in times.items()}
    ratio = max(page["last"], page["filtered"]) / page["first"]
    is_held = (
        statistics.median(rates["emulator"]) >= CHARGES_PER_SECOND
        and memory < BYTES_PER_TRANSACTION
        and ratio < 1.5
    )
    return f"""# The emulator's speed

{__doc__.split(chr(10))[0] if __doc__ else ""}

Python {platform.python_version()}, uvicorn {uvicorn.__version__}, {platform.machine()}, the server
on one core. {CHARGES:,} charges a round over {CONNECTIONS} connections, {ROUNDS} rounds in turns.
The claim is held to the median; the best round says what the code can do.

| | median | best |
|---|---:|---:|
{chr(10).join(speeds)}

| | |
|---|---:|
| bytes per transaction, its key and its kept answer included | {memory:,.0f} |
| seconds to generate {ROWS:,} transactions | {generated:.1f} |
| ms for the first page of {PAGE} among {ROWS:,} | {page["first"] * 1000:.2f} |
| ms for the last page | {page["last"] * 1000:.2f} |
| ms for the last page of those with status=success | {page["filtered"] * 1000:.2f} |
| seconds to walk all {ROWS // PAGE:,} pages | {walked:.1f} |

The claims are {"held" if is_held else "NOT held"} in this run.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="write the table to this file")
    parser.add_argument("--role", choices=list(ROLES), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.role:
        ROLES[arguments.role]()
        return
    text = report()
    if arguments.write:
        arguments.write.write_text(text)
    print(text)


if __name__ == "__main__":
    main()

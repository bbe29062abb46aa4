"""One contestant in a process of its own, so that none pays for what another has loaded.

    python -m benchmarks.worker "dgspay on aiohttp" http://127.0.0.1:8000

It says that it is ready, or what it lacks, and then answers each line such as
`{"concurrency": 32, "seconds": 0.5}` with what that many calls at once have come to. With
`--calls N` it makes just N calls one after the other, for a counter of instructions around it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
import time

from benchmarks.contestants import ASYNC, BLOCKING, AsyncCall, Call

WARM_UP = 0.1

Usage = dict[str, float]


async def _keep_calling(call: AsyncCall, concurrency: int, seconds: float) -> int:
    """Call from so many tasks until the time is up; return how many calls that were."""
    made = 0
    until = time.perf_counter() + seconds

    async def work() -> None:
        nonlocal made
        while True:
            await call()
            made += 1
            if time.perf_counter() >= until:
                return

    await asyncio.gather(*(work() for _ in range(concurrency)))
    return made


async def measure(name: str, url: str, concurrency: int, seconds: float) -> Usage:
    """Measure a contestant with a client of its own, its connections open and warm."""
    async with ASYNC[name].build(url) as call:
        warm = await _keep_calling(call, concurrency, WARM_UP)
        gc.collect()
        cpu, began = time.process_time(), time.perf_counter()
        made = await _keep_calling(call, concurrency, seconds)
        return _usage(made, began, cpu, warm)


def measure_blocking(name: str, url: str, seconds: float) -> Usage:
    """Measure a blocking contestant, one call after the other."""
    with BLOCKING[name](url) as call:
        warm = _call_until(call, time.perf_counter() + WARM_UP)
        gc.collect()
        cpu, began = time.process_time(), time.perf_counter()
        made = _call_until(call, began + seconds)
        return _usage(made, began, cpu, warm)


def _call_until(call: Call, until: float) -> int:
    made = 0
    while time.perf_counter() < until:
        call()
        made += 1
    return made


def _usage(made: int, began: float, cpu: float, warm: int) -> Usage:
    return {
        "rate": made / (time.perf_counter() - began),
        "cpu": (time.process_time() - cpu) / made,
        "calls": made + warm,
    }


def make_calls(name: str, url: str, count: int) -> object:
    """Make so many calls one after the other and return what the last one gave."""
    if name in BLOCKING:
        with BLOCKING[name](url) as call:
            return [call() for _ in range(count)][-1]

    async def calls() -> object:
        async with ASYNC[name].build(url) as call:
            return [await call() for _ in range(count)][-1]

    return asyncio.run(calls())


def _answer_lines(name: str, url: str) -> None:
    for line in sys.stdin:
        told = json.loads(line)
        if name in BLOCKING:
            usage = measure_blocking(name, url, told["seconds"])
        else:
            usage = asyncio.run(measure(name, url, told["concurrency"], told["seconds"]))
        print(json.dumps(usage), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("name", choices=[*ASYNC, *BLOCKING])
    parser.add_argument("url")
    parser.add_argument("--calls", type=int, help="make so many calls and end")
    chosen = parser.parse_args()
    try:
        make_calls(chosen.name, chosen.url, 3 if chosen.calls is None else chosen.calls)
    except ImportError as error:
        print(json.dumps({"missing": str(error)}), flush=True)
        return
    if chosen.calls is None:
        print(json.dumps({"ready": True}), flush=True)
        _answer_lines(chosen.name, chosen.url)


if __name__ == "__main__":
    main()

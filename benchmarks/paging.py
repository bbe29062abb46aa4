"""The claims about lists: prefetching hides the latency, and a million rows stay on the disk.

`python -m benchmarks.paging ROWS URL` is the program whose memory is watched: it streams the
rows and prints its resident memory before, at the highest and after, in MiB.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from benchmarks import canned
from benchmarks.canned import PREFIX
from benchmarks.children import child, command, two_cores
from benchmarks.report import Claim, Section, table
from benchmarks.rounds import Spread, ratios, take_turns
from dgspay import AsyncDGSPay

ROWS, LATENCY, PREFETCH = 10_000, 0.050, 8
MILLION, MIB_AT_MOST = 1_000_000, 20.0
LIMIT = 100

Walk = Callable[[str], Coroutine[Any, Any, int]]


def _client(url: str) -> AsyncDGSPay:
    return AsyncDGSPay(
        api_key="sk_test_benchmark",
        account_number="ACC-0001234",
        environment="emulator",
        base_url=url + PREFIX,
    )


def _dgspay(prefetch: int) -> Walk:
    async def walk(url: str) -> int:
        seen = 0
        async with _client(url) as dgs:
            async for _ in dgs.transactions.list(limit=LIMIT, prefetch=prefetch):
                seen += 1
        return seen

    return walk


async def _stripe(url: str) -> int:
    import stripe  # noqa: PLC0415 - only this walk needs it

    http_client: Any = stripe.HTTPXClient()
    client: Any = stripe.StripeClient(
        "sk_test_benchmark", base_addresses={"api": url}, http_client=http_client
    )
    seen = 0
    page = await client.v1.payment_intents.list_async(params={"limit": LIMIT})
    async for _ in page.auto_paging_iter():
        seen += 1
    await http_client.close_async()
    return seen


OURS, SEQUENTIAL, STRIPE = f"dgspay, prefetch={PREFETCH}", "dgspay, page by page", "stripe"
WALKS: dict[str, Walk] = {
    OURS: _dgspay(PREFETCH),
    SEQUENTIAL: _dgspay(1),
    STRIPE: _stripe,
}


def speed(rows: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of each walk through a list, by round."""
    walks = dict(WALKS)
    try:
        import stripe  # noqa: F401, PLC0415 - it may not be there
    except ImportError:
        del walks[STRIPE]
    with canned.running(rows=rows, latency=LATENCY, core=two_cores().server) as server:

        def turn(name: str) -> float:
            gc.collect()
            began = time.perf_counter()
            seen = asyncio.run(walks[name](server.url))
            assert seen == rows, f"{name} gave {seen} rows of {rows}"
            return time.perf_counter() - began

        return take_turns(list(walks), rounds, turn)


# --- memory -----------------------------------------------------------------------------------


def resident_mib() -> float:
    """Return the memory this process has resident, in MiB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


async def _stream(rows: int, url: str) -> list[float]:
    async with _client(url) as dgs:
        pager = dgs.transactions.list(limit=LIMIT, prefetch=PREFETCH)
        before, highest, seen = 0.0, 0.0, 0
        async for page in pager.pages():
            seen += len(page)
            if not before and seen >= rows // 100:
                # Here all code is loaded and the window of prefetched pages is full.
                before = resident_mib()
            highest = max(highest, resident_mib())
        assert seen == rows, f"{seen} rows of {rows}"
        return [before, highest, resident_mib()]


def memory(rows: int) -> list[float]:
    """MiB resident before, at the highest and after a stream of rows, in a process of its own."""
    cores = two_cores()
    with (
        canned.running(rows=rows, core=cores.server) as server,
        child(command("paging", str(rows), server.url), core=cores.clients) as streaming,
    ):
        measured: list[float] = streaming.listen()
        return measured


def section(*, quick: bool) -> Section:
    """Run it; about two minutes, or half a minute if quick."""
    times = speed(ROWS, 1 if quick else 3)
    rows = MILLION // 10 if quick else MILLION
    before, highest, after = memory(rows)
    claims = [
        Claim(
            text=f"{ROWS:,} rows at {LATENCY * 1000:.0f} ms, prefetch={PREFETCH}: speed of {name}",
            seen=Spread.of(ratios(times[name], times[OURS])),
            target=6.0,
            at_least=True,
        )
        for name in times
        if name != OURS
    ]
    grown = highest - before
    claims.append(
        Claim(
            text=f"{rows:,} rows streamed: memory grows by",
            seen=Spread(grown, grown, grown),
            target=MIB_AT_MOST,
            unit="MiB",
        )
    )
    lines = (
        (name, Spread.of(spent).show(), f"{ROWS / Spread.of(spent).median:,.0f}")
        for name, spent in times.items()
    )
    text = f"""\
{table(("walk", "seconds", "rows a second"), lines)}

{rows:,} rows with `prefetch={PREFETCH}`: {before:.1f} MiB resident once the window is full,
{highest:.1f} at the highest, {after:.1f} at the end. Pages of {LIMIT} rows; stripe is its
`auto_paging_iter` on a list of as many objects of its kind, from the same server.
"""
    return Section(
        name="paging", title="Lists", claims=claims, text=text, peers=("httpx", "stripe")
    )


def main() -> None:
    rows, url = sys.argv[1:]
    print(json.dumps(asyncio.run(_stream(int(rows), url))), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()

"""The claims about importing: dgspay beside the SDKs and libraries, in fresh interpreters."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

from benchmarks.report import Claim, Section, table
from benchmarks.rounds import Spread, ratios, take_turns

STATEMENTS = (
    "import dgspay",
    "import dgspay.webhooks",
    "from dgspay import AsyncDGSPay, Customer",
    "import httpx",
    "import httpx2",
    "import aiohttp",
    "import stripe",
    "import openai",
)
PEERS = ("httpx", "httpx2", "aiohttp", "stripe", "openai")

_MEASURE = (
    "import time; began = time.perf_counter(); {statement}; print(time.perf_counter() - began)"
)


def once(statement: str) -> float:
    """Return the seconds a statement takes in an interpreter of its own."""
    code = _MEASURE.format(statement=statement)
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(ran.stdout)


def _is_there(statement: str) -> bool:
    return importlib.util.find_spec(statement.split()[1]) is not None


def section(*, quick: bool) -> Section:
    """Run it; about a minute, or ten seconds if quick."""
    statements = [statement for statement in STATEMENTS if _is_there(statement)]
    for statement in statements:
        once(statement)  # fills the caches of compiled modules and of the disk
    times = take_turns(statements, 3 if quick else 21, once)
    ours = times["import dgspay"]

    def row(statement: str) -> tuple[str, ...]:
        spent = times[statement]
        milliseconds = Spread.of(spent).times(1000).show(1)
        return f"`{statement}`", milliseconds, Spread.of(ratios(ours, spent)).show()

    claims = [
        Claim(
            text=f"`import dgspay`: time of `{peer}`",
            seen=Spread.of(ratios(ours, times[peer])),
            target=target,
        )
        for peer, target in (("import stripe", 0.35), ("import httpx", 0.5))
        if peer in times
    ]
    return Section(
        name="imports",
        title="Importing",
        claims=claims,
        text=table(("statement", "ms", "`import dgspay` against it"), map(row, statements)),
        peers=PEERS,
    )

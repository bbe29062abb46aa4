"""Where a call's time goes: samples of the stack, taken by py-spy from outside the process."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from benchmarks import canned
from benchmarks.children import ROOT, command, two_cores
from benchmarks.report import Section, table

NAMES = ("dgspay on aiohttp", "dgspay on httpx")
CALLS = 12_000
SAMPLES_PER_SECOND = 400

# Whose time it is, by the innermost frame that is one of these; `json` and the like then count
# for who called them.
_PARTS = (
    ("dgspay/models", "dgspay: JSON, and values into types (models)"),
    ("dgspay/api", "dgspay: arguments checked, the operation made (api)"),
    ("dgspay/core", "dgspay: policy, headers, verdict (core)"),
    ("dgspay/transports", "dgspay: transport"),
    ("dgspay/", "dgspay: client, drivers, hooks"),
    ("aiohttp/", "aiohttp"),
    ("yarl/", "aiohttp"),
    ("multidict/", "aiohttp"),
    ("httpcore/", "httpcore"),
    ("httpx/", "httpx"),
    ("h11/", "h11"),
    ("anyio/", "anyio"),
    ("asyncio/", "asyncio, sockets included"),
)
_FRAME = re.compile(r"\(([^()]*):\d+\)")


def whose(stack: str) -> str | None:
    """Return whose time a sampled stack is; None for what is no part of a call."""
    if "make_calls" not in stack:
        return None
    for file in reversed(_FRAME.findall(stack)):
        for path, part in _PARTS:
            if path in file:
                return part
    return "the loop of the benchmark"


def shares(lines: Iterable[str]) -> dict[str, float]:
    """Return the share of each part in lines of collapsed stacks, the largest first."""
    counted: Counter[str] = Counter()
    for line in lines:
        stack, _, count = line.rpartition(" ")
        if (part := whose(stack)) is not None:
            counted[part] += int(count)
    return {part: count / counted.total() for part, count in counted.most_common()}


def _sampled(name: str, url: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        stacks = Path(folder) / "stacks"
        sampler = [
            *("py-spy", "record", "--format", "raw", "--full-filenames", "--output", str(stacks)),
            *("--rate", str(SAMPLES_PER_SECOND), "--"),
        ]
        argv = [*sampler, *command("worker", name, url, "--calls", str(CALLS))]
        subprocess.run(argv, cwd=ROOT, capture_output=True, check=True, timeout=600)
        return shares(stacks.read_text(encoding="utf-8").splitlines())


def section(*, quick: bool) -> Section:
    """Take the samples; half a minute."""
    text = "No profile was taken: py-spy is not installed."
    if shutil.which("py-spy") is not None:
        with canned.running(core=two_cores().server) as server:
            taken = {name: _sampled(name, server.url) for name in NAMES[: 1 if quick else None]}
        parts = {part: None for of_one in taken.values() for part in of_one}
        text = table(
            ("whose time, one call at a time", *taken),
            ((part, *(f"{of.get(part, 0):.0%}" for of in taken.values())) for part in parts),
        )
    return Section(
        name="profile", title="Where a call's time goes", claims=[], text=text, peers=("py-spy",)
    )

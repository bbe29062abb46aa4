"""Instructions per call, counted by valgrind, for what no clock can tell apart on a busy machine.

    python -m benchmarks.instructions [name ...]

A contestant runs under valgrind with few calls and again with more, one after the other; the
difference is what the calls alone have cost, without the start of the interpreter. Hashes are
the same in every run. The kernel's share is not in it.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence

from benchmarks import canned
from benchmarks.children import ROOT, command, two_cores
from benchmarks.report import Section, table

FEW, MORE = 20, 120
PEERS = ("aiohttp", "httpx", "httpx2")
PAIRS = (
    ("dgspay on aiohttp", "aiohttp"),
    ("prototype on aiohttp", "aiohttp"),
    ("dgspay on httpx", "httpx"),
    ("dgspay on httpx2", "httpx2"),
    ("dgspay, blocking", "httpx.Client"),
)

_COUNTING = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")


def is_possible() -> bool:
    """Whether valgrind is there."""
    return shutil.which("valgrind") is not None


def counted(argv: Sequence[str], environment: Mapping[str, str]) -> int:
    """Return the instructions a program takes, without the kernel's share."""
    ran = subprocess.run(
        [*_COUNTING, *argv],
        cwd=ROOT,
        env={**environment, "PYTHONHASHSEED": "0", "PYTHONMALLOC": "pymalloc"},
        capture_output=True,
        text=True,
        check=True,
        timeout=900,
    )
    found = re.search(r"I\s+refs:\s+([\d,]+)", ran.stderr)
    assert found is not None, ran.stderr
    return int(found[1].replace(",", ""))


def per_call(name: str, url: str) -> float:
    """Return the instructions one call of a contestant costs."""
    few, more = (
        counted(command("worker", name, url, "--calls", str(calls)), os.environ)
        for calls in (FEW, MORE)
    )
    return (more - few) / (MORE - FEW)


def rows(names: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Count for the pairs asked for: dgspay and what lies beneath it."""
    with canned.running(core=two_cores().server) as server:
        for ours, beneath in PAIRS:
            if names and ours not in names:
                continue
            own, base = per_call(ours, server.url), per_call(beneath, server.url)
            yield beneath, f"{base:,.0f}", "1.00"
            yield ours, f"{own:,.0f}", f"{own / base:.2f}"


def section(names: Sequence[str] = ()) -> Section:
    """Count; some minutes, and it says so where valgrind is missing."""
    text = "Instructions were not counted: valgrind is not installed."
    if is_possible():
        head = ("one at a time", "instructions per call", "of what lies beneath")
        text = table(head, rows(names)) + (
            "\n\nCounted by cachegrind as the difference between a run of "
            f"{MORE} calls and one of {FEW}; the kernel's share is not in it."
        )
    return Section(name="instructions", title="Instructions", claims=[], text=text, peers=PEERS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help=f"some of {', '.join(ours for ours, _ in PAIRS)}")
    print(section(parser.parse_args().names).text)


if __name__ == "__main__":
    main()

"""Run the benchmarks, each claim beside its peers: `python -m benchmarks --only calls`."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    calls,
    cold_start,
    encryption,
    hot_path,
    import_cost,
    instructions,
    paging,
    webhooks,
)
from benchmarks.report import RESULTS, Section, write

SECTIONS: dict[str, Callable[[bool, Path | None], Section]] = {
    "calls": lambda quick, plot: calls.section(quick=quick, plot=plot),
    "profile": lambda quick, _: hot_path.section(quick=quick),
    "instructions": lambda *_: instructions.section(),
    "paging": lambda quick, _: paging.section(quick=quick),
    "imports": lambda quick, _: import_cost.section(quick=quick),
    "cold-start": lambda quick, _: cold_start.section(quick=quick),
    "webhooks": lambda quick, _: webhooks.section(quick=quick),
    "encryption": lambda quick, _: encryption.section(quick=quick),
}
# Valgrind takes minutes for it.
ONLY_WHEN_ASKED = {"instructions"}
# Stays in the results as it was written: what the figures mean, and what was tried.
BY_HAND = ("notes",)


def _other_work() -> str:
    """Say what else the machine was doing: a load of its own number of cores is a full one."""
    return f", load average {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    usual = [name for name in SECTIONS if name not in ONLY_WHEN_ASKED]
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=usual, help="a part of them")
    parser.add_argument("--quick", action="store_true", help="few rounds; writes nothing")
    parser.add_argument("--write", type=Path, help="the Markdown file to write")
    given = sys.argv[1:] if argv is None else argv
    chosen = parser.parse_args(given)
    target: Path | None = chosen.write or (None if chosen.quick else RESULTS)
    plot = None if target is None else target.with_name(calls.PLOT.name)
    command = shlex.join(["python", "-m", "benchmarks", *given])
    missed = 0
    for name in chosen.only:
        when = f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC{_other_work()}"
        section = SECTIONS[name](chosen.quick, plot)
        text = section.markdown(command, when)
        print(text, flush=True)
        if target is not None:
            # At once, so that what was measured is kept if a later one is interrupted.
            write(target, {name: text}, [*SECTIONS, *BY_HAND])
        missed += sum(not claim.is_held for claim in section.claims)
    print("All claims held." if not missed else f"{missed} claims missed.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

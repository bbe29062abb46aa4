"""What importing costs: dgspay and its client against httpx, in fresh interpreters, in turn.

Run with `python -m benchmarks.import_cost`; the figures seen are in import_cost.md.
"""

from __future__ import annotations

import statistics
import subprocess
import sys

ROUNDS = 21

STATEMENTS = (
    "import httpx",
    "import dgspay",
    "from dgspay import AsyncDGSPay, Customer",
    "import dgspay.webhooks",
)

_MEASURE = (
    "import time; began = time.perf_counter(); {statement}; print(time.perf_counter() - began)"
)


def once(statement: str) -> float:
    """Seconds the statement takes in an interpreter of its own."""
    code = _MEASURE.format(statement=statement)
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(ran.stdout)


def main() -> None:
    """Take turns, so that a slow moment of the machine meets all of them alike."""
    for statement in STATEMENTS:
        once(statement)  # fills the caches of compiled modules and of the disk
    rounds = [[once(statement) for statement in STATEMENTS] for _ in range(ROUNDS)]
    print(f"Python {sys.version.split()[0]}, {ROUNDS} rounds, each against `import httpx`\n")
    print("| statement | median ms | median ratio | lowest | highest |")
    print("|---|---|---|---|---|")
    for index, statement in enumerate(STATEMENTS):
        ratios = [times[index] / times[0] for times in rounds]
        milliseconds = 1000 * statistics.median(times[index] for times in rounds)
        print(
            f"| `{statement}` | {milliseconds:.1f} | {statistics.median(ratios):.2f} "
            f"| {min(ratios):.2f} | {max(ratios):.2f} |"
        )


if __name__ == "__main__":
    main()

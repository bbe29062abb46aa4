"""The mutation test: changes to the code that money depends on, tried with the tests of their file.

`python -m benchmarks.mutants 'dgspay/core/*'` tries those of some files; without a pattern, of all
that `only_mutate` in pyproject.toml names. It fails where a change survives that
`equivalent_mutants.txt` does not have, or where what that file has no longer survives.
"""

from __future__ import annotations

import argparse
import fnmatch
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mutmut.configuration import config
from mutmut.mutation.diff_apply import get_diff_for_mutant

from benchmarks.mutant_trials import KILLED, try_changes

EQUIVALENT = Path(__file__).with_name("equivalent_mutants.txt")

# Instead of the others of the folder.
FURTHER_TESTS = {
    "dgspay/checkout/transitions.py": (
        "tests/checkout/test_attempts.py",
        "tests/checkout/test_handlers.py",
        "tests/checkout/test_refunds.py",
    ),
    "dgspay/payouts/model/transitions.py": ("tests/payouts/model/test_evidence.py",),
}


class Change(NamedTuple):
    """One change to a function.

    Attributes:
        function: The function by its whole name.
        lines: The lines that differ, as in a diff.
    """

    function: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join((self.function, *self.lines))


def equivalent_changes() -> Iterator[Change]:
    """Read the changes that change nothing: each a block of lines, with reasons between them."""
    for block in EQUIVALENT.read_text(encoding="utf-8").split("\n\n"):
        function, *lines = (line.strip() for line in block.strip().splitlines())
        if not function.startswith("#"):
            yield Change(function, tuple(lines))


def named_tests(source: Path) -> list[str]:
    """Return the test files that are named for a source file, without those that are left out."""
    folder = Path("tests", *source.parts[1:-1])
    found = {*folder.glob(f"test_{source.stem}.py"), *folder.glob(f"test_{source.stem}_*.py")}
    left_out = config().pytest_add_cli_args
    return sorted(str(path) for path in found if f"--ignore={path}" not in left_out)


def further_tests(source: Path) -> tuple[str, ...]:
    """Return what else tests a source file: its folder, if there is one in the tests."""
    folder = Path("tests", *source.parts[1:-1])
    others = (str(folder),) if folder != Path("tests") and folder.is_dir() else ()
    return FURTHER_TESTS.get(source.as_posix(), others)


def change_of(source: Path, name: str) -> Change:
    """Return the change of mutmut's that has this name."""
    diff = get_diff_for_mutant(name, path=source).splitlines()
    lines = [f"{line[0]} {line[1:].strip()}" for line in diff[2:] if line[0] in "+-"]
    return Change(name.rpartition("__mutmut_")[0], tuple(lines))


def verdict(source: Path, outcome: dict[str, str], known: set[Change]) -> tuple[str, list[str]]:
    """Return a file's row of the table, and what was not expected of it."""
    alive = {name: change_of(source, name) for name, how in outcome.items() if how != KILLED}
    unexpected = [f"{outcome[name]}: {one}" for name, one in alive.items() if one not in known]
    cells = (
        f"`{source}`",
        len(outcome),
        len(outcome) - len(alive),
        len(alive) - len(unexpected),
        len(unexpected),
    )
    prefix = ".".join(source.with_suffix("").parts) + ".x"
    gone = {one for one in known if one.function.startswith(prefix)}.difference(alive.values())
    unexpected += [f"no longer alive, so that its entry is to go: {one}" for one in gone]
    return f"| {' | '.join(map(str, cells))} |", unexpected


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutants", description=__doc__)
    parser.add_argument("patterns", nargs="*", metavar="FILE", help="a file, or a pattern of files")
    patterns = parser.parse_args(argv).patterns or config().only_mutate
    sources = (path.as_posix() for path in Path("dgspay").rglob("*.py"))
    chosen = sorted(path for path in sources if any(fnmatch.fnmatch(path, one) for one in patterns))
    if not chosen:
        parser.error(f"no file of dgspay matches {' or '.join(patterns)}")
    known = set(equivalent_changes())
    rows = ["| file | changes | killed | equivalent | unexplained |", "|---|---|---|---|---|"]
    unexpected: list[str] = []
    for path in chosen:
        source = Path(path)
        outcome = try_changes(source, named_tests(source), further_tests(source))
        row, more = verdict(source, outcome, known)
        print(row, *more, sep="\n\n", end="\n\n", flush=True)
        rows.append(row)
        unexpected += more
    print("\n".join(rows))
    return 1 if unexpected else 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Prints which tests hold which row of the acceptance list: `python -m tests.acceptance.table`.

It exits with 1 where a row has no test, or a test names a row wrongly.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

import pytest

from tests.acceptance.rows import NOT_YET, ROWS, named

Holders = Mapping[int, Mapping[str, int]]
"""For each row its tests, and how many cases of each."""


class Collector:
    """A pytest plugin that notes the tests marked `acceptance(...)`.

    Attributes:
        holders: The tests it found, by row.
    """

    def __init__(self) -> None:
        self.holders: dict[int, dict[str, int]] = {}

    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        """Note every test once it was collected."""
        for item in items:
            marks = item.iter_markers("acceptance")
            for row in {row for mark in marks for row in named(*mark.args)}:
                cases = self.holders.setdefault(row, {})
                name = item.nodeid.partition("[")[0]
                cases[name] = cases.get(name, 0) + 1


def table(holders: Holders) -> Iterable[str]:
    """Write the rows with their tests."""
    for row, (short, text) in ROWS.items():
        yield f"{row:>3}  {short}: {text}"
        for name, cases in sorted(holders.get(row, {}).items()):
            yield f"       {name}" + (f" ({cases} cases)" if cases > 1 else "")


def faults(holders: Holders, not_yet: AbstractSet[int] = NOT_YET) -> list[str]:
    """Say what is wrong with the table."""
    missing = [row for row in ROWS if row not in holders and row not in not_yet]
    landed = [row for row in ROWS if row in holders and row in not_yet]
    return [
        *(f"row {row} has no test: {ROWS[row].text}" for row in missing),
        *(f"row {row} has tests: take it out of NOT_YET" for row in landed),
    ]


def main(arguments: Sequence[str]) -> int:
    """Collect the tests under the paths given, or all, and print the table."""
    collector = Collector()
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        status = pytest.main(["--collect-only", *(arguments or ["tests"])], plugins=[collector])
    if status != pytest.ExitCode.OK:
        print(said.getvalue(), "the tests cannot be collected", sep="\n")  # noqa: T201
        return 1
    for line in table(collector.holders):
        print(line)  # noqa: T201
    wrong = faults(collector.holders)
    tests = {name for cases in collector.holders.values() for name in cases}
    print(f"\n{len(ROWS)} rows, {len(tests)} tests", *wrong, sep="\n")  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The table of the acceptance list finds what is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.acceptance.rows import ROWS
from tests.acceptance.table import faults, table

WHOLE = {row: {"tests/test_it.py::test_it": 1} for row in ROWS}


def test_a_whole_table_has_no_fault_and_shows_every_row() -> None:
    assert faults(WHOLE) == []
    lines = [*table(WHOLE)]
    assert len(lines) == 2 * len(ROWS)
    assert [*ROWS] == [*range(1, 75), *range(95, 106)]
    assert all(len(text) <= 90 for text in ROWS.values())


def test_a_row_without_a_test_and_a_test_without_a_row_are_faults() -> None:
    holders = {**WHOLE, 999: {"tests/test_it.py::test_more": 3}}
    del holders[31]
    assert faults(holders) == [
        f"row 31 has no test: {ROWS[31]}",
        "there is no row 999: tests/test_it.py::test_more",
    ]


def test_marks_are_collected_where_they_stand(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = acceptance(*rows): rows\n")
    (tmp_path / "test_marked.py").write_text(
        "import pytest\n"
        "pytestmark = pytest.mark.acceptance(1)\n"
        "@pytest.mark.acceptance(2, 3)\n"
        "@pytest.mark.parametrize('case', [1, pytest.param(2, marks=pytest.mark.acceptance(4))])\n"
        "def test_it(case): pass\n"
    )
    ran = subprocess.run(
        [sys.executable, "-m", "tests.acceptance.table", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        # Others' plugins, which take longer to load than this file to collect.
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        timeout=170,
    )
    assert ran.returncode == 1, ran.stderr
    lines = ran.stdout.splitlines()
    for row, cases in ((1, " (2 cases)"), (2, " (2 cases)"), (3, " (2 cases)"), (4, "")):
        place = lines.index(f"{row:>3}  {ROWS[row]}")
        assert lines[place + 1] == f"       test_marked.py::test_it{cases}"
        assert f"row {row} has no test" not in ran.stdout
    assert f"row 5 has no test: {ROWS[5]}" in lines

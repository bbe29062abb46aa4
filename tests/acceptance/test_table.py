"""The table of the acceptance list finds what is missing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.rows import ROWS, named
from tests.acceptance.table import faults, table
from tests.conftest import pytest_collection_modifyitems

WHOLE = {row: {"tests/test_it.py::test_it": 1} for row in ROWS}


def test_a_whole_table_has_no_fault_and_shows_every_row() -> None:
    assert faults(WHOLE, not_yet=set()) == []
    lines = [*table(WHOLE)]
    assert len(lines) == 2 * len(ROWS)
    assert [*ROWS] == [*range(1, 111)]
    assert all(len(row.text) <= 90 for row in ROWS.values())


def test_every_row_has_a_short_name_of_its_own() -> None:
    names = [row.name for row in ROWS.values()]
    assert len({*names}) == len(names)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+){0,4}", name) for name in names)


def test_a_row_without_a_test_is_a_fault_unless_it_is_said_to_come_later() -> None:
    holders = {row: tests for row, tests in WHOLE.items() if row != 31}
    assert faults(holders, not_yet=set()) == [f"row 31 has no test: {ROWS[31].text}"]
    assert faults(holders, not_yet={31}) == []
    assert faults(WHOLE, not_yet={31}) == ["row 31 has tests: take it out of NOT_YET"]


def test_a_mark_carries_the_number_and_the_name_of_its_row() -> None:
    assert named(53, "two-workers", 54, "held-in-doubt") == [53, 54]
    for wrong, why in (
        ((53,), 'row 53 is acceptance(53, "two-workers"), not None'),
        ((53, "two-worker"), "row 53 is acceptance(53, \"two-workers\"), not 'two-worker'"),
        ((53, 54), 'row 53 is acceptance(53, "two-workers"), not 54'),
        ((999, "two-workers"), "the acceptance list has no row 999"),
        (("two-workers",), "the acceptance list has no row 'two-workers'"),
    ):
        with pytest.raises(ValueError, match=f"^{re.escape(why)}$"):
            named(*wrong)


def test_a_wrong_name_stops_the_tests_before_they_run(request: pytest.FixtureRequest) -> None:
    request.node.add_marker(pytest.mark.acceptance(53, "two-worker"))
    with pytest.raises(pytest.UsageError, match=r'row 53 is acceptance\(53, "two-workers"\)'):
        pytest_collection_modifyitems([request.node])


def test_marks_are_collected_where_they_stand(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = acceptance(number, name): rows\n")
    (tmp_path / "test_marked.py").write_text(
        "import pytest\n"
        "pytestmark = pytest.mark.acceptance(1, 'odd-reference')\n"
        "MORE = pytest.mark.acceptance(4, 'odd-api-key')\n"
        "@pytest.mark.acceptance(2, 'encoded-reference', 3, 'foreign-url')\n"
        "@pytest.mark.parametrize('case', [1, pytest.param(2, marks=MORE)])\n"
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
        place = lines.index(f"{row:>3}  {ROWS[row].name}: {ROWS[row].text}")
        assert lines[place + 1] == f"       test_marked.py::test_it{cases}"
        assert f"row {row} has no test" not in ran.stdout
    assert f"row 5 has no test: {ROWS[5].text}" in lines

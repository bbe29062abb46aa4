"""The place of a test follows from the place of what it tests."""

from __future__ import annotations

from pathlib import Path

import pytest

import dgspay

HOUSE = Path(dgspay.__file__).parent
TESTS = Path(__file__).parent

# Suites about the whole system, the project itself, or what is no Python.
SUITES = {"acceptance", "benchmarks", "browser", "docs", "support", "system", "typing"}
# Suites within a folder about all of it: one contract for every store, library or framework.
ABOUT_ALL_OF_A_FOLDER = {"contract", "in_browser"}
# About the house itself, and not about one of its files.
ABOUT_THE_HOUSE = {
    "test_doors.py",
    "test_places.py",
    "test_promises.py",
    "test_readme.py",
    "test_repository.py",
}

FILES = sorted(path.relative_to(TESTS) for path in TESTS.rglob("test_*.py"))


def is_in_its_place(test: Path) -> bool:
    folder = HOUSE / test.parent
    aspect = test.stem.removeprefix("test_")
    named = {path.stem for path in folder.glob("*.py")} | {
        path.name for path in folder.iterdir() if path.is_dir()
    }
    about_all = {folder.name, "contract", "adapters", "servers"}
    return any(aspect == name or aspect.startswith(f"{name}_") for name in named | about_all)


@pytest.mark.parametrize("test", FILES, ids=str)
def test_a_test_stands_where_its_source_stands(test: Path) -> None:
    parts = set(test.parts)
    if test.parts[0] in SUITES or parts & ABOUT_ALL_OF_A_FOLDER or test.name in ABOUT_THE_HOUSE:
        return
    assert (HOUSE / test.parent).is_dir(), f"dgspay has no folder {test.parent}"
    assert is_in_its_place(test), f"dgspay/{test.parent} has no file that {test.name} is named for"


def test_a_misplaced_test_would_be_found() -> None:
    assert is_in_its_place(Path("core/test_retry_table.py"))
    assert not is_in_its_place(Path("core/test_receiver.py"))

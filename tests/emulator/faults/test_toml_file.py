"""Faults from a TOML file: the one that the documentation shows, and all that it names."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from dgspay.emulator import Emulator
from dgspay.emulator.faults.kinds import KINDS
from dgspay.emulator.webhooks.modes import MODES

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "emulator.md"
pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="docs/ is not part of this copy")


def test_the_file_that_the_documentation_shows_is_one(emulator: Emulator, tmp_path: Path) -> None:
    shown = PAGE.read_text(encoding="utf-8").partition("```toml\n")[2].partition("```")[0]
    path = tmp_path / "faults.toml"
    path.write_text(shown, encoding="utf-8")
    emulator.load_faults(path)
    planned = [(each.route, each.probability) for each in emulator.faults.standing]
    assert planned == [("POST /charges", None), ("GET /transactions/{id}", 0.1), ("*", None)]
    assert [mode.kind for mode in emulator.webhooks.modes] == ["duplicate", "delay"]


def test_the_documentation_names_every_fault_with_its_settings_and_every_mode() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}
    assert set(rows) == set(KINDS)
    for name, kind in KINDS.items():
        for setting in inspect.signature(kind.make).parameters:
            assert f"`{setting}`" in rows[name]
    assert all(f"`{mode}`" in text for mode in MODES)

"""The types of the modules: they hold in TypeScript's strict mode, and are shipped as they are."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from dgspay.browser import CHECKOUT_NAMES, script, script_path

HERE = Path(__file__).parent
TSC = HERE / "node_modules" / ".bin" / "tsc"


@pytest.fixture(scope="module")
def declarations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What TypeScript makes of the modules, away from the declarations that are shipped."""
    if not TSC.exists():
        pytest.skip("typescript is not installed (npm install --prefix tests/browser)")
    folder = tmp_path_factory.mktemp("types")
    for name in CHECKOUT_NAMES:
        (folder / name).write_bytes(script(name))
    config = json.loads((HERE / "tsconfig.json").read_text())
    config["files"] = list(CHECKOUT_NAMES)
    (folder / "tsconfig.json").write_text(json.dumps(config))
    done = subprocess.run(
        [TSC, "-p", folder, "--outDir", folder / "made"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return folder / "made"


@pytest.mark.parametrize("name", CHECKOUT_NAMES)
def test_the_declarations_that_are_shipped_are_those_of_the_module(
    declarations: Path, name: str
) -> None:
    shipped = script_path(name).with_suffix(".d.ts")
    assert shipped.read_text() == (declarations / shipped.name).read_text()

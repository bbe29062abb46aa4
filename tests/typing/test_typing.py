"""The signatures are part of the promise: both type checkers agree on every public call."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
FILES = [str(HERE / "public_names.py"), str(HERE / "wrong_uses.py")]


def needs(checker: str) -> pytest.MarkDecorator:
    missing = importlib.util.find_spec(checker) is None
    return pytest.mark.skipif(missing, reason=f"{checker} is not installed")


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["mypy", "--strict", *FILES], marks=needs("mypy"), id="mypy"),
        # An ignore that ignores nothing must fail, so that a wrong use stays refused.
        pytest.param(
            ["pyright", "--project", str(HERE / "pyright.json"), "--pythonpath", sys.executable],
            marks=needs("pyright"),
            id="pyright",
        ),
    ],
)
def test_type_checker_agrees(command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr

"""The files that people and machines of the repository read: well-formed, and true."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from dgspay.settings import EMULATOR_PORT

ROOT = Path(__file__).parent.parent
yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")

YAML_FILES = sorted(
    path.relative_to(ROOT)
    for pattern in (".github/**/*.yml", "*.yml", ".pre-commit-config.yaml", "docker/*.yaml")
    for path in ROOT.glob(pattern)
)


def read(path: Path) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def workflows() -> list[Path]:
    return [path for path in YAML_FILES if "workflows" in path.parts]


@pytest.mark.parametrize("path", YAML_FILES, ids=str)
def test_each_yaml_file_can_be_read(path: Path) -> None:
    assert isinstance(read(path), dict)


@pytest.mark.parametrize("path", workflows(), ids=str)
def test_each_workflow_may_do_no_more_than_it_needs(path: Path) -> None:
    found = read(path)
    assert found["permissions"] == {"contents": "read"}
    for name, job in found["jobs"].items():
        assert job.get("timeout-minutes") or name == "publish", name


@pytest.mark.parametrize("path", workflows(), ids=str)
def test_each_session_that_a_workflow_runs_is_one_of_nox(path: Path) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    named = set(re.findall(r'nox -s "?([a-z]+)', text))
    for job in read(path)["jobs"].values():
        named |= set(job.get("strategy", {}).get("matrix", {}).get("session", ()))
    sessions = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    assert all(f"def {name}(" in sessions for name in named), named


@pytest.mark.parametrize("path", ["docker/Dockerfile", "docker/compose.yaml", "action.yml"])
def test_the_emulator_is_started_on_its_own_port(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert set(re.findall(r"\b8\d{3}\b", text)) == {str(EMULATOR_PORT)}


def test_the_changelog_names_the_version_that_is_built() -> None:
    version = re.search(
        r'__version__ = "(.+)"', (ROOT / "dgspay" / "_version.py").read_text(encoding="utf-8")
    )
    assert version is not None
    assert f"## [{version[1]}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_link_within_the_repository_leads_somewhere() -> None:
    for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#:]+)[^):]*\)", text):
            assert (ROOT / target).exists(), f"{name}: {target}"

"""The one place for tests, lint, types, docs and build; `nox` alone runs what CI runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = False

PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)
OLDEST = PYTHONS[0]

# The tests that reach every branch of the core. Only these are measured: under measurement, the
# storms of connections in the others take three times as long.
MEASURED = ("tests/core", "tests/api", "tests/guide", "tests/transports", "tests/encryption")
MEASURED_FILES = sorted(str(path) for path in Path("tests").glob("test_*.py"))

# Where a branch that is never taken could cost money.
CORE = "dgspay/core/*,dgspay/api/*,dgspay/models/*,dgspay/client.py"


# What the tests need beside their own tools.
PROJECT = ".[emulator,cli,otel,postgres,redis]"

IN_A_BROWSER = ("tests/browser", "tests/console")

# Machines that are killed, stopped and restarted, with thousands of rows: minutes each.
DURABILITY = ("tests/payouts/test_payout_machines.py",)


def group(*names: str) -> tuple[str, ...]:
    return nox.project.dependency_groups(PYPROJECT, *names)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests, with branch coverage of the parts money depends on."""
    session.install("-e", PROJECT, *group("test"))
    if session.posargs:
        session.run("pytest", *session.posargs)
        return
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *MEASURED, *MEASURED_FILES)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report", f"--include={CORE}", "--fail-under=95")
    elsewhere = (*MEASURED, *MEASURED_FILES, *IN_A_BROWSER, *DURABILITY)
    session.run("pytest", *(f"--ignore={path}" for path in elsewhere))


@nox.session(python=OLDEST)
def browser(session: nox.Session) -> None:
    """Run what needs Node and a real Chromium; each test says so where one is not there."""
    session.install("-e", PROJECT, *group("test", "browser"))
    session.run("pytest", *IN_A_BROWSER, *session.posargs)


@nox.session(python=OLDEST)
def lint(session: nox.Session) -> None:
    """Check style and formatting."""
    session.install(*group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session(python=OLDEST)
def types(session: nox.Session) -> None:
    """Check types with mypy --strict and pyright."""
    session.install("-e", PROJECT, *group("test", "browser", "types"), "nox")
    session.run("mypy")
    session.run("pyright")


@nox.session(python=OLDEST, default=False)
def durability(session: nox.Session) -> None:
    """Kill, stop and restart what pays, at full size."""
    session.install("-e", PROJECT, *group("test"))
    paths = ("tests/payouts/test_payout_kill.py", *DURABILITY)
    session.run("pytest", *paths, *session.posargs, env={"DGSPAY_TEST_FULL": "1"})


@nox.session(python=OLDEST)
def docs(session: nox.Session) -> None:
    """Build the reference from the docstrings into site/."""
    session.install("-e", PROJECT, *group("test", "docs"))
    session.run("python", "-W", "error", "docs/make.py", "site")


@nox.session(python=OLDEST)
def build(session: nox.Session) -> None:
    """Build sdist and wheel, and see the wheel pay in an environment of its own."""
    session.install("build")
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", "dist")
    (wheel,) = Path("dist").resolve().glob("*.whl")
    session.install(f"{wheel}[emulator,cli]")
    session.chdir(session.create_tmp())
    session.run("dgspay", "demo", env={"NO_COLOR": "1"})

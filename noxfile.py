"""The one place for tests, lint, types, docs and build; `nox` alone runs what CI runs."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import nox
from nox.command import CommandFailed
from nox.logger import logger
from packaging.requirements import Requirement

nox.needs_version = ">=2024.10.9"
# It comes with nox, and with a pip that is years younger, and twice as quick, than Python 3.11's.
nox.options.default_venv_backend = "virtualenv"
nox.options.error_on_missing_interpreters = False

# Many tests start programs, each of which would compile all that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)
OLDEST = PYTHONS[0]


def starts(python: str) -> bool:
    """Whether an interpreter starts. A shim of pyenv's for a version not chosen does not."""
    try:
        subprocess.run([python, "-c", ""], check=True, capture_output=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def find_interpreters() -> list[str]:
    """Link the interpreters of pyenv that are not on the PATH; return the versions not found."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    links = Path(".nox", "interpreters").resolve()
    shutil.rmtree(links, ignore_errors=True)
    links.mkdir(parents=True)
    missing = []
    for version in PYTHONS:
        if starts(f"python{version}"):
            continue
        builds = pyenv.glob(f"versions/{version}.*/bin/python{version}")
        newest_first = sorted(builds, key=lambda path: (len(path.parts[-3]), path), reverse=True)
        found = next((path for path in newest_first if starts(str(path))), None)
        if found is None:
            missing.append(version)
            continue
        (links / found.name).symlink_to(found)
    os.environ["PATH"] = f"{links}{os.pathsep}{os.environ['PATH']}"
    return missing


NOT_FOUND = find_interpreters()


def say_what_was_not_tested() -> None:
    """Name the Python versions that nox could not find, as its last line."""
    if NOT_FOUND:
        logger.warning(
            f"NOT TESTED on Python {', '.join(NOT_FOUND)}: not found on the PATH or in pyenv"
        )


# The tests that reach every branch of the core. Only these are measured: under measurement, the
# storms of connections in the others take three times as long.
MEASURED = (
    "tests/core",
    "tests/api",
    "tests/models",
    "tests/system/guide",
    "tests/system/test_end_to_end.py",
)
MEASURED_FILES = sorted(str(path) for path in Path("tests").glob("test_*.py"))

# Where a branch that is never taken could cost money.
CORE = "dgspay/core/*,dgspay/api/*,dgspay/models/*,dgspay/client.py"


# What the tests need beside their own tools.
PROJECT = ".[emulator,cli,otel,prometheus,postgres,redis,excel]"
EVERYTHING = ".[emulator,cli,otel,prometheus,postgres,redis,excel,aiohttp,httpx2,flask,django]"

IN_A_BROWSER = ("tests/browser", "tests/emulator/in_browser")
PAGES_AGAIN = "tests/emulator/in_browser/test_payment_pages_in_firefox.py"

# What a user's installation must do whatever the age of its dependencies.
ESSENTIAL = (*MEASURED, *MEASURED_FILES, "tests/transports", "tests/webhooks")

# And what a wheel must do, without the tests that read the repository's own files.
FOR_A_WHEEL = (
    "tests/api",
    "tests/models",
    "tests/system/guide",
    "tests/system/test_end_to_end.py",
    *(
        path
        for path in MEASURED_FILES
        if not path.endswith(("_doors.py", "_places.py", "_readme.py", "_repository.py"))
    ),
)

# Most tests wait for a socket or a process more than they compute. A file stays on one core, so
# that its servers are started once.
ON_ALL_CORES = ("--numprocesses=auto", "--dist=loadfile")

# What is asynchronous through and through, run again with asyncio's debug mode: it refuses calls
# from the wrong thread and names what was never awaited.
IN_DEBUG_MODE = (
    "tests/test_client.py",
    "tests/test_pagers.py",
    "tests/system/test_end_to_end.py",
    "tests/transports/aiohttp",
    "tests/transports/httpx/test_pool.py",
    "tests/webhooks/test_background_tasks.py",
    "tests/webhooks/test_cancellation.py",
    "tests/webhooks/test_delivery_flow.py",
    "tests/webhooks/inbox/test_contract.py",
    "tests/emulator/server/test_in_process.py",
    "tests/payouts/run/test_held_lock.py",
)

# Machines that are killed, stopped and restarted, with thousands of rows: minutes each.
DURABILITY = ("tests/payouts/run/test_job_machines.py",)


def group(*names: str) -> tuple[str, ...]:
    return nox.project.dependency_groups(PYPROJECT, *names)


def install(session: nox.Session, *requirements: str) -> None:
    """Install, and leave it to the imports to compile: most of what comes is never imported."""
    session.install("--no-compile", *requirements)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests, with branch coverage of the parts money depends on.

    On the oldest Python that is all of them. On the newest that is found it is what a version of
    Python changes first, and on those between core, API, models and webhooks alone;
    `nox -s tests-3.13 -- tests` runs all of them there, too.
    """
    atexit.unregister(say_what_was_not_tested)
    atexit.register(say_what_was_not_tested)
    install(session, "-e", PROJECT, *group("test", "contract"))
    if session.posargs:
        session.run("pytest", *session.posargs)
        return
    if session.python != OLDEST:
        newest = [python for python in PYTHONS if python not in NOT_FOUND][-1]
        chosen = (*MEASURED, *MEASURED_FILES) if session.python == newest else MEASURED[:3]
        session.run("pytest", *ON_ALL_CORES, *chosen, "tests/webhooks")
        return
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *ON_ALL_CORES, *MEASURED, *MEASURED_FILES)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report", f"--include={CORE}", "--fail-under=95")
    elsewhere = (*MEASURED, *MEASURED_FILES, *IN_A_BROWSER, *DURABILITY)
    session.run("pytest", *ON_ALL_CORES, *(f"--ignore={path}" for path in elsewhere))
    session.run("pytest", *ON_ALL_CORES, *IN_DEBUG_MODE, env={"PYTHONASYNCIODEBUG": "1"})


def floors() -> Iterator[str]:
    """Yield each dependency at the oldest version that pyproject.toml allows."""
    project = PYPROJECT["project"]
    extras = project["optional-dependencies"].values()
    for line in (*project["dependencies"], *(line for extra in extras for line in extra)):
        requirement = Requirement(line)
        for bound in requirement.specifier:
            if bound.operator == ">=":
                yield f"{requirement.name}=={bound.version}"


@nox.session(name="tests-lowest", python=OLDEST, default=False)
def tests_lowest(session: nox.Session) -> None:
    """Run the essential tests with the oldest dependencies that are allowed."""
    constraints = Path(session.create_tmp(), "floors.txt").resolve()
    constraints.write_text("\n".join(sorted(set(floors()))), encoding="utf-8")
    install(session, "-e", EVERYTHING, *group("test"), "--constraint", str(constraints))
    # An old library that warns of the Python or of the libraries it now runs with is not our bug.
    lenient = ("-W", "default::DeprecationWarning")
    session.run("pytest", *lenient, *ON_ALL_CORES, *(session.posargs or ESSENTIAL))


@nox.session(name="tests-newest", python=PYTHONS, default=False)
def tests_newest(session: nox.Session) -> None:
    """Run all tests with the newest dependencies there are, pre-releases too."""
    install(session, "-e", EVERYTHING, *group("test"), "--upgrade", "--pre")
    session.run("pytest", *(f"--ignore={path}" for path in IN_A_BROWSER), *session.posargs)


@nox.session(python=OLDEST, default=False)
def browser(session: nox.Session) -> None:
    """Run what needs Node, a real Chromium or Firefox; each test says so where one is missing."""
    install(session, "-e", PROJECT, *group("test", "browser"))
    # Without a registry the tests that want axe and TypeScript are skipped, and say so.
    if shutil.which("npm"):
        command = ["npm", "install", "--prefix", "tests/browser", "--no-save", "--no-audit"]
        try:
            subprocess.run(command, check=False, timeout=60)  # noqa: S603
        except subprocess.TimeoutExpired:
            session.log("npm has not answered within 60 s: axe and TypeScript are not tried")
    # Among the checks, the second browser tries the element alone, and not the pages that show it.
    left_out = (f"--ignore={PAGES_AGAIN}",) if session.name.startswith("checks") else ()
    session.run("pytest", *ON_ALL_CORES, *IN_A_BROWSER, *left_out, *session.posargs)


@nox.session(python=OLDEST, default=False)
def lint(session: nox.Session) -> None:
    """Check style and formatting."""
    install(session, *group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session(python=OLDEST, default=False)
def types(session: nox.Session) -> None:
    """Check types with mypy --strict and pyright."""
    install(session, "-e", PROJECT, *group("test", "browser", "types"), "nox")
    session.run("mypy")
    session.run("pyright")


@nox.session(python=OLDEST, default=False)
def docs(session: nox.Session) -> None:
    """Build the site into site/, with a page of everything; a dead link or anchor is an error."""
    install(session, "-e", PROJECT, *group("test", "docs"))
    pages = {"html": "site", "singlehtml": "site/single"}
    if session.name.startswith("checks"):
        del pages["singlehtml"]  # the same pages once more: nothing new is found
    for builder, folder in pages.items():
        session.run("sphinx-build", "-qWb", builder, "-d", "build/doctrees", "docs", folder)


@nox.session(python=OLDEST)
def checks(session: nox.Session) -> None:
    """Run lint, types, docs and browser in one environment: each would install nearly the same."""
    failed = []
    for name, check in {"lint": lint, "types": types, "docs": docs, "browser": browser}.items():
        try:
            check(session)
        except CommandFailed:
            failed.append(name)
    if failed:
        session.error(f"failed: {', '.join(failed)}")


@nox.session(python=OLDEST, default=False)
def durability(session: nox.Session) -> None:
    """Kill, stop, restart and race what pays, cut its lines, and schedule it, at full size."""
    install(session, "-e", EVERYTHING, *group("test", "schedulers"))
    paths = (
        "tests/payouts",
        "tests/checkout",
        "tests/system/network_faults",
        "tests/system/orders",
        "tests/docs",
        "tests/webhooks/test_receiver_processes.py",
    )
    # A run may take longer than what otherwise means that a test hangs.
    options = ("-o", "faulthandler_timeout=0", *session.posargs)
    session.run("pytest", *paths, *options, env={"DGSPAY_TEST_FULL": "1"})


@nox.session(python=OLDEST, default=False)
def contract(session: nox.Session) -> None:
    """Have schemathesis try the emulator against its own OpenAPI description, at length."""
    install(session, "-e", PROJECT, *group("test", "contract"))
    # It may take longer than what otherwise means that a test hangs.
    path = ("tests/emulator/openapi/test_document.py", "-o", "faulthandler_timeout=0")
    session.run("pytest", *path, *session.posargs, env={"DGSPAY_TEST_FULL": "1"})


@nox.session(python=OLDEST, default=False)
def mutants(session: nox.Session) -> None:
    """Change the code that decides what was paid, one place at a time, and see the tests notice.

    `nox -s mutants -- dgspay/errors.py 'dgspay/core/*'` does so for any other files.
    """
    # dgspay itself is not installed: the changed copy must be the one that is imported.
    project = PYPROJECT["project"]
    extras = project["optional-dependencies"].values()
    install(session, *project["dependencies"], *(line for extra in extras for line in extra))
    install(session, *group("test", "mutants"))
    # The tests of each change would start servers of their own.
    with_servers = ("python", "-m", "tests.support.real_servers")
    session.run(*with_servers, "python", "-m", "benchmarks.mutants", *session.posargs)


@nox.session(python=OLDEST, default=False)
def acceptance(session: nox.Session) -> None:
    """Print which tests hold which row of the acceptance list; fail where a row has none."""
    install(session, "-e", EVERYTHING, *group("test", "browser"))
    session.run("python", "-m", "tests.acceptance.table", *session.posargs)


@nox.session(python=OLDEST, default=False)
def bench(session: nox.Session) -> None:
    """Measure every claim beside its peers, and write the tables in benchmarks/."""
    install(session, "-e", EVERYTHING, *group("test", "peers"))
    # 1 says that a claim was missed, which is a result like any other.
    session.run("python", "-m", "benchmarks", *session.posargs, success_codes=[0, 1])
    if not session.posargs:
        report = ("--write", "benchmarks/orders.md")
        session.run("python", "-m", "benchmarks.orders", *report, success_codes=[0, 1])


@nox.session(python=OLDEST)
def build(session: nox.Session) -> None:
    """Build sdist and wheel, see the wheel pay, and test it where the sources are not."""
    install(session, "build")
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", "dist")
    (wheel,) = Path("dist").resolve().glob("*.whl")
    if missing := left_out(wheel):
        session.error(f"{wheel.name} lacks {', '.join(missing)}")
    install(session, f"{wheel}[emulator,cli]")
    elsewhere = Path(session.create_tmp()).resolve()
    session.chdir(elsewhere)
    session.run("dgspay", "demo", env={"NO_COLOR": "1"})
    install(session, *group("wheel"))
    root = Path(__file__).parent
    shutil.rmtree("tests", ignore_errors=True)
    shutil.copytree(root / "tests", "tests")
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(root / name, name)
    session.run("pytest", *ON_ALL_CORES, *(session.posargs or FOR_A_WHEEL))


def left_out(wheel: Path) -> list[str]:
    """Name the files of the package that a wheel does not hold."""
    sources = (path for path in Path("dgspay").rglob("*") if path.is_file())
    wanted = {path.as_posix() for path in sources if "__pycache__" not in path.parts}
    with zipfile.ZipFile(wheel) as packed:
        return sorted(wanted.difference(packed.namelist()))


# Each of these was read, and a shop may use it.
ALLOWED_LICENCES = (
    "Apache",
    "BSD",
    "ISC",
    "LGPL",  # psycopg: used as it is, behind the extra `postgres`
    "MIT",
    "MPL",
    "Mozilla",
    "PSF",
    "Python Software Foundation",
)


@nox.session(python=OLDEST, default=False)
def licences(session: nox.Session) -> None:
    """List the licences of everything an installation brings; refuse one that was not reviewed."""
    install(session, EVERYTHING)
    environment = Path(session.virtualenv.location, "bin", "python")
    session.run("python", "-m", "venv", f"{session.create_tmp()}/tools", silent=True)
    tools = Path(session.create_tmp(), "tools", "bin")
    session.run(str(tools / "pip"), "install", "--quiet", "pip-licenses", external=True)
    session.run(
        str(tools / "pip-licenses"),
        f"--python={environment}",
        "--from=mixed",
        "--partial-match",
        f"--allow-only={';'.join(ALLOWED_LICENCES)}",
        external=True,
    )


@nox.session(python=OLDEST, default=False)
def audit(session: nox.Session) -> None:
    """Look everything an installation brings up in the advisories; needs the network."""
    install(session, EVERYTHING, "pip-audit")
    session.log("Of a package that PyPI cannot be asked about, pip-audit says it was not found.")
    session.run("pip-audit", "--strict", "--skip-editable", "--progress-spinner=off")

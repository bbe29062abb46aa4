"""The doors of the house are shut: who may import whom, and what `import dgspay` costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import dgspay

HOUSE = Path(dgspay.__file__).parent

# What a room may import of the house. Rooms not listed stand on the public names, like a user.
GROUND = {
    "_lazy",
    "_version",
    "clock",
    "errors",
    "forks",
    "interruption",
    "money",
    "private_files",
    "secret",
}
DOORS: dict[str, set[str]] = {
    "_lazy": {"forks"},
    "_version": set(),
    "clock": set(),
    "csv_safety": set(),
    "errors": set(),
    "forks": set(),
    "interruption": set(),
    "money": set(),
    "private_files": set(),
    "secret": set(),
    "models": GROUND | {"models"},
    "core": GROUND | {"models", "core"},
    "api": GROUND | {"models", "core", "api"},
    "transports": GROUND | {"core", "transports"},
    "settings": GROUND | {"core", "models"},
    "hooks": GROUND | {"core"},
    "pagers": GROUND | {"core"},
    "drivers": GROUND | {"core", "transports"},
    "descriptors": {"core", "pagers"},
    "resources": {"api", "descriptors"},
    "client": GROUND | {"core", "drivers", "hooks", "resources", "settings", "transports"},
    "otel": GROUND | {"core"},
    "encryption": GROUND | {"models"},
    "webhooks": GROUND | {"models", "webhooks"},
}

# Nobody in the house may stand on these.
ROOFS = {"emulator", "payouts", "cli", "testing"}

OUTSIDE_OF_CORE = {
    "httpx", "httpcore", "aiohttp", "anyio", "trio", "asyncio", "socket", "ssl", "http", "urllib3",
    "requests", "select", "selectors", "subprocess", "os", "pathlib", "io", "sqlite3",
}  # fmt: skip
CLOCKS_AND_CHANCE = {"time", "random", "secrets", "uuid", "zoneinfo"}


def sources(room: str) -> list[Path]:
    folder = HOUSE / room
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [HOUSE / f"{room}.py"]


def imports(path: Path) -> Iterator[str]:
    """Every module a file names, lazily imported ones and those for type checkers included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""
            if node.module == "dgspay":
                yield from (f"dgspay.{alias.name}" for alias in node.names)


def rooms_entered(path: Path) -> set[str]:
    named = {name for name in imports(path) if name.startswith("dgspay.")}
    return {name.split(".")[1] for name in named}


@pytest.mark.parametrize("room", DOORS)
def test_a_room_enters_only_the_rooms_below_it(room: str) -> None:
    for path in sources(room):
        assert rooms_entered(path) <= DOORS[room], path


def test_every_room_has_a_rule() -> None:
    here = {path.stem for path in HOUSE.iterdir() if path.suffix == ".py" or path.is_dir()}
    here -= {"__init__", "__main__", "__pycache__", "py", "browser"}
    assert here <= DOORS.keys() | ROOFS


@pytest.mark.parametrize("room", sorted(DOORS))
def test_nobody_stands_on_the_roof(room: str) -> None:
    for path in sources(room):
        assert not rooms_entered(path) & ROOFS, path


@pytest.mark.parametrize("room", ["core", "models", "api"])
def test_the_core_names_no_transport_no_clock_and_no_chance(room: str) -> None:
    for path in sources(room):
        named = {name.partition(".")[0] for name in imports(path)}
        assert not named & (OUTSIDE_OF_CORE | CLOCKS_AND_CHANCE), path
        text = path.read_text(encoding="utf-8")
        for reading in ("datetime.now", "datetime.today", "datetime.utcnow", "HttpxTransport"):
            assert reading not in text, path


def modules_after_each(lines: Iterable[str]) -> list[set[str]]:
    """The modules a fresh interpreter has loaded after each of some lines of code."""
    script = "import sys\n" + "".join(f"{line}\nprint(*sys.modules)\n" for line in lines)
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=170
    )
    return [set(line.split()) for line in ran.stdout.splitlines()]


HEAVY = {"httpx", "cryptography", "cattrs", "anyio", "trio", "starlette", "typer", "rich"}


LIGHT_IMPORTS = (
    "import dgspay",
    "from dgspay import Customer, RetryPolicy, Timeout, Outcome, errors",
    "from dgspay import AsyncDGSPay, DGSPay",
    "import dgspay.webhooks",
    "import dgspay.models.cards",
    "import dgspay.testing",
)


def test_an_import_loads_nothing_heavy() -> None:
    """Nor do all of them in one process; encryption, the last, loads cryptography and no more."""
    lines = (*LIGHT_IMPORTS, "import dgspay.encryption")
    *light, encryption = modules_after_each(lines)
    for line, modules in zip(LIGHT_IMPORTS, light, strict=True):
        assert not modules & HEAVY, line
    assert encryption & HEAVY <= {"cryptography"}


def test_every_public_name_is_there() -> None:
    for name in dgspay.__all__:
        assert getattr(dgspay, name) is not None
    assert dir(dgspay) == sorted(dgspay.__all__)
    with pytest.raises(AttributeError, match="nothing_like_it"):
        _ = dgspay.nothing_like_it


def test_no_public_signature_names_a_type_of_httpx() -> None:
    for room in DOORS.keys() - {"transports"}:
        for path in sources(room):
            assert "httpx." not in path.read_text(encoding="utf-8").replace(
                "dgspay.transports.httpx", ""
            ), path

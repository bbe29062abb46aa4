"""The doors of the house are shut: who may import whom, and what `import dgspay` costs."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import pytest

import dgspay

HOUSE = Path(dgspay.__file__).parent

# What a room may enter: a room by its name, one file of a room as `room.file`, and PUBLIC for the
# names that `dgspay` itself gives a program.
PUBLIC = "public names"
GROUND = {
    "_lazy",
    "_version",
    "clock",
    "errors",
    "event_loops",
    "forks",
    "interruption",
    "money",
    "private_files",
    "secret",
}
DOORS: dict[str, set[str]] = {
    "_lazy": {"forks"},
    "_version": set(),
    "callback_urls": {"errors", "secret", "models.validators"},
    "clock": set(),
    "csv_safety": set(),
    "errors": set(),
    "event_loops": set(),
    "forks": set(),
    "interruption": set(),
    "money": set(),
    "postgres": {"postgres"},
    "private_files": set(),
    "secret": set(),
    "models": GROUND | {"models"},
    "core": GROUND | {"models", "core"},
    "api": GROUND | {"models", "core", "api"},
    "transports": GROUND | {"core", "transports"},
    "api_keys": GROUND | {"core"},
    "settings": GROUND | {"api_keys", "core", "models"},
    "hooks": GROUND | {"core"},
    "pagers": GROUND | {"core"},
    "drivers": GROUND | {"core", "transports"},
    "descriptors": GROUND | {"core", "pagers"},
    "resources": {"_lazy", "api", "descriptors", "resources"},
    "client": GROUND
    | {"api_keys", "core", "descriptors", "drivers", "hooks", "resources", "settings"}
    | {"transports"},
    "merchants": GROUND | {"api_keys", "client", "core", "settings"},
    "otel": GROUND | {"core"},
    "metrics": GROUND | {"core", "metrics"},
    "encryption": GROUND | {"models"},
    "webhooks": GROUND | {"callback_urls", "models", "webhooks"},
    "browser": {"browser"},
    # From here on the roofs: they stand on the public names and on this much shared ground.
    "payouts": GROUND
    | {PUBLIC, "callback_urls", "csv_safety", "metrics", "payouts", "postgres", "settings"}
    | {"webhooks"}
    | {"models.characters", "models.json_codec", "models.phones", "models.reported"}
    | {"models.validators"},
    "checkout": GROUND
    | {PUBLIC, "api", "browser", "callback_urls", "checkout", "metrics", "models", "postgres"}
    | {"settings", "webhooks"},
    "books": GROUND
    | {PUBLIC, "books", "checkout", "csv_safety", "payouts", "settings", "webhooks"},
    "emulator": GROUND
    | {PUBLIC, "browser", "csv_safety", "emulator", "encryption", "models", "settings"}
    | {"webhooks", "transports.blocking_deadline"},
    "cli": GROUND
    | {PUBLIC, "api", "books", "checkout", "cli", "csv_safety", "emulator", "encryption"}
    | {"metrics", "payouts", "models.json_codec", "settings", "transports", "webhooks"},
    "testing": {PUBLIC, "client", "clock", "core", "emulator", "transports"},
    "__main__": {"cli"},
}

# Only a roof may stand on a roof: the books, the command line and the pytest plugin on others.
ROOFS = {"books", "checkout", "emulator", "payouts", "cli", "testing", "browser"}

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
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def doors_entered(path: Path) -> set[str]:
    """The rooms a file enters, each as `room.file` where it enters a file of it."""
    entered = set()
    for name in imports(path):
        room, _, below = name.removeprefix("dgspay.").partition(".")
        if name == "dgspay" or not name.startswith("dgspay."):
            continue
        is_room = (HOUSE / room).is_dir() or (HOUSE / f"{room}.py").exists()
        entered.add((f"{room}.{below.partition('.')[0]}" if below else room) if is_room else PUBLIC)
    return entered


def may_enter(room: str, door: str) -> bool:
    return door in DOORS[room] or door.partition(".")[0] in DOORS[room]


@pytest.mark.parametrize("room", DOORS)
def test_a_room_enters_only_the_rooms_below_it(room: str) -> None:
    for path in sources(room):
        shut = [door for door in doors_entered(path) if not may_enter(room, door)]
        assert not shut, f"{path} must not enter {shut}"


def test_every_room_has_a_rule() -> None:
    here = {path.stem for path in HOUSE.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert here - {"__init__", "__pycache__", "py"} == DOORS.keys()


@pytest.mark.parametrize("room", sorted(DOORS.keys() - ROOFS - {"__main__"}))
def test_no_room_stands_on_a_roof(room: str) -> None:
    for path in sources(room):
        assert not {door.partition(".")[0] for door in doors_entered(path)} & ROOFS, path


def modules() -> dict[str, Path]:
    """Every file of the package by the module it is."""
    found = {}
    for path in HOUSE.rglob("*.py"):
        parts = path.relative_to(HOUSE.parent).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = path
    return found


def files_imported(path: Path, files: Collection[str]) -> set[str]:
    """The files that a file imports: the one that is named, not the package it lies in."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            below = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in files else str(node.module) for name in below}
    return found & set(files)


def test_no_files_import_each_other_in_a_circle() -> None:
    """Imports within functions and for type checkers count as well."""
    files = modules()
    graph = {module: files_imported(path, files) - {module} for module, path in files.items()}
    # A `CycleError` names the files of the circle.
    assert [*graphlib.TopologicalSorter(graph).static_order()]


def test_a_circle_would_be_found() -> None:
    with pytest.raises(graphlib.CycleError):
        graphlib.TopologicalSorter({"a": {"b"}, "b": {"a"}}).prepare()


def test_the_architecture_page_names_every_room() -> None:
    text = (HOUSE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    for room in DOORS.keys() - {"__main__", "_lazy", "_version"}:
        assert f"`{room}`" in text, f"docs/architecture.md does not name {room}"


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
    # The emulator gives out httpx clients, and the command line posts sample webhooks with one.
    for room in DOORS.keys() - {"transports", "emulator", "cli"}:
        for path in sources(room):
            assert "httpx." not in path.read_text(encoding="utf-8").replace(
                "dgspay.transports.httpx", ""
            ), path

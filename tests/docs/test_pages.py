"""What the pages of the site show is run, and every command that they name is one of dgspay's."""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from dgspay.cli.app import build
from dgspay.emulator import Emulator
from tests.cli.terminal import variables

DOCS = Path(__file__).parents[2] / "docs"
if not DOCS.exists():
    pytest.skip("docs/ is not part of this copy", allow_module_level=True)
# Such as docs/payouts.md, with tests/docs/test_payouts_page.py.
OWN_TESTS = {path.stem[5:-5] for path in Path(__file__).parent.glob("test_*_page.py")}
PAGES = {
    path.relative_to(DOCS).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted(DOCS.rglob("*.md"))
    if path.stem not in OWN_TESTS and path.parent.name != "reference"
}

_PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SAID = re.compile(r"^\s*(?:print|order = checkout\.wait)\(.*\)  # (.+)$", re.MULTILINE)
_TEST = re.compile(r"^def (test_\w+)", re.MULTILINE)
_COMMAND = re.compile(r"^\$ (dgspay .+)$|`(dgspay [a-z][^`]*)`", re.MULTILINE)

COMMAND_LINE = get_command(build())
BLOCKS = {page: _PYTHON.findall(text) for page, text in PAGES.items()}
PROGRAMS = [page for page, blocks in BLOCKS.items() if blocks]
TESTS = [(page, test) for page in PROGRAMS for test in _TEST.findall(PAGES[page])]
COMMANDS = sorted(
    {
        (page, shown or named)
        for page, text in PAGES.items()
        for shown, named in _COMMAND.findall(text.replace("\\\n", ""))
    }
)


@pytest.fixture
def _a_readers_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a reader has after copying the lines `dgspay emulator` prints."""
    monkeypatch.chdir(tmp_path)
    with Emulator(settle_after=0.0) as emulator, emulator.serve() as served:
        for name, value in variables(emulator, served.url).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("DGSPAY_WEBHOOK_SECRET", emulator.webhook_secret)
        yield


def run(page: str) -> dict[str, Any]:
    """Run the blocks of a page in order; each must print what its comments say."""
    names: dict[str, Any] = {"__name__": page}
    for number, code in enumerate(BLOCKS[page], 1):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, f"docs/{page}, block {number}", "exec"), names)
        assert printed.getvalue().splitlines() == _SAID.findall(code), f"block {number}"
    return names


@pytest.mark.usefixtures("_a_readers_folder")
@pytest.mark.parametrize("page", PROGRAMS)
def test_the_programs_of_a_page_print_what_it_says(page: str) -> None:
    run(page)


@pytest.mark.parametrize(("page", "name"), TESTS)
def test_a_test_that_a_page_shows_passes(
    page: str, name: str, request: pytest.FixtureRequest
) -> None:
    shown = run(page)[name]
    shown(**{each: request.getfixturevalue(each) for each in inspect.signature(shown).parameters})


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_a_command_that_a_page_names_is_there(page: str, line: str) -> None:
    command: Any = COMMAND_LINE
    words = shlex.split(line)[1:]
    while words and hasattr(command, "get_command") and not words[0].startswith("-"):
        command = command.get_command(typer.Context(command), words.pop(0))
        assert command is not None, f"dgspay has no {line!r}"
    options = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= options | {"--help"}


def test_every_variable_that_is_read_stands_on_the_page_of_settings() -> None:
    read = {
        name
        for source in (DOCS.parent / "dgspay").rglob("*.py")
        for name in re.findall(r"\bDGSPAY_[A-Z_]+[A-Z]", source.read_text(encoding="utf-8"))
    }
    assert read == set(re.findall(r"`(DGSPAY_[A-Z_]+)`", PAGES["how-to/settings.md"]))


def test_every_module_that_a_page_imports_from_has_a_page() -> None:
    generated = ast.parse((DOCS / "generated.py").read_text(encoding="utf-8"))
    [api] = [
        ast.literal_eval(node.value)
        for node in generated.body
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "API" and node.value
    ]
    documented = {module for _, modules in api.values() for module in modules}
    imported = {
        module
        for text in PAGES.values()
        for module in re.findall(r"^\s*from (dgspay[\w.]*) import", text, re.MULTILINE)
    }
    assert imported - documented == set()

"""What docs/books.md shows is read and run."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from dgspay.books import Accounts
from dgspay.books.from_file import movements_in
from dgspay.emulator import Emulator
from tests.cli.terminal import variables

PAGE = Path(__file__).parents[2] / "docs" / "books.md"
if not PAGE.exists():
    pytest.skip("docs/books.md is not part of this copy", allow_module_level=True)


def block(kind: str) -> str:
    """The one block of a language."""
    text = PAGE.read_text(encoding="utf-8")
    (found,) = re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return str(found)


def test_the_accounts_and_the_file_of_the_page_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "accounts.toml").write_text(block("toml"), encoding="utf-8")
    accounts = Accounts.read(tmp_path / "accounts.toml")
    assert accounts.of_batch("salaries-2026-11") == "6400 Salaries"
    (tmp_path / "also.csv").write_text(block("text"), encoding="utf-8")
    assert len(movements_in(tmp_path / "also.csv", set()).movements) == 4


def test_the_program_of_the_page_finds_the_books_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with Emulator(settle_after=0) as emulator, emulator.serve() as server:
        for name, value in variables(emulator, server.url).items():
            monkeypatch.setenv(name, value)
        with contextlib.redirect_stdout(printed):
            exec(compile(block("python"), "books.md", "exec"), {"__name__": "books.md"})
    assert printed.getvalue() == "True []\n"

"""Settings from a file: only those of dgspay, and only where they are not set."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dgspay.cli.env_file import read_env_file
from dgspay.errors import ConfigError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("DGSPAY_API_KEY", "DGSPAY_ACCOUNT_NUMBER", "DATABASE_URL"):
        # Set and taken away, so that it is as it was when the test is over.
        monkeypatch.setenv(name, "x")
        monkeypatch.delenv(name)
    return tmp_path


def test_variables_of_dgspay_are_read_where_they_are_not_set(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "# shop\nexport DGSPAY_API_KEY='of $the file'\nDGSPAY_ACCOUNT_NUMBER=ACC-1\n"
    text += "DATABASE_URL=x\n"
    (folder / ".env").write_text(text, encoding="utf-8")
    monkeypatch.setenv("DGSPAY_ACCOUNT_NUMBER", "ACC-2")
    read_env_file(None)
    assert os.environ["DGSPAY_API_KEY"] == "of $the file"
    assert os.environ["DGSPAY_ACCOUNT_NUMBER"] == "ACC-2"
    assert "DATABASE_URL" not in os.environ


def test_without_a_file_nothing_is_read() -> None:
    read_env_file(None)
    assert "DGSPAY_API_KEY" not in os.environ


def test_a_file_that_was_named_must_be_there(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"shop\.env cannot be read: No such file"):
        read_env_file(folder / "shop.env")
    (folder / "latin.env").write_bytes(b"DGSPAY_API_KEY=\xe9")
    with pytest.raises(ConfigError, match="it is not UTF-8"):
        read_env_file(folder / "latin.env")

"""A served emulator for each test, and the command line pointed at it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dgspay.emulator import Emulator
from tests.cli.terminal import CommandLine, variables


@pytest.fixture(autouse=True)
def no_account_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the developer's account nor the terminal's habits may decide a test."""
    for name in os.environ:
        if name.startswith("DGSPAY_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(settle_after=0, seed=7) as emulator:
        yield emulator


@pytest.fixture
def base_url(emulator: Emulator) -> Iterator[str]:
    with emulator.serve() as server:
        yield server.url


@pytest.fixture
def dgspay(emulator: Emulator, base_url: str) -> CommandLine:
    return CommandLine(variables(emulator, base_url))


@pytest.fixture(autouse=True)
def folder_of_ledgers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where commands of the test make their ledgers: none finds that of another test."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "dgspay" / "payouts"

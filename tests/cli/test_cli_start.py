"""How the command starts: without its extras, without a command, without a tidy terminal."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dgspay import __version__
from tests.cli.terminal import PATIENCE, CommandLine, process


def start_without(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command where a module is not installed."""
    script = (
        f"import sys; sys.modules[{module!r}] = None; sys.argv = ['dgspay', *{arguments!r}]; "
        "from dgspay.cli import main; main()"
    )
    return subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.parametrize("module", ["typer", "rich"])
def test_without_the_extra_it_says_how_to_install_it(module: str) -> None:
    ran = start_without(module, "balance")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "pip install 'dgspay[cli]'" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("module", ["starlette", "uvicorn", "jinja2"])
@pytest.mark.parametrize("command", ["demo", "emulator"])
def test_without_the_emulators_extra_too(module: str, command: str) -> None:
    ran = start_without(module, command)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "pip install 'dgspay[emulator]'" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_the_other_commands_do_not_need_the_emulator() -> None:
    assert start_without("starlette", "--help").returncode == 0


def test_version_and_module() -> None:
    with process("--version") as running:
        out, err = running.communicate(timeout=PATIENCE)
    assert (running.returncode, out, err) == (0, f"dgspay {__version__}\n", "")


def test_no_option_takes_a_secret() -> None:
    for command in ("balance", "charge", "doctor", "webhooks send", "webhooks listen"):
        said = CommandLine({})(*command.split(), "--help")
        assert said.code == 0
        assert "--api-key" not in said.out
        assert "--secret" not in said.out


def test_an_unknown_option_is_usage() -> None:
    assert CommandLine({})("balance", "--api-key", "sk_test_1").code == 2


def test_a_missing_variable_is_named() -> None:
    said = CommandLine({})("balance")
    assert (said.code, said.out) == (2, "")
    assert "DGSPAY_API_KEY is not set" in said.err

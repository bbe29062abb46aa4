"""How the command starts: without its extras, without a command, without a tidy terminal."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dgspay import __version__
from tests.cli.terminal import PATIENCE, CommandLine, process

_WITHOUT = """
import sys

sys.modules[sys.argv[1]] = None
from dgspay.cli import main

for command in sys.argv[2:]:
    sys.argv = ["dgspay", command]
    try:
        main()
    except SystemExit as end:
        print("ended with", end.code, file=sys.stderr, flush=True)
"""


def start_without(module: str, *commands: str) -> subprocess.CompletedProcess[str]:
    """Give commands, one after the other, where a module is not installed."""
    return subprocess.run(
        [sys.executable, "-c", _WITHOUT, module, *commands],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )


@pytest.mark.parametrize("module", ["typer", "rich"])
def test_without_the_extra_it_says_how_to_install_it(module: str) -> None:
    ran = start_without(module, "balance")
    assert ran.stdout == ""
    assert "pip install 'dgspay[cli]'" in ran.stderr
    assert ran.stderr.endswith("ended with 2\n")
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("module", ["starlette", "uvicorn", "jinja2"])
def test_without_the_emulators_extra_too_but_other_commands_do_not_need_it(module: str) -> None:
    ran = start_without(module, "demo", "emulator", "--help")
    assert ran.stderr.count("pip install 'dgspay[emulator]'") == 2
    ends = [line for line in ran.stderr.splitlines() if line.startswith("ended with")]
    assert ends == ["ended with 2", "ended with 2", "ended with 0"]
    assert ran.stdout.lstrip().startswith("Usage: ")
    assert "Traceback" not in ran.stderr


def test_the_module_prints_its_version() -> None:
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

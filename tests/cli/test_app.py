"""How the command starts: without its extras, without a command, without a tidy terminal."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dgspay import __version__, cli
from tests.cli.terminal import PATIENCE, CommandLine, process

_WITHOUT = """
import sys
from pathlib import Path

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


@pytest.mark.parametrize("module", ["typer", "rich", "dotenv", "platformdirs"])
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


def test_the_prepared_help_is_what_the_command_would_say() -> None:
    """It is printed where the terminal has room, for to make it every command is imported."""
    code = "from dgspay.cli.app import build; build()(['--help'], prog_name='dgspay')"
    environ = {**os.environ, "COLUMNS": "80"}
    command = [sys.executable, "-c", code]
    made = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    prepared = Path(cli.__file__).with_name("help.txt").read_text(encoding="utf-8")
    assert prepared == made.stdout


def test_only_the_command_that_is_asked_for_is_loaded() -> None:
    code = (
        "import sys; sys.argv = ['dgspay', 'banks', '--help']\n"
        "from dgspay.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([name for name in sys.modules if name.startswith('dgspay.cli.payouts')])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"


def test_version_and_help_import_no_command_and_no_framework() -> None:
    for flag in ("--version", "--help"):
        code = (
            f"import sys; sys.argv = ['dgspay', '{flag}']\n"
            "from dgspay.cli import main\n"
            "try: main()\n"
            "except SystemExit: pass\n"
            "print([name for name in ('typer', 'rich', 'httpx', 'attrs') if name in sys.modules])"
        )
        command = [sys.executable, "-c", code]
        environ = {**os.environ, "COLUMNS": "80"}
        ran = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
        assert ran.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_a_command(shell: str) -> None:
    environ = {
        **os.environ,
        "_DGSPAY_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": "dgspay payo",
        "COMP_CWORD": "1",
        "_TYPER_COMPLETE_ARGS": "dgspay payo",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    code = "import sys; sys.argv = ['dgspay']; from dgspay.cli import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environ, check=False
    )
    assert "payouts" in ran.stdout
    assert "emulator" not in ran.stdout


OFFERED = {"bash": r"^([a-z-]+)$", "zsh": r'"([a-z-]+)":', "fish": r"^([a-z-]+)\t"}
"""How an offer reads in the answer to each shell's script."""


def words_for(shell: str, line: str) -> dict[str, str]:
    """The variables in which a shell's script passes on what is typed, up to its end."""
    asked = {"_DGSPAY_COMPLETE": f"complete_{shell}"}
    if shell == "bash":
        return {**asked, "COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1)}
    return {**asked, "_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}


@pytest.mark.parametrize("shell", OFFERED)
@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("dgspay payouts ba", ["batches", "backup"]),
        ("dgspay --env-file shop.env trans", ["transactions"]),
        ("dgspay webhooks send --am", ["--amount"]),
    ],
)
def test_shells_complete_commands_and_options(shell: str, line: str, completed: list[str]) -> None:
    with process(environ=words_for(shell, line)) as running:
        out, err = running.communicate(timeout=PATIENCE)
    assert err == ""
    found = re.findall(OFFERED[shell], out, re.MULTILINE)
    assert found == completed


def test_name_of_a_command_is_completed_with_its_summary_and_without_loading_any() -> None:
    code = (
        "import sys; sys.argv = ['dgspay']\n"
        "from dgspay.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([name for name in sys.modules if name == 'dgspay.cli.payouts'])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **words_for("fish", "dgspay pay")},
    )
    summary, loaded = ran.stdout.splitlines()
    assert summary.startswith("payouts\tPay many people")
    assert loaded == "[]"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_shows_a_script_that_asks_for_completions(shell: str) -> None:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"{shell} is not installed")
    # What stands after it keeps the shell as the parent of the command.
    command = f"{sys.executable} -m dgspay --show-completion; true"
    ran = subprocess.run([path, "-c", command], capture_output=True, text=True, check=True)
    assert f"complete_{shell}" in ran.stdout


_INTERRUPTED = """
import os, signal, sys
from dgspay.cli import main

at = sys.argv[1]

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == at:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
sys.argv = ["dgspay", "balance"]
main()
"""


@pytest.mark.parametrize(
    ("loading", "code", "told"),
    [
        ("typer.core", -signal.SIGINT, ""),
        ("dgspay.cli.balance", -signal.SIGINT, ""),
        ("httpcore", 130, "Stopped.\n"),  # which the call itself loads
    ],
)
def test_ctrl_c_while_it_loads_ends_it_without_a_traceback(
    loading: str, code: int, told: str
) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED, loading],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        env={
            **os.environ,
            "DGSPAY_API_KEY": "sk_test_1",
            "DGSPAY_ACCOUNT_NUMBER": "ACC-1",
            "DGSPAY_BASE_URL": "http://127.0.0.1:9",
        },
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (code, "", told)

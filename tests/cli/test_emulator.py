"""`dgspay emulator` as a process: its URL, its variables, and a clean end."""

from __future__ import annotations

import inspect
import shlex
import signal
import socket
import subprocess
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from dgspay import DGSPay
from dgspay.cli.payers import CARDS, PHONES
from dgspay.emulator.api.card_charges import OTP, PIN
from dgspay.emulator.faults.kinds import KINDS
from dgspay.emulator.webhooks.modes import MODES
from tests.cli.terminal import PATIENCE, CommandLine, process


def exported(running: subprocess.Popen[str]) -> dict[str, str]:
    """Read what it says, up to its last line, as a shell would."""
    assert running.stdout is not None
    found = {}
    for line in running.stdout:
        words = shlex.split(line) if line.startswith("export ") else []
        if words:
            name, _, value = words[1].partition("=")
            found[name] = value
        if line.startswith("Ctrl-C"):
            return found
    raise AssertionError(running.stderr.read() if running.stderr else "")


def test_the_printed_variables_are_all_a_client_needs_and_ctrl_c_ends_it_cleanly() -> None:
    with process("emulator", "--port", "0", "--never-settle") as running:
        found = exported(running)
        said = CommandLine(found)("doctor")
        with DGSPay(
            api_key=found["DGSPAY_API_KEY"],
            account_number=found["DGSPAY_ACCOUNT_NUMBER"],
            environment="emulator",
            base_url=found["DGSPAY_BASE_URL"],
        ) as dgs:
            assert dgs.balances.available("RWF") == Decimal(1_000_000)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=PATIENCE)
    assert (running.returncode, out, err) == (0, "Stopped.\n", "")
    assert said.code == 0, said.out
    assert "fail" not in said.out
    assert set(found) == {
        "DGSPAY_ENVIRONMENT",
        "DGSPAY_BASE_URL",
        "DGSPAY_API_KEY",
        "DGSPAY_ACCOUNT_NUMBER",
        "DGSPAY_WEBHOOK_SECRET",
        "DGSPAY_ENCRYPTION_KEY",
    }


def test_its_wallet_holds_a_payroll_where_that_is_asked_for() -> None:
    arguments = ("emulator", "--port", "0", "--balance", "RWF=500000000", "--balance", "usd=2.50")
    with process(*arguments) as running:
        said = CommandLine(exported(running))("balance", "--csv")
    assert "RWF,500000000,0,500000000" in said.out
    assert "USD,2.50,0,2.50" in said.out


@pytest.mark.parametrize(
    ("pairs", "fault"),
    [
        (["RWF"], "must look like RWF=500000000"),
        (["RWF=1", "rwf=2"], "once for a currency"),
        (["RWF=-1"], "a balance must be a plain number"),
        (["francs=1"], "must be an ISO 4217 code"),
    ],
)
def test_a_balance_that_is_none_is_an_error_in_words(pairs: list[str], fault: str) -> None:
    options = [word for pair in pairs for word in ("--balance", pair)]
    said = CommandLine({})("emulator", "--port", "0", *options)
    assert said.code == 2
    assert fault in said.err


@pytest.mark.acceptance(46, "emulator-is-local")
def test_it_listens_on_this_machine_only() -> None:
    said = CommandLine({})("emulator", "--port", "0", "--host", "0.0.0.0")
    assert said.code == 2
    assert "loopback only" in said.err


def test_a_taken_port_is_an_error_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = CommandLine({})("emulator", "--port", port)
    assert said.code == 2
    assert f"port {port}" in said.err
    assert "--port 0" in said.err


def test_a_state_file_of_something_else_is_an_error_in_words(tmp_path: Path) -> None:
    file = tmp_path / "accounts.txt"
    file.write_text("my accounts")
    said = CommandLine({})("emulator", "--port", "0", "--state", str(file))
    assert (said.code, "not one of the emulator's" in said.err) == (2, True)
    said = CommandLine({})("emulator", "--port", "0", "--state", str(tmp_path / "no" / "x.db"))
    assert (said.code, "cannot be opened" in said.err) == (2, True)


def test_a_missing_file_of_faults_is_an_error_in_words(tmp_path: Path) -> None:
    said = CommandLine({})("emulator", "--port", "0", "--faults", str(tmp_path / "faults.toml"))
    assert said.code == 2
    assert "No such file or directory" in said.err


def test_it_remembers_in_a_file_and_a_polite_kill_ends_it_cleanly(tmp_path: Path) -> None:
    file = tmp_path / "emulator.db"
    with process("emulator", "--port", "0", "--state", str(file), "--guide-credentials") as running:
        url = exported(running)["DGSPAY_BASE_URL"]
        answer = httpx.get(
            f"{url}/balance",
            headers={"X-DGS-API-Key": "YOUR_API_KEY"},
            trust_env=False,
            timeout=PATIENCE,
        )
        assert answer.status_code == 200
        running.send_signal(signal.SIGTERM)
        out, err = running.communicate(timeout=PATIENCE)
    assert (running.returncode, out, err) == (0, "Stopped.\n", "")
    assert file.stat().st_size > 0


def test_a_webhook_url_of_another_kind_is_refused() -> None:
    said = CommandLine({})("emulator", "--port", "0", "--webhook-url", "file:///etc/passwd")
    assert said.code == 2
    assert "webhook_url" in said.err


def test_the_help_names_every_fault_with_its_settings_and_every_way_to_deliver() -> None:
    said = CommandLine({})("emulator", "--help").out
    words = " ".join(said.split())
    for name, kind in KINDS.items():
        settings = ", ".join(inspect.signature(kind.make).parameters)
        assert (f"{name} ({settings})" if settings else name) in words
    assert all(mode in words for mode in MODES)
    assert "[[faults]]" in words


def test_it_says_what_to_pay_with() -> None:
    with process("emulator", "--port", "0") as running:
        assert running.stdout is not None
        shown = ""
        while "Ctrl-C" not in shown:
            shown += running.stdout.readline()
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=PATIENCE)
    for thing, words in (*PHONES, *CARDS):
        assert f"{thing} " in shown
        assert words in shown
    assert f"The PIN is {PIN}, the code {OTP}." in shown

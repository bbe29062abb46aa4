"""Standard output that fails does not change what an exit code says of money."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from dgspay.cli.exit_codes import ExitCode
from dgspay.emulator import Emulator
from tests.cli.terminal import PATIENCE, Said, variables

PAYOUT = ("disburse", "--amount", "10100", "--phone", "0788123456", "--network", "MTN", "--yes")
CHARGE = (
    *("charge", "--amount", "2000", "--phone", "0789654321", "--network", "MTN"),
    *("--email", "a@b.rw", "--first-name", "Jane", "--last-name", "Doe"),
    *("--redirect-url", "https://shop.example/thanks"),
)
LINK = ("links", "create", "--title", "Invoice", "--amount", "500")


def ended(
    how: str, arguments: Sequence[str], environ: dict[str, str], folder: Path | None = None
) -> Said:
    """Run a command with a stdout that is full, closed, or read by nothing."""
    command = [sys.executable, "-m", "dgspay", *arguments]
    descriptor = None
    if how == "full":
        descriptor = os.open("/dev/full", os.O_WRONLY)
    elif how == "no reader":
        read, descriptor = os.pipe()
        os.close(read)
    else:
        command = ["sh", "-c", 'exec "$@" >&-', "sh", *command]
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            cwd=folder,
            timeout=PATIENCE,
        )
    finally:
        if descriptor is not None:
            os.close(descriptor)
    return Said("", done.stderr, done.returncode)


HOW = ("full", "closed", "no reader")


@pytest.mark.acceptance(66, "broken-output")
@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
def test_a_payout_that_was_made_ends_with_0_and_its_reference_on_stderr(
    emulator: Emulator, base_url: str, how: str, form: tuple[str, ...]
) -> None:
    said = ended(how, (*PAYOUT, *form), variables(emulator, base_url))
    (payout,) = emulator.disbursements
    assert said.code == ExitCode.OK, said.err
    assert "Traceback" not in said.err
    if how != "closed":  # there, nothing is lost: the program was started without a stdout
        assert payout.dgs_reference in said.err
        assert "idempotency key: " in said.err


@pytest.mark.acceptance(66, "broken-output")
@pytest.mark.parametrize("how", HOW)
def test_a_payout_whose_answer_was_lost_ends_with_5_and_its_key_on_stderr(
    emulator: Emulator, base_url: str, how: str
) -> None:
    emulator.faults.lose_answer("POST /disburse")
    lost = ended(how, PAYOUT, variables(emulator, base_url))
    assert lost.code == ExitCode.UNKNOWN, lost.err
    assert "idempotency key: " in lost.err


@pytest.mark.acceptance(66, "broken-output")
@pytest.mark.parametrize("how", ["full", "no reader"])
def test_a_charge_and_a_link_name_themselves_on_stderr(
    emulator: Emulator, base_url: str, how: str
) -> None:
    environ = variables(emulator, base_url)
    charged = ended(how, CHARGE, environ)
    assert charged.code == ExitCode.OK, charged.err
    assert emulator.transactions[0].dgs_reference in charged.err
    linked = ended(how, LINK, environ)
    assert linked.code == ExitCode.OK, linked.err
    assert emulator.links[0].id in linked.err


@pytest.mark.acceptance(66, "broken-output")
@pytest.mark.parametrize("how", HOW)
def test_a_batch_is_paid_where_there_is_no_stdout_and_not_begun_where_it_is_lost(
    emulator: Emulator, base_url: str, how: str, tmp_path: Path
) -> None:
    sheet = tmp_path / "pay.csv"
    sheet.write_text("reference,amount,msisdn,network\nr-1,5000,0788123456,MTN\n")
    arguments = ("payouts", "run", str(sheet), "--yes", "--ledger", str(tmp_path / "ledger"))
    said = ended(how, arguments, variables(emulator, base_url), tmp_path)
    paid, code = (1, ExitCode.OK) if how == "closed" else (0, ExitCode.OUTPUT_LOST)
    assert (len(emulator.disbursements), said.code) == (paid, code), said.err


@pytest.mark.parametrize("how", ["full", "no reader"])
def test_a_read_whose_result_is_lost_has_an_exit_code_of_its_own(
    emulator: Emulator, base_url: str, how: str
) -> None:
    said = ended(how, ("balance", "--json"), variables(emulator, base_url))
    assert said.code == ExitCode.OUTPUT_LOST, said.err
    assert "Traceback" not in said.err
    assert ("could not be written" in said.err) == (how == "full")
    assert ended(how, ("--help",), {}).code == ExitCode.OUTPUT_LOST


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_json_is_json_and_csv_is_utf_8_whatever_the_locale(
    emulator: Emulator, base_url: str, encoding: str
) -> None:
    title = "Gâteau \N{BIRTHDAY CAKE}"
    environ = {**os.environ, **variables(emulator, base_url), "PYTHONIOENCODING": encoding}

    def dgspay(*arguments: str) -> bytes:
        command = [sys.executable, "-m", "dgspay", *arguments]
        return subprocess.run(
            command, env=environ, capture_output=True, check=True, timeout=PATIENCE
        ).stdout

    dgspay(*LINK[:3], title, *LINK[4:])
    listed = dgspay("links", "list", "--json")
    for read_as in (encoding, "utf-8"):
        assert json.loads(listed.decode(read_as))[0]["title"] == title


def test_a_pipe_that_does_not_block_loses_nothing_of_a_long_result(
    emulator: Emulator, base_url: str
) -> None:
    emulator.generate(2000)
    read, write = os.pipe()
    os.set_blocking(write, False)
    command = [sys.executable, "-m", "dgspay", "transactions", "list", "--json"]
    environ = {**os.environ, **variables(emulator, base_url)}
    with subprocess.Popen(command, env=environ, stdout=write) as running:
        os.close(write)
        with os.fdopen(read, "rb") as reader:
            rows = json.loads(reader.read())
    assert (running.returncode, len(rows)) == (0, 2000)

"""`dgspay demo` as a person runs it: a process of its own, real sockets, no account."""

from __future__ import annotations

import ast
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

import dgspay.cli.demo.story
from dgspay.emulator import Emulator
from tests.cli.terminal import PATIENCE

STORY = Path(dgspay.cli.demo.story.__file__)


@pytest.fixture(scope="module")
def told() -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dgspay", "demo"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )


def test_the_demo_prints_its_whole_story_and_ends_with_0(
    told: subprocess.CompletedProcess[str],
) -> None:
    assert (told.returncode, told.stderr) == (0, "")
    text = " ".join(told.stdout.split())
    for part in (
        "The wallet holds 200,000 RWF",
        "its signature holds: payment.success",
        "PinRequired",
        "/generation/pay/invoice-123",
        "Declined: Insufficient funds. That is an answer and not an exception",
        "OutcomeUnknownError: the request left and no answer came back",
        "one payout to Eric. Nobody was paid twice",
        "Alice, Banque de Kigali: 40,000 RWF sent, fee 100, so 39,900 arrive",
        "It adds up to the franc",
        "dgspay doctor",
    ):
        assert part in text


def test_the_statement_adds_up(told: subprocess.CompletedProcess[str]) -> None:
    lines = told.stdout.partition("Does it all add up?")[2].splitlines()
    (before,) = (line for line in lines if line.split()[:1] == ["Before"])
    (after,) = (line for line in lines if line.split()[:1] == ["After"])
    rows = [line for line in lines if re.search(r" [+-][\d,]+ *$", line)]
    changes = [last_figure(line) for line in rows]
    assert len(changes) == 7
    assert last_figure(before) + sum(changes) == last_figure(after)


def last_figure(line: str) -> int:
    return int(line.rsplit(maxsplit=1)[-1].replace(",", ""))


def test_the_demo_prints_no_colour_into_a_pipe(told: subprocess.CompletedProcess[str]) -> None:
    assert "\x1b" not in told.stdout
    assert all(len(line) <= 80 for line in told.stdout.splitlines())


def test_no_secret_is_in_the_story(told: subprocess.CompletedProcess[str]) -> None:
    with Emulator() as emulator:
        secrets = [
            emulator.api_key,
            emulator.webhook_secret,
            emulator.encryption_key,
            "4000000000003055",
            "4000 0000",
            "1234\n",
            "cvv",
        ]
    assert not [secret for secret in secrets if secret in told.stdout + told.stderr]


def test_each_line_of_python_it_shows_is_one_it_runs(
    told: subprocess.CompletedProcess[str],
) -> None:
    source = STORY.read_text(encoding="utf-8")
    run = {
        ast.unparse(node)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Assign | ast.Expr | ast.Await)
    }
    # Verifying is the receiver's part of the story.
    run.add("event = webhooks.verify(body, signature, secret)")
    receiver = STORY.parent.parent / "webhook_server.py"
    assert "webhooks.verify(body, signature, secret)" in receiver.read_text(encoding="utf-8")
    shown = re.findall(r">>> (.+)", told.stdout)
    assert len(shown) == 12
    assert {ast.unparse(ast.parse(line)) for line in shown} <= run


def on_a_terminal(**environ: str) -> str:
    """Run the demo on a terminal of 80 columns, and return every byte it wrote."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "dgspay", "demo"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", **environ},
    ) as running:
        os.close(theirs)
        written = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # how Linux says that the other side has closed
                break
            if not piece:
                break
            written += piece
    os.close(ours)
    assert running.returncode == 0
    return written.decode()


def test_a_terminal_gets_colour() -> None:
    assert "\x1b[36m" in on_a_terminal()


def test_a_terminal_gets_no_colour_and_ascii_where_that_is_all_it_can() -> None:
    written = on_a_terminal(NO_COLOR="1", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert not re.search(r"\x1b\[[0-9;]*m", written)
    assert written.isascii()
    assert "+ The wallet holds 200,000 RWF" in written

"""`dgspay payouts listen`, collected from by Prometheus."""

from __future__ import annotations

import signal
from pathlib import Path

import httpx
import pytest

from tests.cli.terminal import PATIENCE, CommandLine, process

LISTEN = ("payouts", "listen", "--port", "0")
ENVIRON = {
    "DGSPAY_API_KEY": "sk_test_of_a_test",
    "DGSPAY_ACCOUNT_NUMBER": "0123456789",
    "DGSPAY_WEBHOOK_SECRET": "whsec-of-a-test",
}


def test_metrics_of_the_ledger_are_served_on_a_port_of_their_own(tmp_path: Path) -> None:
    pytest.importorskip("prometheus_client")
    ledger = ("--ledger", str(tmp_path / "ledger.sqlite3"))
    with process(*LISTEN, *ledger, "--metrics-port", "0", environ=ENVIRON) as running:
        assert running.stderr is not None
        while not (line := running.stderr.readline()).startswith("Metrics at "):
            assert line
        url = line.removeprefix("Metrics at ").strip()
        text = httpx.get(url, trust_env=False, timeout=PATIENCE).text
        running.send_signal(signal.SIGINT)
        running.wait(PATIENCE)
    assert url.startswith("http://127.0.0.1:")
    assert 'dgspay_payouts_count{dgspay_state="held"} 0.0' in text.splitlines()
    assert 'dgspay_payouts_oldest_seconds{dgspay_state="in doubt"} 0.0' in text.splitlines()
    assert ENVIRON["DGSPAY_ACCOUNT_NUMBER"] not in text


def test_a_port_that_cannot_be_had_ends_the_command(tmp_path: Path) -> None:
    dgspay = CommandLine(ENVIRON)
    said = dgspay(
        *LISTEN, "--ledger", str(tmp_path / "ledger.sqlite3"),
        "--metrics-port", "0", "--metrics-host", "192.0.2.1",
    )  # fmt: skip
    assert said.code == 2
    assert "Cannot serve metrics on 192.0.2.1" in said.err

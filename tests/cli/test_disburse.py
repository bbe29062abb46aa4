"""`dgspay disburse`: whom it asks about, what it sends, and what it says when it cannot know."""

from __future__ import annotations

import json
import signal
import socket

import pytest

from dgspay.emulator import Emulator
from tests.cli.terminal import PATIENCE, CommandLine, process

PHONE = ("--amount", "10100", "--phone", "0788123456", "--network", "mtn")
BANK = ("--amount", "10100", "--bank", "kcb_rw", "--account", "0012345678")


def disbursed(emulator: Emulator) -> int:
    return sum(arrival.operation == "POST /disburse" for arrival in emulator.requests)


def test_it_asks_with_sum_recipient_and_environment(
    dgspay: CommandLine, emulator: Emulator
) -> None:
    to_jane = (*PHONE, "--name", "Jane Doe")
    jane = "Jane Doe, +250788123456 (MTN), from account ACC-EMULATOR in emulator?"
    john = "0012345678 at kcb_rw from account ACC-EMULATOR in emulator?"
    for arguments, question in ((to_jane, jane), (BANK, john)):
        for answers in ("n\n", ""):
            said = dgspay("disburse", *arguments, answers=answers)
            assert said.code == 1
            assert f"Pay 10,100 RWF to {question}" in said.err.replace("\n", " ")
            assert "Nothing was sent." in said.err
    assert not disbursed(emulator)
    assert dgspay("disburse", *PHONE, answers="y\n").code == 0
    assert disbursed(emulator) == 1


def test_it_says_that_it_is_queued_and_how_to_see_how_it_ends(
    dgspay: CommandLine, emulator: Emulator
) -> None:
    said = dgspay("disburse", *PHONE, "--yes")
    (deed,) = emulator.executed
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        f"{deed.reference}  10,100 RWF  queued",
        "After the fee 10,000 RWF arrive.",
        f"How it ends: dgspay transactions show {deed.reference}",
    ]
    assert dgspay("transactions", "show", deed.reference or "").code == 0


def test_every_option_reaches_dgs_pay(dgspay: CommandLine, emulator: Emulator) -> None:
    said = dgspay(
        "disburse", *BANK, "--branch", "Kigali Main", "--name", "John Doe", "--yes", "--json",
        "--narration", "Vendor", "--callback-url", "http://127.0.0.1:9/c",
        "--idempotency-key", "rent-2026-11", "--scenario", "scenario:successful",
    )  # fmt: skip
    assert said.code == 0, said.err
    arrival = emulator.requests[-1]
    assert arrival.body == {
        "amount": 10100,
        "destination_type": "bank",
        "recipient": {
            "bank_key": "kcb_rw",
            "account_number": "0012345678",
            "name": "John Doe",
            "branch": "Kigali Main",
        },
        "narration": "Vendor",
        "callback_url": "http://127.0.0.1:9/c",
        "scenario_key": "scenario:successful",
    }
    assert emulator.executed[0].idempotency_key == "rent-2026-11"
    told = json.loads(said.out)
    assert (told["status"], told["amount"], told["recipient_gets"]) == ("success", 10100, 10000)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--amount", "10100"),
        ("--amount", "10100", "--phone", "0788123456"),
        ("--amount", "10100", "--bank", "bk_rw"),
        (*PHONE, "--account", "1234567890"),
        (*PHONE[2:], "--amount", "ten"),
        (*PHONE[2:], "--amount", "10.50"),
        (*PHONE, "--network", "Vodafone"),
        (*PHONE, "--idempotency-key", ""),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_sent(
    dgspay: CommandLine, emulator: Emulator, arguments: tuple[str, ...]
) -> None:
    said = dgspay("disburse", *arguments, "--yes")
    assert said.code == 2
    assert "Nothing was sent." in said.err
    assert not disbursed(emulator)


def test_a_lost_answer_is_reported_as_in_doubt(dgspay: CommandLine, emulator: Emulator) -> None:
    emulator.faults.lose_answer("POST /disburse")
    said = dgspay("disburse", *PHONE, "--yes", "--idempotency-key", "salary-jane")
    assert (said.code, said.out) == (5, "")
    for part in ("money may have moved", "outcome: unknown", "idempotency key: salary-jane"):
        assert part in said.err
    assert disbursed(emulator) == 1


@pytest.mark.acceptance(66, "broken-output")
def test_a_key_in_use_is_no_refusal_for_the_request_may_have_been_sent_on_twice(
    dgspay: CommandLine, emulator: Emulator
) -> None:
    emulator.faults.send_on_twice("POST /disburse")
    said = dgspay("disburse", *PHONE, "--yes", "--idempotency-key", "salary-jane")
    assert len(emulator.executed) == 1
    assert (said.code, said.out) == (5, ""), said.err
    for part in ("may have moved", "error code: 93", "idempotency key: salary-jane"):
        assert part in said.err


def test_a_wallet_that_is_too_small_is_a_refusal(dgspay: CommandLine, emulator: Emulator) -> None:
    said = dgspay("disburse", *PHONE[2:], "--amount", "900000000", "--yes")
    assert said.code == 3
    assert not emulator.executed


def test_ctrl_c_in_mid_call_is_reported_as_in_doubt(dgspay: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/generation/v2"
        environ = {**dgspay.environ, "DGSPAY_BASE_URL": url}
        with process("disburse", *PHONE, "--yes", environ=environ) as running:
            connection, _ = listener.accept()
            with connection:
                assert connection.recv(65536)
                running.send_signal(signal.SIGINT)
                _, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 5
    assert "the money may have left" in " ".join(err.split())

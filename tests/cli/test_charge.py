"""`dgspay charge` and `dgspay links`: what they send, what they say, and how they end."""

from __future__ import annotations

import json
import signal
import socket

import pytest

from dgspay import errors
from dgspay.cli.exit_codes import ExitCode, code_for
from dgspay.cli.options import client_options
from dgspay.emulator import Emulator
from tests.cli.terminal import PATIENCE, CommandLine, process

JANE = (
    "--amount", "2000", "--network", "mtn", "--email", "jane@example.com",
    "--first-name", "Jane", "--last-name", "Doe", "--redirect-url", "https://shop.example/thanks",
)  # fmt: skip
PAYS = "0789654321"
HAS_NOTHING = "0789000001"
SAYS_NO_LATER = "0789000003"
NEVER_ANSWERS = "0789000004"


def charges(emulator: Emulator) -> int:
    return sum(arrival.operation == "POST /charges" for arrival in emulator.requests)


def test_a_charge_is_started(dgspay: CommandLine, emulator: Emulator) -> None:
    said = dgspay("charge", *JANE, "--phone", PAYS)
    assert (said.code, said.err) == (0, "")
    assert f"{emulator.transactions[0].dgs_reference}  2,000 RWF  pending" in said.out
    assert "Send the customer to http://127.0.0.1" in said.out


def test_every_option_reaches_dgs_pay(dgspay: CommandLine, emulator: Emulator) -> None:
    said = dgspay(
        "charge", *JANE, "--phone", PAYS, "--customer-phone", "0788111222",
        "--customer-phone-country-code", "250", "--narration", "Invoice 1",
        "--callback-url", "http://127.0.0.1:9/c", "--scenario", "scenario:auth_redirect",
        "--idempotency-key", "invoice-1",
    )  # fmt: skip
    assert said.code == 0, said.err
    arrival = emulator.requests[-1]
    assert arrival.body == {
        "amount": 2000,
        "currency": "RWF",
        "payment_type": "mobile_money",
        "customer_email": "jane@example.com",
        "customer_first_name": "Jane",
        "customer_last_name": "Doe",
        "customer_phone": "788111222",
        "customer_phone_country_code": "250",
        "redirect_url": "https://shop.example/thanks",
        "narration": "Invoice 1",
        "mobile_money_network": "MTN",
        "mobile_money_phone": "789654321",
        "callback_url": "http://127.0.0.1:9/c",
        "scenario_key": "scenario:auth_redirect",
    }
    assert arrival.headers["idempotency-key"] == "invoice-1"


def test_waiting_for_a_payment_that_is_made(dgspay: CommandLine) -> None:
    said = dgspay("charge", *JANE, "--phone", PAYS, "--wait")
    assert said.code == 0
    assert said.out.endswith("Paid: 2,000 RWF\n")


@pytest.mark.parametrize("phone", [HAS_NOTHING, SAYS_NO_LATER])
def test_a_decline_is_an_answer_and_not_an_error(dgspay: CommandLine, phone: str) -> None:
    said = dgspay("charge", *JANE, "--phone", phone, "--wait")
    assert (said.code, said.err) == (1, "")
    assert "eclined: " in said.out


def test_waiting_in_vain_is_not_known(dgspay: CommandLine, emulator: Emulator) -> None:
    said = dgspay("charge", *JANE, "--phone", NEVER_ANSWERS, "--wait", "--timeout", "0.1", "--json")
    assert said.code == 5
    assert "do not charge again" in said.err
    shown = json.loads(said.out)
    assert shown["charge"]["dgs_reference"] == emulator.transactions[0].dgs_reference
    assert shown["transaction"] is None


def test_json_holds_the_charge_and_the_transaction_waited_for(dgspay: CommandLine) -> None:
    shown = json.loads(dgspay("charge", *JANE, "--phone", PAYS, "--wait", "--json").out)
    assert shown["charge"]["transaction_status"] == "pending"
    assert shown["charge"]["amount"] == 2000
    assert shown["transaction"]["status"] == "successful"


def test_a_lost_answer_is_reported_as_in_doubt(dgspay: CommandLine, emulator: Emulator) -> None:
    emulator.faults.lose_answer("POST /charges")
    said = dgspay("charge", *JANE, "--phone", PAYS, "--idempotency-key", "invoice-7")
    assert (said.code, said.out) == (5, "")
    for part in ("money may have moved", "outcome: unknown", "idempotency key: invoice-7"):
        assert part in said.err
    assert "Traceback" not in said.err
    assert charges(emulator) == 1


def test_ctrl_c_in_mid_call_is_reported_as_in_doubt(dgspay: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/generation/v2"
        arguments = ("charge", *JANE, "--phone", PAYS, "--base-url", url)
        with process(*arguments, environ=dgspay.environ) as running:
            connection, _ = listener.accept()
            with connection:
                assert connection.recv(4) == b"POST"
                running.send_signal(signal.SIGINT)
                out, err = running.communicate(timeout=PATIENCE)
    assert (running.returncode, out) == (5, "")
    assert "may have been started" in err
    assert "Traceback" not in err


def test_a_refused_connection_means_not_sent(dgspay: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    nowhere = f"http://127.0.0.1:{port}/generation/v2"
    said = dgspay("charge", *JANE, "--phone", PAYS, "--base-url", nowhere)
    assert said.code == 4
    assert "Nothing was sent" in said.err


@pytest.mark.acceptance(6, "odd-amount", 7, "rwf-fraction", 8, "odd-network")
@pytest.mark.parametrize(
    "wrong",
    [
        ("--amount", "2000.50"), ("--amount", "0"), ("--amount", "1e3"), ("--amount", "NaN"),
        ("--currency", "USD"), ("--network", "Tigo"), ("--phone", "12"), ("--email", "jane"),
        ("--redirect-url", "javascript:alert(1)"), ("--idempotency-key", ""),
    ],
)  # fmt: skip
def test_a_wrong_field_sends_nothing(
    dgspay: CommandLine, emulator: Emulator, wrong: tuple[str, str]
) -> None:
    said = dgspay("charge", *JANE, "--phone", PAYS, *wrong)
    assert said.code == 2
    assert "Nothing was sent" in said.err
    assert not emulator.requests


# --- production ---------------------------------------------------------------------------


@pytest.fixture
def production(dgspay: CommandLine) -> CommandLine:
    """An account that takes the served emulator for production; no key of ours looks live."""
    return dgspay.having(DGSPAY_ENVIRONMENT="production", DGSPAY_API_KEY="not-a-published-key")


@pytest.mark.parametrize("answer", ["n\n", "\n", None])
def test_real_money_is_asked_for_and_no_means_nothing_is_sent(
    production: CommandLine, emulator: Emulator, answer: str | None
) -> None:
    said = production("charge", *JANE, "--phone", PAYS, answers=answer)
    assert said.code == 1
    assert "This is production" in said.err
    assert "Nothing was sent" in said.err
    assert not emulator.requests


@pytest.mark.parametrize(("options", "answer"), [(("--yes",), None), ((), "y\n")])
def test_a_yes_on_the_command_line_or_the_keyboard_sends_the_charge(
    production: CommandLine, emulator: Emulator, options: tuple[str, ...], answer: str | None
) -> None:
    said = production("charge", *JANE, "--phone", PAYS, *options, answers=answer)
    # The emulator does not know the key: it was asked, and refused.
    assert said.code == 3
    assert charges(emulator) == 1


def test_archiving_in_production_is_asked_for(production: CommandLine, emulator: Emulator) -> None:
    assert production("links", "archive", "some-id", answers="n\n").code == 1
    assert not emulator.requests


@pytest.mark.acceptance(11, "scenario-in-production")
def test_a_scenario_in_production_is_refused(production: CommandLine, emulator: Emulator) -> None:
    said = production("charge", *JANE, "--phone", PAYS, "--scenario", "scenario:auth_pin", "-y")
    assert said.code == 2
    assert not emulator.requests


@pytest.mark.acceptance(10, "wrong-environment-key")
def test_a_key_of_the_other_environment_is_refused(dgspay: CommandLine, emulator: Emulator) -> None:
    key = "sk_live_0123456789"
    said = dgspay.having(DGSPAY_API_KEY=key)("balance")
    assert said.code == 2
    assert key not in said.out + said.err
    assert dgspay("balance", "--environment", "production").code == 2
    assert not emulator.requests


def test_the_base_url_of_one_environment_does_not_follow_into_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {
        "DGSPAY_API_KEY": "plain-key",
        "DGSPAY_ACCOUNT_NUMBER": "ACC-1",
        "DGSPAY_ENVIRONMENT": "emulator",
        "DGSPAY_BASE_URL": "http://127.0.0.1:1/x",
    }.items():
        monkeypatch.setenv(name, value)
    own = {"environment": "emulator", "base_url": "http://127.0.0.1:1/x"}
    assert client_options(None, None).items() >= own.items()
    assert client_options("emulator", None).items() >= own.items()
    other = {"environment": "sandbox", "base_url": None}
    assert client_options("sandbox", None).items() >= other.items()
    assert client_options("sandbox", "https://x.example")["base_url"] == "https://x.example"


@pytest.mark.acceptance(9, "odd-base-url")
@pytest.mark.parametrize(
    "options",
    [
        ("--base-url", "http://pay.example"),
        ("--base-url", "https://me:pw@pay.example"),
        ("--base-url", "https://pay.example:99999"),
        ("--environment", "moon"),
    ],
)
def test_a_wrong_address_or_environment_is_usage(
    dgspay: CommandLine, emulator: Emulator, options: tuple[str, str]
) -> None:
    assert dgspay.having(DGSPAY_API_KEY="plain-key")("balance", *options).code == 2
    assert not emulator.requests


# --- links --------------------------------------------------------------------------------


def test_a_link_is_created_listed_and_archived(dgspay: CommandLine, emulator: Emulator) -> None:
    said = dgspay(
        "links", "create", "--title", "Invoice #1", "--amount", "5000", "--max-uses", "1",
        "--payment-type", "card", "--payment-type", "mobile_money", "--slug", "inv-1",
        "--expires-at", "2099-12-31 23:59:59", "--description", "One", "--no-collect-name",
        "--redirect-url", "https://shop.example",
    )  # fmt: skip
    assert said.code == 0, said.err
    (link,) = emulator.links
    assert said.out.splitlines()[0].endswith("/generation/pay/inv-1")
    assert link.terms["payment_types"] == ("card", "mobile_money")
    assert link.terms["collect_name"] is False
    (listed,) = json.loads(dgspay("links", "list", "--json").out)
    assert (listed["id"], listed["amount"], listed["max_uses"]) == (link.id, 5000, 1)
    assert listed["expires_at"] == "2099-12-31 23:59:59"
    assert "0/1" in dgspay("links", "list").out
    assert dgspay("links", "archive", link.id).out == "Payment link archived\n"
    assert link.archived
    assert dgspay("links", "archive", link.id).code == 3


def test_without_an_amount_the_payer_chooses(dgspay: CommandLine) -> None:
    said = dgspay("links", "create", "--title", "Gift", "--min-amount", "100", "--json")
    link = json.loads(said.out)
    assert (link["amount_type"], link["amount"], link["min_amount"]) == ("flexible", None, 100)


@pytest.mark.acceptance(12, "odd-link-terms")
def test_limits_do_not_go_with_a_price(dgspay: CommandLine, emulator: Emulator) -> None:
    said = dgspay("links", "create", "--title", "T", "--amount", "5", "--min-amount", "1")
    assert said.code == 2
    assert not emulator.requests


# --- exit codes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigError("x"), ExitCode.USAGE),
        (errors.SignatureError("x"), ExitCode.NO),
        (errors.NotFoundError("x"), ExitCode.REFUSED),
        (errors.TransportError("x"), ExitCode.NOT_SENT),
        (errors.DecodeError("x"), ExitCode.NOT_SENT),
        (errors.OutcomeUnknownError("x"), ExitCode.UNKNOWN),
        (errors.UndecodableOutcomeError("x"), ExitCode.UNKNOWN),
        (errors.ContradictoryOutcomeError("x"), ExitCode.UNKNOWN),
        (errors.WaitTimeoutError("x"), ExitCode.UNKNOWN),
        (errors.IdempotencyError("x", outcome=errors.Outcome.REJECTED), ExitCode.UNKNOWN),
        (errors.IdempotencyError("x", outcome=errors.Outcome.NOT_SENT), ExitCode.NOT_SENT),
    ],
)
def test_the_exit_code_says_what_is_known(error: errors.DGSPayError, code: ExitCode) -> None:
    assert code_for(error) is code


def test_the_help_lists_every_exit_code(dgspay: CommandLine) -> None:
    said = dgspay("--help")
    for code in ExitCode:
        assert f"{code.value:<3}  {code.meaning}" in said.out

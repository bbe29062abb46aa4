"""No secret is shown by a wrong set-up, webhooks, payouts, the emulator and the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from dgspay import (
    AsyncDGSPay,
    DGSPay,
    EncryptedCard,
    EncryptedPin,
    MobileMoneyRecipient,
    errors,
    webhooks,
)
from dgspay.emulator import Emulator
from dgspay.encryption import CardEncryptor, decrypt_field, encrypt_field
from dgspay.payouts import PayoutWebhooks, SqliteLedger, open_job
from dgspay.secret import Secret
from dgspay.transports.httpx import HttpxTransport
from dgspay.webhooks import MemoryInbox, PaymentSucceeded, WebhookReceiver
from tests.support.known_secrets import (
    ACCOUNT,
    API_KEY,
    CARD,
    CVV,
    ENCRYPTED_PIN,
    ENCRYPTION_KEY,
    ENCRYPTOR,
    JANE,
    OTP,
    PAN,
    PIN,
    WEBHOOK_SECRET,
    echo_as_text,
    echoing,
    raised,
    settings,
)
from tests.support.raw_server import RawServer
from tests.support.secret_scanner import SecretScanner
from tests.support.transport_matrix import WAYS

SETUPS: dict[str, Callable[[], Any]] = {
    "key with a line break": lambda: DGSPay(api_key=f"{API_KEY}\n", account_number=ACCOUNT),
    "live key": lambda: DGSPay(
        api_key=API_KEY.replace("test", "live"), account_number=ACCOUNT, environment="sandbox"
    ),
    "test key": lambda: DGSPay(api_key=API_KEY, account_number=ACCOUNT, environment="production"),
    "no account": lambda: AsyncDGSPay(api_key=API_KEY, account_number=None),  # type: ignore[arg-type]
    "bad deadline": lambda: DGSPay(api_key=API_KEY, account_number=ACCOUNT, deadline=-1),
    "unknown environment": lambda: DGSPay(
        api_key=API_KEY,
        account_number=ACCOUNT,
        environment="nowhere",
    ),
    "key as bytes": lambda: DGSPay(api_key=API_KEY.encode(), account_number=ACCOUNT),  # type: ignore[arg-type]
    "key for the account": lambda: DGSPay(api_key=API_KEY, account_number=API_KEY),
    "swapped": lambda: AsyncDGSPay(api_key=ACCOUNT, account_number=API_KEY),
    "swapped, badly copied": lambda: DGSPay(api_key=ACCOUNT, account_number=f' "{API_KEY}'),
    "key in capitals for the account": lambda: DGSPay(
        api_key=ACCOUNT, account_number=API_KEY.upper()
    ),
    "key for the account, bad deadline": lambda: DGSPay(
        api_key=ACCOUNT, account_number=API_KEY, deadline=-1
    ),
    "key for the environment": lambda: DGSPay(
        api_key=API_KEY, account_number=ACCOUNT, environment=API_KEY
    ),
    "key for the URL": lambda: DGSPay(api_key=API_KEY, account_number=ACCOUNT, base_url=API_KEY),
    "encryption key": lambda: CardEncryptor(ENCRYPTION_KEY[:-3]),
    "alphabet": lambda: CardEncryptor(ENCRYPTION_KEY, alphabet="x"),  # type: ignore[arg-type]
    "PAN": lambda: encrypted(number=PAN[:-1] + "1"),
    "PAN in other digits": lambda: encrypted(number=PAN + "\N{ARABIC-INDIC DIGIT ONE}"),
    "CVV": lambda: encrypted(cvv=f"{CVV}{PIN}"),
    "month": lambda: encrypted(expiry_month=13),
    "card nonce": lambda: encrypted(nonce=OTP),
    "PIN": lambda: CardEncryptor(ENCRYPTION_KEY).encrypt_pin(f"{PIN}x"),
    "PIN under a card's nonce": lambda: ENCRYPTOR.encrypt_pin(PIN, nonce=CARD.card_nonce),
    "field": lambda: encrypt_field(f"{PAN}\ud800", key=ENCRYPTION_KEY, nonce="a" * 12),
    "decryption": lambda: decrypt_field(
        CARD.card_encrypted_number, key=ENCRYPTION_KEY, nonce="a" * 12
    ),
    "ciphertext": lambda: EncryptedCard(**{**CARD.to_wire(), "card_nonce": PAN}),
    "posted PIN": lambda: EncryptedPin.from_mapping({"auth_pin_encrypted": PIN}),
    "secret to pickle": lambda: json.dumps(Secret(API_KEY)),
}


def encrypted(**changes: Any) -> EncryptedCard:
    """Encrypt a card with something wrong in it."""
    card = {"number": PAN, "expiry_month": 12, "expiry_year": 2031, "cvv": CVV, **changes}
    return CardEncryptor(ENCRYPTION_KEY).encrypt_card(**card)


@pytest.mark.acceptance(
    4, "odd-api-key", 36, "odd-encryption-key", 37, "odd-card-digits", 38, "nonce-reuse"
)
@pytest.mark.parametrize("setup", SETUPS)
def test_what_is_set_up_wrongly_shows_nothing(setup: str, scanner: SecretScanner) -> None:
    raised(scanner, SETUPS[setup])


@pytest.mark.acceptance(4, "odd-api-key", 67, "no-secret-in-dumps")
def test_key_that_the_environment_has_for_the_account_number_is_not_shown(
    scanner: SecretScanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DGSPAY_API_KEY", ACCOUNT)
    monkeypatch.setenv("DGSPAY_ACCOUNT_NUMBER", API_KEY)
    raised(scanner, DGSPay.from_env)
    raised(scanner, lambda: AsyncDGSPay.from_env(account_number=API_KEY))


def test_the_environment_is_not_shown(
    scanner: SecretScanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DGSPAY_API_KEY", API_KEY)
    monkeypatch.delenv("DGSPAY_ACCOUNT_NUMBER", raising=False)
    raised(scanner, DGSPay.from_env)


@pytest.mark.parametrize(
    "thing",
    [
        CARD,
        ENCRYPTED_PIN,
        ENCRYPTOR,
        Secret(API_KEY),
        WebhookReceiver(secret=WEBHOOK_SECRET, inbox=MemoryInbox()),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_what_holds_a_secret_shows_nothing(thing: object, scanner: SecretScanner) -> None:
    scanner.scan(type(thing).__name__, thing)


# --- webhooks, payouts, emulator, command line ----------------------------------------------------

EVENT = {"event": "payment.success", "dgs_reference": "dgs_1", "amount": 1, "currency": "RWF"}


@pytest.mark.parametrize(
    ("body", "secret", "signature"),
    [
        (EVENT, WEBHOOK_SECRET, "0" * 64),
        (EVENT, WEBHOOK_SECRET, None),
        (EVENT, [WEBHOOK_SECRET, ""], "0" * 64),
        (EVENT, f" {WEBHOOK_SECRET}", "0" * 64),
        (EVENT, {WEBHOOK_SECRET}, "0" * 64),
        ({**EVENT, "event": 1}, WEBHOOK_SECRET, "right"),
        ({**EVENT, "amount": {}}, [WEBHOOK_SECRET, "old"], "right"),
    ],
)
def test_a_webhook_that_is_refused_shows_nothing(
    body: Any, secret: Any, signature: str | None, scanner: SecretScanner
) -> None:
    raw = json.dumps(body).encode()
    given = webhooks.sign(raw, WEBHOOK_SECRET) if signature == "right" else signature
    raised(scanner, lambda: webhooks.verify(raw, given, secret))
    raised(scanner, lambda: webhooks.verify(raw.decode(), given, secret))  # type: ignore[arg-type]
    with Emulator() as emulator:
        raised(scanner, lambda: PayoutWebhooks(emulator, secret=[secret, 7]))  # type: ignore[arg-type, list-item]


def test_a_handler_that_raises_shows_nothing_of_the_receiver(scanner: SecretScanner) -> None:
    receiver = WebhookReceiver(secret=WEBHOOK_SECRET, inbox=MemoryInbox())

    @receiver.on(PaymentSucceeded)
    def broken(event: PaymentSucceeded) -> None:
        raise RuntimeError("the shop's own fault")

    body = json.dumps({**EVENT, "status": "success", "note": {"pan": PAN, "api_key": API_KEY}})
    signature = webhooks.sign(body.encode(), WEBHOOK_SECRET)
    assert receiver.receive(body.encode(), signature).status == 500
    scanner.scan("answer", receiver.receive(body.encode(), "0" * 64))


def test_a_payout_run_that_fails_shows_nothing(tmp_path: Path, scanner: SecretScanner) -> None:
    row = {"reference": "a", "amount": 1000, "msisdn": "0788123456", "network": "MTN"}

    async def main(url: str, folder: Path) -> None:
        options = settings(scanner, url, WAYS[1])
        with SqliteLedger(folder / "ledger.sqlite3") as ledger:
            async with (
                AsyncDGSPay(**options) as dgs,
                open_job(dgs, ledger, [row], batch="b") as job,
            ):
                summary = await job.run(settle_within=0)
                scanner.record("summary", repr(summary))
                scanner.record("records", repr(ledger.page("b")) + repr(ledger.batches()))
                scanner.record("token", repr(job) + repr(vars(job)))
                scanner.scan("batch", job.batch)
                raised(scanner, lambda: dgs.settings.nothing)  # type: ignore[attr-defined]

    scripts = {"text": echo_as_text, "refusal": echoing("400 Bad Request")}
    for name, script in scripts.items():
        folder = tmp_path / name
        folder.mkdir()
        with RawServer(script) as running:
            anyio.run(main, running.url, folder)
        for path in folder.iterdir():
            scanner.record(f"file {path.name}", path.read_bytes().decode("latin-1"))


def test_the_emulator_keeps_and_shows_no_card(scanner: SecretScanner) -> None:
    with Emulator() as emulator:
        encryptor = CardEncryptor(emulator.encryption_key)
        with DGSPay(
            api_key=emulator.api_key,
            account_number=emulator.account_number,
            environment="emulator",
            base_url=emulator.base_url,
            transport=HttpxTransport(emulator.http_client()),
        ) as dgs:
            for number in (PAN, "4111111111111111"):
                card = encryptor.encrypt_card(
                    number=number, expiry_month=12, expiry_year=2031, cvv=CVV
                )
                scanner.secrets = {**scanner.secrets, **card.to_wire()}
                try:
                    dgs.charges.card(
                        amount=1,
                        customer=JANE,
                        card=card,
                        redirect_url="https://shop.example",
                        narration=f"card {PAN}",
                        scenario="scenario:auth_pin&issuer:approved",
                    )
                    recipient = MobileMoneyRecipient(msisdn="0788123456", network="MTN")
                    dgs.disbursements.create(amount=1000, recipient=recipient, narration=PAN)
                except errors.DGSPayError as error:
                    scanner.scan_error(error)
        for name in ("requests", "transactions", "disbursements", "executed"):
            scanner.record(name, repr(getattr(emulator, name)))
        scanner.record("deliveries", repr(emulator.webhooks.deliveries))
        scanner.record("answers", repr([arrival.answer for arrival in emulator.requests]))


@pytest.mark.parametrize("command", [["doctor"], ["balance", "--x"]])
def test_the_command_line_shows_nothing(command: list[str], scanner: SecretScanner) -> None:
    with RawServer(echo_as_text) as running:
        environ = {
            **{name: text for name, text in os.environ.items() if not name.startswith("DGSPAY_")},
            "DGSPAY_API_KEY": API_KEY,
            "DGSPAY_ACCOUNT_NUMBER": ACCOUNT,
            "DGSPAY_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "DGSPAY_BASE_URL": running.url,
            "PYTHONFAULTHANDLER": "1",
        }
        ran = subprocess.run(
            [sys.executable, "-X", "dev", "-m", "dgspay", *command],
            env=environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert ran.returncode != 0
    scanner.record("output", ran.stdout + ran.stderr)

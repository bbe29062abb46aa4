"""The known secrets of the tests, servers that repeat them, and the making of failures."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from dgspay import Customer, RetryPolicy, Timeout
from dgspay.encryption import CardEncryptor
from tests.support.raw_server import Connection, Script, http
from tests.support.secret_scanner import SecretScanner
from tests.support.transport_matrix import Way

API_KEY = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"
ACCOUNT = "ACC-0001234"
WEBHOOK_SECRET = "whsec_Zk3vQ9xT7bN1mR5p"
ENCRYPTION_KEY = "c29tZSAzMiBieXRlcyB0aGF0IG5vYm9keSBrbm93cyE="
# The short ones begin with a zero, as no number of a process, a call or a moment does.
PAN, CVV, PIN, OTP = "5531886652142950", "0137", "049381", "73918465"

ENCRYPTOR = CardEncryptor(ENCRYPTION_KEY)
CARD = ENCRYPTOR.encrypt_card(
    number=PAN, expiry_month=12, expiry_year=2031, cvv=CVV, nonce="4f9a0c3b7d21"
)
ENCRYPTED_PIN = ENCRYPTOR.encrypt_pin(PIN, nonce="b81c55e07f3a")

SECRETS = {
    "API key": API_KEY,
    "webhook secret": WEBHOOK_SECRET,
    "encryption key": ENCRYPTION_KEY,
    "PAN": PAN,
    "CVV": CVV,
    "PIN": PIN,
    "OTP": OTP,
    **CARD.to_wire(),
    **ENCRYPTED_PIN.to_wire(),
}

JANE = Customer(email="jane@example.com", first_name="Jane", last_name="Doe", phone="0789654321")


def raised(scanner: SecretScanner, act: Callable[[], Any]) -> None:
    """Have something fail, and scan the error."""
    try:
        act()
    except BaseException as error:  # noqa: BLE001 - whatever comes out must show nothing
        scanner.scan_error(error)
    else:
        raise AssertionError("it did not fail")


def echoing(head: str, *, cut: int = 0) -> Script:
    """Script: send the request back, its headers and all, as a debugging server does."""

    def script(connection: Connection) -> None:
        while (request := connection.read_request()) is not None:
            echo = {
                "status": "failed",
                "message": f"bad request {request.headers} {request.body.decode()}",
                "error_code": "90",
                "headers": dict(request.headers),
                "request": json.loads(request.body) if request.body else None,
            }
            body = json.dumps(echo).encode()
            connection.write(http(body[: len(body) - cut], head))

    return script


def echo_as_text(connection: Connection) -> None:
    while (request := connection.read_request()) is not None:
        connection.write(http(f"{request.headers} {request.body!r}".encode(), "502 Bad Gateway"))


def settings(scanner: SecretScanner, url: str, way: Way) -> dict[str, Any]:
    return {
        "api_key": API_KEY,
        "account_number": ACCOUNT,
        "base_url": url,
        "transport": way.transport(),
        "hooks": scanner.hooks,
        "timeout": Timeout(read=0.1),
        "deadline": 5,
        "retry": RetryPolicy(attempts=2, initial_delay=0, max_delay=0),
    }

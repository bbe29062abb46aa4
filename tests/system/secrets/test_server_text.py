"""What a server says: masked and printable wherever it is shown, in whatever form it says it."""

from __future__ import annotations

import base64
import io
import json
import logging
import pickle
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import attrs
import pytest

from dgspay import DGSPay, errors
from dgspay.api import balances
from dgspay.core.messages import Request, Response, Timeout
from tests.support.known_secrets import ACCOUNT, API_KEY, CARD, ENCRYPTED_PIN, JANE, OTP
from tests.support.secret_scanner import SecretScanner

# As a server, a proxy or a debugging page may write what it was sent.
FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "in capitals": str.upper,
    "percent-encoded": lambda text: quote(text, safe=""),
    "percent-encoded in small letters": lambda text: quote(text, safe="").lower(),
    "slashes escaped": lambda text: text.replace("/", "\\/"),
    "in base64": lambda text: base64.b64encode(text.encode()).decode(),
    "in base64, with more": lambda text: base64.b64encode(f"x:{text}:yz".encode()).decode(),
    "in hex": lambda text: text.encode().hex(),
}


class Says:
    """A transport that answers as scripted."""

    is_async = False

    def __init__(self) -> None:
        self.answer = Response(200, {}, b"{}")

    def tell(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answer = Response(status, headers or {}, content)

    def send(self, request: Request, timeout: Timeout) -> Response:
        return self.answer

    def close(self) -> None:
        """Hold nothing."""


@pytest.fixture
def says() -> Says:
    return Says()


@pytest.fixture
def dgs(says: Says, scanner: SecretScanner) -> DGSPay:
    return DGSPay(
        api_key=API_KEY,
        account_number=ACCOUNT,
        environment="emulator",
        transport=says,
        hooks=scanner.hooks,
    )


CALLS: dict[str, tuple[Callable[[DGSPay], Any], dict[str, str]]] = {
    "otp": (lambda dgs: dgs.charges.authorize_otp("d", OTP), {"key": API_KEY, "otp": OTP}),
    "pin": (
        lambda dgs: dgs.charges.authorize_pin("d", ENCRYPTED_PIN),
        {"key": API_KEY, **ENCRYPTED_PIN.to_wire()},
    ),
    "card": (
        lambda dgs: dgs.charges.card(
            amount=5, customer=JANE, card=CARD, redirect_url="https://shop.example/"
        ),
        {"key": API_KEY, **CARD.to_wire()},
    ),
}


def scan(scanner: SecretScanner, form: str, error: errors.DGSPayError) -> None:
    scanner.scan_error(error)
    scanner.record(form, pickle.dumps(error).decode("latin-1"))


@pytest.mark.acceptance(68, "hostile-server-text")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("call", CALLS)
def test_refusal_that_repeats_what_was_sent_shows_nothing(
    call: str, form: str, says: Says, dgs: DGSPay, scanner: SecretScanner
) -> None:
    make, secrets = CALLS[call]
    written = {name: FORMS[form](text) for name, text in secrets.items()}
    scanner.secrets = {**secrets, **{f"{name} {form}": text for name, text in written.items()}}
    for told in written.values():
        says.tell(
            400,
            {
                "status": "failed",
                "error_code": "90",
                "message": f"bad request ({told})",
                "errors": {told: "wrong", "list": [told, {told: told}]},
            },
        )
        with pytest.raises(errors.APIError) as refused:
            make(dgs)
        scan(scanner, form, refused.value)
        scanner.record("body", repr(refused.value.body))
        says.tell(400, {"status": "failed", "error_code": told})
        with pytest.raises(errors.DGSPayError) as refused_by_code:
            make(dgs)
        scan(scanner, form, refused_by_code.value)
        says.tell(502, f"<h1>no</h1> {told}".encode())
        with pytest.raises(errors.OutcomeUnknownError) as unknown:
            make(dgs)
        scan(scanner, form, unknown.value)


@pytest.mark.acceptance(68, "hostile-server-text")
@pytest.mark.parametrize("form", ["plain", "in capitals", "percent-encoded", "slashes escaped"])
@pytest.mark.parametrize("call", CALLS)
def test_result_that_repeats_what_was_sent_shows_nothing(
    call: str, form: str, says: Says, dgs: DGSPay, scanner: SecretScanner
) -> None:
    make, secrets = CALLS[call]
    written = {name: FORMS[form](text) for name, text in secrets.items()}
    scanner.secrets = {**secrets, **{f"{name} {form}": text for name, text in written.items()}}
    for told in written.values():
        answer = {
            "status": "success",
            "dgs_reference": "d",
            "transaction_status": "pending",
            "processor_response": f"got {told}",
            "display_text": told,
            "request": {told: [told]},
        }
        says.tell(200, answer)
        charge = make(dgs)
        scanner.record("result", f"{charge!r} {charge.to_json()} {attrs.asdict(charge)}")
        scanner.record("pickle", pickle.dumps(charge).decode("latin-1"))
        assert (charge.dgs_reference, charge.transaction_status) == ("d", "pending")


@pytest.mark.acceptance(68, "hostile-server-text")
@pytest.mark.parametrize("form", FORMS)
def test_api_key_is_known_in_each_form_in_results_and_headers(
    form: str, says: Says, dgs: DGSPay, scanner: SecretScanner
) -> None:
    told = FORMS[form](API_KEY)
    scanner.secrets = {"key": API_KEY, form: told}
    headers = {"x-echo": told, "date": "Tue, 01 Dec 2026 05:00:00 GMT"}
    says.tell(200, {"status": "success", "balances": [], "debug": told, "x": {told: 1}}, headers)
    reply = dgs.reply(balances.list())
    scanner.record(
        "reply", f"{reply!r} {reply.headers!r} {dict(reply.headers)} {attrs.asdict(reply)}"
    )
    scanner.record("pickle", pickle.dumps(reply).decode("latin-1"))
    assert reply.headers["date"] == headers["date"]
    assert reply.headers == {**reply.headers}
    assert len(reply.headers) == 2


@pytest.mark.acceptance(68, "hostile-server-text")
def test_letters_written_as_numbers_are_read_before_they_are_looked_for(
    says: Says, dgs: DGSPay, scanner: SecretScanner
) -> None:
    numbered = "".join(f"\\u{ord(letter):04x}" for letter in OTP)
    says.tell(
        200,
        f'{{"status":"success","dgs_reference":"d","message":"got {numbered}"}}'.encode(),
    )
    charge = dgs.charges.authorize_otp("d", OTP)
    assert charge.message == "got ***"
    scanner.record("result", repr(charge))


@pytest.mark.acceptance(68, "hostile-server-text")
def test_otp_that_happens_to_be_an_amount_costs_no_answer(says: Says, dgs: DGSPay) -> None:
    says.tell(
        200,
        {
            "status": "success",
            "dgs_reference": "500",
            "amount": "500",
            "message": "500 RWF",
            "transaction_status": "successful",
        },
    )
    charge = dgs.charges.authorize_otp("500", "500")
    assert (charge.dgs_reference, str(charge.amount), charge.is_complete) == ("500", "500", True)
    assert charge.message == "*** RWF"


@pytest.mark.acceptance(68, "hostile-server-text")
@pytest.mark.parametrize(
    "code",
    [
        "97\n2026-12-01 12:00:00 INFO payroll paid 9,999,999 RWF",
        "97 outcome=completed error=None",
        "97\r\x1b[2J\x1b[1;1Hpaid",
        "97\u2028paid",
        "97\u202epaid",
        "97\x00",
    ],
)
def test_error_code_forges_no_line_and_no_field_of_the_log(
    code: str, says: Says, dgs: DGSPay
) -> None:
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    logger = logging.getLogger("dgspay")
    logger.addHandler(handler)
    try:
        says.tell(400, {"status": "failed", "error_code": code})
        with pytest.raises(errors.DGSPayError) as refused:
            dgs.balances.list()
    finally:
        logger.removeHandler(handler)
    lines = log.getvalue().splitlines()
    assert len(lines) == 2  # of the attempt and of the call
    assert all(line.isprintable() and line.count(" outcome=rejected") == 1 for line in lines)
    outside_of_quotes = ["".join(line.split("'")[0::2]) for line in lines]
    assert not any("outcome=completed" in text for text in outside_of_quotes)
    assert str(refused.value).isprintable()
    assert repr(refused.value).isprintable()
    assert refused.value.error_code is not None  # type: ignore[attr-defined]
    assert refused.value.error_code.isprintable()  # type: ignore[attr-defined]

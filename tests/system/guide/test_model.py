"""The client and a model of the guide, made apart, agree on what is paid, failed and not known."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from typing import Any

import pytest

from dgspay import errors
from dgspay.api import charges, disbursements, transactions
from dgspay.core.messages import Response
from dgspay.core.operation import Operation
from dgspay.core.retry import RetryPolicy
from dgspay.models.addresses import BillingAddress
from dgspay.models.customers import Customer
from dgspay.models.recipients import BankRecipient
from dgspay.models.standing import Standing
from dgspay.webhooks.events import read_event
from tests.support.scripted_server import Story
from tests.system.guide import guide_model as guide

ANSWERS = 200_000 if os.environ.get("DGSPAY_TEST_FULL") else 4_000
ASKED = "dgs_1"

JANE = Customer(email="j@example.com", first_name="J", last_name="D", phone="0788123456")
ONCE = RetryPolicy(attempts=1)
MEANING = {Standing.PAID: guide.PAID, Standing.FAILED: guide.FAILED}


WORDS = [
    *["success"] * 6,
    *["successful"] * 6,
    *["failed"] * 5,
    *["pending"] * 4,
    *("processing", "SUCCESS", "Successful", "successful ", "successfull", "paid", "FAILED"),
    *(" Failed", "failed\n", "PENDING", "reversed", "", " ", "error", "ok"),
]
CODES: list[Any] = [
    *("00", "0", 0, "", None, "90", "91", "92", "93", "99", 99, "VALIDATION_ERROR", "E-7"),
    *("93 ", "504", 51, ["x"], True, False),
]
NAMES = [*["dgs_1"] * 6, "DGS_1", "dgs_2", "", " ", None, "id_9"]
HTTP = [
    *[200] * 14,
    *(201, 202, 301, 307, 400, 401, 402, 403, 404, 408, 409, 418, 422, 429, 499, 500, 502),
    *(503, 504),
]
ODD: list[Any] = [None, 1, True, [], {}, ["success"]]
NO_ANSWERS = [b"<html>", b"", b"[]", b"null", b'{"status": "success"', b'{"a": NaN}']


class Answers:
    """Undocumented answers, drawn from a seed."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)

    def chance(self, of: float) -> bool:
        return self.dice.random() < of

    def word(self) -> Any:
        return self.dice.choice(ODD) if self.chance(0.03) else self.dice.choice(WORDS)

    def payment(self, depth: int = 0) -> dict[str, Any]:
        """The fields of a payment, some of them, and some that take the others back."""
        said: dict[str, Any] = {}
        rare = 0.04
        for field, how_often in (
            ("status", 0.85),
            ("transaction_status", 0.5),
            ("conversion_status", rare / 2),
            ("payment_status", rare / 2),
            ("settlement_status", rare),
        ):
            if self.chance(how_often):
                said[field] = self.word()
        for field, how_often in (("dgs_reference", 0.8), ("id", 0.3), ("transaction_id", 0.1)):
            if self.chance(how_often):
                said[field] = self.dice.choice(NAMES)
        if self.chance(0.08):
            actions = ["requires_otp", "redirect_url", "", *ODD]
            said["next_action_type"] = self.dice.choice(actions)
        if self.chance(rare):
            said["next_action_redirect_url"] = self.dice.choice(["https://bank.example", "", None])
        if self.chance(0.12):
            said["error_code"] = self.dice.choice(CODES)
        if self.chance(rare):
            issuers = ["declined", "Declined", "approved", "", *ODD]
            said["issuer_response_type"] = self.dice.choice(issuers)
        if self.chance(rare):
            said["fail_reason"] = self.dice.choice(["no such account", "", *ODD])
        if self.chance(0.2):
            row = {"amount": 5, "currency": "RWF", "payment_method_type": "card"}
            said |= {**row, "created_at": "2026-04-03 11:00:00"}
        if self.chance(0.15):
            said["message"] = "said sk_live_4711"
        if depth < 4 and self.chance(0.25 if depth == 0 else 0.1):
            name = self.dice.choice(["data", "data", "transaction", "charge", "customer"])
            inner = self.payment(depth + 1)
            said[name] = [inner] if self.chance(0.1) else inner
        return said

    def answer(self) -> tuple[dict[str, Any] | None, Response]:
        http = self.dice.choice(HTTP)
        kind = self.dice.random()
        said = self.payment()
        if kind < 0.25:
            said = {"status": "success", **said}
        if kind < 0.06:
            return None, Response(http, {}, self.dice.choice(NO_ANSWERS))
        return said, Response(http, {}, json.dumps(said).encode())


def told(call: Operation[Any], response: Response) -> str:
    """What the client says of an answer."""
    try:
        result = Story(response, retry=ONCE).run(call)
    except errors.DGSPayError as error:
        is_no = error.outcome is errors.Outcome.REJECTED and not call.is_read
        return guide.REFUSED if is_no else guide.NOT_KNOWN
    return MEANING.get(result.standing, guide.NOT_KNOWN)


def told_of_transfer(response: Response, key: str | None) -> str:
    call = disbursements.create(
        amount=10_000,
        recipient=BankRecipient(bank_key="kcb_rw", account_number="1"),
        idempotency_key=key,
    )
    said = told(call, response)
    # A word of success in the answer to a transfer is not yet its end.
    return guide.NOT_KNOWN if said == guide.PAID else said


def told_of_row(row: dict[str, Any]) -> str:
    body = json.dumps({"status": "success", "data": [row]}).encode()
    try:
        page = Story(Response(200, {}, body), retry=ONCE).run(transactions.list().fetch(1))
    except errors.DecodeError:
        return guide.NOT_KNOWN
    return MEANING.get(page.rows[0].standing, guide.NOT_KNOWN)


def told_of_event(body: dict[str, Any]) -> str:
    try:
        return MEANING.get(read_event(json.dumps(body).encode()).standing, guide.NOT_KNOWN)
    except errors.DecodeError:
        return guide.NOT_KNOWN


def mobile_money(key: str | None) -> Operation[Any]:
    return charges.mobile_money(
        amount=5,
        network="MTN",
        phone="0788123456",
        customer=JANE,
        redirect_url="https://x.example/",
        idempotency_key=key,
    )


def authorization() -> Operation[Any]:
    return charges.authorize_avs(ASKED, BillingAddress(line1="KG 11 Ave", country="RW"))


def about(reference: Any, said: str) -> str:
    """An authorization that is answered with another payment is not known."""
    is_ours = isinstance(reference, str) and reference.casefold() == ASKED
    return said if is_ours or said == guide.REFUSED else guide.NOT_KNOWN


@pytest.mark.acceptance(
    22,
    "no-json-answer",
    23,
    "error-in-200",
    24,
    "declined-payment",
    25,
    "unseen-status",
    26,
    "odd-fields",
    60,
    "one-rule-for-paid",
    61,
    "unclear-refusal",
)
@pytest.mark.parametrize("way", ["charge", "authorize", "transfer", "look-up", "row", "event"])
def test_client_and_guide_agree(way: str) -> None:
    answers = Answers(seed=len(way) * 1009)
    seen: Counter[str] = Counter()
    for number in range(ANSWERS // 6 + 1):
        said, response = answers.answer()
        key = None if number % 3 else "mine"
        expected, got = _both(way, said, response, key)
        assert got == expected, f"{way} {number}: HTTP {response.status} {response.reveal_body()!r}"
        seen[got] += 1
    # A model that never says yes would agree with anything.
    assert seen[guide.NOT_KNOWN] > ANSWERS // 100
    assert seen[guide.FAILED] > 3
    if way != "transfer":
        assert seen[guide.PAID] > 3


def _both(
    way: str, said: dict[str, Any] | None, response: Response, key: str | None
) -> tuple[str, str]:
    http, own = response.status, key is None
    match way:
        case "charge":
            return guide.charge(said, http, own_key=own), told(mobile_money(key), response)
        case "authorize":
            meant = guide.charge(said, http, own_key=True)
            meant = about((said or {}).get("dgs_reference"), meant)
            return meant, told(authorization(), response)
        case "transfer":
            return guide.transfer(said, http, own_key=own), told_of_transfer(response, key)
        case "look-up":
            meant = guide.looked_up(said, http, ASKED)
            return meant, told(transactions.retrieve(ASKED), response)
        case "row":
            return guide.listed(said or {}), told_of_row(said or {})
        case _:
            name = ["payment.success", "payment.failed", "disbursement.success"][http % 3]
            body = {"amount": 5, "currency": "RWF", **(said or {}), "event": name}
            return guide.event(body), told_of_event(body)

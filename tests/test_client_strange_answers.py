"""Answers no server should send: whatever comes, the error is ours and says what is known."""

from __future__ import annotations

import decimal
from typing import Any

import pytest

from dgspay import BankRecipient, DGSPay, RetryPolicy
from dgspay.core.messages import Request, Response, Timeout
from dgspay.errors import DecodeError, InvalidRequestError, Outcome, UndecodableOutcomeError
from tests.support.recorders import ACCOUNT, API_KEY

RECIPIENT = BankRecipient(bank_key="kcb_rw", account_number="1234567890")


class Answers:
    """A transport that gives the same answer to everything."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def send(self, request: Request, timeout: Timeout) -> Response:
        return Response(200, {}, self.body)

    def close(self) -> None:
        pass


def answered_with(body: bytes) -> DGSPay:
    return DGSPay(
        api_key=API_KEY,
        account_number=ACCOUNT,
        transport=Answers(body),
        retry=RetryPolicy(attempts=1),
    )


def nested(depth: int) -> bytes:
    return b'{"status":"failed","error_code":"90","x":' + b"[" * depth + b"]" * depth + b"}"


UNREADABLE = {
    "an exponent Decimal cannot hold": b'{"status":"success","x":1e99999999999999999999}',
    "a negative one": b'{"status":"success","x":1e-99999999999999999999}',
    "one on zero": b'{"status":"success","x":0e99999999999999999999}',
    "1e400": b'{"status":"success","x":1e400}',
    "nested 120 deep": nested(120),
    "nested 600 deep": nested(600),
    "nested 5,000 deep": nested(5_000),
    "nested 200,000 deep": nested(200_000),
    "objects nested 600 deep": b'{"x":' * 600 + b"1" + b"}" * 600,
}


@pytest.mark.acceptance(28, "hostile-json")
@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_answer_to_a_payout_leaves_the_outcome_unknown(body: bytes) -> None:
    dgs = answered_with(body)
    with pytest.raises(UndecodableOutcomeError) as caught:
        dgs.disbursements.create(amount=5000, recipient=RECIPIENT, idempotency_key="payout-1")
    assert caught.value.outcome is Outcome.UNKNOWN
    assert caught.value.idempotency_key == "payout-1"
    with pytest.raises(DecodeError):
        dgs.transactions.retrieve("dgs_1")


@pytest.mark.acceptance(28, "hostile-json")
def test_the_programs_decimal_context_does_not_change_what_is_read() -> None:
    with decimal.localcontext() as context:
        context.traps[decimal.InvalidOperation] = False
        context.traps[decimal.FloatOperation] = True
        context.prec = 2
        dgs = answered_with(UNREADABLE["an exponent Decimal cannot hold"])
        with pytest.raises(UndecodableOutcomeError):
            dgs.disbursements.create(amount=5000, recipient=RECIPIENT)
        read: Any = answered_with(b'{"status":"success","amount":1234567.89}')
        assert read.disbursements.create(
            amount=5000, recipient=RECIPIENT
        ).amount == decimal.Decimal("1234567.89")


@pytest.mark.acceptance(28, "hostile-json")
def test_answer_nested_as_deep_as_any_is_read() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        answered_with(nested(90)).transactions.retrieve("dgs_1")
    assert caught.value.body is not None

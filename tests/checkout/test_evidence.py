"""What an answer, an error, a look-up and an event say of an attempt or a refund, in each field."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from dgspay import CallStatus, Charge, Disbursement, PaymentStatus, Transaction, errors
from dgspay.checkout.evidence import (
    action_from_json,
    action_to_json,
    evidence_of_charge,
    evidence_of_disbursement,
    evidence_of_error,
    evidence_of_event,
    evidence_of_look_up,
    rejection,
    said_by_person,
)
from dgspay.checkout.transitions import Evidence, Learned, Source
from dgspay.errors import Outcome
from dgspay.models.next_actions import (
    AddressRequired,
    NextAction,
    OtpRequired,
    PinRequired,
    RedirectRequired,
    UnknownAction,
)
from dgspay.webhooks import (
    DisbursementFailed,
    DisbursementSucceeded,
    PaymentFailed,
    PaymentSucceeded,
)

SUM: dict[str, Any] = {"amount": Decimal(2000), "currency": "RWF"}


def charge(status: str | None = None, **fields: Any) -> Charge:
    stands = None if status is None else PaymentStatus(status)
    return Charge(
        status=CallStatus.ACCEPTED,
        dgs_reference="dgs_1",
        transaction_status=stands,
        **SUM,
        **fields,
    )


def look_up(status: str, **fields: Any) -> Transaction:
    return Transaction(status=PaymentStatus(status), dgs_reference="dgs_1", **SUM, **fields)


def test_an_answer_that_says_paid_names_payment_amount_and_currency() -> None:
    assert evidence_of_charge(charge("successful")) == Evidence(
        learned=Learned.PAID, source=Source.ANSWER, dgs_reference="dgs_1", **SUM
    )


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"issuer_response_code": "51", "processor_response": "no funds"}, "51"),
        ({"processor_response": " no funds\x07 "}, "no funds\N{REPLACEMENT CHARACTER}"),
        ({"processor_response": "x" * 300}, "x" * 200),
        ({"processor_response": " "}, "declined"),
        ({}, "declined"),
    ],
)
def test_a_declined_charge_says_why_in_words_that_can_be_shown(
    fields: dict[str, Any], reason: str
) -> None:
    assert evidence_of_charge(charge("failed", **fields)) == Evidence(
        learned=Learned.FAILED, source=Source.ANSWER, dgs_reference="dgs_1", reason=reason
    )


def test_an_answer_that_asks_something_of_the_payer_names_the_step() -> None:
    asked = charge("pending", next_action_type="requires_pin", display_text="Your PIN")
    assert evidence_of_charge(asked) == Evidence(
        learned=Learned.ACTION,
        source=Source.ANSWER,
        dgs_reference="dgs_1",
        next_action=PinRequired(display_text="Your PIN"),
    )


def test_an_answer_without_a_step_is_pending_and_one_without_a_status_says_nothing() -> None:
    for answer, learned in ((charge("pending"), Learned.PENDING), (charge(), Learned.NOTHING)):
        expected = Evidence(learned=learned, source=Source.ANSWER, dgs_reference="dgs_1")
        assert evidence_of_charge(answer) == expected


def test_a_success_with_an_open_step_is_no_payment() -> None:
    contradictory = charge("successful", next_action_type="requires_otp")
    assert evidence_of_charge(contradictory).learned is Learned.NOTHING


LOST = errors.OutcomeUnknownError("lost", outcome=Outcome.UNKNOWN, dgs_reference="dgs_1")


@pytest.mark.parametrize(
    ("error", "learned", "reference", "reason"),
    [
        (LOST, Learned.NOTHING, "dgs_1", None),
        (errors.IdempotencyError("used", outcome=Outcome.REJECTED), Learned.NOTHING, None, None),
        (errors.ConfigError("no key"), Learned.NOT_SENT, None, "not_sent"),
        (
            errors.InvalidRequestError("no", outcome=Outcome.REJECTED, error_code="90"),
            Learned.FAILED,
            None,
            "rejected:90",
        ),
        (errors.APIError("no", outcome=Outcome.REJECTED), Learned.FAILED, None, "rejected"),
    ],
    ids=["lost", "key used", "not sent", "refused with a code", "refused without"],
)
def test_what_an_error_says_of_the_attempt(
    error: errors.DGSPayError, learned: Learned, reference: str | None, reason: str | None
) -> None:
    assert evidence_of_error(error) == Evidence(
        learned=learned, source=Source.ANSWER, dgs_reference=reference, reason=reason
    )


def test_a_refusal_that_names_a_payment_is_about_that_payment() -> None:
    refusal = errors.APIError("no", outcome=Outcome.REJECTED)
    refusal.dgs_reference = "dgs_1"  # type: ignore[attr-defined]
    assert evidence_of_error(refusal).dgs_reference == "dgs_1"


def test_a_refusal_by_something_else_than_the_api_has_no_code() -> None:
    assert rejection(errors.SignatureError("no")) == "rejected"


def test_a_look_up_says_how_the_payment_stands() -> None:
    named: dict[str, Any] = {"source": Source.LOOK_UP, "dgs_reference": "dgs_1"}
    paid = look_up("successful", processor_response="Approved")
    assert evidence_of_look_up(paid) == Evidence(learned=Learned.PAID, **named, **SUM)
    failed = look_up("failed", processor_response="no funds")
    expected = Evidence(learned=Learned.FAILED, reason="no funds", **named)
    assert evidence_of_look_up(failed) == expected
    assert evidence_of_look_up(look_up("pending")) == Evidence(learned=Learned.PENDING, **named)
    assert evidence_of_look_up(look_up("odd")) == Evidence(learned=Learned.NOTHING, **named)


def test_a_currency_that_is_reported_is_kept_as_it_can_be_shown() -> None:
    strange = Transaction(
        status=PaymentStatus.SUCCESSFUL, amount=Decimal(1), currency="RW\x07" + "F" * 20
    )
    assert evidence_of_look_up(strange).currency == "RW\N{REPLACEMENT CHARACTER}" + "F" * 13
    unnamed = Transaction(status=PaymentStatus.SUCCESSFUL, amount=Decimal(1))
    assert evidence_of_look_up(unnamed).currency is None


@pytest.mark.parametrize("reference", ["", " ", "dgs\x00_1", "x" * 257])
def test_what_can_be_no_reference_is_none(reference: str) -> None:
    found = Transaction(status=PaymentStatus.PENDING, dgs_reference=reference)
    assert evidence_of_look_up(found).dgs_reference is None


@pytest.mark.parametrize(
    ("extra", "action"),
    [
        ({"next_action_type": "requires_otp"}, OtpRequired()),
        (
            {"next_action_type": "requires_otp", "display_text": "Code"},
            OtpRequired(display_text="Code"),
        ),
        ({"next_action_type": "requires_otp", "display_text": 5}, OtpRequired()),
        (
            {
                "next_action_type": "redirect_url",
                "next_action_redirect_url": "https://bank.example",
            },
            RedirectRequired(url="https://bank.example"),
        ),
        (
            {"next_action_type": "redirect_url", "next_action_redirect_url": 5},
            UnknownAction(type="redirect_url"),
        ),
        ({"next_action_type": ""}, None),
        ({"next_action_type": 5}, None),
    ],
    ids=repr,
)
def test_a_look_up_may_name_the_next_step(extra: dict[str, Any], action: NextAction | None) -> None:
    assert evidence_of_look_up(look_up("pending", extra=extra)).next_action == action


@pytest.mark.parametrize(
    ("event", "learned", "reason"),
    [
        (PaymentSucceeded(dgs_reference="dgs_1", **SUM), Learned.PAID, None),
        (PaymentFailed(dgs_reference="dgs_1", **SUM), Learned.FAILED, "declined"),
        (DisbursementSucceeded(dgs_reference="dgs_1", **SUM), Learned.PAID, None),
        (
            DisbursementFailed(dgs_reference="dgs_1", fail_reason="no account", **SUM),
            Learned.FAILED,
            "no account",
        ),
    ],
    ids=["paid", "failed", "refunded", "not refunded"],
)
def test_what_an_event_says(event: Any, learned: Learned, reason: str | None) -> None:
    paid = SUM if learned is Learned.PAID else {}
    assert evidence_of_event(event) == Evidence(
        learned=learned, source=Source.WEBHOOK, dgs_reference="dgs_1", reason=reason, **paid
    )


def test_a_refund_is_queued_or_declined_and_never_paid_by_its_answer() -> None:
    named: dict[str, Any] = {"source": Source.ANSWER, "dgs_reference": "dgs_1"}
    for stands in (None, PaymentStatus.SUCCESSFUL, PaymentStatus.PENDING):
        queued = Disbursement(
            status=CallStatus.ACCEPTED, dgs_reference="dgs_1", transaction_status=stands
        )
        assert evidence_of_disbursement(queued) == Evidence(learned=Learned.PENDING, **named)
    declined = Disbursement(
        status=CallStatus.ACCEPTED,
        dgs_reference="dgs_1",
        transaction_status=PaymentStatus.FAILED,
        fail_reason="no account",
    )
    expected = Evidence(learned=Learned.FAILED, reason="no account", **named)
    assert evidence_of_disbursement(declined) == expected
    nameless = Disbursement(status=CallStatus.ACCEPTED, dgs_reference=" ")
    assert evidence_of_disbursement(nameless).dgs_reference is None


def test_what_a_person_says_is_marked_as_a_persons_word() -> None:
    paid = Evidence(learned=Learned.PAID, source=Source.PERSON)
    assert said_by_person(is_paid=True) == paid
    failed = Evidence(learned=Learned.FAILED, source=Source.PERSON, reason="person")
    assert said_by_person(is_paid=False) == failed


@pytest.mark.parametrize(
    ("action", "stored"),
    [
        (None, None),
        (PinRequired(), {"type": "pin"}),
        (OtpRequired(display_text="Code"), {"type": "otp", "display_text": "Code"}),
        (AddressRequired(), {"type": "address"}),
        (
            RedirectRequired(url="https://bank.example", display_text="Go"),
            {"type": "redirect", "url": "https://bank.example", "display_text": "Go"},
        ),
        (
            UnknownAction(type="odd", display_text="Wait"),
            {"type": "unknown", "name": "odd", "display_text": "Wait"},
        ),
    ],
    ids=repr,
)
def test_a_step_comes_back_from_the_store_as_it_was(
    action: NextAction | None, stored: dict[str, str] | None
) -> None:
    assert action_to_json(action) == stored
    assert action_from_json(stored) == action

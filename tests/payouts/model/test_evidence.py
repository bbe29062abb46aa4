"""What answers, errors, look-ups and events mean for a payout, through the calls themselves."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from dgspay import MobileMoneyRecipient, PaymentStatus, RetryPolicy, Transaction, errors
from dgspay.api import disbursements
from dgspay.core.messages import Response, TransportFailure
from dgspay.emulator.faults.kinds import Fault, fault_from
from dgspay.emulator.http import Effect
from dgspay.emulator.http import Response as EmulatorResponse
from dgspay.payouts import AsyncPayouts, Evidence, Learned, Payout, Record, Source, State
from dgspay.payouts.model.evidence import (
    evidence_of_answer,
    evidence_of_error,
    evidence_of_event,
    evidence_of_look_up,
)
from dgspay.webhooks import DisbursementFailed, DisbursementSucceeded
from tests.support.crash_points import paid
from tests.support.scripted_server import LOST, REFUSED, Story, answer, code
from tests.support.sheet_factory import in_process, ledger_in, write_sheet

PAYOUT = Payout(number=1, reference="r1", amount=1000, account="+250788123456", network="MTN")
DISBURSE = disbursements.create(
    amount=1000,
    recipient=MobileMoneyRecipient(msisdn="0788123456", network="MTN"),
    idempotency_key="batch-1-row-1",
)
DECLINED = {"status": "success", "transaction_status": "failed", "dgs_reference": "D1"}
HTML_404 = answer(b"<html><h1>404 Not Found</h1><hr>nginx</html>", 404)
KEY_IN_USE = code("93", 409)


def evidence(*answers: Response | TransportFailure, **retry: Any) -> Evidence:
    """Pay, and say what came of it as a run does."""
    story = Story(*answers, retry=RetryPolicy(**retry))
    try:
        return evidence_of_answer(story.run(DISBURSE), PAYOUT)
    except errors.DGSPayError as error:
        return evidence_of_error(error)


# What came of the attempts, and what is known of the payout after it.
MEANINGS: dict[str, tuple[tuple[Response | TransportFailure, ...], Learned]] = {
    "queued": ((answer({"status": "success", "dgs_reference": "D1"}),), Learned.ACCEPTED),
    "declined": ((answer(DECLINED),), Learned.REFUSED),
    "declined, status failed": ((answer({**DECLINED, "status": "FAILED"}),), Learned.REFUSED),
    "failed with a reference": (
        (answer({"status": "failed", "dgs_reference": "D1"}),),
        Learned.REFUSED,
    ),
    "declined without a name": ((answer({**DECLINED, "dgs_reference": None}),), Learned.LOST),
    "declined and pending": ((answer({**DECLINED, "status": "pending"}),), Learned.LOST),
    "called successful": (
        (answer({**DECLINED, "transaction_status": "successful"}),),
        Learned.ACCEPTED,
    ),
    "bare failed": ((answer({"status": "failed", "message": "contact support"}),), Learned.LOST),
    "HTML 404": ((HTML_404,), Learned.LOST),
    "JSON 403": ((answer({"detail": "Forbidden"}, 403),), Learned.LOST),
    "HTML 502": ((answer(b"<html>", 502),), Learned.LOST),
    "a code of no guide": ((code("E-77"),), Learned.LOST),
    "90": ((code("90"),), Learned.REFUSED),
    "92": ((code("92", 404),), Learned.REFUSED),
    "91": ((code("91", 401),), Learned.NOT_SENT),
    "429 to the end": ((answer({}, 429),) * 3, Learned.NOT_SENT),
    "too little money": (
        (answer({"error_code": "VALIDATION_ERROR", "required": 2, "available_balance": 1}),),
        Learned.NOT_SENT,
    ),
    "99 to the end": ((code("99", 500),) * 3, Learned.LOST),
    "99, then too little money": (
        (
            code("99", 500),
            answer({"error_code": "VALIDATION_ERROR", "required": 2, "available_balance": 1}),
        ),
        Learned.LOST,
    ),
    "99, then refused connections": ((code("99", 500), REFUSED, REFUSED), Learned.LOST),
    "99, then queued": (
        (code("99", 500), answer({"status": "success", "dgs_reference": "D1"})),
        Learned.ACCEPTED,
    ),
    "93": ((KEY_IN_USE,), Learned.LOST),
    "429, then 93 to the end": ((answer({}, 429), KEY_IN_USE, KEY_IN_USE), Learned.LOST),
    "refused connections": ((REFUSED,) * 3, Learned.NOT_SENT),
    "lost": ((LOST,), Learned.LOST),
}


@pytest.mark.acceptance(54, "held-in-doubt", 60, "one-rule-for-paid", 61, "unclear-refusal")
@pytest.mark.parametrize(("answers", "learned"), MEANINGS.values(), ids=MEANINGS)
def test_what_an_answer_means_for_the_payout(
    answers: tuple[Response | TransportFailure, ...], learned: Learned
) -> None:
    assert evidence(*answers).learned is learned


@pytest.mark.acceptance(61, "unclear-refusal")
@pytest.mark.parametrize("no", [HTML_404, answer(b"<html>", 502)], ids=["404", "502"])
def test_a_page_after_payment_is_held_under_trust_too(no: Response) -> None:
    lost = evidence(no, no, no, trust_idempotency=True)
    assert lost.learned is Learned.LOST
    assert lost.reason is not None
    assert "Do not simply repeat" not in lost.reason


@pytest.mark.acceptance(59, "conflict-on-own-key")
def test_a_key_in_use_says_that_the_payout_was_probably_accepted() -> None:
    lost = evidence(answer({}, 429), KEY_IN_USE, KEY_IN_USE)
    assert lost.reason is not None
    assert lost.reason.endswith("it was most probably accepted: money has probably moved.")
    first = evidence(KEY_IN_USE)
    assert (first.reason or "").startswith("its key was used before this attempt: ")


@pytest.mark.acceptance(60, "one-rule-for-paid")
def test_why_a_payout_was_declined_is_kept_and_about_whom() -> None:
    told = evidence(answer({**DECLINED, "fail_reason": "no such account"}))
    assert (told.dgs_reference, told.reason, told.fee) == ("D1", "no such account", None)
    assert evidence(answer(DECLINED)).reason == "DGS-Pay says it failed"
    other = evidence(answer({**DECLINED, "amount": 7, "currency": "USD"}))
    assert (other.amount, other.currency) == (Decimal(7), "USD")  # so that the ledger holds it


@pytest.mark.acceptance(60, "one-rule-for-paid")
def test_a_look_up_that_contradicts_itself_settles_nothing() -> None:
    paid = Transaction(status=PaymentStatus.SUCCESSFUL, dgs_reference="D1")
    found = evidence_of_look_up(paid)
    assert found is not None
    assert (found.learned, found.source) == (Learned.PAID, Source.LOOK_UP)
    failed = evidence_of_look_up(attrs.evolve(paid, status=PaymentStatus.FAILED))
    assert failed is not None
    assert (failed.learned, failed.reason) == (Learned.NOT_PAID, "DGS-Pay says it failed")
    for doubt in (
        {"contradiction": "yes and no"},
        {"extra": {"next_action_type": "requires_otp"}},
        {"extra": {"fail_reason": "no such account"}},
        {"status": PaymentStatus.PENDING},
        {"status": PaymentStatus("successfull")},
    ):
        assert evidence_of_look_up(attrs.evolve(paid, **doubt)) is None


@pytest.mark.acceptance(60, "one-rule-for-paid")
def test_an_event_that_contradicts_itself_settles_nothing() -> None:
    paid = DisbursementSucceeded(dgs_reference="D1", amount=PAYOUT.amount, currency="RWF")  # type: ignore[arg-type]
    assert evidence_of_event(paid).learned is Learned.PAID
    failed = DisbursementFailed(dgs_reference="D1", amount=PAYOUT.amount, currency="RWF")  # type: ignore[arg-type]
    assert evidence_of_event(failed).learned is Learned.NOT_PAID
    for event in (
        attrs.evolve(paid, status=PaymentStatus.FAILED),
        attrs.evolve(failed, status=PaymentStatus.SUCCESSFUL),
        attrs.evolve(paid, extra={"transaction_status": "pending"}),
    ):
        with pytest.raises(errors.DecodeError, match="contradicts itself"):
            evidence_of_event(event)


# --- a whole run, against the emulator ------------------------------------------------------


class PageInstead(Fault):
    """The payout is made, and a proxy answers with a page of its own."""

    def __init__(self, status: int) -> None:
        self.status = status

    def afterwards(self, answer: EmulatorResponse) -> tuple[Effect, ...]:
        page = b"<html><h1>Not Found</h1><hr>nginx</html>"
        return (EmulatorResponse(self.status, page, (("content-type", "text/html"),)),)


async def rows_after_a_run(folder: Path, fault: Fault, *, times: int, **retry: Any) -> list[Record]:
    """Pay three, and see that nobody was paid twice."""
    sheet = write_sheet(folder / "salaries.csv", 3)
    options = {"retry": RetryPolicy(initial_delay=0.0, **retry)}
    with ledger_in(folder) as ledger, in_process(client=options) as (emulator, dgs):
        emulator.faults.add("POST /disburse", fault, times=times)
        for _ in range(2):
            await AsyncPayouts(dgs, ledger).run(folder / sheet, settle_within=0)
        assert set(paid(emulator).values()) <= {1}
        return ledger.page("salaries")


@pytest.mark.anyio
@pytest.mark.acceptance(54, "held-in-doubt", 61, "unclear-refusal")
@pytest.mark.parametrize("status", [400, 403, 404, 423, 502])
async def test_a_page_after_payment_is_held_and_nobody_is_paid_twice(
    tmp_path: Path, status: int
) -> None:
    rows = await rows_after_a_run(tmp_path, PageInstead(status), times=1)
    assert sorted(record.state for record in rows) == [State.ACCEPTED] * 2 + [State.HELD]
    (held,) = (record for record in rows if record.state is State.HELD)
    assert held.doubtful


@pytest.mark.anyio
@pytest.mark.acceptance(54, "held-in-doubt", 61, "unclear-refusal")
async def test_with_trusted_keys_a_page_after_payment_is_asked_about_under_the_same_key(
    tmp_path: Path,
) -> None:
    rows = await rows_after_a_run(tmp_path, PageInstead(404), times=1, trust_idempotency=True)
    assert [record.state for record in rows] == [State.ACCEPTED] * 3


@pytest.mark.anyio
@pytest.mark.acceptance(54, "held-in-doubt", 59, "conflict-on-own-key", 61, "unclear-refusal")
@pytest.mark.parametrize("code_", ["93", "99"])
async def test_a_row_refused_with_93_or_99_to_the_end_is_held(tmp_path: Path, code_: str) -> None:
    fault = fault_from("fail_next", {"error_code": code_})
    rows = await rows_after_a_run(tmp_path, fault, times=1, attempts=1)
    assert sorted(record.state for record in rows) == [State.ACCEPTED] * 2 + [State.HELD]

"""The table of what is learned about a payout, cell by cell."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

import pytest

from dgspay.payouts import Evidence, Finding, Payout, Record, State, Witness
from dgspay.payouts.model.transitions import merge

PAYOUT = Payout(number=1, reference="r1", amount=1000, account="+250788123456", network="MTN")

N, D, A, F, C, H, B = State
TABLE: dict[Finding, dict[State, State]] = {
    Finding.ACCEPTED: {N: A, B: A, D: A, H: A, A: A, C: C, F: H},
    Finding.REFUSED: {N: F, B: F, D: F, H: H, A: H, C: C, F: F},
    Finding.LOST: {N: H, B: H, D: H, H: H, A: A, C: C, F: F},
    Finding.NOT_SENT: {N: N, B: B, D: N, H: H, A: A, C: C, F: F},
    Finding.PAID: {N: C, B: C, D: C, H: C, A: C, C: C, F: H},
    Finding.NOT_PAID: {N: F, B: F, D: F, H: F, A: F, C: H, F: F},
    # Of these none is settled by the word of a person.
    Finding.WITHDRAWN: {state: state for state in State},
}
CONTRADICTIONS = {
    (Finding.ACCEPTED, F),
    (Finding.REFUSED, A),
    (Finding.PAID, F),
    (Finding.NOT_PAID, C),
}


def record(state: State, **known: object) -> Record:
    return Record(payout=PAYOUT, state=state, **known)  # type: ignore[arg-type]


@pytest.mark.acceptance(58)
@pytest.mark.parametrize(("finding", "state"), [*product(Finding, State)])
def test_each_cell_of_the_table(finding: Finding, state: State) -> None:
    witness = Witness.WEBHOOK if finding in (Finding.PAID, Finding.NOT_PAID) else Witness.ANSWER
    after = merge(record(state), Evidence(finding=finding, witness=witness), now=7.0)
    assert after.state is TABLE[finding][state]
    assert (after.contradiction is not None) == ((finding, state) in CONTRADICTIONS)
    if after.state is not state and after.state in (C, F):
        assert after.settled_at == 7.0


@pytest.mark.acceptance(54)
@pytest.mark.parametrize("finding", [Finding.NOT_SENT, Finding.REFUSED])
def test_a_second_attempt_that_did_not_pay_says_nothing_about_the_first(finding: Finding) -> None:
    doubtful = record(State.IN_DOUBT, doubtful=True)
    assert merge(doubtful, Evidence(finding=finding), now=0).state is State.HELD


@pytest.mark.acceptance(58)
def test_after_a_contradiction_a_look_up_or_a_person_has_the_last_word() -> None:
    paid = Evidence(finding=Finding.PAID, witness=Witness.WEBHOOK)
    failed = Evidence(finding=Finding.NOT_PAID, witness=Witness.WEBHOOK)
    contradicted = merge(merge(record(State.ACCEPTED), paid, 1), failed, 2)
    assert (contradicted.state, contradicted.settled_at) == (State.HELD, None)
    assert "it was paid, and the webhook says it failed" in (contradicted.contradiction or "")
    for evidence in (paid, failed, Evidence(finding=Finding.ACCEPTED)):
        assert merge(contradicted, evidence, 3).state is State.HELD
    for witness in (Witness.LOOK_UP, Witness.PERSON):
        final = merge(contradicted, Evidence(finding=Finding.PAID, witness=witness), 3)
        assert final.state is State.CONFIRMED
        assert final.contradiction == contradicted.contradiction


@pytest.mark.acceptance(58)
def test_an_event_before_the_answer_is_merged_with_it() -> None:
    event = Evidence(finding=Finding.PAID, witness=Witness.WEBHOOK, dgs_reference="DGS1")
    answer = Evidence(finding=Finding.ACCEPTED, dgs_reference="DGS1", fee=Decimal(100))
    after = merge(merge(record(State.IN_DOUBT), event, 1), answer, 2)
    assert (after.state, after.dgs_reference, after.fee) == (State.CONFIRMED, "DGS1", "100")


@pytest.mark.parametrize("state", State)
def test_two_references_for_one_payout_are_held_and_shown(state: State) -> None:
    known = record(state, dgs_reference="DGS1")
    after = merge(known, Evidence(finding=Finding.ACCEPTED, dgs_reference="DGS2"), 1)
    assert after.state is State.HELD
    assert "DGS1 and as DGS2" in (after.contradiction or "")


def test_an_event_about_another_amount_is_held_and_shown() -> None:
    evidence = Evidence(
        finding=Finding.PAID, witness=Witness.WEBHOOK, amount=Decimal(500), dgs_reference="DGS1"
    )
    after = merge(record(State.HELD), evidence, 1)
    assert (after.state, after.contradiction) == (State.HELD, "the webhook speaks of 500 RWF")

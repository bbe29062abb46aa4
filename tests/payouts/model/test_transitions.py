"""The table of what is learned about a payout, cell by cell."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

import pytest

from dgspay.payouts import Evidence, Learned, Payout, Record, Source, State
from dgspay.payouts.model.transitions import merge

PAYOUT = Payout(number=1, reference="r1", amount=1000, account="+250788123456", network="MTN")

N, D, A, F, C, H, B, X = State
TABLE: dict[Learned, dict[State, State]] = {
    Learned.ACCEPTED: {N: A, B: A, X: A, D: A, H: A, A: A, C: C, F: H},
    Learned.REFUSED: {N: F, B: F, X: F, D: F, H: H, A: H, C: C, F: F},
    Learned.LOST: {N: H, B: H, X: H, D: H, H: H, A: A, C: C, F: F},
    Learned.NOT_SENT: {N: N, B: B, X: X, D: N, H: H, A: A, C: C, F: F},
    Learned.PAID: {N: C, B: C, X: C, D: C, H: C, A: C, C: C, F: H},
    Learned.NOT_PAID: {N: F, B: F, X: F, D: F, H: F, A: F, C: H, F: F},
    # Of these none is settled by the word of a person.
    Learned.WITHDRAWN: {state: state for state in State},
}
CONTRADICTIONS = {
    (Learned.ACCEPTED, F),
    (Learned.REFUSED, A),
    (Learned.PAID, F),
    (Learned.NOT_PAID, C),
}


def record(state: State, **known: object) -> Record:
    return Record(payout=PAYOUT, state=state, **known)  # type: ignore[arg-type]


@pytest.mark.acceptance(58, "contradicting-evidence")
@pytest.mark.parametrize(("learned", "state"), [*product(Learned, State)])
def test_each_cell_of_the_table(learned: Learned, state: State) -> None:
    source = Source.WEBHOOK if learned in (Learned.PAID, Learned.NOT_PAID) else Source.ANSWER
    after = merge(record(state), Evidence(learned=learned, source=source), now=7.0)
    assert after.state is TABLE[learned][state]
    assert (after.contradiction is not None) == ((learned, state) in CONTRADICTIONS)
    if after.state is not state and after.state in (C, F):
        assert after.settled_at == 7.0


@pytest.mark.acceptance(54, "held-in-doubt")
@pytest.mark.parametrize("learned", [Learned.NOT_SENT, Learned.REFUSED])
def test_a_second_attempt_that_did_not_pay_says_nothing_about_the_first(learned: Learned) -> None:
    doubtful = record(State.IN_DOUBT, doubtful=True)
    assert merge(doubtful, Evidence(learned=learned), now=0).state is State.HELD


@pytest.mark.acceptance(58, "contradicting-evidence")
def test_after_a_contradiction_a_look_up_or_a_person_has_the_last_word() -> None:
    paid = Evidence(learned=Learned.PAID, source=Source.WEBHOOK)
    failed = Evidence(learned=Learned.NOT_PAID, source=Source.WEBHOOK)
    contradicted = merge(merge(record(State.ACCEPTED), paid, 1), failed, 2)
    assert (contradicted.state, contradicted.settled_at) == (State.HELD, None)
    assert "it was paid, and the webhook says it failed" in (contradicted.contradiction or "")
    for evidence in (paid, failed, Evidence(learned=Learned.ACCEPTED)):
        assert merge(contradicted, evidence, 3).state is State.HELD
    for source in (Source.LOOK_UP, Source.PERSON):
        final = merge(contradicted, Evidence(learned=Learned.PAID, source=source), 3)
        assert final.state is State.CONFIRMED
        assert final.contradiction == contradicted.contradiction


@pytest.mark.acceptance(58, "contradicting-evidence")
def test_an_event_before_the_answer_is_merged_with_it() -> None:
    event = Evidence(learned=Learned.PAID, source=Source.WEBHOOK, dgs_reference="DGS1")
    answer = Evidence(learned=Learned.ACCEPTED, dgs_reference="DGS1", fee=Decimal(100))
    after = merge(merge(record(State.IN_DOUBT), event, 1), answer, 2)
    assert (after.state, after.dgs_reference, after.fee) == (State.CONFIRMED, "DGS1", "100")


@pytest.mark.parametrize("state", State)
def test_two_references_for_one_payout_are_held_and_shown(state: State) -> None:
    known = record(state, dgs_reference="DGS1")
    after = merge(known, Evidence(learned=Learned.ACCEPTED, dgs_reference="DGS2"), 1)
    assert after.state is State.HELD
    assert "DGS1 and as DGS2" in (after.contradiction or "")


def test_an_event_about_another_amount_is_held_and_shown() -> None:
    evidence = Evidence(
        learned=Learned.PAID, source=Source.WEBHOOK, amount=Decimal(500), dgs_reference="DGS1"
    )
    after = merge(record(State.HELD), evidence, 1)
    assert (after.state, after.contradiction) == (State.HELD, "the webhook reports 500 RWF")

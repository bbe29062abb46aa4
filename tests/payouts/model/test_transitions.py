"""The table of what is learned about a payout, cell by cell."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

import pytest

from dgspay.models.characters import printable
from dgspay.payouts import Evidence, Learned, Payout, Record, Source, State
from dgspay.payouts.model.transitions import TAKEN_BACK, disagreement, is_word_of_a_person, merge

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
    (Learned.ACCEPTED, F): "it was said not to be paid before it was accepted",
    (Learned.REFUSED, A): "it was accepted before it was refused",
    (Learned.PAID, F): "it had failed, and the webhook says it was paid",
    (Learned.NOT_PAID, C): "it was paid, and the webhook says it failed",
}


def record(state: State, **known: object) -> Record:
    return Record(payout=PAYOUT, state=state, **known)  # type: ignore[arg-type]


@pytest.mark.acceptance(58, "contradicting-evidence")
@pytest.mark.parametrize(("learned", "state"), [*product(Learned, State)])
def test_each_cell_of_the_table(learned: Learned, state: State) -> None:
    source = Source.WEBHOOK if learned in (Learned.PAID, Learned.NOT_PAID) else Source.ANSWER
    after = merge(record(state), Evidence(learned=learned, source=source), now=7.0)
    assert after.state is TABLE[learned][state]
    assert after.contradiction == CONTRADICTIONS.get((learned, state))
    if after.contradiction is not None:
        assert (after.reason, after.doubtful) == (after.contradiction, True)
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


def test_an_answer_is_late_and_contradicts_nothing_once_dgs_pay_has_said_that_it_failed() -> None:
    accepted = Evidence(learned=Learned.ACCEPTED, dgs_reference="DGS1")
    told = record(State.FAILED, doubtful=True, dgs_reference="DGS1")
    assert merge(told, accepted, 1) == told
    # Refused, or failed by the word of a person who knew no name of DGS-Pay's.
    for failed in (record(State.FAILED, dgs_reference="DGS1"), record(State.FAILED, doubtful=True)):
        assert merge(failed, accepted, 1).state is State.HELD


def test_a_report_of_another_currency_or_account_is_another_payment() -> None:
    report = Evidence(learned=Learned.PAID, source=Source.LOOK_UP, amount=Decimal(1000))
    assert disagreement(PAYOUT, report._replace(currency="RWF", account=PAYOUT.account)) is None
    in_dollars = report._replace(currency="USD")
    assert disagreement(PAYOUT, in_dollars) == "the look-up reports 1000 in USD"
    to_another = report._replace(account="+250789999999")
    assert disagreement(PAYOUT, to_another) == "the look-up reports another account"


@pytest.mark.parametrize("learned", [Learned.PAID, Learned.NOT_PAID])
def test_the_word_of_a_person_can_be_taken_back_until_dgs_pay_says_the_same(
    learned: Learned,
) -> None:
    by_a_person = Evidence(learned=learned, source=Source.PERSON)
    said = merge(record(State.HELD), by_a_person, 1)
    assert said.reason == f"a person says it was {learned}"
    assert is_word_of_a_person(said)
    withdrawn = Evidence(learned=Learned.WITHDRAWN, source=Source.PERSON)
    after = merge(said, withdrawn, 2)
    assert (after.state, after.reason, after.settled_at) == (State.HELD, TAKEN_BACK, None)
    after = merge(said, withdrawn._replace(reason="wrong\x07row"), 2)
    assert after.reason == TAKEN_BACK + ": " + printable("wrong\x07row")
    # What does not bear it out leaves it as it is.
    assert merge(said, by_a_person._replace(reason="again"), 2) == said
    assert merge(said, Evidence(learned=Learned.LOST, reason="read timeout"), 2) == said
    borne_out = merge(said, Evidence(learned, Source.LOOK_UP, reason="by the bank"), 2)
    assert (borne_out.state, borne_out.reason) == (said.state, "by the bank")
    assert merge(borne_out, withdrawn, 3) == borne_out
    assert merge(borne_out, Evidence(learned, Source.WEBHOOK, reason="once more"), 3) == borne_out


def test_what_is_held_is_never_settled_by_the_word_of_a_person() -> None:
    held = record(State.HELD, reason="a person says so")
    assert not is_word_of_a_person(held)
    assert merge(held, Evidence(learned=Learned.WITHDRAWN, source=Source.PERSON), 1) == held


def test_a_reason_is_kept_as_it_can_be_printed_and_no_longer_than_ten_thousand_characters() -> None:
    failed = merge(record(State.ACCEPTED), Evidence(Learned.NOT_PAID, reason="no\x1baccount"), 1)
    assert failed.reason == printable("no\x1baccount") != "no\x1baccount"
    for learned in (Learned.NOT_PAID, Learned.WITHDRAWN):
        long = Evidence(learned, Source.LOOK_UP, reason="x" * 20_000)
        state = State.CONFIRMED if learned is Learned.WITHDRAWN else State.ACCEPTED
        after = merge(record(state, reason="a person says it was paid"), long, 1)
        assert len(after.reason or "") == 10_000


def test_a_fee_that_was_taken_replaces_the_one_that_was_announced() -> None:
    announced = merge(record(State.IN_DOUBT), Evidence(Learned.ACCEPTED, fee=Decimal(100)), 1)
    assert announced.fee == "100"
    taken = merge(announced, Evidence(Learned.PAID, Source.WEBHOOK, fee=Decimal("1E2") + 20), 2)
    assert taken.fee == "120"
    assert merge(taken, Evidence(Learned.ACCEPTED, fee=Decimal(100)), 3).fee == "120"
    assert merge(taken, Evidence(Learned.PAID, Source.LOOK_UP), 3).fee == "120"
    late = merge(record(State.CONFIRMED), Evidence(Learned.ACCEPTED, fee=Decimal("1E+2")), 1)
    assert late.fee == "100"

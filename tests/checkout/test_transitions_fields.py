"""What one event changes in an order, field by field, and what it leaves as it was."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest

from dgspay import Customer
from dgspay.checkout.order import (
    Attempt,
    AttemptState,
    Method,
    Order,
    OrderState,
    Problem,
    ProblemKind,
)
from dgspay.checkout.transitions import (
    Begin,
    Change,
    Evidence,
    Learned,
    Source,
    accept,
    begin,
    cancel,
    expire,
    learn,
    may_begin,
    recall,
    submit,
)
from dgspay.models.next_actions import AddressRequired, NextAction, OtpRequired, PinRequired

JANE = Customer(email="jane@example.com", first_name="Jane", last_name="Uwase", phone="0788123456")
BEFORE = Attempt(
    number=1,
    method=Method.MOBILE_MONEY,
    state=AttemptState.FAILED,
    is_under_way=False,
    dgs_reference="dgs_0",
    reason="declined",
    asked_at=1.0,
    stale_at=301.0,
)
CURRENT = Attempt(number=2, method=Method.CARD, asked_at=400.0, stale_at=700.0)
ORDER = Order(
    id="A-1",
    amount=Decimal(2000),
    currency="RWF",
    customer=JANE,
    expires_at=900.0,
    state=OrderState.PAYING,
    attempts=(BEFORE, CURRENT),
)
PAID = Evidence(learned=Learned.PAID, source=Source.WEBHOOK, amount=Decimal(2000), currency="RWF")
CLOSED = (OrderState.PAID, OrderState.EXPIRED, OrderState.CANCELLED)
NOTED = (BEFORE, attrs.evolve(BEFORE, number=2))


def order_with(attempt: Attempt = CURRENT, **fields: Any) -> Order:
    """The order with its second attempt as it is to be."""
    return attrs.evolve(ORDER, attempts=(BEFORE, attempt), **fields)


def in_state(state: AttemptState, **fields: Any) -> Order:
    return order_with(attrs.evolve(CURRENT, state=state, **fields))


def after(order: Order, said: Evidence) -> Attempt:
    """The attempt after the evidence; the other one is never touched."""
    change = learn(order, 2, said, now=500.0)
    assert change.order.attempts[0] == BEFORE
    return change.order.attempts[1]


def said(learned: Learned, source: Source = Source.WEBHOOK, **fields: Any) -> Evidence:
    return Evidence(learned=learned, source=source, **fields)


def test_a_first_attempt_is_written_down_in_doubt_with_all_that_was_asked_for() -> None:
    order = attrs.evolve(ORDER, attempts=(), state=OrderState.OPEN)
    begun = begin(
        order, Method.MOBILE_MONEY, now=5, stale_at=305, phone="0788123456", network="MTN"
    )
    first = Attempt(
        number=1,
        method=Method.MOBILE_MONEY,
        asked_at=5,
        stale_at=305,
        phone="0788123456",
        network="MTN",
    )
    assert begun == attrs.evolve(order, attempts=(first,), state=OrderState.PAYING)


def test_a_new_attempt_is_the_only_one_under_way_and_has_the_next_number() -> None:
    older = attrs.evolve(CURRENT, number=7)
    begun = begin(order_with(older), Method.CARD, now=800, stale_at=1100)
    assert begun.attempts == (
        BEFORE,
        attrs.evolve(older, is_under_way=False),
        Attempt(number=8, method=Method.CARD, asked_at=800, stale_at=1100),
    )


def test_an_attempt_the_store_has_forgotten_comes_back_in_its_place_and_is_in_no_way() -> None:
    third = attrs.evolve(CURRENT, number=3)
    recalled = recall(order_with(third), 2, now=800)
    forgotten = Attempt(
        number=2, method=Method.UNKNOWN, is_under_way=False, asked_at=800, stale_at=800
    )
    assert recalled == attrs.evolve(ORDER, attempts=(BEFORE, forgotten, third))


@pytest.mark.parametrize("state", CLOSED)
def test_no_attempt_begins_once_the_order_is_closed(state: OrderState) -> None:
    order = attrs.evolve(ORDER, attempts=(), state=state)
    assert may_begin(order, now=1e9, looked_at=1e9) is Begin.NO


def test_an_attempt_begins_where_none_is_under_way() -> None:
    order = attrs.evolve(ORDER, attempts=NOTED, state=OrderState.OPEN)
    assert may_begin(order, now=500, looked_at=None) is Begin.YES


def test_no_attempt_begins_beside_one_that_is_held() -> None:
    held = in_state(AttemptState.HELD, dgs_reference="dgs_1")
    assert may_begin(held, now=1e9, looked_at=1e9) is Begin.NO


def test_the_place_of_a_stale_attempt_is_free_after_a_look_up_since_it_is_stale() -> None:
    order = in_state(AttemptState.PENDING, dgs_reference="dgs_1")
    assert may_begin(order, now=699, looked_at=699) is Begin.NO
    assert may_begin(order, now=700, looked_at=None) is Begin.LOOK_FIRST
    assert may_begin(order, now=700, looked_at=699) is Begin.LOOK_FIRST
    assert may_begin(order, now=700, looked_at=700) is Begin.YES


def test_the_place_of_a_stale_attempt_that_cannot_be_looked_up_is_free() -> None:
    assert may_begin(ORDER, now=699, looked_at=None) is Begin.NO
    assert may_begin(ORDER, now=700, looked_at=None) is Begin.YES


@pytest.mark.parametrize("action", [PinRequired(), OtpRequired(), AddressRequired()], ids=repr)
def test_an_attempt_that_waits_for_the_shop_is_given_up_by_its_number(action: NextAction) -> None:
    order = in_state(AttemptState.WAITING, dgs_reference="dgs_1", next_action=action)

    def may(*, now: float, looked_at: float, instead_of: int | None) -> Begin:
        return may_begin(order, now=now, looked_at=looked_at, instead_of=instead_of, asked_at=499)

    assert may(now=500, looked_at=500, instead_of=2) is Begin.YES
    assert may(now=500, looked_at=499, instead_of=2) is Begin.YES
    assert may(now=500, looked_at=498, instead_of=2) is Begin.LOOK_FIRST
    assert may(now=500, looked_at=500, instead_of=1) is Begin.NO
    assert may(now=500, looked_at=500, instead_of=None) is Begin.NO
    # A stale one goes by the time at which it became stale, whatever a payer has asked for.
    assert may(now=701, looked_at=699, instead_of=1) is Begin.LOOK_FIRST
    assert may_begin(order, now=701, looked_at=699, instead_of=2) is Begin.LOOK_FIRST


@pytest.mark.parametrize("state", [AttemptState.PENDING, AttemptState.IN_DOUBT])
def test_an_attempt_that_dgs_pay_may_take_further_is_not_given_up(state: AttemptState) -> None:
    order = in_state(state, dgs_reference="dgs_1", next_action=PinRequired())
    assert may_begin(order, now=500, looked_at=500, instead_of=2, asked_at=499) is Begin.NO


def test_an_attempt_whose_step_was_lost_is_not_given_up() -> None:
    order = in_state(
        AttemptState.WAITING,
        dgs_reference="dgs_1",
        next_action=PinRequired(),
        has_lost_step=True,
    )
    assert may_begin(order, now=500, looked_at=500, instead_of=2, asked_at=499) is Begin.NO


def test_a_step_that_is_submitted_is_taken_away_from_its_attempt_alone() -> None:
    order = in_state(AttemptState.WAITING, next_action=PinRequired(), step=1)
    submitted = attrs.evolve(CURRENT, step=1, has_lost_step=True)
    assert submit(order, 2) == order_with(submitted)


def test_what_says_nothing_new_leaves_the_order_as_it_is() -> None:
    order = attrs.evolve(in_state(AttemptState.FAILED), state=OrderState.PAYING)
    assert learn(order, 2, said(Learned.NOTHING), now=500) == Change(order=order)


def test_an_attempt_that_is_paid_pays_the_order_once() -> None:
    order = order_with()
    change = learn(order, 2, attrs.evolve(PAID, dgs_reference="dgs_1"), now=500)
    paid = attrs.evolve(
        CURRENT,
        state=AttemptState.PAID,
        is_under_way=False,
        dgs_reference="dgs_1",
        amount=Decimal(2000),
        currency="RWF",
    )
    assert change == Change(
        order=order_with(paid, state=OrderState.PAID, paid_at=500), owes_paid=True
    )
    assert learn(change.order, 2, PAID, now=600) == Change(order=change.order)


@pytest.mark.parametrize(
    ("learned", "state"),
    [(Learned.FAILED, OrderState.OPEN), (Learned.PENDING, OrderState.PAYING)],
)
def test_an_order_is_paid_for_as_long_as_an_attempt_is_under_way(
    learned: Learned, state: OrderState
) -> None:
    assert learn(ORDER, 2, said(learned), now=500).order.state is state


@pytest.mark.parametrize("state", CLOSED)
def test_a_closed_order_stays_closed_whatever_fails(state: OrderState) -> None:
    order = order_with(state=state)
    assert learn(order, 2, said(Learned.FAILED), now=500).order.state is state


@pytest.mark.parametrize("state", [OrderState.EXPIRED, OrderState.CANCELLED])
def test_money_for_a_closed_order_is_a_problem_and_pays_nothing(state: OrderState) -> None:
    change = learn(order_with(state=state), 2, PAID, now=500)
    assert change.problems == (
        Problem(
            kind=ProblemKind.PAID_LATE,
            attempt=2,
            detail=f"attempt 2 was paid when the order was {state} already",
            noted_at=500,
        ),
    )
    assert (change.order.problems, change.owes_paid) == (change.problems, False)
    assert (change.order.state, change.order.paid_at) == (state, None)
    assert change.order.attempts[1].state is AttemptState.PAID


@pytest.mark.parametrize("reference", ["dgs_1", None])
def test_money_for_a_paid_order_is_to_be_refunded(reference: str | None) -> None:
    order = order_with(state=OrderState.PAID, paid_at=450.0)
    change = learn(order, 2, attrs.evolve(PAID, dgs_reference=reference), now=500)
    (problem,) = change.problems
    assert (problem.kind, problem.attempt) == (ProblemKind.PAID_TWICE, 2)
    named = reference or "without a reference"
    assert problem.detail == f"attempt 2 ({named}) was paid, too: refund it"
    assert (change.order.paid_at, change.owes_paid) == (450.0, False)


def test_a_failure_after_a_success_is_noted_and_changes_nothing() -> None:
    order = learn(ORDER, 2, PAID, now=500).order
    change = learn(order, 2, said(Learned.FAILED, Source.LOOK_UP), now=600)
    detail = "attempt 2 was paid, and the look-up reports a failure"
    problem = Problem(kind=ProblemKind.CONTRADICTED, attempt=2, detail=detail, noted_at=600)
    assert change == Change(
        order=attrs.evolve(order, problems=(problem,)), problems=(problem,), owes_paid=False
    )
    assert learn(change.order, 2, said(Learned.FAILED, Source.LOOK_UP), now=700).problems == ()


@pytest.mark.parametrize("state", [AttemptState.PENDING, AttemptState.FAILED])
def test_a_success_under_another_reference_is_held(state: AttemptState) -> None:
    order = in_state(state, dgs_reference="dgs_1", next_action=PinRequired(), has_lost_step=True)
    change = learn(order, 2, attrs.evolve(PAID, dgs_reference="dgs_2"), now=500)
    held = change.order.attempts[1]
    assert held == attrs.evolve(
        CURRENT,
        state=AttemptState.HELD,
        dgs_reference="dgs_1",
        reason="reference",
        amount=Decimal(2000),
        currency="RWF",
    )
    detail = "attempt 2 is dgs_1, and the webhook reports dgs_2"
    assert change.problems == (
        Problem(kind=ProblemKind.CONTRADICTED, attempt=2, detail=detail, noted_at=500),
    )


@pytest.mark.parametrize("state", [AttemptState.PAID, AttemptState.HELD])
def test_another_reference_changes_no_attempt_that_is_paid_or_held(state: AttemptState) -> None:
    order = in_state(state, dgs_reference="dgs_1")
    change = learn(order, 2, attrs.evolve(PAID, dgs_reference="dgs_2"), now=500)
    assert change.order.attempts[1] == order.attempts[1]
    assert [one.kind for one in change.problems] == [ProblemKind.CONTRADICTED]


def test_a_failure_under_another_reference_fails_nothing() -> None:
    order = in_state(AttemptState.PENDING, dgs_reference="dgs_1")
    change = learn(order, 2, said(Learned.FAILED, dgs_reference="dgs_2"), now=500)
    assert change.order.attempts[1] == order.attempts[1]
    assert [one.kind for one in change.problems] == [ProblemKind.CONTRADICTED]


def test_a_reference_in_other_letters_is_the_same_and_the_first_spelling_is_kept() -> None:
    order = in_state(AttemptState.PENDING, dgs_reference="DGS_1")
    paid = after(order, attrs.evolve(PAID, dgs_reference="dgs_1"))
    assert (paid.state, paid.dgs_reference) == (AttemptState.PAID, "DGS_1")


@pytest.mark.parametrize(
    ("amount", "currency", "reported"),
    [(20, "RWF", "20 RWF"), (20, None, "20 RWF"), (2000, "USD", "2000 in USD")],
)
def test_a_success_in_other_terms_is_held(amount: int, currency: str | None, reported: str) -> None:
    order = in_state(AttemptState.PENDING, dgs_reference="dgs_1")
    other = said(Learned.PAID, amount=Decimal(amount), currency=currency)
    change = learn(order, 2, other, now=500)
    held = change.order.attempts[1]
    assert (held.state, held.reason) == (AttemptState.HELD, "amount")
    assert (held.amount, held.currency) == (Decimal(amount), currency)
    detail = f"attempt 2 was to pay 2000 RWF, and the webhook reports {reported}"
    assert change.problems == (
        Problem(kind=ProblemKind.WRONG_AMOUNT, attempt=2, detail=detail, noted_at=500),
    )


def test_other_terms_of_an_attempt_that_is_paid_are_noted_and_it_stays_paid() -> None:
    order = learn(ORDER, 2, PAID, now=500).order
    change = learn(order, 2, attrs.evolve(PAID, amount=Decimal(20)), now=600)
    assert change.order.attempts == order.attempts
    assert [one.kind for one in change.problems] == [ProblemKind.WRONG_AMOUNT]


@pytest.mark.parametrize(
    "partial",
    [attrs.evolve(PAID, amount=None), attrs.evolve(PAID, currency=None)],
    ids=["amount", "currency"],
)
def test_a_success_without_its_amount_or_currency_does_not_count(partial: Evidence) -> None:
    attempt = after(in_state(AttemptState.IN_DOUBT), partial)
    assert (attempt.state, attempt.amount) == (AttemptState.PENDING, None)


def test_the_word_of_a_person_counts_without_an_amount() -> None:
    attempt = after(ORDER, said(Learned.PAID, Source.PERSON))
    assert (attempt.state, attempt.amount) == (AttemptState.PAID, None)


@pytest.mark.parametrize(
    ("learned", "state"),
    [(Learned.PAID, AttemptState.PAID), (Learned.FAILED, AttemptState.FAILED)],
)
def test_what_is_held_is_decided_by_a_person_alone(learned: Learned, state: AttemptState) -> None:
    held = in_state(AttemptState.HELD, reason="amount", amount=Decimal(20), currency="RWF")
    for source in (Source.ANSWER, Source.WEBHOOK, Source.LOOK_UP):
        assert after(held, said(learned, source)) == held.attempts[1]
    decided = after(held, said(learned, Source.PERSON))
    assert decided == attrs.evolve(held.attempts[1], state=state, is_under_way=False)


@pytest.mark.parametrize("reason", ["rejected:90", None])
def test_a_failed_attempt_says_why_and_is_no_longer_under_way(reason: str | None) -> None:
    waiting = in_state(AttemptState.WAITING, next_action=PinRequired(), step=1, has_lost_step=True)
    assert after(waiting, said(Learned.FAILED, reason=reason)) == attrs.evolve(
        CURRENT,
        state=AttemptState.FAILED,
        is_under_way=False,
        step=1,
        reason=reason or "failed",
    )


def test_an_attempt_that_is_no_longer_under_way_does_not_come_back() -> None:
    watched = in_state(AttemptState.IN_DOUBT, is_under_way=False)
    assert not after(watched, said(Learned.PENDING)).is_under_way


def test_what_was_paid_after_all_keeps_why_it_had_failed() -> None:
    failed = in_state(AttemptState.FAILED, is_under_way=False, reason="no funds")
    paid = after(failed, PAID)
    assert (paid.state, paid.reason) == (AttemptState.PAID, "no funds")
    waiting = in_state(AttemptState.IN_DOUBT, reason="no funds")
    pin = said(Learned.ACTION, Source.ANSWER, next_action=PinRequired())
    assert after(waiting, pin).reason is None


@pytest.mark.parametrize(
    ("reason", "is_noted"),
    [
        ("no funds", False),
        ("declined", False),
        (None, True),
        *((word, True) for word in ("not_sent", "person", "amount", "reference")),
        *((word, True) for word in ("rejected", "rejected:90")),
    ],
)
def test_only_a_failure_that_was_reported_before_the_payment_may_come_again(
    reason: str | None, *, is_noted: bool
) -> None:
    paid = in_state(AttemptState.PAID, is_under_way=False, reason=reason)
    for source in (Source.WEBHOOK, Source.LOOK_UP, Source.ANSWER):
        change = learn(paid, 2, said(Learned.FAILED, source), now=600)
        assert bool(change.problems) is is_noted
        assert change.order.attempts == paid.attempts
    by_a_person = learn(paid, 2, said(Learned.FAILED, Source.PERSON), now=600)
    assert [one.kind for one in by_a_person.problems] == [ProblemKind.CONTRADICTED]


def test_each_new_step_has_the_next_number_and_a_repeated_one_keeps_its_own() -> None:
    pin = said(Learned.ACTION, Source.ANSWER, next_action=PinRequired())
    first = after(in_state(AttemptState.PENDING, step=3), pin)
    assert (first.state, first.step, first.next_action) == (AttemptState.WAITING, 4, PinRequired())
    again = after(order_with(first), pin)
    assert again == first
    other = after(order_with(first), attrs.evolve(pin, next_action=OtpRequired()))
    assert (other.step, other.next_action) == (5, OtpRequired())
    # The same step once more, after it was submitted, is a new one.
    anew = after(in_state(AttemptState.IN_DOUBT, next_action=PinRequired(), step=4), pin)
    assert anew.step == 5


@pytest.mark.parametrize(
    ("evidence", "is_lost"),
    [
        (said(Learned.ACTION, next_action=OtpRequired()), False),
        (said(Learned.PENDING, Source.ANSWER), False),
        (said(Learned.PENDING, Source.LOOK_UP), True),
        (said(Learned.NOTHING, Source.ANSWER), True),
    ],
    ids=["a next step", "answered: pending", "looked up: pending", "no answer"],
)
@pytest.mark.parametrize("state", [AttemptState.IN_DOUBT, AttemptState.PENDING])
def test_a_lost_step_is_found_by_what_names_the_next_one(
    state: AttemptState, evidence: Evidence, *, is_lost: bool
) -> None:
    assert after(in_state(state, has_lost_step=True), evidence).has_lost_step is is_lost


def test_a_step_that_was_not_lost_is_not_lost_by_a_look_up() -> None:
    attempt = after(in_state(AttemptState.IN_DOUBT), said(Learned.PENDING, Source.LOOK_UP))
    assert not attempt.has_lost_step


def test_what_was_paid_is_known_of_paid_attempts_alone() -> None:
    failed = after(ORDER, said(Learned.FAILED, amount=Decimal(2000), currency="RWF"))
    assert (failed.amount, failed.currency) == (None, None)
    known = in_state(AttemptState.IN_DOUBT, amount=Decimal(5), currency="USD")
    pending = after(known, said(Learned.PENDING))
    assert (pending.amount, pending.currency) == (Decimal(5), "USD")


def test_a_problem_that_was_resolved_is_noted_again_where_it_changes_the_attempt_anew() -> None:
    other = said(Learned.PAID, amount=Decimal(20), currency="RWF")
    held = learn(ORDER, 2, other, now=500).order
    (problem,) = held.problems
    assert learn(held, 2, other, now=600).problems == ()
    resolved = attrs.evolve(problem, resolution="refunded")
    decided = attrs.evolve(in_state(AttemptState.FAILED, is_under_way=False), problems=(resolved,))
    anew = learn(decided, 2, other, now=700)
    assert [one.noted_at for one in anew.order.problems] == [500, 700]
    # Where it changes nothing, what was resolved stays resolved.
    paid = attrs.evolve(in_state(AttemptState.PAID), problems=(resolved,))
    assert learn(paid, 2, other, now=700).problems == ()


def test_the_same_problem_of_another_attempt_is_another_problem() -> None:
    other = said(Learned.PAID, amount=Decimal(20), currency="RWF")
    (problem,) = learn(ORDER, 2, other, now=500).problems
    for unlike in (
        attrs.evolve(problem, attempt=1),
        attrs.evolve(problem, kind=ProblemKind.CONTRADICTED),
        attrs.evolve(problem, detail="something else"),
    ):
        noted = attrs.evolve(ORDER, problems=(unlike,))
        assert learn(noted, 2, other, now=600).order.problems == (
            unlike,
            attrs.evolve(problem, noted_at=600),
        )


def test_an_open_order_is_cancelled_with_its_attempt_under_way() -> None:
    assert cancel(ORDER) == Change(order=attrs.evolve(ORDER, state=OrderState.CANCELLED))


@pytest.mark.parametrize("state", CLOSED)
def test_a_closed_order_is_neither_cancelled_nor_expired(state: OrderState) -> None:
    closed = attrs.evolve(ORDER, attempts=(), state=state)
    assert cancel(closed) == expire(closed, now=1e9) == Change(order=closed)


def test_an_order_expires_at_its_time_and_not_before() -> None:
    idle = attrs.evolve(ORDER, attempts=NOTED, state=OrderState.OPEN)
    assert expire(idle, now=899) == Change(order=idle)
    assert expire(idle, now=900) == Change(order=attrs.evolve(idle, state=OrderState.EXPIRED))
    without = attrs.evolve(idle, expires_at=None)
    assert expire(without, now=1e9) == Change(order=without)


@pytest.mark.parametrize(
    ("attempt", "expires"),
    [
        (attrs.evolve(CURRENT, stale_at=1000.0), False),
        (attrs.evolve(CURRENT, stale_at=950.0), True),
        (attrs.evolve(CURRENT, state=AttemptState.HELD), False),
        (attrs.evolve(CURRENT, stale_at=1000.0, is_under_way=False), True),
        (attrs.evolve(CURRENT, state=AttemptState.HELD, is_under_way=False), True),
    ],
    ids=["a prompt is there", "it has just gone", "held", "another took its place", "decided"],
)
def test_an_order_expires_unless_an_attempt_may_still_pay_it(
    attempt: Attempt, *, expires: bool
) -> None:
    order = order_with(attempt)
    expired = attrs.evolve(order, state=OrderState.EXPIRED)
    assert expire(order, now=950) == Change(order=expired if expires else order)


def test_an_accepted_problem_pays_the_order_with_its_attempt() -> None:
    order = in_state(AttemptState.HELD, reason="amount", amount=Decimal(20), currency="RWF")
    problem = Problem(kind=ProblemKind.WRONG_AMOUNT, attempt=2, detail="20 RWF")
    paid = attrs.evolve(order.attempts[1], state=AttemptState.PAID, is_under_way=False)
    assert accept(order, problem, now=800) == Change(
        order=order_with(paid, state=OrderState.PAID, paid_at=800), owes_paid=True
    )


def test_nothing_is_accepted_for_an_order_that_is_paid_or_without_an_attempt() -> None:
    problem = Problem(kind=ProblemKind.PAID_LATE, attempt=2, detail="late")
    paid = order_with(state=OrderState.PAID, paid_at=450.0)
    assert accept(paid, problem, now=800) == Change(order=paid)
    unnamed = attrs.evolve(problem, attempt=None)
    assert accept(ORDER, unnamed, now=800) == Change(order=ORDER)

"""Every order of up to six events over the table of an order, and each of its cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

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
    submit,
)
from dgspay.models.next_actions import OtpRequired, PinRequired, RedirectRequired

JANE = Customer(email="jane@example.com", first_name="Jane", last_name="Uwase", phone="0788123456")
ORDER = Order(id="A-1", amount=Decimal(2000), currency="RWF", customer=JANE, expires_at=900.0)
LIFETIME = 300.0
DEPTH = 6


def evidence(
    learned: Learned,
    source: Source = Source.WEBHOOK,
    *,
    amount: int | None = None,
    currency: str | None = "RWF",
    reference: str | None = "dgs_1",
    action: PinRequired | OtpRequired | RedirectRequired | None = None,
    reason: str | None = None,
) -> Evidence:
    return Evidence(
        learned=learned,
        source=source,
        dgs_reference=reference,
        amount=None if amount is None else Decimal(amount),
        currency=None if amount is None else currency,
        next_action=action,
        reason=reason,
    )


# What may be learned of an attempt; `{}` in a reference is its number.
EVIDENCE = {
    "not sent": evidence(Learned.NOT_SENT, Source.ANSWER, reference=None, reason="not_sent"),
    "answer lost": evidence(Learned.NOTHING, Source.ANSWER, reference=None),
    "accepted": evidence(Learned.PENDING, Source.ANSWER),
    "PIN asked for": evidence(Learned.ACTION, Source.ANSWER, action=PinRequired()),
    "declined at once": evidence(Learned.FAILED, Source.ANSWER),
    "event paid": evidence(Learned.PAID, amount=2000),
    "event failed": evidence(Learned.FAILED),
    "event of another amount": evidence(Learned.PAID, amount=20),
    "event of another currency": evidence(Learned.PAID, amount=2000, currency="USD"),
    "event of another payment": evidence(Learned.PAID, amount=2000, reference="dgs_other"),
    "looked up: pending": evidence(Learned.PENDING, Source.LOOK_UP),
    "looked up: paid, no amount": evidence(Learned.PAID, Source.LOOK_UP),
    "looked up: paid": evidence(Learned.PAID, Source.LOOK_UP, amount=2000),
    "a person: paid": evidence(Learned.PAID, Source.PERSON, reference=None),
    "a person: not paid": evidence(Learned.FAILED, Source.PERSON, reference=None, reason="person"),
}
OF_ORDER = ("begin", "time passes", "cancel", "expire", "submit", "accept")


@attrs.frozen
class World:
    """An order, and what really happened to it.

    Attributes:
        order: As the table has it.
        now: The time.
        owed: How often `on_paid` became owed.
        collected: Attempts of which a success in the order's terms was reported.
        failed_before: Attempts that DGS-Pay had reported as failed before they were paid.
        failed_after: Attempts that were reported as failed once they were paid, and not before.
        looked_at: When the attempt under way was looked up last.
    """

    order: Order = ORDER
    now: float = 0.0
    owed: int = 0
    collected: frozenset[int] = frozenset()
    failed_before: frozenset[int] = frozenset()
    failed_after: frozenset[int] = frozenset()
    looked_at: float | None = None

    def key(self) -> tuple[object, ...]:
        """Two worlds with this in common have the same future."""
        problems = frozenset((one.kind, one.attempt, one.detail) for one in self.order.problems)
        facts = (self.order.state, self.order.attempts, problems)
        failed = (self.failed_before, self.failed_after)
        return (*facts, self.now, self.owed, self.collected, *failed, self.looked_at)


def steps(world: World) -> Iterator[tuple[str, World]]:
    """Every event that may come next, and the world after it."""
    order, now = world.order, world.now
    if len(order.attempts) < 3:
        may = may_begin(order, now=now, looked_at=world.looked_at)
        if may is Begin.YES:
            begun = begin(order, Method.CARD, now=now, stale_at=now + LIFETIME)
            yield "begin", attrs.evolve(world, order=begun, looked_at=None)
    if now < 2 * LIFETIME:
        yield "time passes", attrs.evolve(world, now=now + LIFETIME)
    yield "cancel", after(world, cancel(order))
    yield "expire", after(world, expire(order, now=now + 600))
    for attempt in order.attempts:
        if attempt.next_action is not None and attempt.is_under_way:
            yield "submit", attrs.evolve(world, order=submit(order, attempt.number))
        for name, said in EVIDENCE.items():
            yield f"{attempt.number}: {name}", learned(world, attempt, said)
    for problem in order.open_problems:
        if problem.kind in (ProblemKind.PAID_LATE, ProblemKind.WRONG_AMOUNT):
            yield f"accept {problem.kind}", after(world, accept(order, problem, now=now))


def learned(world: World, attempt: Attempt, said: Evidence) -> World:
    if said.dgs_reference == "dgs_1":
        said = attrs.evolve(said, dgs_reference=f"dgs_{attempt.number}")
    is_another = said.dgs_reference == "dgs_other" and attempt.dgs_reference is not None
    collected, failed_after = world.collected, world.failed_after
    fits = said.amount in (None, ORDER.amount) and said.currency in (None, "RWF")
    says_enough = said.amount is not None or said.source is Source.PERSON
    if said.learned is Learned.PAID and fits and says_enough and not is_another:
        collected |= {attempt.number}
    if said is EVIDENCE["a person: not paid"] and attempt.state is AttemptState.HELD:
        collected -= {attempt.number}  # what does not fit is a person's to decide
    failed_before = world.failed_before
    if said.learned is Learned.FAILED:
        is_person = said.source is Source.PERSON
        if attempt.state is AttemptState.PAID:
            if is_person or attempt.number not in failed_before:
                failed_after |= {attempt.number}
        elif not is_person and not attempt.is_settled and attempt.state is not AttemptState.HELD:
            failed_before |= {attempt.number}
    change = learn(world.order, attempt.number, said, now=world.now)
    found = after(world, change)
    looked_at = world.now if said.source is Source.LOOK_UP else world.looked_at
    return attrs.evolve(
        found,
        collected=collected,
        failed_before=failed_before,
        failed_after=failed_after,
        looked_at=looked_at,
    )


def after(world: World, change: Change) -> World:
    return attrs.evolve(world, order=change.order, owed=world.owed + change.owes_paid)


def noted(order: Order, kind: ProblemKind, number: int) -> bool:
    return any((one.kind, one.attempt) == (kind, number) for one in order.problems)


def faults(before: World, world: World, event: str) -> Iterator[str]:
    """What is wrong after an event, whatever came before it."""
    order = world.order
    paid = [one for one in order.attempts if one.state is AttemptState.PAID]
    if sum(one.is_under_way for one in order.attempts) > 1:
        yield "two attempts are under way"
    if world.owed != (order.state is OrderState.PAID):
        yield "on_paid is owed once for a paid order, and for no other"
    if order.state is OrderState.PAID and not paid:
        yield "an order is paid by no attempt"
    is_accepted = event.startswith("accept") and order.state is OrderState.PAID
    if before.order.is_closed and order.state is not before.order.state and not is_accepted:
        yield "a closed order was opened again"
    if order.state is OrderState.PAYING and not any(one.is_under_way for one in order.attempts):
        yield "an order is being paid by nothing"
    if order.state is OrderState.OPEN and any(one.is_under_way for one in order.attempts):
        yield "an order with an attempt under way is open for another one"
    for attempt in order.attempts:
        yield from faults_of(before, world, attempt, event)


def faults_of(before: World, world: World, attempt: Attempt, event: str) -> Iterator[str]:
    order, number = world.order, attempt.number
    earlier = next((one for one in before.order.attempts if one.number == number), None)
    is_paid = attempt.state is AttemptState.PAID
    if earlier is not None and earlier.state is AttemptState.PAID and not is_paid:
        yield "what was paid is no longer paid"
    if is_paid and number not in world.collected and not event.startswith("accept"):
        was_accepted = earlier is not None and earlier.state is AttemptState.PAID
        if not was_accepted:
            yield "an attempt is paid of which no success in the order's terms was reported"
    if number in world.collected and not is_paid and attempt.state is not AttemptState.HELD:
        yield "a success was lost"
    if attempt.state is AttemptState.HELD:
        kinds = (ProblemKind.WRONG_AMOUNT, ProblemKind.CONTRADICTED)
        if not any(noted(order, kind, number) for kind in kinds):
            yield "an attempt is held, and no problem says why"
    if number in world.failed_after and not noted(order, ProblemKind.CONTRADICTED, number):
        yield "a failure after a success was not noted"
    if attempt.next_action is not None and attempt.state is not AttemptState.WAITING:
        yield "a step is asked for by an attempt that does not wait"
    if earlier is not None and attempt.step < earlier.step:
        yield "a step's number came again"
    if attempt.is_under_way and attempt.state in (AttemptState.PAID, AttemptState.FAILED):
        yield "an attempt that has ended keeps another from beginning"
    first_to_pay = [one.number for one in order.attempts if one.state is AttemptState.PAID]
    if is_paid and (len(first_to_pay) > 1 or order.state is not OrderState.PAID):
        kinds = (ProblemKind.PAID_TWICE, ProblemKind.PAID_LATE)
        pairs = [(kind, one) for kind in kinds for one in first_to_pay if noted(order, kind, one)]
        expected = len(first_to_pay) - (order.state is OrderState.PAID)
        if len({one for _, one in pairs}) < expected:
            yield "money was collected that neither pays the order nor is a problem"


@pytest.mark.acceptance(78, "contradicting-events")
@pytest.mark.acceptance(80, "other-amount")
@pytest.mark.acceptance(81, "late-payment")
def test_no_order_of_up_to_six_events_breaks_a_promise() -> None:
    """Every one is counted; those that lead to the same world are followed once."""
    start = World()
    worlds: dict[tuple[object, ...], tuple[World, tuple[str, ...]]] = {start.key(): (start, ())}
    ways = Counter({start.key(): 1})
    counted = 0
    for _ in range(DEPTH):
        following: dict[tuple[object, ...], tuple[World, tuple[str, ...]]] = {}
        ways_after: Counter[tuple[object, ...]] = Counter()
        for key, (world, way) in worlds.items():
            for event, then in steps(world):
                wrong = [*faults(world, then, event)]
                assert not wrong, (*way, event, wrong)
                ways_after[then.key()] += ways[key]
                following.setdefault(then.key(), (then, (*way, event)))
        counted += ways_after.total()
        worlds, ways = following, ways_after
    assert counted > 2_500_000


@pytest.mark.parametrize("said", EVIDENCE.values(), ids=[*EVIDENCE])
@pytest.mark.parametrize("state", AttemptState)
def test_each_cell_of_the_table_leads_to_one_state(state: AttemptState, said: Evidence) -> None:
    """The table as a person would write it down, cell by cell."""
    action = PinRequired() if state is AttemptState.WAITING else None
    is_under_way = state not in (AttemptState.PAID, AttemptState.FAILED)
    attempt = Attempt(
        number=1,
        method=Method.CARD,
        state=state,
        is_under_way=is_under_way,
        dgs_reference="dgs_1",
        next_action=action,
    )
    order = attrs.evolve(ORDER, attempts=(attempt,), state=OrderState.PAYING)
    found = learn(order, 1, said, now=1.0).order.attempts[0].state
    assert found is expected(state, said)


def expected(state: AttemptState, said: Evidence) -> AttemptState:  # noqa: PLR0911 - a table
    is_person = said.source is Source.PERSON
    if said.dgs_reference == "dgs_other" or said.amount == 20 or said.currency == "USD":
        return state if state is AttemptState.PAID else AttemptState.HELD
    if state is AttemptState.PAID or (state is AttemptState.HELD and not is_person):
        return state
    if said.learned is Learned.PAID:
        if said.amount is not None or is_person:
            return AttemptState.PAID
        return AttemptState.PENDING if state is AttemptState.IN_DOUBT else state
    if state is AttemptState.FAILED:
        return state
    if said.learned is Learned.FAILED:
        return AttemptState.FAILED
    if said.learned is Learned.NOT_SENT:
        return AttemptState.FAILED if state is AttemptState.IN_DOUBT else state
    if said.learned is Learned.ACTION:
        return AttemptState.WAITING
    if said.learned is Learned.PENDING and state is AttemptState.IN_DOUBT:
        return AttemptState.PENDING
    return state


def test_a_step_whose_answer_was_lost_is_offered_no_second_time() -> None:
    order = begin(ORDER, Method.CARD, now=0, stale_at=LIFETIME)
    order = learn(order, 1, EVIDENCE["PIN asked for"], now=1).order
    order = submit(order, 1)
    assert order.attempts[0].next_action is None
    order = learn(order, 1, EVIDENCE["looked up: pending"], now=2).order
    assert order.attempts[0].has_lost_step
    assert type(order.next_action).__name__ == "StepUnknown"
    otp = evidence(Learned.ACTION, Source.ANSWER, action=OtpRequired())
    order = learn(order, 1, otp, now=3).order
    assert (order.attempts[0].step, order.attempts[0].has_lost_step) == (2, False)


def test_what_only_the_shop_can_take_further_may_be_given_up_after_one_look_up() -> None:
    order = begin(ORDER, Method.CARD, now=0, stale_at=LIFETIME)
    order = learn(order, 1, EVIDENCE["PIN asked for"], now=1).order
    assert may_begin(order, now=2, looked_at=None) is Begin.NO
    assert may_begin(order, now=2, looked_at=None, instead_of=1, asked_at=2) is Begin.LOOK_FIRST
    assert may_begin(order, now=3, looked_at=2, instead_of=1, asked_at=2) is Begin.YES
    away = evidence(Learned.ACTION, action=RedirectRequired(url="https://bank.example"))
    order = learn(order, 1, away, now=3).order
    assert may_begin(order, now=3, looked_at=3, instead_of=1, asked_at=2) is Begin.NO


def test_a_problem_is_noted_once_however_often_it_is_reported() -> None:
    order = begin(ORDER, Method.CARD, now=0, stale_at=LIFETIME)
    noted: list[Problem] = []
    for now in range(3):
        change = learn(order, 1, EVIDENCE["event of another amount"], now=now)
        order, noted = change.order, [*noted, *change.problems]
    assert [one.kind for one in noted] == [ProblemKind.WRONG_AMOUNT]


def test_an_old_failure_that_comes_again_after_the_payment_is_no_problem() -> None:
    order = begin(ORDER, Method.CARD, now=0, stale_at=LIFETIME)
    for name in ("event failed", "event paid", "event failed"):
        order = learn(order, 1, EVIDENCE[name], now=1).order
    assert (order.state, order.problems) == (OrderState.PAID, ())
    order = learn(order, 1, EVIDENCE["a person: not paid"], now=2).order
    assert [one.kind for one in order.problems] == [ProblemKind.CONTRADICTED]


@pytest.mark.parametrize("first", ["not sent", "a person: not paid"])
def test_a_first_report_of_a_failure_after_the_payment_is_a_problem(first: str) -> None:
    order = begin(ORDER, Method.CARD, now=0, stale_at=LIFETIME)
    for name in (first, "event paid", "event failed"):
        order = learn(order, 1, EVIDENCE[name], now=1).order
    assert [one.kind for one in order.problems] == [ProblemKind.CONTRADICTED]

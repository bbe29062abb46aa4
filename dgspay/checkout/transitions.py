"""The table of an order: what each piece of evidence of an attempt means for it. Pure.

Webhook, look-up, answer and a person are sources of evidence about one attempt, and merge in any
order: a success overrides a failure; a failure that follows a success is noted, and changes
nothing. Amount, currency and reference are compared with the order before anything is paid.
"""

from __future__ import annotations

import enum
from decimal import Decimal

import attrs

from dgspay.checkout.order import (
    Attempt,
    AttemptState,
    Method,
    Order,
    OrderState,
    Problem,
    ProblemKind,
)
from dgspay.models.next_actions import AddressRequired, NextAction, OtpRequired, PinRequired
from dgspay.models.reported import PaymentFacts, disagreements


class Learned(enum.StrEnum):
    """What a piece of evidence says of its attempt."""

    NOT_SENT = "not sent"
    """It never left: the source is always the sender itself."""
    NOTHING = "nothing"
    """No usable answer came: it may have arrived."""
    PENDING = "pending"
    """DGS-Pay has it."""
    ACTION = "action"
    """DGS-Pay has it, and asks something of the payer."""
    PAID = "paid"
    FAILED = "failed"


class Source(enum.StrEnum):
    """Where a piece of evidence comes from."""

    ANSWER = "answer"
    WEBHOOK = "webhook"
    LOOK_UP = "look-up"
    PERSON = "person"


@attrs.frozen(kw_only=True)
class Evidence:
    """What was learned about one attempt.

    Attributes:
        learned: What it says.
        source: Who says so.
        dgs_reference: The payment it names.
        amount: What it says was paid; a payment without it counts only by a person's word.
        currency: Its currency.
        next_action: What DGS-Pay asks of the payer, for `ACTION` alone.
        reason: Why it failed, as a code for programs.
    """

    learned: Learned
    source: Source
    dgs_reference: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    next_action: NextAction | None = None
    reason: str | None = None


@attrs.frozen(kw_only=True)
class Change:
    """What an event does to an order.

    Attributes:
        order: The order after it.
        problems: Problems that are new.
        owes_paid: Whether the order became paid by this: `on_paid` is owed.
    """

    order: Order
    problems: tuple[Problem, ...] = ()
    owes_paid: bool = False


_OPEN = (AttemptState.IN_DOUBT, AttemptState.PENDING, AttemptState.WAITING)

# (state, what is learned) -> the state after it. What is missing changes nothing.
_MOVES: dict[tuple[AttemptState, Learned], AttemptState] = {
    (AttemptState.IN_DOUBT, Learned.NOT_SENT): AttemptState.FAILED,
    (AttemptState.IN_DOUBT, Learned.PENDING): AttemptState.PENDING,
    (AttemptState.IN_DOUBT, Learned.ACTION): AttemptState.WAITING,
    (AttemptState.IN_DOUBT, Learned.PAID): AttemptState.PAID,
    (AttemptState.IN_DOUBT, Learned.FAILED): AttemptState.FAILED,
    (AttemptState.PENDING, Learned.ACTION): AttemptState.WAITING,
    (AttemptState.PENDING, Learned.PAID): AttemptState.PAID,
    (AttemptState.PENDING, Learned.FAILED): AttemptState.FAILED,
    (AttemptState.WAITING, Learned.ACTION): AttemptState.WAITING,
    (AttemptState.WAITING, Learned.PAID): AttemptState.PAID,
    (AttemptState.WAITING, Learned.FAILED): AttemptState.FAILED,
    (AttemptState.FAILED, Learned.PAID): AttemptState.PAID,
}


def begin(
    order: Order,
    method: Method,
    *,
    now: float,
    stale_at: float,
    phone: str | None = None,
    network: str | None = None,
) -> Order:
    """Return the order with a new attempt, in doubt, which takes the place of one that is stale.

    Whether one may begin is decided by `may_begin`.
    """
    older = tuple(attrs.evolve(attempt, is_under_way=False) for attempt in order.attempts)
    new = Attempt(
        number=older[-1].number + 1 if older else 1,
        method=method,
        asked_at=now,
        stale_at=stale_at,
        phone=phone,
        network=network,
    )
    return attrs.evolve(order, attempts=(*older, new), state=OrderState.PAYING)


def recall(order: Order, number: int, *, now: float) -> Order:
    """Return the order with an attempt that its store has forgotten: it was restored since.

    It is in doubt until the evidence of it is merged, and keeps no other attempt from beginning.
    """
    forgotten = Attempt(
        number=number, method=Method.UNKNOWN, is_under_way=False, asked_at=now, stale_at=now
    )
    attempts = sorted((*order.attempts, forgotten), key=lambda one: one.number)
    return attrs.evolve(order, attempts=tuple(attempts))


class Begin(enum.Enum):
    """Whether a new attempt may begin."""

    YES = "yes"
    NO = "no"
    LOOK_FIRST = "after one more look-up"


def may_begin(
    order: Order,
    *,
    now: float,
    looked_at: float | None,
    instead_of: int | None = None,
    asked_at: float | None = None,
) -> Begin:
    """Decide whether a new attempt may begin.

    Args:
        order: The order as it stands.
        now: Unix time, by the store's clock.
        looked_at: When the attempt under way was looked up last.
        instead_of: The attempt that the payer gives up, where only the shop could take it further.
        asked_at: When the payer asked for that: it is looked up once after it.
    """
    if order.is_closed:
        return Begin.NO
    current = order.under_way
    if current is None:
        return Begin.YES
    if current.state is AttemptState.HELD:
        return Begin.NO
    is_given_up = instead_of == current.number and _is_with_the_shop(current)
    if now < current.stale_at and not is_given_up:
        return Begin.NO
    if current.dgs_reference is None:
        # It cannot be looked up. It stays watched: its webhook still finds it by its token.
        return Begin.YES
    since = current.stale_at if asked_at is None or not is_given_up else asked_at
    is_fresh = looked_at is not None and looked_at >= since
    return Begin.YES if is_fresh else Begin.LOOK_FIRST


def _is_with_the_shop(attempt: Attempt) -> bool:
    """Whether it goes on by nothing but a step that is submitted through the shop."""
    if attempt.state is not AttemptState.WAITING or attempt.has_lost_step:
        return False
    return isinstance(attempt.next_action, PinRequired | OtpRequired | AddressRequired)


def submit(order: Order, number: int) -> Order:
    """Return the order with the attempt's step taken away, in doubt until its answer comes."""
    attempts = tuple(
        attrs.evolve(one, state=AttemptState.IN_DOUBT, next_action=None, has_lost_step=True)
        if one.number == number
        else one
        for one in order.attempts
    )
    return attrs.evolve(order, attempts=attempts)


def learn(order: Order, number: int, evidence: Evidence, *, now: float) -> Change:
    """Return what a piece of evidence about an attempt does to the order."""
    before = order.numbered(number)
    problems: list[Problem] = []
    after = _merged(order, before, evidence, problems, now)
    if after == before and not problems:
        return Change(order=order)
    attempts = tuple(after if one.number == number else one for one in order.attempts)
    state, owes_paid = order.state, False
    if after.state is AttemptState.PAID and before.state is not AttemptState.PAID:
        owes_paid = _pays(order, after, problems, now)
        state = OrderState.PAID if owes_paid else state
    elif not order.is_closed:
        state = _state_of(attempts)
    is_news = after.state is not before.state
    problems = [problem for problem in problems if not _is_noted(order, problem, is_news=is_news)]
    order = attrs.evolve(
        order,
        attempts=attempts,
        state=state,
        paid_at=now if owes_paid else order.paid_at,
        problems=(*order.problems, *problems),
    )
    return Change(order=order, problems=tuple(problems), owes_paid=owes_paid)


def cancel(order: Order) -> Change:
    """Give an order up. What is under way stays watched: paid after all, it is a problem."""
    if order.is_closed:
        return Change(order=order)
    return Change(order=attrs.evolve(order, state=OrderState.CANCELLED))


def expire(order: Order, *, now: float) -> Change:
    """Expire an order whose time is over, unless an attempt may still pay it.

    The caller has looked up what can be looked up: a sweep reconciles before it expires.
    """
    if order.is_closed or order.expires_at is None or now < order.expires_at:
        return Change(order=order)
    for attempt in order.attempts:
        # Held: a person is asked what it collected. Its prompt may still be there: so is the payer.
        if attempt.is_under_way and (attempt.state is AttemptState.HELD or now < attempt.stale_at):
            return Change(order=order)
    return Change(order=attrs.evolve(order, state=OrderState.EXPIRED))


def accept(order: Order, problem: Problem, *, now: float) -> Change:
    """Take what was paid late, or in another amount, as the payment of the order."""
    if order.state is OrderState.PAID or problem.attempt is None:
        return Change(order=order)
    attempts = tuple(
        attrs.evolve(one, state=AttemptState.PAID, is_under_way=False)
        if one.number == problem.attempt
        else one
        for one in order.attempts
    )
    order = attrs.evolve(order, attempts=attempts, state=OrderState.PAID, paid_at=now)
    return Change(order=order, owes_paid=True)


def _merged(
    order: Order, attempt: Attempt, evidence: Evidence, problems: list[Problem], now: float
) -> Attempt:
    """Return the attempt after the evidence, and note what does not fit."""
    learned = evidence.learned
    named, known = evidence.dgs_reference, attempt.dgs_reference
    if named is not None and known is not None and named.casefold() != known.casefold():
        # Who pays under another reference has paid something that was not asked for here.
        detail = f"attempt {attempt.number} is {known}, and the {evidence.source} reports {named}"
        problems.append(_problem(ProblemKind.CONTRADICTED, attempt, detail, now))
        if learned is not Learned.PAID or attempt.state not in (*_OPEN, AttemptState.FAILED):
            return attempt
        return _held(attempt, evidence, "reference")
    if known is None and named is not None:
        attempt = attrs.evolve(attempt, dgs_reference=named)
    if attempt.state is AttemptState.HELD:
        return _decided(attempt, evidence)
    if learned is Learned.PAID:
        misfit = _misfit(order, evidence)
        if misfit is not None:
            return _mismatched(order, attempt, evidence, misfit, problems, now)
        if not _says_enough(evidence):
            learned = Learned.PENDING
    if attempt.state is AttemptState.PAID:
        if learned is Learned.FAILED and not _is_old(attempt, evidence):
            detail = (
                f"attempt {attempt.number} was paid, and the {evidence.source} reports a failure"
            )
            problems.append(_problem(ProblemKind.CONTRADICTED, attempt, detail, now))
        return attempt
    state = _MOVES.get((attempt.state, learned))
    if state is None:
        return _unmoved(attempt, evidence)
    return attrs.evolve(
        attempt,
        state=state,
        next_action=evidence.next_action,
        step=attempt.step + 1 if _is_new_step(attempt, state, evidence) else attempt.step,
        reason=_reason(attempt, state, evidence),
        is_under_way=attempt.is_under_way and state in _OPEN,
        amount=evidence.amount if state is AttemptState.PAID else attempt.amount,
        currency=evidence.currency if state is AttemptState.PAID else attempt.currency,
        has_lost_step=attempt.has_lost_step and state in _OPEN and not _names_the_step(evidence),
    )


def _reason(attempt: Attempt, state: AttemptState, evidence: Evidence) -> str | None:
    """Return why it failed; what was paid after all keeps that."""
    if state is AttemptState.FAILED:
        return evidence.reason or evidence.learned.value
    return attempt.reason if state is AttemptState.PAID else None


def _is_old(attempt: Attempt, failure: Evidence) -> bool:
    """Whether DGS-Pay had reported the failure of what was paid after all: it is delivered late."""
    reason = attempt.reason
    if reason is None or failure.source is Source.PERSON:
        return False
    return reason not in _NO_REPORTS and not reason.startswith("rejected")


# Reasons of an attempt that are no report of DGS-Pay's that its payment failed.
_NO_REPORTS = ("not_sent", "person", "amount", "reference")


def _names_the_step(evidence: Evidence) -> bool:
    """Whether it says which step is next; a look-up that reports "pending" does not."""
    if evidence.learned is Learned.ACTION:
        return True
    return evidence.learned is Learned.PENDING and evidence.source is Source.ANSWER


def _unmoved(attempt: Attempt, evidence: Evidence) -> Attempt:
    return attrs.evolve(attempt, has_lost_step=False) if _names_the_step(evidence) else attempt


def _is_new_step(attempt: Attempt, state: AttemptState, evidence: Evidence) -> bool:
    if state is not AttemptState.WAITING:
        return False
    return attempt.state is not AttemptState.WAITING or attempt.next_action != evidence.next_action


def _decided(attempt: Attempt, evidence: Evidence) -> Attempt:
    """What does not fit is settled by a person alone."""
    if evidence.source is not Source.PERSON:
        return attempt
    state = AttemptState.PAID if evidence.learned is Learned.PAID else AttemptState.FAILED
    return attrs.evolve(attempt, state=state, is_under_way=False)


def _misfit(order: Order, evidence: Evidence) -> str | None:
    """Return what a success reports instead of the order's amount and currency, or None."""
    asked = PaymentFacts(order.amount, order.currency)
    reported = PaymentFacts(evidence.amount, evidence.currency)
    return next((found.reported for found in disagreements(asked, reported)), None)


def _says_enough(evidence: Evidence) -> bool:
    """Whether a success can count: a person looked into the portal, others name the amount."""
    if evidence.source is Source.PERSON:
        return True
    return evidence.amount is not None and evidence.currency is not None


def _mismatched(
    order: Order,
    attempt: Attempt,
    evidence: Evidence,
    reported: str,
    problems: list[Problem],
    now: float,
) -> Attempt:
    detail = (
        f"attempt {attempt.number} was to pay {order.amount} {order.currency}, and the "
        f"{evidence.source} reports {reported}"
    )
    problems.append(_problem(ProblemKind.WRONG_AMOUNT, attempt, detail, now))
    if attempt.state is AttemptState.PAID:
        return attempt
    return _held(attempt, evidence, "amount")


def _held(attempt: Attempt, evidence: Evidence, reason: str) -> Attempt:
    return attrs.evolve(
        attempt,
        state=AttemptState.HELD,
        next_action=None,
        reason=reason,
        amount=evidence.amount,
        currency=evidence.currency,
        has_lost_step=False,
    )


def _pays(order: Order, attempt: Attempt, problems: list[Problem], now: float) -> bool:
    """Whether an attempt that was paid pays the order; note why where it does not."""
    if order.state is OrderState.PAID:
        reference = attempt.dgs_reference or "without a reference"
        detail = f"attempt {attempt.number} ({reference}) was paid, too: refund it"
        problems.append(_problem(ProblemKind.PAID_TWICE, attempt, detail, now))
        return False
    if order.is_closed:
        detail = f"attempt {attempt.number} was paid when the order was {order.state} already"
        problems.append(_problem(ProblemKind.PAID_LATE, attempt, detail, now))
        return False
    return True


def _state_of(attempts: tuple[Attempt, ...]) -> OrderState:
    return OrderState.PAYING if any(one.is_under_way for one in attempts) else OrderState.OPEN


def _problem(kind: ProblemKind, attempt: Attempt, detail: str, now: float) -> Problem:
    return Problem(kind=kind, attempt=attempt.number, detail=detail, noted_at=now)


def _is_noted(order: Order, problem: Problem, *, is_news: bool) -> bool:
    """Whether it was noted before; where it has changed the attempt anew, and is still open."""
    known = order.open_problems if is_news else order.problems
    return any(
        (one.kind, one.attempt, one.detail) == (problem.kind, problem.attempt, problem.detail)
        for one in known
    )

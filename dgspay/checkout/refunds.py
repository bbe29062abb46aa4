"""Refunds: money goes back by a disbursement, never more than was paid, and never twice."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

import attrs

from dgspay import BankRecipient, Disbursement, MobileMoneyRecipient, Operation, errors
from dgspay.api import disbursements
from dgspay.checkout.attempts import idempotency_key
from dgspay.checkout.errors import RefundError, recording
from dgspay.checkout.evidence import evidence_of_disbursement, evidence_of_error
from dgspay.checkout.flow import Flow, execute, transact
from dgspay.checkout.handlers import run_tasks_of_written
from dgspay.checkout.order import (
    Attempt,
    AttemptState,
    Method,
    Order,
    Problem,
    ProblemKind,
    Refund,
    RefundState,
)
from dgspay.checkout.shop import Shop
from dgspay.checkout.store.loading import load, load_by_key
from dgspay.checkout.store.problems import settle
from dgspay.checkout.store.protocol import Script, record
from dgspay.checkout.store.rows import recipient_to_json
from dgspay.checkout.store.scope import Scope
from dgspay.checkout.store.watching import Due
from dgspay.checkout.store.writing import Learnt, write
from dgspay.checkout.transitions import Change, Evidence, Learned, Source
from dgspay.models.characters import printable
from dgspay.models.reported import PaymentFacts, disagreements
from dgspay.money import AmountInput, Money, gross_for

Recipient = BankRecipient | MobileMoneyRecipient

# (state, what is learned) -> the state after it. What is missing changes nothing; a success
# overrides a failure, as for attempts.
_MOVES: dict[tuple[RefundState, Learned], RefundState] = {
    (RefundState.IN_DOUBT, Learned.NOT_SENT): RefundState.FAILED,
    (RefundState.IN_DOUBT, Learned.PENDING): RefundState.PENDING,
    (RefundState.IN_DOUBT, Learned.PAID): RefundState.PAID,
    (RefundState.IN_DOUBT, Learned.FAILED): RefundState.FAILED,
    (RefundState.PENDING, Learned.PAID): RefundState.PAID,
    (RefundState.PENDING, Learned.FAILED): RefundState.FAILED,
    (RefundState.FAILED, Learned.PAID): RefundState.PAID,
}


def refund(
    shop: Shop,
    order_id: str,
    *,
    amount: AmountInput | None = None,
    attempt: int | None = None,
    recipient: Recipient | None = None,
    fee: AmountInput | None = None,
    note: str | None = None,
    again: bool = False,
) -> Flow[Refund]:
    """Send money back for an order, by a disbursement (guide, "Disburse Funds").

    It is written down before it leaves, and one of an order is under way at a time. Where its
    answer is lost it is held: a webhook, a look-up or `resolve` says how it ended, and until then
    no other one is made.

    Args:
        order_id: The order's id.
        amount: What the payer gets back, in RWF; all that is left of the attempt if left out.
        attempt: The attempt to pay back; the one that paid the order if left out. For an order
            that was paid twice, the problem names it.
        recipient: Where it goes; the wallet that paid if left out.
        fee: The fee of one disbursement in RWF, where the payer is to get `amount` in full: the
            wallet is debited `amount` and the fee.
        note: The shop's own reason.
        again: Make it although one of the same amount was made for this attempt before.

    Returns:
        The refund: pending, or in doubt where its answer was lost.

    Raises:
        ValueError, TypeError: an argument is wrong; nothing was sent.
        RefundError: it is more than is left, another one is under way, or the same one was made
            before. Nothing was sent.
        UnknownOrderError: there is no such order.
        AuthenticationError, InsufficientFundsError: DGS-Pay rejected it; nothing was sent back.
        OrdersError: the store failed; what is not on its disk was not sent.
    """
    scope = yield from shop.scope()
    given = None if amount is None else Money.parse(amount, "RWF").amount
    extra = Decimal(0) if fee is None else Money.parse(fee, "RWF").amount
    order, made, operation = yield from transact(
        partial(_begin, shop, scope, order_id, given, attempt, recipient, extra, note, again=again)
    )
    try:
        evidence = evidence_of_disbursement((yield from execute(operation)))
    except errors.DGSPayError as error:
        with recording(error.outcome):
            yield from _merge(shop, scope, order, made.number, evidence_of_error(error))
        if error.outcome is errors.Outcome.UNKNOWN or isinstance(error, errors.IdempotencyError):
            return made
        raise
    with recording():
        after = yield from _merge(shop, scope, order, made.number, evidence)
    return numbered(after, made.number)


def _begin(
    shop: Shop,
    scope: Scope,
    order_id: str,
    amount: Decimal | None,
    number: int | None,
    recipient: Recipient | None,
    fee: Decimal,
    note: str | None,
    *,
    again: bool,
) -> Script[tuple[Order, Refund, Operation[Disbursement]]]:
    """Write a refund down as in doubt, where there is as much to give back."""
    order, now = yield from load(scope, order_id, locked=True)
    paid = _attempt_to_pay_back(order, number)
    under_way = next((one for one in order.refunds if not one.is_settled), None)
    if under_way is not None:
        raise RefundError(
            f"refund {under_way.number} of order {order.id!r} is {under_way.state.value}: it may "
            "reach the payer. Nothing was sent; wait for it, or resolve it"
        )
    left = _left(order, paid.number)
    asked = left if amount is None else amount
    currency = order.currency if paid.currency is None else printable(paid.currency).upper()
    if not currency == order.currency == "RWF":
        raise RefundError(
            f"attempt {paid.number} of order {order.id!r} was paid in {currency}, and DGS-Pay "
            "disburses RWF only. Nothing was sent; refund it in the merchant portal"
        )
    if not 0 < asked <= left:
        raise RefundError(
            f"{asked:f} RWF is more than the {left:f} RWF that are left of attempt {paid.number} "
            f"of order {order.id!r}. Nothing was sent"
            if asked > left
            else f"nothing is left to refund of attempt {paid.number} of order {order.id!r}"
        )
    same = [
        one
        for one in order.refunds
        if one.state is RefundState.PAID and (one.amount, one.attempt) == (asked, paid.number)
    ]
    if same and not again:
        raise RefundError(
            f"refund {same[-1].number} of order {order.id!r} has paid back {asked:f} RWF before. "
            "Nothing was sent; pass again=True to pay back as much once more"
        )
    to = recipient if recipient is not None else _wallet_of(order, paid)
    made = Refund(
        number=len(order.refunds) + 1,
        amount=asked,
        gross=gross_for(asked, fee) if fee else asked,
        attempt=paid.number,
        recipient=to,
        note=note,
        asked_at=now,
    )
    subject = f"r{made.number}"
    operation = disbursements.create(
        amount=made.gross,
        recipient=to,
        narration=order.description,
        callback_url=shop.callback_url(scope, order, subject),
        idempotency_key=idempotency_key(shop, scope, order, subject),
    )
    yield from record(
        "INSERT INTO dgspay_order_refunds (order_key, number, account, amount, gross, state, "
        "attempt, recipient, note, asked_at, look_at, looks) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
        order.key,
        made.number,
        scope.key,
        f"{made.amount:f}",
        f"{made.gross:f}",
        made.state.value,
        made.attempt,
        recipient_to_json(to),
        note,
        now,
        now + scope.timing.first_look_up,
    )
    yield from record("UPDATE dgspay_orders SET beside = 1 WHERE key = ?", order.key)
    return attrs.evolve(order, refunds=(*order.refunds, made)), made, operation


def _attempt_to_pay_back(order: Order, number: int | None) -> Attempt:
    if number is None:
        paid = next((one for one in order.attempts if one.state is AttemptState.PAID), None)
    else:
        paid = next((one for one in order.attempts if one.number == number), None)
    if paid is None or paid.state not in (AttemptState.PAID, AttemptState.HELD):
        which = "no attempt" if number is None else f"attempt {number}"
        raise RefundError(
            f"{which} of order {order.id!r} has collected anything. Nothing was sent"
            if number is None
            else f"{which} of order {order.id!r} has not collected anything. Nothing was sent"
        )
    return paid


def _left(order: Order, number: int) -> Decimal:
    given = sum(
        (
            one.amount
            for one in order.refunds
            if one.attempt == number and one.state is not RefundState.FAILED
        ),
        Decimal(0),
    )
    return order.collected_by(number) - given


def _wallet_of(order: Order, paid: Attempt) -> MobileMoneyRecipient:
    if paid.method is not Method.MOBILE_MONEY or paid.phone is None or paid.network is None:
        raise RefundError(
            f"attempt {paid.number} of order {order.id!r} was paid by no wallet that is known: "
            "name the recipient. "
            "Nothing was sent"
        )
    name = f"{order.customer.first_name} {order.customer.last_name}"
    return MobileMoneyRecipient(msisdn=paid.phone, network=paid.network, name=name)


def _merge(shop: Shop, scope: Scope, order: Order, number: int, evidence: Evidence) -> Flow[Order]:
    learnt = yield from transact(partial(learn, scope, order.key, number, evidence))
    if learnt is None:
        return order
    yield from run_tasks_of_written(shop, scope, learnt.tasks)
    return learnt.order


def learn(
    scope: Scope,
    order_key: int,
    number: int,
    evidence: Evidence,
) -> Script[Learnt | None]:
    """Merge a piece of evidence into its refund."""
    found = yield from load_by_key(scope, order_key, locked=True)
    return None if found is None else (yield from learn_of(scope, *found, number, evidence))


def learn_of(
    scope: Scope,
    order: Order,
    now: float,
    number: int,
    evidence: Evidence,
) -> Script[Learnt]:
    """Merge it into a refund of an order that this transaction has loaded and locked."""
    if not any(one.number == number for one in order.refunds):
        return (yield from write(scope, order, _forgotten(order, number, evidence, now), None))
    change = merged(order, number, evidence, now=now)
    if change.order == order:
        return Learnt(order)
    after = numbered(change.order, number)
    yield from record(
        "UPDATE dgspay_order_refunds SET state = ?, dgs_reference = ?, reason = ?"
        + (", look_at = NULL" if after.is_settled else "")
        + " WHERE order_key = ? AND number = ?",
        after.state.value,
        after.dgs_reference,
        after.reason,
        order.key,
        number,
    )
    if after.is_settled:
        how = f"the {evidence.source} settled it"
        yield from settle(order.key, ProblemKind.REFUND_HELD, number, how)
    if after.state is RefundState.PAID and _left(change.order, after.attempt) <= 0:
        for kind in _PAID_BACK:
            yield from settle(order.key, kind, after.attempt, f"refund {number} paid it back")
    return (yield from write(scope, order, change, None))


def doubt(scope: Scope, due: Due) -> Script[Learnt | None]:
    """Note as a problem that it has not been known for too long how a refund ended."""
    found = yield from load_by_key(scope, due.order_key, locked=True)
    if found is None:
        return None
    order, now = found
    made = numbered(order, due.number)
    if made.is_settled or now < made.asked_at + scope.timing.doubt:
        return None
    if any(
        (one.kind, one.attempt) == (ProblemKind.REFUND_HELD, made.number) for one in order.problems
    ):
        return None
    named = made.dgs_reference or "whose reference is not known"
    detail = (
        f"refund {made.number} ({named}) is {made.state.value} since {scope.timing.doubt:g} s: "
        "it may reach the payer. Look it up in the portal, and resolve it"
    )
    change = _noting(order, [_problem(ProblemKind.REFUND_HELD, made.number, detail, now)])
    return (yield from write(scope, order, change, None))


def _forgotten(order: Order, number: int, evidence: Evidence, now: float) -> Change:
    """Return what is reported of a refund that is not there: the store was restored since."""
    if evidence.learned is not Learned.PAID:
        return Change(order=order)
    named = evidence.dgs_reference or "without a reference"
    paid = "an amount" if evidence.amount is None else f"{evidence.amount:f}"
    detail = (
        f"refund {number} ({named}) is not in this store, which was restored from a backup, and "
        f"the {evidence.source} reports that {paid} {evidence.currency or ''} went to the payer"
    )
    return _noting(order, [_problem(ProblemKind.CONTRADICTED, number, printable(detail), now)])


def _noting(order: Order, problems: list[Problem]) -> Change:
    """Return the order with the problems that were not noted before."""
    known = {one.detail for one in order.problems}
    new = tuple(one for one in problems if one.detail not in known)
    return Change(order=attrs.evolve(order, problems=(*order.problems, *new)), problems=new)


_PAID_BACK = (ProblemKind.PAID_TWICE, ProblemKind.WRONG_AMOUNT, ProblemKind.PAID_LATE)


def merged(order: Order, number: int, evidence: Evidence, *, now: float) -> Change:
    """Return what a piece of evidence about a refund does to the order. Pure."""
    before = numbered(order, number)
    named, known = evidence.dgs_reference, before.dgs_reference
    problems: list[Problem] = []
    state = _MOVES.get((before.state, evidence.learned), before.state)
    misfit = _misfit(order, before, evidence)
    if named is not None and known is not None and named.casefold() != known.casefold():
        detail = f"refund {number} is {known}, and the {evidence.source} reports {named}"
        problems.append(_problem(ProblemKind.CONTRADICTED, number, detail, now))
        state = before.state
    elif misfit is not None:
        detail = (
            f"refund {number} was to take {before.gross:f} {order.currency} from the wallet, and "
            f"the {evidence.source} reports {misfit}"
        )
        problems.append(_problem(ProblemKind.CONTRADICTED, number, detail, now))
        state = before.state
    elif before.state is RefundState.PAID and evidence.learned is Learned.FAILED:
        detail = f"refund {number} was paid, and the {evidence.source} reports a failure"
        problems.append(_problem(ProblemKind.CONTRADICTED, number, detail, now))
    elif before.state is RefundState.FAILED and state is RefundState.PAID:
        detail = f"refund {number} had failed, and the {evidence.source} reports that it was paid"
        problems.append(_problem(ProblemKind.CONTRADICTED, number, detail, now))
    elif evidence.learned is Learned.NOTHING and evidence.source is Source.ANSWER:
        detail = f"the answer of refund {number} was lost: it may reach the payer, and is held"
        problems.append(_problem(ProblemKind.REFUND_HELD, number, detail, now))
    after = attrs.evolve(
        before,
        state=state,
        dgs_reference=known or named,
        reason=evidence.reason if state is RefundState.FAILED else None,
    )
    refunds = tuple(after if one.number == number else one for one in order.refunds)
    return _noting(attrs.evolve(order, refunds=refunds), problems)


def _misfit(order: Order, refund: Refund, evidence: Evidence) -> str | None:
    """Return what a success reports instead of what was asked for, or None."""
    if evidence.learned is not Learned.PAID:
        return None
    asked = PaymentFacts(refund.gross, order.currency)
    reported = PaymentFacts(evidence.amount, evidence.currency)
    return next((found.reported for found in disagreements(asked, reported)), None)


def _problem(kind: ProblemKind, number: int, detail: str, now: float) -> Problem:
    return Problem(kind=kind, attempt=number, detail=detail, noted_at=now)


def numbered(order: Order, number: int) -> Refund:
    """Return a refund of an order by its number."""
    return next(one for one in order.refunds if one.number == number)

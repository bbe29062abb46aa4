"""Findings about a payout, and the table of what they change.

========================  =========  ============  ==========  ===========  ==========
what is learned           in doubt   held          accepted    confirmed    failed
========================  =========  ============  ==========  ===========  ==========
DGS-Pay accepted it       accepted   accepted      .           .            held ! 3)
DGS-Pay refused it        failed 1)  .             held !      .            .
no usable answer came     held       .             .           .            .
it never left             new 1)     .             .           .            .
the recipient was paid    confirmed  confirmed 2)  confirmed   .            held !
the recipient was not     failed     failed 2)     failed      held !       .
a person takes it back    .          .             .           held 4)      held 4)
========================  =========  ============  ==========  ===========  ==========

"." changes nothing, "!" notes a contradiction. 1) Held, where an earlier attempt ended without
an answer: that this one did not pay says nothing about that one. 2) After a contradiction only
by a look-up or a person. 3) Where it failed by a refusal, or by the word of a person who knew no
name of DGS-Pay's: an event or a look-up may have overtaken the answer. 4) Where it is settled by
the word of a person alone; once DGS-Pay has said the same, that counts. A new payout, and one that
is blocked or cancelled, is taken like one in doubt: an event may overtake both the answer and the
ledger of the machine that sent it.
"""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import NamedTuple

import attrs

from dgspay.models.characters import printable
from dgspay.models.reported import PaymentFacts, disagreements
from dgspay.payouts.model.payout import CURRENCY, Payout, Record, State


class Learned(enum.StrEnum):
    """Kind of a finding."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    LOST = "lost"
    NOT_SENT = "not sent"
    PAID = "paid"
    NOT_PAID = "not paid"
    WITHDRAWN = "withdrawn"


class Source(enum.StrEnum):
    """Source of a finding."""

    ANSWER = "answer"
    WEBHOOK = "webhook"
    LOOK_UP = "look-up"
    PERSON = "person"


_WITHOUT_EFFECT = {
    Learned.LOST: State.HELD,
    Learned.NOT_SENT: State.NEW,
    Learned.REFUSED: State.FAILED,
}
_FINAL_SOURCES = (Source.LOOK_UP, Source.PERSON)
_SETTLED = (State.CONFIRMED, State.FAILED)
_SAME = {State.CONFIRMED: Learned.PAID, State.FAILED: Learned.NOT_PAID}
_PERSON_SAYS = "a person says"

TAKEN_BACK = "what a person had said was taken back"
"""Beginning of the reason why such a payout is held."""

_LONGEST_REASON = 10_000


class Evidence(NamedTuple):
    """Something learned about a payout. A tuple, because a million of them come in a run.

    Attributes:
        learned: What was learned.
        source: Where it comes from.
        dgs_reference: What the source calls the payout.
        amount: The amount the source reports, in RWF unless `currency` says otherwise.
        fee: The fee the source reports, in RWF.
        reason: Why, for a person.
        currency: The currency the source reports.
        account: The account or the phone the source reports.
    """

    learned: Learned
    source: Source = Source.ANSWER
    dgs_reference: str | None = None
    amount: Decimal | None = None
    fee: Decimal | None = None
    reason: str | None = None
    currency: str | None = None
    account: str | None = None

    @property
    def is_plain_acceptance(self) -> bool:
        """Return whether it says only that the payout was accepted, and under which name."""
        learned, _, _, amount, _, reason, currency, account = self
        if learned is not Learned.ACCEPTED or reason is not None:
            return False
        return amount is None and currency is None and account is None

    @property
    def fee_text(self) -> str | None:
        """The fee as it is written down."""
        return None if self.fee is None else format(self.fee, "f")


def merge(record: Record, evidence: Evidence, now: float) -> Record:
    """Return what is known of a payout once the evidence is taken in; see the table above."""
    clash = _clash(record, evidence)
    known = attrs.evolve(
        record,
        dgs_reference=record.dgs_reference or evidence.dgs_reference,
        fee=_fee(record, evidence),
    )
    if clash is not None:
        return contradicted(known, clash)
    if evidence.learned is Learned.WITHDRAWN:
        state, contradiction = State.HELD if is_word_of_a_person(record) else record.state, None
    else:
        state, contradiction = _next_state(record, evidence)
    if contradiction is not None:
        return contradicted(known, contradiction)
    if state is record.state:
        return _borne_out(known, evidence)
    settled = state in _SETTLED
    return attrs.evolve(
        known,
        state=state,
        doubtful=record.doubtful or evidence.learned in (Learned.LOST, Learned.NOT_PAID),
        reason=_reason(evidence),
        settled_at=now if settled else None,
    )


def _next_state(record: Record, evidence: Evidence) -> tuple[State, str | None]:
    """Look up the table; with what contradicts what, where it does."""
    state, learned = record.state, evidence.learned
    undecided = state in (State.NEW, State.IN_DOUBT, State.BLOCKED, State.CANCELLED)
    match learned:
        case Learned.ACCEPTED if undecided or (state is State.HELD and not record.contradiction):
            return State.ACCEPTED, None
        case Learned.LOST | Learned.NOT_SENT | Learned.REFUSED if undecided:
            return (State.HELD if record.doubtful else _without_effect(state, learned)), None
        case Learned.ACCEPTED if _was_refused(record):
            return State.HELD, "it was said not to be paid before it was accepted"
        case Learned.REFUSED if state is State.ACCEPTED:
            return State.HELD, "it was accepted before it was refused"
        case Learned.PAID if state is State.FAILED:
            return State.HELD, f"it had failed, and the {evidence.source} says it was paid"
        case Learned.NOT_PAID if state is State.CONFIRMED:
            return State.HELD, f"it was paid, and the {evidence.source} says it failed"
        case Learned.PAID | Learned.NOT_PAID if _may_settle(record, evidence):
            return (State.CONFIRMED if learned is Learned.PAID else State.FAILED), None
        case _:
            return state, None


def _without_effect(state: State, learned: Learned) -> State:
    keeps = learned is Learned.NOT_SENT and state in (State.BLOCKED, State.CANCELLED)
    return state if keeps else _WITHOUT_EFFECT[learned]


def _was_refused(record: Record) -> bool:
    """Return whether a payout failed without a final status from DGS-Pay; see note 3."""
    # What was ever doubtful does not fail by a refusal, and what DGS-Pay reports makes it doubtful.
    is_told = record.doubtful and record.dgs_reference is not None
    return record.state is State.FAILED and not is_told


def is_word_of_a_person(record: Record) -> bool:
    """Return whether a payout is settled by the word of a person, and by nothing else."""
    return record.state in _SETTLED and (record.reason or "").startswith(_PERSON_SAYS)


def _borne_out(record: Record, evidence: Evidence) -> Record:
    """Note that what a person has said DGS-Pay says, too: it cannot be taken back any more."""
    same = _SAME.get(record.state) is evidence.learned and evidence.source is not Source.PERSON
    return (
        attrs.evolve(record, reason=_reason(evidence))
        if same and is_word_of_a_person(record)
        else record
    )


def _may_settle(record: Record, evidence: Evidence) -> bool:
    return record.contradiction is None or evidence.source in _FINAL_SOURCES


def _clash(record: Record, evidence: Evidence) -> str | None:
    """Return why the evidence belongs to another payment than this one; None where it does not."""
    ours, theirs = record.dgs_reference, evidence.dgs_reference
    if ours is not None and theirs is not None and ours != theirs:
        return f"DGS-Pay knows it as {ours} and as {theirs}: it may have been paid twice"
    return disagreement(record.payout, evidence)


def disagreement(payout: Payout, evidence: Evidence) -> str | None:
    """Return how the evidence differs from the payment requested; None where it agrees.

    A success with another amount or another recipient must not hide the difference.
    """
    asked = PaymentFacts(payout.amount, CURRENCY, payout.account)
    reported = PaymentFacts(evidence.amount, evidence.currency, evidence.account)
    first = next(disagreements(asked, reported), None)
    return None if first is None else f"the {evidence.source} reports {first.reported}"


def _fee(record: Record, evidence: Evidence) -> str | None:
    """Return the fee as it is known now: what was taken in the end, and not what was announced."""
    if record.fee is not None and evidence.source is Source.ANSWER:
        return record.fee
    return evidence.fee_text or record.fee


def contradicted(record: Record, contradiction: str) -> Record:
    """Hold a payout about which two contradicting things were reported."""
    return attrs.evolve(
        record,
        state=State.HELD,
        doubtful=True,
        contradiction=contradiction,
        reason=contradiction,
        settled_at=None,
    )


def _reason(evidence: Evidence) -> str | None:
    match evidence:
        case Evidence(learned=Learned.PAID, source=Source.PERSON, reason=None):
            return f"{_PERSON_SAYS} it was paid"
        case Evidence(learned=Learned.NOT_PAID, source=Source.PERSON, reason=None):
            return f"{_PERSON_SAYS} it was not paid"
        case Evidence(learned=Learned.WITHDRAWN):
            why = "" if evidence.reason is None else f": {printable(evidence.reason)}"
            return f"{TAKEN_BACK}{why}"[:_LONGEST_REASON]
        case _:
            return None if evidence.reason is None else printable(evidence.reason)[:_LONGEST_REASON]

"""Every order of up to six pieces of evidence, enumerated: what no order may make of a payout.

Orders that have led to the same record and the same facts have the same future, so they go on
as one, together with their number: no order is left out. `DGSPAY_TEST_FULL=1` also takes every
order of four pieces by itself, and not only of three, without putting any two together.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import permutations, product
from pathlib import Path
from typing import NamedTuple

import attrs
import pytest

from dgspay.payouts import Batch, Evidence, Learned, Payout, Record, Source, State
from dgspay.payouts.ledger.sql_payouts import row_id
from dgspay.payouts.model.payout import UNPAID
from dgspay.payouts.model.transitions import is_word_of_a_person, merge
from tests.payouts.ledger.test_contract import TERMS
from tests.support.sheet_factory import ledger_in

FULL = bool(os.environ.get("DGSPAY_TEST_FULL"))
LONGEST = 6
BY_THEMSELVES = 4 if FULL else 3

PAYOUT = Payout(number=1, reference="r1", amount=1000, account="+250788123456", network="MTN")
A, B = "DGS-A", "DGS-B"


def said(learned: Learned, source: Source = Source.ANSWER, name: str | None = None) -> Evidence:
    return Evidence(learned=learned, source=source, dgs_reference=name)


# All that can be learned. Another amount, another currency and another account are distinguished by
# one function before anything else is looked at, so that one of them stands for all; reasons and
# fees decide nothing.
PIECES = (
    said(Learned.ACCEPTED),
    said(Learned.ACCEPTED, name=A),
    said(Learned.ACCEPTED, name=B),
    said(Learned.REFUSED),
    said(Learned.REFUSED, name=A),
    said(Learned.LOST),
    said(Learned.LOST, name=A),
    said(Learned.NOT_SENT),
    said(Learned.PAID, Source.WEBHOOK, A),
    said(Learned.PAID, Source.WEBHOOK, B),
    said(Learned.PAID, Source.WEBHOOK, A)._replace(amount=Decimal(500)),
    said(Learned.NOT_PAID, Source.WEBHOOK, A),
    said(Learned.NOT_PAID, Source.WEBHOOK, B),
    said(Learned.PAID, Source.LOOK_UP, A),
    said(Learned.NOT_PAID, Source.LOOK_UP, A),
    said(Learned.PAID, Source.PERSON),
    said(Learned.NOT_PAID, Source.PERSON),
    said(Learned.WITHDRAWN, Source.PERSON),
)
STARTS = (
    Record(payout=PAYOUT),
    Record(payout=PAYOUT, state=State.BLOCKED),
    Record(payout=PAYOUT, state=State.CANCELLED),
    Record(payout=PAYOUT, state=State.IN_DOUBT, attempts=1, sent_at=0.0),
    Record(payout=PAYOUT, state=State.IN_DOUBT, attempts=2, sent_at=0.0, doubtful=True),
)
UNSENT = (State.NEW, State.BLOCKED, State.CANCELLED)
SETTLED = (State.CONFIRMED, State.FAILED)


class Facts(NamedTuple):
    """What was said so far that decides what may become of the payout.

    Attributes:
        may_have_left: Anything but that it never left.
        has_arrived: Anything that only DGS-Pay can know who has the payout.
        paid: That the recipient was paid, by DGS-Pay.
        failed: That the recipient was not, by DGS-Pay, in a look-up or an event.
        clash: Something about another payment than this one.
        person: What a person says, and has not taken back.
    """

    may_have_left: bool = False
    has_arrived: bool = False
    paid: bool = False
    failed: bool = False
    clash: bool = False
    person: Learned | None = None

    def learn(self, before: Record, piece: Evidence) -> Facts:
        learned, by_person = piece.learned, piece.source is Source.PERSON
        name, known = piece.dgs_reference, before.dgs_reference
        clash = piece.amount is not None or (None not in (name, known) and name != known)
        person = self.person
        if by_person:
            withdrawn = learned is Learned.WITHDRAWN and is_word_of_a_person(before)
            person = None if withdrawn else person if learned is Learned.WITHDRAWN else learned
        ends = not by_person and not clash
        return Facts(
            self.may_have_left or learned not in (Learned.NOT_SENT, Learned.WITHDRAWN),
            self.has_arrived
            or name is not None
            or learned in (Learned.ACCEPTED, Learned.PAID, Learned.NOT_PAID),
            self.paid or (ends and learned is Learned.PAID),
            self.failed or (ends and learned is Learned.NOT_PAID),
            self.clash or clash,
            person,
        )


def may_be_sent(record: Record) -> bool:
    return record.state is State.NEW


def may_be_sent_again_where_keys_are_trusted(record: Record) -> bool:
    return (
        record.state in (State.HELD, State.IN_DOUBT)
        and record.dgs_reference is None
        and record.contradiction is None
        and "taken back" not in (record.reason or "")
    )


def is_in_the_way(record: Record) -> bool:
    return record.state not in UNPAID or record.contradiction is not None


def broken(before: Record, piece: Evidence, after: Record, facts: Facts) -> Iterator[str]:
    """Say which promises a step has broken."""
    if after.state in UNSENT and facts.may_have_left:
        yield "it is to be sent, though it may have left"
    if may_be_sent_again_where_keys_are_trusted(after) and facts.has_arrived:
        yield "it may be sent again, though something speaks for its arrival"
    if before.state in SETTLED and after.state in (*UNSENT, State.IN_DOUBT, State.ACCEPTED):
        yield "what had ended is under way again"
    if before.contradiction is not None and after.contradiction is None:
        yield "a contradiction is forgotten"
    if facts.clash and after.contradiction is None:
        yield "another payment than this one is not noted"
    if before.dgs_reference is not None and after.dgs_reference != before.dgs_reference:
        yield "its name has changed"
    if (after.settled_at is None) == (after.state in SETTLED):
        yield "when it ended is known of what has not ended, or the other way round"
    if facts.paid and not is_in_the_way(after):
        yield "another batch may pay again what DGS-Pay once said was paid"
    only_refused = before.state is State.FAILED and not facts.failed and facts.person is None
    if only_refused and piece.learned is Learned.ACCEPTED and after.contradiction is None:
        yield "a refusal outlived what says that it was accepted"
    says_paid = facts.paid or facts.person is Learned.PAID
    says_not = facts.failed or facts.person is Learned.NOT_PAID
    if after.state is State.CONFIRMED and not says_paid:
        yield "nobody says that it was paid"
    if after.state in SETTLED and says_paid and says_not and after.contradiction is None:
        yield "two things that cannot both be true are not noted"
    is_final = piece.source in (Source.LOOK_UP, Source.PERSON)
    fails = after.state is State.FAILED and before.state is not State.FAILED
    if fails and says_paid and not (is_final and piece.learned is Learned.NOT_PAID):
        yield "a word of success was overridden by less than a look-up or a person"
    if not is_final and after.state is not State.NEW and merge(after, piece, 1.0) != after:
        yield "the same delivered twice is more than once"


def step(record: Record, facts: Facts, piece: Evidence) -> tuple[Record, Facts]:
    after, learned = merge(record, piece, 1.0), facts.learn(record, piece)
    faults = [*broken(record, piece, after, learned)]
    assert not faults, (faults, record, piece, after, learned)
    return after, learned


def begun(start: Record) -> Facts:
    return Facts(may_have_left=start.doubtful)


Stands = Counter[tuple[Record, Facts]]


def orders() -> Iterator[Stands]:
    """Give where all orders of one piece, of two, ... have led, and how many orders did so."""
    stands: Stands = Counter({(start, begun(start)): 1 for start in STARTS})
    for _ in range(LONGEST):
        reached: Stands = Counter()
        for (record, facts), number in stands.items():
            for piece in PIECES:
                reached[step(record, facts, piece)] += number
        stands = reached
        yield stands


@pytest.fixture(scope="module")
def reached() -> list[Stands]:
    return [*orders()]


@pytest.mark.acceptance(52, "killed-run", 54, "held-in-doubt", 58, "contradicting-evidence")
def test_no_order_of_six_pieces_of_evidence_breaks_a_promise(reached: list[Stands]) -> None:
    for length, stands in enumerate(reached, 1):
        assert stands.total() == len(STARTS) * len(PIECES) ** length
    # So many orders, and so few ends of them.
    assert sum(stands.total() for stands in reached) > 10**8
    ends = {record.state for stands in reached for record, _ in stands}
    assert ends == set(State)


@pytest.mark.acceptance(58, "contradicting-evidence")
def test_orders_taken_one_by_one_lead_to_the_same_ends(reached: list[Stands]) -> None:
    ends: Stands = Counter()
    for start in STARTS:
        for pieces in product(PIECES, repeat=BY_THEMSELVES):
            record, facts = start, begun(start)
            for piece in pieces:
                record, facts = merge(record, piece, 1.0), facts.learn(record, piece)
            ends[record, facts] += 1
    assert ends == reached[BY_THEMSELVES - 1]


@pytest.mark.acceptance(58, "contradicting-evidence")
def test_a_look_up_or_a_person_has_the_last_word_after_every_order(reached: list[Stands]) -> None:
    for stands in reached:
        for record, _ in stands:
            name = record.dgs_reference
            for source in (Source.LOOK_UP, Source.PERSON):
                for learned, state in (
                    (Learned.PAID, State.CONFIRMED),
                    (Learned.NOT_PAID, State.FAILED),
                ):
                    piece = said(learned, source, name)
                    # Said once it may contradict what was known; said again it counts.
                    twice = merge(merge(record, piece, 1.0), piece, 1.0)
                    assert twice.state is state, (record, piece)


@pytest.mark.acceptance(58, "contradicting-evidence")
@pytest.mark.parametrize(
    ("pieces", "state", "is_contradicted"),
    [
        ([1, 5, 8], State.CONFIRMED, False),
        ([1, 6, 8, 13], State.CONFIRMED, False),
        ([1, 5, 11], State.FAILED, False),
        ([1, 7, 8], State.CONFIRMED, False),
        ([1, 8, 11], State.HELD, True),
        ([1, 5, 8, 11], State.HELD, True),
        ([8, 9], State.HELD, True),
        ([1, 10], State.HELD, True),
    ],
)
def test_the_order_in_which_answer_and_events_come_decides_nothing(
    pieces: list[int], state: State, is_contradicted: bool
) -> None:
    for order in permutations(PIECES[place] for place in pieces):
        record = STARTS[2]
        for piece in order:
            record = merge(record, piece, 1.0)
        assert (record.state, record.contradiction is not None) == (state, is_contradicted), order


def distinct(reached: Iterable[Stands]) -> list[Record]:
    return [*dict.fromkeys(record for stands in reached for record, _ in stands)]


@pytest.mark.acceptance(52, "killed-run", 54, "held-in-doubt")
def test_the_ledger_sends_nothing_else_after_any_order(
    reached: list[Stands], tmp_path: Path
) -> None:
    records = distinct(reached)
    payouts = [
        PAYOUT._replace(number=number, reference=f"r{number}", amount=number)
        for number in range(1, len(records) + 1)
    ]
    with ledger_in(tmp_path) as ledger:
        batch = ledger.load(Batch(name="b", digest="d", terms=TERMS), iter(payouts))
        ledger.start("b")
        chunk = ledger.claim(batch, 0, 1, len(records))
        assert len(ledger.take(chunk, after=0, limit=len(records))) == len(records)

        def put(connection: object) -> None:
            for number, record in enumerate(records, 1):
                connection.change(  # type: ignore[attr-defined]
                    "UPDATE dgspay_payout_states SET state = ?, attempts = ?, doubtful = ?, "
                    "dgs_reference = ?, reason = ?, contradiction = ?, settled_at = ? "
                    "WHERE id = ?",
                    (
                        [*State].index(record.state),
                        *(record.attempts, record.doubtful, record.dgs_reference),
                        *(record.reason, record.contradiction, record.settled_at),
                        row_id(batch.id, number),
                    ),
                )

        ledger._writer.run(put)
        stored = [
            attrs.evolve(found, payout=PAYOUT, sent_at=None)
            for found in ledger.page("b", limit=10**6)
        ]
        assert stored == [attrs.evolve(record, sent_at=None) for record in records]
        again = ledger.take(chunk, after=0, limit=10**6, doubtful=True)
        assert [payout.number for payout in again] == [
            number
            for number, record in enumerate(records, 1)
            if may_be_sent_again_where_keys_are_trusted(record)
        ]
        first = ledger.take(chunk, after=0, limit=10**6)
        assert [payout.number for payout in first] == [
            number for number, record in enumerate(records, 1) if may_be_sent(record)
        ]

"""Which approvals count: of what is there now, by another person, in time."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from dgspay.payouts import Approvals, Batch, Payout, Policy, Signer, Terms
from dgspay.payouts.approval.content import block_digest, content_of, rows_digest
from dgspay.payouts.approval.judgement import Purpose, approval_document, judge
from tests.support.signers import ALICE, BOB, CAROL, signer, two_eyes

pytestmark = pytest.mark.acceptance(107, "approval-broken")

NOW = 1_796_000_000.0
TERMS = Terms(environment="production", base_url="https://x", account_number="ACC")
BATCH = Batch(name="b", digest="d", terms=TERMS, count=2, total=3000, period="2026-12")
TWO_EYES = two_eyes(Policy())
ROWS = rows_digest([block_digest([Payout(1, "r1", 1000, "1"), Payout(2, "r2", 2000, "2")])])


def content(batch: Batch = BATCH, **changes: Any) -> Any:
    return content_of(batch, **{"ledger": "L", "rows": ROWS, "allowed": {}, **changes})


def judged(
    approver: Signer = BOB,
    *,
    signed: Any = None,
    preparer: Signer | None = ALICE,
    roles: tuple[str | None, str | None] = (None, None),
    policy: Policy = TWO_EYES,
    at: float = NOW,
    days: float = 7.0,
) -> Approvals:
    document = content() if signed is None else signed
    prepared = []
    if preparer is not None:
        text = approval_document(Purpose.PREPARE, content(), role=roles[0], now=NOW)
        prepared = [preparer.sign(text)]
    text = approval_document(Purpose.APPROVE, document, role=roles[1], now=NOW, days=days)
    return judge(policy, content(), prepared, [approver.sign(text)], at)


def test_one_approval_by_another_person_is_enough() -> None:
    found = judged()
    assert (found.preparer, found.approvers, found.unusable) == ("Alice", ("Bob",), ())
    assert found.are_enough
    assert judged(roles=("payroll", "boss")).are_enough


CHANGES: dict[str, Any] = {
    "name": content(attrs.evolve(BATCH, name="c")),
    "period": content(attrs.evolve(BATCH, period="2027-01")),
    "digest": content(attrs.evolve(BATCH, digest="e")),
    "count": content(attrs.evolve(BATCH, count=3)),
    "total": content(attrs.evolve(BATCH, total=3001)),
    "account": content(attrs.evolve(BATCH, terms=attrs.evolve(TERMS, account_number="B"))),
    "environment": content(attrs.evolve(BATCH, terms=attrs.evolve(TERMS, environment="sandbox"))),
    "address": content(attrs.evolve(BATCH, terms=attrs.evolve(TERMS, base_url="https://y"))),
    "keys": content(attrs.evolve(BATCH, key_seed="other")),
    "days": content(attrs.evolve(BATCH, repeat_days=0.0)),
    "ledger": content(ledger="M"),
    "rows": content(rows=rows_digest([block_digest([Payout(1, "r1", 1001, "1")])])),
    "allowed": content(allowed={1: "why"}),
}


@pytest.mark.parametrize("what", CHANGES)
def test_an_approval_of_anything_else_counts_for_nothing(what: str) -> None:
    found = judged(signed=CHANGES[what])
    assert not found.are_enough
    assert "is not what was signed" in found.unusable[0]


def test_who_prepared_it_cannot_approve_it_by_whatever_key_or_spelling() -> None:
    second = signer("ALICE ", "second")
    policy = two_eyes(Policy()).with_key(second.key)
    for approver in (ALICE, second):
        found = judged(approver, policy=policy)
        assert not found.are_enough
        assert "cannot approve it" in found.unusable[0]
    own = attrs.evolve(policy, self_approval=True)
    assert judged(ALICE, policy=own).are_enough
    assert judged(ALICE, policy=own, preparer=None).are_enough


def test_one_database_role_is_one_person() -> None:
    found = judged(roles=("payroll", "payroll"))
    assert not found.are_enough
    assert "database role that prepared" in found.unusable[0]


def test_without_a_known_preparer_no_approval_counts() -> None:
    for preparer in (None, signer("Mallory"), signer("Alice", "forged")):
        found = judged(preparer=preparer)
        assert not found.are_enough
        assert "not known who prepared" in found.unusable[-1]


@pytest.mark.parametrize(
    ("at", "reason"),
    [(NOW + 7 * 86400.0, "has expired on"), (NOW - 301.0, "in the future")],
)
def test_an_approval_out_of_its_time_counts_for_nothing(at: float, reason: str) -> None:
    found = judged(at=at, preparer=ALICE)
    assert not found.are_enough
    assert any(reason in fault for fault in found.unusable)


def test_a_foreign_or_removed_key_and_a_forged_signature_count_for_nothing() -> None:
    assert "not registered" in judged(signer("Mallory")).unusable[0]
    assert "not registered" in judged(policy=two_eyes(Policy()).without_key("Bob")).unusable[0]
    text = approval_document(Purpose.APPROVE, content(), role=None, now=NOW, days=7)
    honest = BOB.sign(text)
    prepared = [ALICE.sign(approval_document(Purpose.PREPARE, content(), role=None, now=NOW))]
    forged = attrs.evolve(CAROL.sign(text), key=BOB.key.id)
    found = judge(two_eyes(Policy()), content(), prepared, [forged], NOW)
    assert "not that of the registered key" in found.unusable[0]
    # What was signed to prepare approves nothing.
    moved = judge(two_eyes(Policy()), content(), prepared, prepared, NOW)
    assert not moved.are_enough
    assert judge(two_eyes(Policy()), content(), prepared, [honest], NOW).are_enough


def test_two_approvals_are_those_of_two_persons() -> None:
    policy = attrs.evolve(two_eyes(Policy()), approvals=2).with_key(signer("bob", "second").key)
    prepared = [ALICE.sign(approval_document(Purpose.PREPARE, content(), role=None, now=NOW))]
    text = approval_document(Purpose.APPROVE, content(), role=None, now=NOW, days=7)
    same = [BOB.sign(text), signer("bob", "second").sign(text)]
    assert not judge(policy, content(), prepared, same, NOW).are_enough
    assert judge(policy, content(), prepared, [*same, CAROL.sign(text)], NOW).are_enough

"""The ledger's statements about policy and approvals, the same for SQLite and PostgreSQL.

Whether a batch may be paid is decided in the transaction that takes its rows up: by the policy in
force, by the signatures of what is in the ledger at that moment, and by the rows themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from dgspay.payouts.approval.content import (
    BLOCK_ROWS,
    block_digest,
    block_of,
    content_of,
    rows_digest,
)
from dgspay.payouts.approval.judgement import Approvals, Purpose, judge
from dgspay.payouts.approval.policy import Policy, PolicyState, Revision, state_of
from dgspay.payouts.approval.signing import Document, Signature
from dgspay.payouts.errors import NotApprovedError
from dgspay.payouts.ledger import commit_history, guard, sql_payouts
from dgspay.payouts.ledger.commit_memory import Memory
from dgspay.payouts.ledger.sql_batches import Database
from dgspay.payouts.model.batch import Batch
from dgspay.payouts.model.payout import Payout
from dgspay.payouts.model.permissions import Permission

TABLES = (
    """
    CREATE TABLE IF NOT EXISTS dgspay_payout_policies (
        revision bigint PRIMARY KEY,
        document text NOT NULL
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS dgspay_payout_signatures (
        subject text NOT NULL,
        key text NOT NULL,
        document text NOT NULL,
        signature text NOT NULL,
        PRIMARY KEY (subject, key)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS dgspay_payout_prepared (
        batch bigint PRIMARY KEY,
        blocks text NOT NULL
    )
    """,
)
"""For SQLite and for PostgreSQL. `blocks` holds the digests of the batch's rows."""

_DAY = 24 * 3600.0
_NOTED_EVERY = 60.0
"""Seconds after which it is noted again that a batch is being paid without approval."""
_ROWS_AT_ONCE = 50 * BLOCK_ROWS


# --- the policy ---------------------------------------------------------------------------


def policy_state(database: Database, memory: Memory | None = None) -> PolicyState:
    """Return the policy in force, held against what this machine has noted of it, if asked to."""
    rows = database.query(
        "SELECT revision, document FROM dgspay_payout_policies ORDER BY revision", ()
    )
    revisions = [
        Revision(number, document, tuple(_signatures(database, _policy_subject(number))))
        for number, document in rows
    ]
    # Most ledgers have no policy, and are not asked for more.
    state = state_of(ledger_id(database), revisions) if revisions else PolicyState()
    return state if memory is None else memory.compared_policy(state)


def ledger_id(database: commit_history.Reader) -> str:
    """Return which ledger this is."""
    identity = commit_history.identity_of(database)
    return "" if identity is None else identity.id


def propose(database: Database, state: PolicyState, policy: Policy) -> None:
    """Write down a change of the policy in force, in place of one that waits for signatures."""
    number = state.revision + 1
    subject = _policy_subject(number)
    database.change("DELETE FROM dgspay_payout_signatures WHERE subject = ?", (subject,))
    database.change("DELETE FROM dgspay_payout_policies WHERE revision = ?", (number,))
    database.change(
        "INSERT INTO dgspay_payout_policies (revision, document) VALUES (?, ?)",
        (number, policy.document),
    )


def sign_proposal(database: Database, state: PolicyState, signature: Signature) -> None:
    """Write down a signature of the change that waits for some."""
    _sign(database, _policy_subject(state.revision + 1), signature)


def _policy_subject(revision: int) -> str:
    return f"policy {revision}"


# --- what is approved ---------------------------------------------------------------------


def prepare(database: Database, batch: Batch) -> None:
    """Fix the rows of a batch by their digests."""
    last, blocks = 0, []
    while last < batch.count:
        rows = _rows(database, batch, last + 1, last + _ROWS_AT_ONCE)
        if not rows:
            break
        blocks += _block_digests(rows)
        last = rows[-1].number
    database.change(
        "INSERT INTO dgspay_payout_prepared (batch, blocks) VALUES (?, ?)",
        (batch.id, " ".join(blocks)),
    )


def forget(database: Database, batch: int) -> None:
    """Remove what was prepared and signed of a batch that is removed itself."""
    database.change("DELETE FROM dgspay_payout_prepared WHERE batch = ?", (batch,))
    for purpose in Purpose:
        database.change(
            "DELETE FROM dgspay_payout_signatures WHERE subject = ?", (_subject(batch, purpose),)
        )


def _block_digests(rows: Sequence[Payout]) -> list[str]:
    """Return the digests of blocks, of which the rows begin the first."""
    return [
        block_digest(rows[first : first + BLOCK_ROWS]) for first in range(0, len(rows), BLOCK_ROWS)
    ]


def _rows(database: Database, batch: Batch, first: int, last: int) -> list[Payout]:
    return sql_payouts.read_payouts(database, batch.id, first, last)


def _blocks(database: Database, batch: Batch) -> list[str] | None:
    rows = database.query("SELECT blocks FROM dgspay_payout_prepared WHERE batch = ?", (batch.id,))
    return rows[0][0].split() if rows else None


def content(database: Database, batch: Batch) -> Document | None:
    """Return what is signed of a batch; None where it was not prepared."""
    blocks = _blocks(database, batch)
    if blocks is None:
        return None
    allowed = guard.allowances(database, batch.id)
    return content_of(batch, ledger_id(database), rows_digest(blocks), allowed)


def sign_batch(database: Database, batch: Batch, purpose: Purpose, signature: Signature) -> None:
    """Write down a person's signature of a batch; a later one takes the place of an earlier."""
    _sign(database, _subject(batch.id, purpose), signature)


def _subject(batch: int, purpose: Purpose) -> str:
    return f"{purpose} {batch}"


def _sign(database: Database, subject: str, signature: Signature) -> None:
    database.change(
        "INSERT INTO dgspay_payout_signatures (subject, key, document, signature) "
        "VALUES (?, ?, ?, ?) ON CONFLICT (subject, key) DO UPDATE SET "
        "document = excluded.document, signature = excluded.signature",
        (subject, signature.key, signature.document, signature.signature),
    )


def _signatures(database: Database, subject: str) -> list[Signature]:
    rows = database.query(
        "SELECT key, document, signature FROM dgspay_payout_signatures WHERE subject = ? "
        "ORDER BY key",
        (subject,),
    )
    return [Signature(*row) for row in rows]


def approvals(database: Database, batch: Batch, policy: Policy, now: float) -> Approvals | None:
    """Return who has approved a batch as it is now; None where it was not prepared."""
    signed = content(database, batch)
    if signed is None:
        return None
    prepared, approved = (_signatures(database, _subject(batch.id, purpose)) for purpose in Purpose)
    return judge(policy, signed, prepared, approved, now)


# --- the check ----------------------------------------------------------------------------


@attrs.frozen
class Ruling:
    """Whether a batch may be paid.

    Attributes:
        problem: Why not, or None.
        is_approved: Whether it was approved, as the policy in force asks for.
        is_within_limit: Whether it may be paid without that, for it is little.
        is_to_be_noted: Whether that must be noted before it is.
        permissions: What may repeat on purpose by the policy in force.
    """

    problem: str | None = None
    is_approved: bool = False
    is_within_limit: bool = False
    is_to_be_noted: bool = False
    permissions: tuple[Permission, ...] = ()


def rule(
    database: Database, memory: Memory, batch: Batch, now: float, *, begun: bool = False
) -> Ruling:
    """Decide whether a batch may be paid.

    Args:
        database: The ledger's connection.
        memory: What this machine has noted.
        batch: The batch.
        now: Unix time.
        begun: Whether its rows are being taken up: what is little enough was noted before.
    """
    state = policy_state(database, memory)
    if state.broken is not None:
        return Ruling(f"{state.broken}. Nothing is paid from this ledger")
    policy = state.policy
    if not policy.approvals:
        return Ruling(permissions=policy.permissions)
    found = approvals(database, batch, policy, now)
    if found is not None and found.are_enough:
        return Ruling(is_approved=True, permissions=policy.permissions)
    noted = _exempt_at(database, batch)
    spent = _spent(database, batch, now) if policy.limit else 0
    is_counted = not begun or noted is not None
    if policy.limit and is_counted and spent + batch.total <= policy.limit:
        return Ruling(
            is_within_limit=True,
            is_to_be_noted=noted is None or noted + _NOTED_EVERY < now,
            permissions=policy.permissions,
        )
    return Ruling(_problem(batch, policy, found, spent))


def _spent(database: Database, batch: Batch, now: float) -> int:
    """Return what other batches may have paid without approval within a day, in RWF."""
    ((total,),) = database.query(
        "SELECT coalesce(sum(total), 0) FROM dgspay_payout_batches WHERE exempt_at > ? AND id <> ?",
        (now - _DAY - _NOTED_EVERY, batch.id),
    )
    return int(total)


def _exempt_at(database: Database, batch: Batch) -> float | None:
    """Return when it was last noted that a batch is paid without approval, if it ever was."""
    rows = database.query("SELECT exempt_at FROM dgspay_payout_batches WHERE id = ?", (batch.id,))
    return rows[0][0] if rows else None


def _problem(batch: Batch, policy: Policy, found: Approvals | None, spent: int) -> str:
    needed = "one approval" if policy.approvals == 1 else f"{policy.approvals} approvals"
    begin = f"this ledger's policy asks for {needed}"
    if policy.limit:
        begin += (
            f" of what is more than {policy.limit:,} RWF within 24 hours, all batches together "
            f"({spent:,} RWF of other batches in the last 24)"
        )
    if found is None:
        return (
            f"{begin}, and batch {batch.name!r} was not prepared for any: give `dgspay payouts "
            "prepare` with the same file and options, then have another person give `dgspay "
            f"payouts approve {batch.name}`"
        )
    given = f"approved by {', '.join(found.approvers)}" if found.approvers else "not approved"
    why = "".join(f" ({fault})" for fault in found.unusable)
    return (
        f"{begin}, and batch {batch.name!r} is {given}{why}. Have another person give `dgspay "
        f"payouts approve {batch.name}`"
    )


def require_unchanged(database: Database, batch: Batch, taken: Sequence[Payout]) -> None:
    """Refuse to pay rows of an approved batch that are not those that were fixed.

    Raises:
        NotApprovedError: the ledger was edited since.
    """
    if not taken:
        return
    blocks = _blocks(database, batch) or []
    first, last = block_of(taken[0].number), block_of(taken[-1].number)
    rows = _rows(database, batch, first * BLOCK_ROWS + 1, (last + 1) * BLOCK_ROWS)
    if _block_digests(rows) != blocks[first : last + 1]:
        raise NotApprovedError(
            f"rows {taken[0].number} to {taken[-1].number} of batch {batch.name!r} are not those "
            "that were approved: the ledger was edited since. None of them was sent; compare them "
            "with the sheet, and find out who has changed them"
        )

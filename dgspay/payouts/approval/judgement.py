"""Which signatures of a batch count, and why the others do not."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable

import attrs

from dgspay.payouts.approval.policy import Policy
from dgspay.payouts.approval.signing import Document, Signature
from dgspay.payouts.model.spellings import reference_key

_CLOCKS_DIFFER = 300.0


class Purpose(enum.StrEnum):
    """What a signature of a batch is for."""

    PREPARE = "prepare"
    APPROVE = "approve"


@attrs.frozen(kw_only=True)
class Approvals:
    """Who has prepared and approved a batch.

    Attributes:
        preparer: Who prepared it, where that was signed.
        approvers: Who approved it, as it is now.
        unusable: Why other approvals do not count, each with its person.
        needed: How many the policy asks for.
    """

    preparer: str | None = None
    approvers: tuple[str, ...] = ()
    unusable: tuple[str, ...] = ()
    needed: int = 0

    @property
    def are_enough(self) -> bool:
        """Whether it may be paid."""
        return len(self.approvers) >= self.needed


def approval_document(
    purpose: Purpose, content: Document, *, role: str | None, now: float, days: float | None = None
) -> Document:
    """Return what a person signs of a batch.

    Args:
        purpose: What for.
        content: What `content_of` returns.
        role: The person's role in the database.
        now: Unix time.
        days: How long it counts; without end if left out.
    """
    expires = None if days is None else now + days * 24 * 3600.0
    return {**content, "purpose": purpose, "role": role, "signed_at": now, "expires_at": expires}


def judge(
    policy: Policy,
    content: Document,
    prepared: Iterable[Signature],
    approved: Iterable[Signature],
    now: float,
) -> Approvals:
    """Hold signatures against the policy, and against the batch as it is now."""
    preparer: Signature | None = None
    unusable = []
    for signature in prepared:
        fault = _fault(signature, Purpose.PREPARE, policy, content, now)
        if fault is None:
            preparer = signature
        else:
            unusable.append(f"{_person(signature)} prepared it: {fault}")
    approvers = {}
    for signature in approved:
        fault = _fault(signature, Purpose.APPROVE, policy, content, now)
        if fault is None and not policy.self_approval:
            fault = _own_work(signature, preparer)
        if fault is None:
            approvers[reference_key(_person(signature))] = _person(signature)
        else:
            unusable.append(f"{_person(signature)}: {fault}")
    return Approvals(
        preparer=None if preparer is None else _person(preparer),
        approvers=tuple(approvers.values()),
        unusable=tuple(unusable),
        needed=policy.approvals,
    )


def _person(signature: Signature) -> str:
    return str(signature.said.get("person") or "somebody")


def _fault(
    signature: Signature, purpose: Purpose, policy: Policy, content: Document, now: float
) -> str | None:
    """Return why a signature does not count, or None."""
    key = policy.key(signature.key)
    if key is None:
        return "the key is not registered in the ledger's policy"
    if not signature.is_of(key):
        return "the signature is not that of the registered key"
    said = signature.said
    if said.get("person") != key.person or said.get("purpose") != purpose:
        return "the signature is of something else"
    changed = [name for name, value in content.items() if said.get(name) != value]
    if changed:
        return f"the batch is not what was signed, for it has another {', '.join(changed)}"
    signed_at, expires_at = said.get("signed_at"), said.get("expires_at")
    if not isinstance(signed_at, int | float) or signed_at > now + _CLOCKS_DIFFER:
        return "it was signed in the future"
    if purpose is Purpose.PREPARE:
        return None
    if not isinstance(expires_at, int | float) or expires_at <= now:
        when = dt.datetime.fromtimestamp(float(expires_at or 0)).astimezone()
        return f"the approval has expired on {when:%Y-%m-%d %H:%M}"
    return None


def _own_work(signature: Signature, preparer: Signature | None) -> str | None:
    """Return why an approval is none because of who prepared the batch, or None."""
    if preparer is None:
        return "it is not known who prepared the batch: prepare it with a registered key"
    if reference_key(_person(preparer)) == reference_key(_person(signature)):
        return "who prepared the batch cannot approve it"
    role = signature.said.get("role")
    if role is not None and role == preparer.said.get("role"):
        return f"it was given by the database role that prepared the batch ({role})"
    return None

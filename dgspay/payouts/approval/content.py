"""What an approval is of: the batch to the byte, as it would be sent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence

import attrs

from dgspay.payouts.approval.signing import Document
from dgspay.payouts.model.batch import Batch
from dgspay.payouts.model.payout import Payout

BLOCK_ROWS = 100
"""Rows that have one digest together, so that a page can be compared without all the others."""


def block_of(number: int) -> int:
    """Return in which block a row is, from 0."""
    return (number - 1) // BLOCK_ROWS


def block_digest(payouts: Iterable[Payout]) -> str:
    """Return the digest of the rows of a block."""
    text = "\n".join(json.dumps(payout) for payout in payouts)
    return hashlib.sha256(f"dgspay payout rows 1\n{text}".encode()).hexdigest()


def rows_digest(blocks: Sequence[str]) -> str:
    """Return the digest of all rows, from those of their blocks."""
    return hashlib.sha256("\n".join(("dgspay payout blocks 1", *blocks)).encode()).hexdigest()


def content_of(batch: Batch, ledger: str, rows: str, allowed: Mapping[int, str]) -> Document:
    """Return what is signed of a batch.

    Args:
        batch: The batch.
        ledger: The ledger's id: an approval in one ledger is none in another.
        rows: The digest of its rows.
        allowed: Numbers of the rows that may be paid though they look paid, and why.
    """
    terms = attrs.asdict(batch.terms)
    return {
        **{f"terms.{name}": value for name, value in terms.items()},
        "ledger": ledger,
        "batch": batch.name,
        "period": batch.period,
        "digest": batch.digest,
        "rows": rows,
        "count": batch.count,
        "total": batch.total,
        "repeat_days": batch.repeat_days,
        # What the idempotency keys are made of, which stays a secret.
        "keys": _digest(batch.key_seed),
        "allowed": _digest(json.dumps(sorted(allowed.items()))),
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

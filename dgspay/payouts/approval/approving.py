"""Approval of a batch by a person who has seen it, or its sheet."""

from __future__ import annotations

from pathlib import Path

from dgspay.errors import ConfigError
from dgspay.payouts.approval.judgement import Approvals
from dgspay.payouts.approval.signing import Signer
from dgspay.payouts.errors import BatchChangedError
from dgspay.payouts.ledger import Ledger
from dgspay.payouts.model.batch import Batch
from dgspay.payouts.sheet.reader import digests_in

APPROVAL_DAYS = 7.0
"""Days for which an approval counts, if nothing else is said."""

_MOST_DAYS = 31.0


def approve(
    ledger: Ledger, batch: Batch, signer: Signer, *, days: float, source: str | Path | None
) -> Approvals:
    """Sign a batch; see `AsyncPayouts.approve`."""
    if not 0 < days <= _MOST_DAYS:
        raise ConfigError(f"an approval counts for {_MOST_DAYS:g} days at most, and for some time")
    if source is not None and batch.digest not in digests_in(Path(source)):
        raise BatchChangedError(
            f"{source} is not the sheet that batch {batch.name!r} was read from: it was "
            "changed. Nothing was approved"
        )
    return ledger.approve(batch, signer, days=days)

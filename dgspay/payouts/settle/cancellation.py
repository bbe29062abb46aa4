"""Payouts that a person cancels or pauses: not sent from then on, or told that they had left."""

from __future__ import annotations

import time
from collections.abc import Collection

import anyio

from dgspay.errors import ConfigError
from dgspay.models.characters import printable
from dgspay.payouts.errors import NotCancelledError
from dgspay.payouts.ledger import Ledger
from dgspay.payouts.model.batch import Batch
from dgspay.payouts.model.payout import Record, State
from dgspay.payouts.settle.resolution import LOOK_EVERY, is_being_run
from dgspay.payouts.status import find_row, require_batch
from dgspay.payouts.threads import in_thread

_BY_A_PERSON = "cancelled by a person"


async def cancel(
    ledger: Ledger, batch: str, reference: str, *, note: str | None, wait: float
) -> Record:
    """Cancel a payout; see `AsyncPayouts.cancel`."""
    owner = await in_thread(require_batch, ledger, batch)
    number = (await in_thread(find_row, ledger, batch, reference)).payout.number
    reason = _BY_A_PERSON if note is None else f"{_BY_A_PERSON}: {note}"
    until = time.monotonic() + wait
    while True:
        record = await in_thread(ledger.cancel, owner, number, reason)
        if record.state is State.CANCELLED:
            return record
        # One that was taken up and could not be sent comes back, and is cancelled then.
        is_waited_for = record.state is State.IN_DOUBT and time.monotonic() < until
        if not (is_waited_for and await in_thread(is_being_run, ledger, batch)):
            raise NotCancelledError(_had_left(record))
        await anyio.sleep(LOOK_EVERY)


def _had_left(record: Record) -> str:
    reference = record.payout.reference
    match record.state:
        case State.IN_DOUBT:
            return (
                f"{reference} is being sent at this moment, or the run that was about to has died: "
                "it may have left, and was not cancelled. Run the batch again, which holds it then"
            )
        case State.FAILED:
            return f"{reference} had left, and failed: there is nothing to cancel"
        case _:
            return (
                f"{reference} had left before: it is {record.state}, and was not cancelled. Only "
                "DGS-Pay, or the recipient, can give the money back"
            )


async def reinstate(ledger: Ledger, batch: str, reference: str, *, note: str | None) -> Record:
    """Take back that a payout was cancelled; see `AsyncPayouts.reinstate`."""
    owner = await in_thread(require_batch, ledger, batch)
    record = await in_thread(find_row, ledger, batch, reference)
    return await in_thread(ledger.reinstate, owner, record.payout.number, note)


async def leave_out(
    ledger: Ledger, batch: Batch, *, skip: Collection[str], only: Collection[str]
) -> None:
    """Cancel rows before a run sends any.

    Args:
        ledger: Remembers.
        batch: The batch.
        skip: References of the rows that are not to be paid.
        only: References of the only rows that are to be paid; all where it is empty.

    Raises:
        UnknownBatchError: no row has such a reference; nothing was cancelled.
        NotCancelledError: one that is to be skipped had left.
    """
    found = {
        reference: (await in_thread(find_row, ledger, batch.name, reference)).payout.number
        for reference in (*only, *skip)
    }
    if only:
        kept = [found[reference] for reference in only]
        reason = f"{_BY_A_PERSON}: only {', '.join(sorted(only))} to be paid"
        await in_thread(ledger.cancel_others, batch, kept, reason)
    for reference in skip:
        await cancel(ledger, batch.name, reference, note="to be skipped", wait=0)


def pause(ledger: Ledger, batch: str, reason: str) -> None:
    """Let nothing more of a batch be sent for now; see `AsyncPayouts.pause`."""
    ledger.pause_batch(require_batch(ledger, batch), _reason(reason))


def resume(ledger: Ledger, batch: str, reason: str | None) -> None:
    """Let a batch go on that a person has paused; see `AsyncPayouts.resume`."""
    ledger.resume_batch(require_batch(ledger, batch), reason)


def _reason(note: str) -> str:
    if not note.strip():
        raise ConfigError("say why the batch is to be paused: who runs it next is shown that")
    return printable(note.strip())


def close_batch(ledger: Ledger, batch: str, reason: str) -> int:
    """Let nothing more of a batch be sent; see `AsyncPayouts.close_batch`."""
    return ledger.close_batch(require_batch(ledger, batch), reason)

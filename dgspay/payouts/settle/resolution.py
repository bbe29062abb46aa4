"""Resolution of a payout by a person: DGS-Pay is asked first, and it can be revoked."""

from __future__ import annotations

import time
from functools import partial

import anyio

from dgspay import AsyncDGSPay, errors
from dgspay.errors import ConfigError
from dgspay.payouts.errors import BatchBusyError, NotInDoubtError
from dgspay.payouts.ledger import Ledger
from dgspay.payouts.model.batch import Terms
from dgspay.payouts.model.evidence import evidence_of_look_up
from dgspay.payouts.model.payout import UNSETTLED, Record, State
from dgspay.payouts.model.transitions import Evidence, Learned, Source, is_word_of_a_person
from dgspay.payouts.status import find_row, require_batch
from dgspay.payouts.threads import in_thread

IN_FLIGHT_SECONDS = 120.0
"""Longest time for the answer of a payout to arrive: longer than a call takes by default."""

LOOK_EVERY = 0.25
"""Seconds between two looks at a payout that is being sent."""


async def resolve(
    client: AsyncDGSPay | None,
    ledger: Ledger,
    batch: str,
    reference: str,
    *,
    paid: bool,
    note: str | None = None,
    wait: float,
) -> Record:
    """Settle a payout as a person found it to be; see `AsyncPayouts.resolve`."""
    find = partial(find_row, ledger, batch, reference)
    record = await _at_rest(ledger, batch, find, wait)
    if record.state not in UNSETTLED:
        raise NotInDoubtError(f"{reference} is {record.state}, and not in doubt")
    if record.dgs_reference is not None:
        record = await _looked_up(client, ledger, batch, record, paid=paid)
        if record.state not in UNSETTLED:
            return record
    evidence = Evidence(
        learned=Learned.PAID if paid else Learned.NOT_PAID,
        source=Source.PERSON,
        reason=None if note is None else f"a person says so: {note}",
    )
    return await _settle(ledger, batch, record, evidence)


async def withdraw(ledger: Ledger, batch: str, reference: str, *, note: str | None) -> Record:
    """Take a person's word on a payout back; see `AsyncPayouts.withdraw`."""
    record = await in_thread(find_row, ledger, batch, reference)
    if not is_word_of_a_person(record):
        raise NotInDoubtError(
            f"{reference} is {record.state}, and not by the word of a person: there is nothing to "
            "take back"
        )
    evidence = Evidence(learned=Learned.WITHDRAWN, source=Source.PERSON, reason=note)
    return await _settle(ledger, batch, record, evidence)


async def _at_rest(ledger: Ledger, batch: str, find: partial[Record], wait: float) -> Record:
    """Return a payout once it is not being sent any more: its answer may be on the way.

    Raises:
        NotInDoubtError: no worker seems to send it, or it takes too long.
    """
    until = time.monotonic() + wait
    record = await in_thread(find)
    while record.state is State.IN_DOUBT:
        is_run = await in_thread(is_being_run, ledger, batch)
        record = await in_thread(find)
        if record.state is State.IN_DOUBT and not (is_run and time.monotonic() < until):
            raise NotInDoubtError(
                f"{record.payout.reference} is being sent at this moment, or the process that "
                f"sent it has died. Run batch {batch} again first: what has died is held then, and "
                "can be settled"
            )
        if record.state is State.IN_DOUBT:
            await anyio.sleep(LOOK_EVERY)
    return record


def is_being_run(ledger: Ledger, batch: str) -> bool:
    """Return whether a process runs a batch at this moment."""
    try:
        with ledger.only_run(batch):
            return False
    except BatchBusyError:
        return True


async def _looked_up(
    client: AsyncDGSPay | None, ledger: Ledger, batch: str, record: Record, *, paid: bool
) -> Record:
    """Ask DGS-Pay about a payout before a person's word on it is taken.

    Raises:
        ConfigError: there is no client to ask with, and DGS-Pay has accepted the payout.
        NotInDoubtError: DGS-Pay says otherwise than the person, or that it is under way.
        DGSPayError: DGS-Pay cannot be asked.
    """
    reference, accepted = record.payout.reference, record.state is State.ACCEPTED
    if client is None:
        if not accepted:
            return record
        raise ConfigError(
            f"DGS-Pay has accepted {reference}, and is asked first how it ended: give the payouts "
            "a client. Nothing was noted"
        )
    owner = await in_thread(require_batch, ledger, batch)
    owner.require_payer(Terms.of(client))
    try:
        transaction = await client.transactions.retrieve(record.dgs_reference or "")
    except (errors.NotFoundError, ValueError) as error:
        if isinstance(error, errors.DGSPayError) and not isinstance(error, errors.NotFoundError):
            raise
        # Whether disbursements can be looked up is not documented: the person has to know.
        return record
    evidence = evidence_of_look_up(transaction)
    if evidence is None:
        if paid or not accepted:
            return record
        raise NotInDoubtError(
            f"DGS-Pay says that {reference} is {transaction.status.value}: it may be paid yet. "
            "Nothing was noted; wait for its webhook, or ask again later"
        )
    found = await _settle(ledger, batch, record, evidence)
    if found.state is (State.FAILED if paid else State.CONFIRMED):
        raise NotInDoubtError(
            f"DGS-Pay says that {reference} was {'not ' if paid else ''}paid, and so it is "
            f"{found.state} now. What you say was not noted"
        )
    return found


async def _settle(ledger: Ledger, batch: str, record: Record, evidence: Evidence) -> Record:
    owner = await in_thread(require_batch, ledger, batch)
    return await in_thread(ledger.settle, owner, record.payout.number, evidence)

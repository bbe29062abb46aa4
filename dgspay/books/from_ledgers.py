"""Payouts of the books, from the ledgers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from dgspay.books.movement import Doubt, Kind, Movement
from dgspay.books.sources import Found, counted
from dgspay.payouts import Batch, Ledger, Record, State
from dgspay.settings import Settings

_PAGE = 1000
_CURRENCY = "RWF"
_DEBITED = (State.CONFIRMED, State.ACCEPTED, State.FAILED)
_NOT_KNOWN = (State.HELD, State.IN_DOUBT)


def payouts_in(ledgers: Iterable[Ledger], settings: Settings) -> Found:
    """Return what was paid out from an account, by its ledgers."""
    found = Found()
    others = returned = 0
    for ledger in ledgers:
        for batch in ledger.batches():
            if not _is_of(batch, settings):
                others += 1
                continue
            for record in _records(ledger, batch):
                if record.dgs_reference is not None:
                    found.references.add(record.dgs_reference)
                if record.state in _NOT_KNOWN:
                    found.doubts.append(_doubt(record, batch))
                    continue
                moved = [*_movements(record, batch)]
                returned += len(moved) > 1
                found.movements += moved
    if others:
        verb = "is" if others == 1 else "are"
        found.notes.append(
            f"{counted(others, 'batch', 'batches')} of other accounts {verb} left out"
        )
    if returned:
        found.notes.append(
            f"{counted(returned, 'payout')} failed after DGS-Pay had taken them, and count as "
            "debited and returned, which the guide does not say"
        )
    return found


def _is_of(batch: Batch, settings: Settings) -> bool:
    terms = batch.terms
    ours = (settings.environment, settings.base_url, settings.account_number)
    return (terms.environment, terms.base_url, terms.account_number) == ours


def _records(ledger: Ledger, batch: Batch) -> Iterator[Record]:
    after, states = 0, (*_DEBITED, *_NOT_KNOWN)
    while page := ledger.page(batch.name, after=after, limit=_PAGE, states=states):
        yield from page
        after = page[-1].payout.number


def _movements(record: Record, batch: Batch) -> Iterator[Movement]:
    if record.state is State.FAILED and record.dgs_reference is None:
        # It was refused: the wallet was never debited.
        return
    payout = record.payout
    amount = Decimal(payout.amount)
    sent_at = record.sent_at or record.settled_at or batch.created_at
    is_failed = record.state is State.FAILED
    fee = None if record.fee is None else Decimal(record.fee)
    debit = Movement(
        at=sent_at,
        kind=Kind.PAYOUT,
        reference=record.dgs_reference or payout.reference,
        currency=_CURRENCY,
        wallet=amount.copy_negate(),
        fee=Decimal(0) if is_failed else fee,
        text=" ".join(filter(None, (payout.reference, payout.name))),
        group=batch.name,
    )
    yield debit
    if is_failed:
        yield Movement(
            at=record.settled_at or sent_at,
            kind=Kind.PAYOUT_RETURNED,
            reference=debit.reference,
            currency=_CURRENCY,
            wallet=amount,
            text=debit.text,
            group=batch.name,
        )


def _doubt(record: Record, batch: Batch) -> Doubt:
    payout = record.payout
    return Doubt(
        at=record.sent_at or batch.created_at,
        reference=record.dgs_reference or f"{batch.name} {payout.reference}",
        currency=_CURRENCY,
        wallet=Decimal(-payout.amount),
        reason="it is not known whether this payout was made",
    )

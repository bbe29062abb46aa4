"""Loading of rows into a ledger, or comparing them with it and with the batch they began."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

import attrs

from dgspay.payouts.errors import BatchChangedError, BatchPausedError
from dgspay.payouts.ledger import Ledger
from dgspay.payouts.model.allowances import Allowances, Allowed
from dgspay.payouts.model.batch import Batch, paused_words
from dgspay.payouts.model.changes import EarlierPay
from dgspay.payouts.model.payout import OPEN, Payout, State
from dgspay.payouts.model.permissions import PermittedRows
from dgspay.payouts.model.repeats import days_of, period_advice, words_of
from dgspay.payouts.sheet.file import file_of
from dgspay.payouts.sheet.reader import RowSource, file_digest, open_rows
from dgspay.payouts.sheet.summary import SheetSummary, summarise_rows

# Rows that are read again to see that a mapping still means what it did.
_READ_AGAIN = 1000


def load_rows(
    ledger: Ledger,
    source: RowSource,
    asked: Batch,
    mapping: Mapping[str, str] | None,
    allowances: Allowances,
    *,
    anew: bool = False,
) -> tuple[Batch, SheetSummary | None]:
    """Read rows into the ledger, or find the batch they began; then there is no summary.

    Args:
        ledger: Remembers.
        source: The rows.
        asked: The batch as it would be if it began now.
        mapping: Other headings and what they mean.
        allowances: Rows that may be paid although they look paid.
        anew: Whether to read them once more though the batch was prepared; its approvals go.

    Raises:
        RowsInvalidError, BatchChangedError, BatchPausedError, ConfigError, LedgerError: as for
            `open_job`.
    """
    name = asked.name
    known = ledger.batch(name)
    if known is not None and known.is_fixed and (known.started or not anew):
        known.require_same(_digest_of(source, mapping), asked)
        if _is_mapped(source, mapping):
            _require_same_meaning(ledger, known, source, mapping)
        if allowances:
            for payout in _payouts_of(ledger, name):
                allowances.look(payout)
            allowances.require_found()
        return known, None
    if known is not None and known.is_paused_by_a_person:
        raise BatchPausedError(paused_words(known))
    # Read but never confirmed: nothing can have been sent, so the rows are read again.
    ledger.discard(name)
    sheet = SheetSummary()
    with open_rows(source, mapping) as rows:

        def payouts() -> Iterator[Payout]:
            yield from summarise_rows(rows, sheet, allowances)
            sheet.require_good()

        loaded = ledger.load(asked, payouts(), digest=lambda: rows.digest)
    return loaded, sheet


def _payouts_of(ledger: Ledger, name: str) -> Iterator[Payout]:
    after = 0
    while page := ledger.page(name, after=after, limit=_READ_AGAIN, states=tuple(State)):
        after = page[-1].payout.number
        yield from (record.payout for record in page)


def _is_mapped(source: RowSource, mapping: Mapping[str, str] | None) -> bool:
    """Say whether anything but the sheet itself decides what is paid."""
    file = file_of(source)
    return bool(mapping) or (file is not None and bool(file.banks))


def _require_same_meaning(
    ledger: Ledger, batch: Batch, source: RowSource, mapping: Mapping[str, str] | None
) -> None:
    """Refuse a mapping by which the same sheet would pay something else.

    What is in the ledger would be paid all the same, and not what the mapping now says.
    """
    if file_of(source) is None:
        return  # what is hashed of mappings is what they mean
    known = [
        record.payout
        for record in ledger.page(batch.name, after=0, limit=_READ_AGAIN, states=tuple(State))
    ]
    with open_rows(source, mapping) as rows:
        if [row for _, row in islice(rows, _READ_AGAIN)] != known:
            raise BatchChangedError(
                f"batch {batch.name!r} began with another mapping, and is paid with that"
            )


def _digest_of(source: RowSource, mapping: Mapping[str, str] | None) -> str:
    if (file := file_of(source)) is not None:
        return file_digest(file)
    with open_rows(source, mapping) as rows:
        for _ in rows:
            pass
        return rows.digest


def check_rows(
    source: RowSource,
    mapping: Mapping[str, str] | None = None,
    *,
    allow_duplicates: Allowed = (),
    watch: Callable[[Payout], None] | None = None,
) -> SheetSummary:
    """Read all rows without a ledger, and say what they come to and what is wrong.

    Args:
        source: A CSV file, an iterable of mappings, or a frame.
        mapping: Other headings and what they mean.
        allow_duplicates: References of rows that may pay what another row pays.
        watch: Called with each good row, such as `LimitWatch(...).look`.

    Raises:
        ConfigError: the file cannot be read at all, or a row is allowed that is not there.
        TypeError: `allow_duplicates` names no rows.
    """
    sheet = SheetSummary(watch=watch)
    with open_rows(source, mapping) as rows:
        for _ in summarise_rows(rows, sheet, Allowances(allow_duplicates)):
            pass
    return sheet


@attrs.frozen
class Compared:
    """Findings of a ledger about rows that are not in it.

    Attributes:
        sheet: What they come to.
        problems: Why they must not be paid as things stand.
        earlier_pay: What their accounts got last.
        permitted: Those that repeat earlier payments by a standing permission.
        begun: The batch that they have begun, where a run would go on with it.
    """

    sheet: SheetSummary
    problems: tuple[str, ...] = ()
    earlier_pay: Sequence[EarlierPay] = ()
    permitted: Sequence[PermittedRows] = ()
    begun: Batch | None = None


def compare_rows(
    ledger: Ledger,
    source: RowSource,
    asked: Batch,
    mapping: Mapping[str, str] | None,
    allowances: Allowances,
    *,
    watch: Callable[[Payout], None] | None = None,
) -> Compared:
    """Compare rows with a ledger as `load_rows` would; nothing is kept of them.

    Arguments and errors are those of `load_rows`, but that a changed batch is a problem. `watch` is
    called with each good row.
    """
    sheet = SheetSummary(watch=watch)
    with open_rows(source, mapping) as rows:

        def payouts() -> Iterator[Payout]:
            yield from summarise_rows(rows, sheet, allowances)
            sheet.require_good()

        found = ledger.compare(asked, payouts(), allowed=allowances.numbers)
        digest = rows.digest
    asked = attrs.evolve(asked, count=sheet.count)
    now = time.time()
    known = ledger.batch(asked.name)
    if known is None or not known.started:
        problems = tuple(words_of(each, asked, now) for each in found.overlaps)
        if known is not None and known.is_paused_by_a_person:
            problems = (paused_words(known), *problems)
        return Compared(sheet, problems, found.earlier_pay, found.permitted)
    terms = attrs.evolve(asked.terms, callback_url=known.terms.callback_url)
    try:
        known.require_same(digest, attrs.evolve(asked, terms=terms))
        if _is_mapped(source, mapping):
            _require_same_meaning(ledger, known, source, mapping)
    except BatchChangedError as error:
        return Compared(sheet, (error.message,))
    again = given_again(ledger, known)
    return Compared(sheet, () if again is None else (again,), begun=known)


def given_again(ledger: Ledger, batch: Batch) -> str | None:
    """Return when a batch was sent of which nothing is left to send; None of any other."""
    counts, sent = ledger.counts(batch.name), ledger.sent_between(batch.name)
    if sent is None or counts.count(*OPEN, State.BLOCKED, State.HELD):
        return None
    return (
        f"batch {batch.name} was sent before, on {days_of(*sent)}, and nothing of it is left to "
        f"send. {period_advice(batch, time.time())}"
    )

"""The ledger's statements about payouts, the same for SQLite and PostgreSQL.

What was asked for is written once and never changed; where it stands is a narrow row of a table
of its own, which comes into being when the payout is first taken up. Both are kept under one
number, made of the batch's and the payout's own, so that a million are read and written in order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple

from dgspay.payouts.ledger import guard
from dgspay.payouts.ledger.protocol import Counts
from dgspay.payouts.ledger.recent_references import LatestNames
from dgspay.payouts.ledger.sql_batches import (
    CODES,
    ROWS_PER_BATCH,
    Database,
    Value,
    batch_numbered,
    id_of,
)
from dgspay.payouts.model.batch import Batch, Chunk
from dgspay.payouts.model.payout import UNPAID, Payout, Record, State
from dgspay.payouts.model.permissions import Permission
from dgspay.payouts.model.spellings import stored_keys
from dgspay.payouts.model.transitions import (
    TAKEN_BACK,
    Evidence,
    Learned,
    Source,
    contradicted,
    merge,
)

PAYOUT_COLUMNS = ("id", *Payout._fields[1:])
"""The first column holds batch and number; the others are the payout's own."""

KEY_COLUMNS = ("reference_key", "account_key")
"""How reference and account compare, where that is not how they are written."""

_CODE = CODES
_STATE = dict(enumerate(State))
_NEW, IN_DOUBT, ACCEPTED, _HELD, _BLOCKED, _CANCELLED = (
    _CODE[state]
    for state in (
        *(State.NEW, State.IN_DOUBT, State.ACCEPTED, State.HELD),
        *(State.BLOCKED, State.CANCELLED),
    )
)

_ROWS_PER_BATCH = ROWS_PER_BATCH
_PAYOUT = f"p.id & {_ROWS_PER_BATCH - 1}, " + ", ".join(f"p.{name}" for name in PAYOUT_COLUMNS[1:])
_STANDING = (
    f"coalesce(s.state, {_NEW}), coalesce(s.attempts, 0), coalesce(s.doubtful, 0), "
    "s.dgs_reference, s.fee, s.reason, s.contradiction, s.sent_at, s.settled_at"
)


class StandingRow(NamedTuple):
    """Where a payout stands, as `_STANDING` selects it."""

    code: int
    attempts: int
    doubtful: int
    dgs_reference: str | None
    fee: str | None
    reason: str | None
    contradiction: str | None
    sent_at: float | None
    settled_at: float | None


_ALL = "dgspay_payouts p LEFT JOIN dgspay_payout_states s ON s.id = p.id"
_TAKEN = "dgspay_payout_states s JOIN dgspay_payouts p ON p.id = s.id"

# A statement takes 999 values in old SQLites.
_NAMES_AT_ONCE = 500

KEY_SECONDS = 23 * 3600.0
"""How long after its first attempt a payout may be sent again, where keys are trusted.

No server keeps a key for ever, and most who honour keys keep them for a day; for how long DGS-Pay
does is not documented. One that it has forgotten would pay again, so what is older stays held.
"""

DIED = "its answer was lost: the process that sent it, or was about to, has died"

LearnedRow = tuple[int, int, Evidence, Chunk | None]
"""Id of the batch, number of the payout, what was learned, and the chunk it was sent in."""


def row_id(batch: int, number: int) -> int:
    """Return what a payout is kept under; number 0 stands before the batch's first."""
    return batch * _ROWS_PER_BATCH + number


def _span(chunk: Chunk) -> tuple[int, int]:
    return row_id(chunk.batch.id, chunk.first), row_id(chunk.batch.id, chunk.last)


# --- taking up ----------------------------------------------------------------------------


def take(
    database: Database,
    chunk: Chunk,
    *,
    after: int,
    limit: int,
    now: float,
    doubtful: bool,
    permissions: guard.Permissions,
) -> list[Payout]:
    """Put the next payouts in doubt, and return them; those that look paid are blocked instead.

    Args:
        database: The ledger's connection.
        chunk: Whose payouts.
        after: The number after which they come.
        limit: How many at most.
        now: Unix time.
        doubtful: Whether to take those whose last attempt got no answer instead of new ones.
        permissions: The standing permissions; it is noted which rows they were used for.
    """
    batch = chunk.batch.id
    begin, end = row_id(batch, max(after, chunk.first - 1) + 1), row_id(batch, chunk.last)
    if doubtful:
        return _take_again(
            database, chunk.batch, (begin, end), limit=limit, now=now, permissions=permissions
        )
    untouched = not database.query(_ANY_STATE_WITHIN, (begin, end))
    # The usual case: nothing is known yet of these rows.
    select, mark = (_NEXT_UNTOUCHED, _MARK_UNTOUCHED) if untouched else (_NEXT_NEW, _MARK_NEW)
    while payouts := payouts_of(database.rows(select, (begin, end, limit))):
        blocked = guard.admit(
            database,
            chunk.batch,
            payouts,
            now=now,
            untouched=untouched,
            permissions=permissions,
        )
        guard.block(database, chunk.batch, blocked)
        span = row_id(batch, payouts[0].number), row_id(batch, payouts[-1].number)
        marked = _those_marked(payouts, database.mark(mark, (now, *span)), blocked)
        if marked or not blocked:
            return marked
        begin = span[1] + 1
    return []


def _take_again(
    database: Database,
    batch: Batch,
    span: tuple[int, int],
    *,
    limit: int,
    now: float,
    permissions: guard.Permissions,
) -> list[Payout]:
    """Put payouts in doubt once more whose answer was lost, while their keys surely live."""
    begin, end = span
    young = now - KEY_SECONDS, now + KEY_SECONDS
    select = f"{_NEXT_DOUBTFUL} {database.lock_states}"
    while payouts := payouts_of(database.rows(select, (begin, end, *young, limit))):
        # Another row may have been allowed by name to be paid in their place.
        blocked = guard.admit(
            database, batch, payouts, now=now, untouched=False, permissions=permissions
        )
        page = row_id(batch.id, payouts[0].number), row_id(batch.id, payouts[-1].number)
        left_out = ", ".join(str(row_id(batch.id, number)) for number in blocked) or "0"
        marked = database.mark(f"{_MARK_DOUBTFUL} AND id NOT IN ({left_out})", (*page, *young))
        taken = _those_marked(payouts, marked, blocked)
        if taken or not blocked:
            return taken
        begin = page[1] + 1
    return []


def _those_marked(
    payouts: list[Payout], marked: list[int] | None, blocked: Collection[int]
) -> list[Payout]:
    if marked is not None:
        # An event that came between the two statements may have settled one of them.
        ours = {identity % _ROWS_PER_BATCH for identity in marked}
        return [payout for payout in payouts if payout.number in ours]
    return [payout for payout in payouts if payout.number not in blocked] if blocked else payouts


_ANY_STATE_WITHIN = "SELECT 1 FROM dgspay_payout_states WHERE id >= ? AND id <= ? LIMIT 1"
_NEXT_UNTOUCHED = (
    f"SELECT {_PAYOUT} FROM dgspay_payouts p WHERE p.id >= ? AND p.id <= ? ORDER BY p.id LIMIT ?"  # noqa: S608 - constants
)
_MARK_UNTOUCHED = (
    "INSERT INTO dgspay_payout_states (id, state, attempts, doubtful, sent_at) "  # noqa: S608 - constants
    f"SELECT p.id, {IN_DOUBT}, 1, 0, ? FROM dgspay_payouts p WHERE p.id >= ? AND p.id <= ? "
    "ON CONFLICT (id) DO NOTHING"
)
_IS_NEW = f"(s.id IS NULL OR s.state = {_NEW})"
_IS_UNSENT = f"(s.id IS NULL OR s.state IN ({_NEW}, {_BLOCKED}))"
_NEXT_NEW = (
    f"SELECT {_PAYOUT} FROM {_ALL} WHERE p.id >= ? AND p.id <= ? AND {_IS_NEW} "  # noqa: S608 - constants
    "ORDER BY p.id LIMIT ?"
)
_MARK_NEW = (
    "INSERT INTO dgspay_payout_states (id, state, attempts, doubtful, sent_at) "  # noqa: S608 - constants
    f"SELECT p.id, {IN_DOUBT}, 1, 0, ? FROM {_ALL} WHERE p.id >= ? AND p.id <= ? AND {_IS_NEW} "
    f"ON CONFLICT (id) DO UPDATE SET state = {IN_DOUBT}, "
    "attempts = dgspay_payout_states.attempts + 1, sent_at = excluded.sent_at "
    f"WHERE dgspay_payout_states.state = {_NEW}"
)
# Where anything speaks for an earlier attempt having arrived, it is not sent again.
# What it was before a person spoke of it is not known any more.
# That it was sent in the future says that a clock was set, and not how old its key is.
_IS_DOUBTFUL = (
    f"state IN ({IN_DOUBT}, {_HELD}) AND dgs_reference IS NULL AND contradiction IS NULL "
    f"AND coalesce(substr(reason, 1, {len(TAKEN_BACK)}), '') <> '{TAKEN_BACK}' "
    "AND sent_at >= ? AND sent_at <= ?"
)
_NEXT_DOUBTFUL = (
    f"SELECT {_PAYOUT} FROM {_TAKEN} WHERE s.id >= ? AND s.id <= ? AND {_IS_DOUBTFUL} "  # noqa: S608 - constants
    "ORDER BY s.id LIMIT ?"
)
_MARK_DOUBTFUL = (
    # The key is as old as its first attempt: `sent_at` stays.
    f"UPDATE dgspay_payout_states SET state = {IN_DOUBT}, attempts = attempts + 1, "  # noqa: S608 - constants
    f"doubtful = 1 WHERE id >= ? AND id <= ? AND {_IS_DOUBTFUL}"
)


def hold_doubtful(database: Database, chunk: Chunk) -> int:
    """Hold what a previous owner left in doubt; return how many."""
    return database.change(
        f"UPDATE dgspay_payout_states SET state = {_HELD}, doubtful = 1, reason = ? "  # noqa: S608 - no value is in the text
        f"WHERE id >= ? AND id <= ? AND state = {IN_DOUBT}",
        (DIED, *_span(chunk)),
    )


# --- cancelling ---------------------------------------------------------------------------


def cancel(database: Database, batch: int, first: int, last: int, reason: str) -> int:
    """Cancel what was not sent of consecutive rows; return how many it was.

    Where a worker takes one up at the same moment, the database decides which of the two it is.
    """
    return database.change(
        "INSERT INTO dgspay_payout_states (id, state, attempts, doubtful, reason) "  # noqa: S608 - constants
        f"SELECT p.id, {_CANCELLED}, 0, 0, ? FROM {_ALL} WHERE p.id >= ? AND p.id <= ? "
        f"AND {_IS_UNSENT} ON CONFLICT (id) DO UPDATE SET state = {_CANCELLED}, "
        f"reason = excluded.reason WHERE dgspay_payout_states.state IN ({_NEW}, {_BLOCKED})",
        (reason, row_id(batch, first), row_id(batch, last)),
    )


def reinstate(database: Database, batch: int, first: int, last: int) -> int:
    """Make new again what was cancelled of consecutive rows; return how many it was."""
    return database.change(
        f"UPDATE dgspay_payout_states SET state = {_NEW}, reason = NULL "  # noqa: S608 - constants
        f"WHERE id >= ? AND id <= ? AND state = {_CANCELLED}",
        (row_id(batch, first), row_id(batch, last)),
    )


# --- what is learned ----------------------------------------------------------------------


def apply(
    database: Database,
    learned: Sequence[LearnedRow],
    now: float,
    holds: Callable[[Chunk], bool],
    names: LatestNames,
) -> None:
    """Take evidence in. The usual kind, an acceptance of what is in doubt, is taken at once.

    Args:
        database: The ledger's connection.
        learned: What was learned, in order.
        now: Unix time.
        holds: Says whether a chunk is still ours.
        names: Those DGS-Pay gave lately; one that comes again is looked for in the ledger.
    """
    repeated = names.repeated(
        [
            evidence.dgs_reference
            for _, _, evidence, _ in learned
            if evidence.learned is Learned.ACCEPTED and evidence.dgs_reference is not None
        ]
    )
    accepted = [one for one in learned if one[2].is_plain_acceptance]
    if repeated:
        accepted = [one for one in accepted if one[2].dgs_reference not in repeated]
    if accepted and _accept(database, accepted) == len(learned):
        return
    # Merging the same acceptance twice changes nothing, so which ones are left need not be known.
    for batch, number, evidence, chunk in learned:
        # "It never left" is said of an attempt, and after a lost commit perhaps a second time.
        # A later owner of the chunk may have sent the payout: it must not become new again.
        late = evidence.learned is Learned.NOT_SENT and chunk is not None and not holds(chunk)
        if late:
            _never_left(database, batch, number)
        else:
            merge_into(
                database, batch, number, evidence, now, repeated=evidence.dgs_reference in repeated
            )


def _never_left(database: Database, batch: int, number: int) -> None:
    """Make a payout new again of which a worker that was taken for dead says that it never left.

    Only its first attempt: a worker that took it since may have sent it.
    """
    database.change(
        f"UPDATE dgspay_payout_states SET state = {_NEW}, doubtful = 0, reason = NULL "  # noqa: S608 - constants
        f"WHERE id = ? AND state = {_HELD} AND reason = ? AND attempts = 1 "
        "AND dgs_reference IS NULL AND contradiction IS NULL",
        (row_id(batch, number), DIED),
    )


def _accept(database: Database, learned: Sequence[LearnedRow]) -> int:
    """Accept what is in doubt, or was never heard of before; return how many it was."""
    # In columns: a tuple for each of them would keep the garbage collector busy.
    ids = [batch * _ROWS_PER_BATCH + number for batch, number, _, _ in learned]
    references = [evidence.dgs_reference for _, _, evidence, _ in learned]
    fees = [evidence.fee_text for _, _, evidence, _ in learned]
    return database.accept(ids, references, fees)


def merge_into(
    database: Database,
    batch: int,
    number: int,
    evidence: Evidence,
    now: float,
    *,
    repeated: bool = False,
) -> Record | None:
    """Take evidence in by the table of `evidence.merge`; None where there is no such payout.

    Args:
        database: The ledger's connection.
        batch: The batch's id.
        number: The payout's number in it.
        evidence: What was learned.
        now: Unix time.
        repeated: Whether DGS-Pay's name in it came before, perhaps for another payout.
    """
    identity = row_id(batch, number)
    says_how_it_ended = evidence.learned in _ENDS and evidence.source is not Source.PERSON
    if repeated or says_how_it_ended:
        # Before anything is written, for an index waits for writers.
        database.index_references()
    # There must be a row before it can be locked against a worker that takes the payout meanwhile.
    database.change(
        "INSERT INTO dgspay_payout_states (id, state, attempts, doubtful) "  # noqa: S608 - constants
        f"SELECT id, {_NEW}, 0, 0 FROM dgspay_payouts WHERE id = ? ON CONFLICT (id) DO NOTHING",
        (identity,),
    )
    before = _standing_of(database, identity)
    if before is None:
        return None
    after = merge(before, evidence, now)
    others = []
    if after.dgs_reference is not None and (repeated or (says_how_it_ended and after != before)):
        others = _others_named(database, after.dgs_reference, identity)
    if others:
        # One transfer cannot be two payouts: whichever has the reference, one of them was not paid.
        shared = f"DGS-Pay gave the name {after.dgs_reference} to more than one payout"
        after = contradicted(after, shared)
        for other in others:
            known = _standing_of(database, other)
            if known is not None and known.contradiction is None:
                _write(database, other, contradicted(known, shared))
    if after != before:
        _write(database, identity, after)
        if not before.attempts and before.state in UNPAID and after.state not in UNPAID:
            # Paid, it seems, before this ledger knew that it was sent.
            paid_by = batch_numbered(database, batch)
            if paid_by is not None:
                guard.claim_one(database, paid_by, number)
    return after


_ENDS = (Learned.PAID, Learned.NOT_PAID)


def _standing_of(database: Database, identity: int) -> Record | None:
    """Read a payout that was taken up, and keep it as it is until the commit."""
    rows = database.query(
        f"SELECT {_PAYOUT}, {_STANDING} FROM {_TAKEN} WHERE s.id = ? {database.lock_states}",  # noqa: S608 - no value is in the text
        (identity,),
    )
    return record_of(rows[0]) if rows else None


def _others_named(database: Database, dgs_reference: str, identity: int) -> list[int]:
    rows = database.query(
        "SELECT id FROM dgspay_payout_states WHERE dgs_reference = ? AND id <> ? ORDER BY id",
        (dgs_reference, identity),
    )
    return [other for (other,) in rows]


def _write(database: Database, identity: int, record: Record) -> None:
    database.change(
        "UPDATE dgspay_payout_states SET state = ?, doubtful = ?, dgs_reference = ?, fee = ?, "
        "reason = ?, contradiction = ?, settled_at = ? WHERE id = ?",
        (
            *(_CODE[record.state], int(record.doubtful), record.dgs_reference, record.fee),
            *(record.reason, record.contradiction, record.settled_at, identity),
        ),
    )


# --- reading ------------------------------------------------------------------------------


def read_page(
    database: Database, name: str, *, after: int, last: int | None, limit: int, codes: Sequence[int]
) -> list[Record]:
    """Return payouts in the order of their numbers."""
    batch = id_of(database, name)
    if batch is None:
        return []
    listed = ", ".join(map(str, codes))
    if _NEW in codes:
        source, key, wanted = _ALL, "p.id", f"coalesce(s.state, {_NEW}) IN ({listed})"
    else:
        source, key, wanted = _TAKEN, "s.id", f"s.state IN ({listed})"
    rows = database.query(
        f"SELECT {_PAYOUT}, {_STANDING} FROM {source} WHERE {key} > ? AND {key} <= ? "  # noqa: S608 - no value is in the text
        f"AND {wanted} ORDER BY {key} LIMIT ?",
        (row_id(batch, after), row_id(batch, _ROWS_PER_BATCH - 1 if last is None else last), limit),
    )
    return [record_of(row) for row in rows]


def read_payouts(database: Database, batch: int, first: int, last: int) -> list[Payout]:
    """Return what was asked for in consecutive rows, wherever they stand."""
    return payouts_of(
        database.rows(
            f"SELECT {_PAYOUT} FROM dgspay_payouts p WHERE p.id >= ? AND p.id <= ? ORDER BY p.id",  # noqa: S608 - constants
            (row_id(batch, first), row_id(batch, last)),
        )
    )


def permitted(
    database: Database,
    batch: Batch,
    allowed: Collection[int],
    given: tuple[Permission, ...],
    now: float,
) -> dict[int, tuple[str, Permission]]:
    """Return the unsent rows that standing permissions cover as things stand: reference, and which.

    Args:
        database: The ledger's connection.
        batch: The batch.
        allowed: Numbers of payouts that are allowed by name.
        given: The permissions in force.
        now: Unix time.
    """
    found: dict[int, tuple[str, Permission]] = {}
    if not given:
        return found
    begin, end = row_id(batch.id, 1), row_id(batch.id + 1, 0) - 1
    statement = (
        f"SELECT {_PAYOUT} FROM {_ALL} WHERE p.id >= ? AND p.id <= ? AND {_IS_UNSENT} "  # noqa: S608 - constants
        "ORDER BY p.id LIMIT ?"
    )
    while page := payouts_of(database.rows(statement, (begin, end, _NAMES_AT_ONCE))):
        begin = row_id(batch.id, page[-1].number) + 1
        permissions = guard.Permissions(given)
        if permissions.match(page):
            guard.judge(database, batch, page, allowed=allowed, permissions=permissions, now=now)
        references = {payout.number: payout.reference for payout in page}
        for number, permission in permissions.used.items():
            found[number] = references[number], permission
    return found


def codes_of(states: Sequence[State]) -> list[int]:
    """Return the numbers states are kept as."""
    return [_CODE[state] for state in states]


def read_numbered(database: Database, name: str, number: int) -> Record | None:
    """Return one payout by its number."""
    batch = id_of(database, name)
    if batch is None or not 0 < number < _ROWS_PER_BATCH:
        return None
    return _one(database, "p.id = ?", (row_id(batch, number),))


def read_named(database: Database, name: str, reference: str) -> Record | None:
    """Return one payout by the caller's reference."""
    batch = id_of(database, name)
    if batch is None:
        return None
    span = row_id(batch, 0), row_id(batch, _ROWS_PER_BATCH - 1)
    return _one(database, "p.id > ? AND p.id <= ? AND p.reference = ?", (*span, reference))


def _one(database: Database, where: str, values: Sequence[Value]) -> Record | None:
    rows = database.query(
        f"SELECT {_PAYOUT}, {_STANDING} FROM {_ALL} WHERE {where}",  # noqa: S608 - no value is in the text
        values,
    )
    return record_of(rows[0]) if rows else None


def read_owners(database: Database, dgs_references: Sequence[str]) -> dict[str, tuple[str, int]]:
    """Return batch and number of each payout that DGS-Pay calls by one of these names."""
    # Made when it is first asked for: a run without such questions need not keep it up to date.
    database.index_references()
    found = {}
    for first in range(0, len(dgs_references), _NAMES_AT_ONCE):
        names = dgs_references[first : first + _NAMES_AT_ONCE]
        rows = database.query(
            f"SELECT s.dgs_reference, b.name, s.id & {_ROWS_PER_BATCH - 1} "  # noqa: S608 - constants
            "FROM dgspay_payout_states s "
            f"JOIN dgspay_payout_batches b ON b.id = s.id / {_ROWS_PER_BATCH} "
            f"WHERE s.dgs_reference IN ({', '.join('?' * len(names))})",
            names,
        )
        found.update({name: (batch, number) for name, batch, number in rows})
    return found


def read_counts(database: Database, name: str) -> Counts:
    """Count the payouts of a batch by state."""
    batch = id_of(database, name)
    if batch is None:
        return Counts({})
    rows = database.query(
        f"SELECT coalesce(s.state, {_NEW}), count(*), sum(p.amount) FROM {_ALL} "  # noqa: S608 - constants
        "WHERE p.id > ? AND p.id <= ? GROUP BY 1",
        (row_id(batch, 0), row_id(batch, _ROWS_PER_BATCH - 1)),
    )
    return Counts({_STATE[code]: (count, int(amount)) for code, count, amount in rows})


class Tally(NamedTuple):
    """How all payouts of a ledger stand.

    Attributes:
        counts: How many are in each state.
        oldest: Unix time at which the oldest payout of a state was sent, where one was.
        paused: Batches that were paused, and not closed.
    """

    counts: dict[State, int]
    oldest: dict[State, float]
    paused: int


def read_tally(database: Database) -> Tally:
    """Count the payouts of all batches by state; no payout itself is read, only the states."""
    rows = database.query(
        "SELECT state, count(*), min(sent_at) FROM dgspay_payout_states GROUP BY state", ()
    )
    ((loaded, paused),) = database.query(
        "SELECT coalesce(sum(count), 0), "
        "coalesce(sum(CASE WHEN paused IS NOT NULL AND closed IS NULL THEN 1 ELSE 0 END), 0) "
        "FROM dgspay_payout_batches",
        (),
    )
    counts = {_STATE[code]: int(count) for code, count, _ in rows}
    # A payout that was never taken up has no state of its own.
    untouched = int(loaded) - sum(counts.values())
    counts[State.NEW] = counts.get(State.NEW, 0) + untouched
    oldest = {_STATE[code]: float(sent_at) for code, _, sent_at in rows if sent_at is not None}
    return Tally(counts, oldest, int(paused))


def read_times(database: Database, name: str) -> tuple[float, float] | None:
    """Return when the first and the last payout of a batch was sent; None where none was."""
    batch = id_of(database, name)
    if batch is None:
        return None
    ((first, last),) = database.query(
        "SELECT min(sent_at), max(sent_at) FROM dgspay_payout_states WHERE id > ? AND id <= ?",
        (row_id(batch, 0), row_id(batch, _ROWS_PER_BATCH - 1)),
    )
    return None if first is None else (first, last)


def delete_payouts(database: Database, batch: int) -> None:
    """Remove all of a batch."""
    span = row_id(batch, 0), row_id(batch, _ROWS_PER_BATCH - 1)
    for table in ("dgspay_payout_states", "dgspay_payout_allowances", "dgspay_payouts"):
        database.change(f"DELETE FROM {table} WHERE id > ? AND id <= ?", span)  # noqa: S608 - constants


def payouts_of(rows: Iterable[tuple[Any, ...]]) -> list[Payout]:
    """Read payouts."""
    return [*map(Payout._make, rows)]


def record_of(row: tuple[Any, ...]) -> Record:
    """Read a payout and where it stands."""
    standing = StandingRow._make(row[len(PAYOUT_COLUMNS) :])
    return Record(
        payout=Payout._make(row[: len(PAYOUT_COLUMNS)]),
        state=_STATE[standing.code],
        attempts=standing.attempts,
        doubtful=bool(standing.doubtful),
        dgs_reference=standing.dgs_reference,
        fee=standing.fee,
        reason=standing.reason,
        contradiction=standing.contradiction,
        sent_at=standing.sent_at,
        settled_at=standing.settled_at,
    )


def values_of(batch: Batch, payout: Payout) -> tuple[Any, ...]:
    """Return a new payout as the values of `PAYOUT_COLUMNS` and `KEY_COLUMNS`."""
    return (row_id(batch.id, payout.number), *payout[1:], *stored_keys(payout))

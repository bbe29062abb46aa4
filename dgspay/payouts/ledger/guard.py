"""Guard against paying twice by hand: what was sent decides, in the transaction that takes rows.

A row claims its reference, within its period, and its payment: who gets how much. The first who
claims something has a row of `dgspay_payout_claims` for it, unique by its key, so that the
database decides between two machines; a later claim on the same key is noted in
`dgspay_payout_shared_claims`, once nothing speaks against it. Claims are never taken back: whether
one counts follows from where its payout stands when another row asks for the same. A payout that
certainly left nothing behind, or that DGS-Pay refused, does not block others. One of which anything
ever said that it was paid is in the way, whatever was settled about it afterwards: it is paid again
only where a person allows that by name, or where it is a day's wage like that of the day before
and a standing permission covers both.

Usually no earlier claim exists for a page of rows; that is seen by the number of claims made,
without a look at any row.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import attrs

from dgspay.payouts.ledger.sql_batches import CODES, NEW, ROWS_PER_BATCH, Database, Value
from dgspay.payouts.model.batch import Batch
from dgspay.payouts.model.changes import MOST_ROWS, EarlierPay
from dgspay.payouts.model.days import day_began, day_in_kigali
from dgspay.payouts.model.payout import UNPAID, Payout, State
from dgspay.payouts.model.permissions import Permission
from dgspay.payouts.model.repeats import Kind, Overlap, Rival
from dgspay.payouts.model.spellings import account_key, reference_key

_DAY = 24 * 3600.0
_NAMED = 10
"""References that an overlap names."""

BLOCKED = CODES[State.BLOCKED]
_STATES = dict(enumerate(State))
_UNPAID = ", ".join(str(CODES[state]) for state in UNPAID)

# What is stored beside a reference or an account is how it compares, where that differs.
_KEYS = {
    Kind.REFERENCE: "coalesce(p.reference_key, p.reference)",
    Kind.PAYMENT: "coalesce(p.account_key, p.account) || ' ' || p.amount",
}
# SQLite keeps the order of a CROSS JOIN: claims are looked up for rows, of which there are few, and
# not rows for claims, of which there may be millions. To PostgreSQL it is a join like any other.
_WITHIN = "p.id >= ? AND p.id <= ?"
_IS_UNSENT = (
    "NOT EXISTS (SELECT 1 FROM dgspay_payout_states own WHERE own.id = p.id "  # noqa: S608 - constants
    f"AND own.state NOT IN ({NEW}, {BLOCKED}))"
)
# In one order, so that two who claim the same wait for each other and not in a circle.
_CLAIM = {
    kind: "INSERT INTO dgspay_payout_claims (scope, key, id) "  # noqa: S608 - constants
    f"SELECT ?, {key}, p.id FROM dgspay_payouts p WHERE {_WITHIN} "
    "ORDER BY 2 ON CONFLICT (scope, key) DO NOTHING"
    for kind, key in _KEYS.items()
}
_LOCK = {
    kind: "SELECT c.id FROM dgspay_payouts p CROSS JOIN dgspay_payout_claims c "  # noqa: S608 - constants
    f"WHERE c.scope = ? AND c.key = {key} AND {_WITHIN} ORDER BY c.key"
    for kind, key in _KEYS.items()
}
_SHARE = {
    kind: "INSERT INTO dgspay_payout_shared_claims (scope, key, id) "  # noqa: S608 - constants
    "SELECT c.scope, c.key, p.id FROM dgspay_payouts p CROSS JOIN dgspay_payout_claims c "
    f"WHERE c.scope = ? AND c.key = {key} AND {_WITHIN} AND c.id <> p.id "
    "ON CONFLICT (scope, key, id) DO NOTHING"
    for kind, key in _KEYS.items()
}
_TABLES = ("dgspay_payout_claims", "dgspay_payout_shared_claims")
_SENT_AT = "coalesce(s.sent_at, s.settled_at, b.created_at)"


_MAY_BE_PAID = f"(s.state NOT IN ({_UNPAID}) OR s.contradiction IS NOT NULL)"


@attrs.define
class Permissions:
    """Standing permissions, and what they were used for.

    Attributes:
        given: Those in force.
        used: The numbers of the rows that would have been blocked without one, and by which they
            were not.
    """

    given: tuple[Permission, ...] = ()
    used: dict[int, Permission] = attrs.field(factory=dict)

    def match(self, payouts: Iterable[Payout]) -> bool:
        """Say whether any row has a reference of the kind that one of them is about."""
        return bool(self.given) and any(map(self.about, payouts))

    def about(self, payout: Payout) -> list[Permission]:
        """Return those that are about a row by its reference."""
        return [one for one in self.given if one.date_of(payout.reference) is not None]


def _rivals_of(kind: Kind, table: str) -> str:
    """Return what rows `p` are held against: who claimed the same and may have been paid."""
    return (
        f"dgspay_payouts p CROSS JOIN {table} c "
        "JOIN dgspay_payouts o ON o.id = c.id JOIN dgspay_payout_states s ON s.id = c.id "
        f"JOIN dgspay_payout_batches b ON b.id = c.id / {ROWS_PER_BATCH} "
        f"WHERE c.scope = ? AND c.key = {_KEYS[kind]} AND {_WITHIN} AND c.id <> p.id "
        f"AND {_MAY_BE_PAID} AND {_SENT_AT} > ?"
    )


def scope_of(batch: Batch, kind: Kind) -> int:
    """Return within what a claim of a batch must be the only one.

    That is the environment, and for references the period: whoever has two merchant accounts pays
    the same people from both.
    """
    names = [kind.value, batch.terms.environment]
    if kind is Kind.REFERENCE:
        names.append(batch.period or "")
    # 47 bits, which SQLite keeps in six bytes.
    return int.from_bytes(hashlib.sha256("\n".join(names).encode()).digest()[:6]) >> 1


def admit(
    database: Database,
    batch: Batch,
    payouts: Sequence[Payout],
    *,
    now: float,
    untouched: bool,
    permissions: Permissions,
) -> Mapping[int, str]:
    """Claim what payouts claim; return the numbers of those that must not be sent, and why.

    Args:
        database: The ledger's connection.
        batch: Their batch.
        payouts: Consecutive ones that are to be sent.
        now: Unix time.
        untouched: Whether nothing is known of any of them yet.
        permissions: The standing permissions; it is noted which rows they were used for.
    """
    span = _span(batch, payouts)
    claimed = sum(database.change(_CLAIM[kind], (scope_of(batch, kind), *span)) for kind in Kind)
    if untouched and claimed == len(Kind) * len(payouts):
        return {}
    if database.lock_claims:
        for kind in Kind:
            database.query(f"{_LOCK[kind]} {database.lock_claims}", (scope_of(batch, kind), *span))
    if permissions.match(payouts):
        # What an account gets in a day is counted over rows that claim nothing together.
        database.lock_limits()
    allowed = allowances(database, batch.id)
    blocked = judge(database, batch, payouts, allowed=allowed, permissions=permissions, now=now)
    for kind in Kind:
        database.change(_SHARE[kind], (scope_of(batch, kind), *span))
    return blocked


def claim_one(database: Database, batch: Batch, number: int) -> None:
    """Claim what a payout claims of which it was learned, before it was sent, that it was paid."""
    span = batch.id * ROWS_PER_BATCH + number, batch.id * ROWS_PER_BATCH + number
    for kind in Kind:
        for statement in (_CLAIM[kind], _SHARE[kind]):
            database.change(statement, (scope_of(batch, kind), *span))


def claim_taken(database: Database, batch: Batch) -> None:
    """Claim what all payouts of a batch claim of which anything is known."""
    span = _all_of(batch)
    known = "WHERE EXISTS (SELECT 1 FROM dgspay_payout_states s WHERE s.id = p.id) AND "
    for kind in Kind:
        for statement in (_CLAIM[kind], _SHARE[kind]):
            database.change(statement.replace("WHERE ", known, 1), (scope_of(batch, kind), *span))


def block(database: Database, batch: Batch, blocked: Mapping[int, str]) -> None:
    """Write down which payouts are not sent, and why."""
    for number, reason in blocked.items():
        database.change(
            "INSERT INTO dgspay_payout_states (id, state, attempts, doubtful, reason) "  # noqa: S608 - constants
            f"VALUES (?, {BLOCKED}, 0, 0, ?) ON CONFLICT (id) DO UPDATE SET state = {BLOCKED}, "
            f"reason = excluded.reason WHERE dgspay_payout_states.state = {NEW}",
            (batch.id * ROWS_PER_BATCH + number, reason),
        )


def unblock(database: Database, batch: int) -> None:
    """Have the payouts that were blocked judged once more."""
    database.change(
        f"UPDATE dgspay_payout_states SET state = {NEW}, reason = NULL "  # noqa: S608 - constants
        f"WHERE id > ? AND id < ? AND state = {BLOCKED}",
        (batch * ROWS_PER_BATCH, (batch + 1) * ROWS_PER_BATCH),
    )


def allow(database: Database, batch: int, reasons: Mapping[int, str], now: float) -> None:
    """Note that payouts, by their numbers, may be sent though they look paid, and why."""
    for number, reason in reasons.items():
        database.change(
            "INSERT INTO dgspay_payout_allowances (id, reason, noted_at) VALUES (?, ?, ?) "
            "ON CONFLICT (id) DO NOTHING",
            (batch * ROWS_PER_BATCH + number, reason, now),
        )


def allowances(database: Database, batch: int) -> dict[int, str]:
    """Return the numbers of the payouts that were allowed by name, and why they were."""
    rows = database.query(
        "SELECT id, reason FROM dgspay_payout_allowances WHERE id > ? AND id < ?",
        (batch * ROWS_PER_BATCH, (batch + 1) * ROWS_PER_BATCH),
    )
    return {identity % ROWS_PER_BATCH: reason for identity, reason in rows}


def overlaps(
    database: Database, batch: Batch, allowed: Collection[int], now: float
) -> list[Overlap]:
    """Say what other batches have paid, or may have paid, of what is still to be sent of this one.

    Args:
        database: The ledger's connection.
        batch: The batch.
        allowed: Numbers of payouts that may be sent for all that.
        now: Unix time.
    """
    found: list[Overlap] = []
    for kind, source, values in sources_of(batch, allowed, now):
        found.extend(_overlaps_in(database, kind, source, values))
    return sorted(found, key=lambda overlap: (overlap.kind is Kind.PAYMENT, overlap.first_sent))


def left_out(
    database: Database, batch: Batch, allowed: Collection[int], now: float
) -> tuple[int, int]:
    """Count the payouts that `overlaps` is about, and add them up in RWF; see there."""
    sources = [*sources_of(batch, allowed, now)]
    union = " UNION ".join(f"SELECT p.id FROM {source}" for _, source, _ in sources)  # noqa: S608 - no value is in the text
    ((count, amount),) = database.query(
        f"SELECT count(*), coalesce(sum(amount), 0) FROM dgspay_payouts WHERE id IN ({union})",  # noqa: S608 - no value is in the text
        [value for _, _, values in sources for value in values],
    )
    return count, int(amount)


def earlier_pay(database: Database, batch: Batch) -> list[EarlierPay]:
    """Return what the accounts of a batch that are still to be paid got last from other batches."""
    rows = database.query(
        f"SELECT p.id, p.reference, p.name, p.amount FROM dgspay_payouts p WHERE {_WITHIN} "  # noqa: S608 - constants
        f"AND {_IS_UNSENT} ORDER BY p.id LIMIT {MOST_ROWS + 1}",
        _all_of(batch),
    )
    if len(rows) > MOST_ROWS:
        return []
    account = f"(coalesce(p.account_key, p.account) || ' ') {database.by_bytes}"
    after = f"(coalesce(p.account_key, p.account) || '!') {database.by_bytes}"
    paid: dict[int, tuple[int, str, float]] = {}
    for table in _TABLES:
        found = database.query(
            f"SELECT p.id, o.amount, b.name, {_SENT_AT} FROM dgspay_payouts p "  # noqa: S608 - constants
            f"CROSS JOIN {table} c JOIN dgspay_payouts o ON o.id = c.id "
            "JOIN dgspay_payout_states s ON s.id = c.id "
            f"JOIN dgspay_payout_batches b ON b.id = c.id / {ROWS_PER_BATCH} "
            f"WHERE c.scope = ? AND c.key >= {account} AND c.key < {after} AND {_WITHIN} "
            f"AND NOT (c.id >= ? AND c.id <= ?) AND s.state NOT IN ({_UNPAID}) AND {_IS_UNSENT}",
            (scope_of(batch, Kind.PAYMENT), *_all_of(batch), *_all_of(batch)),
        )
        for identity, amount, name, sent_at in found:
            if identity not in paid or paid[identity][2] < sent_at:
                paid[identity] = amount, name, sent_at
    return [
        EarlierPay(reference, name, amount, *paid[identity])
        if identity in paid
        else EarlierPay(reference, name, amount)
        for identity, reference, name, amount in rows
    ]


def sources_of(
    batch: Batch, allowed: Collection[int], now: float
) -> Iterator[tuple[Kind, str, list[str | float]]]:
    """Give what rows of a batch that are still to be sent share with others, and its values."""
    for kind in Kind:
        values: list[str | float] = [
            scope_of(batch, kind),
            *_all_of(batch),
            _since(batch, kind, now),
        ]
        values += _all_of(batch)
        if kind is Kind.PAYMENT:
            values.append(batch.period or "")
        for table in _TABLES:
            yield kind, _source_of(kind, table, batch, allowed), values


def _source_of(kind: Kind, table: str, batch: Batch, allowed: Collection[int]) -> str:
    excused = ", ".join(str(batch.id * ROWS_PER_BATCH + number) for number in allowed) or "0"
    ours = _KEYS[Kind.REFERENCE]
    same = f"{ours} = {ours.replace('p.', 'o.')}"
    source = (
        f"{_rivals_of(kind, table)} AND NOT (c.id >= ? AND c.id <= ?) "
        f"AND {_IS_UNSENT} AND p.id NOT IN ({excused}) "
        "AND (p.pay_again IS NULL OR lower(trim(p.pay_again)) = lower(trim(o.pay_again)))"
    )
    if kind is Kind.REFERENCE:
        return source
    # Reported already, where the reference is the same too.
    return f"{source} AND NOT ({same} AND coalesce(b.period, '') = ?)"


def _overlaps_in(
    database: Database, kind: Kind, source: str, values: Sequence[Value]
) -> Iterator[Overlap]:
    groups = database.query(
        f"SELECT b.name, b.period, count(*), min({_SENT_AT}), max({_SENT_AT}) "  # noqa: S608 - no value is in the text
        f"FROM {source} GROUP BY b.name, b.period",
        values,
    )
    for name, period, count, first_sent, last_sent in groups:
        some = database.query(
            f"SELECT p.reference FROM {source} AND b.name = ? ORDER BY p.id LIMIT {_NAMED}",  # noqa: S608 - no value is in the text
            (*values, name),
        )
        yield Overlap(
            kind=kind,
            batch=name,
            period=period,
            count=count,
            first_sent=first_sent,
            last_sent=last_sent,
            references=tuple(dict.fromkeys(reference for (reference,) in some)),
        )


def judge(
    database: Database,
    batch: Batch,
    payouts: Sequence[Payout],
    *,
    allowed: Collection[int],
    permissions: Permissions,
    now: float,
) -> dict[int, str]:
    """Hold payouts, in their order, against who claimed the same, and against one another.

    Args:
        database: The ledger's connection.
        batch: Their batch.
        payouts: Consecutive ones.
        allowed: Numbers of those that were allowed by name.
        permissions: The standing permissions; it is noted which rows they were used for.
        now: Unix time.

    Returns:
        The numbers of those that must not be sent, and why.
    """
    rivals: defaultdict[int, list[Rival]] = defaultdict(list)
    for number, rival in _rivals(database, batch, payouts, now):
        rivals[number].append(rival)
    paid_today: defaultdict[str, list[int]] = defaultdict(list)
    if permissions.match(payouts):
        paid_today = _paid_today(database, batch, payouts, now)
    sent: defaultdict[tuple[Kind, str], list[Rival]] = defaultdict(list)
    blocked: dict[int, str] = {}
    for payout in payouts:
        account = account_key(payout)
        keys = [
            (Kind.REFERENCE, reference_key(payout.reference)),
            (Kind.PAYMENT, f"{account} {payout.amount}"),
        ]
        others = [*rivals[payout.number], *(rival for key in keys for rival in sent[key])]
        if payout.number not in allowed:
            in_the_way = [*_those_in_the_way(batch, payout, others, allowed)]
            reason = _reason_to_block(
                batch, payout, in_the_way, permissions, today=paid_today[account], now=now
            )
            if reason is not None:
                blocked[payout.number] = reason
                continue
        paid_today[account].append(payout.amount)
        for kind, key in keys:
            sent[kind, key].append(
                Rival(
                    id=batch.id * ROWS_PER_BATCH + payout.number,
                    kind=kind,
                    batch=batch.name,
                    reference=payout.reference,
                    amount=payout.amount,
                    state=State.IN_DOUBT,
                    sent_at=now,
                    pay_again=payout.pay_again,
                )
            )
    return blocked


def _reason_to_block(
    batch: Batch,
    payout: Payout,
    in_the_way: Sequence[Rival],
    permissions: Permissions,
    *,
    today: Sequence[int],
    now: float,
) -> str | None:
    """Return why a row is not sent, or None; where a permission is why it is, that is noted."""
    if not in_the_way:
        return None
    reason = str(in_the_way[0])
    for other in in_the_way:
        # Neither a reference that was used, nor a row of the same sheet, is another day's wage.
        if other.kind is Kind.REFERENCE or other.id // ROWS_PER_BATCH == batch.id:
            return str(other)
    for permission in permissions.about(payout):
        objection = permission.objection(
            payout.reference,
            payout.amount,
            others=[other.reference for other in in_the_way],
            today=today,
            day=day_in_kigali(now),
        )
        if objection is None:
            permissions.used[payout.number] = permission
            return None
        reason += f". The standing permission {permission.pattern} does not cover it: {objection}"
    return reason


def _paid_today(
    database: Database, batch: Batch, payouts: Sequence[Payout], now: float
) -> defaultdict[str, list[int]]:
    """Return what the accounts of payouts got this day in Kigali, or may have got, by any row."""
    account = f"(coalesce(p.account_key, p.account) || ' ') {database.by_bytes}"
    after = f"(coalesce(p.account_key, p.account) || '!') {database.by_bytes}"
    found: dict[str, dict[int, int]] = defaultdict(dict)
    for table in _TABLES:
        # A clock that was set back since has sent what counts in what is to come.
        rows = database.query(
            "SELECT coalesce(p.account_key, p.account), c.id, o.amount "  # noqa: S608 - constants
            f"FROM dgspay_payouts p CROSS JOIN {table} c JOIN dgspay_payouts o ON o.id = c.id "
            "JOIN dgspay_payout_states s ON s.id = c.id "
            f"JOIN dgspay_payout_batches b ON b.id = c.id / {ROWS_PER_BATCH} "
            f"WHERE c.scope = ? AND c.key >= {account} AND c.key < {after} AND {_WITHIN} "
            f"AND c.id <> p.id AND {_MAY_BE_PAID} AND {_SENT_AT} >= ?",
            (scope_of(batch, Kind.PAYMENT), *_span(batch, payouts), day_began(now)),
        )
        for key, identity, amount in rows:
            found[key][identity] = amount
    return defaultdict(list, {key: [*amounts.values()] for key, amounts in found.items()})


def _those_in_the_way(
    batch: Batch, payout: Payout, others: Iterable[Rival], allowed: Collection[int]
) -> Iterator[Rival]:
    for other in others:
        is_of_batch = other.id // ROWS_PER_BATCH == batch.id
        if is_of_batch and other.kind is Kind.PAYMENT:
            # Of rows of one sheet that look alike, all but one are to be allowed, whichever.
            if other.id % ROWS_PER_BATCH in allowed or other.pay_again or payout.pay_again:
                continue
        elif payout.pay_again is not None and not (
            # A reason allows to pay once more, and not whenever the sheet is given again, though
            # it was typed again, and the row has another reference.
            other.pay_again is not None
            and reference_key(other.pay_again) == reference_key(payout.pay_again)
        ):
            continue
        yield other


class _RivalRow(NamedTuple):
    """A row of the ledger that looks like one of ours, in the order in which it is selected."""

    own_id: int
    id: int
    batch: str
    reference: str
    amount: int
    code: int
    sent_at: float
    pay_again: str | None
    contradiction: str | None


def _rivals(
    database: Database, batch: Batch, payouts: Sequence[Payout], now: float
) -> Iterator[tuple[int, Rival]]:
    for kind in Kind:
        for table in _TABLES:
            rows = database.query(
                f"SELECT p.id, c.id, b.name, o.reference, o.amount, s.state, {_SENT_AT}, "  # noqa: S608 - no value is in the text
                f"o.pay_again, s.contradiction FROM {_rivals_of(kind, table)}",
                (scope_of(batch, kind), *_span(batch, payouts), _since(batch, kind, now)),
            )
            for row in map(_RivalRow._make, rows):
                yield (
                    row.own_id % ROWS_PER_BATCH,
                    Rival(
                        id=row.id,
                        kind=kind,
                        batch=row.batch,
                        reference=row.reference,
                        amount=row.amount,
                        state=_STATES[row.code],
                        sent_at=row.sent_at,
                        pay_again=row.pay_again,
                        contradiction=row.contradiction,
                    ),
                )


def _since(batch: Batch, kind: Kind, now: float) -> float:
    """Return the Unix time since when what was sent counts."""
    # Of a reference, whatever was sent within its period.
    return now - batch.repeat_days * _DAY if kind is Kind.PAYMENT else float("-inf")


def _all_of(batch: Batch) -> tuple[int, int]:
    return batch.id * ROWS_PER_BATCH, (batch.id + 1) * ROWS_PER_BATCH - 1


def _span(batch: Batch, payouts: Sequence[Payout]) -> tuple[int, int]:
    before = batch.id * ROWS_PER_BATCH
    return before + payouts[0].number, before + payouts[-1].number

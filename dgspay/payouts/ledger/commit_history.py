"""The ledger's record of its own commits, and what is held when some of them are missing.

Each process that writes is a session and counts its commits in a row of its own, so that sessions
never wait for each other. A database that went back in time lacks sessions, or commits of them,
that are noted elsewhere; so does a copy while another copy is being used.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import attrs

from dgspay.payouts.errors import PreflightError
from dgspay.payouts.ledger import guard
from dgspay.payouts.ledger.sql_batches import (
    CODES,
    NOT_PAUSED_BY_A_PERSON,
    ROWS_PER_BATCH,
    Database,
    Value,
    batch_numbered,
)
from dgspay.payouts.model.payout import State

TABLES = (
    """
    CREATE TABLE IF NOT EXISTS dgspay_payout_ledger (
        id text NOT NULL,
        made_at double precision NOT NULL,
        system text,
        timeline bigint,
        synchronous smallint NOT NULL DEFAULT 0,
        losses bigint NOT NULL DEFAULT 0,
        lost_from double precision,
        lost_until double precision,
        copy_of text,
        copied_at double precision
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS dgspay_payout_sessions (
        token text PRIMARY KEY,
        commits bigint NOT NULL,
        began double precision NOT NULL,
        latest double precision NOT NULL
    )
    """,
)
"""For SQLite and for PostgreSQL. `lost_from` to `lost_until` is a time of which payments may be
missing, until a person has compared it with DGS-Pay's records; `copy_of` is set in a backup."""

_SETTLED = ", ".join(
    str(CODES[state])
    for state in (State.ACCEPTED, State.FAILED, State.CONFIRMED, State.HELD, State.CANCELLED)
)
_HELD = CODES[State.HELD]
_TOKENS_AT_ONCE = 500


class Reader(Protocol):
    """A connection that can be asked."""

    def query(self, statement: str, values: Sequence[Value]) -> list[tuple[Any, ...]]:
        """Return the rows of a statement."""
        ...


@attrs.frozen
class Identity:
    """Which ledger this is, and of which copy.

    Attributes:
        id: Made once for each ledger; copies and standbys share it.
        system: PostgreSQL's name for the cluster it was last written in, where it is known.
        timeline: Of that cluster; another server that took over has a higher one.
        synchronous: Whether a standby had every commit before it counted as one.
        losses: How often commits were found to be missing.
        lost_from: Unix time since which payments may be missing, or None.
        lost_until: Unix time until which they may be.
        copy_of: Where the ledger was that this file is a backup of, or None.
        copied_at: Unix time of the backup.
    """

    id: str
    system: str | None = None
    timeline: int | None = None
    synchronous: bool = False
    losses: int = 0
    lost_from: float | None = None
    lost_until: float | None = None
    copy_of: str | None = None
    copied_at: float | None = None


_IDENTITY = "id, system, timeline, synchronous, losses, lost_from, lost_until, copy_of, copied_at"


def identity_of(database: Reader, *, lock: str = "") -> Identity | None:
    """Return which ledger this is; None where that was never written."""
    rows = database.query(f"SELECT {_IDENTITY} FROM dgspay_payout_ledger {lock}", ())  # noqa: S608 - constants
    if not rows:
        return None
    ledger, system, timeline, synchronous, *rest = rows[0]
    return Identity(ledger, system, timeline, bool(synchronous), *rest)


def introduce(database: Database, identity: Identity, now: float) -> None:
    """Write down which ledger this is."""
    database.change(
        "INSERT INTO dgspay_payout_ledger (id, made_at, system, timeline) VALUES (?, ?, ?, ?)",
        (identity.id, now, identity.system, identity.timeline),
    )


def missing(database: Reader, sessions: Mapping[str, int]) -> int:
    """Return how many commits that are noted elsewhere the ledger does not have."""
    tokens = [*sessions]
    found: dict[str, int] = {}
    for at in range(0, len(tokens), _TOKENS_AT_ONCE):
        some = tokens[at : at + _TOKENS_AT_ONCE]
        marks = ", ".join("?" * len(some))
        rows = database.query(
            f"SELECT token, commits FROM dgspay_payout_sessions WHERE token IN ({marks})",  # noqa: S608 - no value is in the text
            some,
        )
        found.update((token, int(commits)) for token, commits in rows)
    return sum(max(count - found.get(token, 0), 0) for token, count in sessions.items())


def latest_session(database: Reader) -> dict[str, int]:
    """Return the session that wrote last, and its commits."""
    rows = database.query(
        "SELECT token, commits FROM dgspay_payout_sessions ORDER BY latest DESC LIMIT 1", ()
    )
    return dict(rows)


def latest_commit(database: Reader) -> float:
    """Return the Unix time of the last commit that the ledger has."""
    rows = database.query(
        "SELECT coalesce(max(latest), (SELECT made_at FROM dgspay_payout_ledger)) "
        "FROM dgspay_payout_sessions",
        (),
    )
    return float(rows[0][0])


def hold_unsent(
    database: Database, reason: str, now: float, reached: Mapping[str, int] | None = None
) -> int:
    """Hold what may have been sent in commits that are missing, and pause its batches.

    Args:
        database: The ledger's connection.
        reason: Why, for each of the rows and for the pause.
        now: Unix time.
        reached: The highest number of each batch that can have been sent; all if left out.

    Returns:
        How many payouts are held now that were not before.
    """
    held = 0
    for batch, name in database.query(
        "SELECT id, name FROM dgspay_payout_batches WHERE started = 1 ORDER BY id", ()
    ):
        last = (
            ROWS_PER_BATCH - 1 if reached is None else min(reached.get(name, 0), ROWS_PER_BATCH - 1)
        )
        count = database.change(
            "INSERT INTO dgspay_payout_states (id, state, attempts, doubtful, sent_at, reason) "  # noqa: S608 - constants
            f"SELECT p.id, {_HELD}, 1, 1, ?, ? FROM dgspay_payouts p "
            "LEFT JOIN dgspay_payout_states s ON s.id = p.id WHERE p.id > ? AND p.id <= ? "
            f"AND (s.id IS NULL OR s.state NOT IN ({_SETTLED})) "
            f"ON CONFLICT (id) DO UPDATE SET state = {_HELD}, doubtful = 1, "
            "sent_at = coalesce(dgspay_payout_states.sent_at, excluded.sent_at), "
            f"reason = excluded.reason WHERE dgspay_payout_states.state NOT IN ({_SETTLED})",
            (now, reason, batch * ROWS_PER_BATCH, batch * ROWS_PER_BATCH + last),
        )
        if count > 0:
            held += count
            lost = batch_numbered(database, batch)
            if lost is not None:
                guard.claim_taken(database, lost)
            database.change(
                "UPDATE dgspay_payout_batches SET paused = ? "  # noqa: S608 - constants
                f"WHERE id = ? AND {NOT_PAUSED_BY_A_PERSON}",
                (reason, batch),
            )
    return held


def note_loss(
    database: Database, since: float, until: float, server: tuple[str | None, int | None]
) -> None:
    """Write down that payments of a time may be missing, until a person has compared them."""
    database.change(
        "UPDATE dgspay_payout_ledger SET losses = losses + 1, "
        "lost_from = coalesce(lost_from, ?), lost_until = ?, system = ?, timeline = ?",
        (since, until, *server),
    )


def note_server(database: Database, system: str | None, timeline: int | None) -> None:
    """Write down which server the ledger is written in."""
    database.change(
        "UPDATE dgspay_payout_ledger SET system = coalesce(?, system), "
        "timeline = coalesce(?, timeline)",
        (system, timeline),
    )


def note_synchronous(database: Database, *, synchronous: bool) -> None:
    """Write down whether a commit counts only once a standby has it."""
    database.change("UPDATE dgspay_payout_ledger SET synchronous = ?", (int(synchronous),))


def forget_loss(database: Database) -> None:
    """Write down that a person has compared the time of a loss with DGS-Pay's records."""
    database.change("UPDATE dgspay_payout_ledger SET lost_from = NULL, lost_until = NULL", ())


def require_no_loss(database: Database, name: str) -> None:
    """Refuse to begin a batch that may be one the ledger has lost.

    Raises:
        PreflightError: payments of a period may be missing and were not compared yet.
    """
    lost = database.query(
        "SELECT l.lost_from, l.lost_until FROM dgspay_payout_ledger l, dgspay_payout_batches b "
        "WHERE b.name = ? AND b.started = 0 AND l.lost_until IS NOT NULL",
        (name,),
    )
    if lost:
        problem = (
            f"the ledger lacks what was paid between {moment(lost[0][0])} and "
            f"{moment(lost[0][1])}, so batch {name!r} may have been paid already. Compare its "
            "rows with DGS-Pay's records of that time, then give `dgspay payouts restore "
            "--compared` with this ledger, and the command again"
        )
        raise PreflightError([problem])


def moment(unix_time: float) -> str:
    """Return a time for a person."""
    return f"{dt.datetime.fromtimestamp(unix_time).astimezone():%Y-%m-%d %H:%M:%S}"

"""Base of both ledgers: each question becomes a transaction of the one writing thread."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType, TracebackType
from typing import Generic, Protocol, Self, TypeVar

import attrs

from dgspay.errors import ConfigError
from dgspay.payouts.approval.judgement import Approvals, Purpose, approval_document
from dgspay.payouts.approval.policy import Policy, PolicyState
from dgspay.payouts.approval.signing import Signer
from dgspay.payouts.errors import (
    BatchChangedError,
    BatchClosedError,
    BatchPausedError,
    NotApprovedError,
    UnknownBatchError,
)
from dgspay.payouts.ledger import (
    commit_history,
    guard,
    sql_approvals,
    sql_audit_log,
    sql_batches,
    sql_payouts,
)
from dgspay.payouts.ledger.commit_memory import Memory
from dgspay.payouts.ledger.protocol import Comparison, Counts, FencedError, PausedError
from dgspay.payouts.ledger.recent_references import LatestNames
from dgspay.payouts.ledger.writer_thread import Connection, Writer
from dgspay.payouts.model.audit_log import (
    Action,
    AuditLine,
    Facts,
    LogFault,
    moment_text,
    this_user,
)
from dgspay.payouts.model.batch import Batch, Chunk, closed_words, paused_words
from dgspay.payouts.model.changes import EarlierPay
from dgspay.payouts.model.days import minute_in_kigali
from dgspay.payouts.model.payout import Payout, Record, State
from dgspay.payouts.model.permissions import Permission, PermittedRows, grouped
from dgspay.payouts.model.repeats import Overlap
from dgspay.payouts.model.transitions import Evidence, Learned, Source


class DatabaseConnection(Connection, sql_batches.Database, Protocol):
    """A connection of one of the two databases."""

    memory: Memory
    """What is known of the ledger's commits outside of it."""

    def require_in_place(self) -> None:
        """Refuse to go on with a ledger that could not be found again.

        Raises:
            LedgerError: it was deleted or moved away.
        """
        ...

    def now(self) -> float:
        """Return the Unix time, by the clock that all users of the database share."""
        ...

    def next_batch_id(self) -> int:
        """Return a number no batch has, nor had."""
        ...

    def bulk_load(self, batch: Batch, payouts: Iterable[Payout]) -> tuple[int, int]:
        """Insert payouts as fast as the database can; return their count and sum."""
        ...


T = TypeVar("T")
ConnectionT = TypeVar("ConnectionT", bound=DatabaseConnection)


class DatabaseLedger(Generic[ConnectionT]):
    """A ledger in a database; see `Ledger` for what each method promises."""

    _notes_every_line = False
    """Whether all who write the audit log note its lines where this process does."""

    def __init__(
        self,
        connect: Callable[[], ConnectionT],
        *,
        answer_within: float | None = None,
    ) -> None:
        self._names = LatestNames()
        self._writer: Writer[ConnectionT, sql_payouts.LearnedRow] = Writer(
            connect, self._absorb, answer_within
        )

    def _absorb(self, connection: ConnectionT, learned: list[sql_payouts.LearnedRow]) -> None:
        holds = partial(self._holds, connection)
        sql_payouts.apply(connection, learned, connection.now(), holds, self._names)

    def load(
        self,
        batch: Batch,
        payouts: Iterable[Payout],
        *,
        digest: Callable[[], str] | None = None,
    ) -> Batch:
        """Write a batch and its payouts in one transaction; an error of theirs undoes it all.

        Args:
            batch: The batch; its count, sum and time are filled in.
            payouts: Its payouts, iterated in the writing thread.
            digest: Gives the batch's digest once the payouts are through.

        Raises:
            BatchChangedError: there is a batch of this name.
            LedgerError: it cannot be written.
        """

        def work(connection: ConnectionT) -> Batch:
            if sql_batches.id_of(connection, batch.name) is not None:
                raise BatchChangedError(f"there is a batch {batch.name!r} already")
            numbered = attrs.evolve(batch, id=connection.next_batch_id())
            count, total = connection.bulk_load(numbered, payouts)
            loaded = attrs.evolve(
                numbered,
                count=count,
                total=total,
                created_at=connection.now(),
                digest=numbered.digest if digest is None else digest(),
            )
            sql_batches.insert_batch(connection, loaded)
            return loaded

        return self._writer.run(work, alone=True)

    def batch(self, name: str) -> Batch | None:
        """Return a batch."""
        found = self._writer.run(lambda connection: sql_batches.read_batches(connection, name))
        return found[0] if found else None

    def batches(self) -> list[Batch]:
        """Return all batches, oldest first."""
        return self._writer.run(sql_batches.read_batches)

    def discard(self, name: str) -> None:
        """Remove a batch that was not started."""

        def work(connection: ConnectionT) -> None:
            identity = sql_batches.delete_unstarted(connection, name)
            if identity is not None:
                sql_payouts.delete_payouts(connection, identity)
                sql_approvals.forget(connection, identity)

        self._writer.run(work)

    def start(
        self,
        name: str,
        *,
        batch_id: int | None = None,
        allowed: Mapping[int, str] = MappingProxyType({}),
    ) -> None:
        """Note that the batch was confirmed, and end its pause. What was blocked is judged anew.

        Args:
            name: Its name.
            batch_id: Which batch of that name was confirmed.
            allowed: Numbers of payouts that may be sent though they look paid, and why.

        Raises:
            BatchChangedError: there is another one of that name by now.
            PreflightError: the ledger was restored, and may lack a batch that was paid since.
            NotApprovedError: the ledger's policy asks for approvals it does not have.
            BatchClosedError: a person has closed it.
            BatchPausedError: a person has paused it.
        """

        def work(connection: ConnectionT) -> bool:
            commit_history.require_no_loss(connection, name)
            before = sql_batches.read_batches(connection, name)
            if before:
                _require_unclosed(connection, before[0])
                _require_unpaused(connection, before[0])
                self._require_approval(connection, before[0], allowed)
            if not sql_batches.mark_started(connection, name, batch_id):
                if before:
                    # Since it was looked at.
                    _require_unpaused(connection, before[0])
                return False
            (batch,) = before
            now = connection.now()
            guard.allow(connection, batch.id, allowed, now)
            guard.unblock(connection, batch.id)
            sql_audit_log.append(
                connection,
                Action.RESUME if batch.started else Action.CONFIRM,
                now,
                batch=name,
                facts={
                    **batch.facts,
                    "rows allowed by name": ", ".join(map(str, sorted(allowed))) or None,
                },
            )
            return True

        found = self._writer.run(work)
        if not found and batch_id is not None:
            raise BatchChangedError(
                f"batch {name!r} was read again by another run since you were asked: what was "
                "confirmed may not be what is in it now. This run sends nothing"
            )

    def _require_approval(
        self, connection: ConnectionT, batch: Batch, allowed: Collection[int]
    ) -> None:
        """Refuse to begin what the policy does not let be paid; note what is little enough.

        Raises:
            NotApprovedError: saying why, and what to do.
        """
        now = connection.now()
        ruling = _ruling(connection, batch, now)
        if ruling.problem is not None:
            raise NotApprovedError(ruling.problem)
        if ruling.is_approved and set(allowed) - guard.allowances(connection, batch.id).keys():
            raise NotApprovedError(
                f"batch {batch.name!r} was approved without the rows that are to be paid again by "
                "name now: pay them as another batch, or prepare it anew with --allow-duplicate"
            )
        if batch.exempt_at is not None and not ruling.is_within_limit:
            sql_batches.mark_exempt(connection, batch.id, None)

    def prepare(
        self, batch: Batch, *, allowed: Mapping[int, str], signer: Signer | None = None
    ) -> Batch:
        """Fix the rows of a batch that was not begun, and who prepares it.

        Args:
            batch: The batch.
            allowed: Numbers of payouts that may be sent though they look paid, and why.
            signer: The key of who prepares it.

        Raises:
            BatchChangedError: it has begun, or is another one by now.
            NotApprovedError: the policy asks for a registered key, and this is none.
        """

        def work(connection: ConnectionT) -> Batch:
            known = self._require_same(connection, batch)
            if known.is_fixed:
                raise BatchChangedError(f"batch {known.name!r} was prepared, or has begun, already")
            now = connection.now()
            guard.allow(connection, known.id, allowed, now)
            sql_approvals.prepare(connection, known)
            sql_batches.mark_prepared(connection, known.id, now)
            policy = sql_approvals.policy_state(connection, connection.memory).policy
            if policy.approvals and not policy.self_approval:
                _require_key(policy, signer)
            if signer is not None:
                self._sign(connection, known, Purpose.PREPARE, signer, now=now)
            sql_audit_log.append(
                connection,
                Action.PREPARE,
                now,
                batch=known.name,
                facts={**known.facts, "person": None if signer is None else signer.key.person},
            )
            return attrs.evolve(known, prepared_at=now)

        return self._writer.run(work)

    def approve(self, batch: Batch, signer: Signer, *, days: float) -> Approvals:
        """Sign a batch as it is, and return who has approved it now.

        Args:
            batch: The batch as the person has seen it.
            signer: The key of who approves it.
            days: How long the approval counts.

        Raises:
            BatchChangedError: it is another one by now.
            NotApprovedError: it was not prepared, or this approval would not count.
        """

        def work(connection: ConnectionT) -> Approvals:
            known = self._require_same(connection, batch)
            state = sql_approvals.policy_state(connection, connection.memory)
            _require_key(state.policy, signer)
            if sql_approvals.content(connection, known) is None:
                raise NotApprovedError(
                    f"batch {known.name!r} was not prepared: there is nothing to approve yet"
                )
            now = connection.now()
            self._sign(connection, known, Purpose.APPROVE, signer, now=now, days=days)
            found = sql_approvals.approvals(connection, known, state.policy, now)
            if found is None or signer.key.person not in found.approvers:
                why = "" if found is None else ": " + "; ".join(found.unusable)
                raise NotApprovedError(
                    f"this approval of batch {known.name!r} would not count{why}"
                )
            sql_audit_log.append(
                connection,
                Action.APPROVE,
                now,
                batch=known.name,
                facts={
                    **known.facts,
                    "person": signer.key.person,
                    "key": signer.key.id,
                    "until": moment_text(now + days * 24 * 3600.0),
                },
            )
            return found

        return self._writer.run(work)

    def _require_same(self, connection: ConnectionT, batch: Batch) -> Batch:
        found = sql_batches.read_batches(connection, batch.name)
        if not found or (found[0].id, found[0].digest) != (batch.id, batch.digest):
            raise BatchChangedError(f"batch {batch.name!r} was read again or removed since")
        return found[0]

    def _sign(
        self,
        connection: ConnectionT,
        batch: Batch,
        purpose: Purpose,
        signer: Signer,
        *,
        now: float,
        days: float | None = None,
    ) -> None:
        content = sql_approvals.content(connection, batch) or {}
        role = connection.lock_audit_log()
        document = approval_document(purpose, content, role=role, now=now, days=days)
        sql_approvals.sign_batch(connection, batch, purpose, signer.sign(document))

    def approvals(self, batch: Batch) -> Approvals | None:
        """Return who has approved a batch as it is now; None where it was not prepared."""

        def work(connection: ConnectionT) -> Approvals | None:
            policy = sql_approvals.policy_state(connection, connection.memory).policy
            return sql_approvals.approvals(connection, batch, policy, connection.now())

        return self._writer.run(work)

    def approval_problem(self, batch: Batch) -> str | None:
        """Return why the policy does not let a batch be paid, or None."""
        return self._writer.run(
            lambda connection: (
                sql_approvals.rule(connection, connection.memory, batch, connection.now()).problem
            )
        )

    def policy(self) -> PolicyState:
        """Return the policy in force, and a change of it that waits for signatures."""
        return self._writer.run(
            lambda connection: sql_approvals.policy_state(connection, connection.memory)
        )

    def change_policy(
        self, change: Callable[[Policy], Policy], *, signer: Signer | None = None
    ) -> PolicyState:
        """Propose a change of the policy; where none is asked for, it is in force at once.

        Args:
            change: Returns the policy as it is to be.
            signer: The key of who proposes it.

        Raises:
            ConfigError: such a policy could not be kept.
            NotApprovedError: the policy in force asks for a registered key, and this is none.
        """

        def work(connection: ConnectionT) -> None:
            # Not held against the notes: one that was lost may be set again.
            state = _unbroken(sql_approvals.policy_state(connection))
            person = this_user() if signer is None else signer.key.person
            policy = change(state.policy).given_by(person, state.policy)
            policy.require_sound()
            sql_approvals.propose(connection, state, policy)
            self._agree(connection, state, policy, signer)

        self._writer.run(work)
        return self.policy()

    def sign_policy(self, signer: Signer) -> PolicyState:
        """Sign the change of the policy that waits for signatures.

        Raises:
            NotApprovedError: there is none, or the key is not registered.
        """

        def work(connection: ConnectionT) -> None:
            state = _unbroken(sql_approvals.policy_state(connection))
            if state.pending is None:
                raise NotApprovedError("no change of the policy waits for a signature")
            self._agree(connection, state, state.pending, signer)

        self._writer.run(work)
        return self.policy()

    def _agree(
        self, connection: ConnectionT, state: PolicyState, policy: Policy, signer: Signer | None
    ) -> None:
        """Sign a change where signatures are asked for, and write it into the audit log."""
        if state.policy.quorum:
            key = _require_key(state.policy, signer)
            ledger = sql_approvals.ledger_id(connection)
            signature = key.sign(state.change_of(ledger, policy.document))
            sql_approvals.sign_proposal(connection, state, signature)
        after = sql_approvals.policy_state(connection)
        sql_audit_log.append(
            connection,
            Action.POLICY,
            connection.now(),
            facts={
                "revision": state.revision + 1,
                "in force": "yes" if after.pending is None else "not yet",
                "approvals": policy.approvals,
                "limit": policy.limit,
                "self-approval": "yes" if policy.self_approval else "no",
                "keys": ", ".join(f"{key.person} {key.id}" for key in policy.keys) or None,
                "standing permissions": "; ".join(each.words for each in policy.permissions)
                or None,
                "person": None if signer is None else signer.key.person,
            },
        )

    def overlaps(self, batch: Batch, *, allowed: Collection[int] = ()) -> list[Overlap]:
        """Say what other batches have paid, or may have paid, of what is left of this one.

        Args:
            batch: The batch.
            allowed: Numbers of payouts that may be sent for all that, beside those that the
                ledger knows to be allowed.
        """

        def work(connection: ConnectionT) -> list[Overlap]:
            excused = self._excused(connection, batch, allowed)
            return guard.overlaps(connection, batch, excused, connection.now())

        return self._writer.run(work)

    def left_out(self, batch: Batch, *, allowed: Collection[int] = ()) -> tuple[int, int]:
        """Count the payouts that `overlaps` is about, and add them up in RWF; see there."""

        def work(connection: ConnectionT) -> tuple[int, int]:
            excused = self._excused(connection, batch, allowed)
            return guard.left_out(connection, batch, excused, connection.now())

        return self._writer.run(work)

    def permitted(self, batch: Batch, *, allowed: Collection[int] = ()) -> list[PermittedRows]:
        """Return what is left of a batch that standing permissions cover; `overlaps` lacks it.

        Args:
            batch: The batch.
            allowed: As for `overlaps`.
        """

        def work(connection: ConnectionT) -> list[PermittedRows]:
            known = guard.allowances(connection, batch.id)
            return grouped(self._permitted(connection, batch, {*allowed, *known}).values())

        return self._writer.run(work)

    def _excused(self, connection: ConnectionT, batch: Batch, allowed: Collection[int]) -> set[int]:
        """Return the numbers of payouts that may be sent though they look paid."""
        named = {*allowed, *guard.allowances(connection, batch.id)}
        return {*named, *self._permitted(connection, batch, named)}

    def _permitted(
        self, connection: ConnectionT, batch: Batch, allowed: Collection[int]
    ) -> dict[int, tuple[str, Permission]]:
        state = sql_approvals.policy_state(connection, connection.memory)
        given = () if state.broken else state.policy.permissions
        return sql_payouts.permitted(connection, batch, allowed, given, connection.now())

    def compare(
        self, batch: Batch, payouts: Iterable[Payout], *, allowed: Collection[int] = ()
    ) -> Comparison:
        """Say what batches have paid, or may have paid, of payouts; nothing of them is kept.

        Args:
            batch: What they would be paid as.
            payouts: The payouts, iterated in the writing thread.
            allowed: Numbers of payouts that may be sent for all that, once all were iterated.

        Raises:
            LedgerError: the ledger cannot be read.
        """

        def work(connection: ConnectionT) -> None:
            numbered = attrs.evolve(batch, id=connection.next_batch_id())
            connection.bulk_load(numbered, payouts)
            permitted = self._permitted(connection, numbered, allowed)
            excused = {*allowed, *permitted}
            raise _Compared(
                Comparison(
                    guard.overlaps(connection, numbered, excused, connection.now()),
                    guard.earlier_pay(connection, numbered),
                    grouped(permitted.values()),
                )
            )

        try:
            self._writer.run(work, alone=True)
        except _Compared as compared:
            return compared.found
        raise AssertionError("nothing was compared")

    def earlier_pay(self, batch: Batch) -> list[EarlierPay]:
        """Return what the accounts that are still to be paid got last from other batches.

        Nothing of a batch that is too long to be compared row by row.
        """
        return self._writer.run(lambda connection: guard.earlier_pay(connection, batch))

    def sent_between(self, name: str) -> tuple[float, float] | None:
        """Return the Unix times of the first and last payout of a batch sent; None where none was.

        One that was refused counts, for it was meant to be paid then.
        """
        return self._writer.run(lambda connection: sql_payouts.read_times(connection, name))

    def pause(self, name: str, reason: str) -> None:
        """Stop the batch on all machines."""

        def work(connection: ConnectionT) -> None:
            if sql_batches.mark_paused(connection, name, reason):
                sql_audit_log.append(
                    connection, Action.PAUSE, connection.now(), batch=name, reason=reason
                )

        self._writer.run(work)

    def pause_batch(self, batch: Batch, reason: str) -> None:
        """Stop the batch on all machines until a person resumes it.

        Args:
            batch: The batch.
            reason: Why.

        Raises:
            BatchChangedError: it is another one by now.
            BatchClosedError: it is closed.
            BatchPausedError: it is paused by a person already.
        """

        def work(connection: ConnectionT) -> None:
            known = self._require_same(connection, batch)
            _require_unclosed(connection, known)
            _require_unpaused(connection, known)
            now = connection.now()
            words = f"{reason} ({this_user()}, {minute_in_kigali(now)})"
            sql_batches.mark_paused_by_a_person(connection, known.id, words)
            sql_audit_log.append(
                connection,
                Action.PAUSE,
                now,
                batch=known.name,
                reason=reason,
                facts={"by": "a person"},
            )

        self._writer.run(work)

    def resume_batch(self, batch: Batch, reason: str | None) -> None:
        """End the pause of a person; the next run goes on.

        Args:
            batch: The batch.
            reason: Why.

        Raises:
            BatchChangedError: it is another one by now.
            BatchClosedError: it is closed.
            ConfigError: no person has paused it.
        """

        def work(connection: ConnectionT) -> None:
            known = self._require_same(connection, batch)
            _require_unclosed(connection, known)
            if not known.is_paused_by_a_person:
                raise ConfigError(
                    f"no person has paused batch {known.name!r}: `dgspay payouts run` goes on with "
                    "what is left of it"
                )
            sql_batches.mark_resumed(connection, known.id)
            sql_audit_log.append(
                connection,
                Action.RESUME,
                connection.now(),
                batch=known.name,
                reason=reason,
                facts={"after": known.paused},
            )

        self._writer.run(work)

    def cancel(self, batch: Batch, number: int, reason: str) -> Record:
        """Cancel a payout unless it was sent, and return what is known of it then.

        Raises:
            UnknownBatchError: the batch has no such payout.
        """

        def work(connection: ConnectionT) -> Record | None:
            changed = sql_payouts.cancel(connection, batch.id, number, number, reason)
            record = sql_payouts.read_numbered(connection, batch.name, number)
            if changed and record is not None:
                _log_row(connection, Action.CANCEL, batch, record, reason)
            return record

        return _found(self._writer.run(work), batch, number)

    def reinstate(self, batch: Batch, number: int, reason: str | None) -> Record:
        """Take back that a payout was cancelled, and return what is known of it then.

        Raises:
            BatchClosedError: nothing more of the batch is sent.
            UnknownBatchError: the batch has no such payout.
        """

        def work(connection: ConnectionT) -> Record | None:
            _require_unclosed(connection, batch)
            changed = sql_payouts.reinstate(connection, batch.id, number, number)
            record = sql_payouts.read_numbered(connection, batch.name, number)
            if changed and record is not None:
                _log_row(connection, Action.REINSTATE, batch, record, reason)
            return record

        return _found(self._writer.run(work), batch, number)

    def cancel_others(self, batch: Batch, kept: Collection[int], reason: str) -> int:
        """Cancel what was not sent but for some payouts; return how many it was.

        Args:
            batch: The batch.
            kept: The numbers of those that stay as they are.
            reason: Why.
        """

        def work(connection: ConnectionT) -> int:
            count, first = 0, 1
            for number in (*sorted(kept), batch.count + 1):
                count += sql_payouts.cancel(connection, batch.id, first, number - 1, reason)
                first = number + 1
            if count:
                facts: Facts = {"rows": count, "all but": ", ".join(map(str, sorted(kept)))}
                sql_audit_log.append(
                    connection,
                    Action.CANCEL,
                    connection.now(),
                    batch=batch.name,
                    reason=reason,
                    facts=facts,
                )
            return count

        return self._writer.run(work)

    def close_batch(self, batch: Batch, reason: str) -> int:
        """Cancel what was not sent, and let nothing more be sent; return how many it was.

        Args:
            batch: The batch.
            reason: Why.

        Raises:
            BatchChangedError: it is another one by now.
            BatchClosedError: it is closed.
        """

        def work(connection: ConnectionT) -> int:
            self._require_same(connection, batch)
            _require_unclosed(connection, batch)
            sql_batches.mark_closed(connection, batch.id, reason)
            count = sql_payouts.cancel(connection, batch.id, 1, batch.count, reason)
            sql_audit_log.append(
                connection,
                Action.CLOSE,
                connection.now(),
                batch=batch.name,
                reason=reason,
                facts={"rows cancelled": count},
            )
            return count

        return self._writer.run(work)

    def claim(self, batch: Batch, index: int, first: int, last: int) -> Chunk:
        """Claim a chunk, and hold what its previous owner left in doubt."""

        def work(connection: ConnectionT) -> Chunk:
            chunk = Chunk(batch=batch, first=first, last=last, index=index)
            chunk = attrs.evolve(chunk, epoch=self._next_epoch(connection, chunk))
            sql_payouts.hold_doubtful(connection, chunk)
            return chunk

        return self._writer.run(work)

    def take(self, chunk: Chunk, *, after: int, limit: int, doubtful: bool = False) -> list[Payout]:
        """Put the next payouts of a chunk in doubt, on disk, and return them for sending.

        Raises:
            FencedError, PausedError, NotApprovedError: nothing may be sent.
            LedgerError: it could not be written, so nothing may be sent.
        """

        def work(
            connection: ConnectionT,
        ) -> list[Payout] | FencedError | PausedError | NotApprovedError:
            connection.require_in_place()
            if not self._holds(connection, chunk):
                return FencedError(f"chunk {chunk.index} of {chunk.batch.name}")
            obstacle = sql_batches.obstacle(connection, chunk.batch)
            if obstacle is not None:
                return PausedError(obstacle)
            now = connection.now()
            ruling = _ruling(connection, chunk.batch, now, begun=True)
            if ruling.problem is not None:
                return NotApprovedError(ruling.problem)
            permissions = guard.Permissions(ruling.permissions)
            taken = sql_payouts.take(
                connection,
                chunk,
                after=after,
                limit=limit,
                now=now,
                doubtful=doubtful,
                permissions=permissions,
            )
            if ruling.is_approved:
                sql_approvals.require_unchanged(connection, chunk.batch, taken)
            _log_permitted(connection, chunk.batch, taken, permissions)
            if taken:
                connection.memory.will_reach(chunk.batch.name, taken[-1].number)
            return taken

        # A refusal is returned and not raised: what shares the commit must not be undone.
        taken = self._writer.run(work)
        if isinstance(taken, Exception):
            raise taken
        return taken

    def finish(self, chunk: Chunk) -> None:
        """Hold what is still in doubt of a chunk that is not being worked on any more.

        That is what was taken up in a transaction whose commit was not heard of.
        """

        def work(connection: ConnectionT) -> None:
            if self._holds(connection, chunk):
                sql_payouts.hold_doubtful(connection, chunk)

        self._writer.run(work)

    def may_send(self, chunk: Chunk) -> bool:
        """Say whether what was taken up of a chunk may still be sent.

        That is while it was not claimed again, and the batch neither paused nor closed.
        """
        return self._writer.run(
            lambda connection: (
                self._holds(connection, chunk)
                and sql_batches.obstacle(connection, chunk.batch) is None
            )
        )

    def _next_epoch(self, connection: ConnectionT, chunk: Chunk) -> int:
        """Fence the previous owner of the chunk. A single process has none."""
        return 0

    def _holds(self, connection: ConnectionT, chunk: Chunk) -> bool:
        """Say whether the chunk is still ours, and keep it so until the commit."""
        return True

    def post(
        self, batch: Batch, number: int, evidence: Evidence, *, chunk: Chunk | None = None
    ) -> None:
        """Have evidence written soon, without waiting.

        Args:
            batch: The batch.
            number: The payout's number in it.
            evidence: What was learned.
            chunk: The chunk it was sent in: that it never left counts only while that is ours.

        Raises:
            UnknownBatchError: the batch has no such payout.
            LedgerError: something that was posted before could not be written.
        """
        if not 0 < number <= batch.count:
            raise _no_payout(batch, number)
        self._writer.post((batch.id, number, evidence, chunk))

    def flush(self) -> None:
        """Wait until all that was posted is on disk."""
        self._writer.run(lambda _: None)

    def settle(self, batch: Batch, number: int, evidence: Evidence) -> Record:
        """Take evidence in, and return what is known after it.

        Raises:
            UnknownBatchError: the batch has no such payout.
        """

        def work(connection: ConnectionT) -> Record | None:
            now = connection.now()
            by_person = evidence.source is Source.PERSON
            before = (
                sql_payouts.read_numbered(connection, batch.name, number) if by_person else None
            )
            after = sql_payouts.merge_into(connection, batch.id, number, evidence, now)
            if by_person and after is not None and after != before:
                sql_audit_log.append(
                    connection,
                    Action.WITHDRAW if evidence.learned is Learned.WITHDRAWN else Action.RESOLVE,
                    now,
                    batch=batch.name,
                    reason=evidence.reason,
                    facts={
                        "row": after.payout.reference,
                        "amount": after.payout.amount,
                        "from": None if before is None else before.state.value,
                        "to": after.state.value,
                    },
                )
            return after

        return _found(self._writer.run(work), batch, number)

    def record(self, name: str, number: int) -> Record | None:
        """Return one payout by its number."""
        return self._writer.run(
            lambda connection: sql_payouts.read_numbered(connection, name, number)
        )

    def find(self, name: str, reference: str) -> Record | None:
        """Return one payout by the caller's reference."""
        return self._writer.run(
            lambda connection: sql_payouts.read_named(connection, name, reference)
        )

    def find_by_dgs_reference(self, dgs_reference: str) -> tuple[str, int] | None:
        """Return batch and number of the payout DGS-Pay calls so."""
        return self.owners([dgs_reference]).get(dgs_reference)

    def owners(self, dgs_references: Sequence[str]) -> dict[str, tuple[str, int]]:
        """Return batch and number of each payout that DGS-Pay calls by one of these names."""
        return self._writer.run(
            lambda connection: sql_payouts.read_owners(connection, dgs_references)
        )

    def page(
        self,
        name: str,
        *,
        after: int = 0,
        last: int | None = None,
        limit: int = 1000,
        states: Sequence[State] = tuple(State),
    ) -> list[Record]:
        """Return payouts in the order of their numbers, after one of them and up to another."""
        codes = sql_payouts.codes_of(states)
        return self._writer.run(
            lambda connection: sql_payouts.read_page(
                connection, name, after=after, last=last, limit=limit, codes=codes
            )
        )

    def counts(self, name: str) -> Counts:
        """Count the payouts of a batch."""
        return self._writer.run(lambda connection: sql_payouts.read_counts(connection, name))

    def audit_log(
        self, batch: str | None = None, *, after: int = 0, limit: int = 1000
    ) -> list[AuditLine]:
        """Return lines of the audit log in order, after one of them; of one batch, or all."""
        return self._writer.run(
            lambda connection: sql_audit_log.read(connection, batch=batch, after=after, limit=limit)
        )

    def verify_audit_log(self) -> list[LogFault]:
        """Return each line of the audit log that was changed, removed or added.

        It is compared with what this machine has noted of the latest lines outside of the ledger.
        """
        return self._writer.run(
            lambda connection: sql_audit_log.verify(
                connection, connection.memory.notes.read(), noted_all=self._notes_every_line
            )
        )

    def transact(self, work: Callable[[ConnectionT], T]) -> T:
        """Do something in a transaction of the ledger.

        Raises:
            LedgerError: it is not known to be on disk.
        """
        return self._writer.run(work)

    def close(self) -> None:
        """Write what is waiting, and close."""
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class _Compared(Exception):  # noqa: N818 - no error, and it stays inside this module
    """What was found out; it ends a transaction of which nothing is kept."""

    def __init__(self, found: Comparison) -> None:
        super().__init__()
        self.found = found


def _ruling(
    connection: DatabaseConnection, batch: Batch, now: float, *, begun: bool = False
) -> sql_approvals.Ruling:
    """Decide whether a batch may be paid; note it where it is without approval, for it is little.

    It is noted again while it is being paid: what a batch sends the day after it began counts on
    that day, too.
    """
    ruling = sql_approvals.rule(connection, connection.memory, batch, now, begun=begun)
    if ruling.is_to_be_noted:
        # Two at once must not both be little enough.
        connection.lock_limits()
        ruling = sql_approvals.rule(connection, connection.memory, batch, now, begun=begun)
    if ruling.is_to_be_noted:
        sql_batches.mark_exempt(connection, batch.id, now)
    return ruling


def _require_unclosed(connection: DatabaseConnection, batch: Batch) -> None:
    found = sql_batches.batch_numbered(connection, batch.id)
    if found is not None and found.closed is not None:
        raise BatchClosedError(closed_words(found))


def _require_unpaused(connection: DatabaseConnection, batch: Batch) -> None:
    found = sql_batches.batch_numbered(connection, batch.id)
    if found is not None and found.is_paused_by_a_person:
        raise BatchPausedError(paused_words(found))


def _log_row(
    connection: DatabaseConnection, action: Action, batch: Batch, record: Record, reason: str | None
) -> None:
    payout = record.payout
    sql_audit_log.append(
        connection,
        action,
        connection.now(),
        batch=batch.name,
        reason=reason,
        facts={"row": payout.reference, "amount": payout.amount},
    )


def _log_permitted(
    connection: DatabaseConnection,
    batch: Batch,
    taken: Sequence[Payout],
    permissions: guard.Permissions,
) -> None:
    """Write down which rows are sent that would not be without a standing permission."""
    for permission in dict.fromkeys(permissions.used.values()):
        rows = [payout for payout in taken if permissions.used.get(payout.number) == permission]
        if not rows:
            continue
        sql_audit_log.append(
            connection,
            Action.PERMIT,
            connection.now(),
            batch=batch.name,
            reason=permission.reason,
            facts={
                "standing permission": permission.pattern,
                "given by": permission.given_by,
                "rows": ", ".join(payout.reference for payout in rows),
                "count": len(rows),
                "total": sum(payout.amount for payout in rows),
            },
        )


def _found(record: Record | None, batch: Batch, number: int) -> Record:
    if record is None:
        raise _no_payout(batch, number)
    return record


def _require_key(policy: Policy, signer: Signer | None) -> Signer:
    """Return a signer whose key is registered.

    Raises:
        NotApprovedError: there is none, or its key is not.
    """
    if signer is None:
        raise NotApprovedError("the ledger's policy asks for the key of who does this (--key)")
    known = policy.key(signer.key.id)
    if known is None or known.person != signer.key.person:
        raise NotApprovedError(
            f"the key {signer.key.id} of {signer.key.person} is not registered in the ledger's "
            "policy: see `dgspay payouts policy`"
        )
    return signer


def _unbroken(state: PolicyState) -> PolicyState:
    if state.broken is not None:
        raise NotApprovedError(f"{state.broken}. Nothing was changed")
    return state


def _no_payout(batch: Batch, number: int) -> UnknownBatchError:
    return UnknownBatchError(f"batch {batch.name!r} has no payout {number}")

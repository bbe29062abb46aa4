"""The protocol of a ledger, and what its methods report and raise."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import attrs

from dgspay.errors import ConfigError
from dgspay.payouts.model.payout import OPEN, UNSETTLED, Payout, Record, State

if TYPE_CHECKING:
    from dgspay.payouts.approval.judgement import Approvals
    from dgspay.payouts.approval.policy import Policy, PolicyState
    from dgspay.payouts.approval.signing import Signer
    from dgspay.payouts.model.audit_log import AuditLine, LogFault
    from dgspay.payouts.model.batch import Batch, Chunk
    from dgspay.payouts.model.changes import EarlierPay
    from dgspay.payouts.model.permissions import PermittedRows
    from dgspay.payouts.model.repeats import Overlap
    from dgspay.payouts.model.transitions import Evidence


class FencedError(Exception):
    """Another worker has taken the chunk up since: nothing of it may be sent here any more."""


class PausedError(Exception):
    """The batch was paused, here or on another machine; the text says why."""


@attrs.frozen
class Counts:
    """How many payouts of a batch are in each state, and what they come to in RWF."""

    by_state: Mapping[State, tuple[int, int]]

    def count(self, *states: State) -> int:
        """How many are in one of these states."""
        return sum(self.by_state.get(state, (0, 0))[0] for state in states)

    def amount(self, *states: State) -> int:
        """What those in one of these states come to, in RWF."""
        return sum(self.by_state.get(state, (0, 0))[1] for state in states)

    @property
    def all_settled(self) -> bool:
        """Whether each is confirmed or failed."""
        return not self.count(*OPEN, *UNSETTLED)


@attrs.frozen
class Comparison:
    """What a ledger knows of rows that are not in it.

    Attributes:
        overlaps: What batches have paid, or may have paid, of them.
        earlier_pay: What their accounts got last.
        permitted: Those that a standing permission covers; `overlaps` is without them.
    """

    overlaps: list[Overlap]
    earlier_pay: list[EarlierPay]
    permitted: list[PermittedRows]


@runtime_checkable
class Ledger(Protocol):
    """What a run asks of a ledger. Every method blocks until it is on disk, but for `post`.

    It may be used from several threads; asynchronous code calls it in a worker thread.
    """

    def load(
        self, batch: Batch, payouts: Iterable[Payout], *, digest: Callable[[], str] | None = None
    ) -> Batch:
        """Write a batch and its payouts in one transaction; an error of theirs undoes it all."""
        ...

    def batch(self, name: str) -> Batch | None:
        """Return a batch."""
        ...

    def batches(self) -> list[Batch]:
        """Return all batches, oldest first."""
        ...

    def discard(self, name: str) -> None:
        """Remove a batch that was not started."""
        ...

    def start(
        self, name: str, *, batch_id: int | None = None, allowed: Mapping[int, str] = ...
    ) -> None:
        """Note that the batch, the one with this id, was confirmed, and end its pause.

        With the numbers of payouts that may be sent though they look paid, and why.
        """
        ...

    def prepare(
        self, batch: Batch, *, allowed: Mapping[int, str], signer: Signer | None = None
    ) -> Batch:
        """Fix the rows of a batch that was not begun, and who prepares it."""
        ...

    def approve(self, batch: Batch, signer: Signer, *, days: float) -> Approvals:
        """Sign a batch as it is, and return who has approved it now."""
        ...

    def approvals(self, batch: Batch) -> Approvals | None:
        """Return who has approved a batch as it is now; None where it was not prepared."""
        ...

    def approval_problem(self, batch: Batch) -> str | None:
        """Return why the policy does not let a batch be paid, or None."""
        ...

    def policy(self) -> PolicyState:
        """Return the policy in force, and a change of it that waits for signatures."""
        ...

    def change_policy(
        self, change: Callable[[Policy], Policy], *, signer: Signer | None = None
    ) -> PolicyState:
        """Propose a change of the policy; where none is asked for, it is in force at once."""
        ...

    def sign_policy(self, signer: Signer) -> PolicyState:
        """Sign the change of the policy that waits for signatures."""
        ...

    def overlaps(self, batch: Batch, *, allowed: Collection[int] = ()) -> list[Overlap]:
        """Say what other batches have paid, or may have paid, of what is left of this one."""
        ...

    def left_out(self, batch: Batch, *, allowed: Collection[int] = ()) -> tuple[int, int]:
        """Count what `overlaps` reports, and add it up in RWF."""
        ...

    def compare(
        self, batch: Batch, payouts: Iterable[Payout], *, allowed: Collection[int] = ()
    ) -> Comparison:
        """Say what batches have paid, or may have paid, of payouts; nothing of them is kept."""
        ...

    def earlier_pay(self, batch: Batch) -> list[EarlierPay]:
        """Return what the accounts that are still to be paid got last from other batches."""
        ...

    def permitted(self, batch: Batch, *, allowed: Collection[int] = ()) -> list[PermittedRows]:
        """Return what is left of a batch that standing permissions cover; `overlaps` lacks it."""
        ...

    def sent_between(self, name: str) -> tuple[float, float] | None:
        """Return the Unix times of the first and the last payout sent of a batch."""
        ...

    def pause(self, name: str, reason: str) -> None:
        """Stop the batch on all machines."""
        ...

    def pause_batch(self, batch: Batch, reason: str) -> None:
        """Stop the batch on all machines until a person resumes it."""
        ...

    def resume_batch(self, batch: Batch, reason: str | None) -> None:
        """End the pause of a person; the next run goes on."""
        ...

    def only_run(self, name: str) -> AbstractContextManager[None]:
        """Be the one run of a batch; raises BatchBusyError."""
        ...

    def cancel(self, batch: Batch, number: int, reason: str) -> Record:
        """Cancel a payout unless it was sent, and return what is known of it then."""
        ...

    def reinstate(self, batch: Batch, number: int, reason: str | None) -> Record:
        """Take back that a payout was cancelled, and return what is known of it then."""
        ...

    def cancel_others(self, batch: Batch, kept: Collection[int], reason: str) -> int:
        """Cancel what was not sent but for some payouts; return how many it was."""
        ...

    def close_batch(self, batch: Batch, reason: str) -> int:
        """Cancel what was not sent, and let nothing more be sent; return how many it was."""
        ...

    def claim(self, batch: Batch, index: int, first: int, last: int) -> Chunk:
        """Claim a chunk: fence its previous owner, and hold what that left in doubt."""
        ...

    def take(self, chunk: Chunk, *, after: int, limit: int, doubtful: bool = False) -> list[Payout]:
        """Put the next payouts of a chunk in doubt, on disk, and return them for sending.

        Those that look as if they had been paid before are blocked instead, unless they are
        allowed by name.

        With `doubtful`, those whose last attempt got no answer instead of new ones.

        Raises:
            FencedError, PausedError, NotApprovedError: nothing may be sent.
            LedgerError: it could not be written, so nothing may be sent.
        """
        ...

    def finish(self, chunk: Chunk) -> None:
        """Hold what is still in doubt of a chunk that is not being worked on any more."""
        ...

    def may_send(self, chunk: Chunk) -> bool:
        """Say whether what was taken up of a chunk may still be sent."""
        ...

    def post(
        self, batch: Batch, number: int, evidence: Evidence, *, chunk: Chunk | None = None
    ) -> None:
        """Have evidence written soon, without waiting.

        With the `chunk` it was sent in, that a payout never left counts only while that is ours.
        """
        ...

    def flush(self) -> None:
        """Wait until all that was posted is on disk."""
        ...

    def settle(self, batch: Batch, number: int, evidence: Evidence) -> Record:
        """Take evidence in, and return what is known after it."""
        ...

    def record(self, name: str, number: int) -> Record | None:
        """Return one payout by its number."""
        ...

    def find(self, name: str, reference: str) -> Record | None:
        """Return one payout by the caller's reference."""
        ...

    def find_by_dgs_reference(self, dgs_reference: str) -> tuple[str, int] | None:
        """Return batch and number of the payout DGS-Pay calls so."""
        ...

    def owners(self, dgs_references: Sequence[str]) -> dict[str, tuple[str, int]]:
        """Return batch and number of each payout that DGS-Pay calls by one of these names."""
        ...

    def page(
        self,
        name: str,
        *,
        after: int,
        limit: int,
        states: Sequence[State],
        last: int | None = None,
    ) -> list[Record]:
        """Return payouts in the order of their numbers, after one of them and up to another."""
        ...

    def counts(self, name: str) -> Counts:
        """Count the payouts of a batch."""
        ...

    def audit_log(
        self, batch: str | None = None, *, after: int = 0, limit: int = 1000
    ) -> list[AuditLine]:
        """Return lines of the audit log in order, after one of them; of one batch, or all."""
        ...

    def verify_audit_log(self) -> list[LogFault]:
        """Return each line of the audit log that was changed, removed or added."""
        ...

    def close(self) -> None:
        """Write what is waiting, and close."""
        ...


def check_ledger(ledger: object) -> None:
    """Reject the path or URL of a ledger in place of one: only the ledger itself can be closed.

    Raises:
        ConfigError: saying what to make of it.
    """
    if isinstance(ledger, str | os.PathLike):
        raise ConfigError(
            f"ledger must be a ledger, not a {type(ledger).__name__}: make one, with "
            "SqliteLedger(path) or PostgresLedger(url)"
        )

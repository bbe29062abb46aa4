"""Memory of a process for a ledger's commits, compared with the ledger at each of its own."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

import attrs

from dgspay.payouts.approval.policy import PolicyState
from dgspay.payouts.ledger import commit_history
from dgspay.payouts.ledger.commit_notes import Noted, Notes
from dgspay.payouts.model.audit_log import LogHead

_SESSIONS_NOTED = 100
_LINES_NOTED = 50


class Memory:
    """One session of a ledger: its commits, and the notes of those of others.

    Args:
        ledger: The ledger's id.
        place: Where it is, for the notes.
        beside: The note beside its file; None for a server.
        folder: Where programs keep their state; None for nowhere.
    """

    def __init__(
        self, ledger: str, place: str, *, beside: Path | None, folder: Path | None
    ) -> None:
        self.notes = Notes(ledger, place, beside=beside, folder=folder)
        self._begin_session()

    def _begin_session(self) -> None:
        self.token = secrets.token_hex(8)
        self.commits = 0
        self._checked: dict[str, int] = {}
        self._reaching: dict[str, int] = {}

    def missing(self, database: commit_history.Reader) -> int:
        """Return how many noted commits the ledger lacks; those of sessions not seen before."""
        noted = self.notes.read()
        if noted is None:
            return 0
        unchecked = {
            token: count
            for token, count in noted.sessions.items()
            if token != self.token and token not in self._checked
        }
        if not unchecked:
            return 0
        lost = commit_history.missing(database, unchecked)
        if not lost:
            self._checked.update(unchecked)
        return lost

    def committed(self, logged: LogHead | None) -> None:
        """Note a commit of this session, before anything that it allows is sent.

        Args:
            logged: The last line of the audit log, where the commit has written to it.
        """
        self.commits += 1
        reaching, self._reaching = self._reaching, {}
        self.notes.change(lambda noted: self._with_this_commit(noted, reaching, logged))

    def _with_this_commit(
        self, noted: Noted, reaching: Mapping[str, int], logged: LogHead | None
    ) -> Noted:
        # What was there before a later session began is there wherever that session is.
        latest = [*noted.sessions.items()][-_SESSIONS_NOTED:]
        reached = {
            batch: max(noted.reached.get(batch, 0), number) for batch, number in reaching.items()
        }
        log = noted.log
        if logged is not None:
            log = {**dict([*log.items()][1 - _LINES_NOTED :]), logged.number: logged.noted}
        return attrs.evolve(
            noted,
            log=log,
            sessions={**dict(latest), self.token: self.commits},
            reached={**noted.reached, **reached},
        )

    def compared_policy(self, state: PolicyState) -> PolicyState:
        """Hold a ledger's policy against the one this machine has noted; note a later one."""
        noted = self.notes.read()
        known = {} if noted is None else noted.policies
        for revision, digest in known.items():
            if revision > state.revision:
                return attrs.evolve(
                    state,
                    broken=f"this machine has noted revision {revision} of the ledger's policy, "
                    f"and the ledger has revision {state.revision}: it was edited, or an older "
                    "copy was brought back. Set the same policy again, or bring the newest back",
                )
            if revision == state.revision and digest != state.digest:
                return attrs.evolve(
                    state, broken=f"revision {revision} of the policy is not the one noted here"
                )
        if state.revision and state.revision not in known:
            self.notes.change(
                lambda found: attrs.evolve(
                    found, policies={**found.policies, state.revision: state.digest}
                )
            )
        return state

    def will_reach(self, batch: str, number: int) -> None:
        """Note with the next commit that payouts of a batch up to a number may be sent."""
        self._reaching[batch] = max(self._reaching.get(batch, 0), number)

    def begin_anew(self) -> None:
        """Forget the sessions whose commits are gone: what they may have sent is held now."""
        self._begin_session()
        self.notes.change(lambda noted: attrs.evolve(noted, sessions={}, log={}))

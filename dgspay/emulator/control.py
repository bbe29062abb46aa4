"""Controls of a running emulator: decide payments, keep and restore states, report changes."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager

from dgspay.emulator.domain import decisions
from dgspay.emulator.domain.account import Account
from dgspay.emulator.engine.change_feed import ChangeFeed
from dgspay.emulator.engine.engine import Engine
from dgspay.emulator.state import Snapshot, StateStore
from dgspay.emulator.webhooks.dispatcher import Dispatcher


class Controls:
    """The controls that `Emulator` and the console share.

    Args:
        engine: Answers requests.
        dispatcher: Delivers webhooks.
        store: Keeps the state.
        feed: Reports changes to watchers.
        state_file: Where the state is kept from one run to the next, or None.
    """

    def __init__(
        self,
        engine: Engine,
        dispatcher: Dispatcher,
        store: StateStore,
        feed: ChangeFeed,
        *,
        state_file: str | None,
    ) -> None:
        self.engine = engine
        self.dispatcher = dispatcher
        self.feed = feed
        self.state_file = state_file
        self._store = store

    # --- what is pending ------------------------------------------------------------------

    def approve(self, reference: str, account_number: str | None = None) -> None:
        """Approve a pending payment, disbursement or conversion now."""
        with self.owner_of(reference, account_number) as account:
            decisions.approve(account, reference)

    def decline(self, reference: str, reason: str, account_number: str | None = None) -> None:
        """Decline a pending payment, disbursement or conversion now."""
        with self.owner_of(reference, account_number) as account:
            decisions.decline(account, reference, reason)

    def settle(self, reference: str, account_number: str | None = None) -> None:
        """Settle something as planned now."""
        with self.owner_of(reference, account_number) as account:
            decisions.settle_one(account, reference)

    def settle_all(self) -> None:
        """Settle as planned everything of every merchant that waits for nothing but time."""
        for account in tuple(self.engine.accounts):
            with self.engine.steering(account.credentials.account_number) as steered:
                decisions.settle_all(steered)

    @contextmanager
    def owner_of(self, name: str, account_number: str | None = None) -> Generator[Account]:
        """Steer the account that has something by this name, or the one with this number."""
        if account_number is None:
            with self.engine.lock:
                owner = self.engine.accounts.owner_of(name)
            account_number = None if owner is None else owner.credentials.account_number
        with self.engine.steering(account_number) as account:
            yield account

    # --- states -----------------------------------------------------------------------------

    def snapshot(self, name: str) -> Snapshot:
        """Keep the present state under a name."""
        taken = self._store.snapshot(name)
        self.feed.changed()
        return taken

    def restore(self, name: str) -> None:
        """Return to a snapshot."""
        self._store.restore(name)
        self.feed.changed()

    def forget_snapshot(self, name: str) -> None:
        """Delete a snapshot."""
        self._store.forget(name)
        self.feed.changed()

    @property
    def snapshots(self) -> Sequence[Snapshot]:
        """Snapshots, the latest first."""
        return self._store.snapshots

    def keep(self) -> None:
        """Record settings that were just changed, and report the change."""
        self._store.commit()
        self.feed.changed()

    def reset(self) -> None:
        """Forget everything that happened; credentials, options and snapshots stay."""
        self._store.start_again()

    def close(self) -> None:
        """Record what was changed last, and close the state file."""
        self._store.close()

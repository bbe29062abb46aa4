"""Accounts of the merchants, with their common lock, origin, options and source of ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from dgspay.emulator.clock import EmulatorClock
from dgspay.emulator.domain.account import Account, Options
from dgspay.emulator.domain.credentials import Credentials
from dgspay.emulator.domain.identifiers import Identifiers
from dgspay.emulator.domain.recorder import Recorder
from dgspay.forks import new_rlock

IN_PROCESS_ORIGIN: Final = "http://127.0.0.1"


class Accounts:
    """All accounts of an emulator, the first one first.

    Args:
        names: The merchants' names, of which the first is the one meant by default.
        options: How the emulator behaves.
        clock: Where the time comes from.
        identifiers: Where ids and references come from.
        recorder: Records what changes.
        scheduled: Called when something was put down to settle later.

    Attributes:
        lock: Held while anything of any account changes.
        origin: What the URLs in answers begin with.
        public: Whether other machines may ask.
        options: How the emulator behaves.
        identifiers: One source for all, so that no two merchants have the same reference.
    """

    def __init__(
        self,
        names: Sequence[str],
        options: Options,
        clock: EmulatorClock,
        identifiers: Identifiers,
        *,
        recorder: Recorder,
        scheduled: Callable[[], object],
    ) -> None:
        self.lock = new_rlock()
        self.origin = IN_PROCESS_ORIGIN
        self.public = False
        self.options = options
        self.names = tuple(names)
        self._clock = clock
        self._recorder = recorder
        self._scheduled = scheduled
        self.begin(identifiers)

    def begin(self, identifiers: Identifiers) -> None:
        """Replace the accounts by empty ones whose ids come from `identifiers`."""
        self.identifiers = identifiers
        slugs: set[str] = set()
        self._accounts = tuple(
            Account(
                Credentials.of_merchant(name),
                self.options,
                self._clock,
                identifiers,
                self.origin,
                slugs=slugs,
                recorder=self._recorder,
                scheduled=self._scheduled,
            )
            for name in self.names
        )
        self._by_key = {account.credentials.api_key: account for account in self._accounts}

    def __iter__(self) -> Iterator[Account]:
        return iter(self._accounts)

    def __getitem__(self, place: int) -> Account:
        return self._accounts[place]

    @property
    def first(self) -> Account:
        """The first merchant's account."""
        return self._accounts[0]

    def account_of(self, account_number: str) -> Account:
        """Find an account.

        Raises:
            LookupError: when there is none with this number.
        """
        for account in self._accounts:
            if account.credentials.account_number == account_number:
                return account
        raise LookupError(f"no account {account_number!r}")

    def account_with(self, api_key: str) -> Account | None:
        """Return the account an API key opens, if there is one."""
        return self._by_key.get(api_key)

    def owner_of(self, name: str) -> Account | None:
        """Return the account that has something by this id, reference or slug."""
        return next((account for account in self._accounts if account.has(name)), None)

    def behave(self, options: Options) -> None:
        """Change the options from now on."""
        self.options = options
        for account in self._accounts:
            account.options = options

    def move(self, origin: str, *, public: bool) -> None:
        """Change the origin of the URLs in answers."""
        self.origin, self.public = origin, public
        for account in self._accounts:
            account.origin = origin

"""The protocol of what records each change of an account, so that it can outlive the process."""

from __future__ import annotations

from typing import Protocol


class Recorder(Protocol):
    """Records what changes. It is given to accounts and engine when they are made."""

    @property
    def trouble(self) -> str | None:
        """Reason why a change could not be recorded; None when all were."""
        ...

    def touch(self, account_number: str, kind: str, name: str, record: object | None) -> None:
        """Note what something is now; None for what has gone. The emulator's lock is held."""
        ...

    def commit(self) -> None:
        """Write down what has changed, all of it or nothing. The emulator's lock is held."""
        ...


class NullRecorder:
    """Records nothing: the state ends with the process."""

    trouble: str | None = None

    def touch(self, account_number: str, kind: str, name: str, record: object | None) -> None:
        """Record nothing."""

    def commit(self) -> None:
        """Write nothing."""

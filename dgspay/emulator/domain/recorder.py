"""Protocol of a recorder of every change, so that the state can outlive the process."""

from __future__ import annotations

from typing import Protocol


class Recorder(Protocol):
    """Recorder of changes, passed to accounts and engine at construction."""

    @property
    def trouble(self) -> str | None:
        """Reason why a change could not be recorded; None when all were."""
        ...

    def touch(self, account_number: str, kind: str, name: str, record: object | None) -> None:
        """Note what something is now; None for what has gone. The emulator's lock is held."""
        ...

    def commit(self) -> None:
        """Commit what has changed, all of it or nothing. The emulator's lock is held."""
        ...


class NullRecorder:
    """Recorder that records nothing: the state ends with the process."""

    trouble: str | None = None

    def touch(self, account_number: str, kind: str, name: str, record: object | None) -> None:
        """Record nothing."""

    def commit(self) -> None:
        """Write nothing."""

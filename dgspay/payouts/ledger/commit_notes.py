"""The notes of a ledger: what it has committed, kept in files outside of it.

A database cannot know that it was put back as it was yesterday. A note is written after each
commit and before anything is sent, so it says too little where power was lost, and never too much.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import attrs

from dgspay.payouts.ledger.file_lock import wait_for_lock

_MOST_BYTES = 1 << 20
_VERSION = 1
_FIELDS = ("ledger", "place", "sessions", "reached", "log", "policies")
_BINARY: int = getattr(os, "O_BINARY", 0)


def state_folder() -> Path | None:
    """Return the folder of this user in which programs keep their state, or None without a home.

    Not by platformdirs: the place must be the same with and without the extra that brings it.
    """
    named = os.environ.get("DGSPAY_STATE_FOLDER")
    if named:
        return Path(named)
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return Path(local, "dgspay", "state") if local else None
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "dgspay" / "state"
    given = Path(os.environ.get("XDG_STATE_HOME", ""))
    return (given if given.is_absolute() else home / ".local" / "state") / "dgspay"


@attrs.frozen(kw_only=True)
class Noted:
    """What is known of a ledger outside of it.

    Attributes:
        ledger: Its id.
        place: Where it was when it was last written.
        sessions: The latest sessions that wrote it, in the order in which they began, and how many
            commits of each are known to be in it.
        reached: The highest number of each batch that was taken up to be sent.
        log: The latest lines of the audit log, by number, and how their hashes begin.
        policies: The revisions of its policy that were in force, by number, and their digests.
    """

    ledger: str
    place: str = ""
    sessions: dict[str, int] = attrs.field(factory=dict)
    reached: dict[str, int] = attrs.field(factory=dict)
    log: dict[int, str] = attrs.field(factory=dict)
    policies: dict[int, str] = attrs.field(factory=dict)

    @property
    def may_have_paid(self) -> bool:
        """Whether anything was taken up to be sent."""
        return bool(self.reached)

    def united_with(self, other: Noted | None) -> Noted:
        """Return what two notes of one ledger know together."""
        if other is None or other.ledger != self.ledger:
            return self
        return attrs.evolve(
            self,
            sessions=_highest(self.sessions, other.sessions),
            reached=_highest(self.reached, other.reached),
            log=dict(sorted({**other.log, **self.log}.items())),
            policies={**other.policies, **self.policies},
        )


def _highest(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in sorted(one.keys() | other)}


class NoteFile:
    """One file that holds a note. Several processes may write it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # Cache of the last read: other processes seldom write.
        self._text = b""
        self._noted: Noted | None = None

    def read(self) -> Noted | None:
        """Return the note; None where there is none, or it is unreadable."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | _BINARY)
        except OSError:
            return None
        try:
            return self._parsed(os.read(descriptor, _MOST_BYTES))
        except OSError:
            return None
        finally:
            os.close(descriptor)

    def _parsed(self, text: bytes) -> Noted | None:
        if text != self._text:
            self._text, self._noted = text, _noted_in(text)
        return self._noted

    def change(self, change: Callable[[Noted | None], Noted]) -> bool:
        """Replace the note by what a function makes of it; say whether it could be written."""
        try:
            with self._opened() as descriptor:
                text = os.read(descriptor, _MOST_BYTES)
                noted = change(self._parsed(text))
                # Never cut shorter, or a process that is killed in between would leave two ends.
                written = _text_of(noted).ljust(len(text))
                if written != text:
                    os.lseek(descriptor, 0, os.SEEK_SET)
                    os.write(descriptor, written)
                self._text, self._noted = written, noted
        except OSError:
            return False
        return True

    @contextlib.contextmanager
    def _opened(self) -> Generator[int]:
        flags = os.O_CREAT | os.O_RDWR | _BINARY
        try:
            descriptor = os.open(self.path, flags, 0o600)
        except FileNotFoundError:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.path, flags, 0o600)
        try:
            wait_for_lock(descriptor)
            yield descriptor
        finally:
            os.close(descriptor)


def _text_of(noted: Noted) -> bytes:
    fields = {name: getattr(noted, name) for name in _FIELDS}
    return json.dumps({"version": _VERSION, **fields}).encode() + b"\n"


def _noted_in(text: bytes) -> Noted | None:
    try:
        found: Any = json.loads(text)
        return Noted(
            ledger=str(found["ledger"]),
            place=str(found["place"]),
            sessions={str(name): int(count) for name, count in found["sessions"].items()},
            reached={str(name): int(count) for name, count in found["reached"].items()},
            # An earlier dgspay has noted none.
            log={int(number): str(start) for number, start in found.get("log", {}).items()},
            policies={int(number): str(all_) for number, all_ in found.get("policies", {}).items()},
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


class Notes:
    """The notes of one ledger: in the user's folder by its id, and beside its file by its name.

    Args:
        ledger: The ledger's id.
        place: Where the ledger is.
        beside: The note beside the file; None for a server.
        folder: Where programs keep their state.
    """

    def __init__(
        self, ledger: str, place: str, *, beside: Path | None, folder: Path | None
    ) -> None:
        self._ledger = ledger
        self._place = place
        paths = [] if folder is None else [folder / "payouts" / f"{ledger}.json"]
        paths += [] if beside is None else [beside]
        self._files = [NoteFile(path) for path in paths]
        self._index = None if folder is None else _index_file(folder, place)

    @property
    def paths(self) -> list[Path]:
        """The files, for a person."""
        return [file.path for file in self._files]

    def read(self) -> Noted | None:
        """Return what the notes of this ledger know together."""
        united: Noted | None = None
        for file in self._files:
            found = file.read()
            if found is not None and found.ledger == self._ledger:
                united = found if united is None else united.united_with(found)
        return united

    def change(self, change: Callable[[Noted], Noted]) -> None:
        """Change each note; one that cannot be written is left as it is."""

        def changed(found: Noted | None) -> Noted:
            if found is None or found.ledger != self._ledger:
                found = Noted(ledger=self._ledger)
            return attrs.evolve(change(found), place=self._place)

        for file in self._files:
            file.change(changed)
        if self._index is not None:
            NoteFile(self._index).change(lambda _: Noted(ledger=self._ledger, place=self._place))
            self._index = None


def predecessor_at(place: str, *, beside: Path | None, folder: Path | None) -> Noted | None:
    """Return the note of a ledger that was at a place, and may have made payments."""
    found = [NoteFile(beside).read()] if beside is not None else []
    if folder is not None:
        index = NoteFile(_index_file(folder, place)).read()
        if index is not None:
            known = NoteFile(folder / "payouts" / f"{index.ledger}.json").read()
            # One that was moved is no predecessor.
            found += [known] if known is not None and known.place == place else []
    return next((noted for noted in found if noted is not None and noted.may_have_paid), None)


def _index_file(folder: Path, place: str) -> Path:
    digest = hashlib.sha256(place.encode("utf-8", "surrogatepass")).hexdigest()[:24]
    return folder / "payouts" / "places" / f"{digest}.json"

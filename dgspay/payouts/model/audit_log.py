"""The audit log of a ledger: who did what and when, each line chained to the one before it.

A line's hash is made of what it says and of the hash before it, so that a line that was changed,
removed or added by other means than dgspay's own does not fit its neighbours. Anyone who can write
the database can also write the whole chain anew; the hashes of the latest lines are therefore noted
outside of it as well, see `commit_notes`.
"""

from __future__ import annotations

import datetime as dt
import enum
import functools
import getpass
import hashlib
import json
import os
import platform
from collections.abc import Iterable, Iterator, Mapping

import attrs

from dgspay.models.characters import printable

Facts = Mapping[str, str | int | None]
"""Facts of a line; None is left out."""

_DOMAIN = "dgspay payout audit log 1"
_NOTED_DIGITS = 16
_LONGEST = 2_000
# How far lines are looked for that were given other numbers.
_NEAR = 50


class Action(enum.StrEnum):
    """An action on a batch or a payout."""

    UPGRADE = "upgrade"
    POLICY = "policy"
    PREPARE = "prepare"
    APPROVE = "approve"
    CONFIRM = "confirm"
    RESUME = "resume"
    PAUSE = "pause"
    CANCEL = "cancel"
    REINSTATE = "reinstate"
    CLOSE = "close"
    RESOLVE = "resolve"
    WITHDRAW = "withdraw"
    BACKUP = "backup"
    RESTORE = "restore"
    HOLD = "hold"
    COMPARE = "compare"
    PERMIT = "permit"


@attrs.frozen(kw_only=True)
class AuditLine:
    """One line of the log.

    Attributes:
        number: Its place in the log, from 1.
        at: When, in UTC, as ISO 8601 writes it.
        action: What was done; an `Action`, or a word of a later dgspay's.
        batch: The batch it was about, or None.
        user: Who, by the name the operating system has for the process.
        host: On which machine.
        role: By which role of the database, where it has roles.
        reason: Why, where that was given.
        facts: What belongs to it, such as digest, count and total, as a JSON object.
        previous: The hash of the line before it.
        hash: Its own.
    """

    number: int
    at: str
    action: str
    batch: str | None
    user: str
    host: str
    role: str | None
    reason: str | None
    facts: str
    previous: str
    hash: str = ""

    @property
    def what(self) -> str:
        """The facts for a person."""
        try:
            found = json.loads(self.facts)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            return self.facts
        return ", ".join(f"{name} {value}" for name, value in found.items())

    @property
    def who(self) -> str:
        """The user, the machine, and the database's role."""
        role = "" if self.role is None else f" (role {self.role})"
        return f"{self.user}@{self.host}{role}"

    def hashed(self) -> AuditLine:
        """Return the line with its hash."""
        return attrs.evolve(self, hash=hash_of(self))


@attrs.frozen
class LogHead:
    """The last line of a log.

    Attributes:
        number: Its number.
        hash: Its hash.
    """

    number: int
    hash: str

    @property
    def noted(self) -> str:
        """Short form of its hash, to note outside of the ledger."""
        return self.hash[:_NOTED_DIGITS]


class FaultKind(enum.StrEnum):
    """Kind of damage to a line."""

    CHANGED = "changed"
    REMOVED = "removed"
    ADDED = "added"


@attrs.frozen
class LogFault:
    """A line of the log that is not as it was written.

    Attributes:
        number: Its number.
        kind: What happened to it.
        message: The same for a person.
    """

    number: int
    kind: FaultKind
    message: str


def new_line(
    head: LogHead,
    *,
    now: float,
    action: Action,
    batch: str | None,
    role: str | None,
    reason: str | None,
    facts: Facts,
) -> AuditLine:
    """Return the line that follows the last one, as this process writes it."""
    user, host = _here()
    given = {name: value for name, value in facts.items() if value is not None}
    return AuditLine(
        number=head.number + 1,
        at=moment_text(now),
        action=action.value,
        batch=batch,
        user=_clean(user),
        host=_clean(host),
        role=role,
        reason=None if reason is None else _clean(reason),
        facts=json.dumps(given),
        previous=head.hash,
    ).hashed()


def moment_text(unix: float) -> str:
    """Return a Unix time as it is written in the log."""
    moment = dt.datetime.fromtimestamp(unix, dt.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def this_user() -> str:
    """Return the user and the machine of this process, as the log names them."""
    user, host = _here()
    return f"{_clean(user)}@{_clean(host)}"


@functools.cache
def _here() -> tuple[str, str]:
    """Return the user and the machine of this process."""
    return _user(), platform.node() or "unknown"


def _user() -> str:
    # Not from LOGNAME and the like first, which any user may set.
    try:
        import pwd  # noqa: PLC0415 - not on Windows

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        pass
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):
        return "unknown"


def _clean(text: str) -> str:
    """Return a text that every database can hold, and that no terminal obeys."""
    return printable(text)[:_LONGEST]


def genesis(ledger: str) -> LogHead:
    """Return what the first line of a ledger's log follows."""
    return LogHead(0, hashlib.sha256(f"{_DOMAIN}\n{ledger}".encode()).hexdigest())


def hash_of(line: AuditLine) -> str:
    """Return the hash a line has if it is as it was written."""
    said = [value for name, value in attrs.asdict(line).items() if name != "hash"]
    return hashlib.sha256(f"{_DOMAIN}\n{json.dumps(said)}".encode()).hexdigest()


def faults_of(
    lines: Iterable[AuditLine], ledger: str, noted: Mapping[int, str], *, noted_all: bool
) -> Iterator[LogFault]:
    """Yield each line that was changed, removed or added.

    Args:
        lines: The log, in order.
        ledger: The ledger's id.
        noted: What is noted outside of the ledger: latest lines, by number, and their hashes.
        noted_all: Whether every line is noted here, as of a file that one machine writes.
    """
    chain = _Chain(genesis(ledger))
    rewritten = None
    for line in lines:
        yield from chain.faults_at(line)
        known = noted.get(line.number)
        if known is not None and known != LogHead(line.number, line.hash).noted:
            rewritten = rewritten or line.number
    # By the number it was written with.
    last = chain.head.number + chain.shift
    if rewritten is not None and not chain.found:
        yield LogFault(
            rewritten,
            FaultKind.CHANGED,
            f"line {rewritten} is not the one that this machine has noted: it, or lines before "
            "it, were changed, removed or added, and what follows was written anew",
        )
    latest = max(noted, default=0)
    if latest > last:
        yield LogFault(
            last + 1,
            FaultKind.REMOVED,
            f"{_lines(last + 1, latest)} removed from the end: this machine has noted "
            f"{latest:,} lines",
        )
    if noted_all and noted and latest < last:
        yield LogFault(
            latest + 1,
            FaultKind.ADDED,
            f"{_lines(latest + 1, last)} added at the end: this machine has noted {latest:,} "
            "lines. (Power that was lost as the line was written leaves the same trace)",
        )


@attrs.define
class _Chain:
    """The lines that were read so far.

    Attributes:
        head: The last of them.
        shift: By how much the numbers of lines differ from those they were written with.
        numbers: Of each, by its hash.
        found: Whether anything was wrong.
    """

    head: LogHead
    shift: int = 0
    numbers: dict[str, int] = attrs.field(factory=dict)
    found: bool = False

    def faults_at(self, line: AuditLine) -> Iterator[LogFault]:
        """Compare a line with those before it."""
        before, number = self.head, line.number
        at_fault = False
        for fault in (*self._gap(line), *self._own(line)):
            at_fault = True
            yield fault
        if line.previous != before.hash and not at_fault:
            yield self._link(line)
            at_fault = True
        self.found = self.found or at_fault
        self.numbers[line.hash] = number
        self.head = LogHead(number, line.hash)

    def _gap(self, line: AuditLine) -> Iterator[LogFault]:
        first, last = self.head.number + 1, line.number - 1
        if first <= last:
            yield LogFault(first, FaultKind.REMOVED, f"{_lines(first, last)} removed")

    def _own(self, line: AuditLine) -> Iterator[LogFault]:
        """Compare a line with its own hash, under the number it has and others near it."""
        if hash_of(line) == line.hash:
            self.shift = 0
            return
        for shift in sorted(range(-_NEAR, _NEAR + 1), key=lambda shift: abs(shift - self.shift)):
            if hash_of(attrs.evolve(line, number=line.number + shift)) == line.hash:
                moved, self.shift = shift - self.shift, shift
                if moved > 0:
                    yield LogFault(
                        line.number,
                        FaultKind.REMOVED,
                        f"{_lines(line.number, line.number + moved - 1)} removed, and the lines "
                        "after it were given other numbers",
                    )
                elif moved < 0:
                    yield LogFault(
                        line.number + moved,
                        FaultKind.ADDED,
                        f"{_lines(line.number + moved, line.number - 1)} added, and the lines "
                        "after it were given other numbers",
                    )
                return
        yield LogFault(line.number, FaultKind.CHANGED, f"line {line.number} was changed")

    def _link(self, line: AuditLine) -> LogFault:
        """Return why a line that is as it was written does not follow the line before it."""
        follows = self.numbers.get(line.previous)
        if follows is not None:
            return LogFault(
                follows + 1,
                FaultKind.ADDED,
                f"{_lines(follows + 1, line.number - 1)} added: line {line.number} follows line "
                f"{follows}",
            )
        if line.number == 1:
            return LogFault(
                1, FaultKind.CHANGED, "line 1 is not the first line of this ledger's log"
            )
        return LogFault(
            line.number - 1,
            FaultKind.CHANGED,
            f"line {line.number - 1} was changed: line {line.number} follows another line",
        )


def _lines(first: int, last: int) -> str:
    return f"line {first} was" if first == last else f"lines {first} to {last} were"

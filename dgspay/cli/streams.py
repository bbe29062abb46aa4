"""Standard streams that may fail: before money moves that ends a command, afterwards never.

A result that cannot be written (the disk is full, the reader has gone, a service manager closed
the stream) must not make a payment that was made look like one that was not. `begin_effect` marks
the point from which on a command may have acted; what it did is noted with `note_effect`, and goes
to stderr where stdout is lost.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

import attrs

if TYPE_CHECKING:
    from typing_extensions import Buffer

_STANDARD_STREAMS = 3


@attrs.define
class Effect:
    """Irreversible effects that a command has had, or may have had.

    Attributes:
        begun: Whether it may have acted.
        code: The exit code that says how that ended, once it is known.
        facts: What identifies what was done, such as a reference, by what each is called.
    """

    begun: bool = False
    code: int | None = None
    facts: dict[str, str] = attrs.field(factory=dict)


class OutputLostError(OSError):
    """Standard output cannot be written, and nothing was done yet."""


class GuardedOutput(io.RawIOBase):
    """The bytes of a standard stream. Once an effect has begun, a failure is only noted.

    Args:
        raw: What is written to; None where the program was started without the stream.
        tolerant: Whether a failure never matters, as with stderr.
    """

    def __init__(self, raw: io.RawIOBase | None, *, tolerant: bool) -> None:
        self._raw = raw
        self._tolerant = tolerant
        self.failure: OSError | None = None

    def writable(self) -> bool:
        """Return True: it takes bytes."""
        return True

    def isatty(self) -> bool:
        """Return whether a terminal shows it."""
        return self._raw is not None and self._raw.isatty()

    def fileno(self) -> int:
        """Return the number of the underlying stream."""
        if self._raw is None:
            raise io.UnsupportedOperation("the stream is closed")
        return self._raw.fileno()

    def write(self, data: Buffer, /) -> int:
        """Write bytes, or note why they cannot be written.

        Raises:
            OutputLostError: they cannot, and nothing was done yet.
        """
        length = memoryview(data).nbytes
        if self._raw is None or (self.failure is not None and self.forgives):
            return length
        try:
            # A pipe set not to block takes nothing while its reader is slow.
            while (written := self._raw.write(data)) is None:
                select.select([], [self._raw], [])
        except (OSError, ValueError) as error:
            # ValueError: it was closed meanwhile.
            number = error.errno if isinstance(error, OSError) else errno.EBADF
            self.failure = OutputLostError(number, os.strerror(number or errno.EIO))
        else:
            return written
        if self.forgives:
            return length
        raise self.failure

    @property
    def forgives(self) -> bool:
        """Return whether a failure is noted and not raised."""
        return self._tolerant or _effect.begun

    def lost(self) -> OSError | None:
        """Return why not all could be written, after what is buffered was flushed."""
        # What cannot be written is noted, whether it is raised or not.
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        return self.failure


_effect = Effect()


def begin_effect() -> None:
    """Mark that from here on the command may act: output that fails does not end it any more."""
    _effect.begun = True


def note_effect(code: int, **facts: str | None) -> None:
    """Note how what was done ended, and what identifies it, such as `reference=`."""
    _effect.begun = True
    _effect.code = code
    _effect.facts.update({name: value for name, value in facts.items() if value is not None})


def effect() -> Effect:
    """Return what the command has done so far."""
    return _effect


def forget_effect() -> None:
    """Begin a command: nothing was done yet."""
    _effect.begun, _effect.code = False, None
    _effect.facts.clear()


@contextmanager
def guarded_streams() -> Generator[GuardedOutput | None]:
    """Guard stdout and stderr until the block is left; None where stdout is not a real stream."""
    _open_closed_descriptors()
    before = sys.stdout, sys.stderr
    sys.stdout, output = _guarded(sys.stdout, tolerant=False)
    sys.stderr, _ = _guarded(sys.stderr, tolerant=True)
    try:
        yield output
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        sys.stdout, sys.stderr = before


def _guarded(stream: TextIO | None, *, tolerant: bool) -> tuple[TextIO, GuardedOutput | None]:
    """Return a stream that writes through a guard, and the guard."""
    if stream is None:
        guard = GuardedOutput(None, tolerant=tolerant)
        return _text(guard, "utf-8", line_buffering=False), guard
    buffer = getattr(stream, "buffer", None)
    # With PYTHONUNBUFFERED there is no buffer in between.
    raw = getattr(buffer, "raw", buffer)
    if not isinstance(stream, io.TextIOWrapper) or not isinstance(raw, io.RawIOBase):
        return stream, None
    stream.flush()
    guard = GuardedOutput(raw, tolerant=tolerant)
    return _text(guard, stream.encoding, line_buffering=stream.line_buffering), guard


def _text(guard: GuardedOutput, encoding: str, *, line_buffering: bool) -> TextIO:
    # A terminal that cannot show a character shows its code; it stops no payment.
    return io.TextIOWrapper(
        io.BufferedWriter(guard),
        encoding=encoding,
        errors="backslashreplace",
        line_buffering=line_buffering,
    )


def _open_closed_descriptors() -> None:
    """Put the null device where a standard stream is closed, so that no socket gets its number."""
    for number in range(_STANDARD_STREAMS):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is given out, which is this one.
            os.open(os.devnull, os.O_RDWR)

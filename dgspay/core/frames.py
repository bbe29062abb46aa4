"""Frames of an exception that leaves a call: those above the call are kept, those below are cut.

The frames of an HTTP library, of its network layers and of our own transports hold the request as
it is sent, API key and all, and crash reporters collect the local variables of every frame. So
does whatever was raised on the way and hangs on an exception as its cause or its context: some
errors of HTTP libraries carry the request itself.
"""

from __future__ import annotations


def cut_below(error: BaseException, handled: BaseException | None) -> BaseException:
    """Return an exception without the frames below the one that caught it.

    Args:
        error: As it was caught; what is raised in its place is nearly always itself.
        handled: What the program was handling when it made the call, and may see as context.
    """
    shown = _without_errors_of_libraries(error)
    if error.__traceback__ is not None:
        error.__traceback__.tb_next = None
    if shown is not error:
        shown = shown.with_traceback(error.__traceback__)
    _cut_chain(shown, handled)
    for member in _members(shown):
        member.__traceback__ = None
        _cut_chain(member, None)
    return shown


def without_frames(error: BaseException) -> None:
    """Take everything from an exception that it would show besides itself."""
    error.__traceback__ = None
    _cut_chain(error, None)


def _cut_chain(error: BaseException, handled: BaseException | None) -> None:
    is_suppressed = error.__suppress_context__
    error.__cause__ = None
    error.__context__ = None if handled is error else handled
    error.__suppress_context__ = is_suppressed


def _without_errors_of_libraries(error: BaseException) -> BaseException:
    """Keep of a group only what ends programs and tasks, such as a KeyboardInterrupt."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    _, kept = error.split(Exception)
    return error if kept is None else kept


def _members(error: BaseException) -> list[BaseException]:
    """Return all exceptions in a group, those in its groups included."""
    if not isinstance(error, BaseExceptionGroup):
        return []
    return [inner for member in error.exceptions for inner in (member, *_members(member))]

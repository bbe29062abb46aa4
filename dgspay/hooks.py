"""Events of calls emitted to the standard log and to the hooks the user passes."""

from __future__ import annotations

import contextlib
import inspect
import logging
import re
from collections.abc import Iterable, Iterator

from dgspay.core.events import AttemptEvent, Hook, TelemetryEvent
from dgspay.errors import ConfigError, Outcome
from dgspay.interruption import interruption_in

_logger = logging.getLogger("dgspay")
# Without logging set up, a program must not find our warnings on its standard error.
_logger.addHandler(logging.NullHandler())


class Emitter:
    """Emits events to the log and every hook.

    Attributes:
        hooks: The hooks.

    Raises:
        ConfigError: when a hook cannot be called with an event.
    """

    def __init__(self, hooks: Iterable[Hook]) -> None:
        self.hooks = _checked(hooks)

    def __call__(self, event: TelemetryEvent) -> None:
        """Emit an event.

        A payment that went through must not turn into an error because of telemetry, and a
        cancellation not into something else: whatever a hook or a part of the program's logging
        raises ends here. What a handler of a signal raises meanwhile is neither's.
        """
        with _nothing_of_telemetry():
            _log(event)
        for hook in self.hooks:
            with _nothing_of_telemetry():
                try:
                    hook(event)
                except Exception as error:
                    if interruption_in(error) is not None:
                        raise
                    _logger.exception("a hook raised on %s", event.operation)

    def wants(self, outcome: Outcome) -> bool:
        """Return whether any hook or log handler would receive an event with this outcome."""
        if self.hooks or outcome is not Outcome.COMPLETED:
            return True
        return _logger.isEnabledFor(logging.DEBUG)


@contextlib.contextmanager
def _nothing_of_telemetry() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if interruption_in(error) is not None:
            raise


def _checked(hooks: Iterable[Hook]) -> tuple[Hook, ...]:
    if not isinstance(hooks, Iterable):
        raise ConfigError("hooks must be a list of callables")
    checked = tuple(hooks)
    for hook in checked:
        if not callable(hook):
            raise ConfigError(f"a hook must be callable, {type(hook).__name__} is not")
        # Of a function, or of an object's `__call__`.
        called = getattr(hook, "__call__", None)  # noqa: B004 - it is asked, not called
        if inspect.iscoroutinefunction(hook) or inspect.iscoroutinefunction(called):
            raise ConfigError(
                "a hook must be a plain function: the result of an async one would never be awaited"
            )
    return checked


def _log(event: TelemetryEvent) -> None:
    level = _level(event)
    if not _logger.isEnabledFor(level):
        return
    fields = event._asdict()
    fields["outcome"] = event.outcome.value
    # The attributes of a LogRecord are one namespace for all libraries: prefix ours.
    extra = {f"dgspay_{name}": value for name, value in fields.items()}
    shown = " ".join(
        f"{name}={_quoted(value)}" for name, value in fields.items() if value is not None
    )
    _logger.log(level, "%s %s", type(event).__name__, shown, extra=extra)


def _quoted(value: object) -> object:
    """Put what a server says into quotes, where it could pass for more fields of the line."""
    is_one_word = not isinstance(value, str) or _ONE_WORD.fullmatch(value)
    return value if is_one_word else repr(value)


# A route template, the name of an error or of an outcome, and the codes of the guide.
_ONE_WORD = re.compile(r"(?:[A-Z]+ )?[A-Za-z0-9_./{}-]+", re.ASCII)


def _level(event: TelemetryEvent) -> int:
    if isinstance(event, AttemptEvent):
        return logging.DEBUG if event.retry_delay is None else logging.INFO
    if event.outcome is Outcome.COMPLETED:
        return logging.DEBUG
    return logging.WARNING if event.outcome is Outcome.UNKNOWN else logging.INFO

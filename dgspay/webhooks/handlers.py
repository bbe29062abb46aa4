"""Handlers of events: functions and callables, checked when they are registered."""

from __future__ import annotations

import functools
import inspect
import sys
import types
import typing
from collections.abc import Callable, Iterable
from typing import Any

from dgspay.errors import ConfigError
from dgspay.webhooks import events

_EVENT_KINDS = (*events.EVENT_CLASSES.values(), events.UnknownEvent)

# Under `if TYPE_CHECKING` a handler's module does not have the names of its own annotations.
_EVENT_NAMES: dict[str, Any] = {
    **vars(typing),
    **{cls.__name__: cls for cls in _EVENT_KINDS},
    "Event": events.Event,
    "KnownEvent": events.KnownEvent,
}


def classes_of(kinds: Iterable[Any]) -> tuple[type, ...]:
    """Return the event classes that `on` was given, those in unions too.

    Raises:
        ConfigError: when there is none, or something else among them.
    """
    classes = tuple(cls for kind in kinds for cls in _members(kind))
    if not classes:
        raise ConfigError("on() needs at least one event class, such as PaymentSucceeded")
    for cls in classes:
        if cls not in _EVENT_KINDS:
            raise ConfigError(
                f"on() takes event classes such as PaymentSucceeded, not {cls!r:.60}; "
                "an event the guide does not list is an UnknownEvent"
            )
    return classes


def is_async(function: Callable[..., Any]) -> bool:
    """Whether a handler is to be awaited."""
    return _is(function, inspect.iscoroutinefunction)


def require_no_yield(function: Callable[..., Any]) -> None:
    """Reject a handler with `yield`.

    Raises:
        TypeError: saying what would become of the event.
    """
    if _is(function, inspect.isgeneratorfunction) or _is(function, inspect.isasyncgenfunction):
        raise TypeError(
            "a handler with `yield` would only make a generator: the event would be marked "
            "done and never be handled"
        )


def needed_parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """Return what a handler must be given in order: the event, or the event and a connection.

    A parameter with a default is the function's own.

    Raises:
        ConfigError: when it takes something else.
    """
    if not callable(function):
        raise ConfigError("a handler must be a function")
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = [each for each in _signature(function) if each.default is each.empty]
    for each in needed:
        if each.kind is each.KEYWORD_ONLY:
            raise ConfigError(
                f"handler parameter {each.name!r} must have a default: handlers receive only the "
                "event (and a connection)"
            )
    taken = [each for each in needed if each.kind in kinds]
    if len(taken) not in (1, 2):
        raise ConfigError("a handler takes the event, or the event and a connection")
    return taken


def require_annotated_for(
    classes: Iterable[type], function: Callable[..., Any], annotation: Any
) -> None:
    """Reject a handler whose parameter is annotated for something else than it will be given.

    An annotation that cannot be evaluated, or that says nothing about classes, is not judged.

    Raises:
        TypeError: naming the event and the annotation.
    """
    if annotation is inspect.Parameter.empty:
        return
    try:
        meant = _evaluated(annotation, function)
    except Exception:  # noqa: BLE001 - evaluating runs the user's text; no fault of the handler's
        return
    for cls in classes:
        if not _admits(meant, cls):
            name = getattr(function, "__qualname__", type(function).__qualname__)
            raise TypeError(
                f"on({cls.__name__}) would give {name}() a {cls.__name__}, but its parameter is "
                f"annotated {_text_of(annotation)}: register it for that event, or change the "
                "annotation"
            )


def _signature(function: Callable[..., Any]) -> Iterable[inspect.Parameter]:
    if sys.version_info >= (3, 14):
        import annotationlib  # noqa: PLC0415 - since 3.14

        lazily = annotationlib.Format.FORWARDREF
        return inspect.signature(function, annotation_format=lazily).parameters.values()
    return inspect.signature(function).parameters.values()


def _evaluated(annotation: Any, function: Callable[..., Any]) -> Any:
    """Evaluate an annotation, quoted in whole or in part, where its function was written."""
    where = {**_EVENT_NAMES, **getattr(_written(function), "__globals__", {})}
    holder = types.SimpleNamespace(__annotations__={"event": annotation})
    return typing.get_type_hints(holder, where, include_extras=True)["event"]


def _written(function: Any) -> Any:
    """Return the function as written, below its wrappers."""
    while True:
        if isinstance(function, functools.partial):
            function = function.func
        elif inspect.ismethod(function):
            function = function.__func__
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        elif isinstance(function, type):
            function = getattr(function, "__init__")  # noqa: B009 - mypy holds it for unsound
        elif not hasattr(function, "__globals__") and inspect.ismethod(
            called := getattr(function, "__call__", None)  # noqa: B004 - it is asked, not called
        ):
            function = called
        else:
            return function


def _admits(annotation: Any, cls: type) -> bool:
    """Whether a parameter so annotated may be given an object of the class."""
    members = _members(annotation)
    if members != (annotation,):
        return any(_admits(member, cls) for member in members)
    if isinstance(annotation, typing.TypeVar):
        bounds = annotation.__constraints__ or (annotation.__bound__,)
        return any(bound is None or _admits(bound, cls) for bound in bounds)
    judged = typing.get_origin(annotation) or annotation
    # What is no class, such as a reference to a name that is not known, says nothing; and a
    # Protocol may be met by any class.
    says_nothing = not isinstance(judged, type) or getattr(judged, "_is_protocol", False)
    if judged is Any or says_nothing:
        return True
    return issubclass(cls, judged)


def _members(kind: Any) -> tuple[Any, ...]:
    """Return what a union, an alias or an Annotated stands for; else the thing itself."""
    origin = typing.get_origin(kind)
    if isinstance(kind, types.UnionType) or origin is typing.Union:
        return tuple(member for part in typing.get_args(kind) for member in _members(part))
    if origin is typing.Annotated:
        return _members(kind.__origin__)
    # `type Paid = ...` of Python 3.12, and NewType.
    for attribute in ("__value__", "__supertype__"):
        if not isinstance(kind, type) and hasattr(kind, attribute):
            return _members(getattr(kind, attribute))
    return (kind,)


def _text_of(annotation: Any) -> str:
    if isinstance(annotation, str):
        return annotation
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _is(function: Callable[..., Any], kind: Callable[[Any], bool]) -> bool:
    """Ask of a function, or of an object's `__call__`, such as one with `async def`."""
    return kind(function) or kind(getattr(function, "__call__", None))  # noqa: B004 - it is asked, not called

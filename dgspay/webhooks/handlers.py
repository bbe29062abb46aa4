"""Handlers of events: functions and callables, checked when they are registered."""

from __future__ import annotations

import functools
import inspect
import sys
import types
import typing
from collections.abc import Callable, Iterable
from typing import Any

import attrs

from dgspay.errors import ConfigError
from dgspay.webhooks import events
from dgspay.webhooks.delivery import Delivery

_EVENT_KINDS = (*events.EVENT_CLASSES.values(), events.UnknownEvent)

# Under `if TYPE_CHECKING` a handler's module does not have the names of its own annotations.
_EVENT_NAMES: dict[str, Any] = {
    **vars(typing),
    **{cls.__name__: cls for cls in _EVENT_KINDS},
    "Delivery": Delivery,
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
    """Return whether a handler is to be awaited."""
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


@attrs.frozen
class Parameters:
    """Parameters of a handler.

    Attributes:
        event: The parameter for the event, which is the first.
        takes_connection: Whether it takes a connection of the inbox.
        delivery: Where it takes the `Delivery`: its place among those that are given in order, or
            its name where it has a default or is given by name alone; None where it takes none.
    """

    event: inspect.Parameter
    takes_connection: bool
    delivery: int | str | None


def parameters_of(function: Callable[..., Any]) -> Parameters:
    """Return what a handler takes: the event, a `Delivery` by its annotation, a connection.

    A parameter with a default is the function's own, unless it is annotated `Delivery`.

    Raises:
        ConfigError: when it takes something else.
    """
    if not callable(function):
        raise ConfigError("a handler must be a function")
    in_order = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = [*_signature(function)]
    needed = [each for each in parameters if each.default is each.empty]
    taken = [each for each in needed if each.kind in in_order]
    optional = [each for each in parameters if each not in taken and each.kind in by_name]
    deliveries: list[int | str] = [
        *(place for place, each in enumerate(taken) if _is_for_delivery(each, function)),
        *(each.name for each in optional if _is_for_delivery(each, function)),
    ]
    for each in needed:
        if each.kind is each.KEYWORD_ONLY and each.name not in deliveries:
            raise ConfigError(
                f"handler parameter {each.name!r} must have a default: handlers receive only the "
                "event (and a Delivery and a connection)"
            )
    others = len(taken) - sum(isinstance(each, int) for each in deliveries)
    if others not in (1, 2) or len(deliveries) > 1 or 0 in deliveries:
        raise ConfigError(
            "a handler takes the event, or the event and a connection; after the event it may take "
            "a parameter annotated Delivery, too"
        )
    return Parameters(taken[0], others == 2, deliveries[0] if deliveries else None)


def require_annotated_for(
    classes: Iterable[type], function: Callable[..., Any], annotation: Any
) -> None:
    """Reject a handler whose parameter is annotated for something else than it will be given.

    An annotation that cannot be evaluated, or that says nothing about classes, is not judged.

    Raises:
        TypeError: naming the event and the annotation.
    """
    meant = _evaluated(annotation, function)
    if meant is inspect.Parameter.empty:
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


def _is_for_delivery(parameter: inspect.Parameter, function: Callable[..., Any]) -> bool:
    members = _members(_evaluated(parameter.annotation, function))
    return any(member is Delivery for member in members)


def _evaluated(annotation: Any, function: Callable[..., Any]) -> Any:
    """Evaluate an annotation, quoted in whole or in part, where its function was written.

    Where it cannot be evaluated, it is as if there were none.
    """
    if annotation is inspect.Parameter.empty:
        return annotation
    where = {**_EVENT_NAMES, **getattr(_written(function), "__globals__", {})}
    holder = types.SimpleNamespace(__annotations__={"event": annotation})
    try:
        return typing.get_type_hints(holder, where, include_extras=True)["event"]
    except Exception:  # noqa: BLE001 - evaluating runs the user's text; no fault of the handler's
        return inspect.Parameter.empty


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
    """Return whether a parameter so annotated may be given an object of the class."""
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

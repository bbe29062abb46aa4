"""Plain values to models, strictly: nothing is coerced, the first fault is named by its path."""

from __future__ import annotations

import functools
import re
import types
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin

import attrs

from dgspay.errors import DecodeError
from dgspay.forks import undivided
from dgspay.interruption import interruption_in
from dgspay.models.enums import OpenEnum
from dgspay.models.extra_fields import incidental_fields
from dgspay.models.json_codec import JSONObject
from dgspay.money import MAX_INTEGER_DIGITS

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")

_MAX_AMOUNT_DIGITS = MAX_INTEGER_DIGITS + 3
_AMOUNT_TEXT = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?", re.ASCII)


def structure(value: Any, cls: type[T]) -> T:
    """Build a model from parsed JSON without coercing anything.

    A missing optional field is None, a field the model does not know is kept in `extra`.

    Raises:
        DecodeError: naming the path of the first field that is not what it should be.
    """
    return _structured(value, cls, _hook_of(cls), "the body")


def structure_plain(plain: Mapping[str, Any], cls: type[T]) -> T:
    """Build a model from its own plain values, in which `extra` is a field as the others are.

    Raises:
        ValueError: naming the path of the first field that is not what it should be.
    """
    try:
        return _structured(dict(plain), cls, _plain_hook_of(cls), "the mapping")
    except DecodeError as error:
        fault = error.message
    raise ValueError(fault)


def _structured(value: Any, cls: type[T], hook: Callable[[Any, Any], Any], what: str) -> T:
    try:
        return hook(value, cls)  # type: ignore[no-any-return]
    except _validation_error() as error:
        interruption, (path, rule) = interruption_in(error), _first_fault(error)
    except (ValueError, TypeError, KeyError) as error:
        interruption, path, rule = interruption_in(error), "", _rule(error)
    if interruption is not None:
        raise interruption
    where = f" at {path}" if path else ""
    raise DecodeError(f"{what} is not the {cls.__name__} it should be{where}: {rule}", path=path)


def _validation_error() -> type[Exception]:
    with undivided:
        from cattrs import BaseValidationError  # noqa: PLC0415 - cattrs loads when first used

    return BaseValidationError


def _first_fault(error: BaseException) -> tuple[str, str]:
    """Walk cattrs' group of errors down to the first leaf, collecting the path."""
    from cattrs import AttributeValidationNote, IterableValidationNote  # noqa: PLC0415

    path = ""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
        for note in getattr(error, "__notes__", ()):
            if isinstance(note, IterableValidationNote):
                path += f"[{note.index}]"
                break
            if isinstance(note, AttributeValidationNote):
                path += f".{note.name}" if path else note.name
                break
    return path, _rule(error)


def _rule(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    return str(error)


@functools.cache
def _converter(*, extra_is_field: bool) -> Converter:
    """Return the converter of answers, or that of plain values, where `extra` is a field."""
    from cattrs import Converter  # noqa: PLC0415 - cattrs loads when first used

    converter = Converter(detailed_validation=True)
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(int, _integer)
    converter.register_structure_hook(bool, _boolean)
    converter.register_structure_hook(Decimal, _amount)
    converter.register_structure_hook(datetime, _datetime)
    # Every enum is an OpenEnum: registered by class, because a predicate yields to `str`.
    converter.register_structure_hook(OpenEnum, _word)
    converter.register_structure_hook_func(_is_json_object, lambda v, _: _object(v))
    converter.register_structure_hook_factory(
        _is_tuple_of_one_kind, lambda t: _tuple_hook(converter, t)
    )
    converter.register_structure_hook_factory(_is_optional, lambda t: _optional_hook(converter, t))
    converter.register_structure_hook_factory(
        attrs.has, lambda t: _model_hook(converter, t, extra_is_field=extra_is_field)
    )
    return converter


def _find_hook(cls: Any) -> Callable[[Any, Any], Any]:
    with undivided:
        return _converter(extra_is_field=False).get_structure_hook(cls)


def _find_plain_hook(cls: Any) -> Callable[[Any, Any], Any]:
    with undivided:
        return _converter(extra_is_field=True).get_structure_hook(cls)


# Found once for each model, not for every answer.
_hook_of: Callable[[Any], Callable[[Any, Any], Any]] = functools.cache(_find_hook)
_plain_hook_of: Callable[[Any], Callable[[Any, Any], Any]] = functools.cache(_find_plain_hook)


def _text(value: Any, _: Any = None) -> str:
    if type(value) is not str:
        raise TypeError(f"a string was expected, {_name(value)} came")
    return value


def _word(value: Any, cls: type[OpenEnum]) -> OpenEnum:
    return _member(cls, value if type(value) is str else _text(value))


@functools.lru_cache(maxsize=512)
def _member(cls: type[OpenEnum], word: str) -> OpenEnum:
    """Remembered, because an enum is slow to find a synonym."""
    return cls(word)


def _optional_text(value: Any, _: Any = None) -> str | None:
    return value if value is None or type(value) is str else _text(value)


def _integer(value: Any, _: Any = None) -> int:
    if type(value) is not int:
        raise TypeError(f"an integer was expected, {_name(value)} came")
    return value


def _boolean(value: Any, _: Any = None) -> bool:
    # `branch_required` is 0 or 1 (guide, "List Banks & Providers").
    if value is True or value is False:
        return bool(value)
    if type(value) is int and value in (0, 1):
        return value == 1
    raise TypeError(f"true or false was expected, {_name(value)} came")


def _amount(value: Any, _: Any = None) -> Decimal:
    if (type(value) is str and _AMOUNT_TEXT.fullmatch(value)) or type(value) is int:
        value = Decimal(value)
    if type(value) is not Decimal:
        raise TypeError(f"a number was expected, {_name(value)} came")
    if value.adjusted() >= _MAX_AMOUNT_DIGITS:
        raise ValueError("a number is too large to be an amount")
    return value


def _datetime(value: Any, _: Any = None) -> datetime:
    """`YYYY-MM-DD HH:MM:SS` stays naive; ISO with a zone (events) stays aware."""
    text = _text(value)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("a date and time was expected, other text came") from None


def _object(value: Any) -> JSONObject:
    if type(value) is not dict:
        raise TypeError(f"an object was expected, {_name(value)} came")
    return value


def _name(value: Any) -> str:
    """Name a JSON value by its kind, never by what it holds."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "a string"
        case int() | Decimal():
            return "a number"
        case list():
            return "an array"
        case float():  # no answer has one, a program may
            return "a float, which cannot hold an amount exactly,"
        case _:
            return "an object"


def _is_json_object(cls: Any) -> bool:
    return get_origin(cls) in (dict, Mapping) or cls is dict


def _is_tuple_of_one_kind(cls: Any) -> bool:
    return get_origin(cls) is tuple and get_args(cls)[1:] == (Ellipsis,)


def _is_optional(cls: Any) -> bool:
    return get_origin(cls) in (Union, types.UnionType) and type(None) in get_args(cls)


def _tuple_hook(converter: Converter, cls: Any) -> Callable[[Any, Any], Any]:
    """Structure a JSON array as a tuple, so that a frozen model is frozen all through.

    The first fault ends it. cattrs itself would go on, and thousands of faults take their time.
    """
    inner = get_args(cls)[0]
    build = converter.get_structure_hook(inner)

    def hook(value: Any, _: Any) -> Any:
        if type(value) is not list:
            raise TypeError(f"an array was expected, {_name(value)} came")
        return tuple([_item(build, item, inner, index) for index, item in enumerate(value)])

    return hook


def _item(build: Callable[[Any, Any], Any], item: Any, inner: Any, index: int) -> Any:
    try:
        return build(item, inner)
    except Exception as error:  # noqa: BLE001 - as cattrs does
        from cattrs import (  # noqa: PLC0415 - cattrs loads when first used
            IterableValidationError,
            IterableValidationNote,
        )

        error.add_note(IterableValidationNote(f"at {index}", index, inner))
        kind: Any = IterableValidationError  # type checkers take it for a plain group
        raise kind("an item is wrong", [error], inner) from None


def _optional_hook(converter: Converter, cls: Any) -> Callable[[Any, Any], Any]:
    (inner,) = (kind for kind in get_args(cls) if kind is not type(None))
    if inner is str:  # nearly every field is one
        return _optional_text
    build = converter.get_structure_hook(inner)

    def hook(value: Any, _: Any) -> Any:
        return None if value is None else build(value, inner)

    return hook


def _model_hook(
    converter: Converter, cls: Any, *, extra_is_field: bool
) -> Callable[[Any, Any], Any]:
    """Structure one model; keys it has no field for go to its `extra`."""
    from cattrs.gen import make_dict_structure_fn, override  # noqa: PLC0415

    attrs.resolve_types(cls)
    fields = {field.name for field in attrs.fields(cls)} - {"extra"}
    incidental = {
        name: (check, kind, converter.get_structure_hook(kind))
        for name, check in incidental_fields(cls).items()
        for kind in (getattr(attrs.fields(cls), name).type,)
    }
    checked = [(name, check) for name, (check, _, _) in incidental.items() if check is not None]
    build: Callable[..., Any] = make_dict_structure_fn(
        cls, converter, extra=override(omit=False), _cattrs_forbid_extra_keys=False
    )

    def is_odd(name: str, value: Any) -> bool:
        check, kind, structured = incidental[name]
        try:
            structured(value, kind)
        except Exception:  # noqa: BLE001 - as cattrs does
            return True
        return check is not None and value is not None and not check(value)

    def tolerant(known: JSONObject) -> Any:
        """Build it from what is not odd. What decides is as strict as before."""
        odd = {name for name in incidental.keys() & known.keys() if is_odd(name, known[name])}
        extra = {key: item for key, item in known.items() if key not in fields or key in odd}
        return build({**{k: v for k, v in known.items() if k not in odd}, "extra": extra}, cls)

    def hook(value: Any, _: Any) -> Any:
        known = value if type(value) is dict else _object(value)
        if extra_is_field and "extra" in known:
            extra = _object(known["extra"])
            known = {**extra, **{key: item for key, item in known.items() if key != "extra"}}
            # An odd value is in there under the name of its field, which has nothing then.
            known |= {name: extra[name] for name in incidental.keys() & extra.keys()}
        for name, check in checked:
            if (url := known.get(name)) is not None and not (type(url) is str and check(url)):
                return tolerant(known)
        try:
            if known.keys() <= fields:
                return build(known, cls)
            extra = {key: item for key, item in known.items() if key not in fields}
            return build({**known, "extra": extra}, cls)
        except _validation_error():
            if not incidental:
                raise
        return tolerant(known)

    return hook

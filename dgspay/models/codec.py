"""JSON text to models and back, strictly: what is not what the guide describes is refused."""

from __future__ import annotations

import functools
import json
import math
import re
import types
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin

import attrs

from dgspay.errors import DecodeError
from dgspay.models.enums import OpenEnum
from dgspay.money import MAX_INTEGER_DIGITS, to_json_number
from dgspay.secret import Secret

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")

JSONObject = dict[str, Any]

# No number of the vendor's has more digits; Python itself would stop at 4,300.
_MAX_NUMBER_CHARACTERS = 60
_MAX_EXPONENT = 30
# Deeper than any answer goes, and far from where Python's own recursion would end.
_MAX_DEPTH = 100
_MAX_AMOUNT_DIGITS = MAX_INTEGER_DIGITS + 3

_AMOUNT_TEXT = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?", re.ASCII)
_API_DATETIME = "%Y-%m-%d %H:%M:%S"


# --- text to plain values -----------------------------------------------------------------


def parse_json(body: bytes) -> Any:
    """Parse JSON as RFC 8259 has it, numbers exact, and nothing beyond.

    Raises:
        DecodeError: for bad UTF-8, lone surrogates, NaN, Infinity, duplicate keys, numbers no
            one can mean, and nesting deeper than any answer has. Never another exception.
    """
    try:
        text = body.removeprefix(BOM_UTF8).decode()
        value = _decoded(text)
    except UnicodeDecodeError:
        reason = "it is not UTF-8"
    except RecursionError:
        reason = "it is nested too deeply"
    except json.JSONDecodeError as error:
        reason = f"it is not JSON ({error.msg} at character {error.pos})"
    except ValueError as error:
        reason = str(error)
    else:
        if _is_too_deep(text, value):
            reason = "it is nested too deeply"
        elif _has_lone_surrogate(text, value):
            reason = "a string in it has half a surrogate pair"
        else:
            return value
    # Raised here and not above, so that the body does not hang on the error as its context.
    raise DecodeError(f"the body cannot be read: {reason}")


def _decoded(text: str) -> Any:
    if text.startswith("{"):
        # As answers come, without space around them, which `decode` looks for.
        value, end = _DECODER.raw_decode(text)
        if end == len(text):
            return value
    return _DECODER.decode(text)


def _parse_float(text: str) -> Decimal:
    if len(text) > _MAX_NUMBER_CHARACTERS:
        raise ValueError("a number in it is too long")
    try:
        number = Decimal(text)
    except InvalidOperation:  # an exponent that even Decimal cannot hold
        raise ValueError("a number in it is out of range") from None
    if not number.is_finite() or abs(number.adjusted()) > _MAX_EXPONENT:
        raise ValueError("a number in it is out of range")
    return number


def _parse_int(text: str) -> int:
    if len(text) > _MAX_NUMBER_CHARACTERS:
        raise ValueError("a number in it is too long")
    return int(text)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _unique_keys(pairs: list[tuple[str, Any]]) -> JSONObject:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return result


# Made once: `json.loads` would build one for every body.
_DECODER = json.JSONDecoder(
    parse_float=_parse_float,
    parse_int=_parse_int,
    parse_constant=_refuse_constant,
    object_pairs_hook=_unique_keys,
)


_CONTAINERS = frozenset({dict, list})


def _is_too_deep(text: str, value: Any) -> bool:
    """Walk level by level, and only where there are brackets enough."""
    if text.count("[") + text.count("{") <= _MAX_DEPTH:
        return False
    level, depth = _nested([value]), 0
    while level:
        depth += 1
        if depth >= _MAX_DEPTH:
            # The level below may hold plain values only, and that is too deep as well.
            return any(level)
        level = [child for item in level for child in _nested(item)]
    return False


def _nested(item: JSONObject | list[Any]) -> list[Any]:
    """Return what may hold more of what an object or an array holds."""
    values = item.values() if type(item) is dict else item
    if _CONTAINERS.isdisjoint(map(type, values)):  # as in every row of a list
        return []
    return [child for child in values if type(child) in _CONTAINERS]


def _has_lone_surrogate(text: str, value: Any) -> bool:
    if "\\ud" not in text and "\\uD" not in text:
        return False
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item.keys())
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, str) and any("\ud800" <= char <= "\udfff" for char in item):
            return True
    return False


# --- plain values to text -----------------------------------------------------------------


def dump_json(value: Any) -> bytes:
    """Write a request body: compact UTF-8 JSON with every Decimal digit for digit.

    Raises:
        TypeError: for a value JSON has no form for.
        ValueError: for NaN, infinity and numbers no one can mean, for text with half a
            surrogate pair, and for a datetime with a zone, which the API's form would drop.
    """
    # Every body is a dict, which would be the last thing to be looked for.
    text = _members(value) if type(value) is dict else _written(value)
    return text.encode()


def _written(value: Any) -> str:
    # Not `str(value)`: for a member of a text enum that is its name, not its text.
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, Secret):
        return encode_basestring(value.reveal())
    if value is None or isinstance(value, int):
        return json.dumps(value)
    if type(value) is dict or isinstance(value, Mapping):  # the second takes its time
        return _members(value)
    if isinstance(value, list | tuple):
        return "[" + ",".join([_written(item) for item in value]) + "]"
    if isinstance(value, datetime):
        return encode_basestring(format_datetime(value))
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("NaN and infinity have no form in JSON")
        return json.dumps(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _members(value: Mapping[Any, Any]) -> str:
    members = [
        # Most are plain text, and a call less for each is felt.
        f"{encode_basestring(name)}:{encode_basestring(item)}"
        if type(name) is str and type(item) is str
        else _member_of(name, item)
        for name, item in value.items()
    ]
    return "{" + ",".join(members) + "}"


def _member_of(name: Any, item: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"a JSON key must be a str, not {type(name).__name__}")
    return f"{encode_basestring(name)}:{_written(item)}"


def _number(value: Decimal) -> str:
    if not value.is_finite() or abs(value.adjusted()) > _MAX_EXPONENT:
        raise ValueError("NaN, infinity and numbers out of range have no form in JSON")
    return to_json_number(value)


def format_datetime(moment: datetime) -> str:
    """Write a naive datetime as the API does: `YYYY-MM-DD HH:MM:SS`.

    Raises:
        ValueError: when it has a zone, which this form would silently drop.
    """
    if moment.tzinfo is not None:
        raise ValueError("a time zone has no form in the API's times")
    return moment.strftime(_API_DATETIME)


# --- plain values to models ---------------------------------------------------------------


def structure(value: Any, cls: type[T]) -> T:
    """Build a model from parsed JSON without coercing anything.

    A missing optional field is None, a field the model does not know is kept in `extra`.

    Raises:
        DecodeError: naming the path of the first field that is not what it should be.
    """
    try:
        return _hook_of(cls)(value, cls)  # type: ignore[no-any-return]
    except _validation_error() as error:
        path, rule = _first_fault(error)
    except (ValueError, TypeError, KeyError) as error:
        path, rule = "", _rule(error)
    where = f" at {path}" if path else ""
    raise DecodeError(f"the body is not the {cls.__name__} it should be{where}: {rule}", path=path)


def _validation_error() -> type[Exception]:
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
def _converter() -> Converter:
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
    converter.register_structure_hook_factory(attrs.has, lambda t: _model_hook(converter, t))
    return converter


def _find_hook(cls: Any) -> Callable[[Any, Any], Any]:
    return _converter().get_structure_hook(cls)


# Found once for each model, not for every answer.
_hook_of: Callable[[Any], Callable[[Any, Any], Any]] = functools.cache(_find_hook)


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
        case _:
            return "an object"


def _is_json_object(cls: Any) -> bool:
    return get_origin(cls) in (dict, Mapping) or cls is dict


def _is_tuple_of_one_kind(cls: Any) -> bool:
    return get_origin(cls) is tuple and get_args(cls)[1:] == (Ellipsis,)


def _is_optional(cls: Any) -> bool:
    return get_origin(cls) in (Union, types.UnionType) and type(None) in get_args(cls)


def _tuple_hook(converter: Converter, cls: Any) -> Callable[[Any, Any], Any]:
    """Structure a JSON array as a tuple, so that a frozen model is frozen all through."""
    as_list: Any = list.__class_getitem__(get_args(cls)[0])

    def hook(value: Any, _: Any) -> Any:
        if type(value) is not list:
            raise TypeError(f"an array was expected, {_name(value)} came")
        return tuple(converter.structure(value, as_list))

    return hook


def _optional_hook(converter: Converter, cls: Any) -> Callable[[Any, Any], Any]:
    (inner,) = (kind for kind in get_args(cls) if kind is not type(None))
    if inner is str:  # nearly every field is one
        return _optional_text
    build = converter.get_structure_hook(inner)

    def hook(value: Any, _: Any) -> Any:
        return None if value is None else build(value, inner)

    return hook


def _model_hook(converter: Converter, cls: Any) -> Callable[[Any, Any], Any]:
    """Structure one model; keys it has no field for go to its `extra`."""
    from cattrs.gen import make_dict_structure_fn, override  # noqa: PLC0415

    attrs.resolve_types(cls)
    fields = {field.name for field in attrs.fields(cls)} - {"extra"}
    build: Callable[..., Any] = make_dict_structure_fn(
        cls, converter, extra=override(omit=False), _cattrs_forbid_extra_keys=False
    )

    def hook(value: Any, _: Any) -> Any:
        known = value if type(value) is dict else _object(value)
        if known.keys() <= fields:
            return build(known, cls)
        extra = {key: item for key, item in known.items() if key not in fields}
        return build({**known, "extra": extra}, cls)

    return hook
